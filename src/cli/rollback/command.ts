// `rollback`: lists what can be taken back, and takes it back: a promotion to its member alone, a workload that was moved to the
// clusters it was in before, and all that one failover moved.
import { Command, Option } from 'commander';
import type { FailoverRecord } from '../../api/index.ts';
import { OperatingError } from '../../base/index.ts';
import { formatApiVersion } from '../../api/index.ts';
import type { TemplateReference } from '../../explain/index.ts';
import { leavingByRollback } from '../../failover/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { failoverRecords } from '../failover/records.ts';
import { resolveArguments, withNamespace, withSession, type Session } from '../objects/index.ts';
import { migrations } from '../promote/journal.ts';
import { shape } from '../shell/index.ts';
import { allBindings, listWaysBack, movedAway } from './list.ts';
import { rollBackMigration, type RollbackFlags } from './migration.ts';
import { moveBack } from './move.ts';
import { moveText, planMove, type MovePlan } from './move-plan.ts';

const EXAMPLES = `
      # What can be rolled back
      %s rollback

      # Return what a promotion brought under the hub to its member alone
      %s rollback member1-x7k2p

      # Take a workload back to the clusters that it was in before it was moved
      %s rollback deployment/web -n shop
      %s rollback deployment/web -n shop --yes

      # The same for all that one failover moved
      %s rollback member1-20261128-145230 --yes`;

export function rollbackCommand(exit: SetExitCode): Command {
  const command = withNamespace(new Command('rollback'))
    .description('list what can be rolled back, or roll one of it back')
    .argument(
      '[what...]',
      'a migration, a failover, or type and name of a workload; without it, what there is',
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print the list').choices(['wide', 'name', 'json', 'yaml']),
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('-y, --yes', 'move workloads; without it, only say what would be moved')
    .option('--timeout <duration>', 'how long each step may take to show effect', '1m')
    .option('--cluster-kubeconfig <file>', "kubeconfig of the member; else the control plane's proxy is used")
    .option('--cluster-context <name>', 'context of the member in that file; else the name of the cluster')
    .action(async (what: readonly string[], flags: RollbackFlags) => {
      const well = await withSession(flags, (hub) => run(hub, what, flags));
      exit(well ? 0 : 1);
    });
  return shape(command, { group: 'Advanced', examples: EXAMPLES });
}

async function run(hub: Session, what: readonly string[], flags: RollbackFlags): Promise<boolean> {
  const [name] = what;
  if (name === undefined) {
    await listWaysBack(hub.client, flags.output);
    return true;
  }
  if (what.length > 1 || name.includes('/')) return moveAll(hub, await named(hub, what), undefined, flags);
  const record = await hub.client.find(failoverRecords, { name });
  if (record !== undefined && (await hub.client.find(migrations, { name })) === undefined)
    return moveAll(hub, await movedBy(hub, record), record.spec.cluster, flags);
  return rollBackMigration(hub, name, flags);
}

async function named(hub: Session, what: readonly string[]): Promise<readonly TemplateReference[]> {
  const wanted = await resolveArguments(hub.mapper, what);
  return wanted.map(({ resource, name = '' }) => ({
    apiVersion: formatApiVersion(resource),
    kind: resource.kind,
    name,
    ...(resource.namespaced ? { namespace: hub.namespace } : {}),
  }));
}

/** A record names kinds, and bindings say of which API. */
async function movedBy(hub: Session, record: FailoverRecord): Promise<readonly TemplateReference[]> {
  const bindings = await allBindings(hub.client);
  const moved = movedAway(record, bindings);
  if (moved.length === 0)
    throw new OperatingError(
      'NOTHING_TO_ROLL_BACK',
      `nothing that ${record.metadata.name} moved off ${record.spec.cluster} is still elsewhere`,
      'run "navarch rollback" to see what can be rolled back',
    );
  return moved.flatMap(({ kind, name, namespace = '' }) =>
    bindings
      .map(({ spec }) => spec.resource)
      .filter((one) => one.kind === kind && one.name === name && (one.namespace ?? '') === namespace)
      .map(({ apiVersion }) => ({ apiVersion, kind, name, ...(namespace === '' ? {} : { namespace }) })),
  );
}

/** Resolves with whether all of it could be, or would be, done. */
async function moveAll(
  hub: Session,
  references: readonly TemplateReference[],
  through: string | undefined,
  flags: RollbackFlags,
): Promise<boolean> {
  const timeoutMs = readDuration('timeout', flags.timeout);
  const plans: MovePlan[] = [];
  for (const reference of references) plans.push(await planMove(hub.client, hub.mapper, reference, through));
  for (const plan of plans) print(moveText(plan).join('\n'));
  const refused = plans.filter(({ obstacles }) => obstacles.length > 0);
  if (refused.length > 0) {
    const titles = refused.map(({ title }) => title).join(', ');
    throw new OperatingError(
      'ROLLBACK_REFUSED',
      `${titles} cannot go back, and nothing was moved`,
      'mend what is named above, or roll the others back one by one',
    );
  }
  if (flags.dryRun === true || plans.every(isOver)) return true;
  if (flags.yes !== true) {
    print('Add --yes to carry it out.');
    return true;
  }
  for (const { reference } of plans) {
    // What moved before it may have taken the room.
    const plan = await planMove(hub.client, hub.mapper, reference, through);
    const [obstacle] = plan.obstacles;
    if (obstacle !== undefined)
      throw new OperatingError(
        'ROLLBACK_REFUSED',
        `${plan.title} cannot go back any more: ${obstacle.cluster ?? ''} ${obstacle.why}`.replace(
          ':  ',
          ': ',
        ),
        obstacle.next,
      );
    await moveBack(hub.client, plan, timeoutMs);
  }
  return true;
}

/** Nothing is left to do, nor to wait for. */
function isOver({ former, binding }: MovePlan): boolean {
  return former === undefined && leavingByRollback(binding.spec).length === 0;
}
