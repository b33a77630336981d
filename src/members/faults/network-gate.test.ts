// Over real sockets, on real time: what HTTPS clients of a member feel of its faults.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectCodec } from '../../apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import {
  ConnectionError,
  createClient,
  createHttpsTransport,
  type Client,
  type Transport,
} from '../../client/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import { startMember, type Member } from '../member.ts';
import { namespaces } from '../resources.ts';

async function started(): Promise<
  AsyncDisposable & { member: Member; client: Client; transport: Transport }
> {
  const member = await startMember({
    name: 'member1',
    storage: createMemoryStorage(objectCodec),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    simulate: 'none',
  });
  await member.ready;
  const { server, certificateAuthority, credentials } = member.kubeconfigContext;
  assert.ok('certificate' in credentials);
  const transport = createHttpsTransport({
    server,
    ca: certificateAuthority,
    clientCert: credentials.certificate,
    clientKey: credentials.key,
    connectTimeoutMs: 500,
    pingIntervalMs: 100,
    pingTimeoutMs: 100,
  });
  return {
    member,
    transport,
    client: createClient(transport),
    async [Symbol.asyncDispose]() {
      await transport.close();
      await member.close();
    },
  };
}

const failsAs = (kind: string) => (error: unknown) => error instanceof ConnectionError && error.kind === kind;
const list = (client: Client, signal?: AbortSignal): Promise<unknown> =>
  client.list(namespaces, signal === undefined ? {} : { signal });

test('a cut network resets connections, watches included, until it is healed', async () => {
  await using world = await started();
  const { client, member } = world;
  await list(client);
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  const watching = client.watch(
    namespaces,
    { sendInitialEvents: true, allowWatchBookmarks: true, resourceVersionMatch: 'NotOlderThan' },
    () => resolve(),
  );
  await opened;
  member.faults.cutNetwork('drop');
  await assert.rejects(watching, ConnectionError);
  await assert.rejects(list(client), ConnectionError);
  member.faults.healNetwork();
  await list(client);
});

test('a silent network answers nothing, not even pings, and loses nothing', async () => {
  await using world = await started();
  const { client, member } = world;
  await list(client);
  member.faults.cutNetwork('hang');
  await assert.rejects(list(client), failsAs('timeout'));
  await assert.rejects(list(client), failsAs('timeout'), 'no new connection can be made either');
  member.faults.healNetwork();
  await list(client);
});

test('an API server that is down refuses connections on its port, and comes back on it', async () => {
  await using world = await started();
  const { client, member } = world;
  await list(client);
  await member.faults.stopApiServer();
  // The first may still go out on the connection that has just been cut.
  await assert.rejects(list(client), ConnectionError);
  await assert.rejects(list(client), failsAs('refused'));
  await member.faults.startApiServer();
  await list(client);
  assert.equal(new URL(member.url).port, String(member.port));
});

test('a delay holds up every request and every event', async () => {
  await using world = await started();
  const { client, member } = world;
  await list(client);
  member.faults.delay(60_000);
  const leaving = new AbortController();
  const slow = list(client, leaving.signal);
  leaving.abort(new Error('too slow for me'));
  await assert.rejects(slow, /too slow for me/);
  await member.faults.clear();
  await list(client);
});
