import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtinSchema, deepFreeze, resolveRef, type JsonValue, type Schema } from '../api/index.ts';
import { StatusError, applyMergePatch, applyStrategicMergePatch, deepEqual } from './index.ts';

const schemaOf = (name: string): Schema => {
  const schema = builtinSchema(name);
  assert(schema !== undefined);
  return schema;
};
const POD_SPEC = schemaOf('io.k8s.api.core.v1.PodSpec');
const META = schemaOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
const SERVICE_SPEC = schemaOf('io.k8s.api.core.v1.ServiceSpec');
const DEPLOYMENT_SPEC = schemaOf('io.k8s.api.apps.v1.DeploymentSpec');
const json = (text: string): JsonValue => deepFreeze(JSON.parse(text) as JsonValue);
const apply = (schema: Schema, document: string, patch: string): string =>
  JSON.stringify(applyStrategicMergePatch(json(document), json(patch), schema, resolveRef));

const MAIN = '{"containers":[{"name":"main","image":"nginx:1"}]}';
const ENV =
  '{"containers":[{"name":"m","env":[{"name":"A","value":"1"},{"name":"B","value":"2"},{"name":"C","value":"3"}]}]}';

const applied: [name: string, schema: Schema, document: string, patch: string, result: string][] = [
  [
    'a new item comes first',
    POD_SPEC,
    MAIN,
    '{"containers":[{"name":"side","image":"b"}]}',
    '{"containers":[{"name":"side","image":"b"},{"name":"main","image":"nginx:1"}]}',
  ],
  [
    'a known item is merged',
    POD_SPEC,
    MAIN,
    '{"containers":[{"name":"main","tty":true}]}',
    '{"containers":[{"name":"main","image":"nginx:1","tty":true}]}',
  ],
  [
    'a change among others keeps their order',
    POD_SPEC,
    ENV,
    '{"containers":[{"name":"m","env":[{"name":"B","value":"20"},{"name":"D","value":"4"}]}]}',
    '{"containers":[{"name":"m","env":[{"name":"A","value":"1"},{"name":"B","value":"20"},{"name":"D","value":"4"},{"name":"C","value":"3"}]}]}',
  ],
  [
    '$setElementOrder orders the list',
    POD_SPEC,
    ENV,
    '{"containers":[{"name":"m","$setElementOrder/env":[{"name":"C"},{"name":"A"},{"name":"B"}],"env":[{"name":"A","value":"11"}]}]}',
    '{"containers":[{"name":"m","env":[{"name":"C","value":"3"},{"name":"A","value":"11"},{"name":"B","value":"2"}]}]}',
  ],
  [
    '$setElementOrder alone only reorders, and leaves server items in their place',
    POD_SPEC,
    ENV,
    '{"containers":[{"name":"m","$setElementOrder/env":[{"name":"C"},{"name":"A"}]}]}',
    '{"containers":[{"name":"m","env":[{"name":"B","value":"2"},{"name":"C","value":"3"},{"name":"A","value":"1"}]}]}',
  ],
  [
    '$setElementOrder with a list that is new',
    META,
    '{"name":"a"}',
    '{"$setElementOrder/finalizers":["b","a"],"finalizers":["b","a"]}',
    '{"name":"a","finalizers":["b","a"]}',
  ],
  [
    '$patch delete removes an item',
    POD_SPEC,
    ENV,
    '{"containers":[{"name":"m","env":[{"name":"B","$patch":"delete"}]}]}',
    '{"containers":[{"name":"m","env":[{"name":"A","value":"1"},{"name":"C","value":"3"}]}]}',
  ],
  [
    '$patch delete of what is not there',
    POD_SPEC,
    MAIN,
    '{"containers":[{"name":"x","$patch":"delete"}]}',
    MAIN,
  ],
  [
    '$patch delete in a list that is new leaves it empty',
    POD_SPEC,
    '{}',
    '{"containers":[{"name":"x","$patch":"delete"}]}',
    '{"containers":[]}',
  ],
  [
    '$patch replace replaces a list',
    POD_SPEC,
    ENV,
    '{"containers":[{"name":"m","env":[{"$patch":"replace"},{"name":"Z","value":"9"}]}]}',
    '{"containers":[{"name":"m","env":[{"name":"Z","value":"9"}]}]}',
  ],
  [
    '$patch replace replaces an object',
    META,
    '{"labels":{"a":"1","b":"2"}}',
    '{"labels":{"$patch":"replace","c":"3"}}',
    '{"labels":{"c":"3"}}',
  ],
  [
    '$patch delete empties an object',
    META,
    '{"labels":{"a":"1"}}',
    '{"labels":{"$patch":"delete"}}',
    '{"labels":{}}',
  ],
  [
    'a list of texts with merge becomes a union, new ones first',
    META,
    '{"finalizers":["b","c"]}',
    '{"finalizers":["d","c"]}',
    '{"finalizers":["d","b","c"]}',
  ],
  [
    '$deleteFromPrimitiveList',
    META,
    '{"finalizers":["a","b","c"]}',
    '{"$deleteFromPrimitiveList/finalizers":["a","x"]}',
    '{"finalizers":["b","c"]}',
  ],
  [
    '$deleteFromPrimitiveList of a list that is not there',
    META,
    '{"name":"a"}',
    '{"$deleteFromPrimitiveList/finalizers":["a"]}',
    '{"name":"a"}',
  ],
  [
    '$deleteFromPrimitiveList beside an addition',
    META,
    '{"finalizers":["a","b"]}',
    '{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}',
    '{"finalizers":["c","b"]}',
  ],
  [
    'an atomic list is replaced',
    POD_SPEC,
    '{"tolerations":[{"key":"a"}]}',
    '{"tolerations":[{"key":"b"}]}',
    '{"tolerations":[{"key":"b"}]}',
  ],
  [
    'a map of texts is merged',
    POD_SPEC,
    '{"nodeSelector":{"x":"1"}}',
    '{"nodeSelector":{"y":"2","x":null}}',
    '{"nodeSelector":{"y":"2"}}',
  ],
  [
    'null removes a field',
    POD_SPEC,
    '{"nodeName":"n","hostname":"h"}',
    '{"nodeName":null,"subdomain":null}',
    '{"hostname":"h"}',
  ],
  [
    'nulls inside what is new go',
    POD_SPEC,
    '{}',
    '{"securityContext":{"runAsUser":null,"fsGroup":1}}',
    '{"securityContext":{"fsGroup":1}}',
  ],
  [
    '$retainKeys clears the other keys',
    DEPLOYMENT_SPEC,
    '{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}',
    '{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}',
    '{"strategy":{"type":"Recreate"}}',
  ],
  [
    '$retainKeys in an item of a list',
    POD_SPEC,
    '{"volumes":[{"name":"v","emptyDir":{}}]}',
    '{"volumes":[{"name":"v","$retainKeys":["name","configMap"],"configMap":{"name":"c"}}]}',
    '{"volumes":[{"name":"v","configMap":{"name":"c"}}]}',
  ],
  [
    'ports merge by number, the first of several',
    SERVICE_SPEC,
    '{"ports":[{"name":"a","port":80,"protocol":"TCP"},{"name":"b","port":80,"protocol":"UDP"}]}',
    '{"ports":[{"port":80,"targetPort":8080}]}',
    '{"ports":[{"name":"a","port":80,"protocol":"TCP","targetPort":8080},{"name":"b","port":80,"protocol":"UDP"}]}',
  ],
  [
    'a field of another type is replaced',
    POD_SPEC,
    '{"hostname":"a"}',
    '{"hostname":["x"]}',
    '{"hostname":["x"]}',
  ],
  ['an empty patch', POD_SPEC, MAIN, '{}', MAIN],
];
for (const [name, schema, document, patch, result] of applied) {
  test(`strategic merge patch: ${name}`, () => assert.equal(apply(schema, document, patch), result));
}

