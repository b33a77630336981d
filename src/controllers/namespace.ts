// namespace-sync-controller: every namespace of the hub that is not kept back exists in every member.
// Reads: Namespace, Cluster, ClusterOverridePolicy, and of what is in it what is to be preserved. Writes: Works, owned by the
// namespace.
import { DELETION_RULES_ANNOTATION, type KubeObject, type Namespace, type Work } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { keyOf, kinds, type Resource } from '../client/index.ts';
import { controllerOf, controllerReference, isBeingDeleted } from '../machinery/index.ts';
import {
  createEligibility,
  deletionAnnotations,
  manifestWork,
  namespaceSkip,
  namespacesSelectedBy,
  preservesInside,
  withOrigin,
} from '../propagation/index.ts';
import {
  PRIORITY_RESYNC,
  WorkQueue,
  done,
  informerSource,
  retry,
  runController,
  type InformerHandler,
} from '../runtime/index.ts';
import { writeWork } from './binding.ts';
import type { Controller } from './context.ts';
import { Deletions } from './deletion-rules.ts';
import { Overrides } from './overrides.ts';

export const namespaceController: Controller = {
  name: 'namespace',
  async run(context) {
    const { informers, clock, logger, metrics, signal, settings } = context;
    const namespaces = informers.informer(kinds.namespaces as Resource<Namespace>);
    const clusters = informers.informer(kinds.clusters);
    const works = informers.informer(kinds.works);
    const policies = informers.informer(kinds.propagationPolicies);
    const bindings = informers.informer(kinds.resourceBindings);
    const overrides = new Overrides(context);
    const deletions = new Deletions(context);
    await Promise.all([
      works.synced,
      clusters.synced,
      policies.synced,
      bindings.synced,
      overrides.synced,
      deletions.synced,
    ]);
    const eligibility = createEligibility({
      skippedApis: settings.skippedPropagatingApis.join(';'),
      skippedNamespaces: settings.skippedPropagatingNamespaces,
    });
    const queue = new WorkQueue({ name: 'namespace-sync', clock, metrics });
    const all = (): void => {
      for (const name of namespaces.store.keys()) queue.add(name, { priority: PRIORITY_RESYNC });
    };
    const stops = [
      clusters.subscribe({ added: (_cluster, initial) => void (initial || all()) }),
      overrides.onClusterPolicy((policy) => {
        const selected = namespacesSelectedBy(policy);
        if (selected === 'all') all();
        else for (const name of selected) queue.add(name);
      }),
      deletions.onPolicy(({ metadata: { namespace } }) => {
        if (namespace === undefined) all();
        else queue.add(namespace);
      }),
      policies.subscribe(preserving((namespace) => queue.add(namespace))),
      bindings.subscribe(preserving((namespace) => queue.add(namespace))),
    ];
    signal.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true });
    await runController({
      name: 'namespace-sync-controller',
      queue,
      sources: [
        informerSource(namespaces, {
          changed: (before, after) =>
            before.metadata.labels !== after.metadata.labels ||
            before.metadata.annotations !== after.metadata.annotations ||
            before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp,
        }),
        // Who deletes one by hand gets it back; without it everything else that is sent there would fail.
        informerSource(works, {
          filter: (work) => isBeingDeleted(work) && namespaceOf(work) !== undefined,
          changed: () => false,
          map: namespaceOf,
        }),
      ],
      concurrency: 4,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const namespace = namespaces.store.get(name);
        // Works go with their owner; a label that comes later takes nothing back.
        if (namespace === undefined || namespaceSkip(namespace, eligibility) !== undefined) return done;
        // What its Works say of its end was said before; the policies that said so go now.
        if (isBeingDeleted(namespace)) return done;
        const preserved = preservesInside([...policies.store.list(name), ...bindings.store.list(name)]);
        const rules = deletions.namespaceRules(namespace, preserved);
        const deletion = rules === undefined ? undefined : { rules, hub: deletions.hub() };
        const failures: unknown[] = [];
        let ending: boolean | undefined;
        for (const cluster of clusters.store.list()) {
          if (isBeingDeleted(cluster)) continue;
          try {
            const overridden = overrides.applyCluster(namespace, cluster);
            const work = manifestWork({
              cluster: cluster.metadata.name ?? '',
              manifest: withOrigin(overridden.manifest, namespace, deletion),
              templateUid: namespace.metadata.uid ?? '',
              labels: {},
              annotations: { ...overridden.annotations, ...deletionAnnotations(deletion) },
              ownerReferences: [controllerReference(namespace)],
              ...(preserved ? { preserveResourcesOnDeletion: true } : {}),
            });
            // What said that something is to stay may have gone because the namespace goes.
            if (saysMore(works.store.get(keyOf(work)), work)) {
              ending ??= await deletions.isEnding(name, reconcileSignal);
              if (ending) return done;
            }
            await writeWork(context, works, work, reconcileSignal);
          } catch (error) {
            failures.push(error);
          }
        }
        if (failures.length === 0) return done;
        logger.debug('Sending a namespace to members failed', {
          namespace: name,
          error: errorMessage(failures[0]),
        });
        return retry(failures[0]);
      },
    });
  },
};

/** The namespace that a Work carries; undefined: it carries something else. */
function namespaceOf(work: Work): string | undefined {
  const owner = controllerOf(work);
  return owner?.kind === 'Namespace' ? owner.name : undefined;
}

interface Preserving extends KubeObject {
  readonly spec: { readonly preserveResourcesOnDeletion?: boolean };
}

/** Tells of namespaces in which something is to be preserved now, or is not any more. */
function preserving(tell: (namespace: string) => void): InformerHandler<Preserving> {
  const says = (one: Preserving): boolean => preservesInside([one]);
  const concern = ({ metadata }: Preserving): void => tell(metadata.namespace ?? '');
  return {
    added: (one, initial) => void (!initial && says(one) && concern(one)),
    updated: (before, after) => void (says(before) !== says(after) && concern(after)),
    deleted: (one) => void (one.spec.preserveResourcesOnDeletion === true && concern(one)),
  };
}

/** Whether the Work that is there says of its end what the next one would not say. */
function saysMore(existing: Work | undefined, next: Work): boolean {
  const rules = ({ metadata }: Work): string | undefined => metadata.annotations?.[DELETION_RULES_ANNOTATION];
  if (existing === undefined) return false;
  return (
    (rules(existing) !== undefined && rules(existing) !== rules(next)) ||
    (existing.spec.preserveResourcesOnDeletion === true && next.spec.preserveResourcesOnDeletion !== true)
  );
}
