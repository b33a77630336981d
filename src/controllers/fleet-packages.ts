// fleet-package-controller: takes the package of a FleetPackage, or ClusterFleetPackage, to its clusters wave by wave.
// Reads: FleetPackages, Clusters, bindings, Packages. Writes: status of FleetPackages; the Package, PropagationPolicy and
// OverridePolicy that carry them out.
// INVARIANT: what clusters are told is in the status before it is in any of these objects, so that an end at any moment loses
// nothing and tells nobody twice.
import {
  PACKAGES_NAMESPACE,
  type AggregatedStatusItem,
  type ClusterFleetPackage,
  type FleetPackage,
  type FleetPackageStatus,
  type KubeObject,
  type Package,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isNotFound, keyOf, kinds, resource, type Resource } from '../client/index.ts';
import { isBeingDeleted, isControlledBy, semanticEqual } from '../machinery/index.ts';
import {
  RENDERED_ANNOTATION,
  decideRollout,
  effectiveSuspension,
  fleetObjects,
  isRolloutSuspended,
  packageKindOf,
  saysRolloutSuspended,
  withoutRolloutSuspension,
  type AnyFleetPackage,
  type ObservedInCluster,
} from '../packaging/index.ts';
import { bindingName, type Binding } from '../propagation/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  runController,
  type Informer,
  type InformerSet,
  type Outcome,
} from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';
import { GITOPS_ANNOTATION } from './package-suspension.ts';

const FIELD_MANAGER = 'fleet-package-controller';

export const fleetPackages: Resource<FleetPackage> = ours('fleetpackages', true);
export const clusterFleetPackages: Resource<ClusterFleetPackage> = ours('clusterfleetpackages', false);

function ours<T extends KubeObject>(plural: string, namespaced: boolean): Resource<T> {
  return resource<T>({ group: 'navarch.io', version: 'v1alpha1', resource: plural, namespaced });
}

/** The resources of one scope. */
interface Scope {
  readonly name: string;
  readonly fleetPackages: Resource<AnyFleetPackage>;
  readonly packages: Resource<Package>;
  readonly policies: Resource;
  readonly overrides: Resource;
  readonly bindings: Resource<Binding>;
}

const SCOPES: readonly Scope[] = [
  {
    name: 'fleet-package-controller',
    fleetPackages: fleetPackages,
    packages: kinds.packages,
    policies: kinds.propagationPolicies,
    overrides: kinds.overridePolicies,
    bindings: kinds.resourceBindings,
  },
  {
    name: 'cluster-fleet-package-controller',
    fleetPackages: clusterFleetPackages,
    packages: kinds.clusterPackages as unknown as Resource<Package>,
    policies: kinds.clusterPropagationPolicies,
    overrides: kinds.clusterOverridePolicies,
    bindings: kinds.clusterResourceBindings,
  },
];

export const fleetPackageController: Controller = {
  name: 'fleetPackage',
  run: async (context) => void (await Promise.all(SCOPES.map((scope) => runScope(context, scope)))),
};

interface Caches {
  readonly fleetPackages: Informer<AnyFleetPackage>;
  readonly packages: Informer<Package>;
  readonly policies: Informer;
  readonly overrides: Informer;
  readonly bindings: Informer<Binding>;
}

function cachesOf(informers: InformerSet, scope: Scope): Caches {
  return {
    fleetPackages: informers.informer(scope.fleetPackages),
    packages: informers.informer(scope.packages),
    policies: informers.informer(scope.policies),
    overrides: informers.informer(scope.overrides),
    bindings: informers.informer(scope.bindings),
  };
}

