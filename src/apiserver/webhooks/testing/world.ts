// A whole API server and real webhook servers beside it, for the tests of this folder.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { JsonObject, KubeObject, WatchEvent } from '../../../api/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../../base/index.ts';
import type { UserInfo } from '../../../machinery/index.ts';
import { createMemoryStorage } from '../../../storage/index.ts';
import { memoryVault, objectCodec, openCertificates, startApiServer, versionInfo } from '../../index.ts';
import { issueCertificate } from '../../security/certificates.ts';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

export interface Answer {
  readonly status: number;
  readonly body: JsonObject & { readonly message?: string; readonly metadata?: JsonObject };
  readonly warnings: readonly string[];
}

export interface Hook {
  readonly url: string;
  readonly port: number;
  /** For client configurations. */
  readonly caBundle: string;
  /** What it was asked, in order. */
  readonly reviews: readonly JsonObject[];
}

/** Answers a review; undefined: never. */
export type Responder = (review: JsonObject) => object | undefined;

export interface World {
  /** @param user absent: the administrator */
  call(method: string, path: string, body?: object, query?: string, user?: UserInfo): Promise<Answer>;
  /** Watches until the server ends the watch; resolves with what came. */
  watch(path: string, resourceVersion: string): Promise<readonly WatchEvent[]>;
  webhook(responder: Responder): Promise<Hook>;
  close(): Promise<void>;
}

export async function startWorld(): Promise<World> {
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
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('v1.36.2', 'test'),
  });
  const pair = await issueCertificate(certificates.authority, {
    commonName: 'webhook',
    hosts: ['127.0.0.1', 'wh.shop.svc'],
    usages: ['server auth'],
    now: Date.now(),
    validMs: 3_600_000,
  });
  const closers: (() => Promise<void>)[] = [];
  const call: World['call'] = async (method, path, body, query = '', user = ADMIN) => {
    const patch = { 'content-type': 'application/merge-patch+json' };
    const response = await running.server.handle({
      method,
      path,
      query: new URLSearchParams(query),
      headers: body === undefined ? {} : method === 'PATCH' ? patch : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : { json: body },
      user,
      signal: new AbortController().signal,
    });
    if (response.kind !== 'object') throw new Error(`no object but ${response.kind}`);
    const { warning = [] } = response.headers ?? {};
    const body_ = response.object as Answer['body'];
    return {
      status: response.status,
      body: body_,
      warnings: typeof warning === 'string' ? [warning] : warning,
    };
  };
  return {
    call,
    async watch(path, resourceVersion) {
      const { signal } = new AbortController();
      const query = new URLSearchParams({ watch: 'true', resourceVersion });
      const request = { method: 'GET', path, query, headers: {}, body: undefined, user: ADMIN, signal };
      const response = await running.server.handle(request);
      if (response.kind !== 'watch') throw new Error(`no watch but ${response.kind}`);
      const seen: WatchEvent[] = [];
      await response.run((events) => void seen.push(...events), signal);
      return seen;
    },
    async webhook(responder) {
      const reviews: JsonObject[] = [];
      const server = createServer({ key: pair.key, cert: pair.certificate }, (request, response) => {
        let text = '';
        request.on('data', (chunk: Buffer) => (text += chunk.toString()));
        request.on('end', () => {
          const review = JSON.parse(text) as JsonObject;
          reviews.push(review);
          const answer = responder(review);
          if (answer !== undefined) response.end(JSON.stringify(answer));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closers.push(async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      });
      const { port } = server.address() as AddressInfo;
      const caBundle = Buffer.from(certificates.authority.certificate).toString('base64');
      return { url: `https://127.0.0.1:${port}/review`, port, caBundle, reviews };
    },
    async close() {
      await running.close();
      for (const close of closers) await close();
    },
  };
}

/** The answer to an AdmissionReview. */
export function review(asked: JsonObject, response: object): object {
  const { uid } = asked['request'] as JsonObject;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...response },
  };
}

export const patching = (operations: readonly object[]): object => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
