// fencing controller: renews, in the one member where it is to run, the lease of each workload that must run at most
// once; and says when another copy may start.
// Reads: bindings, their Works, templates, Clusters. Writes: Leases in members.
// INVARIANT: a lease is renewed only where the binding has its one target and a Work, which is made only when no other
// copy may run any more.
import {
  CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION,
  FENCE_LABEL,
  RESOURCE_BINDING_NAMESPACE_ANNOTATION,
  RESOURCE_BINDING_NAME_ANNOTATION,
  executionNamespace,
  type Cluster,
  type KubeObject,
  type Lease,
  type Work,
} from '../api/index.ts';
import { errorMessage, formatMicroTime } from '../base/index.ts';
import { isConflict, isNotFound, keyOf, kinds, resource, type Resource } from '../client/index.ts';
import { fencedWaitMs, renewEveryMs } from '../failover/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { fenceOf, isAtMostOnce, renderTargets, type Binding } from '../propagation/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  runController,
  type Informer,
  type InformerSet,
  type Outcome,
} from '../runtime/index.ts';
import { WORKS_BY_BINDING, bindingId, bindingIds } from './binding-status.ts';
import { loadTemplate } from './binding-template.ts';
import type { Controller, ControllerContext } from './context.ts';
import { BINDING_SCOPES } from './evictions.ts';
import { isReady } from './readiness.ts';

const leases = resource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
});

const perHub = new WeakMap<InformerSet, Fences>();

/** What is known of the fences of this hub. */
export class Fences {
  private readonly context: ControllerContext;
  private readonly startedMs: number;
  /** By binding, then by cluster: when the last renewal that may have reached the member was over. */
  private readonly renewed = new Map<string, Map<string, number>>();

  private constructor(context: ControllerContext) {
    this.context = context;
    this.startedMs = context.clock.now();
  }

  static of(context: ControllerContext): Fences {
    const known = perHub.get(context.informers) ?? new Fences(context);
    perHub.set(context.informers, known);
    return known;
  }

  /** The template of a binding that must run at most once; undefined for all others. */
  async template(binding: Binding, signal: AbortSignal): Promise<KubeObject | undefined> {
    if (binding.spec.resource.namespace === undefined) return undefined;
    const template = await loadTemplate(this.context, binding, 'cached', signal);
    return template !== undefined && isAtMostOnce(template) ? template : undefined;
  }

  /** For how long a copy in `target` has to wait for copies elsewhere. */
  waitMs(
    binding: Binding,
    target: string,
    works: readonly Work[],
    clusterOf: (work: Work) => string,
  ): number {
    const { clock, settings, informers } = this.context;
    const renewals = this.renewed.get(keyOf(binding)) ?? new Map<string, number>();
    const working = new Set(works.map(clusterOf));
    const clusters = informers.informer(kinds.clusters).store;
    const others = [...new Set([...working, ...renewals.keys()])].filter((name) => name !== target);
    return fencedWaitMs(
      others.map((cluster) => {
        const found = clusters.get(cluster);
        return {
          cluster,
          work: working.has(cluster),
          reachable: found !== undefined && isReady(found) && !isBeingDeleted(found),
          lastRenewedMs: renewals.get(cluster),
        };
      }),
      { leaseMs: settings.fencingLeaseDurationMs, nowMs: clock.now(), startedMs: this.startedMs },
    );
  }

  note(key: string, cluster: string): void {
    const known = this.renewed.get(key) ?? new Map<string, number>();
    known.set(cluster, this.context.clock.now());
    this.renewed.set(key, known);
  }

  forget(key: string): void {
    this.renewed.delete(key);
  }
}

/** COMPAT: switched on and off together with the binding controllers, which start the copies. */
export const fencingController: Controller = {
  name: 'binding',
  async run(context) {
    await Promise.all(
      BINDING_SCOPES.map(({ prefix, resource: scope }) => runFor(context, `${prefix}-fencing`, scope)),
    );
  },
};

async function runFor(context: ControllerContext, name: string, scope: Resource<Binding>): Promise<void> {
  const { informers, clock, logger, metrics, signal, settings } = context;
  const bindings = informers.informer(scope);
  const works = informers.informer(kinds.works, { indexes: { [WORKS_BY_BINDING]: bindingIds } });
  const clusters: Informer<Cluster> = informers.informer(kinds.clusters);
  const fences = Fences.of(context);
  await Promise.all([clusters.synced, works.synced]);
  await runController({
    name,
    sources: [
      informerSource(bindings, {
        changed: (before, after) => before.metadata.generation !== after.metadata.generation,
      }),
      informerSource(works, { changed: () => false, map: (work) => bindingKeysOf(work, scope) }),
    ],
    concurrency: settings.concurrentBindingSyncs,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const binding = bindings.store.get(key);
      if (binding === undefined || isBeingDeleted(binding)) {
        fences.forget(key);
        return done;
      }
      const template = await fences.template(binding, reconcileSignal);
      const [target, ...more] = renderTargets(binding.spec);
      if (template === undefined || target === undefined || more.length > 0) return done;
      const namespace = executionNamespace(target.name);
      const there = works.store
        .byIndex(WORKS_BY_BINDING, bindingId(binding))
        .some((work) => work.metadata.namespace === namespace && !isBeingDeleted(work));
      // The Work brings the binding back.
      if (!there) return done;
      const cluster = clusters.store.get(target.name);
      if (cluster === undefined || !isReady(cluster))
        return requeueAfter(renewEveryMs(settings.fencingLeaseDurationMs), 'the member is not ready');
      return renew(context, fences, key, template, cluster, reconcileSignal);
    },
  });
}

function bindingKeysOf({ metadata }: Work, scope: Resource<Binding>): string | undefined {
  const { annotations = {} } = metadata;
  if (scope.resource === kinds.clusterResourceBindings.resource)
    return annotations[CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION];
  const name = annotations[RESOURCE_BINDING_NAME_ANNOTATION];
  return name === undefined
    ? undefined
    : `${annotations[RESOURCE_BINDING_NAMESPACE_ANNOTATION] ?? ''}/${name}`;
}

async function renew(
  context: ControllerContext,
  fences: Fences,
  key: string,
  template: KubeObject,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, members, settings, logger } = context;
  const name = cluster.metadata.name ?? '';
  const everyMs = renewEveryMs(settings.fencingLeaseDurationMs);
  const late = new AbortController();
  // A renewal that takes longer than the next is due is of no use any more.
  const cancel = clock.after(everyMs, () => late.abort(new Error('the lease was not renewed in time')));
  try {
    const { memberClient } = members.connect(cluster);
    const { namespace } = template.metadata;
    const { lease: leaseName } = fenceOf(template);
    const metadata = { namespace, name: leaseName, labels: { [FENCE_LABEL]: leaseName } };
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: Math.ceil(settings.fencingLeaseDurationMs / 1000),
      renewTime: formatMicroTime(clock.now()),
    };
    const options = { signal: AbortSignal.any([signal, late.signal]) };
    const lease: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec } as Lease;
    try {
      await memberClient.patch(leases, metadata, { type: 'merge', body: { spec } }, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await memberClient.create(leases, lease, options);
    }
  } catch (error) {
    if (isConflict(error)) throw error;
    logger.debug('A fencing lease could not be renewed', {
      binding: key,
      cluster: name,
      error: errorMessage(error),
    });
  } finally {
    cancel();
    // Also one without an answer may have reached the member.
    fences.note(key, name);
  }
  return requeueAfter(everyMs, 'the lease is renewed');
}
