import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze, type JsonValue } from '../api/index.ts';
import { StatusError, applyJsonPatch, applyMergePatch, deepEqual, unknownJsonPatchFields } from './index.ts';

const json = (text: string): JsonValue => deepFreeze(JSON.parse(text) as JsonValue);

const applied: [name: string, document: string, patch: string, result: string][] = [
  ['add sets a key', '{"a":1}', '[{"op":"add","path":"/b","value":2}]', '{"a":1,"b":2}'],
  ['add replaces a key', '{"a":1}', '[{"op":"add","path":"/a","value":2}]', '{"a":2}'],
  ['add inserts before an index', '{"l":[1,2]}', '[{"op":"add","path":"/l/0","value":0}]', '{"l":[0,1,2]}'],
  ['add at the length appends', '{"l":[1]}', '[{"op":"add","path":"/l/1","value":2}]', '{"l":[1,2]}'],
  ['add at - appends', '{"l":[1]}', '[{"op":"add","path":"/l/-","value":2}]', '{"l":[1,2]}'],
  ['add at -1 appends', '{"l":[1,2]}', '[{"op":"add","path":"/l/-1","value":3}]', '{"l":[1,2,3]}'],
  [
    'add at -2 inserts before the last',
    '{"l":[1,2]}',
    '[{"op":"add","path":"/l/-2","value":3}]',
    '{"l":[1,3,2]}',
  ],
  ['add of null', '{}', '[{"op":"add","path":"/a","value":null}]', '{"a":null}'],
  ['add without value is null', '{}', '[{"op":"add","path":"/a"}]', '{"a":null}'],
  ['remove of a key', '{"a":1,"b":2}', '[{"op":"remove","path":"/a"}]', '{"b":2}'],
  ['remove of the last item by -1', '{"l":[1,2]}', '[{"op":"remove","path":"/l/-1"}]', '{"l":[1]}'],
  ['replace of an item', '{"l":[1,2]}', '[{"op":"replace","path":"/l/1","value":3}]', '{"l":[1,3]}'],
  ['replace of a missing key sets it', '{}', '[{"op":"replace","path":"/a","value":1}]', '{"a":1}'],
  ['replace of the whole', '{"a":1}', '[{"op":"replace","path":"","value":{"b":2}}]', '{"b":2}'],
  ['move', '{"a":{"x":1},"b":{}}', '[{"op":"move","from":"/a/x","path":"/b/y"}]', '{"a":{},"b":{"y":1}}'],
  ['move within a list', '{"l":[1,2,3]}', '[{"op":"move","from":"/l/0","path":"/l/2"}]', '{"l":[2,3,1]}'],
  ['copy', '{"a":{"x":1}}', '[{"op":"copy","from":"/a","path":"/b"}]', '{"a":{"x":1},"b":{"x":1}}'],
  [
    'a copy is independent of its origin',
    '{"a":{"x":1}}',
    '[{"op":"add","path":"/a/y","value":2},{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/a/z","value":3}]',
    '{"a":{"x":1,"y":2,"z":3},"b":{"x":1,"y":2}}',
  ],
  [
    'a copy into its origin is a copy of what was there before',
    '{"a":{}}',
    '[{"op":"add","path":"/a/x","value":1},{"op":"copy","from":"/a","path":"/a/b"},{"op":"copy","from":"/a","path":"/a/c"}]',
    '{"a":{"x":1,"b":{"x":1},"c":{"x":1,"b":{"x":1}}}}',
  ],
  [
    'a value used twice is independent',
    '{}',
    '[{"op":"add","path":"/a","value":{}},{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/x","value":1}]',
    '{"a":{},"b":{"x":1}}',
  ],
  [
    'escapes',
    '{"a/b":1,"m~n":2}',
    '[{"op":"replace","path":"/a~1b","value":3},{"op":"remove","path":"/m~0n"}]',
    '{"a/b":3}',
  ],
  ['~01 is ~1 and not a slash', '{"~1":1}', '[{"op":"replace","path":"/~01","value":2}]', '{"~1":2}'],
  ['an empty key', '{"":1}', '[{"op":"replace","path":"/","value":2}]', '{"":2}'],
  [
    'test of a part',
    '{"a":{"b":[1,{"c":2}]}}',
    '[{"op":"test","path":"/a","value":{"b":[1,{"c":2}]}}]',
    '{"a":{"b":[1,{"c":2}]}}',
  ],
  ['test of a missing key against null', '{}', '[{"op":"test","path":"/a","value":null}]', '{}'],
  [
    'an own __proto__ key',
    '{}',
    '[{"op":"add","path":"/__proto__","value":{"x":1}}]',
    '{"__proto__":{"x":1}}',
  ],
  ['no operation', '{"a":1}', '[]', '{"a":1}'],
];
for (const [name, document, patch, result] of applied) {
  test(`JSON patch: ${name}`, () => {
    assert.equal(JSON.stringify(applyJsonPatch(json(document), json(patch))), result);
  });
}

