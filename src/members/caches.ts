// One informer per kind, shared by all parts of a simulated cluster, with the indexes they ask.
import { FENCE_LABEL, type KubeObject, type Lease, type PriorityClass } from '../api/index.ts';
import { keyOf, type Resource } from '../client/index.ts';
import { controllerOf } from '../machinery/index.ts';
import type { Informer, InformerSet } from '../runtime/index.ts';
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Job,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  Service,
  StatefulSet,
  StorageClass,
} from './kinds.ts';
import { SERVICE_LABEL } from './network/endpoints.ts';
import { LEASE_NAMESPACE } from './nodes/node-health.ts';
import * as resources from './resources.ts';

/** Files objects under the uid of their controller, or under their namespace when nobody controls them. */
const BY_CONTROLLER = 'controller';
const BY_NODE = 'node';
const BY_SERVICE = 'service';
const BY_CLAIM = 'claim';
/** Pods under each of their labels, Services under the first label they select. */
const BY_LABEL = 'label';

function controllerKeys(object: KubeObject): readonly string[] {
  const controller = controllerOf(object);
  return [controller === undefined ? orphansOf(object.metadata.namespace ?? '') : controller.uid];
}

function orphansOf(namespace: string): string {
  return `orphans/${namespace}`;
}

function nodeKeys(object: KubeObject): readonly string[] {
  const { nodeName } = object['spec'] as { readonly nodeName?: string };
  return nodeName === undefined || nodeName === '' ? [] : [nodeName];
}

function claimKeys(object: KubeObject): readonly string[] {
  const { volumes = [] } = object['spec'] as {
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  };
  return volumes.flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined
      ? []
      : [`${object.metadata.namespace}/${persistentVolumeClaim.claimName}`],
  );
}

function serviceKeys(object: KubeObject): readonly string[] {
  const service = object.metadata.labels?.[SERVICE_LABEL];
  return service === undefined ? [] : [`${object.metadata.namespace}/${service}`];
}

function labelKeys({ metadata }: KubeObject): readonly string[] {
  return Object.entries(metadata.labels ?? {}).map(([key, value]) => `${metadata.namespace}/${key}=${value}`);
}

function selectorKeys({ metadata, ...object }: KubeObject): readonly string[] {
  const { selector } = object['spec'] as { readonly selector?: Readonly<Record<string, string>> };
  const [first] = Object.entries(selector ?? {});
  return first === undefined ? [] : [`${metadata.namespace}/${first[0]}=${first[1]}`];
}

/** What a write has changed, to be recognised in a cache. */
export interface Written {
  readonly resource: Resource;
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly gone: boolean;
}

export interface Caches {
  readonly controllerRevisions: Informer<ControllerRevision>;
  readonly cronJobs: Informer<CronJob>;
  readonly daemonSets: Informer<DaemonSet>;
  readonly deployments: Informer<Deployment>;
  readonly endpoints: Informer<Endpoints>;
  readonly endpointSlices: Informer<EndpointSlice>;
  /** Leases that fence workloads. */
  readonly fenceLeases: Informer<Lease>;
  readonly jobs: Informer<Job>;
  readonly namespaces: Informer;
  readonly nodeLeases: Informer<Lease>;
  readonly nodes: Informer<Node>;
  readonly persistentVolumeClaims: Informer<PersistentVolumeClaim>;
  readonly persistentVolumes: Informer<PersistentVolume>;
  readonly podDisruptionBudgets: Informer<PodDisruptionBudget>;
  readonly pods: Informer<Pod>;
  readonly priorityClasses: Informer<PriorityClass>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly services: Informer<Service>;
  readonly statefulSets: Informer<StatefulSet>;
  readonly storageClasses: Informer<StorageClass>;
  /** What `owner` controls, and what nobody in its namespace controls. */
  claimable<T extends KubeObject>(informer: Informer<T>, owner: KubeObject): readonly T[];
  owned<T extends KubeObject>(informer: Informer<T>, uid: string): readonly T[];
  podsOnNode(name: string): readonly Pod[];
  podsWithClaim(key: string): readonly Pod[];
  slicesOf(service: string): readonly EndpointSlice[];
  /** Pods that a Service selects, and Services that select a pod. */
  podsOf(service: Service): readonly Pod[];
  servicesOf(pod: Pod): readonly Service[];
  /** Whether the cache shows what was written, or something later. */
  hasSeen(written: Written): boolean;
}

