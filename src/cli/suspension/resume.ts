// `resume`: lets it go on, after it was said what that changes.
import { Command, Option } from 'commander';
import { formatYaml } from '../../client/index.ts';
import { stoppedBy, stoppedText } from '../../propagation/index.ts';
import { columns } from '../columns.ts';
import { print, type SetExitCode } from '../command.ts';
import { withSession, type Session } from '../objects/index.ts';
import { listOption, shape } from '../shell/index.ts';
import { confirmed, eachTarget, type AskFlags } from './batch.ts';
import { pendingChanges, type Pending, type PendingChange } from './pending.ts';
import { isSuspended, refuseClusters } from './suspend.ts';
import { targetsOf, titleOfTarget, withSelection, type SelectionFlags, type Target } from './targets.ts';
import { resume } from './write.ts';

interface ResumeFlags extends SelectionFlags, AskFlags {
  readonly reason?: string;
  readonly cluster: readonly string[];
  readonly dryRun?: boolean;
  readonly output?: 'json' | 'yaml';
}

export function resumeCommand(exit: SetExitCode): Command {
  const command = withSelection(new Command('resume'))
    .description('resume what was suspended, after showing what that changes in the clusters')
    .argument(
      '<type/name...>',
      'policy/NAME, binding/NAME, cluster/NAME, package/NAME, rollout/NAME, or TYPE with names or --selector',
    )
    .option('--reason <text>', 'why it goes on; kept in its history')
    .addOption(listOption('--cluster <name>', 'of policies: dispatch to these clusters again'))
    .option('--dry-run', 'only say what would change')
    .option('-y, --yes', 'do not ask when something changes')
    .addOption(
      new Option('-o, --output <format>', 'how to print what would change, with --dry-run').choices([
        'json',
        'yaml',
      ]),
    )
    .action(async (operands: readonly string[], flags: ResumeFlags) => {
      exit(await withSession(flags, (session) => run(session, operands, flags)));
    });
  return shape(command, {
    group: 'Advanced',
    examples: `
      # What would happen
      %s resume policy/web -n shop --dry-run

      # Go on, and say why
      %s resume policy/web -n shop --reason "migration is done"

      # Every cluster of a region
      %s resume clusters -l region=eu-1 --yes`,
  });
}

interface Resumable {
  readonly target: Target;
  readonly pending: Pending;
}

async function run(session: Session, operands: readonly string[], flags: ResumeFlags): Promise<number> {
  const found = await targetsOf(session, operands, flags);
  const clusters = flags.cluster.length === 0 ? undefined : flags.cluster;
  for (const target of found) refuseClusters(target, clusters);
  const targets = found.filter(isSuspended);
  for (const target of found) if (!isSuspended(target)) print(`${titleOfTarget(target)} is not suspended`);
  const resumable: Resumable[] = [];
  for (const target of targets)
    resumable.push({ target, pending: await pendingOf(session, target, clusters) });
  if (flags.dryRun === true) {
    show(resumable, flags.output);
    return 0;
  }
  const lines = resumable.flatMap(linesOf);
  const changes = resumable.reduce((sum, { pending }) => sum + pending.changes.length, 0);
  if (changes > 0 || targets.length > 1)
    await confirmed(
      flags,
      lines,
      `Resume ${targets.length === 1 ? titleOfTarget(targets[0]!) : `these ${targets.length}`}?`,
    );
  else for (const line of lines) process.stderr.write(`${line}\n`);
  return eachTarget(targets, async (target) => {
    const before = target.family === 'propagation' ? stoppedBy(target.object) : undefined;
    await resume(session, target, { reason: flags.reason, clusters }, false);
    print(
      `${titleOfTarget(target)} resumed${before === undefined ? '' : `: ${stoppedText(before)} goes on`}`,
    );
  });
}

const NOTHING: Pending = { changes: [], unchanged: 0, skipped: 0 };

async function pendingOf(
  session: Session,
  target: Target,
  clusters: readonly string[] | undefined,
): Promise<Pending> {
  if (target.family === 'propagation') return pendingChanges(session, target.object, clusters);
  if (target.family === 'rollout') return NOTHING;
  const { pendingChanges: waiting = [], drift = [] } = target.object.status?.suspension ?? {};
  const changes = [...waiting, ...drift].map(
    ({ kind, namespace, name, paths = [], class: drifted }): PendingChange => ({
      cluster: '',
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      what: drifted === 'Missing' ? 'create' : 'update',
      fields: paths,
    }),
  );
  return { ...NOTHING, changes };
}

function show(resumable: readonly Resumable[], output: 'json' | 'yaml' | undefined): void {
  if (output === undefined) {
    for (const one of resumable) for (const line of linesOf(one)) print(line);
    return;
  }
  const plain = resumable.map(({ target: { object }, pending }) => ({
    kind: object.kind,
    name: object.metadata.name,
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
    ...pending,
  }));
  print(output === 'json' ? JSON.stringify(plain, null, 2) : formatYaml(plain).trimEnd());
}

// LIMIT: fields of one object that a line names.
const FIELDS_MAX = 4;

function linesOf({ target, pending }: Resumable): readonly string[] {
  const { changes, unchanged, skipped } = pending;
  const title = titleOfTarget(target);
  if (target.object.kind.endsWith('ResourceBinding'))
    return [`${title}: the scheduler looks at it again; "navarch why" tells what it decides`];
  if (target.family === 'rollout')
    return [`${title}: its waves go on; "navarch package rollout status" tells where they are`];
  const rest = [
    ...(unchanged === 0 ? [] : [`${unchanged} as they are wanted`]),
    ...(skipped === 0 ? [] : [`${skipped} more were not compared`]),
  ];
  const more = rest.length === 0 ? '' : ` (${rest.join(', ')})`;
  if (changes.length === 0) return [`${title}: nothing changes${more}`];
  const rows = changes.map(({ cluster, kind, namespace, name, what, fields }) => [
    cluster === '' ? '-' : cluster,
    `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    what,
    fields.length > FIELDS_MAX
      ? `${fields.slice(0, FIELDS_MAX).join(', ')} and ${fields.length - FIELDS_MAX} more`
      : fields.join(', '),
  ]);
  return [
    `${title}: ${changes.length} ${changes.length === 1 ? 'object changes' : 'objects change'}${more}`,
    ...columns(['CLUSTER', 'OBJECT', 'WHAT', 'FIELDS'], rows).map((line) => `  ${line}`),
  ];
}
