import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject, ResourceInterpreterCustomization } from '../api/index.ts';
import {
  Customizations,
  createInterpreter,
  nativeLayer,
  type Interpreter,
  type StatusItem,
} from './index.ts';

type Scripts = ResourceInterpreterCustomization['spec']['customizations'];

function customization(
  name: string,
  scripts: Readonly<Record<string, string>>,
  kind = 'Widget',
): ResourceInterpreterCustomization {
  const customizations = Object.fromEntries(
    Object.entries(scripts).map(([rule, luaScript]) => [rule, { luaScript }]),
  ) as Scripts;
  return {
    apiVersion: 'config.karmada.io/v1alpha1',
    kind: 'ResourceInterpreterCustomization',
    metadata: { name },
    spec: { target: { apiVersion: 'example.io/v1', kind }, customizations },
  };
}

function interpreterOf(...loaded: readonly ResourceInterpreterCustomization[]): Interpreter {
  const customizations = new Customizations();
  customizations.load(loaded);
  return createInterpreter([customizations.layer, nativeLayer(() => '2026-01-01T00:00:00Z')]);
}

function widget(fields: JsonObject): KubeObject {
  return {
    apiVersion: 'example.io/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace: 'shop' },
    ...fields,
  };
}

const only = (rule: string, luaScript: string): Interpreter =>
  interpreterOf(customization('one', { [rule]: luaScript }));

test('replicas come with requirements in canonical form, or without any', () => {
  const interpreter = only(
    'replicaResource',
    'function GetReplicas(obj) if obj.spec.cpu == nil then return 2.9 end return obj.spec.n, {resourceRequest = {cpu = obj.spec.cpu, memory = 1024}} end',
  );
  assert.deepEqual(interpreter.replicas(widget({ spec: { n: 3, cpu: '0.5' } })), {
    replicas: 3,
    requirements: { resourceRequest: { cpu: '500m', memory: '1024' } },
  });
  assert.deepEqual(interpreter.replicas(widget({ spec: {} })), { replicas: 2, requirements: undefined });
});

test('components are a list, none when nil', () => {
  const interpreter = only(
    'componentResource',
    `function GetComponents(obj)
       if obj.spec == nil then return nil end
       return {{name = "head", replicas = 1}, {name = "tail", replicas = 2, replicaRequirements = {resourceRequest = {cpu = "1000m"}}}}
     end`,
  );
  assert.deepEqual(interpreter.components(widget({})), []);
  assert.deepEqual(interpreter.components(widget({ spec: { x: 1 } })), [
    { name: 'head', replicas: 1 },
    { name: 'tail', replicas: 2, replicaRequirements: { resourceRequest: { cpu: '1' } } },
  ]);
});

test('a revised object keeps its empty fields as they were, and the original is untouched', () => {
  const interpreter = only(
    'replicaRevision',
    'function ReviseReplica(obj, n) obj.spec.n = n obj.spec.new = {} return obj end',
  );
  const before = Object.freeze(widget({ spec: Object.freeze({ n: 1, dir: {}, list: [] }) }));
  assert.deepEqual(interpreter.revise(before, 7), widget({ spec: { n: 7, dir: {}, list: [] } }));
  assert.equal((before['spec'] as JsonObject)['n'], 1);
});

test('what is retained may be empty in either object', () => {
  const interpreter = only(
    'retention',
    'function Retain(desired, observed) desired.spec = observed.spec return desired end',
  );
  assert.deepEqual(
    interpreter.retain(widget({ spec: { a: [] } }), widget({ spec: { a: [], b: {}, c: 1 } })),
    widget({ spec: { a: [], b: {}, c: 1 } }),
  );
});

test('a reflected status may be empty', () => {
  const interpreter = only('statusReflection', 'function ReflectStatus(obj) return obj.status or {} end');
  assert.deepEqual(interpreter.status(widget({ status: { ready: 1, none: {} } })), { ready: 1 });
  assert.deepEqual(interpreter.status(widget({})), {});
});

test('statuses are added up; no items are nil', () => {
  const interpreter = only(
    'statusAggregation',
    `function AggregateStatus(obj, items)
       obj.status = {ready = 0, names = {}}
       if items == nil then return obj end
       for i = 1, #items do
         obj.status.ready = obj.status.ready + items[i].status.ready
         table.insert(obj.status.names, items[i].clusterName)
       end
       return obj
     end`,
  );
  const items: StatusItem[] = [
    { clusterName: 'a', status: { ready: 2 } },
    { clusterName: 'b', status: { ready: 3 } },
  ];
  const statusOf = (some: StatusItem[]): unknown =>
    (interpreter.aggregate(widget({}), some) as KubeObject)['status'];
  assert.deepEqual(statusOf(items), { ready: 5, names: ['a', 'b'] });
  assert.deepEqual(statusOf([]), { ready: 0 });
});

