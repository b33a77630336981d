// fleet-suspension controller: suspends packages in some clusters of the fleet, and says which have confirmed.
// Reads FleetSuspensions, packages, bindings, Clusters, Namespaces; writes ClusterOverridePolicies that it owns, the status of
// FleetSuspensions, and on bindings where nothing more is sent.
import {
  DISPATCH_STOPPED_ANNOTATION,
  PACKAGES_GROUP,
  type ClusterOverridePolicy,
  type FleetSuspension,
  type KubeObject,
} from '../api/index.ts';
import { isNotFound, keyOf, kinds, resource, type Resource } from '../client/index.ts';
import { isBeingDeleted, isControlledBy, semanticEqual } from '../machinery/index.ts';
import {
  fleetOverrideName,
  planFleetSuspension,
  type AnyPackage,
  type FleetSuspensionPlan,
} from '../packaging/index.ts';
import { bindingName, stoppedClusters, type Binding } from '../propagation/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  runController,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';
import { isReady } from './readiness.ts';

export const fleetSuspensions: Resource<FleetSuspension> = resource({
  group: PACKAGES_GROUP,
  version: 'v1alpha1',
  resource: 'fleetsuspensions',
  namespaced: false,
});

const FIELD_MANAGER = 'fleet-suspension-controller';
// Statuses of clusters come in bursts.
const SETTLE_MS = 200;
// LIMIT: a change that is further away is waited for in steps.
const WAIT_MAX_MS = 3_600_000;

interface Caches {
  readonly suspensions: Informer<FleetSuspension>;
  readonly packages: Informer<AnyPackage>;
  readonly clusterPackages: Informer<AnyPackage>;
  readonly bindings: Informer<Binding>;
  readonly clusterBindings: Informer<Binding>;
  readonly overrides: Informer<ClusterOverridePolicy>;
}

export const fleetSuspensionController: Controller = {
  name: 'fleetSuspension',
  async run(context) {
    const { informers, clock, logger, metrics, signal } = context;
    const caches: Caches = {
      suspensions: informers.informer(fleetSuspensions),
      packages: informers.informer(kinds.packages),
      clusterPackages: informers.informer(kinds.clusterPackages),
      bindings: informers.informer(kinds.resourceBindings),
      clusterBindings: informers.informer(kinds.clusterResourceBindings),
      overrides: informers.informer(kinds.clusterOverridePolicies),
    };
    const clusters = informers.informer(kinds.clusters);
    const everyone = {
      map: (): readonly string[] => [...caches.suspensions.store.keys()],
      delayMs: { added: SETTLE_MS, updated: SETTLE_MS },
    };
    const ofPackages = {
      ...everyone,
      filter: ({ spec }: Binding): boolean => spec.resource.apiVersion.startsWith(`${PACKAGES_GROUP}/`),
      changed: (before: Binding, after: Binding): boolean =>
        before.spec.clusters !== after.spec.clusters ||
        !semanticEqual(before.status?.aggregatedStatus, after.status?.aggregatedStatus),
    };
    const specOnly = {
      ...everyone,
      changed: (before: KubeObject, after: KubeObject): boolean =>
        before.metadata.generation !== after.metadata.generation ||
        before.metadata.labels !== after.metadata.labels,
    };
    await runController({
      name: 'fleet-suspension-controller',
      sources: [
        informerSource(caches.suspensions, {
          changed: (before, after) =>
            before.metadata.generation !== after.metadata.generation ||
            before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp,
        }),
        informerSource(caches.packages, specOnly),
        informerSource(caches.clusterPackages, specOnly),
        informerSource(caches.bindings, ofPackages),
        informerSource(caches.clusterBindings, ofPackages),
        informerSource(clusters, {
          ...everyone,
          changed: (before, after) =>
            isReady(before) !== isReady(after) || before.metadata.labels !== after.metadata.labels,
        }),
      ],
      concurrency: 1,
      clock,
      logger,
      metrics,
      signal,
      reconcile: (name, { signal: ends }) => reconcile(context, caches, name, ends),
    });
  },
};

