// What packages take values from, as it changes under them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../client/index.ts';
import type { AnyPackage } from '../packaging/index.ts';
import {
  clusterPackage,
  conditionOf,
  create,
  failure,
  installed,
  packageWorld,
  read,
  remove,
  type PackageWorld,
} from './testing/world.ts';

const HOUR = 3_600_000;
/** Far less than it takes until a package is looked at by itself. */
const AT_ONCE = 3_000;
const place = { namespace: 'team', name: 'words' };

const app = (name: string, valueFrom: object): AnyPackage =>
  clusterPackage(name, 'v1.0.0', { values: { word: { valueFrom } } });

async function world(): Promise<PackageWorld> {
  const made = await packageWorld({ resyncMs: HOUR, retryMs: HOUR, packageInfoSyncMs: HOUR });
  for (const name of ['app', 'other'])
    made.repository.publish(
      name,
      'v1.0.0',
      {
        defaultNamespace: name,
        manifests: [{ url: 'a.yaml' }],
        valueDefinitions: {
          word: {
            type: 'text',
            constraints: { maxLength: 5 },
            targets: [
              {
                resource: { apiGroup: 'v1', kind: 'ConfigMap', name },
                patch: { op: 'add', path: '/data/word' },
              },
            ],
          },
        },
        transformations: [
          {
            source: {
              resource: { apiGroup: 'v1', kind: 'ConfigMap', name: 'place' },
              path: '{ .data.where }',
            },
            targets: [
              {
                resource: { apiGroup: 'v1', kind: 'ConfigMap', name },
                patch: { op: 'add', path: '/data/where' },
              },
            ],
          },
        ],
      },
      { 'a.yaml': [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } }] },
    );
  for (const namespace of ['team', 'app', 'other']) {
    await made.client.create(kinds.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    if (namespace !== 'team') await configMap(made, { namespace, name: 'place' }, { where: 'here' });
  }
  return made;
}

const configMap = ({ client }: PackageWorld, metadata: typeof place, data: object): Promise<unknown> =>
  client.create(kinds.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });

const change = ({ client }: PackageWorld, key: typeof place, data: object): Promise<unknown> =>
  client.patch(kinds.configMaps, key, { type: 'merge', body: { data } });

const setWord = ({ client }: PackageWorld, word: object): Promise<unknown> =>
  client.patch(
    kinds.clusterPackages,
    { name: 'app' },
    { type: 'merge', body: { spec: { values: { word: { valueFrom: null, ...word } } } } },
  );

const applied = async ({ client }: PackageWorld, name: string): Promise<unknown> =>
  (await client.find(kinds.configMaps, { namespace: name, name }))?.['data'];

const becomes = (made: PackageWorld, name: string, word: string, where = 'here'): Promise<void> =>
  made.until(
    `${name} has ${word} and ${where}`,
    async () => {
      const data = (await applied(made, name)) as
        | { readonly word?: string; readonly where?: string }
        | undefined;
      return data?.word === word && data.where === where;
    },
    AT_ONCE,
  );

test('what a value is read from is carried out when it changes, through other packages too', async () => {
  await using made = await world();
  await configMap(made, place, { it: 'one' });
  const one = app('app', { configMapRef: { ...place, key: 'it' } });
  const other = app('other', { packageRef: { name: 'app', value: 'word' } });
  for (const each of [one, other]) {
    await create(made, each);
    await installed(made, each);
  }
  await made.pass(30_000);
  await change(made, place, { it: 'two' });
  await becomes(made, 'app', 'two');
  await becomes(made, 'other', 'two');
  await change(made, { namespace: 'app', name: 'place' }, { where: 'there' });
  await becomes(made, 'app', 'two', 'there');

  // After a restart nobody waits for the next look either.
  await made.restart();
  await made.pass(30_000);
  await change(made, place, { it: 'three' });
  await becomes(made, 'other', 'three');

  // What will not do, or is gone, is said at once, and what was applied stays.
  await change(made, place, { it: 'too long' });
  assert.match(await failure(made, one), /^ValueConfigurationInvalid: value "word": longer than 5 bytes/);
  await made.client.delete(kinds.configMaps, place);
  await made.until(
    'it is said',
    async () =>
      /there is no ConfigMap team\/words/.test(conditionOf(await read(made, one), 'Failed')?.message ?? ''),
    AT_ONCE,
  );
  assert.deepEqual(await applied(made, 'app'), { a: '1', word: 'three', where: 'there' });
  await configMap(made, place, { it: 'four' });
  await becomes(made, 'other', 'four');
  // What was tried again by itself meanwhile is over.
  await made.pass(60_000);
  await setWord(made, { value: 'five' });
  await becomes(made, 'other', 'five');
});

test('what appears late is not waited for until the next look', async () => {
  await using made = await world();
  const one = app('app', { secretRef: { ...place, key: 'it' } });
  await create(made, one);
  assert.match(await failure(made, one), /there is no Secret team\/words/);
  // By now it is looked at seldom.
  await made.pass(HOUR / 4);
  await made.client.create(kinds.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: place,
    data: { it: Buffer.from('late').toString('base64') },
  });
  await becomes(made, 'app', 'late');
});

test('nothing is watched that no package reads any more', async () => {
  await using made = await world();
  await configMap(made, place, { it: 'one' });
  const one = app('app', { configMapRef: { ...place, key: 'it' } });
  await create(made, one);
  await installed(made, one);
  const watched = (): readonly string[] => made.watches().filter((watch) => /metadata\.name=/.test(watch));
  assert.deepEqual(watched(), [
    '/api/v1/namespaces/app/configmaps metadata.name=place',
    '/api/v1/namespaces/team/configmaps metadata.name=words',
  ]);
  await setWord(made, { value: 'here' });
  await becomes(made, 'app', 'here');
  assert.deepEqual(watched(), ['/api/v1/namespaces/app/configmaps metadata.name=place']);
  await remove(made, one);
  await made.until('nothing is watched', () => watched().length === 0);
});
