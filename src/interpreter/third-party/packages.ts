// Glasskube's packages. On the hub they are templates; the operator of each member installs them there. Upstream has no
// rules for them.
import {
  INSTALLED_AS_DEPENDENCY_ANNOTATION,
  LOCAL_SUSPENSION_ANNOTATION,
  PACKAGES_NAMESPACE,
  PACKAGE_REVISION_ANNOTATION,
  SUSPENDED_AT_ANNOTATION,
  SUSPENDED_BY_ANNOTATION,
  type JsonObject,
  type KubeObject,
} from '../../api/index.ts';
import { parseTime } from '../../machinery/index.ts';
import type { Dependency, StatusItem } from '../interpreter.ts';
import type { KindRules } from '../kind-rules.ts';
import { listAt, objectAt, textAt, valueAt, withValue } from '../native/read.ts';
import { last, observedGeneration, type Items } from './adding-up.ts';
import { hasCondition, reportingWithGenerations } from './kind-parts.ts';

// ---- what has to be there with it

/** What values are read from; a ClusterPackage has to say in which namespace. */
function valueSources(object: KubeObject): readonly Dependency[] {
  return Object.values(objectAt(object, 'spec', 'values') ?? {}).flatMap((value) =>
    [
      ['ConfigMap', objectAt(value, 'valueFrom', 'configMapRef')] as const,
      ['Secret', objectAt(value, 'valueFrom', 'secretRef')] as const,
    ].flatMap(([kind, source]): readonly Dependency[] => {
      const name = textAt(source, 'name');
      const namespace = textAt(source, 'namespace') || (object.metadata.namespace ?? '');
      return name === '' || namespace === '' ? [] : [{ apiVersion: 'v1', kind, namespace, name }];
    }),
  );
}

// ---- whose word counts on suspension

const SWITCHES = ['suspend', 'suspended'] as const;
const STAMPS = [SUSPENDED_BY_ANNOTATION, SUSPENDED_AT_ANNOTATION];

function isSuspended(object: KubeObject): boolean {
  return SWITCHES.some((name) => valueAt(object, 'spec', name) === true);
}

/**
 * A package that was suspended in the member stays so, whatever the hub says; any other is as the hub has it. Where both
 * suspend it, it is suspended until neither does.
 */
function keepLocalSuspension(desired: KubeObject, observed: KubeObject): KubeObject {
  const local =
    observed.metadata.annotations?.[LOCAL_SUSPENSION_ANNOTATION] === 'true' && isSuspended(observed);
  if (!local) return sameSwitches(desired, observed);
  const detail = objectAt(observed, 'spec', 'suspension');
  const suspension = isSuspended(desired) ? united(detail, objectAt(desired, 'spec', 'suspension')) : detail;
  return SWITCHES.reduce(
    (object, name) => withValue(object, ['spec', name], valueAt(observed, 'spec', name)),
    withValue(desired, ['spec', 'suspension'], suspension),
  );
}

/** The switch has two names, which the member keeps equal: one that it wrote is no difference. */
function sameSwitches(desired: KubeObject, observed: KubeObject): KubeObject {
  const value = SWITCHES.map((name) => valueAt(desired, 'spec', name)).find((one) => one !== undefined);
  if (value === undefined) return desired;
  return SWITCHES.filter((name) => valueAt(observed, 'spec', name) !== undefined).reduce(
    (object, name) => withValue(object, ['spec', name], value),
    desired,
  );
}

/**
 * The member stamps who suspended it and when, which is its own to say. What the hub sends is wanted by somebody, and no
 * longer there for others alone.
 */
function annotationsOf(
  desired: KubeObject,
  observed: KubeObject,
): Readonly<Record<string, string>> | undefined {
  const { [INSTALLED_AS_DEPENDENCY_ANNOTATION]: asDependency, ...wanted } =
    desired.metadata.annotations ?? {};
  const stamps = isSuspended(observed)
    ? STAMPS.flatMap((name) => {
        const value = observed.metadata.annotations?.[name];
        return value === undefined ? [] : [[name, value] as const];
      })
    : [];
  if (asDependency === undefined && stamps.length === 0) return desired.metadata.annotations;
  return { ...wanted, ...Object.fromEntries(stamps) };
}

