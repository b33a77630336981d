// `create configmap|secret`: values from flags and files.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { goJson, isConfigMapKey } from '../../machinery/index.ts';
import type { SetExitCode } from '../command.ts';
import { fileProblem } from '../file-problem.ts';
import { CommandError, listOption, repeatedOption, upstreamCommand } from '../shell/index.ts';
import { maker } from './maker.ts';

interface HashFlags {
  readonly appendHash?: boolean;
}

function withHashFlag(command: Command): Command {
  return command.option('--append-hash', 'append a hash of the content to the name');
}

interface SourceFlags extends HashFlags {
  readonly fromFile: readonly string[];
  readonly fromLiteral: readonly string[];
  readonly fromEnvFile: readonly string[];
}

function withSources(command: Command): Command {
  return withHashFlag(command)
    .addOption(
      listOption('--from-file <source>', 'file, key=file, or directory of files to read values from'),
    )
    .addOption(repeatedOption('--from-literal <key=value>', 'a key and a literal value'))
    .addOption(listOption('--from-env-file <file>', 'file of key=value lines'));
}

type Values = ReadonlyMap<string, Buffer>;

async function valuesOf(flags: SourceFlags): Promise<Values> {
  if (flags.fromEnvFile.length > 0 && (flags.fromFile.length > 0 || flags.fromLiteral.length > 0))
    throw new CommandError('from-env-file cannot be combined with from-file or from-literal');
  const values = new Map<string, Buffer>();
  const add = (key: string, value: Buffer): void => {
    const [problem] = isConfigMapKey(key);
    if (problem !== undefined) throw new CommandError(`"${key}" is not a valid key name: ${problem}`);
    if (values.has(key))
      throw new CommandError(`cannot add key "${key}", another key by that name already exists`);
    values.set(key, value);
  };
  for (const literal of flags.fromLiteral) {
    const equals = literal.indexOf('=');
    if (equals < 1) throw new CommandError(`invalid literal source ${literal}, expected key=value`);
    add(literal.slice(0, equals), Buffer.from(literal.slice(equals + 1).replace(/^(['"])(.*)\1$/s, '$2')));
  }
  for (const source of flags.fromFile)
    for (const [key, file] of await filesOf(source)) add(key, await read(file));
  for (const file of flags.fromEnvFile)
    for (const [key, value] of envLines((await read(file)).toString('utf8'))) add(key, Buffer.from(value));
  return values;
}

async function filesOf(source: string): Promise<readonly (readonly [key: string, file: string])[]> {
  const [, key, named] = /^([^=]+)=(.+)$/s.exec(source) ?? [];
  const file = named ?? source;
  const info = await stat(file).catch((error: unknown) => {
    throw new CommandError(`error reading ${file}: ${fileProblem(error)}`);
  });
  if (!info.isDirectory()) return [[key ?? path.basename(file), file]];
  if (key !== undefined) throw new CommandError('cannot give a key name for a directory path');
  const entries = await readdir(file, { withFileTypes: true });
  return entries.filter((one) => one.isFile()).map(({ name }) => [name, path.join(file, name)]);
}

async function read(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new CommandError(`error reading ${file}: ${fileProblem(error)}`);
  });
}

function envLines(text: string): readonly (readonly [string, string])[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const equals = line.indexOf('=');
      // A name alone stands for what it is in the environment.
      return equals < 0 ? [line, process.env[line] ?? ''] : [line.slice(0, equals), line.slice(equals + 1)];
    });
}

/** COMPAT: the object with the hash of its content in its name, as kubectl and kustomize make it. */
function withHash(object: KubeObject, appendHash: boolean | undefined): KubeObject {
  if (appendHash !== true) return object;
  const { name = '' } = object.metadata;
  // Keys in order, and none but these.
  const content =
    object.kind === 'Secret'
      ? { data: object['data'] ?? {}, kind: 'Secret', name, type: object['type'] ?? '' }
      : {
          ...(object['binaryData'] === undefined ? {} : { binaryData: sorted(object['binaryData']) }),
          data: sorted(object['data'] ?? {}),
          kind: 'ConfigMap',
          name,
        };
  const whole = 'type' in content ? { ...content, data: sorted(content.data) } : content;
  const digest = createHash('sha256').update(goJson(whole)).digest('hex').slice(0, 10);
  const hash = digest.replaceAll(/[013ae]/g, (digit) => HASH_LETTERS[digit] ?? digit);
  return { ...object, metadata: { ...object.metadata, name: `${name}-${hash}` } };
}

/** No vowels, so that no words come out; and no digits that look like letters. */
const HASH_LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

function sorted(values: unknown): unknown {
  if (typeof values !== 'object' || values === null) return values;
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isText(value: Buffer): boolean {
  return Buffer.from(value.toString('utf8'), 'utf8').equals(value);
}

export function configMapMaker(exit: SetExitCode): Command {
  return maker<SourceFlags>(exit, {
    name: 'configmap',
    failure: 'configmap:',
    aliases: ['cm'],
    what: 'Create a config map from a local file, directory or literal value',
    examples: `
      # From literal values
      %s create configmap conf --from-literal=key=value

      # From files
      %s create configmap conf --from-file=app.properties --from-file=log=logging.xml`,
    flags: withSources,
    make: async (name, flags) => {
      const values = await valuesOf(flags);
      const text = [...values].filter(([, value]) => isText(value));
      const binary = [...values].filter(([, value]) => !isText(value));
      const made = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name },
        ...(text.length === 0
          ? {}
          : { data: Object.fromEntries(text.map(([key, value]) => [key, value.toString('utf8')])) }),
        ...(binary.length === 0
          ? {}
          : {
              binaryData: Object.fromEntries(binary.map(([key, value]) => [key, value.toString('base64')])),
            }),
      };
      return withHash(made, flags.appendHash);
    },
  });
}

