// `package suspend`: leaves packages as they are for a while, one or many, here or by a policy that also means those of
// tomorrow.
import { Command, Option } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { OperatingError, sleep, systemClock } from '../../base/index.ts';
import { resource } from '../../client/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { CommandError, listOption, shape } from '../shell/index.ts';
import { readUntil, type UntilFlags } from '../suspension/batch.ts';
import { suspend, type Wish } from '../suspension/write.ts';
import { confirm, progress } from './dialogue.ts';
import { suspendedText, titleOf } from './installed.ts';
import { Outcomes, eachPackage, withOutcomes, type OutcomeFlags } from './outcomes.ts';
import { withKind, withPlace, withPlaceFlags, type Place } from './place.ts';
import { printed } from './printing.ts';
import { chosenPackages, targetOfPackage, withChoice, type ChoiceFlags } from './selection.ts';
import { keyOf } from './waiting.ts';
import { packagesOfKind } from './place.ts';
import { completeAllInstalled } from './words.ts';

interface SuspendFlags extends ChoiceFlags, UntilFlags, OutcomeFlags {
  readonly reason?: string;
  readonly mode?: 'full' | 'changes-only';
  readonly cascade?: 'components' | 'none';
  readonly onResume?: 'apply' | 'review';
  readonly asPolicy?: string;
  readonly schedule?: string;
  readonly windowDuration?: string;
  readonly timeZone?: string;
  readonly window?: 'deny' | 'allow';
  readonly clusters: readonly string[];
  readonly stopDispatch?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

const WAIT_MS = 30_000;
const POLL_MS = 250;

export function suspendPackageCommand(exit: SetExitCode): Command {
  const command = withOutcomes(withChoice(withKind(withPlaceFlags(new Command('suspend').alias('pause')))))
    .description('leave packages as they are: nothing of them is changed until they are resumed')
    .argument('[name...]', 'the packages; or say which with --selector, --package-name or --all')
    .option(
      '--duration <duration>',
      'for how long, such as 2h30m, 3d or 1w; without it until they are resumed',
    )
    .option('--until <time>', 'until when, in RFC 3339')
    .option('--reason <text>', 'why; shown wherever the suspension is')
    .addOption(
      new Option(
        '--mode <mode>',
        'full: nothing is written; changes-only: changes wait, what was applied is kept',
      ).choices(['full', 'changes-only']),
    )
    .addOption(
      new Option('--cascade <what>', 'whether components are suspended too').choices(['components', 'none']),
    )
    .addOption(
      new Option(
        '--on-resume <how>',
        'review: when it is over, wait until the plan has been approved',
      ).choices(['apply', 'review']),
    )
    .option(
      '--as-policy <name>',
      'write a policy that suspends them, and those that come later, instead of the packages',
    )
    .option('--schedule <cron>', 'with --as-policy: when windows begin, as five cron fields')
    .option('--window-duration <duration>', 'with --schedule: how long a window lasts')
    .option('--time-zone <zone>', 'with --schedule: its time zone; else UTC')
    .addOption(
      new Option(
        '--window <kind>',
        'with --schedule: suspended while it lasts (deny), or while it does not (allow)',
      ).choices(['deny', 'allow']),
    )
    .addOption(
      listOption('--clusters <names>', 'with --as-policy on a control plane: only in these clusters'),
    )
    .option('--stop-dispatch', 'with --as-policy on a control plane: also send nothing more of them')
    .option('-y, --yes', 'do not ask before several packages are suspended')
    .option('--dry-run', 'say what would be suspended, and suspend nothing')
    .option('--no-wait', 'do not wait until they say that they are suspended')
    .action(async (names: readonly string[], flags: SuspendFlags) => {
      exit(await withPlace(flags, (place) => run(place, names, flags)));
    });
  return shape(command, {
    complete: completeAllInstalled,
    examples: `
      # For the time of a migration
      %s package suspend shop -n shop --duration 2h --reason "database migration"

      # Changes wait, and what was applied is still put right
      %s package suspend gateway --mode changes-only --until 2030-01-06T00:00:00Z

      # In one member of the control plane only
      %s package suspend gateway -C member1

      # Every night in two clusters, whatever is installed there by then
      %s package suspend --all --as-policy nights --schedule "0 22 * * *" --window-duration 8h --time-zone Europe/Vienna --clusters member1,member2`,
  });
}

async function run(place: Place, names: readonly string[], flags: SuspendFlags): Promise<number> {
  const until = readUntil(flags);
  refuseSenseless(flags);
  if (flags.asPolicy !== undefined) return writePolicy(place, names, flags, flags.asPolicy, until);
  const { found, missing } = await chosenPackages(place, names, flags);
  const wish = wishOf(flags, until);
  if (found.length > 1 && flags.dryRun !== true) {
    for (const one of found) progress(flags, titleOf(one));
    await confirm(flags, `Suspend these ${found.length} packages?`);
  }
  const outcomes = new Outcomes(flags);
  outcomes.lack(missing);
  const end = until === undefined ? '' : ` until ${until}`;
  await eachPackage(
    found.map((one) => ({ one })),
    outcomes,
    async ({ one }) => {
      const before = suspendedText(one);
      if (before !== 'No' && Object.keys(wish).length === 0)
        return outcomes.add(one, 'Unchanged', `${titleOf(one)} is suspended already (${before})`);
      await suspend(place.session, await targetOfPackage(place, one), wish, flags.dryRun === true);
      if (flags.dryRun === true)
        return outcomes.add(
          one,
          'WouldBeSuspended',
          `${titleOf(one)} would be suspended${end} (dry run)`,
          until,
        );
      if (flags.wait !== false) await untilSuspended(place, one);
      outcomes.add(one, 'Suspended', `${titleOf(one)} suspended${end}`, until);
    },
  );
  return outcomes.end(found.length + missing.length);
}

function refuseSenseless(flags: SuspendFlags): void {
  const bad = (message: string, next: string): OperatingError =>
    new OperatingError('BAD_FLAG', message, next);
  const windows =
    flags.windowDuration !== undefined || flags.timeZone !== undefined || flags.window !== undefined;
  if (flags.asPolicy === undefined) {
    const policyOnly =
      flags.schedule !== undefined || windows || flags.clusters.length > 0 || flags.stopDispatch === true;
    if (policyOnly) throw bad('windows and clusters are said in a policy', 'name one with --as-policy');
    return;
  }
  if (flags.schedule === undefined && windows) throw bad('--schedule is missing', 'say when windows begin');
  if (flags.schedule !== undefined && flags.windowDuration === undefined)
    throw bad('--window-duration is missing', 'say how long a window lasts');
}

function wishOf({ reason, mode, cascade, onResume }: SuspendFlags, until: string | undefined): Wish {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(until === undefined ? {} : { until }),
    ...(mode === undefined ? {} : { mode: mode === 'full' ? ('Full' as const) : ('ChangesOnly' as const) }),
    ...(cascade === undefined
      ? {}
      : { cascade: cascade === 'none' ? ('None' as const) : ('Components' as const) }),
    ...(onResume === undefined
      ? {}
      : { onResume: onResume === 'review' ? ('Review' as const) : ('Apply' as const) }),
  };
}

