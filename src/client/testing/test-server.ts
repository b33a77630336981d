// A real TLS server on a free port for tests of the HTTPS transport: an authority of its own, HTTP/2 and HTTP/1.1, and
// handlers that a test gives. It can go silent, as a cut network does.
import 'reflect-metadata';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2, { type Http2SecureServer, type ServerHttp2Session, type SecureServerOptions } from 'node:http2';
import type { webcrypto } from 'node:crypto';
import net, { type AddressInfo, type Socket } from 'node:net';
import * as x509 from '@peculiar/x509';

export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
}

async function makeCertificates(): Promise<Certificates> {
  const validity = { notBefore: new Date('2020-01-01'), notAfter: new Date('2100-01-01') };
  const caKeys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test-ca',
    keys: caKeys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (name: string, hosts: x509.JsonGeneralNames): Promise<[string, string]> => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      issuer: ca.subject,
      subject: name,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      ...validity,
      extensions: hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts)],
    });
    return [certificate.toString('pem'), await keyPem(keys)];
  };
  const [serverCert, serverKey] = await issue('CN=test-server', [
    { type: 'ip', value: '127.0.0.1' },
    { type: 'dns', value: 'apiserver.test' },
  ]);
  const [clientCert, clientKey] = await issue('CN=alice,O=team', []);
  return { ca: ca.toString('pem'), serverCert, serverKey, clientCert, clientKey };
}

let certificates: Promise<Certificates> | undefined;

export function testCertificates(): Promise<Certificates> {
  certificates ??= makeCertificates();
  return certificates;
}

// HTTP/2's compatibility classes do what these do, as far as tests go.
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  readonly connections: number;
  /** Stops reading and writing on all connections without closing them. */
  freeze(): void;
  /** Breaks all connections: by a reset, or by an end as a killed process leaves it. */
  cut(how?: 'reset' | 'end'): void;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly handler: Handler;
  readonly http1Only?: boolean;
  readonly plain?: boolean;
  readonly requireClientCertificate?: boolean;
  readonly maxConcurrentStreams?: number;
  readonly port?: number;
}

export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const pems = await testCertificates();
  const tlsOptions: SecureServerOptions = {
    cert: pems.serverCert,
    key: pems.serverKey,
    ca: pems.ca,
    allowHTTP1: true,
    ...(options.http1Only === true ? { ALPNProtocols: ['http/1.1'] } : {}),
    requestCert: true,
    rejectUnauthorized: options.requireClientCertificate === true,
    settings: { maxConcurrentStreams: options.maxConcurrentStreams ?? 250 },
  };
  const server: Http2SecureServer | http.Server =
    options.plain === true ? http.createServer() : http2.createSecureServer(tlsOptions);
  server.on('request', options.handler);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  server.on('tlsClientError', () => undefined);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Clients connect through a relay that tests can freeze and cut: what a network does, below TLS.
  const relay = await startRelay((server.address() as AddressInfo).port, options.port ?? 0);
  const close = async (): Promise<void> => {
    await relay.close();
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    port: relay.port,
    url: `${options.plain === true ? 'http' : 'https'}://127.0.0.1:${relay.port}`,
    sessions,
    get connections() {
      return relay.made;
    },
    freeze: () => relay.freeze(),
    cut: (how) => relay.cut(how),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Relay {
  readonly port: number;
  readonly made: number;
  freeze(): void;
  cut(how?: 'reset' | 'end'): void;
  close(): Promise<void>;
}

async function startRelay(targetPort: number, port: number): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let made = 0;
  const server = net.createServer((inner) => {
    made++;
    const outer = net.connect(targetPort, '127.0.0.1');
    const pair = [inner, outer] as const;
    pairs.add(pair);
    inner.pipe(outer);
    outer.pipe(inner);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        inner.destroy();
        outer.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const cut = (how: 'reset' | 'end' = 'reset'): void => {
    for (const [inner, outer] of pairs) {
      if (how === 'reset') inner.resetAndDestroy();
      else inner.destroy();
      outer.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    get made() {
      return made;
    },
    freeze() {
      for (const [inner, outer] of pairs) {
        inner.unpipe(outer);
        outer.unpipe(inner);
        inner.pause();
        outer.pause();
      }
    },
    cut,
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
