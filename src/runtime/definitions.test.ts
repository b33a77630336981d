import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubCrds, type CustomResourceDefinition } from '../api/index.ts';
import { secureServer } from '../apiserver/testing/secure-server.ts';
import { createClient, kinds, type Client } from '../client/index.ts';
import { ensureDefinition } from './definitions.ts';

async function withHub(run: (hubClient: Client) => Promise<void>): Promise<void> {
  await using server = await secureServer({});
  const admin = { name: 'admin', groups: ['system:masters'] };
  await run(createClient(server.running.server.inProcess(admin)));
}

const wanted = hubCrds().find(({ spec }) => spec.names.kind === 'PropagationPolicy')!;
const read = (hubClient: Client): Promise<CustomResourceDefinition> =>
  hubClient.get(kinds.customResourceDefinitions, {
    name: wanted.metadata.name ?? '',
  }) as unknown as Promise<CustomResourceDefinition>;

test('a definition of an older release gets what the newer one brings, and keeps what others put on it', () =>
  withHub(async (hubClient) => {
    const [version] = wanted.spec.versions;
    const older = {
      ...wanted,
      metadata: { ...wanted.metadata, labels: { team: 'platform' } },
      spec: {
        ...wanted.spec,
        versions: [
          { ...version!, schema: { openAPIV3Schema: { type: 'object' } }, additionalPrinterColumns: [] },
        ],
      },
    };
    await hubClient.create(kinds.customResourceDefinitions, older);
    await ensureDefinition(hubClient, wanted);
    const now = await read(hubClient);
    assert.deepEqual(now.spec, wanted.spec);
    assert.deepEqual(now.metadata.labels, { team: 'platform' });
    assert.equal(now.metadata.generation, 2);
  }));

test('a definition that is right already is not written', () =>
  withHub(async (hubClient) => {
    for (const crd of hubCrds()) await ensureDefinition(hubClient, crd);
    const before = await hubClient.listAll(kinds.customResourceDefinitions);
    for (const crd of hubCrds()) await ensureDefinition(hubClient, crd);
    const after = await hubClient.listAll(kinds.customResourceDefinitions);
    assert.deepEqual(
      after.items.map(({ metadata }) => metadata.generation),
      before.items.map(() => 1),
    );
  }));
