// A whole API server on a TLS port, and calls to it as a client would make them, for tests of what happens before a
// request reaches the verbs.
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import {
  createMetricsRegistry,
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
  type ClusterCertificates,
  type RunningServer,
  type StartOptions,
} from '../index.ts';

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | string | Uint8Array;
  /** Whose certificate is shown; absent: the administrator's. */
  readonly as?: { readonly certificate: string; readonly key: string } | 'nobody';
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Empty where the answer is no JSON. */
  readonly body: JsonObject & { readonly message?: string };
}

/** Empty for text, and for the lines of a watch. */
function jsonOf(text: string): JsonObject {
  const lines = text.trimEnd().split('\n');
  return lines.length === 1 && text.startsWith('{') ? (JSON.parse(text) as JsonObject) : {};
}

export interface SecureServer extends AsyncDisposable {
  readonly running: RunningServer;
  readonly certificates: ClusterCertificates;
  readonly port: number;
  call(path: string, call?: Call): Promise<Answer>;
}

export async function secureServer(more: Partial<StartOptions> = {}): Promise<SecureServer> {
  const certificates = await openCertificates({
    vault: memoryVault(),
    now: Date.now(),
    clusterName: 'test',
  });
  const running = await startApiServer({
    storage: createMemoryStorage<KubeObject>(objectCodec),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    port: 0,
    version: versionInfo('v1.36.2', 'test'),
    metrics: createMetricsRegistry(),
    ...more,
  });
  const server: SecureServer = {
    running,
    certificates,
    port: running.port,
    call: (path, { method = 'GET', headers = {}, body, as = certificates.admin } = {}) =>
      new Promise((resolve, reject) => {
        const text = typeof body === 'object' && !(body instanceof Uint8Array) ? JSON.stringify(body) : body;
        const request = httpsRequest(
          {
            host: '127.0.0.1',
            port: running.port,
            method,
            path,
            agent: false,
            ca: certificates.authority.certificate,
            headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
            ...(as === 'nobody' ? {} : { cert: as.certificate, key: as.key }),
          },
          (response) => {
            let answer = '';
            response.on('data', (chunk: Buffer) => (answer += chunk.toString()));
            response.on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                text: answer,
                body: jsonOf(answer),
              }),
            );
            response.on('error', reject);
          },
        );
        request.on('error', reject);
        request.end(text);
      }),
    [Symbol.asyncDispose]: () => running.close(),
  };
  return server;
}
