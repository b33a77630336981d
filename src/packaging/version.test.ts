import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareVersions, isUpgrade, newestFirst, parseVersion } from './version.ts';

test('missing parts are zero, and v may stand in front', () => {
  assert.deepEqual(parseVersion('v1'), { major: 1, minor: 0, patch: 0, pre: '', meta: '' });
  assert.deepEqual(parseVersion('2.14.1+2'), { major: 2, minor: 14, patch: 1, pre: '', meta: '2' });
  assert.deepEqual(parseVersion('1.2-rc.1+a.b'), { major: 1, minor: 2, patch: 0, pre: 'rc.1', meta: 'a.b' });
});

for (const text of [
  '',
  'nightly',
  '01.0.0',
  '1.2.3.4',
  '1.0.0-01',
  'v',
  '1..2',
  '1.0.0+',
  `1.${'9'.repeat(300)}`,
])
  test(`"${text.slice(0, 12)}" is no version`, () => assert.equal(parseVersion(text), undefined));

// The table of Glasskube's own decisions.
for (const [installed, upgrades, others] of [
  ['v2.3.0', ['v2.3.0+1', 'v2.3.0+a', 'v2.4.0-rc.1', 'nightly'], ['v2.3.0', 'v2.2.9+4']],
  ['v2.3.0+2', ['v2.3.0+3', 'v2.3.0+a'], ['v2.3.0', 'v2.3.0+1', 'v2.3.0+2']],
  ['v2.3.0+a', ['v2.3.0+1', 'v2.3.0+b'], ['v2.3.0+a', 'v2.3.0']],
  ['v2.3.0-rc.1', ['v2.3.0'], ['v2.2.0']],
  ['nightly', ['v1.0.0'], ['nightly']],
] as const) {
  for (const desired of upgrades)
    test(`${desired} is an upgrade of ${installed}`, () => assert.equal(isUpgrade(installed, desired), true));
  for (const desired of others)
    test(`${desired} is no upgrade of ${installed}`, () =>
      assert.equal(isUpgrade(installed, desired), false));
}

test('pre-releases are ordered as SemVer says', () => {
  const order = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
  ];
  const parsed = order.map((text) => parseVersion(text)!);
  for (let i = 1; i < parsed.length; i++)
    assert.ok(compareVersions(parsed[i - 1]!, parsed[i]!) < 0, order[i]);
});

test('the newest comes first, by revision of the package too, and what is no version last', () => {
  assert.deepEqual(newestFirst(['v1.0.0', 'nightly', 'v1.0.0+10', 'v1.0.0+9', 'v2.0.0-rc.1', 'v1.10.0', 'v1.9.0']), [
    'v2.0.0-rc.1', 'v1.10.0', 'v1.9.0', 'v1.0.0+10', 'v1.0.0+9', 'v1.0.0', 'nightly',
  ]); // prettier-ignore
});

const version = fc
  .tuple(
    fc.nat(3),
    fc.nat(3),
    fc.nat(3),
    fc.constantFrom('', '-rc.1', '-alpha', '-2'),
    fc.constantFrom('', '+1', '+2', '+a'),
  )
  .map(([major, minor, patch, pre, meta]) => `${major}.${minor}.${patch}${pre}${meta}`);

test('the order of versions does not depend on the order in which they come', () => {
  fc.assert(
    fc.property(fc.array(version), (versions) => {
      assert.deepEqual(newestFirst(versions), newestFirst([...versions].reverse()));
    }),
  );
});
