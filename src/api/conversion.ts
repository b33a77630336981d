// Conversions between the versions of the few kinds that are served in more than one. Pure: the hub needs no
// conversion webhook, and tools can convert offline.
import { hpaFromV1, hpaToV1 } from './hpa-conversion.ts';
import { deepFreeze, type JsonObject, type KubeObject } from './object.ts';

type Conversion = (object: KubeObject) => KubeObject;

/** Fields of core/v1 Event and what events.k8s.io/v1 calls them; the others are the same. */
const EVENT_FIELDS: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
  reportingComponent: 'reportingController',
};

const CORE_EVENT_FIELDS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(EVENT_FIELDS).map(([core, other]) => [other, core]),
);

function renamed(fields: Readonly<Record<string, string>>, apiVersion: string): Conversion {
  return (object) => ({
    ...(Object.fromEntries(
      Object.entries(object).map(([name, value]) => [
        Object.hasOwn(fields, name) ? fields[name] : name,
        value,
      ]),
    ) as unknown as KubeObject),
    apiVersion,
  });
}

interface OldBindingSpec {
  readonly resource: JsonObject;
}
interface NewBindingSpec {
  readonly resource: JsonObject;
  readonly clusters?: readonly { readonly name: string; readonly replicas?: number }[];
  readonly replicas?: number;
  readonly replicaRequirements?: { readonly resourceRequest?: JsonObject };
}
interface NewBindingStatus {
  readonly conditions?: unknown;
  readonly aggregatedStatus?: readonly JsonObject[];
}

function bindingFromV1alpha1(object: KubeObject): KubeObject {
  const spec = object['spec'] as OldBindingSpec | undefined;
  if (spec?.resource === undefined) return { ...object, apiVersion: 'work.karmada.io/v1alpha2' };
  const { replicas, resourcePerReplicas, ...resource } = spec.resource;
  return {
    ...object,
    apiVersion: 'work.karmada.io/v1alpha2',
    spec: {
      ...spec,
      resource,
      ...(replicas === undefined ? {} : { replicas }),
      ...(resourcePerReplicas === undefined
        ? {}
        : { replicaRequirements: { resourceRequest: resourcePerReplicas } }),
    },
  };
}

// COMPAT: what v1alpha1 has no field for is not carried along, so writing it back as v1alpha1 drops it.
function bindingToV1alpha1(object: KubeObject): KubeObject {
  const spec = object['spec'] as NewBindingSpec | undefined;
  const status = object['status'] as NewBindingStatus | undefined;
  const request = spec?.replicaRequirements?.resourceRequest;
  const { uid: _uid, ...reference } = spec?.resource ?? {};
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: object.kind,
    metadata: object.metadata,
    spec: {
      resource: {
        ...reference,
        ...(spec?.replicas === undefined ? {} : { replicas: spec.replicas }),
        ...(request === undefined ? {} : { resourcePerReplicas: request }),
      },
      ...(spec?.clusters === undefined
        ? {}
        : {
            clusters: spec.clusters.map(({ name, replicas }) => ({
              name,
              ...(replicas === undefined ? {} : { replicas }),
            })),
          }),
    },
    ...(status === undefined
      ? {}
      : {
          status: {
            ...(status.conditions === undefined ? {} : { conditions: status.conditions }),
            ...(status.aggregatedStatus === undefined
              ? {}
              : { aggregatedStatus: status.aggregatedStatus.map(({ health: _health, ...item }) => item) }),
          },
        }),
  };
}

/** By kind, then by the apiVersion to convert from and to. */
const conversions = new Map<string, Conversion>([
  ['HorizontalPodAutoscaler autoscaling/v2 autoscaling/v1', hpaToV1],
  ['HorizontalPodAutoscaler autoscaling/v1 autoscaling/v2', hpaFromV1],
  ['Event v1 events.k8s.io/v1', renamed(EVENT_FIELDS, 'events.k8s.io/v1')],
  ['Event events.k8s.io/v1 v1', renamed(CORE_EVENT_FIELDS, 'v1')],
]);
for (const kind of ['ResourceBinding', 'ClusterResourceBinding']) {
  conversions.set(`${kind} work.karmada.io/v1alpha1 work.karmada.io/v1alpha2`, bindingFromV1alpha1);
  conversions.set(`${kind} work.karmada.io/v1alpha2 work.karmada.io/v1alpha1`, bindingToV1alpha1);
}

/**
 * The object in another version of its kind: frozen, and the same one when it is in that version already.
 * Undefined when there is no such conversion.
 */
export function convertVersion(object: KubeObject, apiVersion: string): KubeObject | undefined {
  if (object.apiVersion === apiVersion) return object;
  const conversion = conversions.get(`${object.kind} ${object.apiVersion} ${apiVersion}`);
  return conversion === undefined ? undefined : deepFreeze(conversion(object));
}
