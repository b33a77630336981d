import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConstraintError, constraintObjection, parseConstraint } from './constraint.ts';
import { parseVersion } from './version.ts';

const accepts = (range: string, version: string): boolean =>
  parseConstraint(range).accepts(parseVersion(version)!);

for (const [range, accepted, rejected] of [
  ['>=1.4.0 <1.5.0', ['1.4.0', '1.4.0+7', '1.4.9'], ['1.3.9', '1.4.0-rc.1', '1.5.0-alpha', '1.5.0']],
  ['>=1.4.0, <1.5.0', ['1.4.0', '1.4.9'], ['1.5.0']],
  ['>=1.4.0,<1.5.0', ['1.4.9'], ['1.5.0']],
  ['2.x', ['2.0.0', '2.9.1+3'], ['2.0.0-rc.1', '3.0.0']],
  ['^2', ['2.0.0', '2.9.1+3'], ['2.0.0-rc.1', '3.0.0']],
  ['v2', ['2.0.0', '2.9.1+3'], ['2.0.0-rc.1', '3.0.0', '1.9.9']],
  ['>= 1.0.0-alpha.1', ['1.0.0-beta.0', '1.0.0', '2.0.0-rc.1', '3.1.0'], ['1.0.0-alpha.0']],
  ['>= 1.0.0+3', ['1.0.0+2'], ['0.9.9']],
  ['^0.3.1', ['0.3.9'], ['0.4.0', '0.3.0']],
  ['^0.0.3', ['0.0.3'], ['0.0.4', '0.0.2']],
  ['^0.0', ['0.0.9'], ['0.1.0']],
  ['^0', ['0.0.0', '0.9.9'], ['1.0.0']],
  ['!=1.4.2', ['1.4.3'], ['1.4.2', '1.5.0-rc.1']],
  ['!=1.4', ['1.5.0'], ['1.4.2']],
  ['^1.0.0 || 2.0.0', ['1.9.9', '2.0.0+1'], ['2.0.1']],
  ['1.2 - 1.4', ['1.2.0', '1.4.9'], ['1.5.0', '1.1.9']],
  ['>11', ['12.0.0'], ['11.9.9', '11.0.0']],
  ['>11.1', ['11.2.0'], ['11.1.9']],
  ['<=2.x', ['2.9.9', '1.0.0'], ['3.0.0']],
  ['<=2.3', ['2.3.9'], ['2.4.0']],
  ['=>1.2.0', ['1.2.0'], ['1.1.0']],
  ['=<1.2.0', ['1.2.0'], ['1.2.1']],
  ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0', '1.2.2']],
  ['~>1', ['1.9.0'], ['2.0.0']],
  ['~0.0.0', ['0.0.0', '5.1.0'], ['5.1.0-rc.1']],
  ['*', ['0.0.0', '5.1.0'], ['5.1.0-rc.1']],
  ['', ['0.0.0', '5.1.0-rc.1'], []],
  ['1.2.3', ['1.2.3', 'v1.2.3+9'], ['1.2.4']],
  ['= 1.2.3', ['1.2.3'], ['1.2.4']],
] as const) {
  for (const version of accepted)
    test(`"${range}" accepts ${version}`, () => assert.ok(accepts(range, version)));
  for (const version of rejected)
    test(`"${range}" rejects ${version}`, () => assert.ok(!accepts(range, version)));
}

for (const range of ['foo', '>=', '1.2.3 ||', '>1.0.0 bar', '01.2.3', `>=${'1'.repeat(600)}`])
  test(`"${range.slice(0, 12)}" is no range`, () =>
    assert.throws(() => parseConstraint(range), ConstraintError));

test('an objection names range and version', () => {
  assert.equal(constraintObjection('^1.4.3', '1.4.1'), '1.4.1 is not in "^1.4.3"');
  assert.equal(constraintObjection('', 'nightly'), undefined);
  assert.match(constraintObjection('^1', 'nightly') ?? '', /"nightly" is no version/);
});

test('a complete version without an operator accepts that version alone, whatever its revision', () => {
  const part = fc.nat(4);
  fc.assert(
    fc.property(part, part, part, part, part, part, (a, b, c, x, y, z) => {
      assert.equal(accepts(`${a}.${b}.${c}`, `${x}.${y}.${z}+1`), a === x && b === y && c === z);
    }),
  );
});
