// One connection per member: its transport, its informers, its discovery. Built from the Cluster object and the
// Secret it names, and built anew when either changes in a way that matters.
// INVARIANT: nothing that waits for one member is shared with another, so a dead member delays nobody else.
import type { Cluster, KubeObject, Secret } from '../api/index.ts';
import { OperatingError, type Clock, type Logger, type Random } from '../base/index.ts';
import {
  createClient,
  createRestMapper,
  kinds,
  type Client,
  type Resource,
  type RestMapper,
  type Transport,
} from '../client/index.ts';
import { createInformerSet, type Informer, type InformerSet } from '../runtime/index.ts';

/** By which managedFields in members tell our writes from others. COMPAT: upstream's. */
export const MEMBER_FIELD_MANAGER = 'karmada';

/** All that is needed to reach a member. */
export interface MemberEndpoint {
  readonly cluster: string;
  readonly server: string;
  /** PEM; undefined: do not verify (only with insecureSkipTlsVerify) . */
  readonly certificateAuthority: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  /** Read for every new connection and after a 401, so that a rotated token is taken up. */
  readonly bearerToken: () => string;
  readonly proxyUrl: string | undefined;
  readonly proxyHeaders: Readonly<Record<string, string>>;
}

/** Opens the way to a member. The hub decides what a member is reached by. */
export type OpenMember = (endpoint: MemberEndpoint) => Transport;

/** Where the ways to members are known from. */
export interface MemberEndpoints {
  /** What `of` reads besides the Cluster: while both are the same objects, so is the endpoint. */
  source(cluster: Cluster): KubeObject | undefined;
  /** Throws OperatingError MEMBER_UNUSABLE. */
  of(cluster: Cluster): MemberEndpoint;
}

export interface MemberConnection {
  readonly cluster: string;
  readonly memberClient: Client;
  readonly informers: InformerSet;
  readonly mapper: RestMapper;
  /** Aborts when this connection is replaced or dropped. */
  readonly signal: AbortSignal;
}

export interface MemberConnectionsSettings {
  readonly open: OpenMember;
  /** What reaches the member of this Cluster. `secretEndpoints` reads it from the Cluster and its Secret. */
  readonly endpoints: MemberEndpoints;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Held {
  readonly identity: string;
  /** What the identity was found from: the very objects, which the caches never change. */
  readonly from: Source;
  readonly connection: MemberConnection;
  readonly abort: AbortController;
}

interface Source {
  readonly cluster: Cluster;
  readonly source: KubeObject | undefined;
}

export class MemberConnections {
  /** Told whenever a member's connection is there anew: what was cached from the old one is void. */
  readonly onConnected = new Set<(connection: MemberConnection) => void>();
  private readonly settings: MemberConnectionsSettings;
  private readonly held = new Map<string, Held>();
  private closed: Promise<unknown> | undefined;

  constructor(settings: MemberConnectionsSettings) {
    this.settings = settings;
  }

  /**
   * The connection to `cluster`, made at the first call. Throws OperatingError MEMBER_UNUSABLE when the Cluster or its
   * Secret do not say how to reach it.
   */
  connect(cluster: Cluster): MemberConnection {
    const from = { cluster, source: this.settings.endpoints.source(cluster) };
    const last = this.held.get(cluster.metadata.name ?? '');
    if (last !== undefined && last.from.cluster === cluster && last.from.source === from.source)
      return last.connection;
    const endpoint = this.settings.endpoints.of(cluster);
    // The token is left out: it is read anew when needed, and a new one must not cut running watches.
    const { bearerToken: _token, ...fixed } = endpoint;
    const identity = JSON.stringify([fixed, cluster.metadata.uid]);
    if (last !== undefined && last.identity === identity) {
      this.held.set(endpoint.cluster, { ...last, from });
      return last.connection;
    }
    if (last !== undefined) this.drop(endpoint.cluster);
    return this.open(endpoint, identity, from);
  }

  /** The connection as it stands, without making one. */
  find(cluster: string): MemberConnection | undefined {
    return this.held.get(cluster)?.connection;
  }