function retain(desired: KubeObject, observed: KubeObject): KubeObject {
  const annotations = annotationsOf(desired, observed);
  const kept = keepLocalSuspension(desired, observed);
  return annotations === undefined ? kept : { ...kept, metadata: { ...kept.metadata, annotations } };
}

/** The member's words, with the later end and the stricter mode of both. */
function united(local: JsonObject | undefined, hub: JsonObject | undefined): JsonObject {
  const ends = [local, hub].map((detail) => parseTime(textAt(detail, 'until')));
  const [localEnd, hubEnd] = ends;
  const { until: _until, mode: _mode, ...words } = { ...hub, ...local };
  const later =
    localEnd === undefined || hubEnd === undefined
      ? undefined
      : textAt(localEnd >= hubEnd ? local : hub, 'until');
  const partly = [local, hub].every((detail) => textAt(detail, 'mode') === 'ChangesOnly');
  return {
    ...words,
    ...(later === undefined ? {} : { until: later }),
    ...(partly ? { mode: 'ChangesOnly' } : {}),
  };
}

// ---- how it is

function isHealthy({
  spec,
  status,
}: KubeObject & { readonly spec?: unknown; readonly status?: unknown }): boolean {
  return (
    hasCondition(status, 'Ready') &&
    (textAt(status, 'version') === textAt(spec, 'packageInfo', 'version') ||
      hasCondition(status, 'Suspended'))
  );
}

const report = reportingWithGenerations('version', 'conditions', 'suspension', 'observedGeneration');

/** With what a FleetPackage has to know: the revision that it sent, and whether somebody there holds it. */
function statusOf(observed: KubeObject): JsonObject {
  const revision = observed.metadata.annotations?.[PACKAGE_REVISION_ANNOTATION];
  const status = report(observed);
  const { drift: _drift, pendingChanges: _pending, ...suspension } = objectAt(status, 'suspension') ?? {};
  return {
    ...status,
    // How much differs is for the member to tell; on the hub it would be copied for every cluster.
    ...(Object.keys(suspension).length === 0 ? {} : { suspension }),
    ...(revision === undefined ? {} : { revision }),
    ...(observed.metadata.annotations?.[LOCAL_SUSPENSION_ANNOTATION] === 'true'
      ? { locallySuspended: true }
      : {}),
  };
}

function conditionOf(status: unknown, type: string): JsonObject | undefined {
  return listAt(status, 'conditions').find((one) => one['type'] === type);
}

function isActive(status: unknown): boolean {
  return valueAt(status, 'suspension', 'active') === true || hasCondition(status, 'Suspended');
}

/** Whether the status belongs to what the hub wants now. */
function isCurrentStatus(template: KubeObject, status: unknown): boolean {
  const { generation } = template.metadata;
  const seen = valueAt(status, 'resourceTemplateGeneration');
  // Without the mark of a generation nobody can say; Glasskube's own operator does not tell what it has seen.
  const acted = valueAt(status, 'observedGeneration') ?? valueAt(status, 'generation');
  return (seen === undefined || seen === generation) && acted === valueAt(status, 'generation');
}