async function reconcile(
  context: ControllerContext,
  caches: Caches,
  name: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const { hubClient, informers, clock, recorder } = context;
  const suspension = caches.suspensions.store.get(name);
  if (suspension === undefined || isBeingDeleted(suspension)) {
    // Its override policies go by themselves; what was stopped goes on.
    await stopDispatch(context, caches, name, [], signal);
    return done;
  }
  const nowMs = clock.now();
  const bindingOf = (one: AnyPackage): Binding | undefined => {
    const { name: of = '', namespace } = one.metadata;
    const cache = one.kind === 'Package' ? caches.bindings : caches.clusterBindings;
    return cache.store.get(keyOf({ metadata: { namespace, name: bindingName(one.kind, of) } }));
  };
  const namespaces = informers.informer(kinds.namespaces);
  await namespaces.synced;
  const plan = planFleetSuspension({
    suspension,
    packages: [...caches.packages.store.values(), ...caches.clusterPackages.store.values()],
    namespaceOf: ({ metadata }) => namespaces.store.get(metadata.namespace ?? ''),
    clusters: [...informers.informer(kinds.clusters).store.values()].map((cluster) => ({
      cluster,
      ready: isReady(cluster),
    })),
    placed: (one) => {
      const binding = bindingOf(one);
      return {
        clusters: (binding?.spec.clusters ?? []).map((target) => target.name),
        reported: binding?.status?.aggregatedStatus ?? [],
      };
    },
    nowMs,
  });
  // What was stopped goes on before the switch is taken back, and the switch is sent before anything is stopped.
  if (plan.overrides.length === 0) await stopDispatch(context, caches, name, [], signal);
  await writeOverrides(context, caches, suspension, plan.overrides, signal);
  if (plan.overrides.length > 0) await stopDispatch(context, caches, name, plan.stops, signal);
  if (
    suspension.status?.active !== plan.status.active &&
    (suspension.status !== undefined || plan.status.active === true)
  )
    recorder.event(
      suspension,
      'Normal',
      plan.status.active === true ? 'Suspended' : 'Resumed',
      `${plan.status.matched ?? 0} packages in ${plan.status.clusters?.length ?? 0} clusters`,
    );
  if (!semanticEqual(suspension.status, plan.status))
    await hubClient
      .updateStatus(fleetSuspensions, { ...suspension, status: plan.status }, { signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  return plan.nextMs === undefined
    ? done
    : requeueAfter(Math.min(Math.max(plan.nextMs - nowMs, 0), WAIT_MAX_MS), 'time makes the next difference');
}

async function writeOverrides(
  { hubClient }: ControllerContext,
  caches: Caches,
  suspension: FleetSuspension,
  wanted: readonly ClusterOverridePolicy[],
  signal: AbortSignal,
): Promise<void> {
  for (const policy of wanted) {
    const known = caches.overrides.store.get(policy.metadata.name ?? '');
    if (known !== undefined && semanticEqual(known.spec, policy.spec)) continue;
    await hubClient.apply(kinds.clusterOverridePolicies, policy, {
      fieldManager: FIELD_MANAGER,
      force: true,
      signal,
    });
  }
  const prefix = fleetOverrideName(suspension.metadata.name ?? '');
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const policy of caches.overrides.store.values()) {
    const { name = '' } = policy.metadata;
    if (!name.startsWith(prefix) || names.has(name) || !isControlledBy(policy, suspension)) continue;
    try {
      await hubClient.delete(kinds.clusterOverridePolicies, { name }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** On the bindings of packages: to which clusters nothing of them is sent, by this suspension. */
async function stopDispatch(
  { hubClient }: ControllerContext,
  caches: Caches,
  suspension: string,
  stops: FleetSuspensionPlan['stops'],
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map(
    stops.map(({ package: one, clusters }) => {
      const { name = '', namespace } = one.metadata;
      return [keyOf({ metadata: { namespace, name: bindingName(one.kind, name) } }), clusters] as const;
    }),
  );
  const scopes = [
    [caches.bindings, kinds.resourceBindings as Resource<Binding>],
    [caches.clusterBindings, kinds.clusterResourceBindings as Resource<Binding>],
  ] as const;
  for (const [cache, type] of scopes)
    for (const binding of cache.store.values()) {
      if (!binding.spec.resource.apiVersion.startsWith(`${PACKAGES_GROUP}/`) || isBeingDeleted(binding))
        continue;
      const before = stoppedClusters(binding);
      const clusters = wanted.get(keyOf(binding)) ?? [];
      if (semanticEqual(before[suspension] ?? [], clusters)) continue;
      const { [suspension]: _before, ...others } = before;
      const next = clusters.length === 0 ? others : { ...others, [suspension]: clusters };
      const { namespace, name = '', resourceVersion } = binding.metadata;
      const value = Object.keys(next).length === 0 ? null : JSON.stringify(next);
      const body = { metadata: { resourceVersion, annotations: { [DISPATCH_STOPPED_ANNOTATION]: value } } };
      try {
        await hubClient.patch(type, { namespace, name }, { type: 'merge', body }, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
}
