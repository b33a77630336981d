// How a command ends badly: what is printed on standard error, and the exit code. Commands that upstream has fail in
// kubectl's words and with code 1, whatever was wrong, since scripts look for both; ours tell misuse (2) from failure (1).
import { CommanderError, type Command } from 'commander';
import { OperatingError } from '../../base/index.ts';
import { ConnectionError } from '../../client/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { commandPath, isUpstream } from './command-shape.ts';

export const FAILED = 1;
export const MISUSED = 2;

/** Something went wrong that is said in these words alone. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = FAILED) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** COMPAT: that a kind is not served is said by kubectl without "error:" in front. */
export class NoMatchError extends CommandError {
  override name = 'NoMatchError';
}

/** Several things went wrong; each has a line. */
export class SeveralErrors extends Error {
  override name = 'SeveralErrors';
  readonly errors: readonly Error[];

  constructor(errors: readonly Error[]) {
    super(errors.map(({ message }) => message).join('\n'));
    this.errors = errors;
  }
}

/** The command line makes no sense to the command. */
export class UsageError extends Error {
  override name = 'UsageError';
  readonly command: Command;
  readonly hint: string | undefined;

  constructor(message: string, command: Command, hint?: string) {
    super(message);
    this.command = command;
    this.hint = hint;
  }
}

/** Everything to be said has been said. */
export class Ended extends Error {
  override name = 'Ended';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`ended with code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Throws what there is: nothing, the one error, or all of them. */
export function throwAll(errors: readonly Error[]): void {
  const [first] = errors;
  if (first === undefined) return;
  throw errors.length === 1 ? first : new SeveralErrors(errors);
}

const UPSTREAM_TEXTS: ReadonlySet<string> = new Set([
  'CLUSTER_REGISTERED',
  'CLUSTER_NOT_FOUND',
  'NO_OPERATION',
  'PULL_MODE',
]);

export interface Failure {
  /** Ends with a line break, or is empty. */
  readonly text: string;
  readonly exitCode: number;
}

/** @param command the one that failed; without it, one of ours */
export function failureOf(error: unknown, command?: Command): Failure {
  const upstream = command !== undefined && isUpstream(command);
  const misuse = upstream ? FAILED : MISUSED;
  if (error instanceof Ended) return { text: '', exitCode: error.exitCode };
  if (error instanceof CommanderError) {
    // Help has been printed.
    if (error.exitCode === 0 || error.code === 'commander.help' || command === undefined)
      return { text: '', exitCode: error.exitCode === 0 ? 0 : misuse };
    return usageFailure(new UsageError(wordsOf(error, command), command));
  }
  if (error instanceof UsageError) return usageFailure(error);
  if (error instanceof SeveralErrors) {
    // The same of several objects, such as that nothing listens there, is said once.
    const lines = new Set(error.errors.map((one) => `${describe(one) ?? one.message}\n`));
    return { text: [...lines].join(''), exitCode: FAILED };
  }
  if (error instanceof NoMatchError) return { text: `${error.message}\n`, exitCode: error.exitCode };
  if (error instanceof CommandError) return { text: `error: ${error.message}\n`, exitCode: error.exitCode };
  const known = describe(error);
  if (known !== undefined) return { text: `${known}\n`, exitCode: FAILED };
  if (error instanceof OperatingError) {
    // COMPAT: what upstream says to these is what scripts look for.
    if (UPSTREAM_TEXTS.has(error.code)) {
      const hint = process.stderr.isTTY ? `To mend it: ${error.nextStep}.\n` : '';
      return { text: `error: ${error.message}\n${hint}`, exitCode: FAILED };
    }
    const misused = error.code.startsWith('BAD_') || error.code.startsWith('UNKNOWN_');
    return {
      text: `navarch: ${error.message}. To mend it: ${error.nextStep}.\n`,
      exitCode: misused ? misuse : FAILED,
    };
  }
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `navarch: this is a bug: ${bug}\n`, exitCode: FAILED };
}

/** COMPAT: what is too much is a command that there is not, as cobra says it. */
function wordsOf(error: CommanderError, command: Command): string {
  const surplus = /Expected \d+ arguments? but got \d+: ([^,]+)/.exec(error.message)?.[1]?.replace(/\.$/, '');
  if (error.code === 'commander.excessArguments' && surplus !== undefined && isUpstream(command))
    return `unknown command "${surplus}" for "${commandPath(command)}"`;
  return error.message.replace(/^error: /, '').replace(/\.$/, '');
}

function usageFailure({ message, command, hint }: UsageError): Failure {
  const help = `See '${commandPath(command)} --help' for usage.`;
  return {
    text: [`error: ${message}`, ...(hint === undefined ? [] : [hint]), help]
      .map((line) => `${line}\n`)
      .join(''),
    exitCode: isUpstream(command) ? FAILED : MISUSED,
  };
}

/** In kubectl's words, what a server answered or that it did not; undefined for other errors. */
function describe(error: unknown): string | undefined {
  if (error instanceof StatusError) return statusText(error);
  if (!(error instanceof ConnectionError)) return undefined;
  const host = /https?:\/\/([^\s/]+)/.exec(error.message)?.[1];
  if (error.kind === 'refused' && host !== undefined)
    return `The connection to the server ${host} was refused - did you specify the right host or port?`;
  return `Unable to connect to the server: ${error.message}. To mend it: ${error.nextStep}`;
}

function statusText(error: StatusError): string {
  const { reason, message, status } = error;
  if (reason === 'Invalid' && status.details !== undefined) {
    const { kind = '', name = '', causes = [] } = status.details;
    if (kind === '' && name === '') return `The request is invalid: ${message}`;
    const subject = `The ${kind} "${name}" is invalid`;
    if (causes.length === 0) return `${subject}`;
    const lines = causes.map(({ field = '', message: why = '' }) =>
      field === '' ? why : `${field}: ${why}`,
    );
    return lines.length === 1 ? `${subject}: ${lines[0]}` : `${subject}: \n* ${lines.join('\n* ')}`;
  }
  if (reason === 'Unauthorized')
    return 'error: You must be logged in to the server (Unauthorized): renew the credentials in the kubeconfig, or name another one with --kubeconfig';
  return reason === '' ? `Error from server: ${message}` : `Error from server (${reason}): ${message}`;
}
