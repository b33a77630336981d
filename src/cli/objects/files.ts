// `-f` and `-R`: objects from files, directories, URLs and standard input, each with where it came from and what serves it.
import { spawnSync } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { OperatingError, errorMessage } from '../../base/index.ts';
import { parseYamlDocuments, type ApiResource } from '../../client/index.ts';
import { goJson, parseLabelSelector } from '../../machinery/index.ts';
import { fileProblem } from '../file-problem.ts';
import { CommandError, listOption } from '../shell/index.ts';
import type { Session } from './session.ts';

export interface FileFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly kustomize?: string;
}

export function withFiles(command: Command, what: string): Command {
  return command
    .addOption(listOption('-f, --filename <file>', `filename, directory, or URL to files ${what}`))
    .option('-R, --recursive', 'process the directory used in -f, --filename recursively')
    .option(
      '-k, --kustomize <dir>',
      'a kustomization directory, built with "kustomize" or "kubectl kustomize", whichever is installed',
    );
}

/** An object with what serves its kind. */
export interface Located {
  readonly object: KubeObject;
  /** As messages call the file. */
  readonly source: string;
  readonly resource: ApiResource;
  /** Undefined for objects without one. */
  readonly namespace: string | undefined;
}

/** LIMIT: of one file, in bytes. */
const FILE_MAX_BYTES = 256 * 1024 * 1024;
const FETCH_TIMEOUT_MS = 30_000;

export const NOTHING_NAMED = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

export function filesGiven({ filename, kustomize }: FileFlags): boolean {
  if (kustomize !== undefined && filename.length > 0)
    throw new CommandError('only one of -f or -k can be specified');
  return filename.length > 0 || kustomize !== undefined;
}

/** Objects of all files, lists taken apart. Throws CommandError in kubectl's words. */
export async function readObjects(
  flags: FileFlags,
): Promise<readonly { object: KubeObject; source: string }[]> {
  if (!filesGiven(flags)) throw new CommandError('must specify one of -f and -k');
  const found: { object: KubeObject; source: string }[] = [];
  if (flags.kustomize !== undefined)
    for (const document of parse(built(flags.kustomize), flags.kustomize))
      found.push(...flatten(document, flags.kustomize));
  for (const name of flags.filename) {
    for (const source of await sourcesOf(name, flags.recursive === true)) {
      for (const document of parse(await readSource(source), source))
        found.push(...flatten(document, source === '-' ? 'STDIN' : source));
    }
  }
  return found;
}

/** Those whose labels a selector means; without one, all. */
export function selectedObjects<T extends { readonly object: KubeObject }>(
  objects: readonly T[],
  selector: string | undefined,
): readonly T[] {
  if (selector === undefined || selector === '') return objects;
  const wanted = parseLabelSelector(selector);
  return objects.filter(({ object }) => wanted.matches(object.metadata.labels));
}

/** The same, with what serves each object; what has no server is an error. */
export async function locateObjects(
  session: Session,
  objects: readonly { readonly object: KubeObject; readonly source: string }[],
): Promise<{ readonly located: readonly Located[]; readonly errors: readonly Error[] }> {
  const located: Located[] = [];
  const errors: Error[] = [];
  for (const { object, source } of objects) {
    try {
      located.push(await locate(session, object, source));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      errors.push(error);
    }
  }
  return { located, errors };
}

/** Throws CommandError when no server has the kind, or the namespace is another than the one asked for. */
export async function locate(session: Session, object: KubeObject, source: string): Promise<Located> {
  const resource = await session.mapper.resourceForObject(object);
  const { name = '', namespace = '' } = object.metadata;
  if (resource === undefined)
    throw new CommandError(
      `resource mapping not found for name: "${name}" namespace: "${namespace}" from "${source}": no matches for kind "${object.kind}" in version "${object.apiVersion}"\nensure CRDs are installed first`,
    );
  if (!resource.namespaced) return { object, source, resource, namespace: undefined };
  if (namespace === '') {
    const placed = { ...object, metadata: { ...object.metadata, namespace: session.namespace } };
    return { object: placed, source, resource, namespace: session.namespace };
  }
  if (session.namespaceGiven && namespace !== session.namespace)
    throw new CommandError(
      `the namespace from the provided object "${namespace}" does not match the namespace "${session.namespace}". You must pass '--namespace=${namespace}' to perform this operation.`,
    );
  return { object, source, resource, namespace };
}

