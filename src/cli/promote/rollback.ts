// `rollback`: returns what was promoted to its member alone, with its health looked at before and after.
import { Command, Option } from 'commander';
import type { KubeObject, Migration } from '../../api/index.ts';
import { OperatingError, formatTime, systemClock } from '../../base/index.ts';
import { formatYaml } from '../../client/index.ts';
import { createInterpreter, nativeLayer, thirdPartyLayer } from '../../interpreter/index.ts';
import { parseTime, formatDuration } from '../../machinery/index.ts';
import { titleOf } from '../../propagation/index.ts';
import { columns } from '../columns.ts';
import { print, readDuration, withHub, type SetExitCode } from '../command.ts';
import { withSession, type HubFlags, type Session } from '../objects/index.ts';
import { shape } from '../shell/index.ts';
import { contextFor, openMember } from './command.ts';
import { Journal, migrations } from './journal.ts';
import { takeBack } from './run.ts';
import { resourceOn } from './steps.ts';

interface RollbackFlags extends HubFlags {
  readonly output?: string;
  readonly dryRun?: boolean;
  readonly timeout: string;
  readonly clusterKubeconfig?: string;
  readonly clusterContext?: string;
}

export function rollbackCommand(exit: SetExitCode): Command {
  const command = withHub(new Command('rollback'))
    .description('list what can be rolled back, or roll one of it back')
    .argument('[migration]', 'what to roll back; without it, what there is')
    .addOption(
      new Option('-o, --output <format>', 'how to print the list').choices(['wide', 'name', 'json', 'yaml']),
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--timeout <duration>', 'how long each step may take to show effect', '1m')
    .option('--cluster-kubeconfig <file>', "kubeconfig of the member; else the control plane's proxy is used")
    .option('--cluster-context <name>', 'context of the member in that file; else the name of the cluster')
    .action(async (name: string | undefined, flags: RollbackFlags) => {
      const healthy = await withSession(flags, async (hub) => {
        if (name !== undefined) return rollBack(hub, name, flags);
        list((await hub.client.listAll(migrations)).items, flags.output);
        return true;
      });
      exit(healthy ? 0 : 1);
    });
  return shape(command, {
    group: 'Advanced',
    examples: `
      # What can be rolled back
      %s rollback

      # Return what a promotion brought under the hub to its member alone
      %s rollback member1-x7k2p`,
  });
}

function list(all: readonly Migration[], output: string | undefined): void {
  const found = all
    .filter(({ status }) => status?.phase !== 'RolledBack')
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1));
  const whole = { apiVersion: 'navarch.io/v1alpha1', kind: 'MigrationList', items: found };
  if (output === 'json') return print(JSON.stringify(whole, null, 2));
  if (output === 'yaml') return print(formatYaml(whole).trimEnd());
  if (output === 'name')
    return found.forEach(({ metadata }) => print(`migration.navarch.io/${metadata.name}`));
  if (found.length === 0) return print('Nothing was promoted that could be rolled back.');
  const now = systemClock.now();
  const rows = found.map(({ metadata, spec, status }) => {
    const age = formatDuration(now - (parseTime(metadata.creationTimestamp ?? '') ?? now));
    const shown = output === 'wide' ? spec.items.map(original) : spec.items.slice(0, 2).map(original);
    const more = spec.items.length - shown.length;
    return [
      metadata.name ?? '',
      spec.cluster,
      status?.phase ?? 'Running',
      `${shown.map(titleOf).join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
      age,
    ];
  });
  print(columns(['NAME', 'CLUSTER', 'PHASE', 'OBJECTS', 'AGE'], rows).join('\n'));
}

function original({ before }: Migration['spec']['items'][number]): KubeObject {
  return JSON.parse(before) as KubeObject;
}

async function rollBack(hub: Session, name: string, flags: RollbackFlags): Promise<boolean> {
  const journal = await Journal.open(hub.client, name);
  const { spec, status } = journal.migration;
  if (status?.phase === 'RolledBack')
    throw new OperatingError('MIGRATION_OVER', `${name} is rolled back already`, 'there is nothing to do');
  if (flags.dryRun === true) {
    print(`Would leave the hub and stay in ${spec.cluster} as before, dependents first:`);
    for (const item of spec.items.toReversed()) print(`  ${titleOf(original(item))}`);
    return true;
  }
  const member = await openMember(hub, spec.cluster, { ...flags, autoCreatePolicy: true });
  try {
    const before = await healthOf(member, spec.items);
    await takeBack(
      contextFor(hub, member, journal, readDuration('timeout', flags.timeout)),
      'asked for by rollback',
    );
    const after = await healthOf(member, spec.items);
    const worse = [...after].filter(([title, health]) => health === false && before.get(title) !== false);
    for (const [title] of worse) print(`Warning: ${title} is no longer healthy in ${spec.cluster}`);
    print(`Migration ${name} is rolled back; ${after.size} objects stay in ${spec.cluster} as they were`);
    return worse.length === 0;
  } finally {
    if (flags.clusterKubeconfig !== undefined) await member.close();
  }
}

/** By title; undefined: its kind knows no health. */
async function healthOf(
  member: Session,
  items: Migration['spec']['items'],
): Promise<ReadonlyMap<string, boolean | undefined>> {
  const now = (): string => formatTime(systemClock.now());
  const interpreter = createInterpreter([thirdPartyLayer(now), nativeLayer(now)]);
  const found = new Map<string, boolean | undefined>();
  for (const item of items) {
    if (item.role === 'Definition') continue;
    const object = await member.client.find(await resourceOn(member, item), item);
    found.set(titleOf(original(item)), object === undefined ? false : await interpreter.health(object));
  }
  return found;
}
