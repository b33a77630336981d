import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze } from '../api/index.ts';
import { StatusError, labelSelectorFor, noSelector, parseLabelSelector, type Labels } from './index.ts';

const matching: [selector: string, labels: Labels, matches: boolean][] = [
  ['', undefined, true],
  ['a=b', { a: 'b' }, true],
  ['a=b', { a: 'c' }, false],
  ['a=b', undefined, false],
  ['a==b', { a: 'b' }, true],
  ['a!=b', {}, true],
  ['a!=b', { a: 'b' }, false],
  ['a', { a: '' }, true],
  ['a', {}, false],
  ['!a', {}, true],
  ['! a', { a: '' }, false],
  ['a=', { a: '' }, true],
  ['a=,b=c', { a: '', b: 'c' }, true],
  ['a in (x,y)', { a: 'y' }, true],
  ['a in (x, y)', { a: 'z' }, false],
  ['a notin (x,y)', { a: 'z' }, true],
  ['a notin (x,y)', {}, true],
  ['a in ()', { a: '' }, true],
  ['a in (,x)', { a: '' }, true],
  ['a in (x,,y)', { a: '' }, true],
  ['a in (x,)', { a: '' }, true],
  ['a in (in,notin)', { a: 'notin' }, true],
  ['in in (in)', { in: 'in' }, true],
  ['notin', { notin: '1' }, true],
  ['a>1', { a: '2' }, true],
  ['a>1', { a: '1' }, false],
  ['a>1', { a: 'x' }, false],
  ['a<9223372036854775807', { a: '9223372036854775806' }, true],
  ['a>1', { a: '99999999999999999999' }, false],
  ['a=b,c!=d,e in (x,y),!f,g>1', { a: 'b', e: 'x', g: '2' }, true],
  ['a=b,c!=d,e in (x,y),!f,g>1', { a: 'b', e: 'x', g: '2', f: '' }, false],
  [' a = b , c ', { a: 'b', c: '1' }, true],
  ['constructor', {}, false],
  ['!toString', {}, true],
];
for (const [selector, labels, matches] of matching) {
  test(`label selector: "${selector}" ${matches ? 'selects' : 'passes over'} ${JSON.stringify(labels)}`, () => {
    const parsed = parseLabelSelector(selector);
    assert.equal(parsed.matches(labels), matches);
    assert.equal(parseLabelSelector(parsed.toString()).matches(labels), matches);
  });
}

const NAME_PART =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const refused: [selector: string, message: string][] = [
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  [',', "found ',', expected: !, identifier, or 'end of string'"],
  ['a,', "found '', expected: identifier after ','"],
  ['a,,b', "found ',', expected: identifier after ','"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['!a=b', "found '=', expected: ',' or 'end of string'"],
  ['!', "unable to parse requirement: found '', expected: identifier"],
  ['a in (', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a in (b,', "unable to parse requirement: found '', expected: ',', or identifier"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a=(', "unable to parse requirement: found '(', expected: identifier"],
  ['a=!', "unable to parse requirement: found '!', expected: identifier"],
  ['-a', `unable to parse requirement: <nil>: Invalid value: "-a": ${NAME_PART}`],
  ['a=-', `unable to parse requirement: values[0][a]: Invalid value: "-": ${VALUE}`],
  [
    'a>x',
    `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
];
for (const [selector, message] of refused) {
  test(`label selector: "${selector}" is refused`, () => {
    assert.throws(
      () => parseLabelSelector(selector),
      (error) => error instanceof StatusError && error.code === 400 && error.message === message,
    );
  });
}

test('requirements come out in order of key, as kube-apiserver prints them', () => {
  assert.equal(parseLabelSelector('z=1,!y,x in (b,a,b),w>3').toString(), 'w>3,x in (a,b),!y,z=1');
});

test('the exact value of a key is known from = and from in with one value', () => {
  const selector = parseLabelSelector('a=1,b in (2),c in (3,4),d!=5');
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((key) => selector.exactValue(key)),
    ['1', '2', undefined, undefined, undefined],
  );
});

test('an absent LabelSelector selects nothing and an empty one everything', () => {
  assert.equal(labelSelectorFor(undefined), noSelector());
  assert.equal(labelSelectorFor(undefined).matches({}), false);
  assert.equal(labelSelectorFor({}).matches(undefined), true);
  assert.equal(labelSelectorFor({}).empty, true);
});

test('matchLabels and matchExpressions must all hold', () => {
  const selector = labelSelectorFor({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'env', operator: 'NotIn', values: ['dev'] },
      { key: 'team', operator: 'Exists' },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  });
  const labels = { app: 'web', tier: 'back', team: 'x' };
  assert.equal(selector.matches(labels), true);
  assert.equal(selector.matches({ ...labels, env: 'dev' }), false);
  assert.equal(selector.matches({ ...labels, old: '' }), false);
  assert.equal(selector.toString(), 'app=web,env notin (dev),!old,team,tier in (back,front)');
});

test('a frozen LabelSelector is compiled once', () => {
  const selector = deepFreeze({ matchLabels: { a: 'b' } });
  assert.equal(labelSelectorFor(selector), labelSelectorFor(selector));
});

test('an unknown operator is refused by name', () => {
  assert.throws(
    () => labelSelectorFor({ matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] }),
    /^StatusError: "Near" is not a valid label selector operator$/,
  );
});

test('In without values is refused', () => {
  assert.throws(
    () => labelSelectorFor({ matchExpressions: [{ key: 'a', operator: 'In' }] }),
    /values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty/,
  );
});

test('selectors agree with a naive model', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'toString');
  const value = fc.constantFrom('', 'x', 'y', '1', '5');
  const term = fc.oneof(
    fc.record({ op: fc.constantFrom('=', '==', '!='), key, values: fc.tuple(value) }),
    fc.record({ op: fc.constantFrom('in', 'notin'), key, values: fc.array(value, { minLength: 1 }) }),
    fc.record({ op: fc.constantFrom('', '!'), key, values: fc.constant([]) }),
  );
  const naive = (
    terms: readonly { op: string; key: string; values: readonly string[] }[],
    labels: Map<string, string>,
  ): boolean =>
    terms.every(({ op, key, values }) => {
      const has = labels.has(key);
      const among = has && values.includes(labels.get(key) ?? '');
      if (op === '=' || op === '==' || op === 'in') return among;
      if (op === '!=' || op === 'notin') return !among;
      return op === '' ? has : !has;
    });
  fc.assert(
    fc.property(fc.array(term), fc.dictionary(key, value, { noNullPrototype: true }), (terms, labels) => {
      const text = terms
        .map(({ op, key, values }) => {
          if (op === 'in' || op === 'notin') return `${key} ${op} (${values.join(',')})`;
          return op === '!' ? `!${key}` : `${key}${op}${values.join('')}`;
        })
        .join(',');
      assert.equal(parseLabelSelector(text).matches(labels), naive(terms, new Map(Object.entries(labels))));
    }),
  );
});
