// `token`: bootstrap tokens, by which clusters that are to be registered and the control plane trust each other.
import { createHash, randomInt, X509Certificate } from 'node:crypto';
import type { Command } from 'commander';
import type { Secret } from '../api/index.ts';
import { formatTime, systemClock } from '../base/index.ts';
import { kinds, type Resource } from '../client/index.ts';
import { print, readDuration, withHub, type SetExitCode } from './command.ts';
import { withSession, type HubFlags, type Session } from './objects/index.ts';
import { formatTable } from './output/index.ts';
import { commandPath, CommandError, listOption, upstreamCommand } from './shell/index.ts';

const NAMESPACE = 'kube-system';
const TYPE = 'bootstrap.kubernetes.io/token';
const USAGES = ['signing', 'authentication'];
const GROUP = 'system:bootstrappers:karmada:default-cluster-token';
const ID_PATTERN = '\\A([a-z0-9]{6})\\z';
const GROUP_PATTERN = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

const EXAMPLES = `
  # Create a token and print the whole command that registers a cluster with it
  %s token create --print-register-command

  # Which tokens there are
  %s token list`;

export function tokenCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('token', { group: 'Cluster registration', examples: EXAMPLES });
  command
    .summary('Manage bootstrap tokens')
    .description(
      'Manage bootstrap tokens: Secrets of kube-system by which a cluster that registers itself trusts the control plane and is trusted by it. A token has the form "[a-z0-9]{6}.[a-z0-9]{16}": a public id and a secret.',
    )
    .action(() => command.outputHelp());
  for (const one of [createToken(exit), listTokens(exit), deleteTokens(exit)]) command.addCommand(one);
  return command;
}

interface CreateFlags extends HubFlags {
  readonly ttl: string;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
  readonly description?: string;
  readonly printRegisterCommand?: boolean;
}

function createToken(exit: SetExitCode): Command {
  const command = upstreamCommand('create', {
    examples: `
      # A token for a day
      %s token create

      # A token that does not expire, with what it is for
      %s token create --ttl 0 --description "clusters of the lab"`,
  });
  return withHub(command)
    .description('Create bootstrap tokens on the server')
    .option(
      '--ttl <duration>',
      'the duration before the token is automatically deleted; 0: it will never expire',
      '24h0m0s',
    )
    .addOption(
      listOption('--usages <list>', `the ways in which this token can be used (default ${USAGES.join(',')})`),
    )
    .addOption(
      listOption('--groups <list>', `extra groups that this token will authenticate as (default ${GROUP})`),
    )
    .option('--description <text>', 'a human friendly description of how this token is used')
    .option('--print-register-command', 'print the full register command instead of only the token')
    .action(async (flags: CreateFlags, self: Command) => {
      await withSession(flags, (session) =>
        create(session, flags, commandPath(self).split(' token ')[0] ?? 'navarch'),
      );
      exit(0);
    });
}

async function create(session: Session, flags: CreateFlags, program: string): Promise<void> {
  const ttlMs = flags.ttl === '0' ? 0 : readDuration('ttl', flags.ttl);
  const usages = flags.usages.length === 0 ? USAGES : flags.usages;
  const groups = flags.groups.length === 0 ? [GROUP] : flags.groups;
  for (const usage of usages)
    if (!USAGES.includes(usage))
      throw new CommandError(
        `invalid bootstrap token usage string: ${usage}, valid usage options: signing, authentication`,
      );
  for (const group of groups)
    if (!GROUP_PATTERN.test(group))
      throw new CommandError(`bootstrap group "${group}" is invalid (must match ${GROUP_PATTERN.source})`);
  const id = randomText(6);
  const secret = randomText(16);
  const data: Record<string, string> = {
    'token-id': id,
    'token-secret': secret,
    ...(flags.description === undefined || flags.description === ''
      ? {}
      : { description: flags.description }),
    ...(ttlMs === 0 ? {} : { expiration: formatTime(systemClock.now() + ttlMs) }),
    'auth-extra-groups': [...groups].sort().join(','),
  };
  for (const usage of usages) data[`usage-bootstrap-${usage}`] = 'true';
  await session.client.create(kinds.secrets as Resource<Secret>, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace: NAMESPACE },
    type: TYPE,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  });
  const token = `${id}.${secret}`;
  print(flags.printRegisterCommand === true ? registerCommand(session, program, token) : token);
}