  /** Closes the connection; harmless when there is none. */
  drop(cluster: string): void {
    const known = this.held.get(cluster);
    if (known === undefined) return;
    this.held.delete(cluster);
    known.abort.abort(new Error(`the connection to ${cluster} is closed`));
    void this.shut(known.connection);
  }

  /** Whoever waits for a member fails. Calls after the first one wait for the same end. */
  async close(): Promise<void> {
    const all = [...this.held.values()];
    this.held.clear();
    for (const { abort } of all) abort.abort(new Error('the hub is stopping'));
    this.closed ??= Promise.all(all.map(({ connection }) => this.shut(connection)));
    await this.closed;
  }

  private async shut({ informers, memberClient, cluster }: MemberConnection): Promise<void> {
    try {
      await informers.close();
      await memberClient.transport.close();
    } catch (error) {
      this.settings.logger.warn('Closing the connection to a member failed', { cluster, error });
    }
  }

  private open(endpoint: MemberEndpoint, identity: string, from: Source): MemberConnection {
    if (this.closed !== undefined) throw unusable(endpoint.cluster, 'the hub is stopping');
    const { clock, random, logger } = this.settings;
    const abort = new AbortController();
    const memberClient = createClient(this.settings.open(endpoint), { fieldManager: MEMBER_FIELD_MANAGER });
    const connection: MemberConnection = {
      cluster: endpoint.cluster,
      memberClient,
      informers: createInformerSet({
        client: memberClient,
        clock,
        random,
        logger: logger.with({ cluster: endpoint.cluster }),
      }),
      mapper: createRestMapper(memberClient.transport, { clock }),
      signal: abort.signal,
    };
    this.held.set(endpoint.cluster, { identity, from, connection, abort });
    for (const tell of this.onConnected) tell(connection);
    return connection;
  }
}

/** As Cluster objects say, with the credentials in the Secrets they name: how a hub reaches its push members. */
export function secretEndpoints(secrets: Informer<Secret>): MemberEndpoints {
  const secretOf = ({ spec }: Cluster): Secret | undefined => {
    const { namespace = '', name = '' } = spec.secretRef ?? {};
    return secrets.store.get({ namespace, name });
  };
  return { source: secretOf, of: (cluster) => endpointOf(cluster, secrets) };
}

function endpointOf(cluster: Cluster, secrets: Informer<Secret>): MemberEndpoint {
  const { name = '' } = cluster.metadata;
  const {
    apiEndpoint = '',
    secretRef,
    insecureSkipTLSVerification = false,
    proxyURL,
    proxyHeader,
  } = cluster.spec;
  if (apiEndpoint === '') throw unusable(name, 'the API endpoint of the cluster is empty');
  if (secretRef === undefined || secretRef === null) throw unusable(name, 'the cluster has no secretRef');
  const key = { namespace: secretRef.namespace, name: secretRef.name };
  const data = (): Readonly<Record<string, string>> => secrets.store.get(key)?.data ?? {};
  if (secrets.store.get(key) === undefined) {
    throw unusable(name, `secret ${key.namespace}/${key.name} does not exist`);
  }
  if (decode(data()['token']) === '')
    throw unusable(name, `secret ${key.namespace}/${key.name} holds no token`);
  const certificateAuthority = decode(data()['caBundle']);
  if (certificateAuthority === '' && !insecureSkipTLSVerification) {
    throw unusable(name, `secret ${key.namespace}/${key.name} holds no caBundle`);
  }
  return {
    cluster: name,
    server: apiEndpoint,
    certificateAuthority: certificateAuthority === '' ? undefined : certificateAuthority,
    insecureSkipTlsVerify: insecureSkipTLSVerification,
    bearerToken: () => decode(data()['token']),
    proxyUrl: proxyURL === '' ? undefined : proxyURL,
    proxyHeaders: proxyHeader ?? {},
  };
}

function unusable(cluster: string, why: string): OperatingError {
  return new OperatingError(
    'MEMBER_UNUSABLE',
    why,
    `mend the Cluster object or its Secret, or join ${cluster} again`,
  );
}

function decode(base64: string | undefined): string {
  if (base64 === undefined) return '';
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}

/** For `secretEndpoints`. */
export const secretResource = kinds.secrets as Resource<Secret>;