function secret(name: string, type: string, values: Values): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    ...(type === '' ? {} : { type }),
    ...(values.size === 0
      ? {}
      : { data: Object.fromEntries([...values].map(([key, value]) => [key, value.toString('base64')])) }),
  };
}

/** COMPAT: what is no pair of certificate and key is refused here, before any server is asked. */
function refuseOddPair(certificate: Buffer, key: Buffer): void {
  const read = <T>(what: string, from: () => T): T => {
    try {
      return from();
    } catch {
      throw new CommandError(`tls: failed to find any PEM data in ${what} input`);
    }
  };
  const shown = read('certificate', () => new X509Certificate(certificate));
  if (!shown.checkPrivateKey(read('key', () => createPrivateKey(key))))
    throw new CommandError('tls: private key does not match public key');
}

interface RegistryFlags extends HashFlags {
  readonly dockerServer: string;
  readonly dockerUsername?: string;
  readonly dockerPassword?: string;
  readonly dockerEmail?: string;
  readonly fromFile: readonly string[];
}

export function secretMaker(exit: SetExitCode): Command {
  const command = upstreamCommand('secret', {
    examples: '# From literal values\n%s create secret generic db --from-literal=password=x',
  });
  command.description('Create a secret using a specified subcommand');
  command.addCommand(
    maker<SourceFlags & { readonly type?: string }>(exit, {
      name: 'generic',
      failure: 'secret',
      what: 'Create a secret from a local file, directory, or literal value',
      examples:
        '# From literal values\n%s create secret generic db --from-literal=user=a --from-literal=password=b',
      flags: (one) => withSources(one).option('--type <type>', 'the type of secret to create'),
      make: async (name, flags) => {
        const values = await valuesOf(flags);
        return withHash(secret(name, flags.type ?? '', values), flags.appendHash);
      },
    }),
  );
  command.addCommand(
    maker<HashFlags & { readonly cert?: string; readonly key?: string }>(exit, {
      name: 'tls',
      failure: 'secret',
      what: 'Create a TLS secret',
      examples: '# From a certificate and its key\n%s create secret tls web --cert=tls.crt --key=tls.key',
      flags: (one) =>
        withHashFlag(one)
          .option('--cert <file>', 'path to PEM encoded public key certificate')
          .option('--key <file>', 'path to private key associated with given certificate'),
      make: async (name, { cert, key, appendHash }) => {
        if (cert === undefined || key === undefined) throw new CommandError('key and cert must be specified');
        const values = new Map([
          ['tls.crt', await read(cert)],
          ['tls.key', await read(key)],
        ]);
        refuseOddPair(values.get('tls.crt') ?? Buffer.of(), values.get('tls.key') ?? Buffer.of());
        return withHash(secret(name, 'kubernetes.io/tls', values), appendHash);
      },
    }),
  );
  command.addCommand(
    maker<RegistryFlags>(exit, {
      name: 'docker-registry',
      failure: 'secret',
      what: 'Create a secret for use with a Docker registry',
      examples:
        '# For one registry\n%s create secret docker-registry reg --docker-server=registry.example --docker-username=a --docker-password=b',
      flags: (one) =>
        withHashFlag(one)
          .option(
            '--docker-server <server>',
            'server location for Docker registry',
            'https://index.docker.io/v1/',
          )
          .option('--docker-username <name>', 'username for Docker registry authentication')
          .option('--docker-password <text>', 'password for Docker registry authentication')
          .option('--docker-email <address>', 'email for Docker registry')
          .addOption(listOption('--from-file <file>', 'a file in the form of .docker/config.json')),
      make: async (name, flags) => {
        const type = 'kubernetes.io/dockerconfigjson';
        const [file] = flags.fromFile;
        if (file !== undefined)
          return withHash(
            secret(name, type, new Map([['.dockerconfigjson', await read(file.replace(/^[^=]+=/, ''))]])),
            flags.appendHash,
          );
        const {
          dockerServer: server,
          dockerUsername: username = '',
          dockerPassword: password = '',
          dockerEmail: email,
        } = flags;
        if (username === '' || password === '')
          throw new CommandError(
            'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
          );
        const auth = Buffer.from(`${username}:${password}`).toString('base64');
        const entry = { username, password, ...(email === undefined ? {} : { email }), auth };
        const login = Buffer.from(JSON.stringify({ auths: { [server]: entry } }));
        return withHash(secret(name, type, new Map([['.dockerconfigjson', login]])), flags.appendHash);
      },
    }),
  );
  return command;
}