function randomText(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)] ?? 'a').join('');
}

function registerCommand({ settings }: Session, program: string, token: string): string {
  if (settings.ca === undefined)
    throw new CommandError(
      'failed to get register command, err: the kubeconfig names no certificate authority',
    );
  const hashes = certificatesOf(settings.ca).map(publicKeyPin);
  const endpoint = settings.server.replace(/^https:\/\//, '');
  return `${program} register ${endpoint} --token ${token} --discovery-token-ca-cert-hash ${hashes.join(',')}`;
}

/** PEM certificates one by one. */
export function certificatesOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** How a certificate authority is recognised before it is trusted: by the hash of its public key. */
export function publicKeyPin(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

function listTokens(exit: SetExitCode): Command {
  return withHub(upstreamCommand('list', { examples: '# Which tokens there are\n%s token list' }))
    .description('List bootstrap tokens on the server')
    .action(async (flags: HubFlags) => {
      await withSession(flags, list);
      exit(0);
    });
}

async function list({ client }: Session): Promise<void> {
  const { items } = await client.listAll(kinds.secrets as Resource<Secret>, {
    namespace: NAMESPACE,
    fieldSelector: `type=${TYPE}`,
  });
  const rows = items.map((secret) => ({ cells: tokenCells(secret) }));
  const names = ['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'];
  process.stdout.write(
    formatTable(
      names.map((name) => ({ name })),
      rows,
      { wide: false, noHeaders: false, withNamespace: false, showLabels: false, labelColumns: [] },
    ),
  );
}

function tokenCells({ data = {} }: Secret): readonly string[] {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const expiration = text('expiration');
  const usages = USAGES.filter((usage) => text(`usage-bootstrap-${usage}`) === 'true').sort();
  const groups = text('auth-extra-groups').split(',').filter(Boolean).sort();
  const orNone = (value: string): string => (value === '' ? '<none>' : value);
  return [
    `${text('token-id')}.${text('token-secret')}`,
    expiration === '' ? '<forever>' : shortDuration(Date.parse(expiration) - systemClock.now()),
    expiration === '' ? '<never>' : expiration,
    orNone(usages.join(',')),
    orNone(text('description')),
    orNone(groups.join(',')),
  ];
}

/** One unit, rounded down. */
function shortDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 24) return `${hours}h`;
  return hours < 24 * 365 ? `${Math.floor(hours / 24)}d` : `${Math.floor(hours / 24 / 365)}y`;
}

function deleteTokens(exit: SetExitCode): Command {
  return withHub(
    upstreamCommand('delete', { examples: '# By its id, or the whole token\n%s token delete abcdef' }),
  )
    .description('Delete bootstrap tokens on the server')
    .argument('[tokens...]', 'ids, or whole tokens')
    .action(async (tokens: readonly string[], flags: HubFlags) => {
      if (tokens.length === 0)
        throw new CommandError(
          `missing subcommand; 'token delete' is missing token of form "${ID_PATTERN.replaceAll('\\', '\\\\')}"`,
        );
      await withSession(flags, (session) => remove(session, tokens));
      exit(0);
    });
}

async function remove({ client }: Session, tokens: readonly string[]): Promise<void> {
  const pattern = ID_PATTERN.replaceAll('\\', '\\\\');
  for (const token of tokens) {
    const id = /^([a-z0-9]{6})(\.[a-z0-9]{16})?$/.exec(token)?.[1];
    if (id === undefined)
      throw new CommandError(`given token didn't match pattern "${pattern}" or "${pattern}"`);
    try {
      await client.delete(kinds.secrets, { namespace: NAMESPACE, name: `bootstrap-token-${id}` });
    } catch (error) {
      throw new CommandError(`failed to delete bootstrap token "${id}", err: ${(error as Error).message}`);
    }
    print(`bootstrap token "${id}" deleted`);
  }
}
