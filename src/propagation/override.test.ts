import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deepFreeze,
  type Cluster,
  type ImageOverrider,
  type JsonValue,
  type KubeObject,
  type Overriders,
  type ResourceSelector,
} from '../api/index.ts';
import { overrideImage, parseImage, printImage } from './image-reference.ts';
import type { AnyOverridePolicy } from './kinds.ts';
import { applyOverriders, OverrideError } from './overriders.ts';
import { applyOverrides, overridePolicySelects, type OverrideResult } from './override.ts';
import { yamlText } from './yaml-text.ts';

// ---- images

const HEX = '0123456789abcdef'.repeat(4);
const images: [sentence: string, image: string, overrider: ImageOverrider, expected: string][] = [
  ['a registry is added', 'web:1.2', { component: 'Registry', operator: 'add', value: 'r.example' }, 'r.example/web:1.2'],
  ['a registry is extended', 'r.example/web:1.2', { component: 'Registry', operator: 'add', value: '.eu' }, 'r.example.eu/web:1.2'],
  ['a registry is removed', 'r.example/team/web:1.2', { component: 'Registry', operator: 'remove' }, 'team/web:1.2'],
  ['a registry is replaced', 'r.example/team/web:1.2', { component: 'Registry', operator: 'replace', value: 'm.example' }, 'm.example/team/web:1.2'],
  ['a registry with a port', 'localhost:5000/web', { component: 'Registry', operator: 'replace', value: 'm' }, 'm/web'],
  ['a repository is extended', 'r.example/web:1.2', { component: 'Repository', operator: 'add', value: '/ui' }, 'r.example/web/ui:1.2'],
  ['a repository is removed', 'r.example/web:1.2', { component: 'Repository', operator: 'remove' }, 'r.example/:1.2'],
  ['a tag is extended', 'r.example/web:1.2', { component: 'Tag', operator: 'add', value: '-rc' }, 'r.example/web:1.2-rc'],
  ['what is neither tag nor digest changes nothing', 'r.example/web:1.2', { component: 'Tag', operator: 'add', value: `sha256:${HEX}` }, 'r.example/web:1.2'],
  ['a tag becomes a digest', 'r.example/web:1.2', { component: 'Tag', operator: 'replace', value: `sha256:${HEX}` }, `r.example/web@sha256:${HEX}`],
  ['a digest becomes a tag', `r.example/web@sha256:${HEX}`, { component: 'Tag', operator: 'replace', value: 'v1' }, 'r.example/web:v1'],
  ['a tag is removed', 'r.example/web:1.2', { component: 'Tag', operator: 'remove' }, 'r.example/web'],
  ['a digest is removed where there is no tag', `web@sha256:${HEX}`, { component: 'Tag', operator: 'remove' }, 'web'],
  ['beside a tag a digest is lost', `web:1@sha256:${HEX}`, { component: 'Registry', operator: 'add', value: 'r.example' }, 'r.example/web:1'],
]; // prettier-ignore
for (const [sentence, image, overrider, expected] of images) {
  test(`image: ${sentence}`, () => {
    const parsed = parseImage(image);
    assert.ok(parsed !== undefined);
    assert.equal(printImage(overrideImage(parsed, overrider)), expected);
  });
}

for (const image of ['', 'UPPER/case', 'web:', 'web@sha256:short', 'a b', 'r.example/', ':1', 'web:1:2/x']) {
  test(`image: "${image}" is none`, () => assert.equal(parseImage(image), undefined));
}

// ---- overriders

function deployment(containers: JsonValue, metadata: object = {}): KubeObject {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels: { one: '1', two: '2' }, ...metadata },
    spec: {
      replicas: 2,
      selector: {},
      template: { spec: { containers, initContainers: [{ name: 'i', image: 'i:1' }] } },
    },
  });
}
const containersOf = (object: KubeObject): unknown =>
  (object['spec'] as { template: { spec: { containers: unknown } } }).template.spec.containers;
