// `plan`: what a change would make of the fleet, before it is made; and the change itself, if the world is still the one that
// was planned for.
import { Command, Option } from 'commander';
import { OperatingError, systemClock } from '../../base/index.ts';
import { formatYaml } from '../../client/index.ts';
import {
  preview,
  previewText,
  type Change,
  type Preview,
  type World,
  type WorldView,
} from '../../explain/index.ts';
import type { SetExitCode } from '../command.ts';
import {
  filesGiven,
  withFiles,
  withNamespace,
  withSession,
  type FileFlags,
  type HubFlags,
  type Session,
} from '../objects/index.ts';
import { shape } from '../shell/index.ts';
import { WorldReader, readFleet } from '../world.ts';
import { carryOut } from './carry-out.ts';
import { readEdits, type ClusterEdit, type Edits } from './edits.ts';
import { loadPlan, planOf, savePlan, stillHolds, type SavedPlan } from './saved.ts';

interface PlanFlags extends HubFlags, FileFlags {
  readonly delete: readonly string[];
  readonly output?: 'json' | 'yaml' | 'wide';
  readonly largeMove: string;
  readonly detailedExitcode?: boolean;
  readonly save?: string;
  readonly from?: string;
  readonly apply?: boolean;
  readonly yes?: boolean;
}

/** With --detailed-exitcode, for a plan that changes something. 1 is failed and 2 is misused. */
const CHANGES = 3;

const EXAMPLES = `
  # What an edited policy would move
  %s plan -f policy.yaml

  # What a taint and a label would do
  %s plan --taint-cluster member1 maintenance=yes:NoExecute
  %s plan --label-cluster member2 tier=gold

  # What would happen without a policy, or without a cluster
  %s plan --delete propagationpolicy/web -n shop
  %s plan --delete cluster/member3

  # Do exactly what is shown, or refuse
  %s plan -f policy.yaml --apply

  # Show now, do later, if the world is still the same
  %s plan -f policy.yaml --save plan.json
  %s plan --from plan.json --apply

  # In a pipeline: 0 nothing changes, 3 something does
  %s plan -f manifests/ -R --detailed-exitcode`;

export function planCommand(exit: SetExitCode): Command {
  const clusterFlags: { flag: ClusterEdit['flag']; cluster: string }[] = [];
  const clusterFlag = (flag: ClusterEdit['flag'], form: string, help: string): Option =>
    new Option(`--${flag} <cluster>`, `${help}; ${form} follows`).argParser((cluster: string) => {
      clusterFlags.push({ flag, cluster });
      return cluster;
    });
  const command = withFiles(withNamespace(new Command('plan')), 'with policies, overrides or templates')
    .description('show what a change would move, before it is made')
    .argument('[value...]', 'the labels and taints of --label-cluster and --taint-cluster, in their order')
    .addOption(
      new Option('--delete <kind/name>', 'plan without this object; may be repeated')
        .default([], '[]')
        .argParser((text: string, before: unknown) => [...(before as readonly string[]), text]),
    )
    .addOption(clusterFlag('label-cluster', 'KEY=VALUE or KEY-', 'plan with another label of a cluster'))
    .addOption(
      clusterFlag('taint-cluster', 'KEY=VALUE:EFFECT or KEY:EFFECT-', 'plan with another taint of a cluster'),
    )
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml', 'wide']))
    .option('--large-move <percent>', 'flag a plan that moves more of the fleet than this', '20')
    .option('--detailed-exitcode', `exit with ${CHANGES} when something would change`)
    .option('--save <file>', 'keep the plan for --from')
    .option('--from <file>', 'take the plan that --save kept')
    .option('--apply', 'make the change, exactly as shown; refused when what was read has changed')
    .option('-y, --yes', 'with --apply on a terminal: do not ask')
    .action(async (values: readonly string[], flags: PlanFlags) => {
      const edits = pairUp(clusterFlags, values);
      await withSession(
        flags,
        async (session) => exit(await run(session, flags, edits)),
        // COMPAT: objects are declared as kubectl declares them, so that both can go on from there.
        { fieldManager: 'kubectl-client-side-apply' },
      );
    });
  return shape(command, { group: 'Advanced', examples: EXAMPLES });
}

/** Each cluster flag takes the next word: `--label-cluster member1 tier=gold`. */
function pairUp(
  flags: readonly { readonly flag: ClusterEdit['flag']; readonly cluster: string }[],
  values: readonly string[],
): readonly ClusterEdit[] {
  if (flags.length === values.length)
    return flags.map((one, index) => ({ ...one, value: values[index] ?? '' }));
  throw new OperatingError(
    'BAD_ARGUMENT',
    flags.length > values.length
      ? `--${flags[values.length]?.flag ?? ''} ${flags[values.length]?.cluster ?? ''} does not say what to set`
      : `"${values[flags.length] ?? ''}" belongs to no flag`,
    'write --label-cluster CLUSTER KEY=VALUE and --taint-cluster CLUSTER KEY=VALUE:EFFECT',
  );
}

