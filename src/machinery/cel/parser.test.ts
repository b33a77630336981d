import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileError } from './issues.ts';
import { compileExpression } from './expression.ts';

const START =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

const malformed: readonly (readonly [source: string, message: string])[] = [
  ['1 +', `ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting ${START}\n | 1 +\n | ...^`],
  ['(1', "ERROR: <input>:1:3: Syntax error: mismatched input '<EOF>' expecting ')'\n | (1\n | ..^"],
  [
    'x.true',
    "ERROR: <input>:1:3: Syntax error: mismatched input 'true' expecting IDENTIFIER\n | x.true\n | ..^",
  ],
  ['while', 'ERROR: <input>:1:1: reserved identifier: while\n | while\n | ^'],
  ["'open", "ERROR: <input>:1:1: Syntax error: token recognition error at: ''open'\n | 'open\n | ^"],
  [String.raw`'\q'`, 'ERROR: <input>:1:1: unable to unescape string\n | ' + String.raw`'\q'` + '\n | ^'],
  ['9223372036854775808', 'ERROR: <input>:1:1: invalid int literal\n | 9223372036854775808\n | ^'],
  ['18446744073709551616u', 'ERROR: <input>:1:1: invalid uint literal\n | 18446744073709551616u\n | ^'],
  [
    '[1].all(1, true)',
    'ERROR: <input>:1:9: argument must be a simple name\n | [1].all(1, true)\n | ........^',
  ],
  [
    '[1].all(i, i, true)',
    'ERROR: <input>:1:12: duplicate variable name: i\n | [1].all(i, i, true)\n | ...........^',
  ],
  ['has(x)', 'ERROR: <input>:1:5: invalid argument to has() macro\n | has(x)\n | ....^'],
  ['true &&\n  #', "ERROR: <input>:2:3: Syntax error: token recognition error at: '#'\n |   #\n | ..^"],
  [
    "'é' + #",
    "ERROR: <input>:1:7: Syntax error: token recognition error at: '#'\n | 'é' + #\n | .\uff0e....^",
  ],
];
for (const [source, message] of malformed) {
  test(`what cannot be read is shown where it is: ${source}`, () => {
    assert.throws(
      () => compileExpression(source, ['x']),
      (error) => error instanceof CompileError && error.message === message,
    );
  });
}

test('expressions that are too deep or too long are refused before they are read', () => {
  const deep = `${'('.repeat(300)}1${')'.repeat(300)}`;
  assert.throws(() => compileExpression(deep, []), /expression recursion limit exceeded: 250/);
  const long = `'${'x'.repeat(100_000)}'`;
  assert.throws(
    () => compileExpression(long, []),
    /code point size exceeds limit: size: 100002, limit 100000/,
  );
});

test('long chains are no deep expressions', () => {
  const chain = Array.from({ length: 5000 }, () => 'true').join(' && ');
  assert.equal(compileExpression(chain, []).run({}, 1e6).value, true);
});
