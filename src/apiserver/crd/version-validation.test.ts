// What kube-apiserver says of definitions that are wrong, word by word and in its order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomResourceDefinition, KubeObject, Schema } from '../../api/index.ts';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';
import { customResourceSupport } from './index.ts';

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const OBJECT: Schema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
};

type Version = Partial<CustomResourceDefinition['spec']['versions'][number]>;

function definition(version: Version, spec: Partial<CustomResourceDefinition['spec']> = {}): object {
  return {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: OBJECT }, ...version },
      ],
      ...spec,
    },
  };
}

const withSpec = (spec: Schema | object): Version => ({
  schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
});

async function withDefinitions(): Promise<Served> {
  return serve({ kinds: customResourceSupport().kinds });
}

const SPEC = 'spec.validation.openAPIV3Schema.properties[spec]';
const items = (more: object): object => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['a'],
  items: { type: 'object', ...more },
});

const REFUSED: readonly (readonly [string, object, readonly string[]])[] = [
  ['no schema', definition({ schema: {} }), ['spec.versions[0].schema.openAPIV3Schema: Required value']],
  [
    'no names',
    definition({}, { names: {} as never }),
    [
      'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group',
      'spec.names.plural: Required value',
      'spec.names.singular: Required value',
      'spec.names.kind: Required value',
      'spec.names.listKind: Required value',
    ],
  ],
  [
    'a deprecation warning that cannot be sent',
    definition({ deprecated: true, deprecationWarning: 'é\n' }),
    [
      'spec.versions[0].deprecationWarning: Invalid value: "é\\n": must only contain printable UTF-8 characters; non-printable character found at index 2',
    ],
  ],
  [
    'fields to select by that are not there, are named twice or in brackets',
    definition({
      selectableFields: ['.spec.b', ".spec['a']", '.spec.a', '.spec.a', '.spec'].map((jsonPath) => ({
        jsonPath,
      })),
    }),
    [
      'spec.selectableFields[0].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid field',
      'spec.selectableFields[1].jsonPath: Invalid value: ".spec[\'a\']": is an invalid path: array notation is not allowed',
      'spec.selectableFields[3].jsonPath: Duplicate value: ".spec.a"',
      'spec.selectableFields[4].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
    ],
  ],
  [
    'keys that may be null',
    definition(withSpec(items({ properties: { a: { type: 'string', nullable: true } }, required: ['a'] }))),
    [
      `${SPEC}.items.properties[a].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable`,
    ],
  ],
  [
    'keys that are objects',
    definition(
      withSpec(items({ properties: { a: { type: 'array', items: { type: 'string' } } }, required: ['a'] })),
    ),
    [
      `${SPEC}.items.properties[a].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
    ],
  ],
  [
    'keywords that structural schemas do not know',
    definition(withSpec({ type: 'array', dependencies: { a: ['b'] } })),
    [`${SPEC}.dependencies: Forbidden: dependencies is not supported`],
  ],
  [
    'rules in an alternative, before what is wrong with its form',
    definition(
      withSpec({
        type: 'object',
        uniqueItems: true,
        anyOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }],
      }),
    ),
    [
      `${SPEC}.anyOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural`,
      `${SPEC}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
  ],
  [
    'metadata with a description',
    definition({
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: { metadata: { type: 'object', description: 'of ours' } },
        },
      },
    }),
    [
      'spec.validation.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
  ],
  [
    'a default that breaks a rule',
    definition(
      withSpec({
        type: 'object',
        properties: {
          a: {
            type: 'integer',
            default: 1,
            'x-kubernetes-validations': [{ rule: 'self > 1', message: 'too small' }],
          },
        },
      }),
    ),
    [`${SPEC}.properties[a].default: Invalid value: 1: too small`],
  ],
  [
    'versions of reviews that are none, and a service without a name',
    definition(
      {},
      {
        conversion: {
          strategy: 'Webhook',
          webhook: {
            conversionReviewVersions: ['v2', 'v2'],
            clientConfig: { service: { name: '', namespace: 'n', path: '/a//b', port: 0 } },
          },
        },
      },
    ),
    [
      'spec.conversion.webhookClientConfig.service.namespace: Required value',
      'spec.conversion.webhookClientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
      'spec.conversion.webhookClientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty',
      'spec.conversion.conversionReviewVersions[1]: Invalid value: "v2": duplicate version',
      'spec.conversion.conversionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
    ],
  ],
  [
    'fields at the root that would not apply to the status',
    definition({
      subresources: { status: {} },
      schema: { openAPIV3Schema: { ...OBJECT, oneOf: [{ required: ['spec'] }] } },
    }),
    [
      'spec.validation.openAPIV3Schema: Invalid value: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled',
    ],
  ],
];

for (const [why, body, expected] of REFUSED) {
  test(`a definition is refused for ${why}`, async () => {
    const served = await withDefinitions();
    const answer = await served.send('POST', PATH, body);
    const { details } = answer.body as Status;
    assert.deepEqual(
      (details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`),
      expected,
      JSON.stringify(answer.body),
    );
  });
}

test('what upstream does not look into is taken', async () => {
  const served = await withDefinitions();
  const made: KubeObject = await served.must(
    'POST',
    PATH,
    definition({
      additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec[' }],
      subresources: { scale: { specReplicasPath: '.spec.a[0]', statusReplicasPath: '.status.b' } },
      ...withSpec({ type: 'string', anyOf: [{ type: 'integer' }, { type: 'string' }] }),
    }),
  );
  assert.equal(made.metadata.name, 'widgets.example.com');
});

test('a version in which objects are stored cannot go', async () => {
  const served = await withDefinitions();
  const stored = await served.must('POST', PATH, definition({}));
  const { metadata } = stored;
  const answer = await served.send('PUT', `${PATH}/widgets.example.com`, {
    ...definition({ name: 'v2' }),
    status: stored['status'],
    metadata: { name: metadata.name, resourceVersion: metadata.resourceVersion },
  });
  const [cause] = (answer.body as Status).details?.causes ?? [];
  assert.equal(
    cause?.message,
    'Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in ' +
      'spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
  );
});
