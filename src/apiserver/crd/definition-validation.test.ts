import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubCrds, type CustomResourceDefinition, type Schema } from '../../api/index.ts';
import { validateDefinition, validateDefinitionUpdate } from './definition-validation.ts';

const rules = {};

type Version = CustomResourceDefinition['spec']['versions'][number];

const OBJECT: Schema = { type: 'object', properties: { spec: { type: 'object' } } };

function version(change: Partial<Version> = {}): Version {
  return { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: OBJECT }, ...change };
}

function definition(
  spec: Partial<CustomResourceDefinition['spec']> = {},
  status: CustomResourceDefinition['status'] = { storedVersions: ['v1'] },
): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [version()],
      conversion: { strategy: 'None' },
      ...spec,
    },
    status,
  };
}

const complaints = (crd: CustomResourceDefinition): string[] =>
  validateDefinition(crd, rules).map(({ type, path }) => `${path} ${type}`);

const withSchema = (spec: Schema, more: Partial<Version> = {}): CustomResourceDefinition =>
  definition({
    versions: [version({ schema: { openAPIV3Schema: { type: 'object', properties: { spec } } }, ...more })],
  });

const AT = 'spec.validation.openAPIV3Schema.properties[spec]';

const definitions: readonly (readonly [string, CustomResourceDefinition, readonly string[]])[] = [
  ['a plain definition is right', definition(), []],
  [
    'the name is made of plural and group',
    { ...definition(), metadata: { name: 'other.example.com' } },
    ['metadata.name FieldValueInvalid'],
  ],
  [
    'the group is a domain',
    { ...definition({ group: 'example' }), metadata: { name: 'widgets.example' } },
    ['spec.group FieldValueInvalid'],
  ],
  ['an array says what is in it', withSchema({ type: 'array' }), [`${AT}.items FieldValueRequired`]],
  [
    'metadata has no default',
    definition({
      versions: [
        version({
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { metadata: { type: 'object', default: {} } },
            },
          },
        }),
      ],
    }),
    ['spec.validation.openAPIV3Schema.properties[metadata].default FieldValueForbidden'],
  ],
  [
    'keys of a list are names of properties, each once',
    withSchema({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a', 'a', 'b'],
      items: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
    }),
    [
      `${AT}.x-kubernetes-list-map-keys FieldValueInvalid`,
      `${AT}.x-kubernetes-list-map-keys FieldValueInvalid`,
    ],
  ],
  ['the scope is one of two', definition({ scope: 'Galaxy' }), ['spec.scope FieldValueNotSupported']],
  [
    'every version has a schema',
    definition({ versions: [{ name: 'v1', served: true, storage: true }] }),
    ['spec.versions[0].schema.openAPIV3Schema FieldValueRequired'],
  ],
  [
    'one version is stored',
    definition({ versions: [version({ storage: false })] }, { storedVersions: [] }),
    ['spec.versions FieldValueInvalid', 'status.storedVersions FieldValueInvalid'],
  ],
  [
    'versions have names of their own',
    definition({ versions: [version(), version({ storage: false })] }),
    ['spec.versions FieldValueInvalid'],
  ],
  [
    'a version that objects are stored in cannot be taken away',
    definition({}, { storedVersions: ['v0', 'v1'] }),
    ['status.storedVersions[0] FieldValueInvalid'],
  ],
  [
    'kinds and lists are called differently',
    definition({ names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'Widget' } }),
    ['spec.names.listKind FieldValueInvalid'],
  ],
  [
    'short names are names',
    definition({
      names: { plural: 'widgets', singular: 'w', kind: 'Widget', listKind: 'List', shortNames: ['W'] },
    }),
    ['spec.names.shortNames[0] FieldValueInvalid'],
  ],
  [
    "Kubernetes' own groups need an approval",
    {
      ...definition({ group: 'new.k8s.io' }),
      metadata: { name: 'widgets.new.k8s.io' },
    },
    ['metadata.annotations[api-approved.kubernetes.io] FieldValueRequired'],
  ],
  [
    'the groups of the multi-cluster services API are not among them',
    {
      ...definition({ group: 'multicluster.x-k8s.io' }),
      metadata: { name: 'widgets.multicluster.x-k8s.io' },
    },
    [],
  ],
  [
    'a conversion webhook is either a URL or a service',
    definition({
      conversion: { strategy: 'Webhook', webhook: { clientConfig: {}, conversionReviewVersions: ['v1'] } },
    }),
    ['spec.conversion.webhookClientConfig FieldValueRequired'],
  ],
  [
    'without a webhook nothing is said about one',
    definition({ conversion: { strategy: 'None', webhook: { conversionReviewVersions: ['v1'] } } }),
    ['spec.conversion.conversionReviewVersions FieldValueForbidden'],
  ],
  [
    'a scale subresource points into spec and status',
    withSchema(
      { type: 'object' },
      { subresources: { scale: { specReplicasPath: '.status.a', statusReplicasPath: '.status.b' } } },
    ),
    ['spec.subresources.scale.specReplicasPath FieldValueInvalid'],
  ],
  [
    'columns have a type',
    withSchema(
      { type: 'object' },
      { additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: '.spec' }] },
    ),
    ['spec.additionalPrinterColumns[0].type FieldValueInvalid'],
  ],
  [
    'columns have a path that begins with a dot, and is not looked into further',
    withSchema(
      { type: 'object' },
      {
        additionalPrinterColumns: [
          { name: 'A', type: 'string', jsonPath: '.spec[' },
          { name: 'B', type: 'string', jsonPath: 'spec' },
        ],
      },
    ),
    ['spec.additionalPrinterColumns[1].JSONPath FieldValueInvalid'],
  ],
  [
    'selectable fields are scalars of the schema',
    withSchema(
      { type: 'object', properties: { o: { type: 'object' } } },
      { selectableFields: [{ jsonPath: '.spec.o' }, { jsonPath: '.spec.nope' }] },
    ),
    [
      'spec.selectableFields[0].jsonPath FieldValueInvalid',
      'spec.selectableFields[1].jsonPath FieldValueInvalid',
    ],
  ],
  [
    'what versions do not share is reported for each',
    definition({
      versions: [
        version({ additionalPrinterColumns: [{ name: '', type: 'string', jsonPath: '.a' }] }),
        version({ name: 'v2', storage: false }),
      ],
    }),
    ['spec.versions[0].additionalPrinterColumns[0].name FieldValueRequired'],
  ],
  [
    'only deprecated versions have a warning',
    definition({ versions: [version({ deprecationWarning: 'old' })] }),
    ['spec.versions[0].deprecationWarning FieldValueInvalid'],
  ],
];

