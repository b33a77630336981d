// `cordon`, `uncordon` and `taint`: what keeps new workloads away from a member, as taints of its Cluster object.
import type { Command } from 'commander';
import type { Cluster } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { isLabelValue, isQualifiedName } from '../machinery/index.ts';
import { print, withHub, type SetExitCode } from './command.ts';
import {
  changeEach,
  completeNames,
  dryRunSuffix,
  readDryRun,
  withDryRun,
  withSession,
  type DryRun,
  type HubFlags,
  type Session,
} from './objects/index.ts';
import { objectPrinter, withOutput, type OutputFlags } from './output/index.ts';
import { CommandError, throwAll, upstreamCommand } from './shell/index.ts';

type Taint = NonNullable<Cluster['spec']['taints']>[number];

const UNSCHEDULABLE: Taint = { key: 'cluster.karmada.io/unschedulable', effect: 'NoSchedule' };

interface CordonFlags extends HubFlags {
  readonly dryRun: string;
}

export function cordonCommand(exit: SetExitCode): Command {
  return cordoning('cordon', exit)
    .summary('Mark cluster as unschedulable')
    .description('Mark a cluster as unschedulable: nothing new is scheduled to it, what runs there stays.');
}

export function uncordonCommand(exit: SetExitCode): Command {
  return cordoning('uncordon', exit)
    .summary('Mark cluster as schedulable')
    .description('Mark a cluster as schedulable again.');
}

function cordoning(verb: 'cordon' | 'uncordon', exit: SetExitCode): Command {
  const command = upstreamCommand(verb, {
    group: 'Cluster management',
    examples: `# ${verb === 'cordon' ? 'Send nothing new to' : 'Use again'} the cluster member1\n%s ${verb} member1`,
    complete: completeNames('clusters'),
  });
  return withDryRun(withHub(command))
    .argument('[cluster...]', 'name of the cluster')
    .action(async (names: readonly string[], flags: CordonFlags) => {
      const [name, ...others] = names;
      if (name === undefined) throw new CommandError('cluster name is required');
      if (others.length > 0) throw new CommandError('more than one cluster name is not supported');
      await withSession(flags, (session) => setCordon(session, name, verb, flags));
      exit(0);
    });
}

async function setCordon(
  session: Session,
  name: string,
  verb: 'cordon' | 'uncordon',
  flags: CordonFlags,
): Promise<void> {
  const cluster = await session.client.get(kinds.clusters, { name });
  const taints = cluster.spec.taints ?? [];
  const isCordon = ({ key, effect }: Taint): boolean =>
    key === UNSCHEDULABLE.key && effect === UNSCHEDULABLE.effect;
  const cordoned = taints.some(isCordon);
  if (cordoned === (verb === 'cordon')) return print(`${name} cluster already ${verb}ed`);
  const next = cordoned ? taints.filter((taint) => !isCordon(taint)) : [...taints, UNSCHEDULABLE];
  await writeTaints(session, cluster, next, readDryRun(flags.dryRun));
  print(`${name} cluster ${verb}ed${suffixOf(flags)}`);
}

/** COMPAT: upstream's --dry-run says nothing of itself; kubectl's, with a value, does. */
function suffixOf({ dryRun }: { readonly dryRun: string }): string {
  return dryRun === 'unchanged' ? '' : dryRunSuffix(readDryRun(dryRun));
}

/** Only if nobody else changed the Cluster meanwhile: a list in a merge patch is the whole list. */
async function writeTaints(
  session: Session,
  cluster: Cluster,
  taints: readonly Taint[],
  dryRun: DryRun,
): Promise<Cluster> {
  const { name = '', resourceVersion } = cluster.metadata;
  if (dryRun === 'client') return { ...cluster, spec: { ...cluster.spec, taints } };
  const body = { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } };
  return session.client.patch(
    kinds.clusters,
    { name },
    { type: 'merge', body },
    { dryRun: dryRun === 'server' },
  );
}

interface TaintFlags extends HubFlags, OutputFlags {
  readonly overwrite?: boolean;
  readonly dryRun: string;
}

const TAINT_EXAMPLES = `
  # Keep away what does not tolerate it
  %s taint clusters member1 dedicated=special-user:NoSchedule

  # Remove a taint with one effect, and with all effects
  %s taint clusters member1 dedicated:NoSchedule-
  %s taint clusters member1 dedicated-

  # Change the value of a taint
  %s taint clusters member1 dedicated=other:NoSchedule --overwrite`;

export function taintCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('taint', {
    group: 'Cluster management',
    examples: TAINT_EXAMPLES,
    complete: async (request) =>
      request.operands.length === 0 && request.flag === undefined
        ? ['clusters']
        : completeNames('clusters', true)(request),
  });
  return withDryRun(withOutput(withHub(command)))
    .summary('Update the taints on one or more clusters')
    .description(
      'Update the taints on one or more clusters. A taint has a key, an optional value and an effect: NoSchedule, PreferNoSchedule or NoExecute.',
    )
    .argument('[words...]', 'clusters NAME... KEY=VALUE:EFFECT... KEY:EFFECT-... KEY-...')
    .option('--overwrite', 'allow taints to be overwritten')
    .action(async (words: readonly string[], flags: TaintFlags) => {
      await withSession(flags, (session) => taint(session, words, flags));
      exit(0);
    });
}

