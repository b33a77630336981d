// `package resume`: lets packages go on, what they need before what needs it, and says what stands in the way.
import { Command, Option } from 'commander';
import type { SuspensionSource } from '../../api/index.ts';
import { sleep, systemClock } from '../../base/index.ts';
import {
  isSuspendedBySpec,
  packageId,
  packageKey,
  sourceText,
  type AnyPackage,
} from '../../packaging/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { shape } from '../shell/index.ts';
import { resume } from '../suspension/write.ts';
import { confirm, progress } from './dialogue.ts';
import { differencesOf, differenceLines } from './differences.ts';
import { messageOf, stateOf, suspendedText, titleOf } from './installed.ts';
import { Outcomes, eachPackage, withOutcomes, type OutcomeFlags } from './outcomes.ts';
import { packagesOfKind, withKind, withPlace, withPlaceFlags, type Place } from './place.ts';
import { chosenPackages, targetOfPackage, withChoice, type ChoiceFlags } from './selection.ts';
import { keyOf } from './waiting.ts';
import { completeAllInstalled } from './words.ts';

interface ResumeFlags extends ChoiceFlags, OutcomeFlags {
  readonly diff?: boolean;
  readonly onDrift?: 'overwrite' | 'abort' | 'keep';
  readonly approve?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

const POLL_MS = 250;
// LIMIT: for one package; the next is resumed then all the same.
const WAIT_MS = 300_000;
const STILL_BLOCKED = 3;

export function resumePackageCommand(exit: SetExitCode): Command {
  const command = withOutcomes(withChoice(withKind(withPlaceFlags(new Command('resume').alias('unpause')))))
    .description('let suspended packages go on, after saying what that changes')
    .argument('[name...]', 'the packages; or say which with --selector, --package-name or --all')
    .option('--diff', 'show what differs and what would change, and resume nothing')
    .addOption(
      new Option(
        '--on-drift <how>',
        'what others changed meanwhile: overwrite it, abort, or keep it',
      ).choices(['overwrite', 'abort', 'keep']),
    )
    .option('--approve <hash>', 'carry out the plan of this hash, for what waits for a review')
    .option('--reason <text>', 'why it goes on; kept in its history')
    .option('-y, --yes', 'do not ask when something differs, or before several are resumed')
    .option('--dry-run', 'say what would be resumed, and resume nothing')
    .option('--no-wait', 'do not wait until they are ready again')
    .action(async (names: readonly string[], flags: ResumeFlags) => {
      exit(await withPlace(flags, (place) => run(place, names, flags)));
    });
  return shape(command, {
    complete: completeAllInstalled,
    examples: `
      # Look first
      %s package resume shop -n shop --diff

      # What somebody changed by hand stays theirs
      %s package resume shop -n shop --on-drift keep --reason "migration is done"

      # Everything that is suspended, in the order in which packages need each other
      %s package resume --all -A --yes`,
  });
}

async function run(place: Place, names: readonly string[], flags: ResumeFlags): Promise<number> {
  const { found: all, missing } = await chosenPackages(place, names, flags);
  const found = inDependencyOrder(all.filter((one) => isResumable(one) || names.length > 0));
  const outcomes = new Outcomes(flags);
  outcomes.lack(missing);
  if (found.length === 0 && missing.length === 0 && flags.output === undefined) {
    print('Nothing of that is suspended.');
    return 0;
  }
  if (flags.diff === true) return showDifferences(place, found);
  let stays = false;
  const ready: Ready[] = [];
  for (const one of found) {
    const { drift, reason } = await standing(place, one, flags);
    if (reason === undefined) ready.push({ one, drift });
    else outcomes.add(one, reason.result, reason.message);
    stays ||= reason?.result === 'StaysSuspended';
  }
  await ask(ready, flags);
  let count = 0;
  await eachPackage(ready, outcomes, async ({ one }) => {
    count++;
    const step = ready.length === 1 ? '' : ` (${count} of ${ready.length})`;
    const wish = {
      reason: flags.reason,
      onDrift: flags.onDrift === 'abort' ? undefined : flags.onDrift,
      approve: flags.approve,
    };
    await resume(place.session, await targetOfPackage(place, one), wish, flags.dryRun === true);
    if (flags.dryRun === true)
      return outcomes.add(one, 'WouldBeResumed', `${titleOf(one)} would be resumed (dry run)${step}`);
    const others = otherSources(one);
    if (others.length > 0) {
      stays = true;
      return outcomes.add(
        one,
        'StaysSuspended',
        `${titleOf(one)} is not suspended by itself any more, but still ${others.map(sourceText).join('; ')}${step}`,
      );
    }
    outcomes.add(one, 'Resumed', `${titleOf(one)} resumed${await outcome(place, one, flags)}${step}`);
  });
  const code = outcomes.end(found.length + missing.length);
  return code !== 0 ? code : stays ? STILL_BLOCKED : 0;
}

/** What differs of it, and why it is not resumed, if so. */
async function standing(
  place: Place,
  one: AnyPackage,
  flags: ResumeFlags,
): Promise<{
  readonly drift: readonly string[];
  readonly reason?: { readonly result: 'Unchanged' | 'StaysSuspended'; readonly message: string };
}> {
  if (!isResumable(one))
    return { drift: [], reason: { result: 'Unchanged', message: `${titleOf(one)} is not suspended` } };
  const there = elsewhere(place, one);
  if (there.length > 0) {
    const message = `${titleOf(one)} was suspended in ${there.join(', ')}, and not here; resume it there with --cluster`;
    return { drift: [], reason: { result: 'StaysSuspended', message } };
  }
  const drift = await driftOf(place, one, flags);
  if (drift.length === 0 || flags.onDrift !== 'abort') return { drift };
  const message = `${titleOf(one)} stays suspended: ${drift.length} of its objects differ; look with "navarch package diff ${one.metadata.name ?? ''}"`;
  return { drift, reason: { result: 'StaysSuspended', message } };
}

function isResumable(one: AnyPackage): boolean {
  return isSuspendedBySpec(one.spec) || suspendedText(one) !== 'No' || waits(one);
}

function waits({ status }: AnyPackage): boolean {
  return (
    status?.conditions?.some(({ type, status: is }) => type === 'ResumePending' && is === 'True') === true
  );
}

interface Ready {
  readonly one: AnyPackage;
  /** Objects that are not as they were applied, in words. */
  readonly drift: readonly string[];
}

/** On a control plane: clusters in which somebody suspended it, when it is not suspended here. */
function elsewhere({ onHub }: Place, one: AnyPackage): readonly string[] {
  if (!onHub || isSuspendedBySpec(one.spec) || waits(one)) return [];
  return (one.status?.clusters ?? []).filter(({ suspended }) => suspended === true).map(({ name }) => name);
}

/** What the operator has found, and what somebody else has changed since it looked. */
async function driftOf(place: Place, one: AnyPackage, flags: ResumeFlags): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const { cluster, drift, plan } of await differencesOf(place, one, undefined)) {
    const where = cluster === undefined ? '' : `${cluster}: `;
    if (plan.verdict.state === 'Failed')
      progress(flags, `${where}what it changes is not known here: ${plan.verdict.message}`);
    const others = plan.changes.filter(
      ({ operation, managers = [] }) => operation === 'Update' && managers.length > 0,
    );
    for (const { kind, namespace, name } of [...drift, ...others])
      found.add(`${where}${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`);
  }
  return [...found];
}