function inCluster(
  template: KubeObject,
  { clusterName, status, applied, appliedMessage = '' }: StatusItem,
): JsonObject {
  const ready = conditionOf(status, 'Ready');
  const version = textAt(status, 'version');
  // The member refuses it, as it does what an override made invalid.
  const notSent = applied !== true && appliedMessage !== '';
  const message = notSent ? appliedMessage : textAt(ready, 'message');
  const reason = notSent ? 'NotSent' : textAt(ready, 'reason');
  // What is suspended acts on nothing, and says so.
  const stale =
    !notSent && !isActive(status) && objectAt(status) !== undefined && !isCurrentStatus(template, status);
  return {
    name: clusterName,
    ...(version === '' ? {} : { version }),
    ready: notSent ? 'False' : textAt(ready, 'status') || 'Unknown',
    ...(isActive(status) ? { suspended: true } : {}),
    ...(hasCondition(status, 'Drifted') ? { drifted: true } : {}),
    ...(valueAt(status, 'suspension', 'pendingGeneration') === undefined ? {} : { pending: true }),
    ...(stale ? { stale: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(message === '' ? {} : { message }),
  };
}

/** The worst that any cluster says of itself decides, and each of those that are as bad is named. */
function worst(clusters: readonly JsonObject[], now: string): readonly JsonObject[] {
  const state = ['False', 'Unknown', 'True'].find((one) => clusters.some(({ ready }) => ready === one));
  if (state === undefined) return [];
  const those = clusters.filter(({ ready }) => ready === state);
  const message = those
    .map((one) => `${textAt(one, 'name')}=${textAt(one, 'message') || textAt(one, 'reason')}`)
    .join(', ');
  const reason = textAt(those[0], 'reason') || 'Pending';
  const failed = { True: 'False', False: 'True', Unknown: 'Unknown' }[state] ?? 'Unknown';
  return [
    { type: 'Ready', status: state, reason, message, lastTransitionTime: now },
    { type: 'Failed', status: failed, reason, message, lastTransitionTime: now },
  ];
}

function suspendedCondition(
  clusters: readonly JsonObject[],
  items: Items,
  now: string,
): readonly JsonObject[] {
  const known = items.some(({ status }) => conditionOf(status, 'Suspended') !== undefined);
  const active = clusters.filter(({ suspended }) => suspended === true).map((one) => textAt(one, 'name'));
  if (!known && active.length === 0) return [];
  const [status, reason] =
    active.length === 0
      ? ['False', 'Resumed']
      : ['True', active.length === clusters.length ? 'Suspended' : 'PartlySuspended'];
  const message = active.length === 0 ? 'in no cluster' : `in ${active.join(', ')}`;
  return [{ type: 'Suspended', status, reason, message, lastTransitionTime: now }];
}

/** A condition changed when its status did, not when its words did. */
function keepTransitions(template: KubeObject, conditions: readonly JsonObject[]): readonly JsonObject[] {
  return conditions.map((one) => {
    const before = conditionOf(objectAt(template, 'status'), textAt(one, 'type'));
    const time = textAt(before, 'lastTransitionTime');
    return before?.['status'] === one['status'] && time !== '' ? { ...one, lastTransitionTime: time } : one;
  });
}

function addUp(template: KubeObject, items: Items, now: string): JsonObject {
  const clusters = items.map((item) => inCluster(template, item));
  const versions = new Set(clusters.map((one) => textAt(one, 'version')));
  const [version = ''] = versions;
  const activeClusters = clusters
    .filter(({ suspended }) => suspended === true)
    .map((one) => textAt(one, 'name'));
  return {
    ...(versions.size === 1 && version !== '' ? { version } : {}),
    ...observedGeneration(template, items),
    conditions: keepTransitions(template, [
      ...worst(clusters, now),
      ...suspendedCondition(clusters, items, now),
    ]),
    ...(activeClusters.length === 0 ? {} : { suspension: { active: true, activeClusters } }),
    clusters,
  };
}

const rules: KindRules = {
  dependencies: valueSources,
  retain,
  health: isHealthy,
  status: statusOf,
  aggregate: addUp,
};

// ---- repositories

/** Logins are kept in one namespace. */
function loginSources(object: KubeObject): readonly Dependency[] {
  const { basic, bearer } = objectAt(object, 'spec', 'auth') ?? {};
  const names = [
    textAt(basic, 'usernameSecretRef', 'name'),
    textAt(basic, 'passwordSecretRef', 'name'),
    textAt(bearer, 'tokenSecretRef', 'name'),
  ];
  return [...new Set(names)]
    .filter((name) => name !== '')
    .map((name) => ({ apiVersion: 'v1', kind: 'Secret', namespace: PACKAGES_NAMESPACE, name }));
}

const repository: KindRules = {
  dependencies: loginSources,
  health: ({ status }) => hasCondition(status, 'Ready'),
  status: reportingWithGenerations('conditions', 'packages', 'observedGeneration'),
  aggregate: (template, items, now) => {
    const [ready] = worst(
      items.map((item) => inCluster(template, item)),
      now,
    );
    return {
      ...observedGeneration(template, items),
      ...last(items, 'packages'),
      conditions: keepTransitions(template, ready === undefined ? [] : [ready]),
    };
  },
};

export const packages: Readonly<Record<string, KindRules>> = {
  'packages.glasskube.dev/v1alpha1 Package': rules,
  'packages.glasskube.dev/v1alpha1 ClusterPackage': rules,
  'packages.glasskube.dev/v1alpha1 PackageRepository': repository,
};