const conf = (data: Record<string, string>): KubeObject =>
  deepFreeze({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf', namespace: 'shop' }, data });

const web = deployment([
  { name: 'web', image: 'r.example/web:1', command: ['run', '-v'], args: ['--a', '--b', '--a'] },
  { name: 'side', image: 'r.example/s:1' },
]);
const apply = (object: KubeObject, overriders: Overriders): KubeObject =>
  applyOverriders(object, overriders, yamlText);

test('overriders: images of all containers, not of init containers', () => {
  const result = apply(web, { imageOverrider: [{ component: 'Tag', operator: 'replace', value: '2' }] });
  assert.deepEqual(
    (containersOf(result) as { image: string }[]).map(({ image }) => image),
    ['r.example/web:2', 'r.example/s:2'],
  );
  assert.deepEqual(
    (result['spec'] as { template: { spec: { initContainers: unknown } } }).template.spec.initContainers,
    [{ name: 'i', image: 'i:1' }],
  );
});

test('overriders: kinds without known containers are left alone', () => {
  const cron: KubeObject = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'c' }, spec: {} };
  assert.equal(apply(cron, { imageOverrider: [{ component: 'Tag', operator: 'remove' }] }), cron);
});

test('overriders: an image by predicate, of any kind', () => {
  const object: KubeObject = {
    apiVersion: 'x/v1',
    kind: 'Thing',
    metadata: { name: 't' },
    images: ['a:1', 'b:1'],
  };
  const at = (path: string): Overriders => ({
    imageOverrider: [{ predicate: { path }, component: 'Tag', operator: 'replace', value: '2' }],
  });
  assert.deepEqual(apply(object, at('/images/1'))['images'], ['a:1', 'b:2']);
  assert.throws(() => apply(object, at('/images/7')), OverrideError);
  assert.throws(() => apply(object, at('/images')), OverrideError);
});

test('overriders: an image that is none stops the rule', () => {
  const broken = deployment([{ name: 'web', image: 'NOT AN IMAGE' }]);
  assert.throws(
    () => apply(broken, { imageOverrider: [{ component: 'Tag', operator: 'remove' }] }),
    /is no image/,
  );
});

test('overriders: command and args of a named container (ovr-command-args)', () => {
  const result = apply(web, {
    commandOverrider: [{ containerName: 'web', operator: 'add', value: ['-x'] }],
    argsOverrider: [
      { containerName: 'web', operator: 'remove', value: ['--a'] },
      { containerName: 'side', operator: 'add', value: ['new'] },
    ],
  });
  assert.deepEqual(containersOf(result), [
    { name: 'web', image: 'r.example/web:1', command: ['run', '-v', '-x'], args: ['--b'] },
    { name: 'side', image: 'r.example/s:1', args: ['new'] },
  ]);
  const none = apply(web, { commandOverrider: [{ containerName: 'absent', operator: 'add', value: ['q'] }] });
  assert.equal(none, web);
  const made = apply(web, {
    commandOverrider: [{ containerName: 'side', operator: 'remove', value: ['q'] }],
  });
  assert.deepEqual((containersOf(made) as { command?: unknown }[])[1]?.command, []);
});

test('overriders: labels and annotations (ovr-labels-annotations)', () => {
  const result = apply(web, {
    labelsOverrider: [
      { operator: 'add', value: { three: '3', one: '11' } },
      { operator: 'replace', value: { two: '22', four: '4' } },
      { operator: 'remove', value: { one: '', absent: '' } },
    ],
    annotationsOverrider: [{ operator: 'add', value: { 'y.example/m': 'w' } }],
  });
  assert.deepEqual(result.metadata.labels, { two: '22', three: '3' });
  assert.deepEqual(result.metadata.annotations, { 'y.example/m': 'w' });
  const plain = deployment([], { labels: undefined });
  assert.equal(apply(plain, { labelsOverrider: [{ operator: 'remove', value: { a: '' } }] }), plain);
});