function openInformers(set: InformerSet) {
  const byController = { indexes: { [BY_CONTROLLER]: controllerKeys } };
  return {
    controllerRevisions: set.informer(resources.controllerRevisions, byController),
    cronJobs: set.informer(resources.cronJobs),
    daemonSets: set.informer(resources.daemonSets),
    deployments: set.informer(resources.deployments),
    endpoints: set.informer(resources.endpoints),
    endpointSlices: set.informer(resources.endpointSlices, { indexes: { [BY_SERVICE]: serviceKeys } }),
    jobs: set.informer(resources.jobs, byController),
    namespaces: set.informer(resources.namespaces),
    fenceLeases: set.informer(resources.leases, { labelSelector: FENCE_LABEL }),
    nodeLeases: set.informer(resources.leases, { namespace: LEASE_NAMESPACE }),
    nodes: set.informer(resources.nodes),
    persistentVolumeClaims: set.informer(resources.persistentVolumeClaims),
    persistentVolumes: set.informer(resources.persistentVolumes),
    podDisruptionBudgets: set.informer(resources.podDisruptionBudgets),
    pods: set.informer(resources.pods, {
      indexes: {
        [BY_CONTROLLER]: controllerKeys,
        [BY_NODE]: nodeKeys,
        [BY_CLAIM]: claimKeys,
        [BY_LABEL]: labelKeys,
      },
    }),
    priorityClasses: set.informer(resources.priorityClasses),
    replicaSets: set.informer(resources.replicaSets, byController),
    services: set.informer(resources.services, { indexes: { [BY_LABEL]: selectorKeys } }),
    statefulSets: set.informer(resources.statefulSets),
    storageClasses: set.informer(resources.storageClasses),
  };
}

export function openCaches(set: InformerSet): Caches {
  const caches = openInformers(set);
  const { pods, services } = caches;
  const informers = new Map<string, Informer>(
    Object.values(caches).map((informer) => [
      `${informer.resource.group}/${informer.resource.resource}`,
      informer as unknown as Informer,
    ]),
  );
  return {
    ...caches,
    claimable<T extends KubeObject>(informer: Informer<T>, owner: KubeObject): readonly T[] {
      const owned = informer.store.byIndex(BY_CONTROLLER, owner.metadata.uid ?? '');
      const orphans = informer.store.byIndex(BY_CONTROLLER, orphansOf(owner.metadata.namespace ?? ''));
      return orphans.length === 0 ? owned : [...owned, ...orphans];
    },
    owned: (informer, uid) => informer.store.byIndex(BY_CONTROLLER, uid),
    podsOnNode: (name) => pods.store.byIndex(BY_NODE, name),
    podsWithClaim: (key) => pods.store.byIndex(BY_CLAIM, key),
    slicesOf: (service) => caches.endpointSlices.store.byIndex(BY_SERVICE, service),
    podsOf(service) {
      const [first] = selectorKeys(service);
      if (first === undefined) return [];
      return pods.store.byIndex(BY_LABEL, first).filter((pod) => selects(service, pod));
    },
    servicesOf: (pod) =>
      labelKeys(pod)
        .flatMap((key) => services.store.byIndex(BY_LABEL, key))
        .filter((service) => selects(service, pod)),
    hasSeen(written) {
      const informer = informers.get(`${written.resource.group}/${written.resource.resource}`);
      if (informer === undefined) return true;
      const cached = informer.store.get(written.key);
      if (written.gone) {
        return (
          cached === undefined ||
          cached.metadata.uid !== written.uid ||
          cached.metadata.deletionTimestamp !== undefined
        );
      }
      if (cached !== undefined && cached.metadata.uid === written.uid) {
        return Number(cached.metadata.resourceVersion) >= Number(written.resourceVersion);
      }
      const { state } = informer;
      return state.phase === 'watching' && Number(state.resourceVersion) >= Number(written.resourceVersion);
    },
  };
}

function selects(service: Service, pod: Pod): boolean {
  return Object.entries(service.spec.selector ?? {}).every(
    ([key, value]) => pod.metadata.labels?.[key] === value,
  );
}

export function writtenOf(resource: Resource, object: KubeObject, gone: boolean): Written {
  const { uid = '', resourceVersion = '' } = object.metadata;
  return { resource, key: keyOf(object), uid, resourceVersion, gone };
}
