// What the writes cost that a fleet is made of: Works and Deployments created, their statuses written, their specs changed,
// by callers inside the process, as controllers are, on durable storage and with somebody who watches. Processor time of
// the whole process, and of its main thread, the least of several rounds: what others on the machine disturb least. Run:
//   npm run bench -- writes [--objects 100] [--rounds 20]
import { parseArgs } from 'node:util';
import { deepFreeze, hubCrds, type KubeObject } from '../src/api/index.ts';
import { startMeasuredServer } from './product/api-server.ts';
import { objectOf, pathOf, type ObjectKind } from './product/objects.ts';

const { values } = parseArgs({
  options: { objects: { type: 'string', default: '100' }, rounds: { type: 'string', default: '20' } },
});
const objects = Number(values.objects);
const rounds = Number(values.rounds);
const CALLERS = 32;
const NAMESPACE = 'bench';

const server = await startMeasuredServer();
const api = server.running.server.inProcess({ name: 'bench', groups: ['system:masters'] });

async function send(
  method: 'POST' | 'PUT' | 'PATCH',
  path: string,
  body: unknown,
  contentType?: string,
): Promise<KubeObject> {
  const answer = await api.send({
    method,
    path,
    body,
    ...(contentType === undefined ? {} : { contentType }),
  });
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body as KubeObject;
}

interface Cost {
  readonly all: number;
  readonly main: number;
}

const least = new Map<string, Cost>();

async function measure(what: string, write: (i: number) => Promise<void>): Promise<void> {
  const [all, main] = [process.cpuUsage(), process.threadCpuUsage()];
  let next = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let i = next++; i < objects; i = next++) await write(i);
    }),
  );
  const each = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / objects;
  const cost = { all: each(process.cpuUsage(all)), main: each(process.threadCpuUsage(main)) };
  const before = least.get(what) ?? cost;
  least.set(what, { all: Math.min(before.all, cost.all), main: Math.min(before.main, cost.main) });
}

const condition = { reason: 'AppliedSuccessful', message: 'ok', lastTransitionTime: '2026-01-01T00:00:00Z' };

const statuses: Readonly<Record<'works' | 'deployments', (ready: number) => object>> = {
  works: (ready) => ({
    conditions: [{ type: 'Applied', status: 'True', ...condition }],
    manifestStatuses: [
      {
        identifier: { ordinal: 0, version: 'v1', kind: 'Deployment', resource: 'deployments', name: 'web' },
        status: statuses.deployments(ready),
        health: ready === 3 ? 'Healthy' : 'Unhealthy',
      },
    ],
  }),
  deployments: (ready) => ({ replicas: 3, updatedReplicas: 3, readyReplicas: ready, observedGeneration: 1 }),
};

/** The object as a controller would change it: what it leaves alone is what it was. */
function changed(kind: ObjectKind, object: KubeObject): KubeObject {
  const spec = object['spec'] as Record<string, unknown>;
  if (kind === 'deployments') return deepFreeze({ ...object, spec: { ...spec, replicas: 5 } });
  const { manifests } = spec['workload'] as { readonly manifests: readonly KubeObject[] };
  const workload = { manifests: manifests.map((manifest) => changed('deployments', manifest)) };
  return deepFreeze({ ...object, spec: { ...spec, workload } });
}

async function measureKind(kind: 'works' | 'deployments', round: number): Promise<void> {
  const made = Array.from({ length: objects }, (_, i) =>
    deepFreeze(objectOf(kind, `bench-${round}-${i}`, NAMESPACE)),
  );
  const stored: KubeObject[] = [];
  const path = pathOf(kind, NAMESPACE);
  const put = async (i: number, body: KubeObject, part = ''): Promise<void> => {
    stored[i] = await send('PUT', `${path}/bench-${round}-${i}${part}`, body);
  };
  await measure(`${kind}: create`, async (i) => void (stored[i] = await send('POST', path, made[i])));
  for (const [what, ready] of [
    ['first', 0],
    ['next', 3],
  ] as const) {
    await measure(`${kind}: ${what} status`, (i) =>
      put(i, deepFreeze({ ...stored[i]!, status: statuses[kind](ready) }), '/status'),
    );
  }
  await measure(`${kind}: change of the spec`, (i) => put(i, changed(kind, stored[i]!)));
  await measure(`${kind}: merge patch of metadata`, async (i) => {
    const body = { metadata: { annotations: { seen: 'yes' } } };
    await send('PATCH', `${path}/bench-${round}-${i}`, body, 'application/merge-patch+json');
  });
}

await send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
const crd = hubCrds().find(({ metadata }) => metadata.name === 'works.work.karmada.io');
await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
while ((await api.send({ method: 'GET', path: pathOf('works', NAMESPACE) })).status !== 200) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const stop = new AbortController();
const watches = (['works', 'deployments'] as const).map((kind) =>
  api.watch({ method: 'GET', path: pathOf(kind, NAMESPACE), signal: stop.signal }, () => undefined),
);
for (let round = 0; round < rounds; round++) {
  await measureKind('works', round);
  await measureKind('deployments', round);
}
stop.abort();
await Promise.allSettled(watches);
await server.close();
for (const [what, { all, main }] of least) {
  const us = (value: number): string => `${value.toFixed(0).padStart(6)} µs`;
  console.log(`${what.padEnd(40)} ${us(all)} of processor time, ${us(main)} of it on the main thread`);
}
