// Makes connected sockets: TCP or through a proxy's CONNECT, then TLS with the cluster's authority and our certificate.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import type { Clock } from '../../base/index.ts';
import { ConnectionError } from '../errors.ts';
import { toConnectionError } from './failure.ts';

export interface DialSettings {
  readonly url: URL;
  /** PEM; absent: the system's authorities. */
  readonly ca?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** The name to ask for and to verify instead of the host. */
  readonly serverName?: string | undefined;
  readonly proxyUrl?: URL | undefined;
  /** For the proxy; several values of one are separated by commas. */
  readonly proxyHeaders?: Readonly<Record<string, string>> | undefined;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
}

export interface ClientCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Dialled {
  readonly socket: net.Socket;
  readonly http2: boolean;
  /** What has gone wrong with the socket since. */
  readonly failure: () => Error | undefined;
}

export type Dial = (certificate: ClientCertificate | undefined, signal: AbortSignal) => Promise<Dialled>;

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
}

/** URL keeps the brackets of IPv6 addresses; sockets do not want them. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** Asks the proxy for a tunnel. Rejects with ConnectionError. */
export function openTunnel(
  proxyUrl: URL,
  target: URL,
  proxyHeaders: Readonly<Record<string, string>> = {},
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const authority = `${target.hostname}:${portOf(target)}`;
    const { username, password } = proxyUrl;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const request = (proxyUrl.protocol === 'https:' ? https : http).request({
      host: hostOf(proxyUrl),
      port: portOf(proxyUrl),
      method: 'CONNECT',
      path: authority,
      agent: false,
      headers: {
        ...Object.fromEntries(
          Object.entries(proxyHeaders).map(([name, values]) => [name.toLowerCase(), values.split(',')]),
        ),
        host: authority,
        ...(username === ''
          ? {}
          : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
      },
    });
    request.once('connect', (response, socket) => {
      if (response.statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(
        new ConnectionError(
          'proxy',
          `the proxy ${proxyUrl.host} refused a tunnel to ${authority}: status ${response.statusCode}`,
        ),
      );
    });
    request.once('error', (error) =>
      reject(
        new ConnectionError('proxy', `the proxy ${proxyUrl.host} cannot be used: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    request.end();
  });
}

interface Attempt {
  socket: net.Socket | undefined;
}

function secureContextMaker(
  ca: string | undefined,
): (own: ClientCertificate | undefined) => tls.SecureContext {
  // Parsing certificates is dear; a reconnect after a rotation is rare.
  let last: { readonly own: ClientCertificate | undefined; readonly context: tls.SecureContext } | undefined;
  return (own) => {
    if (last === undefined || last.own?.cert !== own?.cert || last.own?.key !== own?.key) {
      const context = tls.createSecureContext({
        ...(ca === undefined ? {} : { ca }),
        ...(own === undefined ? {} : { cert: own.cert, key: own.key }),
      });
      last = { own, context };
    }
    return last.context;
  };
}

/** A function that connects anew at every call, within the time limit. Rejects with ConnectionError. */
export function createDial(settings: DialSettings): Dial {
  const { url, proxyUrl, clock, connectTimeoutMs } = settings;
  const secureContext = secureContextMaker(settings.ca);
  const host = hostOf(url);
  const verifiedName = settings.serverName ?? host;

  async function connect(attempt: Attempt, certificate: ClientCertificate | undefined): Promise<Dialled> {
    const below = proxyUrl === undefined ? undefined : await openTunnel(proxyUrl, url, settings.proxyHeaders);
    attempt.socket = below;
    if (url.protocol === 'http:') {
      const plain = below ?? net.connect({ host, port: portOf(url), noDelay: true });
      attempt.socket = plain;
      const failure = watchFor(plain);
      if (below === undefined) await once(plain, 'connect');
      return { socket: plain, http2: false, failure };
    }
    const socket = tls.connect({
      ...(below === undefined ? { host, port: portOf(url) } : { socket: below }),
      secureContext: secureContext(certificate),
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: settings.insecureSkipTlsVerify !== true,
      // An address is no server name; TLS forbids it there.
      ...(net.isIP(verifiedName) === 0 ? { servername: verifiedName } : {}),
      checkServerIdentity: (_, peer) => tls.checkServerIdentity(verifiedName, peer),
    });
    attempt.socket = socket;
    socket.setNoDelay(true);
    // Where HTTP/2 pings do not look (HTTP/1.1), the kernel notices a dead peer some day.
    socket.setKeepAlive(true, 15_000);
    // From the start: a server that misses a certificate says so right behind its handshake.
    const failure = watchFor(socket);
    await once(socket, 'secureConnect');
    return { socket, http2: socket.alpnProtocol === 'h2', failure };
  }

  return (certificate, signal) =>
    new Promise((resolve, reject) => {
      const attempt: Attempt = { socket: undefined };
      let over = false;
      const finish = (act: () => void): void => {
        if (over) return;
        over = true;
        cancel();
        signal.removeEventListener('abort', onAbort);
        act();
      };
      const giveUp = (error: Error): void =>
        finish(() => {
          attempt.socket?.on('error', () => undefined);
          attempt.socket?.destroy();
          reject(error);
        });
      const onAbort = (): void => giveUp(signal.reason as Error);
      const cancel = clock.after(connectTimeoutMs, () =>
        giveUp(
          new ConnectionError(
            'timeout',
            `${url.origin} did not accept a connection in ${connectTimeoutMs} ms`,
          ),
        ),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      connect(attempt, certificate).then(
        (dialled) => {
          if (over) dialled.socket.destroy();
          finish(() => resolve(dialled));
        },
        (error: unknown) => finish(() => reject(toConnectionError(error, url.origin))),
      );
    });
}

/** Remembers the first error; it may come when nobody else listens. */
function watchFor(socket: net.Socket): () => Error | undefined {
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure ??= error;
  });
  return () => failure;
}

/** Resolves with the event, rejects when the socket fails or closes first. */
function once(socket: net.Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const onEvent = (): void => {
      stop();
      resolve();
    };
    const onError = (error: Error): void => {
      stop();
      reject(error);
    };
    const onClose = (): void => {
      stop();
      reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
    };
    const stop = (): void => {
      socket.removeListener(event, onEvent);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
    };
    socket.once(event, onEvent);
    socket.once('error', onError);
    socket.once('close', onClose);
  });
}
