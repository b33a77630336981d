// `delete`: objects of the control plane, by names, files or selectors; waits until they are gone unless told otherwise.
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { sleep, systemClock } from '../base/index.ts';
import { isNotFound, type DeleteOptions } from '../client/index.ts';
import { DurationError, parseDuration } from '../machinery/index.ts';
import { print, type SetExitCode } from './command.ts';
import {
  NOTHING_NAMED,
  changeEach,
  completeObjects,
  dryRunSuffix,
  filesGiven,
  findTargets,
  keyOf,
  kindWithGroup,
  readDryRun,
  withDryRun,
  withFiles,
  withNamespace,
  withSession,
  withSource,
  type FileFlags,
  type HubFlags,
  type Session,
  type ObjectTarget,
} from './objects/index.ts';
import { formatJson } from './output/index.ts';
import { CommandError, onByDefault, throwAll, upstreamCommand } from './shell/index.ts';

interface DeleteFlags extends HubFlags, FileFlags {
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly cascade: string;
  readonly force?: boolean;
  readonly gracePeriod: string;
  readonly now?: boolean;
  readonly ignoreNotFound?: boolean;
  readonly timeout: string;
  readonly wait: boolean;
  readonly output?: string;
  readonly dryRun: string;
  readonly interactive?: boolean;
  readonly raw?: string;
}

const EXAMPLES = `
  # Delete what a file declares
  %s delete -f ./web.yaml

  # Delete objects by type and name
  %s delete deployment/web service/web -n shop

  # Delete by label, without waiting until they are gone
  %s delete configmaps -l app=web --wait=false

  # Only say what would be deleted
  %s delete propagationpolicies --all --dry-run=client`;

// LIMIT: "for ever", as kubectl counts it.
const FOREVER_MS = 7 * 24 * 3600 * 1000;
const POLL_MAX_MS = 500;

export function deleteCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('delete', {
    group: 'Basic',
    examples: EXAMPLES,
    complete: completeObjects,
  });
  withDryRun(withFiles(withNamespace(command), 'containing the resource to delete.'));
  return command
    .description(
      'Delete resources by file names, stdin, resources and names, or by resources and label selector',
    )
    .argument('[type]', 'TYPE[,TYPE...] or TYPE/NAME')
    .argument('[names...]', 'names, or more TYPE/NAME')
    .option('--all', 'delete all resources, in the namespace of the specified resource types')
    .option('-A, --all-namespaces', 'delete the requested objects across all namespaces')
    .option('-l, --selector <selector>', 'label selector to filter on')
    .option('--field-selector <selector>', 'field selector to filter on')
    .option(
      '--cascade [strategy]',
      'what happens to dependents: background, orphan or foreground',
      'background',
    )
    .option('--force', 'remove resources from API and bypass graceful deletion')
    .option(
      '--grace-period <seconds>',
      'time for the resource to terminate gracefully; negative: its own',
      '-1',
    )
    .option('--now', 'signal for immediate shutdown: the same as --grace-period=1')
    .option('--ignore-not-found', 'treat "resource not found" as a successful delete')
    .option('--timeout <duration>', 'how long to wait before giving up; zero means as long as it takes', '0s')
    .addOption(onByDefault('wait', 'wait for resources to be gone before returning'))
    .option('-i, --interactive', 'ask before anything is deleted')
    .option('--raw <path>', 'send a deletion to this path of the API server')
    .option('-o, --output <mode>', 'use "-o name" for shorter output (resource/name)')
    .action(async (type: string | undefined, names: readonly string[], flags: DeleteFlags) => {
      await withSession(flags, (session) =>
        remove(session, type === undefined ? [] : [type, ...names], flags),
      );
      exit(0);
    });
}

async function remove(session: Session, operands: readonly string[], flags: DeleteFlags): Promise<void> {
  if (flags.raw !== undefined) return removeRaw(session, operands, flags, flags.raw);
  const options = optionsOf(flags);
  const dryRun = readDryRun(flags.dryRun);
  const timeoutMs = timeoutOf(flags.timeout);
  if (flags.output !== undefined && flags.output !== '' && flags.output !== 'name')
    throw new CommandError(`unexpected -o output mode: ${flags.output}. We only support '-o name'`);
  if (operands.length === 0 && !filesGiven(flags)) throw new CommandError(NOTHING_NAMED);
  const selected = flags.all === true || flags.selector !== undefined || flags.fieldSelector !== undefined;
  if (flags.all === true && flags.selector !== undefined)
    throw new CommandError('setting --all and --selector are mutually exclusive');
  const targets = await findTargets(session, operands, flags, {
    selected,
    allNamespaces: flags.allNamespaces === true,
    labelSelector: flags.selector,
    fieldSelector: flags.fieldSelector,
  });
  if (targets.length === 0) return print('No resources found');
  if (flags.interactive === true && !(await confirmed(targets))) return print('deletion is cancelled');
  const mildly = flags.ignoreNotFound === true || flags.all === true;
  const gone: (ObjectTarget & { readonly uid: string | undefined })[] = [];
  const errors = await changeEach(targets, async (target) => {
    try {
      const uid =
        dryRun === 'client' ? undefined : await removeOne(session, target, options, dryRun === 'server');
      // COMPAT: a client's dry run asks the server whether there is such an object.
      if (dryRun === 'client') await session.client.get(target.resource, keyOf(target));
      say(target, flags);
      if (dryRun === 'none') gone.push({ ...target, uid });
    } catch (error) {
      if (mildly && isNotFound(error)) return;
      throw withSource('deleting', target.source, error);
    }
  });
  throwAll(errors);
  if (flags.wait && flags.force !== true) await untilGone(session, gone, timeoutMs);
}

