import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type {
  KubeObject,
  PackageManifest,
  PackageSpec,
  ValueConfiguration,
  ValueDefinition,
} from '../api/index.ts';
import { patchChartValues, patchObject, transformationPatches, valuePatches } from './patches.ts';
import { specHashText } from './spec-hash.ts';
import { resolveValues, validateValues, type ValueSources } from './values.ts';

function definitionOf(rest: Partial<ValueDefinition>): PackageManifest {
  return { name: 'p', valueDefinitions: { v: { type: 'text', targets: [], ...rest } } };
}

for (const [rest, value, why] of [
  [{ constraints: { maxLength: 2 } }, 'äb', /longer than 2 bytes/],
  [{ constraints: { minLength: 3 } }, 'ab', /shorter than 3 bytes/],
  [{ constraints: { minLength: 3 } }, 'äb', undefined],
  [{ constraints: { pattern: 'z[0-9]{2}' } }, 'z1', /does not match/],
  [{ constraints: { pattern: 'z[0-9]{2}' } }, 'az123', undefined],
  [{ constraints: { pattern: '(' } }, 'a', /cannot be read/],
  [{ type: 'number' }, '+12', undefined],
  [{ type: 'number' }, '1.5', /no whole number/],
  [{ type: 'number' }, '9223372036854775808', /no whole number/],
  [{ type: 'number', constraints: { min: 2 } }, '1', /less than 2/],
  [{ type: 'number', constraints: { max: 2 } }, '3', /more than 2/],
  [{ type: 'boolean' }, 'T', undefined],
  [{ type: 'boolean' }, 'yes', /neither true nor false/],
  [{ type: 'options', options: ['a', 'b'] }, 'c', /none of a, b/],
  [{ constraints: { required: true } }, '', undefined],
] as const)
  test(`${JSON.stringify(rest)}: "${value}" is ${why === undefined ? 'fine' : 'refused'}`, () => {
    const problems = validateValues(definitionOf(rest), { v: value });
    if (why === undefined) assert.deepEqual(problems, []);
    else assert.match(problems.join(), why);
  });

test('a value that the package does not have, and one that is missing, are both told', () => {
  assert.deepEqual(validateValues(definitionOf({ constraints: { required: true } }), { x: '1' }), [
    'value "x": package "p" has no such value; it has v',
    'value "v": required',
  ]);
  assert.deepEqual(validateValues(definitionOf({ constraints: { required: true } }), {}, new Set(['v'])), []);
  assert.match(validateValues({ name: 'p' }, { ['__proto__']: 'x' }).join(), /no such value/);
});

const packages: Readonly<Record<string, Readonly<Record<string, ValueConfiguration>>>> = {
  a: { x: { value: 'from a' }, y: { valueFrom: { packageRef: { name: 'b', value: 'y' } } } },
  b: {
    y: { valueFrom: { packageRef: { name: 'a', value: 'y' } } },
    s: { valueFrom: { secretRef: { name: 's', namespace: 'n', key: 'k' } } },
  },
};
const sources: ValueSources = {
  data: (kind, namespace, name, key) =>
    name === 's'
      ? { text: `${kind} ${namespace}/${name} ${key}` }
      : { missing: `there is no ${kind} "${namespace}/${name}"` },
  packageValues: (name) => packages[name],
};
for (const [called, configuration, expected] of [
  ['inline', { value: 'x' }, 'x'],
  ['a Secret of the own namespace', { valueFrom: { secretRef: { name: 's', key: 'k' } } }, 'Secret own/s k'],
  [
    'a ConfigMap',
    { valueFrom: { configMapRef: { name: 's', namespace: 'n', key: 'k' } } },
    'ConfigMap n/s k',
  ],
  ['a package', { valueFrom: { packageRef: { name: 'a', value: 'x' } } }, 'from a'],
  ['a package that refers on', { valueFrom: { packageRef: { name: 'b', value: 's' } } }, 'Secret n/s k'],
  ['packages in a circle', { valueFrom: { packageRef: { name: 'a', value: 'y' } } }, /a\.y -> b\.y -> a\.y/],
  [
    'a package that is not there',
    { valueFrom: { packageRef: { name: 'z', value: 'y' } } },
    /no ClusterPackage "z"/,
  ],
  ['a value that is not set', { valueFrom: { packageRef: { name: 'a', value: 'z' } } }, /sets no value "z"/],
  ['a Secret that is not there', { valueFrom: { secretRef: { name: 'q', key: 'k' } } }, /no Secret "own\/q"/],
] as const)
  test(`a value from ${called}`, () => {
    const { values, problems } = resolveValues({ v: configuration }, 'own', sources);
    if (typeof expected === 'string') assert.equal(values['v'], expected);
    else assert.match(problems.join(), expected);
  });