test('overriders: a label named like a prototype is an ordinary label', () => {
  const value = JSON.parse('{"__proto__": "x"}') as Record<string, string>;
  const { labels } = apply(web, { labelsOverrider: [{ operator: 'add', value }] }).metadata;
  assert.deepEqual(Object.keys(labels ?? {}).sort(), ['__proto__', 'one', 'two']);
});

test('overriders: JSON inside a field (ovr-field-json)', () => {
  const object = conf({ 'app.json': '{"db":{"host":"a","port":1},"list":[1,2]}' });
  const result = apply(object, {
    fieldOverrider: [
      {
        fieldPath: '/data/app.json',
        json: [
          { subPath: '/db/host', operator: 'replace', value: 'b' },
          { subPath: '/list/-', operator: 'add', value: 3 },
          { subPath: '/db/port', operator: 'remove' },
        ],
      },
    ],
  });
  assert.deepEqual(JSON.parse((result['data'] as Record<string, string>)['app.json'] ?? ''), { db: { host: 'b' }, list: [1, 2, 3] });
}); // prettier-ignore

test('overriders: YAML inside a field comes back with its keys in order', () => {
  const object = conf({ 'app.yaml': 'name: x\ndb:\n  host: a\n  port: 1\nlist:\n  - 1\n' });
  const result = apply(object, {
    fieldOverrider: [
      {
        fieldPath: '/data/app.yaml',
        yaml: [
          { subPath: '/db/host', operator: 'replace', value: 'on' },
          { subPath: '/list/-', operator: 'add', value: 2 },
        ],
      },
    ],
  });
  assert.equal(
    (result['data'] as Record<string, string>)['app.yaml'],
    'db:\n  host: "on"\n  port: 1\nlist:\n- 1\n- 2\nname: x\n',
  );
});

test('overriders: a field that holds no text, or not such text', () => {
  const json = [{ subPath: '/a', operator: 'remove' as const }];
  const field = (object: KubeObject, fieldPath: string): KubeObject =>
    apply(object, { fieldOverrider: [{ fieldPath, json }] });
  assert.throws(() => field(conf({}), '/data/x'), /no text/);
  assert.throws(() => field(conf({ x: '{' }), '/data/x'), /no JSON/);
  assert.throws(() => field(web, '/spec/replicas'), /no text/);
});

test('overriders: plaintext is one patch, and what it does not touch is shared (ovr-plaintext)', () => {
  const result = apply(web, {
    plaintext: [
      { path: '/spec/replicas', operator: 'replace', value: 7 },
      { path: '/metadata/labels/one', operator: 'remove' },
      { path: '/spec/paused', operator: 'add' },
    ],
  });
  const spec = result['spec'] as Record<string, unknown>;
  assert.equal(spec['replicas'], 7);
  assert.equal(spec['paused'], null);
  assert.equal(spec['template'], (web['spec'] as Record<string, unknown>)['template']);
  assert.deepEqual(result.metadata.labels, { two: '2' });
  assert.equal((web['spec'] as Record<string, unknown>)['replicas'], 2);
});

for (const plaintext of [
  [{ path: '/data/absent/deep', operator: 'replace', value: 'x' }],
  [{ path: '/data/absent', operator: 'replace', value: 'x' }],
  [{ path: '/data/absent', operator: 'remove' }],
  [{ path: '/absent/deep', operator: 'add', value: 'x' }],
] as const) {
  test(`overriders: ${plaintext[0].operator} at ${plaintext[0].path} finds nothing there`, () => {
    assert.throws(() => apply(conf({ v: '1' }), { plaintext }), OverrideError);
  });
}

