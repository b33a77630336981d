// `patch`: one change to objects of the control plane, in one of the three patch types.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  builtinSchema,
  definitionFor,
  gvkOf,
  resolveRef,
  type JsonValue,
  type KubeObject,
} from '../api/index.ts';
import { OperatingError } from '../base/index.ts';
import { parseYaml, type JsonPatchOperation, type Patch } from '../client/index.ts';
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  StatusError,
} from '../machinery/index.ts';
import type { SetExitCode } from './command.ts';
import { fileProblem } from './file-problem.ts';
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
  type FileFlags,
  type HubFlags,
  type Session,
} from './objects/index.ts';
import { objectPrinter, withOutput, type OutputFlags } from './output/index.ts';
import { CommandError, throwAll, upstreamCommand } from './shell/index.ts';

interface PatchFlags extends HubFlags, FileFlags, OutputFlags {
  readonly patch?: string;
  readonly patchFile?: string;
  readonly type: string;
  readonly subresource?: string;
  readonly fieldManager: string;
  readonly dryRun: string;
  readonly local?: boolean;
}

const EXAMPLES = `
  # Change one field with a strategic merge patch
  %s patch deployment web -n shop -p '{"spec":{"replicas":4}}'

  # Change a custom resource; these have no strategic merge patch
  %s patch cluster member1 --type merge -p '{"spec":{"region":"eu"}}'

  # Change one item of a list with a JSON patch
  %s patch pp web -n shop --type json -p '[{"op":"replace","path":"/spec/priority","value":5}]'`;

export function patchCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('patch', {
    group: 'Advanced',
    examples: EXAMPLES,
    complete: completeObjects,
  });
  withDryRun(withOutput(withFiles(withNamespace(command), 'identifying the resource to update.')));
  return command
    .description('Update fields of a resource')
    .argument('[type]', 'TYPE or TYPE/NAME')
    .argument('[names...]', 'names')
    .option('-p, --patch <text>', 'the patch to be applied, in JSON or YAML')
    .option('--patch-file <file>', 'a file containing a patch to be applied')
    .option('--type <type>', 'the type of patch being provided; one of [json merge strategic]', 'strategic')
    .option(
      '--subresource <name>',
      'if specified, patch will operate on the subresource of the requested object',
    )
    .option('--local', 'not contact the server, only print what the objects of the files would become')
    .option('--field-manager <name>', 'name of the manager used to track field ownership', 'kubectl-patch')
    .action(async (type: string | undefined, names: readonly string[], flags: PatchFlags) => {
      if (flags.local === true) await patchFiles(flags);
      else
        await withSession(flags, (session) =>
          patch(session, type === undefined ? [] : [type, ...names], flags),
        );
      exit(0);
    });
}

async function patch(session: Session, operands: readonly string[], flags: PatchFlags): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  const change = await readPatch(flags);
  const printer = await objectPrinter(flags, false);
  if (operands.length === 0 && !filesGiven(flags))
    throw new CommandError(
      'one or more resources must be specified as <resource> <name> or <resource>/<name>',
    );
  const targets = await findTargets(session, operands, flags, {});
  const errors = await changeEach(targets, async (target) => {
    const key = keyOf(target);
    try {
      const before = await session.client.get(target.resource, key);
      // COMPAT: what a client's dry run would do is worked out by the server, which alone knows how.
      const after = await session.client.patch<KubeObject>(target.resource, key, change, {
        fieldManager: flags.fieldManager,
        dryRun: dryRun !== 'none',
        ...(flags.subresource === undefined ? {} : { subresource: flags.subresource }),
      });
      const same = dryRun === 'none' && before.metadata.resourceVersion === after.metadata.resourceVersion;
      tell(after, same ? 'patched (no change)' : 'patched', dryRun, printer);
    } catch (error) {
      throw withSource('patching', target.source, error);
    }
  });
  throwAll(errors);
}

async function patchFiles(flags: PatchFlags): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  if (dryRun === 'server')
    throw new CommandError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  const change = await readPatch(flags);
  const printer = await objectPrinter(flags, false);
  for (const { object } of await readObjects(flags))
    tell(patched(object, change), 'patched', dryRun, printer);
}

/** What a server would make of it, but for defaults. Throws CommandError. */
function patched(object: KubeObject, { type, body }: Patch): KubeObject {
  const document = object as unknown as JsonValue;
  try {
    if (type === 'json') return applyJsonPatch(document, body) as unknown as KubeObject;
    if (type === 'merge') return applyMergePatch(document, body) as unknown as KubeObject;
    const name = definitionFor(gvkOf(object));
    const schema = name === undefined ? undefined : builtinSchema(name);
    if (schema === undefined)
      throw new CommandError(
        `strategic merge patch is not supported for ${object.apiVersion} ${object.kind} locally, try --type merge`,
      );
    return applyStrategicMergePatch(document, body, schema, resolveRef) as unknown as KubeObject;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new CommandError(error.message);
  }
}

async function readPatch({ patch: text, patchFile, type }: PatchFlags): Promise<Patch> {
  const types = ['json', 'merge', 'strategic'] as const;
  const known = types.find((one) => one === type.toLowerCase());
  if (known === undefined)
    throw new CommandError(`--type must be one of [${types.join(' ')}], not "${type}"`);
  if (text !== undefined && patchFile !== undefined)
    throw new CommandError('cannot specify --patch and --patch-file together');
  const source =
    patchFile === undefined
      ? text
      : await readFile(patchFile === '-' ? '/dev/stdin' : patchFile, 'utf8').catch((error: unknown) => {
          throw new CommandError(`unable to read patch file: open ${patchFile}: ${fileProblem(error)}`);
        });
  if (source === undefined || source === '')
    throw new CommandError('must specify --patch or --patch-file containing the contents of the patch');
  try {
    const body = parseYaml(source);
    return known === 'json'
      ? { type: known, body: body as readonly JsonPatchOperation[] }
      : { type: known, body };
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    throw new CommandError(`unable to parse ${JSON.stringify(source)}: ${error.message}`);
  }
}
