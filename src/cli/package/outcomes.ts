// How each of several packages went: a line at once for people, all of them at the end for programs.
import { Option, type Command } from 'commander';
import { errorMessage } from '../../base/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { print } from '../command.ts';
import { titleOf } from './installed.ts';
import { printed } from './printing.ts';
import type { Choice } from './selection.ts';

export interface OutcomeFlags {
  readonly output?: 'json' | 'yaml' | 'name';
}

export function withOutcomes(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print the results').choices(['json', 'yaml', 'name']),
  );
}

/** One package; `message` is what people are told. */
interface Outcome {
  readonly apiVersion: 'packages.glasskube.dev/v1alpha1';
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly result: string;
  readonly until?: string;
  readonly message: string;
}

export class Outcomes {
  private readonly all: Outcome[] = [];
  private readonly flags: OutcomeFlags;
  private failed = 0;

  constructor(flags: OutcomeFlags) {
    this.flags = flags;
  }

  add(one: AnyPackage, result: string, message: string, until?: string): void {
    const { name = '', namespace } = one.metadata;
    this.all.push({
      apiVersion: 'packages.glasskube.dev/v1alpha1',
      kind: one.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      result,
      ...(until === undefined ? {} : { until }),
      message,
    });
    if (this.flags.output === undefined) print(message);
  }

  /** Told on standard error; a package that is there is among the results too. */
  fail(one: AnyPackage, error: unknown): void {
    this.failed++;
    const message = errorMessage(error);
    process.stderr.write(`${titleOf(one)}: ${message}\n`);
    const { name = '', namespace } = one.metadata;
    if (this.flags.output !== 'name')
      this.all.push({
        apiVersion: 'packages.glasskube.dev/v1alpha1',
        kind: one.kind,
        metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
        result: 'Failed',
        message,
      });
  }

  lack(missing: Choice['missing']): void {
    for (const { name, message } of missing) {
      this.failed++;
      process.stderr.write(`${name}: ${message}\n`);
    }
  }

  /** Prints them for programs. Answers the exit code: 0 all, 2 some, 1 none. */
  end(total: number): 0 | 1 | 2 {
    printed(this.all, this.flags);
    if (this.failed === 0) return 0;
    return this.failed >= total ? 1 : 2;
  }
}

/** Runs one after the other and goes on after a failure. */
export async function eachPackage<T extends { readonly one: AnyPackage }>(
  all: readonly T[],
  outcomes: Outcomes,
  run: (item: T) => Promise<void>,
): Promise<void> {
  for (const item of all)
    try {
      await run(item);
    } catch (error) {
      outcomes.fail(item.one, error);
    }
}
