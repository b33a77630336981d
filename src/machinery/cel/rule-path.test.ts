import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../../api/index.ts';
import { RulePathError, parseRulePath } from './rule-path.ts';

const schema: Schema = {
  type: 'object',
  properties: {
    a: { type: 'object', properties: { 'b.c': { type: 'string' }, d: { type: 'integer' } } },
    labels: {
      type: 'object',
      additionalProperties: { type: 'object', properties: { x: { type: 'string' } } },
    },
    leaf: { type: 'string' },
  },
};

const paths: readonly (readonly [path: string, text: string])[] = [
  ['.a', 'a'],
  ['.a.d', 'a.d'],
  [".a['b.c']", 'a.b.c'],
  [".labels['k'].x", 'labels[k].x'],
  ['.labels.k', 'labels[k]'],
  [String.raw`.labels['it\'s']`, "labels[it's]"],
];
for (const [path, text] of paths) {
  test(`${path} leads to ${text}`, () => assert.equal(parseRulePath(path, schema).text, text));
}

const wrong: readonly (readonly [path: string, message: string])[] = [
  ['.nope', 'does not refer to a valid field'],
  ['.leaf.x', 'does not refer to a valid field'],
  ['a', 'expected [ or . but got: a'],
  ['.a.', 'unexpected end of JSON path'],
  ['.a[d]', 'expected single quoted string but got d'],
  [".a['d'", 'unexpected end of JSON path'],
  [String.raw`.a['\q']`, String.raw`invalid string literal: invalid escape char \q`],
];
for (const [path, message] of wrong) {
  test(`${path} leads nowhere`, () => {
    assert.throws(
      () => parseRulePath(path, schema),
      (error) => error instanceof RulePathError && error.message === message,
    );
  });
}
