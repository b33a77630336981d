import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PackageManifest } from '../../api/index.ts';
import { differences } from './configure.ts';
import { endOfPackage } from './waiting.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { configured, parseValue, type Configuration, type ValueFlags } from './values.ts';
import { waveOf } from './sending.ts';

describe('--value', () => {
  const cases: readonly [text: string, value: object][] = [
    ['a=1', { value: '1' }],
    ['a=', { value: '' }],
    ['a=b=c', { value: 'b=c' }],
    ['a=$5', { value: '$5' }],
    ['a=$ConfigMapRef$ns,n,k', { valueFrom: { configMapRef: { namespace: 'ns', name: 'n', key: 'k' } } }],
    ['a=$SecretRef$ns,n,k', { valueFrom: { secretRef: { namespace: 'ns', name: 'n', key: 'k' } } }],
    ['a=$SecretRef$,n,k', { valueFrom: { secretRef: { name: 'n', key: 'k' } } }],
    ['a=$PackageRef$p,v', { valueFrom: { packageRef: { name: 'p', value: 'v' } } }],
  ];
  for (const [text, value] of cases) test(text, () => assert.deepEqual(parseValue(text), ['a', value]));
  for (const text of ['a', '=1', 'a=$SecretRef$n,k', 'a=$ConfigMapRef$ns,n,k,x', 'a=$PackageRef$p'])
    test(`${text} is refused`, () => assert.throws(() => parseValue(text), /--value/));
});

test('defaults, then what there was, then what is named', () => {
  const manifest: PackageManifest = {
    name: 'p',
    valueDefinitions: {
      a: { type: 'text', targets: [], defaultValue: 'default' },
      b: { type: 'text', targets: [], defaultValue: 'default' },
      c: { type: 'text', targets: [] },
    },
  };
  const flags = (more: Partial<ValueFlags>): ValueFlags => ({ value: [], useDefault: [], ...more });
  const old: Configuration = { a: { value: 'old' } };
  const of = (more: Partial<ValueFlags>): object =>
    Object.fromEntries(Object.entries(configured(manifest, flags(more), old)).map(([k, v]) => [k, v.value]));
  assert.deepEqual(of({}), { a: 'old' });
  assert.deepEqual(of({ useDefault: ['all'] }), { a: 'old', b: 'default' });
  assert.deepEqual(of({ useDefault: ['b'], value: ['a=new', 'c=1'] }), { a: 'new', b: 'default', c: '1' });
  assert.deepEqual(of({ keepOldValues: false, useDefault: ['a'] }), { a: 'default' });
  assert.throws(() => of({ useDefault: ['x'] }), /has no such value/);
});

test('differences of values', () => {
  const before: Configuration = { a: { value: '1' }, b: { value: '2' }, c: { value: '3' } };
  const after: Configuration = {
    a: { value: '1' },
    b: { valueFrom: { secretRef: { namespace: 'n', name: 's', key: 'k' } } },
    d: { value: '4' },
  };
  assert.deepEqual(differences(before, after), [
    'b: 2 -> key k of Secret n/s',
    'c: 3 -> not set',
    'd: not set -> 4',
  ]);
});

test('waves by share, by labels and by name', () => {
  assert.deepEqual(waveOf('25%', undefined), { clusters: { percentage: 25 } });
  assert.deepEqual(waveOf('tier=canary', 'Manual'), {
    clusters: { labelSelector: { matchLabels: { tier: 'canary' } } },
    pause: 'Manual',
  });
  assert.deepEqual(waveOf('member1', '10m'), { clusters: { names: ['member1'] }, pause: '10m' });
});

describe('when waiting for a package ends', () => {
  const condition = (type: string, status: 'True' | 'False' | 'Unknown'): object => ({
    type,
    status,
    reason: 'r',
    message: 'why',
  });
  const one = (status: object, spec: object = {}): AnyPackage =>
    ({
      kind: 'Package',
      metadata: { name: 'p', generation: 2 },
      spec: { packageInfo: { name: 'p', version: 'v2' }, ...spec },
      status,
    }) as unknown as AnyPackage;
  const ready = { version: 'v2', observedGeneration: 2, conditions: [condition('Ready', 'True')] };
  const failed = {
    observedGeneration: 2,
    conditions: [condition('Ready', 'False'), condition('Failed', 'True')],
  };
  const cases: readonly [what: string, package_: AnyPackage, failedMs: number, how: string | undefined][] = [
    ['nothing is known', one({}), 0, undefined],
    ['it is ready', one(ready), 0, 'done'],
    ['it is ready, as of before', one({ ...ready, observedGeneration: 1 }), 0, undefined],
    ['it is ready at another version', one({ ...ready, version: 'v1' }), 0, undefined],
    ['an operator that tells no generations', one({ version: 'v2', conditions: [condition('Ready', 'True')] }), 0, 'done'],
    ['it has just failed', one(failed), 100, undefined],
    ['it has failed for a while', one(failed), 10_000, 'failed'],
    ['it failed, as of before', one({ ...failed, observedGeneration: 1 }), 10_000, undefined],
    ['it is suspended', one({ ...ready, version: 'v1' }, { suspend: true }), 0, 'suspended'],
    ['it was suspended when somebody last looked', one({ ...ready, observedGeneration: 1, suspension: { active: true } }), 0, undefined],
    ['it is suspended, and what was asked for waits', one({ ...ready, observedGeneration: 1, suspension: { active: true, pendingGeneration: 2 } }), 0, 'suspended'],
    ['it is suspended in one of its clusters', one({ ...ready, clusters: [{ name: 'a', suspended: true }, { name: 'b' }] }), 0, 'done'],
  ]; // prettier-ignore
  for (const [what, package_, failedMs, how] of cases)
    test(what, () => assert.equal(endOfPackage(package_, failedMs)?.how, how));
});
