// A real API server on memory storage, in process, and a network in front of it that a test can break.
import { createApiServer } from '../../apiserver/index.ts';
import { objectCodec } from '../../apiserver/index.ts';
import type { KubeObject } from '../../api/index.ts';
import { silentLogger, type Clock, type Random } from '../../base/index.ts';
import { ConnectionError, createClient, resource, type Client, type Transport } from '../../client/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';

export const configMaps = resource<KubeObject & { readonly data?: Readonly<Record<string, string>> }>({
  group: '',
  version: 'v1',
  resource: 'configmaps',
  namespaced: true,
});
export const namespaces = resource({ group: '', version: 'v1', resource: 'namespaces', namespaced: false });

export function configMap(
  name: string,
  data: Record<string, string> = {},
  namespace = 'default',
): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** The same numbers in every run. */
export function testRandom(): Random {
  let state = 1;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state;
  };
  return {
    fraction: () => next() / 2_147_483_647,
    uuid: () => `00000000-0000-4000-8000-${next().toString(16).padStart(12, '0')}`,
  };
}

export interface Network {
  /** Requests that were sent, as `GET /path`. */
  readonly sent: string[];
  /** Refuses connections while true. */
  down: boolean;
  /** Never answers while true. */
  silent: boolean;
  /** Ends all watches: broken, or orderly by the server. */
  breakWatches(how?: 'broken' | 'ended'): void;
  readonly watches: number;
}

export interface World extends AsyncDisposable {
  /** Over the network that can break. */
  readonly client: Client;
  /** As an operator on the server's own machine. */
  readonly direct: Client;
  readonly network: Network;
  readonly storage: ReturnType<typeof createMemoryStorage<KubeObject>>;
}

function breakable(inner: Transport): { transport: Transport; network: Network } {
  const stops = new Set<(how: 'broken' | 'ended') => void>();
  const network: Network = {
    sent: [],
    down: false,
    silent: false,
    breakWatches(how = 'broken') {
      for (const stop of stops) stop(how);
    },
    get watches() {
      return stops.size;
    },
  };
  const pass = async (signal: AbortSignal | undefined): Promise<void> => {
    if (network.down) throw new ConnectionError('refused', 'the network is down');
    if (!network.silent) return;
    await new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
  };
  const transport: Transport = {
    async send(request) {
      network.sent.push(`${request.method} ${request.path}`);
      await pass(request.signal);
      return inner.send(request);
    },
    async watch(request, onEvent) {
      network.sent.push(`WATCH ${request.path}`);
      await pass(request.signal);
      const cut = new AbortController();
      let broken = false;
      const stop = (how: 'broken' | 'ended'): void => {
        broken = how === 'broken';
        cut.abort();
      };
      stops.add(stop);
      try {
        const signal =
          request.signal === undefined ? cut.signal : AbortSignal.any([cut.signal, request.signal]);
        await inner.watch({ ...request, signal }, (event) => {
          if (!cut.signal.aborted) onEvent(event);
        });
      } finally {
        stops.delete(stop);
      }
      if (broken) throw new ConnectionError('reset', 'the network broke');
    },
    close: () => inner.close(),
  };
  return { transport, network };
}

export async function startWorld(clock: Clock): Promise<World> {
  const storage = createMemoryStorage<KubeObject>(objectCodec);
  const server = createApiServer({ storage, clock, random: testRandom(), logger: silentLogger });
  const admin = { name: 'admin', groups: ['system:masters'] };
  const direct = createClient(server.inProcess(admin));
  await direct.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  const { transport, network } = breakable(server.inProcess(admin));
  return {
    client: createClient(transport),
    direct,
    network,
    storage,
    async [Symbol.asyncDispose]() {
      await server.close();
      await storage.close();
    },
  };
}
