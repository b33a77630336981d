import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue, KubeObject, ResourceInterpretation } from '../../api/index.ts';
import {
  Customizations,
  Interpretations,
  createInterpreter,
  interpretationErrors,
  nativeLayer,
  operationsOf,
  type Dependency,
  type Interpreter,
  type StatusItem,
} from '../index.ts';
import { PathError, parsePath } from './path.ts';

type Spec = ResourceInterpretation['spec'];
const NOW = '2026-11-28T10:00:00Z';

function interpretation(spec: Partial<Spec>, name = 'queues'): ResourceInterpretation {
  const target = { apiVersion: 'example.io/v1', kind: 'Queue' };
  return {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'ResourceInterpretation',
    metadata: { name },
    spec: { target, ...spec },
  };
}

function interpreterOf(...loaded: readonly ResourceInterpretation[]): Interpreter {
  const interpretations = new Interpretations(() => NOW);
  interpretations.load(loaded);
  return createInterpreter([interpretations.layer, nativeLayer(() => NOW)]);
}

function queue(fields: JsonObject, metadata: JsonObject = {}): KubeObject {
  const whole = { name: 'q', namespace: 'shop', ...metadata };
  return { apiVersion: 'example.io/v1', kind: 'Queue', metadata: whole, ...fields };
}

const saying = (spec: Partial<Spec>): Interpreter => interpreterOf(interpretation(spec));
const pods = { spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '500m' } }, envFrom: [{ secretRef: { name: 's' } }] }] } }; // prettier-ignore

// ---- paths

const paths: readonly (readonly [text: string, value: JsonValue, found: readonly JsonValue[]])[] = [
  ['.a', { a: 1 }, [1]],
  ['.a.b', { a: { b: [] } }, [[]]],
  ['.a["x.y/z"].b', { a: { 'x.y/z': { b: 2 } } }, [2]],
  [".a['b']", { a: { b: false } }, [false]],
  ['.a[*].b', { a: [{ b: 1 }, {}, { b: null }, 'text', { b: 2 }] }, [1, 2]],
  ['.a[*]', { a: { x: 1, y: 2 } }, [1, 2]],
  ['.a[1]', { a: ['x', 'y'] }, ['y']],
  ['.a[9]', { a: ['x'] }, []],
  ['.a.b', { a: null }, []],
  ['.a.length', { a: 'text' }, []],
  ['.a.length', { a: [] }, []],
  ['.constructor.name', {}, []],
  ['.a', {}, []],
];
for (const [text, value, found] of paths) {
  test(`${text} of ${JSON.stringify(value)} is ${JSON.stringify(found)}`, () => {
    assert.deepEqual(parsePath(text).find(value), found);
  });
}

const badPaths: readonly (readonly [text: string, message: string])[] = [
  ['', 'must begin with a field, such as .spec'],
  ['[0]', 'must begin with a field, such as .spec'],
  ['spec.x', 'expected .field, ["field"], [0] or [*] at position 1'],
  ['.spec..x', 'expected .field, ["field"], [0] or [*] at position 6'],
  ['..x', 'expected .field, ["field"], [0] or [*] at position 1'],
  ['.a[?(@.b)]', 'expected .field, ["field"], [0] or [*] at position 3'],
  ['.a[-1]', 'expected .field, ["field"], [0] or [*] at position 3'],
  ['.a[0:9999999]', 'expected .field, ["field"], [0] or [*] at position 3'],
  ['{.a}', 'expected .field, ["field"], [0] or [*] at position 1'],
  ['.a'.repeat(33), 'must have no more than 32 steps'],
];
for (const [text, message] of badPaths) {
  test(`${text === '' ? 'nothing' : text.slice(0, 20)} is no path`, () => {
    assert.throws(() => parsePath(text), new PathError(message));
  });
}

// ---- what is said