// The examples of Glasskube's templates, for a target in an object.
for (const [valueTemplate, value, expected] of [
  [undefined, '2', '2'],
  ['{{.}}', '2', 2],
  ['{{if eq . "2"}}[{{.}}]{{else}}null{{end}}', '2', [2]],
  ['{{if eq . "2"}}[{{.}}]{{else}}null{{end}}', '3', null],
  ['"{{. | base64}}"', 'a', 'YQ=='],
  ['"{{ . -}} "', 'x', 'x'],
  ['{{if .}}true{{else}}false{{end}}', '', false],
  ['{{ printf "%q" . }}', 'a"b', 'a"b'],
] as const)
  test(`template ${valueTemplate ?? 'none'} makes ${JSON.stringify(expected)} of "${value}"`, () => {
    const target = {
      patch: { op: 'add', path: '/data/v' },
      resource: { kind: 'ConfigMap', name: 'c' },
      ...(valueTemplate === undefined ? {} : { valueTemplate }),
    };
    const [patch] = valuePatches(definitionOf({ targets: [target] }), { v: value });
    assert.deepEqual(patch?.value, expected);
  });

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'n' },
  spec: { args: ['a', 'b'] },
};
const patchOf = (op: string, path: string, resource: object): ReturnType<typeof valuePatches> =>
  valuePatches(
    definitionOf({
      targets: [
        {
          patch: { op, path },
          resource: { kind: 'Deployment', name: 'web', apiGroup: 'apps/v1', ...resource },
        },
      ],
    }),
    { v: 'x' },
  );

for (const [called, op, path, resource, expected] of [
  ['appends to a list', 'add', '/spec/args/-', {}, ['a', 'b', 'x']],
  ['counts from the end', 'replace', '/spec/args/-1', {}, ['a', 'x']],
  ['passes over another name', 'add', '/spec/args/-', { name: 'other' }, ['a', 'b']],
  ['passes over another group', 'add', '/spec/args/-', { apiGroup: 'v1' }, ['a', 'b']],
  ['passes over another namespace', 'add', '/spec/args/-', { namespace: 'm' }, ['a', 'b']],
  [
    'needs what it replaces',
    'replace',
    '/spec/none',
    {},
    /value "v": replace \/spec\/none does not apply to Deployment "web"/,
  ],
  ['needs a parent', 'add', '/spec/none/x', {}, /does not apply/],
] as const)
  test(`a patch ${called}`, () => {
    const run = (): unknown =>
      (patchObject(deployment, patchOf(op, path, resource))['spec'] as { args: unknown }).args;
    if (expected instanceof RegExp) assert.throws(run, expected);
    else assert.deepEqual(run(), expected);
  });

test('a patch of a chart goes into its values alone', () => {
  const patches = valuePatches(
    definitionOf({ targets: [{ patch: { op: 'add', path: '/a' }, chartName: 'c' }] }),
    { v: 'x' },
  );
  assert.deepEqual(patchChartValues('c', {}, patches), { a: 'x' });
  assert.deepEqual(patchChartValues('d', {}, patches), {});
});

test('a transformation takes exactly one value', () => {
  const manifest = (path: string): PackageManifest => ({
    name: 'p',
    transformations: [{ source: { path }, targets: [{ patch: { op: 'add', path: '/a' }, chartName: 'c' }] }],
  });
  assert.deepEqual(transformationPatches(manifest('{ $.metadata.name }'), () => deployment)[0]?.value, 'web');
  assert.throws(
    () => transformationPatches(manifest('{ $.spec.args[*] }'), () => deployment),
    /gives 2 values/,
  );
  assert.throws(
    () => transformationPatches(manifest('{ $.spec.none }'), () => deployment),
    /transformation 1/,
  );
  assert.throws(() => transformationPatches(manifest('{ .a }'), () => undefined), /there is no/);
});

for (const [spec, hash] of [
  [
    { packageInfo: { name: 'foo', version: 'v1.0.0+1' } },
    'e3d72ab0d652408b12f3f153bdc167aad329bf6e8270e1d834c8a2ed29bff447',
  ],
  [
    { packageInfo: { name: 'foo', version: 'v1.0.0+1' }, suspend: true, suspension: { reason: 'x' } },
    'e3d72ab0d652408b12f3f153bdc167aad329bf6e8270e1d834c8a2ed29bff447',
  ],
  [
    {
      packageInfo: { name: 'foo', version: 'v1.0.0+1', repositoryName: 'glasskube' },
      values: {
        b: { valueFrom: { secretRef: { name: 's', namespace: 'n', key: 'k' } } },
        a: { value: 'x&y' },
      },
    },
    '6ee0c9ab42f6907868c4392682f0ff233317b300ad591adab359a6ee642019ef',
  ],
] as const)
  test(`the hash of a spec is Glasskube's: ${hash.slice(0, 8)}`, () => {
    assert.equal(
      createHash('sha256')
        .update(specHashText(spec as PackageSpec))
        .digest('hex'),
      hash,
    );
  });