test('health is a boolean and nothing else', () => {
  const interpreter = only(
    'healthInterpretation',
    'function InterpretHealth(obj) return obj.status.fine end',
  );
  assert.equal(interpreter.health(widget({ status: { fine: true } })), true);
  assert.equal(interpreter.health(widget({ status: { fine: false } })), false);
  assert.throws(() => interpreter.health(widget({ status: { fine: 'yes' } })), /result type 3 is not bool/);
});

test('dependencies of several customizations are united in one order', () => {
  const depends = (...names: string[]): Record<string, string> => ({
    dependencyInterpretation: `function GetDependencies(obj) return {${names.map((name) => `{apiVersion = "v1", kind = "Secret", namespace = obj.metadata.namespace, name = "${name}"}`).join(', ')}} end`,
  });
  const interpreter = interpreterOf(
    customization('b', depends('z', 'm')),
    customization('a', depends('m', 'b')),
  );
  const of = (name: string): unknown => ({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name });
  assert.deepEqual(interpreter.dependencies(widget({})), [of('b'), of('m'), of('z')]);
  assert.deepEqual(
    only('dependencyInterpretation', 'function GetDependencies() return {} end').dependencies(widget({})),
    [],
  );
});

test('a dependency without a name or a selector is an error', () => {
  const interpreter = only(
    'dependencyInterpretation',
    'function GetDependencies() return {{apiVersion = "v1", kind = "Secret"}} end',
  );
  assert.throws(
    () => interpreter.dependencies(widget({})),
    /dependency can not leave name and labelSelector all empty/,
  );
});

const wrong: Readonly<Record<string, readonly [rule: string, script: string, message: RegExp]>> = {
  'a text for a number': [
    'replicaResource',
    'function GetReplicas() return "3" end',
    /result type 3 is not number/,
  ],
  'a number for requirements': [
    'replicaResource',
    'function GetReplicas() return 3, 4 end',
    /expect the returned requires type is table but got number/,
  ],
  'a quantity that is none': [
    'replicaResource',
    'function GetReplicas() return 3, {resourceRequest = {cpu = "much"}} end',
    /quantities must match/,
  ],
  'another function': [
    'replicaResource',
    'function Replicas() return 3 end',
    /not found function GetReplicas/,
  ],
  'a script that does not compile': ['replicaResource', 'function', /at EOF/],
  'a script that runs on': ['replicaResource', 'while true do end', /deadline exceeded/],
};
for (const [title, [rule, script, message]] of Object.entries(wrong)) {
  test(`replicas are an error with ${title}`, () => {
    assert.throws(() => only(rule, script).replicas(widget({})), message);
  });
}

test('an object without its kind is none', () => {
  const interpreter = only('replicaRevision', 'function ReviseReplica() return {spec = 1} end');
  assert.throws(() => interpreter.revise(widget({}), 1), /apiVersion, kind and metadata/);
});

test('the first customization by name that has a rule counts', () => {
  const counts = (n: number): Record<string, string> => ({
    replicaResource: `function GetReplicas() return ${n} end`,
  });
  const interpreter = interpreterOf(
    customization('c', counts(3)),
    customization('b', counts(2)),
    customization('a', { replicaResource: '' }),
  );
  assert.deepEqual(interpreter.replicas(widget({})), { replicas: 2, requirements: undefined });
});

test('a script goes before native code, and its error is final', () => {
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: { replicas: 4 },
  };
  const rics = customization('d', { replicaResource: 'function GetReplicas(obj) error("no") end' });
  const target = { apiVersion: 'apps/v1', kind: 'Deployment' };
  const interpreter = interpreterOf({ ...rics, spec: { ...rics.spec, target } });
  assert.throws(() => interpreter.replicas(deployment), /no$/);
  assert.deepEqual(interpreter.health({ ...deployment, status: {} }) === undefined, false);
});

test('loading again replaces everything', () => {
  const customizations = new Customizations();
  const interpreter = createInterpreter([customizations.layer]);
  const one = customization('one', { healthInterpretation: 'function InterpretHealth() return true end' });
  customizations.load([one]);
  assert.equal(interpreter.has(widget({}), 'InterpretHealth'), true);
  assert.equal(interpreter.has({ ...widget({}), kind: 'Gadget' }, 'InterpretHealth'), false);
  assert.equal(interpreter.has(widget({}), 'InterpretReplica'), false);
  customizations.load([]);
  assert.equal(interpreter.has(widget({}), 'InterpretHealth'), false);
  assert.equal(interpreter.health(widget({})), undefined);
});