for (const [name, crd, expected] of definitions) {
  test(name, () => assert.deepEqual(complaints(crd), expected));
}

const schemas: readonly (readonly [string, Schema, readonly string[]])[] = [
  ['types are those of JSON', { type: 'objekt' as 'object' }, [`${AT}.type FieldValueNotSupported`]],
  [
    'every field has a type',
    { type: 'object', properties: { x: {} } },
    [`${AT}.properties[x].type FieldValueRequired`],
  ],
  [
    'what may be anything needs none',
    { type: 'object', properties: { x: { 'x-kubernetes-preserve-unknown-fields': true } } },
    [],
  ],
  [
    'fields and other fields exclude each other',
    { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } },
    [`${AT}.additionalProperties FieldValueForbidden`],
  ],
  [
    'alternatives say nothing about types',
    { type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ type: 'object', required: ['a'] }] },
    [`${AT}.anyOf[0].type FieldValueForbidden`],
  ],
  [
    'alternatives speak of known fields only',
    {
      type: 'object',
      properties: { a: { type: 'string' } },
      oneOf: [{ properties: { b: { minLength: 1 } } }],
    },
    [`${AT}.properties[b] FieldValueRequired`],
  ],
  [
    'an integer or a string may be written as alternatives',
    { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    [],
  ],
  ['references are not followed', { type: 'object', $ref: '#/x' }, [`${AT}.$ref FieldValueForbidden`]],
  ['patterns are those of RE2', { type: 'string', pattern: '(?=a)b' }, [`${AT}.pattern FieldValueInvalid`]],
  [
    'a list map names its keys',
    { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } },
    [`${AT}.x-kubernetes-list-map-keys FieldValueRequired`],
  ],
  [
    'keys of a list map are required or have a default',
    {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
      items: { type: 'object', properties: { id: { type: 'string' } } },
    },
    [`${AT}.items.properties[id].default FieldValueRequired`],
  ],
  [
    'an embedded resource is an object with fields',
    { type: 'object', 'x-kubernetes-embedded-resource': true },
    [`${AT}.properties FieldValueRequired`],
  ],
  [
    'rules that do not compile are refused',
    { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nope > 1' }] },
    [`${AT}.x-kubernetes-validations[0].rule FieldValueInvalid`],
  ],
  [
    'rules about changes need items that can be told apart',
    {
      type: 'array',
      maxItems: 10,
      items: { type: 'string', maxLength: 10, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
    },
    [`${AT}.items.x-kubernetes-validations[0].rule FieldValueInvalid`],
  ],
  [
    'rules may not cost too much, alone or together',
    {
      type: 'array',
      items: { type: 'string', 'x-kubernetes-validations': [{ rule: "self.contains('gpu')" }] },
    },
    [
      `${AT}.items.x-kubernetes-validations[0].rule FieldValueForbidden`,
      `${AT}.items.x-kubernetes-validations[0].rule FieldValueForbidden`,
      'spec.validation.openAPIV3Schema FieldValueForbidden',
    ],
  ],
  [
    'limits on what rules look at make them affordable',
    {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'string',
        maxLength: 63,
        'x-kubernetes-validations': [{ rule: "self.contains('gpu')" }],
      },
    },
    [],
  ],
  [
    'messages are text',
    { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 0', messageExpression: 'self + 1' }] },
    [`${AT}.x-kubernetes-validations[0].messageExpression FieldValueInvalid`],
  ],
  [
    'an optional old value is there to be used',
    { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 0', optionalOldSelf: true }] },
    [`${AT}.x-kubernetes-validations[0].optionalOldSelf FieldValueInvalid`],
  ],
  [
    'errors point to fields that there are',
    {
      type: 'object',
      properties: { a: { type: 'string' } },
      'x-kubernetes-validations': [{ rule: 'true', fieldPath: '.b' }],
    },
    [`${AT}.x-kubernetes-validations[0].fieldPath FieldValueInvalid`],
  ],
];

for (const [name, schema, expected] of schemas) {
  test(name, () => assert.deepEqual(complaints(withSchema(schema)), expected));
}

test('the root is an object, whose metadata is given', () => {
  const root = (schema: Schema): string[] =>
    complaints(definition({ versions: [version({ schema: { openAPIV3Schema: schema } })] }));
  const at = 'spec.validation.openAPIV3Schema';
  assert.deepEqual(root({ type: 'string' }), [`${at}.type FieldValueInvalid`]);
  const labelled = { type: 'object', properties: { labels: { type: 'object' } } } as const;
  assert.deepEqual(root({ type: 'object', properties: { metadata: labelled } }), [
    `${at}.properties[metadata] FieldValueForbidden`,
  ]);
});

test('names and scope are settled once the definition is established', () => {
  const established = {
    storedVersions: ['v1'],
    conditions: [{ type: 'Established', status: 'True' }],
  };
  const old = definition({}, established);
  const paths = (next: CustomResourceDefinition): string[] =>
    validateDefinitionUpdate(next, old, rules).map(({ path }) => path);
  assert.deepEqual(paths(definition({ scope: 'Cluster' }, established)), ['spec.scope']);
  const names = { ...old.spec.names, plural: 'others' };
  assert.deepEqual(paths(definition({ names }, established)), ['spec.names.plural']);
  const before = definition({ scope: 'Cluster' }, { storedVersions: ['v1'] });
  assert.deepEqual(validateDefinitionUpdate(old, before, rules), []);
});

test("every CRD of Karmada's API is right", () => {
  for (const crd of hubCrds()) {
    const storage = crd.spec.versions.find((one) => one.storage)?.name ?? '';
    const errors = validateDefinition({ ...crd, status: { storedVersions: [storage] } }, rules);
    assert.deepEqual(errors, [], crd.metadata.name);
  }
});