const refused: [name: string, document: string, patch: string, code: number, cause: RegExp][] = [
  ['not a list', '{}', '{"op":"add"}', 400, /cannot unmarshal object/],
  ['a list of texts', '{}', '["add"]', 400, /cannot unmarshal string/],
  ['an unknown operation', '{}', '[{"op":"frob","path":"/a"}]', 422, /^Unexpected kind: frob$/],
  ['no operation at all', '{}', '[{"path":"/a"}]', 422, /^Unexpected kind: unknown$/],
  ['no path', '{}', '[{"op":"add","value":1}]', 422, /add operation failed to decode path: missing value/],
  [
    'a missing parent',
    '{}',
    '[{"op":"add","path":"/a/b","value":1}]',
    422,
    /add operation does not apply: doc is missing path: "\/a\/b": missing value/,
  ],
  ['a parent that is a text', '{"a":"x"}', '[{"op":"add","path":"/a/b","value":1}]', 422, /missing path/],
  ['the whole document', '{}', '[{"op":"remove","path":""}]', 422, /missing path/],
  [
    'removal of a missing key',
    '{}',
    '[{"op":"remove","path":"/a"}]',
    422,
    /Unable to remove nonexistent key: a/,
  ],
  ['removal beyond the end', '{"l":[1]}', '[{"op":"remove","path":"/l/9"}]', 422, /invalid index: 9/],
  ['removal before the start', '{"l":[1]}', '[{"op":"remove","path":"/l/-2"}]', 422, /invalid index: -2/],
  [
    'insertion beyond the end',
    '{"l":[1]}',
    '[{"op":"add","path":"/l/3","value":1}]',
    422,
    /invalid index: 3/,
  ],
  ['a key of a list', '{"l":[1]}', '[{"op":"add","path":"/l/x","value":1}]', 422, /invalid index: x/],
  ['replacement at -', '{"l":[1]}', '[{"op":"replace","path":"/l/-","value":1}]', 422, /missing key/],
  ['move of a missing key', '{}', '[{"op":"move","from":"/a","path":"/b"}]', 422, /nonexistent key/],
  [
    'a failed test',
    '{"a":1}',
    '[{"op":"test","path":"/a","value":2}]',
    422,
    /^testing value \/a failed: test failed$/,
  ],
  [
    'a prototype as parent',
    '{}',
    '[{"op":"add","path":"/__proto__/polluted","value":1}]',
    422,
    /missing path/,
  ],
  ['a constructor as parent', '{}', '[{"op":"add","path":"/constructor/x","value":1}]', 422, /missing path/],
];
for (const [name, document, patch, code, cause] of refused) {
  test(`JSON patch: ${name} is refused`, () => {
    assert.throws(
      () => applyJsonPatch(json(document), json(patch)),
      (error) => {
        assert(error instanceof StatusError);
        assert.equal(error.code, code);
        assert.match(error.cause instanceof Error ? error.cause.message : error.message, cause);
        if (code === 422) {
          assert.equal(error.message, 'the server rejected our request due to an error in our request');
          assert.equal(error.reason, 'Invalid');
        }
        return true;
      },
    );
  });
}

