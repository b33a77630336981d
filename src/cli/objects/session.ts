// One connection to a control plane, and through its proxy to the members behind it: what every command that acts on
// objects works with. Members are reached with the user's own credentials; no kubeconfig of theirs is needed.
import type { Command } from 'commander';
import type { Cluster } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import {
  createClient,
  createHttpsTransport,
  createRestMapper,
  kinds,
  loadKubeconfig,
  type Client,
  type ConnectionSettings,
  type RestMapper,
} from '../../client/index.ts';
import { withHub } from '../command.ts';
import { CommandError } from '../shell/index.ts';

export interface HubFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly namespace?: string;
}

/** Adds the flags that say which control plane and which namespace are meant. */
export function withNamespace(command: Command): Command {
  return withHub(command).option(
    '-n, --namespace <name>',
    'if present, the namespace scope for this CLI request',
  );
}

export interface Session {
  readonly client: Client;
  readonly mapper: RestMapper;
  readonly settings: ConnectionSettings;
  /** Where commands act when objects do not say. */
  readonly namespace: string;
  /** It was named on the command line. */
  readonly namespaceGiven: boolean;
  /** The member behind the control plane's proxy, or undefined for the control plane itself. */
  readonly cluster: string | undefined;
  /** The same for a member, over the proxy. */
  member(cluster: string): Session;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Named in managedFields; default `navarch`. */
  readonly fieldManager?: string;
  readonly timeoutMs?: number;
}

export async function openSession(flags: HubFlags, options: SessionOptions = {}): Promise<Session> {
  const settings = await loadKubeconfig({
    ...(flags.kubeconfig === undefined ? {} : { path: flags.kubeconfig }),
    ...(flags.karmadaContext === undefined ? {} : { context: flags.karmadaContext }),
  });
  return sessionOf(settings, flags, options, undefined);
}

export function proxyPath(cluster: string): string {
  return `/apis/cluster.karmada.io/v1alpha1/clusters/${encodeURIComponent(cluster)}/proxy`;
}

function sessionOf(
  settings: ConnectionSettings,
  flags: HubFlags,
  options: SessionOptions,
  cluster: string | undefined,
): Session {
  const opened: Session[] = [];
  const transport = createHttpsTransport({
    ...settings,
    clock: systemClock,
    userAgent: 'navarch',
    onWarning: (text) => void process.stderr.write(`Warning: ${text}\n`),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  return {
    client: createClient(transport, { fieldManager: options.fieldManager ?? 'navarch' }),
    mapper: createRestMapper(transport, { clock: systemClock }),
    settings,
    namespace: flags.namespace ?? settings.namespace,
    namespaceGiven: flags.namespace !== undefined,
    cluster,
    member(name) {
      const server = `${settings.server.replace(/\/+$/, '')}${proxyPath(name)}`;
      const session = sessionOf({ ...settings, server }, flags, options, name);
      opened.push(session);
      return session;
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await transport.close();
    },
  };
}

/** Opens a session for the time of one command. */
export async function withSession<T>(
  flags: HubFlags,
  run: (session: Session) => Promise<T>,
  options: SessionOptions = {},
): Promise<T> {
  const session = await openSession(flags, options);
  try {
    return await run(session);
  } finally {
    await session.close();
  }
}

export type OperationScope = 'karmada' | 'members' | 'all';

/** Throws CommandError, in upstream's words, for a scope that there is not or that the command does not have. */
export function readScope(text: string, allowed: readonly OperationScope[]): OperationScope {
  const scope = (['karmada', 'members', 'all'] as const).find((one) => one === text.toLowerCase());
  if (scope === undefined) throw new CommandError(`not support OperationScope: ${text}`);
  if (!allowed.includes(scope)) throw new CommandError(`not support operation scope: ${scope}`);
  return scope;
}

export interface ScopeFlags {
  readonly operationScope: string;
  readonly cluster?: string;
}

/** @param cluster with or without a short form: upstream's commands differ in that */
export function withScope(command: Command, cluster: '--cluster <name>' | '-C, --cluster <name>'): Command {
  return command
    .option('-s, --operation-scope <scope>', 'where to act: karmada or members', 'karmada')
    .option(cluster, 'the member cluster, with --operation-scope members');
}

/** The control plane, or the one member of `--operation-scope members`. */
export function scopedSession(session: Session, flags: ScopeFlags): Session {
  const scope = readScope(flags.operationScope, ['karmada', 'members']);
  if (scope === 'karmada') return session;
  if (flags.cluster === undefined || flags.cluster === '')
    throw new CommandError('must specify a member cluster');
  return session.member(flags.cluster);
}

export async function clusterNames(session: Session): Promise<readonly string[]> {
  const { items } = await session.client.listAll<Cluster>(kinds.clusters);
  return items.map(({ metadata }) => metadata.name ?? '');
}

/** Throws CommandError for names of clusters that are not registered. */
export async function requireClusters(session: Session, names: readonly string[]): Promise<void> {
  const known = new Set(await clusterNames(session));
  const missing = [...new Set(names)].filter((name) => !known.has(name));
  if (missing.length > 0) throw new CommandError(`clusters don't exist: ${missing.sort().join(',')}`);
}
