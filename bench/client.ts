// What one client gets out of an API server: GET/s, LIST items/s, watch events/s, creates/s; in process, and over HTTPS
// from a server in a thread of its own.
//
//   npm run bench -- client [--objects 5000] [--seconds 2] [--concurrency 32] [--way in-process|https]
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import type { KubeObject } from '../src/api/index.ts';
import {
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
} from '../src/apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import {
  createClient,
  createHttpsTransport,
  resource,
  type Client,
  type HttpsTransportSettings,
} from '../src/client/index.ts';
import { createMemoryStorage } from '../src/storage/index.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '2' },
    concurrency: { type: 'string', default: '32' },
    way: { type: 'string', default: '' },
  },
});
const objects = Number(values.objects);
const seconds = Number(values.seconds);
const concurrency = Number(values.concurrency);
const NAMESPACE = 'bench';
const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const namespaces = resource({ group: '', version: 'v1', resource: 'namespaces', namespaced: false });

function configMap(name: string): KubeObject {
  const metadata = { name, namespace: NAMESPACE, labels: { app: name, tier: 'bench' } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { config: 'x'.repeat(700) } };
}

async function startServer(): Promise<{
  inProcess: Client;
  settings: HttpsTransportSettings;
  close: () => Promise<void>;
}> {
  const storage = createMemoryStorage<KubeObject>(objectCodec);
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
    version: versionInfo('1.36.2', 'bench'),
  });
  const inProcess = createClient(running.server.inProcess({ name: 'bench', groups: ['system:masters'] }));
  await inProcess.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  for (let i = 0; i < objects; i++) await inProcess.create(configMaps, configMap(`object-${i}`));
  return {
    inProcess,
    settings: {
      server: `https://127.0.0.1:${running.port}`,
      ca: certificates.authority.certificate,
      clientCert: certificates.admin.certificate,
      clientKey: certificates.admin.key,
    },
    async close() {
      await running.close();
      await storage.close();
    },
  };
}

/** Runs `call` with the given concurrency until the time is over; returns units per second. */
async function rate(lanes: number, call: (i: number) => Promise<number>): Promise<number> {
  for (let i = 0; i < 20; i++) await call(i);
  const started = performance.now();
  let units = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - started < seconds * 1000) {
      // Not `units += await`: that would add to what units was before the wait.
      const done = await call(next++);
      units += done;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return units / ((performance.now() - started) / 1000);
}

async function watchInitial(client: Client): Promise<number> {
  const stop = new AbortController();
  let events = 0;
  const options = {
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: true,
  } as const;
  await client.watch(configMaps, { namespace: NAMESPACE, ...options, signal: stop.signal }, ({ type }) => {
    if (type === 'BOOKMARK') stop.abort();
    else events++;
  });
  return events;
}

let created = 0;

async function measure(way: string, client: Client): Promise<void> {
  const show = (what: string, perSecond: number): void =>
    console.log(
      `${way.padEnd(12)} ${what.padEnd(16)} ${Math.round(perSecond).toLocaleString('en').padStart(10)} /s`,
    );
  const key = (i: number): { namespace: string; name: string } => ({
    namespace: NAMESPACE,
    name: `object-${i % objects}`,
  });
  show(
    'GET',
    await rate(concurrency, async (i) => ((await client.get(configMaps, key(i))) === undefined ? 0 : 1)),
  );
  show(
    'GET one by one',
    await rate(1, async (i) => ((await client.get(configMaps, key(i))) === undefined ? 0 : 1)),
  );
  show(
    'LIST items',
    await rate(1, async () => (await client.listAll(configMaps, { namespace: NAMESPACE })).items.length),
  );
  show('WATCH events', await rate(1, () => watchInitial(client)));
  show(
    'CREATE',
    await rate(concurrency, async () => {
      await client.create(configMaps, configMap(`created-${created++}`));
      return 1;
    }),
  );
}

async function measureInProcess(): Promise<void> {
  const here = await startServer();
  await measure('in process', here.inProcess);
  await here.close();
}

async function measureHttps(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  const settings = await new Promise<HttpsTransportSettings>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const transport = createHttpsTransport(settings);
  await measure('over HTTPS', createClient(transport));
  await transport.close();
  await worker.terminate();
}

if (isMainThread) {
  if (values.way !== 'https') await measureInProcess();
  if (values.way !== 'in-process') await measureHttps();
} else {
  const { settings } = await startServer();
  parentPort?.postMessage(settings);
}
