// fencing controller: renews, in the one member where it is to run, the lease of each workload that must run at most
// once; and says when another copy may start. In pull members the agent renews (agent-fencing.ts).
// Reads: bindings, their Works, templates, Clusters. Writes: Leases in members.
// INVARIANT: a lease is renewed only where the binding has its one target and a Work, which is made only when no other
// copy may run any more.
import {
  CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION,
  FENCE_RENEWED_ANNOTATION,
  RESOURCE_BINDING_NAMESPACE_ANNOTATION,
  RESOURCE_BINDING_NAME_ANNOTATION,
  clusterOfExecutionNamespace,
  executionNamespace,
  type Cluster,
  type KubeObject,
  type Work,
} from '../api/index.ts';
import { errorMessage, type Cancel } from '../base/index.ts';
import { isConflict, keyOf, kinds, type Resource } from '../client/index.ts';
import { fencedAfterMs, renewEveryMs, waitsForOthers } from '../failover/index.ts';
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
import { isInCharge } from './charge.ts';
import type { Controller, ControllerContext } from './context.ts';
import { BINDING_SCOPES } from './evictions.ts';
import { renewFenceLease } from './fence-lease.ts';
import { isReady } from './readiness.ts';

const perHub = new WeakMap<InformerSet, Fences>();

/** What is known of the fences of this hub. Times are kept by timers: a clock that is set forward lets no copy start early. */
export class Fences {
  private readonly context: ControllerContext;
  /** Whether what another process may have renewed before this one began has run out. */
  private beginningOver = false;
  /** By binding, then by cluster: how to stop waiting for the end of the lease; undefined: it has run out. */
  private readonly renewed = new Map<string, Map<string, Cancel | undefined>>();

  private constructor(context: ControllerContext) {
    this.context = context;
    const { clock, settings } = context;
    clock.after(fencedAfterMs(settings.fencingLeaseDurationMs), () => (this.beginningOver = true));
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

  /** Whether a copy in `target` has to wait for copies elsewhere. */
  mustWait(
    binding: Binding,
    target: string,
    works: readonly Work[],
    clusterOf: (work: Work) => string,
  ): boolean {
    const renewals = this.renewed.get(keyOf(binding)) ?? new Map<string, Cancel | undefined>();
    const working = new Set(works.map(clusterOf));
    const clusters = this.context.informers.informer(kinds.clusters).store;
    const others = [...new Set([...working, ...renewals.keys()])].filter((name) => name !== target);
    return waitsForOthers(
      others.map((cluster) => {
        const found = clusters.get(cluster);
        const renewed = renewals.has(cluster);
        return {
          cluster,
          work: working.has(cluster),
          reachable: found !== undefined && isReady(found) && !isBeingDeleted(found),
          renewed,
          over: renewed ? renewals.get(cluster) === undefined : this.beginningOver,
        };
      }),
    );
  }

  /** A renewal may have reached the cluster by now. */
  note(key: string, cluster: string): void {
    const { clock, settings } = this.context;
    const known = this.renewed.get(key) ?? new Map<string, Cancel | undefined>();
    this.renewed.set(key, known);
    known.get(cluster)?.();
    const afterMs = fencedAfterMs(settings.fencingLeaseDurationMs);
    known.set(
      cluster,
      clock.after(afterMs, () => known.set(cluster, undefined)),
    );
  }

  forget(key: string): void {
    for (const cancel of this.renewed.get(key)?.values() ?? []) cancel?.();
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
  const { informers, clock, logger, metrics, signal, settings, charge } = context;
  const bindings = informers.informer(scope);
  const works = informers.informer(kinds.works, { indexes: { [WORKS_BY_BINDING]: bindingIds } });
  const clusters: Informer<Cluster> = informers.informer(kinds.clusters);
  const fences = Fences.of(context);
  const stop = works.subscribe({
    updated: (before, after) => {
      const said = after.metadata.annotations?.[FENCE_RENEWED_ANNOTATION];
      if (said === before.metadata.annotations?.[FENCE_RENEWED_ANNOTATION]) return;
      const key = bindingKeyOf(after, scope);
      if (key !== undefined) fences.note(key, clusterOf(after));
    },
  });
  signal.addEventListener('abort', stop, { once: true });
  await Promise.all([clusters.synced, works.synced]);
  await runController({
    name,
    sources: [
      informerSource(bindings, {
        changed: (before, after) => before.metadata.generation !== after.metadata.generation,
      }),
      informerSource(works, { changed: () => false, map: (work) => bindingKeyOf(work, scope) }),
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
      // There the agent renews, and says so on the Work.
      if (cluster !== undefined && !isInCharge(charge, cluster)) return done;
      if (cluster === undefined || !isReady(cluster))
        return requeueAfter(renewEveryMs(settings.fencingLeaseDurationMs), 'the member is not ready');
      return renew(context, fences, key, template, cluster, reconcileSignal);
    },
  });
}

/** The key of the binding of this scope that a Work was made for. */
export function bindingKeyOf({ metadata }: Work, scope: Resource<Binding>): string | undefined {
  const { annotations = {} } = metadata;
  if (scope.resource === kinds.clusterResourceBindings.resource)
    return annotations[CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION];
  const name = annotations[RESOURCE_BINDING_NAME_ANNOTATION];
  return name === undefined
    ? undefined
    : `${annotations[RESOURCE_BINDING_NAMESPACE_ANNOTATION] ?? ''}/${name}`;
}

function clusterOf({ metadata }: Work): string {
  return clusterOfExecutionNamespace(metadata.namespace ?? '') ?? '';
}

async function renew(
  { clock, members, settings, logger }: ControllerContext,
  fences: Fences,
  key: string,
  template: KubeObject,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<Outcome> {
  const name = cluster.metadata.name ?? '';
  const leaseMs = settings.fencingLeaseDurationMs;
  const everyMs = renewEveryMs(leaseMs);
  const late = new AbortController();
  // A renewal that takes longer than the next is due is of no use any more.
  const cancel = clock.after(everyMs, () => late.abort(new Error('the lease was not renewed in time')));
  try {
    const { memberClient } = members.connect(cluster);
    const renewal = {
      namespace: template.metadata.namespace ?? '',
      name: fenceOf(template).lease,
      holder: name,
      leaseMs,
    };
    await renewFenceLease(memberClient, clock, renewal, AbortSignal.any([signal, late.signal]));
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