test('overriders: in their fixed order, whatever order they are written in (ovr-order-in-rule)', () => {
  const result = apply(web, {
    plaintext: [
      { path: '/metadata/labels/mark', operator: 'replace', value: 'plain' },
      { path: '/spec/template/spec/containers/0/image', operator: 'replace', value: 'r.example/plain:9' },
    ],
    labelsOverrider: [{ operator: 'add', value: { mark: 'label' } }],
    imageOverrider: [{ component: 'Tag', operator: 'replace', value: '2.0' }],
  });
  assert.equal(result.metadata.labels?.['mark'], 'plain');
  assert.deepEqual(
    (containersOf(result) as { image: string }[]).map(({ image }) => image),
    ['r.example/plain:9', 'r.example/s:2.0'],
  );
});

// ---- policies

const member = (name: string): Cluster => ({
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name },
  spec: { syncMode: 'Push' },
});
const select: ResourceSelector = { apiVersion: 'v1', kind: 'ConfigMap' };
const order = (value: string): Overriders => ({
  plaintext: [{ path: '/data/order', operator: 'replace', value }],
});

function policy(
  name: string,
  resourceSelectors: readonly ResourceSelector[] | undefined,
  rules: readonly [value: string, ...clusters: string[]][],
  namespace = 'shop',
): AnyOverridePolicy {
  const overrideRules = rules.map(([value, ...clusterNames]) => ({
    overriders: order(value),
    ...(clusterNames.length === 0 ? {} : { targetCluster: { clusterNames } }),
  }));
  const spec = { overrideRules, ...(resourceSelectors === undefined ? {} : { resourceSelectors }) };
  const apiVersion = 'policy.karmada.io/v1alpha1';
  return namespace === ''
    ? { apiVersion, kind: 'ClusterOverridePolicy', metadata: { name }, spec }
    : { apiVersion, kind: 'OverridePolicy', metadata: { name, namespace }, spec };
}

function override(
  clusterPolicies: readonly AnyOverridePolicy[],
  policies: readonly AnyOverridePolicy[],
  cluster = 'm1',
): OverrideResult {
  return applyOverrides({
    manifest: conf({ order: 'template' }),
    cluster: member(cluster),
    clusterPolicies,
    policies,
  });
}
const appliedBy = (result: OverrideResult): string =>
  result.ok ? result.applied.map(({ policyName }) => policyName).join(' ') : result.error;

test('override policies: cluster policies first, weak selectors first, then names (ovr-precedence)', () => {
  const named = [{ ...select, name: 'conf' }];
  const labelled = [{ ...select, labelSelector: {} }];
  const result = override(
    [policy('z', named, [['cop-name']], ''), policy('a', [select], [['cop-all']], '')],
    [policy('b', named, [['op-b']]), policy('a', named, [['op-a']]), policy('z', labelled, [['l']]), policy('zz', [select], [['all']])],
  ); // prettier-ignore
  assert.equal(appliedBy(result), 'a z zz z a b');
  assert.equal(result.ok && (result.manifest['data'] as Record<string, string>)['order'], 'op-b');
});

test('override policies: rules by cluster, policies without selectors are the weakest', () => {
  const a = policy('a', [{ ...select, name: 'conf' }], [['r1', 'm1', 'm2'], ['r2', 'm2']]);
  const b = policy('b', undefined, [['r3', 'm1', 'm2']]);
  const values = (cluster: string): unknown => {
    const result = override([], [a, b], cluster);
    return result.ok && result.applied.map(({ overriders }) => overriders.plaintext?.[0]?.value);
  };
  assert.deepEqual(values('m1'), ['r3', 'r1']);
  assert.deepEqual(values('m2'), ['r3', 'r1', 'r2']);
  assert.deepEqual(values('m3'), []);
}); // prettier-ignore

test('override policies: namespaced ones see the labels that cluster policies gave', () => {
  const labels: AnyOverridePolicy = {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'ClusterOverridePolicy',
    metadata: { name: 'c' },
    spec: {
      overrideRules: [{ overriders: { labelsOverrider: [{ operator: 'add', value: { tier: 'fe' } }] } }],
    },
  };
  const picky = policy('p', [{ ...select, labelSelector: { matchLabels: { tier: 'fe' } } }], [['seen']]);
  assert.equal(appliedBy(override([labels], [picky])), 'c p');
  assert.equal(appliedBy(override([], [picky])), '');
});