function percentOf(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new OperatingError('BAD_FLAG', `--large-move is no percentage: "${text}"`, 'write it like 20');
}

async function run(
  session: Session,
  flags: PlanFlags,
  clusterEdits: readonly ClusterEdit[],
): Promise<number> {
  const largeMovePercent = percentOf(flags.largeMove);
  const given = filesGiven(flags) || flags.delete.length > 0 || clusterEdits.length > 0;
  if (given === (flags.from !== undefined)) {
    throw new OperatingError(
      'BAD_FLAG',
      given ? 'a saved plan takes no further changes' : 'there is nothing to plan',
      given
        ? 'leave out either --from or the changes'
        : 'name a change: -f FILE, --delete, --label-cluster, --taint-cluster, or --from',
    );
  }
  const saved = flags.from === undefined ? undefined : await loadPlan(flags.from);
  const edits: Edits = saved ?? (await readEdits(session, flags, flags.delete, clusterEdits));
  const now = await gather(session, edits.changes);
  const shown = await preview(now, edits.changes, { largeMovePercent });
  const plan: SavedPlan = saved ?? planOf(edits, shown, now.world);
  show(saved === undefined ? shown : plan.preview, flags, now.world.unread);
  if (flags.save !== undefined) {
    await savePlan(flags.save, plan);
    process.stderr.write(
      `navarch: the plan is kept in ${flags.save}; carry it out with plan --from ${flags.save} --apply\n`,
    );
  }
  if (flags.apply === true) {
    if (plan.writes.length === 0) {
      process.stderr.write('navarch: there is nothing to apply\n');
      return 0;
    }
    if (!(await confirmed(flags, plan))) {
      process.stderr.write('navarch: nothing was applied\n');
      return 1;
    }
    // What was shown may be older than what a person took to read it.
    const latest = await gather(session, edits.changes);
    const again = await preview(latest, edits.changes, { largeMovePercent });
    stillHolds(plan, again, latest.world);
    await carryOut(session.client, plan.writes);
    return 0;
  }
  const changes = plan.writes.length > 0 || plan.preview.moves.length > 0;
  return flags.detailedExitcode === true && changes ? CHANGES : 0;
}

/** Reads the fleet and the templates that `changes` may concern. */
async function gather(session: Session, changes: readonly Change[]): Promise<WorldView> {
  const reader = new WorldReader(session.client, systemClock);
  const view = await readFleet(reader, session.mapper, (world) => kindsConcerned(world, changes));
  const missing = view.world.unread.filter((name) => NEEDED.has(name));
  if (missing.length === 0) return view;
  // A plan that leaves out what it may not see would say that nothing moves.
  throw new OperatingError(
    'NOT_ALLOWED',
    `a plan needs to read ${missing.join(', ')}, which you may not`,
    'plan as somebody who may list these in all namespaces',
  );
}

const NEEDED: ReadonlySet<string> = new Set([
  'clusters',
  'propagationpolicies',
  'clusterpropagationpolicies',
  'overridepolicies',
  'clusteroverridepolicies',
  'resourcebindings',
  'clusterresourcebindings',
]);

interface KindName {
  readonly apiVersion: string;
  readonly kind: string;
}

function kindsConcerned(world: World, changes: readonly Change[]): readonly KindName[] {
  const bound: readonly KindName[] = world.bindings.map(({ spec }) => spec.resource);
  return changes.flatMap((change): readonly KindName[] => {
    if (!('object' in change)) return bound;
    const { object } = change;
    const before = [...world.policies, ...world.clusterPolicies].find(
      ({ kind, metadata }) =>
        kind === object.kind &&
        metadata.name === object.metadata.name &&
        metadata.namespace === object.metadata.namespace,
    );
    switch (object.kind) {
      case 'PropagationPolicy':
      case 'ClusterPropagationPolicy': {
        const { spec } = object as typeof object & { spec: NonNullable<typeof before>['spec'] };
        return [...spec.resourceSelectors, ...(before?.spec.resourceSelectors ?? [])];
      }
      case 'OverridePolicy':
      case 'ClusterOverridePolicy':
        return bound;
      default:
        return [object];
    }
  });
}

function show(shown: Preview, flags: PlanFlags, unread: readonly string[]): void {
  const whole = unread.length === 0 ? shown : { ...shown, unread };
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
  else if (flags.output === 'yaml') process.stdout.write(formatYaml(whole));
  else process.stdout.write(previewText(shown, { wide: flags.output === 'wide' }));
  if (unread.length > 0)
    process.stderr.write(`navarch: not readable to you, and left out of the plan: ${unread.join(', ')}\n`);
}

async function confirmed(flags: PlanFlags, plan: SavedPlan): Promise<boolean> {
  if (flags.yes === true || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Write ${plan.writes.length} object(s)? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
