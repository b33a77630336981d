// What one request costs inside the process, verb by verb, through the whole pipeline on memory storage, and how long
// one change takes to reach many watchers. Run: npm run bench -- apiserver [--objects 5000] [--watchers 1000]
import { parseArgs } from 'node:util';
import type { KubeObject } from '../src/api/index.ts';
import { createApiServer, objectCodec, type InProcessTransport } from '../src/apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { createMemoryStorage } from '../src/storage/index.ts';

const { values } = parseArgs({
  options: { objects: { type: 'string', default: '5000' }, watchers: { type: 'string', default: '1000' } },
});
const objects = Number(values.objects);
const watchers = Number(values.watchers);
const NAMESPACE = '/namespaces/bench';
const DEPLOYMENTS = `/apis/apps/v1${NAMESPACE}/deployments`;
const CONFIG_MAPS = `/api/v1${NAMESPACE}/configmaps`;
const CHANGES = 200;

function deployment(name: string): KubeObject {
  const labels = { app: name, tier: 'web' };
  const container = {
    name: 'main',
    image: 'nginx:1.25',
    ports: [{ containerPort: 80 }],
    env: [
      { name: 'LEVEL', value: 'info' },
      { name: 'REGION', value: 'north' },
    ],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '256Mi' } },
    livenessProbe: { httpGet: { path: '/', port: 80 } },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [container], volumes: [{ name: 'cache', emptyDir: {} }] },
      },
    },
  };
}

const server = createApiServer({
  storage: createMemoryStorage<KubeObject>(objectCodec),
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
});
const api = server.inProcess({ name: 'bench', groups: ['system:masters'] });

async function call(...[request]: Parameters<InProcessTransport['send']>): Promise<KubeObject> {
  const response = await api.send(request);
  if (response.status >= 400) throw new Error(JSON.stringify(response.body));
  return response.body as KubeObject;
}

async function measure(what: string, times: number, run: (i: number) => Promise<unknown>): Promise<void> {
  const processorBefore = process.cpuUsage();
  const from = performance.now();
  for (let i = 0; i < times; i++) await run(i);
  const wall = ((performance.now() - from) * 1000) / times;
  const { user, system } = process.cpuUsage(processorBefore);
  console.log(
    `${what.padEnd(28)} ${wall.toFixed(1).padStart(10)} µs ${((user + system) / times).toFixed(1).padStart(10)} µs CPU`,
  );
}

async function measureVerbs(): Promise<void> {
  await measure('create (first, not warm)', objects, (i) =>
    call({ method: 'POST', path: DEPLOYMENTS, body: deployment(`warm-${i}`) }),
  );
  await measure('create', objects, (i) =>
    call({ method: 'POST', path: DEPLOYMENTS, body: deployment(`web-${i}`) }),
  );
  const read: KubeObject[] = [];
  await measure('get', objects, async (i) => {
    read[i] = await call({ method: 'GET', path: `${DEPLOYMENTS}/web-${i}` });
  });
  await measure('update (replicas)', objects, async (i) => {
    const { spec, ...rest } = read[i]!;
    const body = { ...rest, spec: { ...(spec as object), replicas: 5 } };
    read[i] = await call({ method: 'PUT', path: `${DEPLOYMENTS}/web-${i}`, body });
  });
  await measure('update status', objects, (i) => {
    const body = { ...read[i], status: { replicas: 5, readyReplicas: 5, observedGeneration: 2 } };
    return call({ method: 'PUT', path: `${DEPLOYMENTS}/web-${i}/status`, body });
  });
  await measure('merge patch', objects, (i) =>
    call({
      method: 'PATCH',
      path: `${DEPLOYMENTS}/web-${i}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { seen: 'yes' } } },
    }),
  );
  const apply = (i: number): Promise<KubeObject> =>
    call({
      method: 'PATCH',
      path: `${DEPLOYMENTS}/applied-${i}`,
      query: { fieldManager: 'bench' },
      contentType: 'application/apply-patch+yaml',
      body: deployment(`applied-${i}`),
    });
  await measure('apply (new)', objects, apply);
  await measure('apply (nothing changes)', objects, apply);
}

async function measureLists(): Promise<void> {
  await measure(`list of ${3 * objects}`, 10, () => call({ method: 'GET', path: DEPLOYMENTS }));
  const encode = async (): Promise<void> => {
    const { signal } = new AbortController();
    const user = { name: 'bench', groups: ['system:masters'] };
    const rest = { query: new URLSearchParams(), headers: {}, body: undefined, user, signal };
    const response = await server.handle({ method: 'GET', path: DEPLOYMENTS, ...rest });
    if (response.kind !== 'object' || response.encode === undefined) throw new Error('a list has bytes');
    response.encode();
  };
  await measure('its bytes, the first time', 1, encode);
  await measure('its bytes, again', 10, encode);
  await measure('delete', objects, (i) => call({ method: 'DELETE', path: `${DEPLOYMENTS}/warm-${i}` }));
}

/** How long it takes from the call of a write until the last of the watchers has its event. */
async function measureWatchers(): Promise<void> {
  const stop = new AbortController();
  let awaited = 0;
  let allSaw: () => void = () => undefined;
  const watches = Array.from({ length: watchers }, () =>
    api.watch({ method: 'GET', path: CONFIG_MAPS, signal: stop.signal }, () => {
      awaited -= 1;
      if (awaited === 0) allSaw();
    }),
  );
  const delays: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    awaited = watchers;
    const seen = new Promise<void>((resolve) => {
      allSaw = resolve;
    });
    const from = performance.now();
    await call({ method: 'POST', path: CONFIG_MAPS, body: { metadata: { name: `seen-${i}` } } });
    await seen;
    delays.push(performance.now() - from);
  }
  stop.abort();
  await Promise.allSettled(watches);
  delays.sort((a, b) => a - b);
  const at = (share: number): string => delays[Math.floor((delays.length - 1) * share)]!.toFixed(2);
  console.log(
    `a change to ${watchers} watchers: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms until the last has it`,
  );
}

await call({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'bench' } } });
await measureVerbs();
await measureLists();
await measureWatchers();
await server.close();
