// What an API server's memory grows by for each object that it stores, against the size of the object as JSON: 10,000
// Deployments, ConfigMaps and Works of some 2 kB, created over HTTPS by this process in one of its own that collects its
// garbage before each look. Then the same for a new version of each: what it keeps of the past. Run:
//   npm run bench -- memory [--objects 10000] [--kinds deployments,configmaps,works]
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { hubCrds, type KubeObject } from '../src/api/index.ts';
import { ask, connectTo, startMeasuredServer, type Target } from './product/api-server.ts';
import { OBJECT_KINDS, objectOf, pathOf, type ObjectKind } from './product/objects.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    kinds: { type: 'string', default: OBJECT_KINDS.join(',') },
    /** Set where this is the process of the server. */
    server: { type: 'boolean', default: false },
  },
});
const WRITERS = 64;
const WARM_UP = 1000;

interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

// ---- the server

async function serve(): Promise<void> {
  const server = await startMeasuredServer();
  process.on('message', (asked: string) => {
    if (asked === 'stop') void server.close().then(() => process.exit(0));
    else void measured().then((memory) => process.send!(memory));
  });
  process.send!(server.target);
}

/** After the garbage, of the past and of what is freed by running finalizers, is gone. */
async function measured(): Promise<Memory> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapUsed, external, rss };
}

// ---- the clients

async function inParallel(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (let i = next++; i < count; i = next++) await work(i);
    }),
  );
}

async function measure(): Promise<void> {
  const objects = Number(values.objects);
  const chosen = values.kinds.split(',') as ObjectKind[];
  const child = fork(import.meta.filename, ['--server'], { execArgv: ['--expose-gc'] });
  const told = <T>(): Promise<T> =>
    new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
  const memory = (): Promise<Memory> => {
    const answer = told<Memory>();
    child.send('measure');
    return answer;
  };
  const sessions = connectTo(await told<Target>(), 8);
  const session = (i: number): (typeof sessions)[number] => sessions[i % sessions.length]!;
  const post = (path: string, object: unknown): Promise<string> =>
    ask(session(0), 'POST', path, JSON.stringify(object));
  for (const name of ['warm', 'memory']) await post('/api/v1/namespaces', { metadata: { name } });
  const crd = hubCrds().find(({ metadata }) => metadata.name === 'works.work.karmada.io');
  await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
  while ((await ask(session(0), 'GET', pathOf('works', 'warm')).catch(() => '')) === '')
    await new Promise((resolve) => setTimeout(resolve, 20));
  const kindOf = (i: number): ObjectKind => chosen[i % chosen.length]!;
  // What the first requests leave behind, code and caches, is no cost of an object.
  await inParallel(WARM_UP, async (i) => {
    await ask(
      session(i),
      'POST',
      pathOf(kindOf(i), 'warm'),
      JSON.stringify(objectOf(kindOf(i), `warm-${i}`, 'warm')),
    );
  });

  const stored: string[] = [];
  const before = await memory();
  await inParallel(objects, async (i) => {
    const json = JSON.stringify(objectOf(kindOf(i), `object-${i}`, 'memory'));
    stored[i] = await ask(session(i), 'POST', pathOf(kindOf(i), 'memory'), json);
  });
  const bytes = stored.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const created = await memory();
  report(
    `${objects} objects (${chosen.join(', ')}) of ${Math.round(bytes / objects)} bytes as JSON`,
    before,
    created,
    bytes,
  );

  await inParallel(objects, async (i) => {
    const object = JSON.parse(stored[i]!) as KubeObject;
    const labels = { ...object.metadata.labels, changed: 'yes' };
    const json = JSON.stringify({ ...object, metadata: { ...object.metadata, labels } });
    await ask(session(i), 'PUT', `${pathOf(kindOf(i), 'memory')}/object-${i}`, json);
  });
  report('a second version of each, with the first one in the history', before, await memory(), bytes);
  for (const one of sessions) one.close();
  child.send('stop');
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

await (values.server ? serve() : measure());
