import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { OperatingError } from '../base/index.ts';
import { interpretCommand } from './index.ts';

const CUSTOMIZATION = `
apiVersion: config.karmada.io/v1alpha1
kind: ResourceInterpreterCustomization
metadata: {name: widgets}
spec:
  target: {apiVersion: example.io/v1, kind: Widget}
  customizations:
    replicaResource:
      luaScript: function GetReplicas(obj) return obj.spec.count end
    retention:
      luaScript: function Retain(desired, observed) desired.spec = observed.spec return desired end
    statusAggregation:
      luaScript: "function AggregateStatus(obj, items) obj.status = {count = #items} return obj end"
`;
const OBJECT = 'apiVersion: example.io/v1\nkind: Widget\nmetadata: {name: w}\nspec: {count: 3}\n';

interface Ran {
  readonly code: number | undefined;
  readonly lines: readonly string[];
  readonly complaints: string;
}

/** Files are named in `args` as `@name`. */
async function interpret(files: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'navarch-interpret-'));
  const write = process.stdout.write.bind(process.stdout);
  const writeError = process.stderr.write.bind(process.stderr);
  let output = '';
  let complaints = '';
  let code: number | undefined;
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(directory, name), text);
    process.stdout.write = (chunk: string | Uint8Array): boolean => {
      output += chunk.toString();
      return true;
    };
    process.stderr.write = (chunk: string | Uint8Array): boolean => {
      complaints += chunk.toString();
      return true;
    };
    const named = args.map((arg) => (arg.startsWith('@') ? path.join(directory, arg.slice(1)) : arg));
    const command = interpretCommand((exit) => (code = exit)).exitOverride();
    await command.parseAsync(named, { from: 'user' });
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
    await rm(directory, { recursive: true });
  }
  return { code, lines: output.trimEnd().split('\n'), complaints };
}

test('a check names every rule and fails when a script does not compile', async () => {
  const fine = await interpret({ 'c.yaml': CUSTOMIZATION }, '-f', '@c.yaml', '--check');
  assert.equal(fine.code, 0);
  assert.deepEqual(fine.lines.slice(0, 6), [
    '-----------------------------------',
    'SOURCE: widgets',
    'TARGET: example.io/v1 Widget',
    'RULERS:',
    '    Retain: PASS',
    '    InterpretReplica: PASS',
  ]);
  const broken = CUSTOMIZATION.replace('return obj.spec.count end', 'return');
  const wrong = await interpret({ 'c.yaml': broken }, '-f', '@c.yaml', '--check');
  assert.equal(wrong.code, 1);
  assert.equal(wrong.lines[5], '    InterpretReplica: ERROR: <string> at EOF:   syntax error');
});

test('results are numbered documents', async () => {
  const files = { 'c.yaml': CUSTOMIZATION, 'o.yaml': OBJECT };
  const { code, lines } = await interpret(
    files, '-f', '@c.yaml', '--operation', 'interpretreplica', '--observed-file', '@o.yaml',
  ); // prettier-ignore
  assert.equal(code, 0);
  assert.deepEqual(lines, ['---', '# [1/2] replica:', '3', '---', '# [2/2] requires:', 'null']);
});

test('aggregation takes what members report from documents', async () => {
  const files = {
    'c.yaml': CUSTOMIZATION,
    'o.yaml': OBJECT,
    's.yaml': 'clusterName: a\n---\nclusterName: b\n',
  };
  const { lines } = await interpret(
    files, '-f', '@c.yaml', '--operation', 'AggregateStatus', '--desired-file', '@o.yaml', '--status-file', '@s.yaml',
  ); // prettier-ignore
  assert.deepEqual(lines.slice(-2), ['status:', '  count: 2']);
});

