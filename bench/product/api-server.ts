// A whole API server over files for measurements, without controllers, and the least client of it over HTTPS.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import type { KubeObject } from '../../src/api/index.ts';
import {
  createMetricsRegistry,
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
  type RunningServer,
} from '../../src/apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { StorageWorker, openFileStorage } from '../../src/storage/index.ts';

/** How a client in another process reaches the server, as its administrator. */
export interface Target {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface MeasuredServer {
  readonly running: RunningServer;
  readonly target: Target;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

export async function startMeasuredServer(): Promise<MeasuredServer> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'navarch-bench-'));
  const worker = new StorageWorker();
  const storage = await openFileStorage<KubeObject>({ directory, codec: objectCodec, worker });
  const certificates = await openCertificates({
    vault: memoryVault(),
    now: Date.now(),
    clusterName: 'bench',
  });
  const running = await startApiServer({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('v1.36.2', 'bench'),
    metrics: createMetricsRegistry(),
  });
  const { authority, admin } = certificates;
  return {
    running,
    target: { port: running.port, ca: authority.certificate, cert: admin.certificate, key: admin.key },
    async close() {
      await running.close();
      await storage.close();
      await worker.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Several connections to the server; a caller takes the next one with its number. */
export function connectTo({ port, ca, cert, key }: Target, count: number): readonly ClientHttp2Session[] {
  return Array.from({ length: count }, () => connect(`https://127.0.0.1:${port}`, { ca, cert, key }));
}

/** One request. Resolves with the body of the answer; rejects with it when it is an error. */
export function ask(
  session: ClientHttp2Session,
  method: string,
  target: string,
  json?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': method,
      ':path': target,
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    });
    let [text, status] = ['', 0];
    stream.on('response', (headers) => (status = Number(headers[constants.HTTP2_HEADER_STATUS])));
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => (text += chunk));
    stream.on('end', () => (status < 300 ? resolve(text) : reject(new Error(text))));
    stream.on('error', reject);
    stream.end(json);
  });
}