async function runScope(context: ControllerContext, scope: Scope): Promise<void> {
  const { informers, clock, logger, metrics, signal } = context;
  const caches = cachesOf(informers, scope);
  const clusters = informers.informer(kinds.clusters);
  const namespaces = informers.informer<KubeObject>(kinds.namespaces);
  await namespaces.synced;
  const all = (): readonly string[] => [...caches.fleetPackages.store.values()].map(keyOf);
  const owner = ({ metadata }: KubeObject): string | undefined => {
    const reference = metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (reference?.kind !== 'FleetPackage' && reference?.kind !== 'ClusterFleetPackage') return undefined;
    return keyOf({ metadata: { name: reference.name, namespace: metadata.namespace } });
  };
  await runController({
    name: scope.name,
    sources: [
      informerSource(caches.fleetPackages),
      informerSource(clusters, {
        map: all,
        changed: (before, after) =>
          !semanticEqual(
            [before.spec, before.metadata.labels, readyOf(before)],
            [after.spec, after.metadata.labels, readyOf(after)],
          ),
      }),
      informerSource(caches.packages, { map: owner }),
      informerSource(caches.policies, { map: owner }),
      informerSource(caches.overrides, { map: owner }),
      informerSource(caches.bindings, {
        map: ({ spec, metadata }) =>
          keyOf({ metadata: { name: spec.resource.name, namespace: metadata.namespace } }),
        filter: isOfPackage,
        // Every binding of the hub comes by here; only those of packages are looked at.
        changed: (before, after) =>
          isOfPackage(after) &&
          !semanticEqual(before.status?.aggregatedStatus, after.status?.aggregatedStatus),
      }),
    ],
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const found = caches.fleetPackages.store.get(key);
      // What was made for it goes with it: garbage collection sees to that.
      if (found === undefined || isBeingDeleted(found)) return done;
      if (isOverdue(context, found)) return letGoOn(context, scope, found, reconcileSignal);
      return reconcile(context, scope, caches, found, reconcileSignal);
    },
  });
}

function isOfPackage({ spec }: Binding): boolean {
  return spec.resource.kind === 'Package' || spec.resource.kind === 'ClusterPackage';
}

function readyOf({
  status,
}: {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

async function reconcile(
  context: ControllerContext,
  scope: Scope,
  caches: Caches,
  found: AnyFleetPackage,
  signal: AbortSignal,
): Promise<Outcome> {
  const { hubClient, informers, clock, recorder } = context;
  const { namespace, name = '' } = found.metadata;
  const installed = caches.packages.store.get(keyOf(found));
  if (installed !== undefined && !isControlledBy(installed, found))
    return refuse(context, scope, found, signal);
  const clusters = [...informers.informer(kinds.clusters).store.values()];
  const binding = caches.bindings.store.get(
    keyOf({ metadata: { namespace, name: bindingName(packageKindOf(found), name) } }),
  );
  const suspension =
    installed === undefined ? undefined : effectiveSuspension({ package: installed, nowMs: clock.now() });
  const { status, events, nextMs } = decideRollout({
    fleetPackage: found,
    clusters,
    observed: new Map(
      (binding?.status?.aggregatedStatus ?? []).map((one) => [one.clusterName, observedIn(one)]),
    ),
    packageSuspended: suspension?.active === true,
    nowMs: clock.now(),
  });
  const decided = await writeStatus(context, scope, found, status, signal);
  for (const { type, reason, message } of events) recorder.event(decided, type, reason, message);
  const objects = fleetObjects(decided, clusters);
  // What clusters have of their own is there before the package is, and the package before anything sends it.
  await apply(hubClient, scope.overrides, caches.overrides, objects.override, signal);
  await apply(hubClient, scope.packages, caches.packages, objects.package, signal);
  await apply(hubClient, scope.policies, caches.policies, objects.policy, signal);
  const times = [nextMs, suspension?.nextTransitionMs].filter((time) => time !== undefined);
  if (times.length === 0) return done;
  return requeueAfter(Math.max(1, Math.min(...times) - clock.now()), 'time makes the next difference');
}

/** What a cluster reports, as src/interpreter reflects packages. */
function observedIn({ status }: AggregatedStatusItem): ObservedInCluster {
  const { revision, version, generation, observedGeneration, conditions, suspension, locallySuspended } =
    (status ?? {}) as {
      readonly revision?: string;
      readonly version?: string;
      readonly generation?: number;
      readonly observedGeneration?: number;
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly message?: string;
      }[];
      readonly suspension?: { readonly active?: boolean };
      readonly locallySuspended?: boolean;
    };
  const condition = (type: string): { readonly status: string; readonly message?: string } | undefined =>
    conditions?.find((one) => one.type === type);
  return {
    mark: revision,
    // Glasskube's own operator says nothing of generations.
    current: observedGeneration === undefined || generation === undefined || observedGeneration >= generation,
    ready: condition('Ready')?.status === 'True',
    suspended: suspension?.active === true || condition('Suspended')?.status === 'True',
    locallySuspended: locallySuspended === true,
    version,
    message: condition('Ready')?.message ?? '',
  };
}

async function writeStatus(
  { hubClient }: ControllerContext,
  scope: Scope,
  found: AnyFleetPackage,
  status: FleetPackageStatus,
  signal: AbortSignal,
): Promise<AnyFleetPackage> {
  if (semanticEqual(found.status, status)) return found;
  return hubClient.updateStatus(scope.fleetPackages, { ...found, status }, { signal });
}

/** Writes what is not there as it was made; fields of others stay theirs. */
async function apply(
  hubClient: ControllerContext['hubClient'],
  type: Resource,
  cache: Informer,
  wanted: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const known = cache.store.get(keyOf(wanted));
  const asMade =
    known?.metadata.annotations?.[RENDERED_ANNOTATION] === wanted.metadata.annotations?.[RENDERED_ANNOTATION];
  if (known !== undefined && asMade && holds(known['spec'], wanted['spec'])) return;
  await hubClient.apply(type, wanted, { fieldManager: FIELD_MANAGER, force: true, signal });
}

/** Whether everything that is wanted is there; what others added does not matter. */
function holds(known: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null || typeof known !== 'object' || known === null)
    return semanticEqual(known, wanted);
  if (Array.isArray(wanted))
    return (
      Array.isArray(known) &&
      known.length === wanted.length &&
      wanted.every((one, index) => holds(known[index], one))
    );
  return Object.entries(wanted).every(([key, one]) => holds((known as Record<string, unknown>)[key], one));
}

