// `label` and `annotate`: add, change, remove and list labels and annotations of objects of the control plane.
import type { Command } from 'commander';
import type { KubeObject, ObjectMeta } from '../api/index.ts';
import { deepEqual, isLabelValue, isQualifiedName, mergePatchBetween } from '../machinery/index.ts';
import { print, type SetExitCode } from './command.ts';
import {
  changeEach,
  completeObjects,
  filesGiven,
  findTargets,
  keyOf,
  readDryRun,
  readObjects,
  tell,
  withDryRun,
  withFiles,
  withNamespace,
  withSession,
  withSource,
  type DryRun,
  type FileFlags,
  type HubFlags,
  type ObjectTarget,
  type Session,
} from './objects/index.ts';
import { objectPrinter, withOutput, type ObjectPrinter, type OutputFlags } from './output/index.ts';
import { CommandError, throwAll, upstreamCommand } from './shell/index.ts';

interface MarkFlags extends HubFlags, FileFlags, OutputFlags {
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly overwrite?: boolean;
  readonly list?: boolean;
  readonly local?: boolean;
  readonly resourceVersion?: string;
  readonly fieldManager: string;
  readonly dryRun: string;
}

interface Kind {
  readonly command: 'label' | 'annotate';
  readonly noun: 'label' | 'annotation';
  readonly field: 'labels' | 'annotations';
}

const LABEL: Kind = { command: 'label', noun: 'label', field: 'labels' };
const ANNOTATE: Kind = { command: 'annotate', noun: 'annotation', field: 'annotations' };

const EXAMPLES = (command: string): string => `
  # Set one
  %s ${command} deployment web -n shop tier=front

  # Change one that is there
  %s ${command} deployment web -n shop tier=back --overwrite

  # Remove one
  %s ${command} deployment web -n shop tier-

  # Set one on all Clusters of a region
  %s ${command} clusters -l region=eu checked=true`;

export function labelCommand(exit: SetExitCode): Command {
  return markCommand(LABEL, exit);
}

export function annotateCommand(exit: SetExitCode): Command {
  return markCommand(ANNOTATE, exit);
}

function markCommand(kind: Kind, exit: SetExitCode): Command {
  const { command: name, noun } = kind;
  const command = upstreamCommand(name, {
    group: 'Settings',
    examples: EXAMPLES(name),
    complete: completeObjects,
  });
  withDryRun(
    withOutput(withFiles(withNamespace(command), `identifying the resource to update the ${noun}s.`)),
  );
  return command
    .description(`Update the ${noun}s on a resource`)
    .argument('[words...]', `TYPE NAME..., or TYPE/NAME..., then KEY=VALUE or KEY- each`)
    .option('--all', 'select all resources, in the namespace of the specified resource types')
    .option('-A, --all-namespaces', 'select across all namespaces')
    .option('-l, --selector <selector>', 'label selector to filter on')
    .option('--field-selector <selector>', 'field selector to filter on')
    .option('--overwrite', `allow ${noun}s to be overwritten`)
    .option('--list', `display the ${noun}s for a given resource`)
    .option('--local', 'not contact the server, only print what the files would become')
    .option('--resource-version <version>', 'only succeed when the object has this version')
    .option('--field-manager <name>', 'name of the manager used to track field ownership', `kubectl-${name}`)
    .action(async (words: readonly string[], flags: MarkFlags) => {
      await withSession(flags, (session) => mark(kind, session, words, flags));
      exit(0);
    });
}

interface Changes {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

async function mark(kind: Kind, session: Session, words: readonly string[], flags: MarkFlags): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  const { operands, changes } = splitWords(kind, words);
  if (operands.length === 0 && !filesGiven(flags))
    throw new CommandError(
      'one or more resources must be specified as <resource> <name> or <resource>/<name>',
    );
  if (changes.set.size === 0 && changes.remove.length === 0 && flags.list !== true)
    throw new CommandError(`at least one ${kind.noun} update is required`);
  if (flags.local === true) return markFiles(kind, changes, flags, dryRun);
  const selected = flags.all === true || flags.selector !== undefined || flags.fieldSelector !== undefined;
  const printer = await objectPrinter(flags, false);
  const targets = await findTargets(session, operands, flags, {
    selected,
    allNamespaces: flags.allNamespaces === true,
    labelSelector: flags.selector,
    fieldSelector: flags.fieldSelector,
  });
  if (targets.length > 1 && flags.resourceVersion !== undefined)
    throw new CommandError('--resource-version may only be used with a single resource');
  const errors = await changeEach(targets, (target) =>
    markOne(kind, session, target, changes, flags, dryRun, printer),
  );
  throwAll(errors);
}