async function sourcesOf(name: string, recursive: boolean): Promise<readonly string[]> {
  if (name === '-' || /^https?:\/\//.test(name)) return [name];
  let directory: boolean;
  try {
    directory = (await stat(name)).isDirectory();
  } catch {
    throw new CommandError(`the path "${name}" does not exist`);
  }
  if (!directory) return [name];
  const files = await readdir(name, { recursive });
  const fitting = files.filter((file) => /\.(json|ya?ml)$/.test(file)).sort();
  if (fitting.length === 0)
    throw new CommandError(`error reading [${name}]: recognized file extensions are [.json .yaml .yml]`);
  return fitting.map((file) => path.join(name, file));
}

/** What a kustomization comes to. The builder is the user's own: there is no other that says the same. */
function built(directory: string): string {
  for (const [program, args] of [
    ['kustomize', ['build', directory]],
    ['kubectl', ['kustomize', directory]],
  ] as const) {
    const { error, status, stdout, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      maxBuffer: FILE_MAX_BYTES,
    });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') continue;
    if (error !== undefined) throw new CommandError(`${program} ${args.join(' ')}: ${error.message}`);
    if (status !== 0) throw new CommandError(stderr.trim().replace(/^(error|Error): /, ''));
    return stdout;
  }
  throw new CommandError(
    '-k needs "kustomize" or "kubectl" to be installed: install one of them, or pipe the built objects into -f -',
  );
}

/** The text of a file or, for `-`, of standard input. */
export async function readText(source: string): Promise<string> {
  return readSource(source);
}

async function readSource(source: string): Promise<string> {
  if (source === '-') return readStandardInput();
  if (/^https?:\/\//.test(source)) {
    const answer = await fetch(source, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) }).catch(
      (error: unknown) => {
        throw new CommandError(`unable to read URL "${source}": ${errorMessage(error)}`);
      },
    );
    if (!answer.ok)
      throw new CommandError(
        `unable to read URL "${source}", server reported ${answer.status} ${answer.statusText}, status code=${answer.status}`,
      );
    return answer.text();
  }
  return readFile(source, 'utf8').catch((error: unknown) => {
    throw new CommandError(`open ${source}: ${fileProblem(error)}`);
  });
}

export async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > FILE_MAX_BYTES) throw new CommandError('standard input is too large');
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string, source: string): readonly unknown[] {
  try {
    return parseYamlDocuments(text);
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    const name = source === '-' ? 'STDIN' : source;
    throw new CommandError(`error parsing ${name}: error converting YAML to JSON: yaml: ${error.message}`);
  }
}

function flatten(document: unknown, source: string): { object: KubeObject; source: string }[] {
  const object = document as Partial<KubeObject> | null;
  const missing = (field: string): CommandError =>
    new CommandError(`unable to decode "${source}": Object '${field}' is missing in '${goJson(document)}'`);
  if (typeof object !== 'object' || object === null || Array.isArray(object) || (object.kind ?? '') === '')
    throw missing('Kind');
  if ((object.apiVersion ?? '') === '') throw missing('apiVersion');
  const items = object['items'];
  if (object.kind?.endsWith('List') === true && Array.isArray(items))
    return (items as unknown[]).flatMap((item) => flatten(item, source));
  const whole = object.metadata === undefined ? { ...object, metadata: {} } : object;
  return [{ object: whole as KubeObject, source }];
}
