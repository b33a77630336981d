import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startWorld, type Answer, type World } from '../webhooks/testing/world.ts';

const REGISTRATIONS = '/apis/admissionregistration.k8s.io/v1';
let world: World;
let namespace = '';
let made = 0;

before(async () => {
  world = await startWorld();
});
after(() => world.close());
beforeEach(async () => {
  namespace = `shop-${++made}`;
  await world.call('POST', '/api/v1/namespaces', { metadata: { name: namespace, labels: { tier: 'gold' } } });
});

const RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };

function policy(spec: object): Promise<Answer> {
  return world.call('POST', `${REGISTRATIONS}/validatingadmissionpolicies`, {
    metadata: { name: namespace },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [RULE],
      },
      ...spec,
    },
  });
}

const bind = (spec: object = {}): Promise<Answer> =>
  world.call('POST', `${REGISTRATIONS}/validatingadmissionpolicybindings`, {
    metadata: { name: namespace },
    spec: { policyName: namespace, validationActions: ['Deny'], ...spec },
  });

async function enforce(spec: object, binding: object = {}): Promise<void> {
  const answer = await policy(spec);
  assert.equal(answer.status, 201, answer.body.message);
  const bound = await bind(binding);
  assert.equal(bound.status, 201, bound.body.message);
}

const create = (name: string, more: object = {}): Promise<Answer> =>
  world.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name }, ...more });

const denied = (why: string): string =>
  `configmaps "a" is forbidden: ValidatingAdmissionPolicy '${namespace}' with binding '${namespace}' denied request: ${why}`;

const refusals: readonly (readonly [string, object, number, string])[] = [
  [
    'its message',
    { validations: [{ expression: "object.metadata.name == 'b'", message: ' not b ' }] },
    422,
    'not b',
  ],
  [
    'its expression when it has no message',
    { validations: [{ expression: 'has(object.data)' }] },
    422,
    'failed expression: has(object.data)',
  ],
  [
    'what its message expression makes of the request',
    {
      validations: [
        {
          expression: 'false',
          message: 'fixed',
          messageExpression: "request.userInfo.username + ' made ' + object.metadata.name",
          reason: 'Forbidden',
        },
      ],
    },
    403,
    'admin made a',
  ],
  [
    'its fixed message when the expression for it fails',
    { validations: [{ expression: 'false', message: 'fixed', messageExpression: 'string(object.nothing)' }] },
    422,
    'fixed',
  ],
  [
    'the expression that failed',
    { validations: [{ expression: "object.data.colour == 'red'" }] },
    422,
    "expression 'object.data.colour == 'red'' resulted in error: no such key: data",
  ],
  [
    'the variable that failed',
    {
      variables: [{ name: 'colour', expression: 'object.data.colour' }],
      validations: [{ expression: "variables.colour == 'red'" }],
    },
    422,
    "expression 'variables.colour == 'red'' resulted in error: composited variable \"colour\" fails to evaluate: no such key: data",
  ],
  [
    'what it finds by variables, the namespace and the absent old object',
    {
      variables: [
        { name: 'tier', expression: "namespaceObject.metadata.labels['tier']" },
        { name: 'golden', expression: "variables.tier == 'gold'" },
      ],
      validations: [{ expression: 'oldObject != null || !variables.golden', message: 'golden' }],
    },
    422,
    'golden',
  ],
];

for (const [what, spec, code, why] of refusals) {
  test(`a policy refuses with ${what}`, async () => {
    await enforce(spec);
    const answer = await create('a');
    assert.equal(answer.body.message, denied(why));
    assert.equal(answer.status, code);
    assert.equal(answer.body['reason'], code === 403 ? 'Forbidden' : 'Invalid');
  });
}

test('what is as the policy wants it is let pass, and so is what it is not about', async () => {
  await enforce({
    validations: [{ expression: 'has(object.data)' }],
    matchConditions: [{ name: 'spared', expression: "!object.metadata.name.startsWith('spared')" }],
  });
  assert.equal((await create('a', { data: { a: '1' } })).status, 201);
  assert.equal((await create('spared-b')).status, 201);
  const secret = { metadata: { name: 'c' } };
  assert.equal((await world.call('POST', `/api/v1/namespaces/${namespace}/secrets`, secret)).status, 201);
});

test('a policy without a binding, or whose failures are to be ignored, refuses nothing', async () => {
  const failing = { validations: [{ expression: 'object.data.x == 1' }] };
  await policy(failing);
  assert.equal((await create('a')).status, 201);
  await bind();
  assert.equal((await create('b')).status, 422);
  const path = `${REGISTRATIONS}/validatingadmissionpolicies/${namespace}`;
  await world.call('PATCH', path, { spec: { failurePolicy: 'Ignore' } });
  assert.equal((await create('b')).status, 201);
});

