import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze, type JsonValue, type KubeObject, type Overriders } from '../api/index.ts';
import { yamlText } from './document-text.ts';
import { applyOverriders, OverrideError } from './overriders.ts';

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
const apply = (object: KubeObject, overriders: Overriders): KubeObject => applyOverriders(object, overriders);

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
    /^OverrideError: failed to parse image value\(NOT AN IMAGE\) at container "web", error: invalid reference format$/,
  );
  const absent = deployment([{ name: 'web' }]);
  assert.throws(
    () => apply(absent, { imageOverrider: [{ component: 'Tag', operator: 'remove' }] }),
    /null at container "web" is no image/,
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

test('overriders: a document keeps the digits of its integers and the meaning of its words', () => {
  const replace = [{ subPath: '/mode', operator: 'replace' as const, value: 'off' }];
  const data = {
    json: '{"account": 1234567890123456789, "mode": "on", "ratio": 0.25}',
    yaml: 'account: 12345678901234567890\nmode: on\nratio: 1234567.5\nversion: "1.10"\n',
  };
  const result = apply(conf(data), {
    fieldOverrider: [
      { fieldPath: '/data/json', json: replace },
      { fieldPath: '/data/yaml', yaml: replace },
    ],
  });
  assert.deepEqual(result['data'], {
    json: '{"account":1234567890123456789,"mode":"off","ratio":0.25}',
    yaml: 'account: 12345678901234567890\nmode: "off"\nratio: 1.2345675e+06\nversion: "1.10"\n',
  });
});

test('overriders: one overrider for one text and another', () => {
  const yaml = [{ subPath: '/a', operator: 'replace' as const, value: 2 }];
  const overriders: Overriders = { fieldOverrider: [{ fieldPath: '/data/x', yaml }] };
  for (const [before, after] of [
    ['a: 1\nb: 1\n', 'a: 2\nb: 1\n'],
    ['a: 1\nb: 1\n', 'a: 2\nb: 1\n'],
    ['a: 1\nb: 9\n', 'a: 2\nb: 9\n'],
  ] as const)
    assert.deepEqual(apply(conf({ x: before }), overriders)['data'], { x: after });
});

test('overriders: a large document takes no longer for each of its lines than a small one', () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `key${index}:\n  port: ${index}\n`);
  const yaml = [{ subPath: '/key7/port', operator: 'replace' as const, value: 'on' }];
  const result = apply(conf({ x: lines.join('') }), { fieldOverrider: [{ fieldPath: '/data/x', yaml }] });
  const expected = lines.with(7, 'key7:\n  port: "on"\n').join('');
  assert.equal((result['data'] as { x: string }).x, expected);
});

test('overriders: long lines of a YAML document are folded, as upstream folds them', () => {
  const long = 'word '.repeat(20).trim();
  const yaml = [{ subPath: '/a', operator: 'add' as const, value: long }];
  const result = apply(conf({ x: 'b: 1' }), { fieldOverrider: [{ fieldPath: '/data/x', yaml }] });
  const folded = `a: ${'word '.repeat(16).trim()}\n  ${'word '.repeat(4).trim()}\nb: 1\n`;
  assert.deepEqual(result['data'], { x: folded });
});

test('overriders: a whole document, nothing as JSON, and both formats in a policy of the old form', () => {
  const field = (text: string, overrider: object): unknown =>
    (
      apply(conf({ x: text }), { fieldOverrider: [{ fieldPath: '/data/x', ...overrider }] })['data'] as {
        x: string;
      }
    ).x;
  const add = (subPath: string, value: JsonValue): object => ({ subPath, operator: 'add', value });
  assert.equal(field('{"a":1}', { json: [add('', [1]), add('/-', 2)] }), '[1,2]');
  assert.equal(field('', { json: [add('/a', 1)] }), '');
  assert.throws(() => field('', { yaml: [add('/a', 1)] }), OverrideError);
  assert.equal(field('a: 1', { yaml: [add('/b', 2)], json: [add('/c', 3)] }), 'a: 1\nb: 2\n');
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

for (const path of ['/kind', '/apiVersion', '/metadata', '/metadata/name']) {
  test(`overriders: an object without ${path} is none`, () => {
    const plaintext = [{ path, operator: 'remove' as const }];
    assert.throws(() => apply(conf({}), { plaintext }), /has no apiVersion, no kind or no name/);
  });
}

test('overriders: labels are a map', () => {
  for (const value of ['text', ['a']]) {
    const plaintext = [{ path: '/metadata/labels', operator: 'replace' as const, value }];
    assert.throws(() => apply(web, { plaintext }), /metadata\.labels is no map/);
  }
});

test('overriders: labels that plaintext made null are none', () => {
  const plaintext = [{ path: '/metadata/labels', operator: 'replace' as const, value: null }];
  const labelsOverrider = [{ operator: 'remove' as const, value: { one: '' } }];
  assert.equal(apply(apply(web, { plaintext }), { labelsOverrider }).metadata.labels, null);
});

for (const [path, operator, why] of [
  [
    '/data/absent/deep',
    'replace',
    'replace operation does not apply: doc is missing path: /data/absent/deep: missing value',
  ],
  [
    '/data/absent',
    'replace',
    'replace operation does not apply: doc is missing key: /data/absent: missing value',
  ],
  [
    '/data/absent',
    'remove',
    "error in remove for path: '/data/absent': Unable to remove nonexistent key: absent: missing value",
  ],
  ['/absent/deep', 'add', 'add operation does not apply: doc is missing path: "/absent/deep": missing value'],
] as const) {
  test(`overriders: ${operator} at ${path} finds nothing there`, () => {
    const plaintext = [{ path, operator, value: 'x' }];
    assert.throws(() => apply(conf({ v: '1' }), { plaintext }), { name: 'OverrideError', message: why });
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
  assert.deepEqual(yamlText.parse('{\n\t"a": 1234567890123456789,\n\t"b": [1]\n}'), {
    a: 1234567890123456789n,
    b: [1],
  });
  assert.deepEqual(yamlText.parse('{a: 1, b: [x]}'), { a: 1, b: ['x'] });
}); // prettier-ignore