test('a JSON patch has at most 10,000 operations', () => {
  const operation = { op: 'add', path: '/l/-', value: 1 };
  const many = Array.from({ length: 10_000 }, () => operation);
  assert.equal((applyJsonPatch({ l: [] }, many) as { l: number[] }).l.length, 10_000);
  assert.throws(
    () => applyJsonPatch({ l: [] }, [...many, operation]),
    (error) => error instanceof StatusError && error.code === 413,
  );
});

test('unknown keys of operations are named', () => {
  assert.deepEqual(unknownJsonPatchFields([{ op: 'add', path: '/a', x: 1 }, { vaule: 2 }]), [
    'json patch unknown field "[0].x"',
    'json patch unknown field "[1].vaule"',
  ]);
});

test('what a patch does not touch is shared with the result', () => {
  const document = deepFreeze({ a: { b: { c: 1 } }, d: { e: 2 } });
  const patched = applyJsonPatch(document, [{ op: 'add', path: '/a/x', value: 1 }]) as typeof document;
  assert.equal(patched.d, document.d);
  assert.equal(patched.a.b, document.a.b);
  const merged = applyMergePatch(document, { a: { x: 1 }, d: { e: 2 } }) as typeof document;
  assert.equal(merged.d, document.d);
  assert.equal(merged.a.b, document.a.b);
  assert.equal(applyMergePatch(document, { a: { b: { c: 1 } }, gone: null }), document);
});

const mergedCases: [name: string, document: string, patch: string, result: string][] = [
  ['replaces a value', '{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['adds a value', '{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['null removes', '{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['null for what is not there', '{"a":1}', '{"b":null}', '{"a":1}'],
  ['a list is replaced', '{"a":["b"]}', '{"a":["c","d"]}', '{"a":["c","d"]}'],
  ['nested null removes', '{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['an object replaces a list, without its nulls', '{"a":[1]}', '{"a":{"b":null,"c":1}}', '{"a":{"c":1}}'],
  ['an object where nothing was, without its nulls', '{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ['nulls inside objects of a new list go', '{}', '{"a":[{"b":null},null]}', '{"a":[{},null]}'],
  ['a list over an object keeps them', '{"a":{"x":1}}', '{"a":[{"b":null}]}', '{"a":[{"b":null}]}'],
  ['an object over null', '{"a":null}', '{"a":{"b":1}}', '{"a":{"b":1}}'],
  ['an own __proto__ key', '{}', '{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
];
for (const [name, document, patch, result] of mergedCases) {
  test(`merge patch: ${name}`, () => {
    assert.equal(JSON.stringify(applyMergePatch(json(document), json(patch))), result);
  });
}

for (const patch of ['5', '"x"', 'null', 'true', '[1]']) {
  test(`merge patch: ${patch} is refused`, () => {
    assert.throws(
      () => applyMergePatch({}, json(patch)),
      (error) => error instanceof StatusError && error.code === 400 && error.message === 'Invalid JSON Patch',
    );
  });
}

test('merging twice is merging once, and merging onto nothing leaves no null keys', () => {
  const { object } = fc.letrec<{ value: JsonValue; object: Record<string, JsonValue> }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.integer(),
      fc.array(fc.integer()),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value')),
  }));
  fc.assert(
    fc.property(object, object, (document, patch) => {
      const once = applyMergePatch(deepFreeze(document), deepFreeze(patch));
      assert.equal(deepEqual(applyMergePatch(once, patch), once), true);
      assert.doesNotMatch(JSON.stringify(applyMergePatch({}, patch)), /:null/);
    }),
  );
});

test('adding and then removing a key gives back the document', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.string(),
      fc.jsonValue(),
      (document, key, value) => {
        fc.pre(!Object.hasOwn(document, key));
        deepFreeze(document);
        const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const operations = [
          { op: 'add', path, value },
          { op: 'test', path, value },
          { op: 'remove', path },
        ];
        assert.equal(deepEqual(applyJsonPatch(document as JsonValue, operations), document), true);
      },
    ),
  );
});

test('JSON patch: copies that double again and again come to an end', () => {
  const copies = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '/a', path: `/a/b${index}` }));
  assert.throws(
    () => applyJsonPatch({ a: { x: 'y'.repeat(100) } }, copies),
    (error) =>
      error instanceof StatusError &&
      error.code === 422 &&
      /accumulated size/.test((error.cause as Error).message),
  );
});