const refused: [
  name: string,
  schema: Schema,
  document: string,
  patch: string,
  code: number,
  message: string,
][] = [
  [
    'a patch that is a list',
    POD_SPEC,
    '{}',
    '[]',
    400,
    'json: cannot unmarshal array into Go value of type map[string]interface {}',
  ],
  [
    'an unknown directive',
    POD_SPEC,
    '{}',
    '{"$patch":"frob"}',
    500,
    'unknown patch type: frob in map: map[$patch:frob]',
  ],
  [
    'an unknown directive in a list',
    POD_SPEC,
    MAIN,
    '{"containers":[{"name":"main","$patch":"frob"}]}',
    500,
    'unknown patch type: frob in map: map[$patch:frob name:main]',
  ],
  [
    'an item without merge key',
    POD_SPEC,
    MAIN,
    '{"containers":[{"image":"x"}]}',
    500,
    'map: map[image:x] does not contain declared merge key: name',
  ],
  [
    'merge as a directive of a list',
    POD_SPEC,
    MAIN,
    '{"containers":[{"name":"main","$patch":"merge"}]}',
    500,
    'merging lists cannot yet be specified in the patch',
  ],
  [
    'items of different types',
    META,
    '{"finalizers":["a"]}',
    '{"finalizers":[1]}',
    500,
    'list element types are not identical: [[a] [1]]',
  ],
  [
    'a list of lists',
    META,
    '{"finalizers":["a"]}',
    '{"finalizers":[["b"]]}',
    422,
    'lists of lists are not supported',
  ],
  [
    '$retainKeys that is no list',
    DEPLOYMENT_SPEC,
    '{"strategy":{"type":"x"}}',
    '{"strategy":{"$retainKeys":"type"}}',
    400,
    'invalid patch format of retainKeys',
  ],
  [
    'a field that $retainKeys does not list',
    DEPLOYMENT_SPEC,
    '{"strategy":{"type":"x"}}',
    '{"strategy":{"$retainKeys":["a"],"type":"b"}}',
    400,
    'invalid patch format of retainKeys',
  ],
  [
    '$deleteFromPrimitiveList without a field',
    META,
    '{}',
    '{"$deleteFromPrimitiveList":["a"]}',
    400,
    'invalid patch format of primitive list',
  ],
  [
    '$setElementOrder without a field',
    META,
    '{}',
    '{"$setElementOrder":["a"]}',
    400,
    'invalid patch format of setElementOrder list',
  ],
  [
    '$setElementOrder that lacks an item of the patch',
    META,
    '{"finalizers":["a"]}',
    '{"$setElementOrder/finalizers":["a"],"finalizers":["b"]}',
    500,
    "The order in patch list:\n[b]\n doesn't match $setElementOrder list:\n[a]\n",
  ],
];
for (const [name, schema, document, patch, code, message] of refused) {
  test(`strategic merge patch: ${name} is refused`, () => {
    assert.throws(
      () => apply(schema, document, patch),
      (error) => {
        assert(error instanceof StatusError);
        assert.deepEqual([error.code, error.message], [code, message]);
        return true;
      },
    );
  });
}

