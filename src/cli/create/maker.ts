// What all `create` sub-commands share: an object is made from flags, sent, and told about.
import type { Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import type { SetExitCode } from '../command.ts';
import {
  readDryRun,
  tell,
  withDryRun,
  withNamespace,
  withSession,
  type HubFlags,
  type Session,
} from '../objects/index.ts';
import { objectPrinter, withOutput, type OutputFlags } from '../output/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { commandPath, CommandError, upstreamCommand } from '../shell/index.ts';
import { fieldValidation, withValidation } from '../validation.ts';
import { withDeclaration } from '../apply/declaration.ts';

export interface MakeFlags extends HubFlags, OutputFlags {
  readonly dryRun: string;
  readonly saveConfig?: boolean;
  readonly fieldManager: string;
  readonly validate: string;
}

export interface MakerSettings<F> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly what: string;
  readonly examples: string;
  readonly argument?: string;
  readonly flags?: (command: Command) => Command;
  /** COMPAT: how a failure to create it begins; without it, the server's words stand alone. */
  readonly failure?: string;
  /** The object that the flags ask for; throws CommandError for flags that make none. */
  readonly make: (name: string, flags: F, session: Session) => KubeObject | Promise<KubeObject>;
}

/** A sub-command that creates one object of a name. */
export function maker<F>(exit: SetExitCode, settings: MakerSettings<F>): Command {
  const { name, what, examples, argument = 'name', aliases = [] } = settings;
  const command = withMakeFlags(upstreamCommand(name, { examples }));
  settings.flags?.(command);
  return command
    .aliases([...aliases])
    .description(what)
    .argument('[names...]', argument)
    .action(async (names: readonly string[], flags: F & MakeFlags) => {
      const [only, ...others] = names;
      if (only === undefined || others.length > 0)
        throw new CommandError(
          `exactly one NAME is required, got ${names.length}\nSee '${commandPath(command)} -h' for help and examples`,
        );
      await withSession(
        flags,
        async (session) => send(session, await settings.make(only, flags, session), flags, settings.failure),
        { fieldManager: flags.fieldManager },
      );
      exit(0);
    });
}

export function withMakeFlags(command: Command): Command {
  return withValidation(withDryRun(withOutput(withNamespace(command))))
    .option(
      '--save-config',
      'keep the configuration in the annotation by which apply recognises what was declared',
    )
    .option('--field-manager <name>', 'name of the manager used to track field ownership', 'kubectl-create');
}

async function send(
  session: Session,
  object: KubeObject,
  flags: MakeFlags,
  failure: string | undefined,
): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  const printer = await objectPrinter(flags, false);
  const resource = await session.mapper.resourceForObject(object);
  if (resource === undefined)
    throw new CommandError(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
  // COMPAT: what is only shown has a namespace when one was named.
  const shown = dryRun === 'client' && !session.namespaceGiven;
  const placed =
    resource.namespaced && !shown
      ? {
          ...object,
          metadata: { ...object.metadata, namespace: object.metadata.namespace ?? session.namespace },
        }
      : object;
  const whole = flags.saveConfig === true ? withDeclaration(placed) : placed;
  const made =
    dryRun === 'client'
      ? whole
      : await session.client
          .create<KubeObject>(resource, whole, {
            dryRun: dryRun === 'server',
            fieldValidation: fieldValidation(flags.validate),
          })
          .catch((error: unknown) => {
            if (failure === undefined || !(error instanceof StatusError)) throw error;
            throw new CommandError(`failed to create ${failure} ${error.message}`);
          });
  tell(made, 'created', dryRun, printer);
}

/** `a=b` each. Throws CommandError. */
export function keyValues(texts: readonly string[], what: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 1) throw new CommandError(`invalid ${what} ${text}, expected key=value`);
    const key = text.slice(0, equals);
    if (Object.hasOwn(values, key))
      throw new CommandError(`cannot add key ${key}, another key by that name already exists`);
    Object.defineProperty(values, key, { value: text.slice(equals + 1), enumerable: true });
  }
  return values;
}
