// Another HTTPS server that answers in our place, and the connections to it. HTTP/1.1, because only that can turn a
// connection into a WebSocket or SPDY.
import http from 'node:http';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { Clock } from '../../base/index.ts';

export interface Upstream {
  /** Equal for upstreams that may share connections. */
  readonly key: string;
  /** `https:`; its path stands before every path that is asked for. */
  readonly url: URL;
  /** PEM; absent: the system's authorities. */
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** What the certificate must be for; absent: the URL's host. */
  readonly serverName?: string;
  readonly minVersion?: tls.SecureVersion;
  /** Who we are; PEM. */
  readonly certificate?: { readonly certificate: string; readonly key: string };
  /** A connected socket to speak TLS on; absent: a connection to the URL's host. */
  readonly connect?: () => Promise<Socket>;
}

// LIMIT: how long connecting may take, TLS included.
const CONNECT_TIMEOUT_MS = 30_000;
// LIMIT: connections to one upstream; requests beyond it wait. A watch holds one for as long as it lasts.
const CONNECTIONS_MAX = 4096;
// LIMIT: idle connections kept to one upstream.
const IDLE_CONNECTIONS_MAX = 16;
const IDLE_MS = 60_000;
// LIMIT: upstreams whose connections are kept; the one that was not used for longest goes first.
const UPSTREAMS_MAX = 1024;

/** The connections to all upstreams. */
export class UpstreamConnections {
  readonly #clock: Clock;
  readonly #agents = new Map<string, UpstreamAgent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  agentFor(upstream: Upstream): http.Agent {
    const known = this.#agents.get(upstream.key);
    const agent = known ?? new UpstreamAgent(() => this.dial(upstream));
    this.#agents.delete(upstream.key);
    this.#agents.set(upstream.key, agent);
    if (this.#agents.size > UPSTREAMS_MAX) {
      const [oldest, unused] = this.#agents.entries().next().value!;
      this.#agents.delete(oldest);
      unused.retire();
    }
    return agent;
  }

  dial(upstream: Upstream): Promise<Socket> {
    return dial(upstream, this.#clock);
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

class UpstreamAgent extends http.Agent {
  readonly #dial: () => Promise<Socket>;

  constructor(dialUpstream: () => Promise<Socket>) {
    super({
      keepAlive: true,
      maxSockets: CONNECTIONS_MAX,
      maxFreeSockets: IDLE_CONNECTIONS_MAX,
      timeout: IDLE_MS,
    });
    this.#dial = dialUpstream;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#dial().then(
      (socket) => callback?.(null, socket),
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
  }

  /** Lets go of what is idle; what is in use ends with its requests. */
  retire(): void {
    for (const sockets of Object.values(this.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }
}

/** A TCP connection, made. */
export async function connectTo(host: string, port: number): Promise<Socket> {
  const socket = connectSocket({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

async function dial(upstream: Upstream, clock: Clock): Promise<Socket> {
  const { url, ca, certificate, minVersion, insecureSkipTlsVerify = false } = upstream;
  // URL keeps the brackets of IPv6 addresses; sockets do not want them.
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const name = upstream.serverName ?? host;
  let socket: Socket | undefined;
  let late = false;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const cancel = clock.after(CONNECT_TIMEOUT_MS, () => {
    late = true;
    socket?.destroy();
    reject(Object.assign(new Error(`${url.host} did not accept a connection`), { code: 'ETIMEDOUT' }));
  });
  const connect = async (): Promise<Socket> => {
    const below = await upstream.connect?.();
    if (late) below?.destroy();
    const secure = tls.connect({
      ...(below === undefined ? { host, port: Number(url.port === '' ? 443 : url.port) } : { socket: below }),
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: !insecureSkipTlsVerify,
      checkServerIdentity: (_, peer) => tls.checkServerIdentity(name, peer),
      ALPNProtocols: ['http/1.1'],
    });
    socket = secure;
    secure.setNoDelay(true);
    secure.setKeepAlive(true, 15_000);
    await new Promise<void>((connected, failed) => {
      secure.once('secureConnect', connected);
      secure.once('error', failed);
      secure.once('close', () => failed(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
    });
    return secure;
  };
  connect().then(resolve, reject);
  try {
    return await promise;
  } finally {
    cancel();
  }
}