/** What it takes to be sure: the operator says so, on a control plane in every cluster that has it. */
function isConfirmed(one: AnyPackage, onHub: boolean): boolean {
  const condition = one.status?.conditions?.find(({ type }) => type === 'Suspended');
  if (!onHub) return condition?.status === 'True';
  const clusters = one.status?.clusters ?? [];
  return clusters.every(({ suspended }) => suspended === true);
}

async function untilSuspended(place: Place, one: AnyPackage): Promise<void> {
  const deadlineMs = systemClock.now() + WAIT_MS;
  for (;;) {
    const now = await place.client.get(packagesOfKind(one.kind), keyOf(one));
    if (isConfirmed(now, place.onHub)) return;
    if (systemClock.now() >= deadlineMs) {
      const silent = (now.status?.clusters ?? [])
        .filter(({ suspended }) => suspended !== true)
        .map(({ name }) => name);
      const who = silent.length === 0 ? 'nobody' : silent.join(', ');
      throw new CommandError(
        `it is written, and not confirmed after 30 s${silent.length === 0 ? ': no operator seems to run there' : `: ${who} did not answer, and may go on until it does`}`,
      );
    }
    await sleep(systemClock, POLL_MS);
  }
}

async function writePolicy(
  { client, onHub, session }: Place,
  names: readonly string[],
  flags: SuspendFlags,
  name: string,
  until: string | undefined,
): Promise<number> {
  if (!onHub && (flags.clusters.length > 0 || flags.stopDispatch === true))
    throw new OperatingError(
      'BAD_FLAG',
      'there are no clusters behind this one',
      'leave --clusters and --stop-dispatch out',
    );
  if (
    names.length === 0 &&
    flags.all !== true &&
    flags.selector === undefined &&
    flags.packageName.length === 0
  )
    throw new OperatingError(
      'NOTHING_NAMED',
      'no package is named',
      'name some, or give --selector, --package-name or --all',
    );
  const namespaced = session.namespaceGiven && flags.allNamespaces !== true;
  const kind = onHub ? 'FleetSuspension' : namespaced ? 'PackageSuspension' : 'ClusterPackageSuspension';
  const object: KubeObject = {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind,
    metadata: { name, ...(kind === 'PackageSuspension' ? { namespace: session.namespace } : {}) },
    spec: policySpec(names, flags, until, kind, namespaced ? session.namespace : undefined),
  };
  const type = resource<KubeObject>({
    group: 'packages.glasskube.dev',
    version: 'v1alpha1',
    resource: `${kind.toLowerCase()}s`,
    namespaced: kind === 'PackageSuspension',
  });
  const made = await client.create(type, object, { dryRun: flags.dryRun === true });
  if (printed([made], flags)) return 0;
  print(`${kind.toLowerCase()}/${name} ${flags.dryRun === true ? 'would be created (dry run)' : 'created'}`);
  return 0;
}