test('override policies: the deprecated pair counts only without rules', () => {
  const old = policy('o', undefined, []);
  const pair = {
    ...old,
    spec: { overriders: order('old'), targetCluster: { clusterNames: ['m1'] } },
  } as AnyOverridePolicy;
  assert.equal(appliedBy(override([], [pair])), 'o');
  assert.equal(appliedBy(override([], [pair], 'm2')), '');
  const both = {
    ...pair,
    spec: { ...pair.spec, overrideRules: [{ overriders: order('new') }] },
  } as AnyOverridePolicy;
  const result = override([], [both]);
  assert.equal(result.ok && (result.manifest['data'] as Record<string, string>)['order'], 'new');
});

test('override policies: what the Work says about them, sorted by name, absent values as null', () => {
  const remove: AnyOverridePolicy = {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'OverridePolicy',
    metadata: { name: 'a', namespace: 'shop' },
    spec: {
      resourceSelectors: [{ ...select, name: 'conf' }],
      overrideRules: [
        { overriders: { plaintext: [{ path: '/data/order', operator: 'remove' }], imageOverrider: [] } },
      ],
    },
  };
  const result = override([], [remove, policy('z', undefined, [['x']])]);
  assert.ok(result.ok);
  assert.deepEqual(Object.keys(result.annotations), ['policy.karmada.io/applied-overrides']);
  assert.deepEqual(JSON.parse(result.annotations['policy.karmada.io/applied-overrides'] ?? ''), [
    {
      policyName: 'a',
      overriders: { plaintext: [{ path: '/data/order', operator: 'remove', value: null }] },
    },
    {
      policyName: 'z',
      overriders: { plaintext: [{ path: '/data/order', operator: 'replace', value: 'x' }] },
    },
  ]);
});

test('override policies: one that does not apply stops the cluster and is named (ovr-error)', () => {
  const broken = policy('o', undefined, [['x']]);
  const result = applyOverrides({
    manifest: conf({}),
    cluster: member('m1'),
    clusterPolicies: [],
    policies: [broken],
  });
  assert.deepEqual(result.ok ? undefined : result.policy, 'shop/o');
});

test('override policies: nothing applies: the very same object, and nothing to say', () => {
  const manifest = conf({});
  const result = applyOverrides({ manifest, cluster: member('m1'), clusterPolicies: [], policies: [] });
  assert.ok(result.ok);
  assert.equal(result.manifest, manifest);
  assert.deepEqual(result.annotations, {});
});

test('override policies: whether one selects an object', () => {
  assert.equal(overridePolicySelects(policy('a', undefined, []), conf({})), true);
  assert.equal(overridePolicySelects(policy('a', [select], []), conf({})), true);
  assert.equal(overridePolicySelects(policy('a', [{ ...select, name: 'x' }], []), conf({})), false);
});

// ---- YAML

test('YAML: read and written as Kubernetes does', () => {
  const text = 'a10: 1\na2: yes\nb: "yes"\nc: 0x10\nd: 2026-01-02\ne: ~\nf: "0123"\ng: 1.5\nh: |\n  two\n  lines\n';
  const value = yamlText.parse(text);
  assert.deepEqual(value, { a10: 1, a2: true, b: 'yes', c: 16, d: '2026-01-02', e: null, f: '0123', g: 1.5, h: 'two\nlines\n' });
  const printed = yamlText.print(value);
  assert.equal(
    printed,
    'a2: true\na10: 1\nb: "yes"\nc: 16\nd: "2026-01-02"\ne: null\nf: "0123"\ng: 1.5\nh: |\n  two\n  lines\n',
  );
  assert.deepEqual(yamlText.parse(printed), value);
  assert.equal(yamlText.parse(''), null);
  assert.equal(yamlText.print({ s: 'a: b', e: '', n: [] }), "e: \"\"\n\"n\": []\ns: 'a: b'\n");
}); // prettier-ignore
