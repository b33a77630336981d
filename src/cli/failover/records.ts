// `failover list` and `failover describe`: the FailoverRecords, read by people.
import { Command, Option } from 'commander';
import type { FailoverRecord } from '../../api/index.ts';
import { OperatingError, systemClock } from '../../base/index.ts';
import { formatYaml, resource, type Client } from '../../client/index.ts';
import { formatDuration, parseTime } from '../../machinery/index.ts';
import { columns } from '../columns.ts';
import { connect, print, withHub, type SetExitCode } from '../command.ts';
import { shape } from '../shell/index.ts';

export const failoverRecords = resource<FailoverRecord>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'failoverrecords',
  namespaced: false,
});

interface ListFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly cluster?: string;
  readonly output?: string;
}

export function listCommand(exit: SetExitCode): Command {
  const command = withHub(new Command('list'))
    .description('list the failovers there were, the latest first')
    .option('--cluster <name>', 'only those off this cluster')
    .addOption(
      new Option('-o, --output <format>', 'how to print them').choices(['wide', 'name', 'json', 'yaml']),
    )
    .action(async (flags: ListFlags) => {
      const { client } = await connect(flags.kubeconfig, flags.karmadaContext);
      try {
        const all = (await client.listAll(failoverRecords)).items;
        const found = all
          .filter(({ spec }) => flags.cluster === undefined || spec.cluster === flags.cluster)
          .sort((a, b) =>
            (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1,
          );
        printRecords(found, flags.output);
        exit(0);
      } finally {
        await client.transport.close();
      }
    });
  return shape(command, {
    examples: `
      # All failovers that are kept
      %s failover list

      # Those off one cluster, for a program
      %s failover list --cluster member1 -o json`,
  });
}

function printRecords(records: readonly FailoverRecord[], output: string | undefined): void {
  const list = { apiVersion: 'navarch.io/v1alpha1', kind: 'FailoverRecordList', items: records };
  if (output === 'json') return print(JSON.stringify(list, null, 2));
  if (output === 'yaml') return print(formatYaml(list).trimEnd());
  if (output === 'name')
    return records.forEach(({ metadata }) => print(`failoverrecord.navarch.io/${metadata.name}`));
  if (records.length === 0) return print('No failovers are kept.');
  const wide = output === 'wide' ? ['STARTED', 'TOOK'] : [];
  const nowMs = systemClock.now();
  const rows = records.map(({ metadata, spec, status }) => [
    metadata.name ?? '',
    spec.cluster,
    spec.cause,
    status?.outcome ?? '',
    String(status?.total ?? 0),
    String(status?.moved ?? 0),
    String(status?.held ?? 0),
    ...(output === 'wide' ? [startOf(status) ?? '', tookOf(status)] : []),
    ageOf(metadata.creationTimestamp, nowMs),
  ]);
  const header = ['NAME', 'CLUSTER', 'CAUSE', 'OUTCOME', 'TOTAL', 'MOVED', 'HELD', ...wide, 'AGE'];
  for (const line of columns(header, rows)) print(line);
}

function ageOf(time: string | undefined, nowMs: number): string {
  const madeMs = parseTime(time ?? '');
  return madeMs === undefined ? '' : formatDuration(Math.round((nowMs - madeMs) / 1000) * 1000);
}

function startOf(status: FailoverRecord['status']): string | undefined {
  return status?.phases?.[0]?.time;
}

function tookOf(status: FailoverRecord['status']): string {
  const startMs = parseTime(startOf(status) ?? '');
  const endMs = parseTime(
    status?.phases?.find(({ phase }) => phase === 'Moved')?.time ?? status?.finishTime ?? '',
  );
  return startMs === undefined || endMs === undefined ? '' : formatDuration(Math.max(0, endMs - startMs));
}

interface DescribeFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
}

export function describeCommand(exit: SetExitCode): Command {
  const command = withHub(new Command('describe'))
    .description('tell the story of one failover')
    .argument('<name>', 'name of the FailoverRecord, or of a cluster for its latest one')
    .action(async (name: string, flags: DescribeFlags) => {
      const { client } = await connect(flags.kubeconfig, flags.karmadaContext);
      try {
        for (const line of storyOf(await findRecord(client, name))) print(line);
        exit(0);
      } finally {
        await client.transport.close();
      }
    });
  return shape(command, {
    examples: `
      # The latest failover off member1
      %s failover describe member1`,
  });
}

/** By its name, or the latest of the cluster of that name. */
export async function findRecord(client: Client, name: string): Promise<FailoverRecord> {
  const { items } = await client.listAll(failoverRecords);
  const time = ({ metadata }: FailoverRecord): string => metadata.creationTimestamp ?? '';
  const found =
    items.find(({ metadata }) => metadata.name === name) ??
    items.filter(({ spec }) => spec.cluster === name).sort((a, b) => (time(a) < time(b) ? 1 : -1))[0];
  if (found !== undefined) return found;
  throw new OperatingError(
    'FAILOVER_NOT_FOUND',
    `no failover "${name}" is kept, and none of a cluster of that name`,
    'run "navarch failover list" to see which there are',
  );
}

function storyOf({ metadata, spec, status }: FailoverRecord): readonly string[] {
  const lines = [
    `Name:      ${metadata.name}`,
    `Cluster:   ${spec.cluster}`,
    `Cause:     ${spec.cause}`,
    `Outcome:   ${status?.outcome ?? 'Running'} (${status?.moved ?? 0} of ${status?.total ?? 0} moved, ${status?.held ?? 0} held)`,
    '',
    ...phaseLines(status),
  ];
  const moves = status?.workloads ?? [];
  if (moves.length === 0) return lines;
  const rows = moves.map((move) => [
    move.kind,
    [move.namespace, move.name].filter(Boolean).join('/'),
    move.state,
    (move.to ?? []).join(',') || '-',
    move.purgeMode ?? '-',
    move.evictedAt ?? '-',
    move.endedAt ?? '-',
  ]);
  const held = moves.filter(({ state, message }) => state === 'Held' && message !== undefined);
  return [
    ...lines,
    '',
    ...columns(['KIND', 'WORKLOAD', 'STATE', 'TO', 'PURGE', 'EVICTED', 'ENDED'], rows),
    ...((status?.total ?? 0) > moves.length ? [`... and ${(status?.total ?? 0) - moves.length} more`] : []),
    ...(held.length === 0 ? [] : ['', 'Refused:']),
    ...held.map(({ kind, name, reason, message }) => `  ${kind} ${name}: ${reason}: ${message}`),
  ];
}

/** When each step did happen, and how long after the first. */
export function phaseLines(status: FailoverRecord['status']): readonly string[] {
  const phases = status?.phases ?? [];
  const startMs = parseTime(phases[0]?.time ?? '') ?? 0;
  const rows = phases.map(({ phase, time, evidence }) => [
    phase,
    time,
    `+${formatDuration(Math.max(0, (parseTime(time) ?? startMs) - startMs))}`,
    evidence ?? '',
  ]);
  return columns(['PHASE', 'TIME', 'AFTER', 'EVIDENCE'], rows);
}
