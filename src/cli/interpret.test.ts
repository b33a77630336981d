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
}

/** Files are named in `args` as `@name`. */
async function interpret(files: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'navarch-interpret-'));
  const write = process.stdout.write.bind(process.stdout);
  let output = '';
  let code: number | undefined;
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(directory, name), text);
    process.stdout.write = (chunk: string | Uint8Array): boolean => {
      output += chunk.toString();
      return true;
    };
    const named = args.map((arg) => (arg.startsWith('@') ? path.join(directory, arg.slice(1)) : arg));
    const command = interpretCommand((exit) => (code = exit)).exitOverride();
    await command.parseAsync(named, { from: 'user' });
  } finally {
    process.stdout.write = write;
    await rm(directory, { recursive: true });
  }
  return { code, lines: output.trimEnd().split('\n') };
}

const failsWith = (code: string) => (error: unknown) =>
  error instanceof OperatingError && error.code === code;

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

test('what cannot be run is refused by name', async () => {
  const files = { 'c.yaml': CUSTOMIZATION, 'o.yaml': OBJECT };
  const custom = ['-f', '@c.yaml'];
  await assert.rejects(interpret(files, ...custom), failsWith('NO_OPERATION'));
  await assert.rejects(interpret(files, ...custom, '--operation', 'Guess'), failsWith('UNKNOWN_OPERATION'));
  await assert.rejects(interpret(files, ...custom, '--operation', 'Retain'), failsWith('BAD_FLAG'));
  const observed = ['--observed-file', '@o.yaml'];
  await assert.rejects(
    interpret(files, ...custom, ...observed, '--operation', 'Retain'),
    failsWith('BAD_FLAG'),
  );
  await assert.rejects(
    interpret(files, ...custom, ...observed, '--operation', 'InterpretHealth'),
    failsWith('NO_SUCH_RULE'),
  );
  await assert.rejects(interpret(files, '-f', '@o.yaml', '--check'), failsWith('NOT_A_CUSTOMIZATION'));
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
