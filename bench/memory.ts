// What an API server's memory grows by for each object that it stores, against the size of the object as JSON: 10,000
// Deployments, ConfigMaps and Works of some 2 kB, each parsed from a text of its own, as those of clients are, and written
// durably. Then the same for a new version of each: what it keeps of the past. The process has nothing else in it, and
// collects its garbage before each look. Run:
//   npm run bench -- memory [--objects 10000] [--kinds deployments,configmaps,works]
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hubCrds, type KubeObject } from '../src/api/index.ts';
import { startMeasuredServer } from './product/api-server.ts';
import { OBJECT_KINDS, objectOf, pathOf, type ObjectKind } from './product/objects.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    kinds: { type: 'string', default: OBJECT_KINDS.join(',') },
  },
});
const WRITERS = 64;
const WARM_UP = 1000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

/** After the garbage, of the past and of what is freed by running finalizers, is gone. */
async function measured(): Promise<Memory> {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapUsed, external, rss };
}

function report(what: string, before: Memory, after: Memory, bytes: number): void {
  const heap = after.heapUsed - before.heapUsed;
  const external = after.external - before.external;
  const rss = after.rss - before.rss;
  const mb = (value: number): string => `${(value / 1e6).toFixed(1)} MB`;
  const times = ((heap + external) / bytes).toFixed(2);
  console.log(
    `memory of ${what}: ${mb(heap)} of heap and ${mb(external)} beside it, ${times} times the JSON ` +
      `(resident: ${mb(rss)} more, ${(rss / bytes).toFixed(2)} times)`,
  );
}

async function inParallel(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (let i = next++; i < count; i = next++) await work(i);
    }),
  );
}

const objects = Number(values.objects);
const chosen = values.kinds.split(',') as ObjectKind[];
const kindOf = (i: number): ObjectKind => chosen[i % chosen.length]!;
const server = await startMeasuredServer();
const api = server.running.server.inProcess({ name: 'bench', groups: ['system:masters'] });

async function send(method: 'GET' | 'POST' | 'PUT', path: string, text?: string): Promise<KubeObject> {
  const given = text === undefined ? {} : { body: JSON.parse(text) as unknown };
  const { status, body } = await api.send({ method, path, ...given });
  if (status >= 300) throw new Error(JSON.stringify(body));
  return body as KubeObject;
}

/** Returns the size of what is stored, as JSON. */
async function create(i: number, name: string, namespace: string): Promise<number> {
  const text = JSON.stringify(objectOf(kindOf(i), name, namespace));
  return Buffer.byteLength(JSON.stringify(await send('POST', pathOf(kindOf(i), namespace), text)));
}

for (const name of ['warm', 'memory']) {
  await send('POST', '/api/v1/namespaces', JSON.stringify({ metadata: { name } }));
}
const crd = hubCrds().find(({ metadata }) => metadata.name === 'works.work.karmada.io');
await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', JSON.stringify(crd));
while ((await api.send({ method: 'GET', path: pathOf('works', 'warm') })).status !== 200) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
// What the first requests leave behind, code and caches, is no cost of an object.
await inParallel(WARM_UP, async (i) => void (await create(i, `warm-${i}`, 'warm')));

const before = await measured();
let bytes = 0;
await inParallel(objects, async (i) => {
  const size = await create(i, `object-${i}`, 'memory');
  bytes += size;
});
const each = `${objects} objects (${chosen.join(', ')}) of ${Math.round(bytes / objects)} bytes as JSON`;
report(each, before, await measured(), bytes);

await inParallel(objects, async (i) => {
  const path = `${pathOf(kindOf(i), 'memory')}/object-${i}`;
  const object = await send('GET', path);
  const labels = { ...object.metadata.labels, changed: 'yes' };
  await send('PUT', path, JSON.stringify({ ...object, metadata: { ...object.metadata, labels } }));
});
report('a second version of each, with the first one in the history', before, await measured(), bytes);
await server.close();