/** What suspends it besides its own switch. */
function otherSources({ status }: AnyPackage): readonly SuspensionSource[] {
  return (status?.suspension?.sources ?? []).filter(({ type }) => type !== 'Spec');
}

async function ask(found: readonly Ready[], flags: ResumeFlags): Promise<void> {
  if (flags.dryRun === true || found.length === 0) return;
  const drifted = found.filter(({ drift }) => drift.length > 0);
  const becomes = flags.onDrift === 'keep' ? 'what others own of it stays theirs' : 'it is overwritten';
  for (const { one, drift } of drifted)
    progress(flags, `${titleOf(one)} differs from what was applied, and ${becomes}: ${drift.join(', ')}`);
  if (found.length > 1)
    await confirm(
      flags,
      `Resume these ${found.length} packages: ${found.map(({ one }) => titleOf(one)).join(', ')}?`,
    );
  else if (drifted.length > 0 && flags.onDrift === undefined) await confirm(flags, 'Overwrite what differs?');
}

/** How it went on, as far as it was waited for. */
async function outcome(place: Place, one: AnyPackage, flags: ResumeFlags): Promise<string> {
  if (flags.wait === false) return '';
  const deadlineMs = systemClock.now() + WAIT_MS;
  for (;;) {
    const now = await place.client.get(packagesOfKind(one.kind), keyOf(one));
    if (waits(now))
      return `, and waits: approve plan ${now.status?.suspension?.planHash ?? ''} with --approve`;
    const seen = (now.status?.observedGeneration ?? 0) >= (now.metadata.generation ?? 0);
    const going = now.status?.suspension?.resuming !== true && suspendedText(now) === 'No';
    const state = stateOf(now);
    if (seen && going && state === 'Ready') return ' and ready';
    if (seen && going && state === 'Failed') return `, and failed: ${messageOf(now)}`;
    if (systemClock.now() >= deadlineMs) return `, and not ready yet: ${messageOf(now)}`;
    await sleep(systemClock, POLL_MS);
  }
}

/** What is needed comes before what needs it, as far as packages say; the rest by name. */
export function inDependencyOrder(all: readonly AnyPackage[]): readonly AnyPackage[] {
  const key = (one: AnyPackage): string => `${one.kind}/${packageKey(packageId(one))}`;
  const byKey = new Map(all.map((one) => [key(one), one]));
  const done = new Set<string>();
  const ordered: AnyPackage[] = [];
  const visit = (one: AnyPackage): void => {
    if (done.has(key(one))) return;
    done.add(key(one));
    for (const { kind, name, namespace = '' } of one.status?.ownedPackages ?? []) {
      const needed = byKey.get(`${kind}/${packageKey({ name, namespace })}`);
      if (needed !== undefined) visit(needed);
    }
    ordered.push(one);
  };
  for (const one of all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))) visit(one);
  return ordered;
}

async function showDifferences(place: Place, found: readonly AnyPackage[]): Promise<number> {
  let differs = false;
  for (const one of found) {
    const differences = await differencesOf(place, one, undefined);
    differs ||= differences.some(({ drift, plan }) => drift.length > 0 || plan.changes.length > 0);
    for (const line of differenceLines(one, differences)) print(line);
  }
  return differs ? 1 : 0;
}
