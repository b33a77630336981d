// `create configmap|secret`: values from flags and files.
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { fnv1a32, isConfigMapKey, safeEncode } from '../../machinery/index.ts';
import type { SetExitCode } from '../command.ts';
import { CommandError, listOption, repeatedOption, upstreamCommand } from '../shell/index.ts';
import { maker } from './maker.ts';

interface SourceFlags {
  readonly fromFile: readonly string[];
  readonly fromLiteral: readonly string[];
  readonly fromEnvFile: readonly string[];
  readonly appendHash?: boolean;
}

function withSources(command: Command): Command {
  return command
    .addOption(
      listOption('--from-file <source>', 'file, key=file, or directory of files to read values from'),
    )
    .addOption(repeatedOption('--from-literal <key=value>', 'a key and a literal value'))
    .addOption(listOption('--from-env-file <file>', 'file of key=value lines'))
    .option('--append-hash', 'append a hash of the content to the name');
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
    throw new CommandError(`error reading ${file}: ${errorMessage(error)}`);
  });
  if (!info.isDirectory()) return [[key ?? path.basename(file), file]];
  if (key !== undefined) throw new CommandError('cannot give a key name for a directory path');
  const entries = await readdir(file, { withFileTypes: true });
  return entries.filter((one) => one.isFile()).map(({ name }) => [name, path.join(file, name)]);
}

async function read(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new CommandError(`error reading ${file}: ${errorMessage(error)}`);
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

function hashed(name: string, values: Values, appendHash: boolean | undefined): string {
  if (appendHash !== true) return name;
  const text = [...values]
    .map(([key, value]) => `${key}=${value.toString('base64')}`)
    .sort()
    .join('\n');
  return `${name}-${safeEncode(String(fnv1a32(text)))}`;
}

function isText(value: Buffer): boolean {
  return Buffer.from(value.toString('utf8'), 'utf8').equals(value);
}

export function configMapMaker(exit: SetExitCode): Command {
  return maker<SourceFlags>(exit, {
    name: 'configmap',
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
      return {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: hashed(name, values, flags.appendHash) },
        ...(text.length === 0
          ? {}
          : { data: Object.fromEntries(text.map(([key, value]) => [key, value.toString('utf8')])) }),
        ...(binary.length === 0
          ? {}
          : {
              binaryData: Object.fromEntries(binary.map(([key, value]) => [key, value.toString('base64')])),
            }),
      };
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

interface RegistryFlags {
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
      what: 'Create a secret from a local file, directory, or literal value',
      examples:
        '# From literal values\n%s create secret generic db --from-literal=user=a --from-literal=password=b',
      flags: (one) => withSources(one).option('--type <type>', 'the type of secret to create'),
      make: async (name, flags) => {
        const values = await valuesOf(flags);
        return secret(hashed(name, values, flags.appendHash), flags.type ?? '', values);
      },
    }),
  );
  command.addCommand(
    maker<{ readonly cert?: string; readonly key?: string }>(exit, {
      name: 'tls',
      what: 'Create a TLS secret',
      examples: '# From a certificate and its key\n%s create secret tls web --cert=tls.crt --key=tls.key',
      flags: (one) =>
        one
          .option('--cert <file>', 'path to PEM encoded public key certificate')
          .option('--key <file>', 'path to private key associated with given certificate'),
      make: async (name, { cert, key }) => {
        if (cert === undefined || key === undefined) throw new CommandError('key and cert must be specified');
        const values = new Map([
          ['tls.crt', await read(cert)],
          ['tls.key', await read(key)],
        ]);
        return secret(name, 'kubernetes.io/tls', values);
      },
    }),
  );
  command.addCommand(
    maker<RegistryFlags>(exit, {
      name: 'docker-registry',
      what: 'Create a secret for use with a Docker registry',
      examples:
        '# For one registry\n%s create secret docker-registry reg --docker-server=registry.example --docker-username=a --docker-password=b',
      flags: (one) =>
        one
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
          return secret(
            name,
            type,
            new Map([['.dockerconfigjson', await read(file.replace(/^[^=]+=/, ''))]]),
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
        return secret(
          name,
          type,
          new Map([['.dockerconfigjson', Buffer.from(JSON.stringify({ auths: { [server]: entry } }))]]),
        );
      },
    }),
  );
  return command;
}
