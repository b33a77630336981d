import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Migration, MigrationStep } from '../../api/index.ts';
import { ConnectionError, createClient, type Client } from '../../client/index.ts';
import { startControlPlane } from '../../controllers/testing/control-plane.ts';
import { Journal, migrations } from './journal.ts';

const spec: Migration['spec'] = { cluster: 'm1', items: [], policies: [] };
const step: MigrationStep = {
  action: 'EnsureNamespace',
  apiVersion: 'v1',
  kind: 'Namespace',
  name: 'shop',
  state: 'Pending',
};

/** A client that loses the answer to the next write once it is told to. */
function forgetful(inner: Client): { readonly client: Client; lose: boolean } {
  const link = {
    lose: false,
    client: createClient({
      async send(request) {
        const answer = await inner.transport.send(request);
        if (request.method === 'GET' || !link.lose) return answer;
        link.lose = false;
        throw new ConnectionError('reset', 'the answer was lost');
      },
      watch: (request, onEvent) => inner.transport.watch(request, onEvent),
      close: () => inner.transport.close(),
    }),
  };
  return link;
}

test('a journal goes on after a write whose answer was lost, and not after one of somebody else', async () => {
  await using plane = await startControlPlane();
  const link = forgetful(plane.client);
  const journal = await Journal.begin(link.client, spec, [step]);
  link.lose = true;
  await assert.rejects(journal.mark(step, 'Started'), /the answer was lost/);
  await journal.phase('RollingBack', 'for the test');
  assert.deepEqual([journal.steps[0]?.state, journal.migration.status?.phase], ['Started', 'RollingBack']);

  link.lose = true;
  await assert.rejects(journal.mark(step, 'Undoing'), /the answer was lost/);
  const other = await Journal.open(plane.client, journal.name);
  await other.mark(step, 'Undone');
  await assert.rejects(journal.phase('RolledBack'), /somebody else is working/);
});

test('a journal that cannot begin leaves nothing that could be gone on with', async () => {
  await using plane = await startControlPlane();
  const link = forgetful(plane.client);
  const create = link.client.create.bind(link.client);
  link.client.create = async (...given: Parameters<Client['create']>) => {
    const made = await create(...given);
    link.lose = true;
    return made as never;
  };
  await assert.rejects(Journal.begin(link.client, spec, [step]), /the answer was lost/);
  assert.deepEqual((await plane.client.listAll(migrations)).items, []);
});