test('what a strategic merge patch does not change is shared, the whole document included', () => {
  const document = deepFreeze({
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'y' },
    ],
    volumes: [{ name: 'v' }],
  });
  const patch = (value: JsonValue): typeof document =>
    applyStrategicMergePatch(document, value, POD_SPEC, resolveRef) as unknown as typeof document;
  const changed = patch({ containers: [{ name: 'b', image: 'z' }] });
  assert.equal(changed.volumes, document.volumes);
  assert.equal(changed.containers[0], document.containers[0]);
  assert.equal(patch({ containers: [{ name: 'b', image: 'y' }] }), document);
});

const text = fc.constantFrom('a', 'b', 'c', 'd');
const env = fc.uniqueArray(fc.record({ name: text, value: text }), { selector: ({ name }) => name });

test('merging a list twice is merging it once, and every item of the patch is in the result', () => {
  fc.assert(
    fc.property(env, env, (original, change) => {
      const container = schemaOf('io.k8s.api.core.v1.Container');
      const patch = { env: deepFreeze(change) };
      const once = applyStrategicMergePatch({ env: deepFreeze(original) }, patch, container, resolveRef);
      assert.equal(deepEqual(applyStrategicMergePatch(once, patch, container, resolveRef), once), true);
      const result = (once as { env: { name: string; value: string }[] }).env;
      for (const item of change) assert(result.some((one) => deepEqual(one, item)));
      for (const item of original) assert(result.some(({ name }) => name === item.name));
    }),
  );
});

test('where there are no lists it is a merge patch', () => {
  const labels = fc.dictionary(text, text);
  const changes = fc.dictionary(text, fc.option(text));
  fc.assert(
    fc.property(labels, changes, (original, change) => {
      const document = deepFreeze({ labels: original });
      const patch = deepFreeze({ labels: change });
      const strategic = applyStrategicMergePatch(document, patch, META, resolveRef);
      assert.equal(deepEqual(strategic, applyMergePatch(document, patch)), true);
    }),
  );
});
