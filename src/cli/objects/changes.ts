// What commands that change objects have in common: dry runs, what is said afterwards, and failures that name the file.
import { Option, type Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { objectName, type ObjectPrinter } from '../output/index.ts';
import { CommandError } from '../shell/index.ts';
import { resolveArguments, type ArgumentRules } from './arguments.ts';
import { filesGiven, locateObjects, readObjects, type FileFlags } from './files.ts';
import type { Session } from './session.ts';
import type { ApiResource } from '../../client/index.ts';

export type DryRun = 'none' | 'client' | 'server';

export function withDryRun(command: Command): Command {
  return command.addOption(
    new Option(
      '--dry-run [strategy]',
      'must be "none", "server", or "client": client only prints what would be sent, server asks the server without persisting',
    )
      .preset('unchanged')
      .default('none'),
  );
}

/** Throws CommandError in kubectl's words. */
export function readDryRun(text: string): DryRun {
  if (text === 'none' || text === 'client' || text === 'server') return text;
  // COMPAT: older spellings, of kubectl and of karmadactl's own commands.
  if (text === 'unchanged' || text === 'true') return 'client';
  if (text === 'false') return 'none';
  throw new CommandError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`);
}

export function dryRunSuffix(dryRun: DryRun): string {
  return dryRun === 'none' ? '' : dryRun === 'client' ? ' (dry run)' : ' (server dry run)';
}

/** `deployment.apps/web created`, or the object as `-o` wants it. */
export function tell(
  object: KubeObject,
  operation: string,
  dryRun: DryRun,
  printer: ObjectPrinter | undefined,
): void {
  process.stdout.write(
    printer === undefined ? `${objectName(object)} ${operation}${dryRunSuffix(dryRun)}\n` : printer(object),
  );
}

/** The error with what was being done in front of the server's words. */
export function withSource(verb: string, source: string, error: unknown): unknown {
  if (!(error instanceof StatusError) || source === '' || error.reason === 'Invalid') return error;
  const { code, reason, message, status } = error;
  return new StatusError(code, reason, `error when ${verb} "${source}": ${message}`, status.details);
}

/** An object that a command is to change. */
export interface Target {
  readonly resource: ApiResource;
  readonly namespace: string | undefined;
  readonly name: string;
  /** As it is on the server; absent where only its name was given. */
  readonly object?: KubeObject;
  /** The file that named it; empty for names on the command line. */
  readonly source: string;
}

export interface TargetRules extends ArgumentRules {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** The objects that files, names or selectors mean; selected ones are listed. Throws CommandError for none named. */
export async function findTargets(
  session: Session,
  operands: readonly string[],
  files: FileFlags,
  rules: TargetRules,
): Promise<readonly Target[]> {
  if (filesGiven(files)) {
    if (operands.length > 0)
      throw new CommandError(
        'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well',
      );
    const { located, errors } = await locateObjects(session, await readObjects(files));
    if (errors[0] !== undefined) throw errors[0];
    return located.map(({ resource, namespace, object, source }) => ({
      resource,
      namespace,
      name: object.metadata.name ?? '',
      source,
    }));
  }
  const wanted = await resolveArguments(session.mapper, operands, rules);
  const namespace = rules.allNamespaces === true ? undefined : session.namespace;
  const found = await Promise.all(
    wanted.map(async ({ resource, name }): Promise<readonly Target[]> => {
      const where = resource.namespaced ? namespace : undefined;
      if (name !== undefined) return [{ resource, namespace: where, name, source: '' }];
      const list = await session.client.listAll(resource, {
        namespace: where,
        labelSelector: rules.labelSelector,
        fieldSelector: rules.fieldSelector,
      });
      return list.items.map((object) => ({
        resource,
        namespace: object.metadata.namespace,
        name: object.metadata.name ?? '',
        object,
        source: '',
      }));
    }),
  );
  return found.flat();
}

export function keyOf({ namespace, name }: Pick<Target, 'namespace' | 'name'>): {
  readonly namespace?: string;
  readonly name: string;
} {
  return namespace === undefined ? { name } : { namespace, name };
}

/** Runs one change after the other; every failure is kept for the end. */
export async function changeEach<T>(
  items: readonly T[],
  change: (item: T) => Promise<void>,
): Promise<readonly Error[]> {
  const errors: Error[] = [];
  for (const item of items) {
    try {
      await change(item);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      errors.push(error);
    }
  }
  return errors;
}