/** What objects of files would become; no server is asked. */
async function markFiles(kind: Kind, changes: Changes, flags: MarkFlags, dryRun: DryRun): Promise<void> {
  if (!filesGiven(flags))
    throw new CommandError(
      'can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set',
    );
  if (dryRun === 'server')
    throw new CommandError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  const printer = await objectPrinter(flags, false);
  for (const { object } of await readObjects(flags)) {
    const after = changed(kind, object, changes, flags);
    if (flags.list === true) listMarks(kind, after);
    else tell(after, verb(kind, object, after, flags.overwrite === true), dryRun, printer);
  }
}

function listMarks({ field }: Kind, object: KubeObject): void {
  const marks = Object.entries(object.metadata[field] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of marks) print(`${key}=${value}`);
}

async function markOne(
  kind: Kind,
  session: Session,
  target: ObjectTarget,
  changes: Changes,
  flags: MarkFlags,
  dryRun: DryRun,
  printer: ObjectPrinter | undefined,
): Promise<void> {
  try {
    const before = target.object ?? (await session.client.get<KubeObject>(target.resource, keyOf(target)));
    const after = changed(kind, before, changes, flags);
    if (flags.list === true) return listMarks(kind, after);
    const body = mergePatchBetween(before, after);
    const written =
      body === undefined || dryRun === 'client'
        ? after
        : await session.client.patch<KubeObject>(
            target.resource,
            keyOf(target),
            { type: 'merge', body },
            { fieldManager: flags.fieldManager, dryRun: dryRun === 'server' },
          );
    tell(written, verb(kind, before, after, flags.overwrite === true), dryRun, printer);
  } catch (error) {
    throw withSource('patching', target.source, error);
  }
}

/** COMPAT: "labeled" unless the object got smaller. */
function verb({ command }: Kind, before: KubeObject, after: KubeObject, overwrite: boolean): string {
  if (command === 'annotate') return 'annotated';
  if (deepEqual(before, after)) return 'not labeled';
  return !overwrite && JSON.stringify(after).length < JSON.stringify(before).length ? 'unlabeled' : 'labeled';
}

function changed({ noun, field }: Kind, object: KubeObject, changes: Changes, flags: MarkFlags): KubeObject {
  const marks = new Map(Object.entries(object.metadata[field] ?? {}));
  const taken = [...changes.set].filter(([key, value]) => marks.has(key) && marks.get(key) !== value);
  if (flags.overwrite !== true && taken.length > 0) {
    const texts = taken.map(([key]) => `'${key}' already has a value (${marks.get(key) ?? ''})`);
    throw new CommandError(
      noun === 'label'
        ? texts.map((text) => `${text}, and --overwrite is false`).join('\n')
        : `--overwrite is false but found the following declared annotation(s): ${texts.join('; ')}`,
    );
  }
  for (const key of changes.remove) {
    if (noun === 'label' && !marks.has(key)) print(`label "${key}" not found.`);
    marks.delete(key);
  }
  for (const [key, value] of changes.set) marks.set(key, value);
  const { [field]: _, ...rest } = object.metadata;
  const metadata: ObjectMeta = {
    ...rest,
    ...(marks.size === 0 ? {} : { [field]: Object.fromEntries(marks) }),
    ...(flags.resourceVersion === undefined ? {} : { resourceVersion: flags.resourceVersion }),
  };
  return { ...object, metadata };
}

/** Objects first, then changes: a word with `=`, or one that ends with `-` and is no object's name. */
function splitWords(
  { noun }: Kind,
  words: readonly string[],
): { operands: readonly string[]; changes: Changes } {
  const isChange = (word: string): boolean => /^[^=]+=/.test(word) || (word.endsWith('-') && word.length > 1);
  const first = words.findIndex(isChange);
  const operands = first < 0 ? words : words.slice(0, first);
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const word of first < 0 ? [] : words.slice(first)) {
    if (!isChange(word))
      throw new CommandError(`all resources must be specified before ${noun} changes: ${word}`);
    const equals = word.indexOf('=');
    if (equals < 0) {
      remove.push(word.slice(0, -1));
      continue;
    }
    const [key, value] = [word.slice(0, equals), word.slice(equals + 1)];
    checkMark(noun, word, key, value);
    set.set(key, value);
  }
  const both = remove.filter((key) => set.has(key));
  if (both.length > 0)
    throw new CommandError(
      noun === 'label'
        ? 'can not both modify and remove a label in the same command'
        : `can not both modify and remove the following annotation(s) in the same command: ${both.join(',')}`,
    );
  return { operands, changes: { set, remove } };
}

function checkMark(noun: string, word: string, key: string, value: string): void {
  const [keyProblem] = isQualifiedName(key);
  if (keyProblem !== undefined) throw new CommandError(`invalid ${noun} key: "${word}": ${keyProblem}`);
  const [valueProblem] = noun === 'label' ? isLabelValue(value) : [];
  if (valueProblem !== undefined) throw new CommandError(`invalid ${noun} value: "${word}": ${valueProblem}`);
}