function policySpec(
  names: readonly string[],
  flags: SuspendFlags,
  until: string | undefined,
  kind: string,
  namespace: string | undefined,
): object {
  const { mode, onResume, reason } = wishOf(flags, until);
  const selector = {
    ...(names.length === 0 ? {} : { names }),
    ...(flags.packageName.length === 0 ? {} : { packageNames: flags.packageName }),
    ...(flags.kind === undefined ? {} : { kinds: [flags.kind === 'package' ? 'Package' : 'ClusterPackage'] }),
    ...(flags.selector === undefined ? {} : { labelSelector: equalities(flags.selector) }),
  };
  const inNamespace =
    namespace === undefined ? {} : { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return {
    ...(Object.keys(selector).length === 0 ? {} : { selector }),
    ...(kind === 'FleetSuspension' && namespace !== undefined ? { namespaceSelector: inNamespace } : {}),
    ...(kind === 'ClusterPackageSuspension' && flags.allNamespaces === true ? { namespaceSelector: {} } : {}),
    ...(flags.clusters.length === 0 ? {} : { clusterAffinity: { clusterNames: flags.clusters } }),
    ...(flags.stopDispatch === true ? { stopDispatch: true } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(until === undefined ? {} : { until }),
    ...(mode === undefined ? {} : { mode }),
    ...(onResume === undefined ? {} : { onResume }),
    ...(flags.schedule === undefined
      ? {}
      : {
          windows: [
            {
              kind: flags.window ?? 'deny',
              schedule: flags.schedule,
              duration: flags.windowDuration,
              ...(flags.timeZone === undefined ? {} : { timeZone: flags.timeZone }),
            },
          ],
        }),
  };
}

/** `a=b,c=d` as a policy says it. Throws CommandError for what only lists can be asked. */
function equalities(selector: string): object {
  const pairs = selector.split(',').map((part) => /^\s*([^\s=!]+)\s*==?\s*([^\s=!]*)\s*$/.exec(part));
  if (pairs.some((pair) => pair === null))
    throw new CommandError('a policy takes --selector as a=b,c=d; write others into the policy yourself');
  return { matchLabels: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''])) };
}