test('a binding may warn instead of refusing', async () => {
  await enforce(
    { validations: [{ expression: 'false', message: 'mind this' }] },
    { validationActions: ['Warn', 'Audit'] },
  );
  const answer = await create('a');
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.warnings, [
    `299 - "Validation failed for ValidatingAdmissionPolicy '${namespace}' with binding '${namespace}': mind this"`,
  ]);
});

test('parameters are objects of any kind, of the namespace of the request unless another is named', async () => {
  await enforce(
    {
      paramKind: { apiVersion: 'v1', kind: 'Secret' },
      validations: [{ expression: "params.metadata.labels['max'] == '1'", message: 'too many' }],
    },
    { paramRef: { name: 'limit', parameterNotFoundAction: 'Deny' } },
  );
  assert.equal(
    (await create('a')).body.message,
    denied(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ),
  );
  const secret = { metadata: { name: 'limit', labels: { max: '1' } } };
  await world.call('POST', `/api/v1/namespaces/${namespace}/secrets`, secret);
  assert.equal((await create('a')).status, 201);
});

test('a policy whose kind of parameters is not there refuses, whatever its bindings say', async () => {
  await enforce({
    paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' },
    validations: [{ expression: 'true' }],
  });
  assert.equal(
    (await create('a')).body.message,
    `configmaps "a" is forbidden: ValidatingAdmissionPolicy '${namespace}' denied request: failed to configure ` +
      `policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'`,
  );
});

