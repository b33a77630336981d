// Kubeconfig files as they are written, and several of them as one: the first that says something about a name wins.
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { OperatingError, errorMessage } from '../../base/index.ts';
import { parseYaml } from '../../machinery/index.ts';

export interface NamedExtension {
  readonly name: string;
  readonly extension: unknown;
}

export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
  readonly 'disable-compression'?: boolean;
  readonly extensions?: readonly NamedExtension[] | null;
}

export interface ExecSettings {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always';
}

export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[] | null;
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>> | null;
  readonly 'auth-provider'?: { readonly name?: string } | null;
  readonly exec?: ExecSettings | null;
}

export interface KubeconfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/** An entry with the directory that its relative paths are relative to. */
export interface Placed<T> {
  readonly value: T;
  readonly directory: string;
}

export interface Kubeconfig {
  /** As messages call it. */
  readonly from: string;
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Placed<KubeconfigCluster>>;
  readonly users: ReadonlyMap<string, Placed<KubeconfigUser>>;
  readonly contexts: ReadonlyMap<string, KubeconfigContext>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

interface KubeconfigFile {
  readonly kind?: string;
  readonly 'current-context'?: string;
  readonly clusters?:
    | readonly { readonly name: string; readonly cluster?: KubeconfigCluster | null }[]
    | null;
  readonly users?: readonly { readonly name: string; readonly user?: KubeconfigUser | null }[] | null;
  readonly contexts?:
    | readonly { readonly name: string; readonly context?: KubeconfigContext | null }[]
    | null;
}

/** Where kubeconfigs are looked for, in the order of their precedence. */
export function kubeconfigPaths(
  explicit: string | undefined,
  env: Environment,
): { readonly paths: readonly string[]; readonly mustExist: boolean } {
  if (explicit !== undefined && explicit !== '') return { paths: [explicit], mustExist: true };
  const listed = (env['KUBECONFIG'] ?? '').split(path.delimiter).filter((one) => one !== '');
  if (listed.length > 0) return { paths: [...new Set(listed)], mustExist: false };
  const home = env['HOME'] ?? env['USERPROFILE'] ?? os.homedir();
  return { paths: [path.join(home, '.kube', 'config')], mustExist: false };
}

/** The text of a file that a kubeconfig names, or an error that names the file and the remedy. */
export async function readNamedFile(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new OperatingError(
      'KUBECONFIG_FILE_UNREADABLE',
      `the ${what} ${file} cannot be read: ${errorMessage(cause)}`,
      'check the path in the kubeconfig and the permissions of the file',
      { cause },
    );
  }
}

async function readKubeconfigFile(file: string, mustExist: boolean): Promise<KubeconfigFile | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && !mustExist) return undefined;
    throw new OperatingError(
      missing ? 'KUBECONFIG_MISSING' : 'KUBECONFIG_UNREADABLE',
      missing
        ? `there is no kubeconfig ${file}`
        : `the kubeconfig ${file} cannot be read: ${errorMessage(cause)}`,
      'name another one with --kubeconfig or KUBECONFIG',
      { cause },
    );
  }
  const content = parseYaml(text, file) ?? {};
  const kind = (content as KubeconfigFile).kind;
  if (typeof content !== 'object' || Array.isArray(content) || (kind !== undefined && kind !== 'Config'))
    throw new OperatingError(
      'KUBECONFIG_INVALID',
      `${file} is no kubeconfig${kind === undefined ? '' : `, but holds a ${kind}`}`,
      'name a file of kind Config with --kubeconfig or KUBECONFIG',
    );
  return content;
}

/** Reads and merges; undefined when none of the files is there and none has to be. */
export async function readKubeconfig(
  explicit: string | undefined,
  env: Environment,
): Promise<Kubeconfig | undefined> {
  const { paths, mustExist } = kubeconfigPaths(explicit, env);
  const clusters = new Map<string, Placed<KubeconfigCluster>>();
  const users = new Map<string, Placed<KubeconfigUser>>();
  const contexts = new Map<string, KubeconfigContext>();
  let currentContext = '';
  const found: string[] = [];
  for (const file of paths) {
    const content = await readKubeconfigFile(file, mustExist);
    if (content === undefined) continue;
    found.push(file);
    const directory = path.dirname(path.resolve(file));
    currentContext ||= content['current-context'] ?? '';
    for (const { name, cluster } of content.clusters ?? [])
      if (!clusters.has(name)) clusters.set(name, { value: cluster ?? {}, directory });
    for (const { name, user } of content.users ?? [])
      if (!users.has(name)) users.set(name, { value: user ?? {}, directory });
    for (const { name, context } of content.contexts ?? [])
      if (!contexts.has(name)) contexts.set(name, context ?? {});
  }
  if (found.length === 0) return undefined;
  return { from: found.join(path.delimiter), currentContext, clusters, users, contexts };
}