test('replicas by path or by expression, with what one of them needs', () => {
  const byPath = saying({
    replicas: { path: '.spec.workers' },
    requirements: { podTemplatePath: '.spec.template' },
  });
  assert.deepEqual(byPath.replicas(queue({ spec: { workers: 3, template: pods } })), {
    replicas: 3,
    requirements: { resourceRequest: { cpu: '500m' } },
  });
  const byExpression = saying({
    replicas: { expression: 'object.spec.min + size(object.spec.shards)' },
    requirements: { resources: { cpu: 'object.spec.cpu', memory: '"1024Mi"' } },
  });
  assert.deepEqual(byExpression.replicas(queue({ spec: { min: 1, shards: ['a', 'b'], cpu: '1000m' } })), {
    replicas: 3,
    requirements: { resourceRequest: { cpu: '1', memory: '1Gi' } },
  });
});

test('what is not there is the default, or an error without one', () => {
  const path = { path: '.spec.workers' };
  assert.deepEqual(saying({ replicas: { ...path, default: 1 } }).replicas(queue({})), {
    replicas: 1,
    requirements: undefined,
  });
  assert.throws(
    () => saying({ replicas: path }).replicas(queue({})),
    /no number of replicas at \.spec\.workers/,
  );
});

for (const workers of ['3', -1, 1.5, 1e300, true, [3], { n: 3 }]) {
  test(`${JSON.stringify(workers)} is no number of replicas`, () => {
    assert.throws(
      () => saying({ replicas: { path: '.spec.workers' } }).replicas(queue({ spec: { workers } })),
      /is no number of replicas/,
    );
  });
}

test('replicas are written where they are read, or elsewhere; what is beside it is shared', () => {
  const object = queue({ spec: { workers: 3, other: { x: [] } } });
  const same = saying({ replicas: { path: '.spec.workers' } }).revise(object, 7) as KubeObject;
  assert.deepEqual(same, queue({ spec: { workers: 7, other: { x: [] } } }));
  assert.equal((same['spec'] as JsonObject)['other'], (object['spec'] as JsonObject)['other']);
  const other = saying({ replicas: { expression: '1' }, revision: { path: '.spec.scale.workers' } });
  assert.deepEqual(other.revise(queue({}), 2), queue({ spec: { scale: { workers: 2 } } }));
  // What leads into lists is read and cannot be written.
  assert.equal(saying({ replicas: { path: '.spec.x[0]' } }).revise(object, 7), undefined);
});

test('components each count by themselves', () => {
  const components = [
    { name: 'head', replicas: { expression: '1' }, podTemplatePath: '.spec.head' },
    { name: 'tail', replicas: { path: '.spec.tails', default: 0 } },
  ];
  assert.deepEqual(saying({ components }).components(queue({ spec: { head: pods } })), [
    { name: 'head', replicas: 1, replicaRequirements: { resourceRequest: { cpu: '500m' } } },
    { name: 'tail', replicas: 0 },
  ]);
});

test('a cluster keeps the fields that are left to it, when it has them', () => {
  const one = saying({ retention: { paths: ['.spec.node', '.spec.zone'] } });
  const desired = queue({ spec: { node: 'a', x: 1 } });
  assert.deepEqual(one.retain(desired, queue({ spec: { node: 'b' } })), queue({ spec: { node: 'b', x: 1 } }));
  assert.equal(one.retain(desired, queue({})), desired);
});

test('a status is what is reported of it, with generations where they are asked for', () => {
  const status = { paths: ['.status.ready', '.status.deep.x'] };
  const object = queue({ status: { ready: 0, deep: { x: 1, y: 2 }, secret: 's' } }, { generation: 4 });
  assert.deepEqual(saying({ status }).status(object), { ready: 0, deep: { x: 1 } });
  assert.deepEqual(saying({ status: { ...status, generations: true } }).status(object), {
    ready: 0,
    deep: { x: 1 },
    generation: 4,
  });
  assert.deepEqual(
    saying({ status: { ...status, generations: true } }).status(queue({}, { generation: 4 })),
    {},
  );
  assert.deepEqual(saying({ health: { expression: 'true' } }).status(object), object['status']);
});

