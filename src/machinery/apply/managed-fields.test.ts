import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtinSchema, deepFreeze, resolveRef, type KubeObject } from '../../api/index.ts';
import { keepTimes, serverSideApply, trackUpdate, type FieldManagement } from '../index.ts';

const schema = builtinSchema('io.k8s.api.apps.v1.Deployment')!;
const whole: FieldManagement = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  schema,
  resolveRef,
  resetFields: [['status']],
};
const status: FieldManagement = { ...whole, subresource: 'status', resetFields: [['spec'], ['metadata']] };

const write = fc.record({
  manager: fc.constantFrom('ann', 'ben', 'eve'),
  operation: fc.constantFrom('update', 'status', 'apply'),
  label: fc.constantFrom('x', 'y'),
  replicas: fc.constantFrom(1, 2),
  image: fc.constantFrom('a', 'b'),
});
type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;

function written(
  live: KubeObject | undefined,
  { manager, operation, ...given }: Write,
  now: number,
): KubeObject {
  const spec = {
    replicas: given.replicas,
    template: { spec: { containers: [{ name: 'web', image: given.image }] } },
  };
  const { apiVersion, kind } = whole;
  const configuration = { apiVersion, kind, metadata: { name: 'a', labels: { [given.label]: '1' } }, spec };
  if (operation === 'apply') {
    return serverSideApply({ live, applied: configuration, manager, force: true, now }, whole);
  }
  const metadata = { ...live?.metadata, ...configuration.metadata, uid: 'u' };
  if (operation === 'update' || live === undefined) {
    return keepTimes(
      trackUpdate({ live, next: { ...live, ...configuration, metadata }, manager, now }, whole),
      live,
    );
  }
  const next = { ...live, status: { replicas: given.replicas } };
  return keepTimes(trackUpdate({ live, next, manager, now }, status), live);
}

const copyOf = (object: KubeObject): KubeObject => JSON.parse(JSON.stringify(object)) as KubeObject;

test('entries that are taken over as they are come out as if they were read and written anew', () => {
  fc.assert(
    fc.property(fc.array(write, { minLength: 1, maxLength: 8 }), (writes) => {
      let shared: KubeObject | undefined;
      let anew: KubeObject | undefined;
      writes.forEach((one, index) => {
        const now = index * 60_000;
        shared = deepFreeze(written(shared, one, now));
        anew = copyOf(written(anew, one, now));
        assert.equal(JSON.stringify(shared.metadata), JSON.stringify(anew.metadata));
        assert.deepEqual(shared, anew);
      });
    }),
  );
});

test('a write leaves the entries of managers whom it does not touch the very objects that they were', () => {
  const one: Write = { manager: 'ann', operation: 'update', label: 'x', replicas: 1, image: 'a' };
  const first = deepFreeze(written(undefined, one, 0));
  const second = deepFreeze(written(first, { ...one, manager: 'ben', operation: 'status' }, 60_000));
  const third = deepFreeze(
    written(second, { ...one, manager: 'ben', operation: 'status', replicas: 2 }, 120_000),
  );
  const entryOf = (object: KubeObject): unknown =>
    object.metadata.managedFields?.find(({ manager }) => manager === 'ann');
  assert.notEqual(entryOf(first), undefined);
  assert.equal(entryOf(second), entryOf(first));
  assert.equal(entryOf(third), entryOf(first));
  assert.equal(third.metadata.managedFields?.length, 2);
});

test('entries that somebody else has written otherwise are written anew', () => {
  const one: Write = { manager: 'ann', operation: 'update', label: 'x', replicas: 1, image: 'a' };
  const first = written(undefined, one, 0);
  const reversed = (value: object): object => Object.fromEntries(Object.entries(value).toReversed());
  const others = [(entry: object) => reversed(entry), (entry: object) => ({ ...entry, subresource: '' })];
  const second = (live: KubeObject): string =>
    JSON.stringify(written(live, { ...one, manager: 'ben', operation: 'status' }, 60_000));
  for (const change of others) {
    const entry = deepFreeze(change(first.metadata.managedFields![0]!));
    const live = { ...first, metadata: { ...first.metadata, managedFields: [entry] } };
    assert.equal(second(live), second(first));
  }
});
