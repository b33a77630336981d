import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { objectCodec } from '../../apiserver/index.ts';
import type { KubeObject, WatchEvent } from '../../api/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { ConnectionError, createClient, resource, type Client, type Transport } from '../../client/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { startMember, type Member } from '../../members/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import { serve } from './serve.ts';
import { ThreadClient } from './thread-client.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const MAPS = '/api/v1/namespaces/default/configmaps';
const map = (name: string, value = 'x'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { value },
});

interface Reached extends AsyncDisposable {
  readonly member: Member;
  readonly threads: ThreadClient;
  /** Through the port. */
  readonly transport: Transport;
  readonly client: Client;
}

/** A member behind a port, as from another thread. */
async function reached(): Promise<Reached> {
  const storage = createMemoryStorage(objectCodec);
  const member = await startMember({
    name: 'one',
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    port: 'none',
    simulate: 'none',
  });
  await member.ready;
  const { port1, port2 } = new MessageChannel();
  serve(port2, {
    transportOf: (name) => (name === 'one' ? member.transport : undefined),
    async command(command) {
      if (command === 'fail') throw new StatusError(404, 'NotFound', 'no such member', { name: 'two' });
      return { done: command };
    },
  });
  const threads = new ThreadClient(port1);
  const transport = threads.transport('one');
  return {
    member,
    threads,
    transport,
    client: createClient(transport),
    async [Symbol.asyncDispose]() {
      port1.close();
      await member.close();
      await storage.close();
    },
  };
}

test('answers are those of the member, frozen', async () => {
  await using here = await reached();
  const created = await here.client.create(configMaps, map('a'));
  assert.ok(Object.isFrozen(created) && Object.isFrozen(created['data']));
  for (const request of [
    { method: 'GET', path: `${MAPS}/a` },
    { method: 'GET', path: `${MAPS}/none` },
    { method: 'GET', path: MAPS, query: { labelSelector: 'a in (' } },
    { method: 'GET', path: '/healthz' },
    { method: 'POST', path: MAPS, body: { kind: 'ConfigMap', apiVersion: 'v1', metadata: {}, odd: 1 } },
  ] as const)
    assert.deepEqual(await here.transport.send(request), await here.member.transport.send(request));
});

test('a watch brings every event in order, however much there is at once', async () => {
  await using here = await reached();
  // More than may be on its way at a time.
  const names = Array.from({ length: 40 }, (_, i) => `m${i}`);
  for (const name of names) await here.client.create(configMaps, map(name, name.repeat(10_000)));
  const seen: [type: string, name: string | undefined][] = [];
  const enough = Promise.withResolvers<void>();
  const stop = new AbortController();
  const wanted = names.length + 2;
  const watch = (transport: Transport, onEvent: (event: WatchEvent<KubeObject>) => void): Promise<void> =>
    transport.watch(
      { method: 'GET', path: MAPS, query: { resourceVersion: '0' }, signal: stop.signal },
      onEvent,
    );
  const watching = watch(here.transport, ({ type, object }) => {
    assert.ok(Object.isFrozen(object));
    if (object.metadata.name === 'kube-root-ca.crt') return;
    if (seen.push([type, object.metadata.name]) === wanted) enough.resolve();
  });
  await here.client.create(configMaps, map('later'));
  await here.client.delete(configMaps, { namespace: 'default', name: 'm7' });
  await enough.promise;
  const added = seen.filter(([type]) => type === 'ADDED').map(([, name]) => name);
  assert.deepEqual(new Set(added), new Set([...names, 'later']));
  assert.deepEqual(seen.at(-1), ['DELETED', 'm7']);
  stop.abort();
  await watching;
});

test('errors keep what they are across threads', async () => {
  await using here = await reached();
  await assert.rejects(
    here.transport.watch({ method: 'GET', path: MAPS, query: { fieldSelector: 'odd=1' } }, () => undefined),
    (error) => error instanceof StatusError && error.code === 400,
  );
  await assert.rejects(
    here.threads.transport('two').send({ method: 'GET', path: '/healthz' }),
    (error) => error instanceof ConnectionError && error.kind === 'refused',
  );
  await assert.rejects(
    here.threads.command('fail'),
    (error) => error instanceof StatusError && error.status.details?.name === 'two',
  );
  assert.deepEqual(await here.threads.command('work'), { done: 'work' });
  const fault = await here.member.handleFault({ action: 'cut-network', mode: 'drop' });
  assert.ok(fault.ok, JSON.stringify(fault));
  const cut = await here.member.transport
    .send({ method: 'GET', path: MAPS })
    .catch((error: unknown) => error);
  await assert.rejects(
    here.transport.send({ method: 'GET', path: MAPS }),
    (error) =>
      error instanceof ConnectionError &&
      cut instanceof ConnectionError &&
      error.kind === cut.kind &&
      error.message === cut.message,
  );
});

test('a reader whose callback throws ends its watch with that error', async () => {
  await using here = await reached();
  await here.client.create(configMaps, map('a'));
  const watching = here.transport.watch(
    { method: 'GET', path: MAPS, query: { resourceVersion: '0' } },
    () => {
      throw new RangeError('cannot take it');
    },
  );
  await assert.rejects(watching, RangeError);
});

test('what nobody waits for any more is given up on both sides', async () => {
  await using here = await reached();
  const stop = new AbortController();
  const watching = here.transport.watch({ method: 'GET', path: MAPS, signal: stop.signal }, () => undefined);
  const sending = here.transport.send({ method: 'GET', path: MAPS, signal: stop.signal });
  stop.abort(new Error('enough'));
  await watching;
  await assert.rejects(sending, /enough/);
  await assert.rejects(here.transport.send({ method: 'GET', path: MAPS, signal: stop.signal }), /enough/);
});

test('closing one way to a member leaves the others', async () => {
  await using here = await reached();
  const other = here.threads.transport('one');
  const watching = other.watch({ method: 'GET', path: MAPS }, () => undefined);
  await other.close();
  await assert.rejects(watching, (error) => error instanceof ConnectionError && error.kind === 'closed');
  await assert.rejects(other.send({ method: 'GET', path: MAPS }), ConnectionError);
  assert.equal((await here.transport.send({ method: 'GET', path: MAPS })).status, 200);
});

test('when the thread ends, everything under way fails, and everything that comes', async () => {
  await using here = await reached();
  const watching = here.transport.watch({ method: 'GET', path: MAPS }, () => undefined);
  here.threads.end(new ConnectionError('closed', 'the thread has ended'));
  await assert.rejects(watching, /the thread has ended/);
  await assert.rejects(here.transport.send({ method: 'GET', path: MAPS }), /the thread has ended/);
});