test('whoever has policies applied with parameters must be allowed to read them', async () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await world.call('POST', `${rbac}/clusterroles`, {
    metadata: { name: `${namespace}-writer` },
    rules: [{ apiGroups: ['admissionregistration.k8s.io'], resources: ['*'], verbs: ['*'] }],
  });
  await world.call('POST', `${rbac}/clusterrolebindings`, {
    metadata: { name: `${namespace}-writer` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${namespace}-writer` },
    subjects: [{ kind: 'User', name: 'writer', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  const writer = { name: 'writer', groups: ['system:authenticated'] };
  const body = {
    metadata: { name: namespace },
    spec: {
      paramKind: { apiVersion: 'v1', kind: 'Secret' },
      matchConstraints: { resourceRules: [RULE] },
      validations: [{ expression: 'true' }],
    },
  };
  const path = `${REGISTRATIONS}/validatingadmissionpolicies`;
  assert.deepEqual(told(await world.call('POST', path, body, '', writer)), [
    'spec.paramKind: Forbidden: user &{writer  [system:authenticated] map[]} must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)',
  ]);
  assert.equal((await world.call('POST', path, body)).status, 201);
  const binding = {
    metadata: { name: namespace },
    spec: {
      policyName: namespace,
      paramRef: { name: 'x', parameterNotFoundAction: 'Allow' },
      validationActions: ['Deny'],
    },
  };
  assert.deepEqual(
    told(await world.call('POST', `${path.replace(/ies$/, 'y')}bindings`, binding, '', writer)),
    [
      'spec.paramRef: Forbidden: user &{writer  [system:authenticated] map[]} does not have "get" permission on the object referenced by paramRef',
    ],
  );
});

test('a note that cannot be made refuses, also where violations are only told', async () => {
  const spec = { auditAnnotations: [{ key: 'k', valueExpression: "string(object.data['x'])" }] };
  await enforce(spec, { validationActions: ['Warn'] });
  const answer = await create('a');
  assert.equal(answer.status, 422);
  assert.deepEqual(answer.warnings, []);
  assert.equal((await create('b', { data: { x: 'y' } })).status, 201);
});

test('the namespace is not seen by conditions', async () => {
  await enforce({
    matchConditions: [{ name: 'none', expression: 'namespaceObject != null' }],
    validations: [{ expression: 'false' }],
  });
  assert.equal((await create('a')).status, 201);
});

test('a policy may ask what the user, or a service account, may do', async () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }];
  const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }];
  const roleRef = { kind: 'Role', apiGroup: 'rbac.authorization.k8s.io', name: 'maker' };
  await world.call('POST', `${rbac}/namespaces/${namespace}/roles`, { metadata: { name: 'maker' }, rules });
  await world.call('POST', `${rbac}/namespaces/${namespace}/rolebindings`, {
    metadata: { name: 'maker' },
    subjects,
    roleRef,
  });
  await enforce({
    matchConditions: [
      { name: 'may-create', expression: "authorizer.requestResource.check('create').allowed()" },
    ],
    validations: [
      {
        expression:
          "authorizer.group('').resource('secrets').namespace(object.metadata.namespace).check('get').allowed()",
        message: 'no secrets',
      },
      {
        expression: "!authorizer.serviceAccount('default', 'sa').path('/healthz').check('get').allowed()",
        message: 'the account may',
      },
    ],
  });
  const jane = { name: 'jane', groups: ['system:authenticated'] };
  const maps = `/api/v1/namespaces/${namespace}/configmaps`;
  const refused = await world.call('POST', maps, { metadata: { name: 'a' } }, '', jane);
  assert.equal(refused.body.message, denied('no secrets'));
  // The administrator may read secrets.
  assert.equal((await create('a')).body.message, undefined);
});

const invalid: readonly (readonly [string, object, string])[] = [
  [
    'an expression that is wrong',
    { validations: [{ expression: 'object.(' }] },
    'spec.validations[0].expression',
  ],
  [
    'an expression that is no condition',
    { validations: [{ expression: '1' }] },
    'spec.validations[0].expression',
  ],
  [
    'the authorizer in a message',
    {
      validations: [{ expression: 'true', messageExpression: "authorizer.path('/x').check('get').reason()" }],
    },
    'spec.validations[0].messageExpression',
  ],
  [
    'an audit annotation that is no text',
    { auditAnnotations: [{ key: 'a', valueExpression: '1' }] },
    'spec.auditAnnotations[0].valueExpression',
  ],
  [
    'a reason that is none',
    { validations: [{ expression: 'true', reason: 'Why' }] },
    'spec.validations[0].reason',
  ],
  [
    'no rules',
    { matchConstraints: {}, validations: [{ expression: 'true' }] },
    'spec.matchConstraints.resourceRules',
  ],
];

for (const [what, spec, field] of invalid) {
  test(`a policy with ${what} is refused`, async () => {
    const answer = await policy(spec);
    assert.equal(answer.status, 422);
    const { causes } = answer.body['details'] as unknown as { causes: readonly { field: string }[] };
    assert.deepEqual(
      causes.map((cause) => cause.field),
      [field],
    );
  });
}

test('a binding cannot both deny and warn', async () => {
  assert.equal((await bind({ validationActions: ['Deny', 'Warn'] })).status, 422);
});

const told = ({ status, body }: Answer): string[] => {
  assert.equal(status, 422);
  const { causes } = body['details'] as unknown as { causes: readonly { field: string; message: string }[] };
  return causes.map(({ field, message }) => `${field}: ${message.split(': a DNS')[0] ?? ''}`);
};

test('all that is wrong with a policy is told in the words of upstream', async () => {
  const answer = await policy({
    failurePolicy: 'x',
    paramKind: { apiVersion: 'a/1', kind: 'X_' },
    matchConstraints: { matchPolicy: 'x', resourceRules: [{ ...RULE, resourceNames: ['a', 'a', 'b/'] }] },
    matchConditions: [{ name: '', expression: ' ' }],
    variables: [
      { name: 'in', expression: 'true' },
      { name: '', expression: '' },
    ],
    validations: [{ expression: '', message: 'a\rb', messageExpression: ' ' }],
    auditAnnotations: [
      { key: 'k', valueExpression: '' },
      { key: 'k', valueExpression: "'a'" },
    ],
  });
  assert.deepEqual(told(answer), [
    'spec.failurePolicy: Unsupported value: "x": supported values: "Fail", "Ignore"',
    'spec.paramKind.apiVersion: Invalid value: "1"',
    'spec.paramKind.kind: Invalid value: "X_": may have mixed case, but should otherwise match',
    'spec.matchConstraints.matchPolicy: Unsupported value: "x": supported values: "Equivalent", "Exact"',
    'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
    'spec.matchConstraints.resourceRules[0].resourceNames[2]: Invalid value: "b/": may not contain \'/\'',
    'spec.matchConditions[0].expression: Required value',
    'spec.matchConditions[0].name: Required value',
    'spec.variables[0].name: Invalid value: "in": must be a valid CEL identifier',
    'spec.variables[1].name: Required value: name is not specified',
    'spec.variables[1].expression: Required value: expression is not specified',
    'spec.validations[0].expression: Required value: expression is not specified',
    'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
    'spec.validations[0].message: Invalid value: "a\\rb": must not contain line breaks',
    'spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified',
    'spec.auditAnnotations[1].key: Duplicate value: "k"',
  ]);
});

test('all that is wrong with a binding is told in the words of upstream', async () => {
  const answer = await bind({
    policyName: '',
    paramRef: { name: 'x/', selector: {}, parameterNotFoundAction: 'x' },
    matchResources: { matchPolicy: 'x' },
    validationActions: [],
  });
  assert.deepEqual(told(answer), [
    'spec.policyName: Required value',
    'spec.paramRef.name: Invalid value: "x/": may not contain \'/\'',
    'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.parameterNotFoundAction: Unsupported value: "x": supported values: "Deny", "Allow"',
    'spec.matchResources.matchPolicy: Unsupported value: "x": supported values: "Equivalent", "Exact"',
    'spec.validationActions: Required value: at least one validation action is required',
  ]);
});