/** It says that it is suspended, and has not been for a while; where its spec is kept in a repository, it goes on saying so. */
function isOverdue({ informers, clock }: ControllerContext, found: AnyFleetPackage): boolean {
  if (!saysRolloutSuspended(found) || isRolloutSuspended(found, clock.now())) return false;
  const namespace = informers.informer<KubeObject>(kinds.namespaces).store.get(PACKAGES_NAMESPACE);
  return namespace?.metadata.annotations?.[GITOPS_ANNOTATION] !== 'true';
}

/** Its spec in order, which brings it back. */
async function letGoOn(
  { hubClient }: ControllerContext,
  scope: Scope,
  found: AnyFleetPackage,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    await hubClient.update(scope.fleetPackages, withoutRolloutSuspension(found), { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return done;
}

/** A package that somebody made is not taken over unasked. */
async function refuse(
  context: ControllerContext,
  scope: Scope,
  found: AnyFleetPackage,
  signal: AbortSignal,
): Promise<Outcome> {
  const kind = packageKindOf(found);
  const name = found.metadata.name ?? '';
  const message = `there is a ${kind} ${name} already that does not belong to this ${found.kind}; delete it (with policies that preserve it in its clusters, and conflictResolution Overwrite here, nothing is uninstalled), or choose another name`;
  const before = found.status?.conditions?.find(({ type }) => type === 'Ready');
  const status: FleetPackageStatus = {
    ...found.status,
    message,
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'NameTaken',
        message,
        lastTransitionTime:
          before?.reason === 'NameTaken' ? before.lastTransitionTime : formatTime(context.clock.now()),
      },
    ],
  };
  if (!semanticEqual(found.status, status)) {
    const written = await writeStatus(context, scope, found, status, signal);
    context.recorder.event(written, 'Warning', 'NameTaken', message);
  }
  return done;
}