async function confirmed(targets: readonly ObjectTarget[]): Promise<boolean> {
  print(`You are about to delete the following ${targets.length} resource(s):`);
  for (const { resource, name } of targets) print(`${kindWithGroup(resource)}/${name}`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    // Nobody there says nothing.
    const silence = once(terminal, 'close').then(() => '');
    const answer = await Promise.race([terminal.question('Do you want to continue? (y/n): '), silence]);
    return answer.trim().toLowerCase() === 'y';
  } finally {
    terminal.close();
  }
}

/** COMPAT: kubectl's words for what goes with --raw and what does not. */
async function removeRaw(
  session: Session,
  operands: readonly string[],
  flags: DeleteFlags,
  target: string,
): Promise<void> {
  if (flags.interactive === true) throw new CommandError('--interactive can not be used with --raw');
  if (operands.length > 0) throw new CommandError('--raw takes no resource arguments');
  if (flags.filename.length > 0) throw new CommandError('--raw and --filename are mutually exclusive');
  if (flags.selector !== undefined) throw new CommandError('--raw and --selector are mutually exclusive');
  if ((flags.output ?? '') !== '') throw new CommandError('--raw and --output are mutually exclusive');
  if (!target.startsWith('/')) throw new CommandError('--raw must be a valid URL path');
  process.stdout.write(formatJson(await session.client.request({ method: 'DELETE', path: target })));
}

function optionsOf(flags: DeleteFlags): DeleteOptions {
  const cascade = { true: 'Background', background: 'Background', orphan: 'Orphan', false: 'Orphan', foreground: 'Foreground' } as const; // prettier-ignore
  const known = Object.hasOwn(cascade, flags.cascade)
    ? cascade[flags.cascade as keyof typeof cascade]
    : undefined;
  if (known === undefined)
    throw new CommandError(
      `invalid cascade value (${flags.cascade}). Must be "background", "foreground", or "orphan"`,
    );
  const seconds = Number(flags.gracePeriod);
  if (!Number.isInteger(seconds))
    throw new CommandError(`--grace-period must be a whole number: "${flags.gracePeriod}"`);
  if (flags.now === true && seconds >= 0)
    throw new CommandError('--now and --grace-period cannot be specified together');
  if (flags.force === true && seconds > 0)
    throw new CommandError('--force and --grace-period greater than 0 cannot be specified together');
  if (flags.force === true)
    process.stderr.write(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    );
  const grace = flags.force === true ? 0 : flags.now === true ? 1 : seconds;
  return { propagationPolicy: known, ...(grace < 0 ? {} : { gracePeriodSeconds: grace }) };
}

function timeoutOf(text: string): number {
  try {
    const timeoutMs = parseDuration(text);
    return timeoutMs === 0 ? FOREVER_MS : timeoutMs;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new CommandError(`invalid argument "${text}" for "--timeout" flag: ${error.message}`);
  }
}

/** Answers the uid of what was there, by which a new object of the same name is told from the old one. */
async function removeOne(
  session: Session,
  { resource, ...target }: ObjectTarget,
  options: DeleteOptions,
  dryRun: boolean,
): Promise<string | undefined> {
  const answer = await session.client.delete(resource, keyOf(target), { ...options, dryRun });
  const { metadata, details } = answer as {
    readonly metadata?: { readonly uid?: string };
    readonly details?: { readonly uid?: string };
  };
  return metadata?.uid ?? details?.uid;
}

function say({ resource, namespace, name }: ObjectTarget, flags: DeleteFlags): void {
  const kind = kindWithGroup(resource);
  if (flags.output === 'name') return print(`${kind}/${name}`);
  const operation = `${flags.force === true ? 'force deleted' : 'deleted'}${dryRunSuffix(readDryRun(flags.dryRun))}`;
  print(`${kind} "${name}" ${operation}${namespace === undefined ? '' : ` from ${namespace} namespace`}`);
}

async function untilGone(
  session: Session,
  targets: readonly (ObjectTarget & { readonly uid: string | undefined })[],
  timeoutMs: number,
): Promise<void> {
  const deadline = systemClock.now() + timeoutMs;
  for (const { resource, uid, ...target } of targets) {
    for (let delayMs = 20; ; delayMs = Math.min(delayMs * 2, POLL_MAX_MS)) {
      const there = await session.client.find(resource, keyOf(target));
      if (there === undefined || (uid !== undefined && there.metadata.uid !== uid)) break;
      if (systemClock.now() >= deadline)
        throw new CommandError(`timed out waiting for the condition on ${resource.resource}/${target.name}`);
      await sleep(systemClock, delayMs);
    }
  }
}
