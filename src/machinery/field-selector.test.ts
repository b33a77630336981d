import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FieldSelector, StatusError, parseFieldSelector } from './index.ts';

const parsed: [text: string, requirements: string[]][] = [
  ['', []],
  ['metadata.name=web', ['metadata.name = web']],
  ['metadata.name==web', ['metadata.name = web']],
  ['status.phase!=Running,metadata.name=web', ['metadata.name = web', 'status.phase != Running']],
  ['a=', ['a = ']],
  [',a=b,', ['a = b']],
  [String.raw`a=x\,y\=z\\`, [String.raw`a = x,y=z\ `.trimEnd()]],
  ['a.b=c d', ['a.b = c d']],
];
for (const [text, requirements] of parsed) {
  test(`field selector: "${text}" is understood`, () => {
    const selector = parseFieldSelector(text);
    assert.deepEqual(
      selector.requirements.map(({ field, operator, value }) => `${field} ${operator} ${value}`),
      requirements,
    );
    assert.deepEqual(parseFieldSelector(selector.toString()), selector);
  });
}

const refused: [text: string, message: string][] = [
  ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  ['a=b,c', "invalid selector: 'a=b,c'; can't understand 'c'"],
  ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  [String.raw`a=\x`, String.raw`invalid field selector: invalid escape sequence: \x`],
  ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
];
for (const [text, message] of refused) {
  test(`field selector: "${text}" is refused`, () => {
    assert.throws(
      () => parseFieldSelector(text),
      (error) => error instanceof StatusError && error.code === 400 && error.message === message,
    );
  });
}

test('a field that is not set has the empty text as value', () => {
  const valueOf = (field: string): string => (field === 'spec.nodeName' ? 'n1' : '');
  assert.equal(parseFieldSelector('spec.nodeName=n1,status.phase=').matches(valueOf), true);
  assert.equal(parseFieldSelector('spec.nodeName!=n1').matches(valueOf), false);
  assert.equal(parseFieldSelector('spec.nodeName=n1').exactValue('spec.nodeName'), 'n1');
  assert.equal(parseFieldSelector('spec.nodeName!=n1').exactValue('spec.nodeName'), undefined);
});

test('whatever the value, its text form means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(',', '=', '\\', 'a', '!', ' ', '漢') }), (value) => {
      const selector = new FieldSelector([{ field: 'f', operator: '=', value }]);
      assert.deepEqual(parseFieldSelector(selector.toString()).requirements, selector.requirements);
    }),
  );
});
