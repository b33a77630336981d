// `suspend`: stops what the control plane does with policies, bindings, clusters or packages, for a time and a reason.
import { Command } from 'commander';
import { OperatingError } from '../../base/index.ts';
import { isSuspendedBySpec, saysRolloutSuspended } from '../../packaging/index.ts';
import { stoppedBy, suspensionText } from '../../propagation/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { withSession } from '../objects/index.ts';
import { listOption, shape } from '../shell/index.ts';
import { confirmed, eachTarget, readUntil, type AskFlags, type UntilFlags } from './batch.ts';
import { targetsOf, titleOfTarget, withSelection, type SelectionFlags, type Target } from './targets.ts';
import { suspend, type Wish } from './write.ts';

interface SuspendFlags extends SelectionFlags, UntilFlags, AskFlags {
  readonly reason?: string;
  readonly cluster: readonly string[];
  readonly dryRun?: boolean;
}

export function suspendCommand(exit: SetExitCode): Command {
  const command = withSelection(new Command('suspend'))
    .description(
      'suspend policies (nothing is dispatched), bindings (nothing is scheduled), clusters (nothing is written to them), packages, or roll-outs of packages (their waves stand still)',
    )
    .argument(
      '<type/name...>',
      'policy/NAME, binding/NAME, cluster/NAME, package/NAME, rollout/NAME, or TYPE with names or --selector',
    )
    .option('--duration <duration>', 'for how long, such as 2h30m, 3d or 1w; without it until it is resumed')
    .option('--until <time>', 'until when, in RFC 3339')
    .option('--reason <text>', 'why; shown wherever the suspension is')
    .addOption(listOption('--cluster <name>', 'of policies: stop dispatching to these clusters only'))
    .option('--dry-run', 'let the server check it, and change nothing')
    .option('-y, --yes', 'do not ask before several objects are suspended')
    .action(async (operands: readonly string[], flags: SuspendFlags) => {
      exit(await withSession(flags, (session) => run(session, operands, flags)));
    });
  return shape(command, {
    group: 'Advanced',
    examples: `
      # Send nothing more of a policy for two hours
      %s suspend policy/web -n shop --duration 2h --reason "database migration"

      # The same, but to one cluster only
      %s suspend policy/web -n shop --cluster member1

      # Leave the placement of one workload as it is
      %s suspend binding/web-deployment -n shop

      # Write nothing to a cluster, and schedule nothing new to it
      %s suspend cluster/member1 --until 2030-01-31T18:00:00Z --reason "new kernel"

      # All packages of a team
      %s suspend packages -n shop -l team=payments --duration 1d`,
  });
}

async function run(
  session: Parameters<typeof targetsOf>[0],
  operands: readonly string[],
  flags: SuspendFlags,
): Promise<number> {
  const until = readUntil(flags);
  const targets = await targetsOf(session, operands, flags);
  const clusters = flags.cluster.length === 0 ? undefined : flags.cluster;
  for (const target of targets) refuseClusters(target, clusters);
  const wish: Wish = {
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
    ...(until === undefined ? {} : { until }),
    ...(clusters === undefined ? {} : { clusters }),
  };
  const dryRun = flags.dryRun === true;
  if (targets.length > 1 && !dryRun)
    await confirmed(flags, targets.map(titleOfTarget), `Suspend these ${targets.length}?`);
  return eachTarget(targets, async (target) => {
    const known = isSuspended(target);
    const said = flags.reason !== undefined || until !== undefined || clusters !== undefined;
    if (known && !said) return print(`${titleOfTarget(target)} is ${textOf(target)} already`);
    await suspend(session, target, wish, dryRun);
    const end = until === undefined ? ', until it is resumed' : ` until ${until}`;
    const what = dryRun ? 'would be suspended' : known ? 'stays suspended' : 'suspended';
    print(`${titleOfTarget(target)} ${what}${end}: ${effectOf(target, clusters)}`);
  });
}

/** Throws OperatingError BAD_FLAG for what is not suspended cluster by cluster. */
export function refuseClusters(target: Target, clusters: readonly string[] | undefined): void {
  if (clusters === undefined) return;
  const { kind } = target.object;
  if (kind === 'PropagationPolicy' || kind === 'ClusterPropagationPolicy') return;
  const next =
    target.family === 'package'
      ? 'suspend it in the member with "navarch package suspend NAME --cluster NAME"'
      : 'leave --cluster out';
  throw new OperatingError('BAD_FLAG', `--cluster is for policies, and this is a ${kind}`, next);
}

export function isSuspended(target: Target): boolean {
  switch (target.family) {
    case 'package':
      return isSuspendedBySpec(target.object.spec);
    case 'rollout':
      return saysRolloutSuspended(target.object);
    case 'propagation':
      return stoppedBy(target.object) !== undefined;
  }
}

function textOf(target: Target): string {
  return target.family === 'propagation' ? suspensionText(target.object) : 'suspended';
}

function effectOf({ object }: Target, clusters: readonly string[] | undefined): string {
  switch (object.kind) {
    case 'PropagationPolicy':
    case 'ClusterPropagationPolicy':
      return clusters === undefined
        ? 'nothing is dispatched to any cluster'
        : `nothing is dispatched to ${clusters.join(', ')}`;
    case 'ResourceBinding':
    case 'ClusterResourceBinding':
      return 'its placement stays as it is';
    case 'FleetPackage':
    case 'ClusterFleetPackage':
      return 'its waves stand still';
    case 'Cluster':
      return 'nothing is written to it, and nothing new is scheduled to it';
    default:
      return 'nothing of it is changed';
  }
}
