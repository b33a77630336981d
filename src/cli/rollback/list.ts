// What can be rolled back: promotions, and failovers that moved workloads which have not come back.
import type { FailoverMove, FailoverRecord, KubeObject, Migration } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { formatYaml, kinds, type Client } from '../../client/index.ts';
import { formatDuration, parseTime } from '../../machinery/index.ts';
import { bindingName, titleOf, type Binding } from '../../propagation/index.ts';
import { columns } from '../columns.ts';
import { print } from '../command.ts';
import { failoverRecords } from '../failover/records.ts';
import { migrations } from '../promote/journal.ts';
import { original } from './migration.ts';

interface Entry {
  readonly object: Migration | FailoverRecord;
  readonly cluster: string;
  readonly phase: string;
  readonly titles: readonly string[];
}

/** Workloads that a failover moved and that do not run again where it took them from. */
export function movedAway(record: FailoverRecord, bindings: readonly Binding[]): readonly FailoverMove[] {
  return (record.status?.workloads ?? []).filter(({ state, kind, name, namespace }) => {
    if (state !== 'Moved') return false;
    const binding = bindings.find(
      ({ metadata }) =>
        metadata.name === bindingName(kind, name) && (metadata.namespace ?? '') === (namespace ?? ''),
    );
    return (
      binding !== undefined && !(binding.spec.clusters ?? []).some((one) => one.name === record.spec.cluster)
    );
  });
}

/** Only namespaced templates fail over with replicas; cluster-scoped ones are in the records as well. */
export async function allBindings(client: Client): Promise<readonly Binding[]> {
  const [namespaced, cluster] = await Promise.all([
    client.listAll(kinds.resourceBindings),
    client.listAll(kinds.clusterResourceBindings),
  ]);
  return [...namespaced.items, ...cluster.items];
}

export async function listWaysBack(client: Client, output: string | undefined): Promise<void> {
  const [promoted, records, bindings] = await Promise.all([
    client.listAll(migrations),
    client.listAll(failoverRecords),
    allBindings(client),
  ]);
  const entries = [
    ...promoted.items.filter(({ status }) => status?.phase !== 'RolledBack').map(migrationEntry),
    ...records.items.flatMap((record) => recordEntry(record, bindings)),
  ].sort((a, b) => (madeAt(a.object) < madeAt(b.object) ? 1 : -1));
  const items = entries.map(({ object }) => object);
  const whole = { apiVersion: 'v1', kind: 'List', items };
  if (output === 'json') return print(JSON.stringify(whole, null, 2));
  if (output === 'yaml') return print(formatYaml(whole).trimEnd());
  if (output === 'name')
    return items.forEach(({ kind, metadata }) => print(`${kind.toLowerCase()}.navarch.io/${metadata.name}`));
  if (entries.length === 0) return print('Nothing was promoted or moved that could be rolled back.');
  const rows = entries.map((entry) => rowOf(entry, output === 'wide'));
  print(columns(['NAME', 'CLUSTER', 'PHASE', 'OBJECTS', 'AGE'], rows).join('\n'));
}

function madeAt({ metadata }: KubeObject): string {
  return metadata.creationTimestamp ?? '';
}

function migrationEntry(object: Migration): Entry {
  const titles = object.spec.items.map((item) => titleOf(original(item)));
  return { object, cluster: object.spec.cluster, phase: object.status?.phase ?? 'Running', titles };
}

function recordEntry(object: FailoverRecord, bindings: readonly Binding[]): readonly Entry[] {
  const titles = movedAway(object, bindings).map(({ kind, name, namespace }) =>
    titleOf({ kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } }),
  );
  if (titles.length === 0) return [];
  return [{ object, cluster: object.spec.cluster, phase: object.status?.outcome ?? 'Running', titles }];
}

function rowOf({ object, cluster, phase, titles }: Entry, wide: boolean): readonly string[] {
  const now = systemClock.now();
  const age = formatDuration(now - (parseTime(madeAt(object)) ?? now));
  const shown = wide ? titles : titles.slice(0, 2);
  const more = titles.length - shown.length;
  const text = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return [object.metadata.name ?? '', cluster, phase, text, age];
}
