// Keeps the status of resource quotas: how much of each limit is used.
// Reads: quotas, the objects that they count, the feed to notice changes. Writes: status of quotas.
import type { KubeObject } from '../../api/index.ts';
import { isNotFound, keyOf, resource, type RestMapper } from '../../client/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import { act, done, informerSource, runController, type Plan, type Source } from '../../runtime/index.ts';
import type { HousekeepingSettings } from '../settings.ts';
import { countedResource, usageOf, type QuotaSpec } from './usage.ts';

export interface ResourceQuota extends KubeObject {
  readonly spec?: QuotaSpec;
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

const quotas = resource<ResourceQuota>({
  group: '',
  version: 'v1',
  resource: 'resourcequotas',
  namespaced: true,
});

// Many objects come and go together: a namespace is counted this long after the first of them.
const SETTLE_MS = 250;
const BY_NAMESPACE = 'quotas-by-namespace';

export interface QuotaInput {
  readonly quota: ResourceQuota;
  /** The objects that count for each name in `hard`; absent: nobody can tell, the old figure stays. */
  readonly counted: ReadonlyMap<string, readonly KubeObject[]>;
}

export function decideQuota({ quota, counted }: QuotaInput): Plan {
  const hard = quota.spec?.hard ?? {};
  const used = Object.fromEntries(
    Object.keys(hard).flatMap((name): [string, string][] => {
      const objects = counted.get(name);
      if (objects !== undefined) return [[name, usageOf(name, objects, quota.spec ?? {}).toString()]];
      const before = quota.status?.used?.[name];
      return before === undefined ? [] : [[name, before]];
    }),
  );
  const status = { hard, used };
  if (deepEqual(status, quota.status ?? {})) return {};
  return {
    writes: [{ verb: 'update', resource: quotas, object: { ...quota, status }, subresource: 'status' }],
  };
}

export async function runResourceQuota(settings: HousekeepingSettings): Promise<void> {
  const { client, informers, mapper } = settings;
  const informer = informers.informer(quotas, {
    indexes: { [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ''] },
  });
  await runController({
    ...settings,
    name: 'resourcequota',
    sources: [
      informerSource(informer, { changed: (old, quota) => !deepEqual(old.spec, quota.spec) }),
      changes(settings, (namespace) => informer.store.byIndex(BY_NAMESPACE, namespace)),
    ],
    async reconcile(key, { signal }) {
      const quota = informer.store.get(key);
      if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return done;
      const counted = await count(settings, mapper, quota, signal);
      try {
        return await act(decideQuota({ quota, counted }), { client, signal });
      } catch (error) {
        if (isNotFound(error)) return done;
        throw error;
      }
    },
  });
}

/** The quotas of namespaces in which something has changed. */
function changes(
  { feed, signal }: HousekeepingSettings,
  quotasOf: (namespace: string) => readonly ResourceQuota[],
): Source {
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  return {
    synced,
    start(enqueue) {
      const stop = new AbortController();
      const changed = (object: KubeObject): void => {
        const namespace = object.metadata?.namespace;
        if (namespace === undefined || object.kind === 'ResourceQuota' || object.kind === 'Event') return;
        for (const quota of quotasOf(namespace)) {
          enqueue(keyOf(quota), { afterMs: SETTLE_MS, reason: 'its namespace changed' });
        }
      };
      feed
        .follow({ put: changed, removed: changed }, AbortSignal.any([signal, stop.signal]))
        .then(resolve, reject);
      return () => stop.abort(new Error('the controller ended'));
    },
  };
}

async function count(
  { client }: HousekeepingSettings,
  mapper: RestMapper,
  quota: ResourceQuota,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly KubeObject[]>> {
  const { namespace } = quota.metadata;
  const lists = new Map<string, Promise<readonly KubeObject[]>>();
  const counted = new Map<string, readonly KubeObject[]>();
  for (const name of Object.keys(quota.spec?.hard ?? {})) {
    const wanted = countedResource(name);
    const found = wanted === undefined ? undefined : await mapper.resourceByName(wanted);
    if (found === undefined || !found.namespaced) continue;
    const key = `${found.group}/${found.resource}`;
    let list = lists.get(key);
    if (list === undefined) {
      list = client.listAll(found, { namespace, signal }).then(({ items }) => items);
      lists.set(key, list);
    }
    counted.set(name, await list);
  }
  return counted;
}
