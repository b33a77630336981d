import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { createInterpreter, type StatusItem } from '../index.ts';
import { thirdPartyLayer } from './index.ts';

const NOW = '2026-11-28T10:00:00Z';
const interpreter = createInterpreter([thirdPartyLayer(() => NOW)]);
const GROUP = 'packages.glasskube.dev';

interface Fields {
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

function pkg({ spec = {}, status, annotations, namespace = 'shop' }: Fields): KubeObject {
  return {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: namespace === '' ? 'ClusterPackage' : 'Package',
    metadata: {
      name: 'web',
      ...(namespace === '' ? {} : { namespace }),
      generation: 3,
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: { packageInfo: { name: 'web', version: 'v2' }, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}
const ready = (status: string, message = '', reason = 'InstallationSucceeded'): JsonObject => ({
  type: 'Ready',
  status,
  reason,
  message,
  lastTransitionTime: '2026-11-28T09:00:00Z',
});
const suspended: JsonObject = { type: 'Suspended', status: 'True', reason: 'SuspendedBySpec', message: '' };

describe('what a package reads its values from goes along', () => {
  const ref = (more: JsonObject): JsonObject => ({ name: 'n', key: 'k', ...more });
  const needs = (kind: string, namespace: string): JsonObject => ({
    apiVersion: 'v1',
    kind,
    namespace,
    name: 'n',
  });
  const cases: readonly [what: string, values: JsonObject, namespace: string, needs: readonly JsonObject[]][] = [
    ['no values, nothing', {}, 'shop', []],
    ['a value that is written there', { a: { value: 'x' } }, 'shop', []],
    ['a Secret of its own namespace', { a: { valueFrom: { secretRef: ref({}) } } }, 'shop', [needs('Secret', 'shop')]],
    ['a ConfigMap of another one', { a: { valueFrom: { configMapRef: ref({ namespace: 'x' }) } } }, 'shop', [needs('ConfigMap', 'x')]],
    ['for a ClusterPackage, one with a namespace', { a: { valueFrom: { secretRef: ref({ namespace: 'x' }) } } }, '', [needs('Secret', 'x')]],
    ['and none without, which is nowhere', { a: { valueFrom: { secretRef: ref({}) } } }, '', []],
    ['another package is there or not', { a: { valueFrom: { packageRef: { name: 'p', value: 'v' } } } }, 'shop', []],
    ['one that two values are read from, once', { a: { valueFrom: { secretRef: ref({}) } }, b: { valueFrom: { secretRef: ref({}) } } }, 'shop', [needs('Secret', 'shop')]],
  ]; // prettier-ignore
  for (const [what, values, namespace, wanted] of cases)
    test(what, async () =>
      assert.deepEqual(await interpreter.dependencies(pkg({ spec: { values }, namespace })), wanted),
    );
});

describe('health', () => {
  const cases: readonly [what: string, status: JsonObject, healthy: boolean][] = [
    ['ready at its version', { version: 'v2', conditions: [ready('True')] }, true],
    ['ready at the version before', { version: 'v1', conditions: [ready('True')] }, false],
    ['not ready', { version: 'v2', conditions: [ready('False')] }, false],
    ['suspended at the version before, and ready', { version: 'v1', conditions: [ready('True'), suspended] }, true],
    ['nothing said yet', {}, false],
  ]; // prettier-ignore
  for (const [what, status, healthy] of cases)
    test(what, async () => assert.equal(await interpreter.health(pkg({ status })), healthy));
});

describe('what a member keeps of its suspension', () => {
  const local = { [`${GROUP}/local-suspension`]: 'true' };
  const stamps = { ...local, [`${GROUP}/suspended-by`]: 'anna', [`${GROUP}/suspended-at`]: NOW };
  const cases: readonly [what: string, hub: JsonObject, member: Fields, spec: JsonObject][] = [
    ['the hub suspends', { suspend: true }, {}, { suspend: true }],
    ['the hub suspends what a member says is not', { suspend: true }, { spec: { suspend: false } }, { suspend: true }],
    ['the member keeps both names equal', { suspend: true }, { spec: { suspend: true, suspended: true } }, { suspend: true, suspended: true }],
    ['the hub does not, and what is left over goes', {}, { spec: { suspend: true } }, {}],
    ['the member suspended it itself', {}, { spec: { suspend: true, suspended: true, suspension: { reason: 'r' } }, annotations: stamps }, { suspend: true, suspended: true, suspension: { reason: 'r' } }],
    ['the hub says no, the member itself yes', { suspend: false }, { spec: { suspend: true }, annotations: local }, { suspend: true }],
    ['a mark without a suspension is nothing', { suspend: false }, { spec: { suspend: false }, annotations: local }, { suspend: false }],
    ['both do: until the later end', { suspend: true, suspension: { until: '2026-12-02T00:00:00Z', reason: 'hub' } }, { spec: { suspend: true, suspension: { until: '2026-12-01T00:00:00Z', reason: 'member' } }, annotations: local }, { suspend: true, suspension: { until: '2026-12-02T00:00:00Z', reason: 'member' } }],
    ['both do: without an end if one has none', { suspend: true }, { spec: { suspend: true, suspension: { until: '2026-12-01T00:00:00Z' } }, annotations: local }, { suspend: true, suspension: {} }],
    ['both do: entirely if one does', { suspend: true }, { spec: { suspend: true, suspension: { mode: 'ChangesOnly' } }, annotations: local }, { suspend: true, suspension: {} }],
  ]; // prettier-ignore
  for (const [what, hub, member, spec] of cases)
    test(what, async () => {
      const kept = await interpreter.retain(pkg({ spec: hub }), pkg(member));
      const { packageInfo: _, ...rest } = (kept ?? assert.fail())['spec'] as JsonObject;
      assert.deepEqual(JSON.parse(JSON.stringify(rest)), spec);
    });

  test('who suspended it, and when, stays with it', async () => {
    const { [`${GROUP}/local-suspension`]: _, ...words } = stamps;
    const annotations = { [`${GROUP}/suspended-by`]: 'the hub' };
    const kept = await interpreter.retain(
      pkg({ spec: { suspend: true }, annotations }),
      pkg({ spec: { suspend: true }, annotations: stamps }),
    );
    assert.deepEqual(kept?.metadata.annotations, words);
  });

  test('what was there for others alone is wanted by somebody once it is sent', async () => {
    const annotations = { [`${GROUP}/installed-as-dependency`]: 'true', other: 'stays' };
    const kept = await interpreter.retain(pkg({ annotations }), pkg({ annotations }));
    assert.deepEqual(kept?.metadata.annotations, { other: 'stays' });
  });
});

test('a member reports its state, and which revision that belongs to', async () => {
  const annotations = {
    'navarch.io/package-revision': 'abc',
    'resourcetemplate.karmada.io/generation': '7',
  };
  const status: JsonObject = {
    version: 'v2',
    observedGeneration: 3,
    conditions: [ready('True')],
    ownedResources: [{ group: '', version: 'v1', kind: 'ConfigMap', name: 'c' }],
    suspension: { active: true, drift: [{ group: '', kind: 'ConfigMap', name: 'c' }] },
  };
  assert.deepEqual(await interpreter.status(pkg({ status, annotations })), {
    version: 'v2',
    observedGeneration: 3,
    conditions: [ready('True')],
    suspension: { active: true },
    generation: 3,
    resourceTemplateGeneration: 7,
    revision: 'abc',
  });
});

describe('what members report becomes one', () => {
  const item = (clusterName: string, status: JsonObject): StatusItem => ({
    clusterName,
    applied: true,
    status: { generation: 5, observedGeneration: 5, resourceTemplateGeneration: 3, ...status },
  });
  const aggregate = async (...items: StatusItem[]): Promise<JsonObject> =>
    (await interpreter.aggregate(pkg({}), items))?.['status'] as JsonObject;
  const short = (status: JsonObject): unknown =>
    (status['conditions'] as readonly Readonly<Record<string, string>>[] | undefined)?.map(
      (one) => `${one['type']}=${one['status']} ${one['message']}`,
    );

  test('all are ready at one version', async () => {
    const status = await aggregate(
      item('a', { version: 'v2', conditions: [ready('True', 'done')] }),
      item('b', { version: 'v2', conditions: [ready('True', 'done')] }),
    );
    assert.equal(status['version'], 'v2');
    assert.equal(status['observedGeneration'], 3);
    assert.deepEqual(short(status), ['Ready=True a=done, b=done', 'Failed=False a=done, b=done']);
    assert.equal(status['suspension'], undefined);
  });

  test('the worst is said, and of whom', async () => {
    const status = await aggregate(
      item('a', { version: 'v2', conditions: [ready('True', 'done')] }),
      item('b', { version: 'v1', conditions: [ready('False', 'no image', 'InstallationFailed')] }),
      item('c', { version: 'v1', conditions: [ready('Unknown', 'wait')] }),
    );
    assert.equal(status['version'], undefined);
    assert.deepEqual(short(status), ['Ready=False b=no image', 'Failed=True b=no image']);
    assert.deepEqual(status['clusters'], [
      { name: 'a', version: 'v2', ready: 'True', reason: 'InstallationSucceeded', message: 'done' },
      { name: 'b', version: 'v1', ready: 'False', reason: 'InstallationFailed', message: 'no image' },
      { name: 'c', version: 'v1', ready: 'Unknown', reason: 'InstallationSucceeded', message: 'wait' },
    ]);
  });

  test('partly suspended is told from suspended', async () => {
    const active: JsonObject = {
      version: 'v2',
      conditions: [ready('True'), suspended],
      suspension: { active: true },
    };
    const partly = await aggregate(
      item('a', active),
      item('b', { version: 'v2', conditions: [ready('True')] }),
    );
    assert.deepEqual(partly['suspension'], { active: true, activeClusters: ['a'] });
    const reasonOf = (status: JsonObject): unknown =>
      (status['conditions'] as readonly JsonObject[]).find(({ type }) => type === 'Suspended')?.['reason'];
    assert.equal(reasonOf(partly), 'PartlySuspended');
    assert.equal(reasonOf(await aggregate(item('a', active), item('b', active))), 'Suspended');
  });

  test('what could not be sent is no success', async () => {
    const status = await aggregate({ clusterName: 'a', appliedMessage: 'refused' });
    assert.deepEqual(short(status), ['Ready=False a=refused', 'Failed=True a=refused']);
  });

  test('a cluster that has not reported what is wanted now is told from those that have', async () => {
    const conditions = [ready('True', 'done')];
    const status = await aggregate(
      item('a', { conditions }),
      item('b', { conditions, resourceTemplateGeneration: 2 }),
      item('c', { conditions, observedGeneration: 4 }),
    );
    assert.deepEqual(
      (status['clusters'] as readonly JsonObject[]).map(({ name, stale }) => [name, stale]),
      [
        ['a', undefined],
        ['b', true],
        ['c', true],
      ],
    );
  });

  test('a condition keeps its time while it says the same', async () => {
    const before = [ready('True', 'a=done')];
    const template = pkg({ status: { conditions: before } });
    const found = await interpreter.aggregate(template, [
      item('a', { conditions: [ready('True', 'new words')] }),
    ]);
    const [condition] = ((found ?? assert.fail())['status'] as { readonly conditions: readonly JsonObject[] })
      .conditions;
    assert.equal(condition?.['lastTransitionTime'], '2026-11-28T09:00:00Z');
    assert.equal(condition?.['message'], 'a=new words');
  });
});

test('a repository takes its logins along, and shows what is wrong with it anywhere', async () => {
  const template: KubeObject = {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: 'PackageRepository',
    metadata: { name: 'r', generation: 1 },
    spec: {
      url: 'https://r',
      auth: {
        basic: { usernameSecretRef: { name: 's', key: 'u' }, passwordSecretRef: { name: 's', key: 'p' } },
      },
    },
  };
  assert.deepEqual(await interpreter.dependencies(template), [
    { apiVersion: 'v1', kind: 'Secret', namespace: 'glasskube-system', name: 's' },
  ]);
  const found = await interpreter.aggregate(template, [
    { clusterName: 'a', status: { packages: 5, conditions: [ready('True', 'five')] } },
    { clusterName: 'b', status: { conditions: [ready('False', 'no answer', 'SyncFailed')] } },
  ]);
  const { conditions, packages } = (found ?? assert.fail())['status'] as {
    readonly packages: number;
    readonly conditions: readonly JsonObject[];
  };
  assert.equal(packages, 5);
  assert.deepEqual(
    conditions.map(({ type, status, message }) => [type, status, message]),
    [['Ready', 'False', 'b=no answer']],
  );
});
