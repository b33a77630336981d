// A real API server for tests: in process, over memory storage, with time that moves when the test says so.
import type { KubeList, KubeObject, WatchEvent } from '../../api/index.ts';
import { silentLogger, systemRandom } from '../../base/index.ts';
import { ManualClock, settled } from '../../runtime/testing/manual-clock.ts';
import { createMemoryStorage, type Storage } from '../../storage/index.ts';
import {
  createApiServer,
  objectCodec,
  type ApiServer,
  type ApiServerOptions,
  type InProcessRequest,
} from '../index.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Served {
  readonly clock: ManualClock;
  readonly storage: Storage<KubeObject>;
  readonly server: ApiServer;
  send(
    method: InProcessRequest['method'],
    path: string,
    body?: unknown,
    more?: Partial<InProcessRequest>,
  ): Promise<Answer>;
  /** Sends what must succeed, and returns the object that it answers with. */
  must(
    method: InProcessRequest['method'],
    path: string,
    body?: unknown,
    more?: Partial<InProcessRequest>,
  ): Promise<KubeObject>;
  /** The Warning headers of the answer. */
  warnings(
    method: InProcessRequest['method'],
    path: string,
    body?: unknown,
    more?: Partial<InProcessRequest>,
  ): Promise<readonly string[]>;
  list(path: string, query?: Readonly<Record<string, string>>): Promise<KubeList>;
  watch(path: string, query?: Readonly<Record<string, string>>, accept?: string): Watching;
}

export interface Watching {
  readonly events: readonly WatchEvent[];
  /** Every event as `TYPE name`; a bookmark or error without the name. */
  seen(): readonly string[];
  /** Resolves when the server or `stop` has ended the watch. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

const ADMIN = { name: 'admin', groups: ['system:masters'] };

/** The server, with the namespace `default` in it. */
export async function serve(
  more: Partial<ApiServerOptions> & { readonly historyLimit?: number } = {},
): Promise<Served> {
  const { historyLimit, ...options } = more;
  const clock = new ManualClock();
  const storage = createMemoryStorage<KubeObject>(objectCodec, {
    clock,
    ...(historyLimit === undefined ? {} : { historyLimit }),
  });
  const server = createApiServer({ storage, clock, random: systemRandom, logger: silentLogger, ...options });
  const api = server.inProcess(ADMIN);
  const served: Served = {
    clock,
    storage,
    server,
    send: (method, path, body, rest) =>
      api.send({ method, path, ...(body === undefined ? {} : { body }), ...rest }),
    async must(method, path, body, rest) {
      const answer = await served.send(method, path, body, rest);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
      return answer.body as KubeObject;
    },
    async warnings(method, path, body, more = {}) {
      const response = await server.handle({
        method,
        path,
        query: new URLSearchParams(),
        headers: { 'content-type': more.contentType ?? 'application/json' },
        body: body === undefined ? undefined : { json: body },
        user: ADMIN,
        signal: new AbortController().signal,
      });
      const { warning = [] } = (response.kind === 'upgrade' ? undefined : response.headers) ?? {};
      return [warning].flat();
    },
    async list(path, query = {}) {
      return (await served.must('GET', path, undefined, { query })) as unknown as KubeList;
    },
    watch(path, query = {}, accept = 'application/json') {
      const events: WatchEvent[] = [];
      const stopping = new AbortController();
      const done = api.watch(
        { method: 'GET', path, query, headers: { accept }, signal: stopping.signal },
        (event) => {
          events.push(event);
        },
      );
      return {
        events,
        seen: () => events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim()),
        done,
        async stop() {
          await settled();
          stopping.abort();
          await done;
        },
      };
    },
  };
  await served.must('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  return served;
}