type Combine = NonNullable<Spec['aggregation']>['fields'][number]['combine'];
const item = (clusterName: string, status?: JsonObject): StatusItem => ({ clusterName, status });
const combining: readonly (readonly [Combine, readonly (JsonValue | undefined)[], JsonValue | undefined])[] = [
  ['Sum', [1, undefined, 2.5, 'x'], 3.5],
  ['Sum', [], 0],
  ['Min', [3, 1, 2], 1],
  ['Max', ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'], '2026-01-02T00:00:00Z'],
  ['Max', [], undefined],
  ['Min', [{ a: 1 }], undefined],
  ['First', [undefined, 'a', 'b'], 'a'],
  ['Last', ['a', 'b', undefined], 'b'],
  ['First', [], undefined],
  ['All', [true, true], true],
  ['All', [true, undefined], false],
  ['All', [], undefined],
  ['Any', [false, undefined, true], true],
  ['Any', [false], false],
  ['Concatenate', [[1], undefined, [2, 3], 4], [1, 2, 3, 4]],
  ['Conditions', [[{ type: 'Ready', status: 'True', message: 'x' }], [{ type: 'Ready', status: 'True' }]], [{ type: 'Ready', status: 'True', message: 'c0=x, c1=' }]],
]; // prettier-ignore
for (const [combine, values, expected] of combining) {
  test(`${combine} of ${JSON.stringify(values)} is ${JSON.stringify(expected)}`, () => {
    const one = saying({ aggregation: { fields: [{ path: '.status.x', combine }] } });
    const items = values.map((x, i) => item(`c${i}`, x === undefined ? {} : { x }));
    const made = one.aggregate(queue({ status: { kept: 1, x: 'old' } }), items) as KubeObject;
    assert.deepEqual(made['status'], expected === undefined ? { kept: 1 } : { kept: 1, x: expected });
  });
}

test('the generation is observed once every cluster has seen it', () => {
  const one = saying({
    status: { paths: ['.status.ready'], generations: true },
    aggregation: { fields: [{ path: '.status.ready', combine: 'Sum' }], observedGeneration: true },
  });
  const seen = { ready: 1, generation: 2, observedGeneration: 2, resourceTemplateGeneration: 5 };
  const of = (...items: StatusItem[]): unknown =>
    (one.aggregate(queue({}, { generation: 5 }), items) as KubeObject)['status'];
  assert.deepEqual(of(item('a', seen), item('b', seen)), { ready: 2, observedGeneration: 5 });
  assert.deepEqual(of(item('a', seen), item('b')), { ready: 1, observedGeneration: 0 });
});

test('health is true or false, and nothing else', () => {
  const one = saying({ health: { expression: 'object.status.ready == object.spec.workers' } });
  assert.equal(one.health(queue({ spec: { workers: 2 }, status: { ready: 2 } })), true);
  assert.equal(one.health(queue({ spec: { workers: 2 }, status: { ready: 1 } })), false);
  assert.throws(() => one.health(queue({ spec: { workers: 2 } })), /resulted in error: no such key: status/);
  const odd = saying({ health: { expression: 'object.status.phase' } });
  assert.throws(() => odd.health(queue({ status: { phase: 'Ready' } })), /"Ready" is neither true nor false/);
});

test('dependencies are those of pods, and those that fields name, each once', () => {
  const one = saying({
    dependencies: {
      podTemplatePaths: ['.spec.groups[*].template'],
      references: [
        { apiVersion: 'v1', kind: 'Secret', path: '.spec.sources[*].secret' },
        { apiVersion: 'example.io/v1', kind: 'Topic', expression: 'object.spec.topics.map(t, t + "-topic")' },
        { apiVersion: 'v1', kind: 'ConfigMap', expression: 'object.metadata.name + "-config"' },
      ],
    },
  });
  const object = queue({
    spec: { groups: [{ template: pods }], sources: [{ secret: 's' }, { secret: 't' }, {}], topics: ['a'] },
  });
  const names = (one.dependencies(object) as readonly Dependency[]).map(
    ({ kind, name }) => `${kind}/${name}`,
  );
  assert.deepEqual(names, ['Topic/a-topic', 'ConfigMap/q-config', 'Secret/s', 'Secret/t']);
  const wrong = saying({
    dependencies: { references: [{ apiVersion: 'v1', kind: 'Secret', path: '.spec.x' }] },
  });
  assert.throws(() => wrong.dependencies(queue({ spec: { x: 3 } })), /3 is no name of a Secret/);
});

// ---- what is wrong with it

const faults: readonly (readonly [name: string, spec: Partial<Spec>, errors: readonly string[]])[] = [
  ['nothing at all', {}, ['spec: Required value: nothing is said of the kind']],
  ['two ways to count', { replicas: { path: '.a', expression: '1' } }, ['spec.replicas: Required value: exactly one of path and expression is required']],
  ['no way to count', { replicas: {} }, ['spec.replicas: Required value: exactly one of path and expression is required']],
  ['requirements of no replicas', { requirements: { resources: {} } }, ['spec.replicas: Required value: requirements are those of replicas']],
  ['a number that is a text', { replicas: { expression: '"three"' } }, ['spec.replicas.expression: Invalid value: "\\"three\\"": must give a number, not string']],
  ['health that is a number', { health: { expression: '1 + 1' } }, ['spec.health.expression: Invalid value: "1 + 1": must give true or false, not int']],
  ['an expression that does not parse', { health: { expression: 'object.' } }, ['spec.health.expression: Invalid value: "object.": compilation failed: ERROR: <input>:1:8: Syntax error: mismatched input \'<EOF>\' expecting IDENTIFIER\n | object.\n | .......^']],
  ['a variable that is none', { health: { expression: 'self.x' } }, ["spec.health.expression: Invalid value: \"self.x\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'self' (in container '')\n | self.x\n | ^"]],
  ['a path that is none', { retention: { paths: ['spec'] } }, ['spec.retention.paths[0]: Invalid value: "spec": expected .field, ["field"], [0] or [*] at position 1']],
  ['keeping what is not the cluster’s', { retention: { paths: ['.metadata.labels', '.status', '.kind'] } }, ['.metadata.labels', '.status', '.kind'].map((path, i) => `spec.retention.paths[${i}]: Invalid value: "${path}": must not lead into ${path.split('.').slice(0, 2).join('.')}`)],
  ['keeping parts of lists', { retention: { paths: ['.spec.x[*].y'] } }, ['spec.retention.paths[0]: Invalid value: ".spec.x[*].y": must lead to one field, not into lists']],
  ['a status from elsewhere', { status: { paths: ['.spec.x', '.status'] } }, ['.spec.x', '.status'].map((path, i) => `spec.status.paths[${i}]: Invalid value: "${path}": must lead into .status`)],
  ['a field twice', { aggregation: { fields: [{ path: '.status.x', combine: 'Sum' }, { path: '.status.x', combine: 'Max' }] } }, ['spec.aggregation.fields[1].path: Duplicate value: ".status.x"']],
  ['a generation that nobody reports', { aggregation: { fields: [{ path: '.status.x', combine: 'Sum' }], observedGeneration: true } }, ['spec.aggregation.observedGeneration: Invalid value: true: needs spec.status.generations: true']],
  ['a component twice', { components: [{ name: 'a', replicas: { expression: '1' } }, { name: 'a', replicas: { expression: '1' } }] }, ['spec.components[1].name: Duplicate value: "a"']],
  ['dependencies on nothing', { dependencies: {} }, ['spec.dependencies: Required value: podTemplatePaths or references are required']],
  ['a reference by nothing', { dependencies: { references: [{ apiVersion: 'v1', kind: 'Secret' }] } }, ['spec.dependencies.references[0]: Required value: exactly one of path and expression is required']],
  ['a revision into a list', { revision: { path: '.spec.x[0]' } }, ['spec.revision.path: Invalid value: ".spec.x[0]": must lead to one field, not into lists']],
]; // prettier-ignore
for (const [name, spec, errors] of faults) {
  test(`refused is ${name}`, () => {
    const found = interpretationErrors(interpretation(spec)).map(
      ({ path, message }) => `${path}: ${message}`,
    );
    assert.deepEqual(found, errors);
  });
}

test('what was stored although it is wrong fails with what is wrong', () => {
  const one = saying({ health: { expression: 'object.' }, replicas: { path: '.spec.x' } });
  assert.throws(
    () => one.health(queue({})),
    /^Error: ResourceInterpretation queues: spec\.health\.expression: /,
  );
  assert.throws(() => one.replicas(queue({ spec: { x: 1 } })), /ResourceInterpretation queues: spec\.health/);
});

// ---- hostile expressions

const hostile: readonly (readonly [name: string, expression: string])[] = [
  ['loops in loops', '[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, true))))))'],
  ['lists that double', `size(${'['.repeat(1)}1].map(x, ${'['.repeat(1)}x])${'.map(x, x + x)'.repeat(60)}) > 0`],
  ['values that share their parts', `[0]${'.map(x, [x, x])'.repeat(60)} == [1]${'.map(x, [x, x])'.repeat(60)}`],
  ['texts that grow', `size("aaaaaaaaaa"${'.replace("a", "aaaaaaaaaaaaaaaaaaaa")'.repeat(40)}) > 0`],
  ['texts that double', `size(${'["aaaaaaaaaa"]'}${'.map(x, x + x)'.repeat(100)}[0]) > 0`],
  ['joins of joins', `size(${'["aaaaaaaaaa"]'}${'.map(x, [x, x, x, x, x, x, x, x].join(x))'.repeat(40)}[0]) > 0`],
  ['a pattern that is slow elsewhere', '("a".replace("a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") + "!").matches("^(a+)+$")'],
]; // prettier-ignore
for (const [name, expression] of hostile) {
  test(`an expression with ${name} ends, with a verdict or an error`, () => {
    const one = saying({ health: { expression } });
    try {
      assert.equal(typeof one.health(queue({})), 'boolean');
    } catch (error) {
      assert(error instanceof Error);
      assert.match(error.message, /resulted in error|compilation failed|spec\.health/);
    }
  });
}

for (const [name, expression] of Object.entries({
  brackets: `${'('.repeat(2_000)}true${')'.repeat(2_000)}`,
  negations: `${'!'.repeat(4_000)}true`,
  sums: `1${'+1'.repeat(2_000)} > 0`,
  lists: `size(${'['.repeat(1_500)}${']'.repeat(1_500)}) > 0`,
  fields: `has(object${'.a'.repeat(2_000)})`,
})) {
  test(`${name} nested without end leave the process as it is`, () => {
    try {
      assert.equal(typeof saying({ health: { expression } }).health(queue({})), 'boolean');
    } catch (error) {
      assert(error instanceof Error && !(error instanceof RangeError), String(error));
    }
  });
}

// ---- precedence

test('a script goes before a declaration, a declaration before what is shipped', () => {
  const customizations = new Customizations();
  const target = { apiVersion: 'apps/v1', kind: 'Deployment' };
  customizations.load([
    {
      apiVersion: 'config.karmada.io/v1alpha1',
      kind: 'ResourceInterpreterCustomization',
      metadata: { name: 'x' },
      spec: {
        target,
        customizations: {
          healthInterpretation: { luaScript: 'function InterpretHealth() return false end' },
        },
      },
    },
  ]);
  const interpretations = new Interpretations(() => NOW);
  interpretations.load([
    interpretation({ target, health: { expression: 'true' }, replicas: { path: '.spec.min' } }),
  ]);
  const one = createInterpreter([customizations.layer, interpretations.layer, nativeLayer(() => NOW)]);
  const deployment: KubeObject = { ...queue({ spec: { replicas: 9, min: 2 } }), ...target };
  assert.equal(one.health(deployment), false);
  assert.deepEqual(one.replicas(deployment), { replicas: 2, requirements: undefined });
});

test('of several the first by name has a rule, and dependencies add up', () => {
  const references = (name: string): NonNullable<Spec['dependencies']> => ({
    references: [{ apiVersion: 'v1', kind: 'Secret', expression: `"${name}"` }],
  });
  const one = interpreterOf(
    interpretation({ health: { expression: 'false' }, dependencies: references('b') }, 'b'),
    interpretation({ health: { expression: 'true' }, dependencies: references('a') }, 'a'),
  );
  assert.equal(one.health(queue({})), true);
  assert.deepEqual(
    (one.dependencies(queue({})) as readonly Dependency[]).map(({ name }) => name),
    ['a', 'b'],
  );
});

test('an interpretation answers what it says and no more', () => {
  assert.deepEqual(operationsOf(interpretation({ replicas: { path: '.spec.x' } })), [
    'InterpretReplica',
    'ReviseReplica',
  ]);
  assert.deepEqual(operationsOf(interpretation({ replicas: { expression: '1' } })), ['InterpretReplica']);
});
