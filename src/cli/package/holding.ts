// On a control plane some clusters may be suspended, as clusters, by a policy or for this package alone: nothing reaches them, or
// they act on nothing, until they are resumed. Who waits for a package waits for the other clusters, and is told who takes it
// later.
import { isForbidden, isNotFound, kinds, type Resource } from '../../client/index.ts';
import type { Cluster } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { isSuspendedCluster } from '../../fleet/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { bindingName, type Binding } from '../../propagation/index.ts';
import type { Place } from './place.ts';

export interface Spread {
  readonly binding: Binding | undefined;
  /** Clusters that nothing is sent to, whatever it is. */
  readonly suspendedClusters: ReadonlySet<string>;
}

/** Where the package is sent; undefined: it is not sent anywhere, or is not for this user to see. */
export async function spreadOf({ client, onHub }: Place, one: AnyPackage): Promise<Spread | undefined> {
  if (!onHub) return undefined;
  const { name = '', namespace } = one.metadata;
  const bindings: Resource<Binding> =
    namespace === undefined ? kinds.clusterResourceBindings : kinds.resourceBindings;
  const key = { name: bindingName(one.kind, name), ...(namespace === undefined ? {} : { namespace }) };
  try {
    const [binding, clusters] = await Promise.all([
      client.find(bindings, key),
      client.listAll<Cluster>(kinds.clusters),
    ]);
    const nowMs = systemClock.now();
    const suspended = clusters.items.filter((cluster) => isSuspendedCluster(cluster, nowMs));
    return { binding, suspendedClusters: new Set(suspended.map(({ metadata }) => metadata.name ?? '')) };
  } catch (error) {
    if (isForbidden(error) || isNotFound(error)) return undefined;
    throw error;
  }
}

/** Pure. The clusters that nothing of the package is sent to now. */
export function unsentOf(one: AnyPackage, { binding, suspendedClusters }: Spread): readonly string[] {
  const { dispatching, dispatchingOnClusters } = binding?.spec.suspension ?? {};
  const names = (one.status?.clusters ?? []).map(({ name }) => name);
  if (dispatching === true) return names;
  const stopped = dispatchingOnClusters?.clusterNames ?? [];
  return names.filter((name) => suspendedClusters.has(name) || stopped.includes(name));
}

/** How it stands where it is not suspended. */
export interface Parts {
  /** Clusters that take it when they are resumed; at least one. */
  readonly later: readonly string[];
  /** Whether all others have reported what they made of the present spec. */
  readonly current: boolean;
  /** Whether it is ready in all others, in the version that is wanted. */
  readonly ready: boolean;
  /** There are no others. */
  readonly none: boolean;
}

/** Pure. Undefined: no cluster is suspended. */
export function partsOf(one: AnyPackage, { binding, suspendedClusters }: Spread): Parts | undefined {
  const { clusters = [] } = one.status ?? {};
  const unsent = unsentOf(one, { binding, suspendedClusters });
  const later = clusters
    .filter(({ name, suspended }) => suspended === true || unsent.includes(name))
    .map(({ name }) => name);
  if (later.length === 0) return undefined;
  const others = clusters.filter(({ name }) => !later.includes(name));
  const { generation } = one.metadata;
  return {
    later,
    none: others.length === 0,
    current: others.every(({ name }) => {
      const item = binding?.status?.aggregatedStatus?.find(({ clusterName }) => clusterName === name);
      const {
        resourceTemplateGeneration,
        generation: there,
        observedGeneration = there,
      } = (item?.status ?? {}) as {
        readonly resourceTemplateGeneration?: number;
        readonly generation?: number;
        readonly observedGeneration?: number;
      };
      return resourceTemplateGeneration === generation && observedGeneration === there;
    }),
    ready: others.every(
      ({ ready, version, stale }) =>
        ready === 'True' && stale !== true && version === one.spec.packageInfo.version,
    ),
  };
}