interface TaintChanges {
  readonly add: readonly Taint[];
  readonly remove: readonly { readonly key: string; readonly effect: string }[];
}

async function taint(session: Session, words: readonly string[], flags: TaintFlags): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  const printer = await objectPrinter(flags, false);
  const { names, changes } = readTaintWords(words);
  const errors = await changeEach(names, async (name) => {
    const cluster = await session.client.get(kinds.clusters, { name });
    const { taints, operation } = changeTaints(
      name,
      cluster.spec.taints ?? [],
      changes,
      flags.overwrite === true,
    );
    const written = await writeTaints(session, cluster, taints, dryRun);
    if (printer === undefined) print(`cluster/${name} ${operation}${suffixOf(flags)}`);
    else process.stdout.write(printer(written));
  });
  throwAll(errors);
}

function readTaintWords(words: readonly string[]): { names: readonly string[]; changes: TaintChanges } {
  const isTaint = (word: string): boolean => word.includes(':') || word.endsWith('-') || word.includes('=');
  const first = words.findIndex(isTaint);
  const resources = first < 0 ? words : words.slice(0, first);
  const specs = first < 0 ? [] : words.slice(first);
  const late = specs.find((word) => !isTaint(word));
  if (late !== undefined)
    throw new CommandError(`all resources must be specified before taint changes: ${late}`);
  const [type, ...names] = resources;
  if (type === undefined)
    throw new CommandError('one or more resources must be specified as <resource> <name>');
  if (specs.length === 0) throw new CommandError('at least one taint update is required');
  const changes = readTaints(specs);
  const lower = type.toLowerCase();
  if (lower !== 'cluster' && lower !== 'clusters')
    throw new CommandError(`invalid resource type ${lower}, only ["cluster" "clusters"] are supported`);
  refuseBoth(changes);
  if (names.length === 0) throw new CommandError('at least one resource name must be specified');
  return { names, changes };
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

function readTaints(specs: readonly string[]): TaintChanges {
  const add: Taint[] = [];
  const remove: { key: string; effect: string }[] = [];
  for (const spec of specs) {
    if (spec.endsWith('-')) {
      const [key = '', effect = ''] = spec.slice(0, -1).split(':');
      remove.push({ key: key.split('=')[0] ?? '', effect });
      if (effect !== '') readEffect(effect, spec);
      continue;
    }
    const taint = readTaint(spec);
    if (add.some(({ key, effect }) => key === taint.key && effect === taint.effect))
      throw new CommandError(
        `duplicated taints with the same key and effect: {${taint.key} ${taint.value ?? ''} ${taint.effect}}`,
      );
    add.push(taint);
  }
  return { add, remove };
}

function refuseBoth({ add, remove }: TaintChanges): void {
  const both = add.flatMap((one) =>
    remove.filter(({ key, effect }) => key === one.key && (effect === '' || effect === one.effect)),
  );
  if (both.length === 0) return;
  const texts = both.map(({ key, effect }) => `{"${key}":"${effect}"}`);
  throw new CommandError(
    `can not both modify and remove the following taint(s) in the same command: ${texts.join(', ')}`,
  );
}

function readTaint(spec: string): Taint {
  const parts = spec.split(':');
  const [keyValue = '', effect = ''] = parts;
  const [key = '', value, ...more] = keyValue.split('=');
  const invalid = (why: string): CommandError =>
    new CommandError(`invalid taint spec: ${spec}${why === '' ? '' : `, ${why}`}`);
  if (parts.length !== 2 || more.length > 0 || key === '') throw invalid('');
  const [keyProblem] = isQualifiedName(key);
  if (keyProblem !== undefined) throw invalid(keyProblem);
  const [valueProblem] = isLabelValue(value ?? '');
  if (valueProblem !== undefined) throw invalid(valueProblem);
  return { key, ...(value === undefined ? {} : { value }), effect: readEffect(effect, spec) };
}

function readEffect(effect: string, spec: string): Taint['effect'] {
  const known = EFFECTS.find((one) => one === effect);
  if (known === undefined)
    throw new CommandError(`invalid taint effect: ${effect}, unsupported taint effect in "${spec}"`);
  return known;
}

function changeTaints(
  name: string,
  before: readonly Taint[],
  { add, remove }: TaintChanges,
  overwrite: boolean,
): { readonly taints: readonly Taint[]; readonly operation: string } {
  const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const present = add.filter((one) => before.some((taint) => isSame(taint, one)));
  if (!overwrite && present.length > 0)
    throw new CommandError(
      `cluster ${name} already has ${present.map(({ key }) => key).join(',')} taint(s) with same effect(s) and --overwrite is false`,
    );
  let taints: readonly Taint[] = before;
  for (const one of remove) {
    const left = taints.filter(
      ({ key, effect }) => key !== one.key || (one.effect !== '' && effect !== one.effect),
    );
    if (left.length === taints.length)
      throw new CommandError(`taint "${one.effect === '' ? one.key : `${one.key}:${one.effect}`}" not found`);
    taints = left;
  }
  // COMPAT: new ones first, as upstream puts them.
  taints = [...add, ...taints.filter((taint) => !add.some((one) => isSame(one, taint)))];
  return { taints, operation: operationOf(add.length > 0, remove.length > 0, overwrite) };
}

function operationOf(added: boolean, removed: boolean, overwrite: boolean): string {
  if (overwrite || (added && removed)) return 'modified';
  return added ? 'tainted' : 'untainted';
}
