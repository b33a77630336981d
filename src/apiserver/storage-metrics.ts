// What is in the store and how much room it takes, under the names that dashboards and alerts for kube-apiserver use.
import type { KubeObject } from '../api/index.ts';
import type { Storage } from '../storage/index.ts';
import type { MetricsRegistry } from './metrics.ts';
import type { ResourceRegistry } from './registry.ts';

/** COMPAT: one store, under the name that kube-apiserver gives its first. */
const STORE = 'etcd-0';

/** The figures are looked up when somebody reads them. -1: they could not be. */
export function measureStorage(
  metrics: MetricsRegistry,
  registry: ResourceRegistry,
  storage: Storage<KubeObject>,
): void {
  let counts: readonly (readonly [group: string, resource: string, count: number])[] = [];
  let bytes = 0;
  metrics.beforeReading(async () => {
    bytes = await storage.sizeBytes().catch(() => -1);
    counts = await Promise.all(
      storedResources(registry).map(
        async ({ group, resource, storageRoot }) =>
          [group, resource, await countOf(storage, storageRoot)] as const,
      ),
    );
  });
  metrics.observed(
    'apiserver_storage_size_bytes',
    'Size of the storage database file physically allocated in bytes.',
    () => [[[STORE], bytes]],
    ['storage_cluster_id'],
  );
  const HELP = 'Number of stored objects at the time of last check split by kind.';
  metrics.observed(
    'apiserver_resource_objects',
    `${HELP} In case of a fetching error, the value will be -1.`,
    () => counts.map(([group, resource, count]) => [[group, resource], count] as const),
    ['group', 'resource'],
  );
  metrics.observed(
    'apiserver_storage_objects',
    `[DEPRECATED, consider using apiserver_resource_objects instead] ${HELP} In case of a fetching error, the value will be -1.`,
    () =>
      counts.map(
        ([group, resource, count]) => [[group === '' ? resource : `${resource}.${group}`], count] as const,
      ),
    ['resource'],
  );
}

/** One for each place in the store: events, for one, are served by two groups. */
function storedResources(
  registry: ResourceRegistry,
): readonly { readonly group: string; readonly resource: string; readonly storageRoot: string }[] {
  const byRoot = new Map<string, { group: string; resource: string; storageRoot: string }>();
  for (const definition of registry.definitions()) {
    const { storageRoot } = definition;
    const stored = definition.serve === undefined && definition.observe === undefined;
    if (stored && !byRoot.has(storageRoot)) byRoot.set(storageRoot, definition);
  }
  return [...byRoot.values()];
}

async function countOf(storage: Storage<KubeObject>, storageRoot: string): Promise<number> {
  try {
    const { entries, remaining } = await storage.list(storageRoot, { limit: 1 });
    return entries.length + remaining;
  } catch {
    return -1;
  }
}