test('what cannot be run is refused in the words of karmadactl', async () => {
  const files = { 'c.yaml': CUSTOMIZATION, 'o.yaml': OBJECT, 'two.yaml': `${OBJECT}---\n${OBJECT}` };
  const refusals: readonly (readonly [args: readonly string[], message: string])[] = [
    [['-f', '@c.yaml'], 'operation is not set for executing'],
    [
      ['-f', '@c.yaml', '--operation', 'Guess'],
      'operation Guess is not supported. Use one of: Retain, InterpretReplica, InterpretComponent, ReviseReplica, InterpretStatus, AggregateStatus, InterpretHealth, InterpretDependency',
    ],
    [
      ['-f', '@o.yaml', '--operation', 'Retain'],
      'fail to get customization object: not a ResourceInterpreterCustomization, got example.io/v1, Kind=Widget',
    ],
    [
      ['-f', '@c.yaml', '--operation', 'Retain', '--desired-file', '@two.yaml'],
      'fail to get desired object: get 2 objects, expect one at most',
    ],
    [
      ['-f', '@c.yaml', '--operation', 'ReviseReplica', '--desired-replica', 'x'],
      'invalid argument "x" for "--desired-replica" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [['-f', 'nowhere.yaml', '--check'], 'the path "nowhere.yaml" does not exist'],
    [['-f', '@c.yaml', '--check', '--edit'], "you can't set both --check and --edit options"],
  ];
  for (const [args, message] of refusals)
    await assert.rejects(interpret(files, ...args), { name: 'CommandError', message });
  await assert.rejects(interpret(files), /^CommandError: You must provide one or more resources/);
});

test('a rule that fails is an answer', async () => {
  const failing = CUSTOMIZATION.replace('return obj.spec.count end', "error('no') end");
  const files = { 'c.yaml': CUSTOMIZATION, 'bad.yaml': failing, 'o.yaml': OBJECT };
  const answers: readonly (readonly [args: readonly string[], complaint: string])[] = [
    [['@c.yaml', '--operation', 'Retain', '--observed-file', '@o.yaml'], 'Execute Retain error: desired, desired-file options are not set\n'],
    [['@c.yaml', '--operation', 'Retain', '--desired-file', '@o.yaml'], 'Execute Retain error: observed, observed-file options are not set\n'],
    [['@c.yaml', '--operation', 'InterpretReplica'], 'Execute InterpretReplica error: desired-file, observed-file options are not set\n'],
    [
      ['@c.yaml', '--operation', 'InterpretReplica', '--desired-file', '@o.yaml', '--observed-file', '@o.yaml'],
      'Execute InterpretReplica error: you can not specify both desired-file and observed-file options\n',
    ],
    [['@c.yaml', '--operation', 'InterpretHealth', '--observed-file', '@o.yaml'], 'Execute InterpretHealth error: rule is not enabled\n'],
    [['@bad.yaml', '--operation', 'InterpretReplica', '--observed-file', '@o.yaml'], 'Execute InterpretReplica error: <string>:1: no\n'],
  ]; // prettier-ignore
  for (const [args, complaint] of answers) {
    const { code, lines, complaints } = await interpret(files, '-f', ...args);
    assert.deepEqual([code, lines, complaints], [0, [''], complaint]);
  }
});

test('a check names what is no customization, and what has no target', async () => {
  const aimless = CUSTOMIZATION.replace('kind: Widget', 'other: x');
  const { code, lines } = await interpret(
    { 'o.yaml': OBJECT, 'a.yaml': aimless },
    '-f',
    '@o.yaml',
    '-f',
    '@a.yaml',
    '--check',
  );
  assert.equal(code, 1);
  const dashes = '-----------------------------------';
  assert.deepEqual(lines, [
    dashes,
    'SOURCE: w',
    'not a ResourceInterpreterCustomization, got example.io/v1, Kind=Widget',
    dashes,
    'SOURCE: widgets',
    'target.kind no set',
  ]);
});

test('without what members report there is nothing to add up', async () => {
  const files = {
    'c.yaml': CUSTOMIZATION.replace('#items', '(items == nil) and -1 or #items'),
    'o.yaml': OBJECT,
  };
  const { lines } = await interpret(
    files, '-f', '@c.yaml', '--operation', 'AggregateStatus', '--desired-file', '@o.yaml',
  ); // prettier-ignore
  assert.deepEqual(lines.slice(-2), ['status:', '  count: -1']);
});

const DECLARED = `
apiVersion: navarch.io/v1alpha1
kind: ResourceInterpretation
metadata: {name: declared}
spec:
  target: {apiVersion: example.io/v1, kind: Widget}
  replicas: {path: .spec.parts}
  health: {expression: object.spec.count > 2}
`;

test('paths and expressions are checked and run like scripts, which go before them', async () => {
  const files = { 'c.yaml': CUSTOMIZATION, 'd.yaml': DECLARED, 'o.yaml': OBJECT };
  const checked = await interpret(files, '-f', '@d.yaml', '--check');
  assert.equal(checked.code, 0);
  assert.deepEqual(checked.lines.slice(4), [
    '    Retain: UNSET',
    '    InterpretReplica: PASS',
    '    InterpretComponent: UNSET',
    '    ReviseReplica: PASS',
    '    InterpretStatus: UNSET',
    '    AggregateStatus: UNSET',
    '    InterpretHealth: PASS',
    '    InterpretDependency: UNSET',
  ]);
  const both = ['-f', '@c.yaml', '-f', '@d.yaml', '--observed-file', '@o.yaml', '--operation'];
  assert.deepEqual((await interpret(files, ...both, 'InterpretHealth')).lines.slice(1), [
    '# [1/1] healthy:',
    'true',
  ]);
  assert.equal((await interpret(files, ...both, 'InterpretReplica')).lines[2], '3');
});

test('what is wrong with a declaration is named by its field', async () => {
  const wrong = DECLARED.replace('object.spec.count > 2', 'object.spec.count >');
  const { code, lines } = await interpret({ 'd.yaml': wrong }, '-f', '@d.yaml', '--check');
  assert.equal(code, 1);
  assert.match(
    lines[10] ?? '',
    /^ {4}InterpretHealth: ERROR: spec\.health\.expression: Invalid value: "object\.spec\.count >": compilation failed: /,
  );
  const shapeless = DECLARED.replace('{path: .spec.parts}', '3');
  await assert.rejects(interpret({ 'd.yaml': shapeless }, '-f', '@d.yaml', '--check'), (error) => {
    assert(error instanceof OperatingError);
    assert.match(
      error.message,
      /d\.yaml is no whole ResourceInterpretation: spec\.replicas: Invalid value: "integer"/,
    );
    return true;
  });
});
