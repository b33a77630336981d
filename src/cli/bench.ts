// `bench`: how fast a control plane is from here: writes, reads, lists, watches and deletions of small objects in a namespace
// of their own, which is removed afterwards.
import { Command } from 'commander';
import type { KubeObject } from '../api/index.ts';
import { OperatingError, sleep, systemClock } from '../base/index.ts';
import { kinds, resource, type Client } from '../client/index.ts';
import { print, withHub, type SetExitCode } from './command.ts';
import { withSession, type HubFlags } from './objects/index.ts';
import { formatColumns } from './output/index.ts';
import { shape } from './shell/index.ts';

interface BenchFlags extends HubFlags {
  readonly objects: string;
  readonly concurrency: string;
  readonly size: string;
  readonly output?: string;
}

interface Measured {
  readonly operation: string;
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CONFIG_MAPS = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
/** LIMIT: for events to arrive after the last write. */
const EVENTS_WAIT_MS = 30_000;

const EXAMPLES = `
  # A thousand objects, sixteen at a time
  %s bench

  # Heavier, as JSON
  %s bench --objects 20000 --concurrency 64 --size 2048 -o json`;

export function benchCommand(exit: SetExitCode): Command {
  const command = shape(new Command('bench'), { group: 'Troubleshooting', examples: EXAMPLES });
  return withHub(command)
    .summary('Measure how fast a control plane answers')
    .description(
      'Measure how fast a control plane answers from here: creating, reading, updating, listing, watching and deleting ConfigMaps in a namespace of their own, which nothing is propagated from and which is removed afterwards.',
    )
    .option('--objects <n>', 'how many objects', '1000')
    .option('--concurrency <n>', 'how many requests at a time', '16')
    .option('--size <bytes>', 'of the value in each object', '512')
    .option('-o, --output <format>', 'json; else a table')
    .action(async (flags: BenchFlags) => {
      const count = wholeNumber('objects', flags.objects, 1, 1_000_000);
      const concurrency = wholeNumber('concurrency', flags.concurrency, 1, 1000);
      const size = wholeNumber('size', flags.size, 0, 1_000_000);
      if (flags.output !== undefined && flags.output !== 'json')
        throw new OperatingError(
          'BAD_FLAG',
          `there is no output format "${flags.output}" here`,
          'use -o json, or leave it out',
        );
      const results = await withSession(flags, ({ client }) => bench(client, count, concurrency, size));
      show(results, flags.output === 'json');
      exit(0);
    });
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new OperatingError(
    'BAD_FLAG',
    `--${flag} must be a whole number from ${min} to ${max}, not "${text}"`,
    'give another value',
  );
}

async function bench(
  client: Client,
  count: number,
  concurrency: number,
  size: number,
): Promise<readonly Measured[]> {
  const namespace = `navarch-bench-${Date.now().toString(36)}`;
  const labels = { 'namespace.karmada.io/skip-auto-propagation': 'true' };
  await client.create(kinds.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels },
  });
  try {
    return await measure(client, namespace, count, concurrency, size);
  } finally {
    await client.delete(kinds.namespaces, { name: namespace });
  }
}

async function measure(
  client: Client,
  namespace: string,
  count: number,
  concurrency: number,
  size: number,
): Promise<readonly Measured[]> {
  const value = 'x'.repeat(size);
  const named = (index: number): { readonly namespace: string; readonly name: string } => ({
    namespace,
    name: `object-${String(index).padStart(7, '0')}`,
  });
  const object = (index: number): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: named(index),
    data: { value, round: '0' },
  });
  const watching = await followEvents(client, namespace, count);
  const run = (operation: string, one: (index: number) => Promise<unknown>): Promise<Measured> =>
    timed(operation, count, concurrency, one);
  const results: Measured[] = [];
  results.push(
    await run('create', async (index) => {
      const sent = systemClock.now();
      await client.create(CONFIG_MAPS, object(index));
      watching.sent(named(index).name, sent);
    }),
  );
  results.push(await watching.result());
  results.push(await run('get', (index) => client.get(CONFIG_MAPS, named(index))));
  results.push(
    await run('patch', (index) =>
      client.patch(CONFIG_MAPS, named(index), { type: 'merge', body: { data: { round: '1' } } }),
    ),
  );
  const started = systemClock.now();
  await client.listAll(CONFIG_MAPS, { namespace });
  const listMs = systemClock.now() - started;
  results.push({
    operation: 'list all',
    count,
    perSecond: rate(count, listMs),
    p50Ms: listMs,
    p99Ms: listMs,
  });
  results.push(await run('delete', (index) => client.delete(CONFIG_MAPS, named(index))));
  return results;
}

async function timed(
  operation: string,
  count: number,
  concurrency: number,
  one: (index: number) => Promise<unknown>,
): Promise<Measured> {
  process.stderr.write(`${operation} ...\n`);
  const times: number[] = [];
  const started = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const from = performance.now();
      await one(index);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return summary(operation, times, performance.now() - started);
}

function summary(operation: string, times: readonly number[], totalMs: number): Measured {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return {
    operation,
    count: times.length,
    perSecond: rate(times.length, totalMs),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

function rate(count: number, milliseconds: number): number {
  return milliseconds === 0 ? count * 1000 : (count * 1000) / milliseconds;
}

/** How long after its write was sent a watcher hears of an object. */
async function followEvents(
  client: Client,
  namespace: string,
  count: number,
): Promise<{ sent(name: string, atMs: number): void; result(): Promise<Measured> }> {
  const heard = new Map<string, number>();
  const sentAt = new Map<string, number>();
  const stop = new AbortController();
  const { metadata } = await client.list(CONFIG_MAPS, { namespace, limit: 1 });
  const started = performance.now();
  const watch = client.watch(
    CONFIG_MAPS,
    { namespace, resourceVersion: metadata.resourceVersion ?? '', signal: stop.signal },
    ({ type, object }) => {
      if (type === 'ADDED') heard.set(object.metadata.name ?? '', systemClock.now());
    },
  );
  return {
    sent: (name, atMs) => void sentAt.set(name, atMs),
    async result() {
      const deadline = systemClock.now() + EVENTS_WAIT_MS;
      const complete = (): boolean => [...sentAt.keys()].every((name) => heard.has(name));
      while (!complete() && systemClock.now() < deadline) await sleep(systemClock, 5);
      const totalMs = performance.now() - started;
      stop.abort();
      await watch;
      const delays = [...sentAt].flatMap(([name, sent]) => {
        const at = heard.get(name);
        return at === undefined ? [] : [at - sent];
      });
      if (delays.length < count)
        throw new OperatingError(
          'EVENTS_MISSING',
          `a watch told of ${delays.length} of ${count} objects within ${EVENTS_WAIT_MS / 1000} s`,
          'look at the log of the control plane',
        );
      return summary('watch', delays, totalMs);
    },
  };
}

function show(results: readonly Measured[], asJson: boolean): void {
  if (asJson) return print(JSON.stringify(results, undefined, 2));
  const fixed = (value: number): string => value.toFixed(1);
  process.stdout.write(
    formatColumns([
      ['OPERATION', 'COUNT', 'PER SECOND', 'P50 MS', 'P99 MS'],
      ...results.map((one) => [
        one.operation,
        String(one.count),
        one.perSecond.toFixed(0),
        fixed(one.p50Ms),
        fixed(one.p99Ms),
      ]),
    ]),
  );
}
