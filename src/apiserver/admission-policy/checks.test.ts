import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import type { FieldError } from '../../machinery/index.ts';
import { bindingErrors, mutatingBindingErrors, mutatingPolicyErrors, policyErrors } from './checks.ts';

const RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const CONSTRAINTS = { resourceRules: [RULE] };

const told = (errors: readonly FieldError[]): string[] =>
  errors.map(({ path, message }) => `${path.replace(/^spec\./, '')}: ${message.replace(/\n.*/s, '')}`);

function object(spec: object): KubeObject {
  return { apiVersion: 'v1', kind: 'X', metadata: { name: 'p' }, spec };
}

const TRUE = { validations: [{ expression: 'true' }] };
const one = (expression: string): object => ({ validations: [{ expression }] });

const policies: readonly (readonly [string, object, readonly string[]])[] = [
  [
    'a condition',
    one('1'),
    ['validations[0].expression: Invalid value: "1": must evaluate to bool but got int'],
  ],
  [
    'a condition of what may be anything',
    one('object.paused'),
    ['validations[0].expression: Invalid value: "object.paused": must evaluate to bool but got dyn'],
  ],
  [
    'fields of the request',
    one("request.user == 'a'"),
    [
      `validations[0].expression: Invalid value: "request.user == 'a'": compilation failed: ERROR: <input>:1:8: undefined field 'user'`,
    ],
  ],
  [
    'parameters only of those that have some',
    one('params.x == 1'),
    [
      `validations[0].expression: Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')`,
    ],
  ],
  [
    'parameters of those that have some',
    { ...one('params.x == 1'), paramKind: { apiVersion: 'v1', kind: 'A' } },
    [],
  ],
  [
    'variables in their order and by their types',
    {
      ...one("variables.b == 'x'"),
      variables: [
        { name: 'a', expression: 'variables.b' },
        { name: 'b', expression: '1' },
      ],
    },
    [
      `variables[0].expression: Invalid value: "variables.b": compilation failed: ERROR: <input>:1:10: undefined field 'b'`,
      `validations[0].expression: Invalid value: "variables.b == 'x'": compilation failed: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, string)'`,
    ],
  ],
  [
    'names of variables',
    {
      ...TRUE,
      variables: [
        { name: '', expression: '1' },
        { name: 'for', expression: ' ' },
      ],
    },
    [
      'variables[0].name: Required value: name is not specified',
      'variables[1].name: Invalid value: "for": must be a valid CEL identifier',
      'variables[1].expression: Required value: expression is not specified',
    ],
  ],
  [
    'messages',
    {
      validations: [
        { expression: 'true', message: ' ', messageExpression: ' ', reason: 'Unauthorized' },
        { expression: 'true', message: 'a\nb', messageExpression: '1' },
      ],
    },
    [
      'validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
      'validations[0].message: Invalid value: " ": must be non-empty if specified',
      'validations[0].reason: Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      'validations[1].messageExpression: Invalid value: "1": must evaluate to string but got int',
      'validations[1].message: Invalid value: "a\\nb": must not contain line breaks',
    ],
  ],
  [
    'notes for the audit log',
    {
      auditAnnotations: [
        { key: 'a', valueExpression: '1' },
        { key: 'a', valueExpression: 'null' },
        { key: 'b', valueExpression: '' },
      ],
    },
    [
      'auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of [string null_type] but got int',
      'auditAnnotations[1].key: Duplicate value: "a"',
      'auditAnnotations[2].valueExpression: Required value: valueExpression is not specified',
    ],
  ],
  [
    'something',
    {},
    [
      'validations: Required value: validations or auditAnnotations must contain at least one item',
      'auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
    ],
  ],
  [
    'kinds of parameters',
    { ...TRUE, paramKind: { apiVersion: 'a/b/c', kind: '' }, failurePolicy: 'No' },
    [
      'failurePolicy: Unsupported value: "No": supported values: "Fail", "Ignore"',
      'paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'paramKind.kind: Required value',
    ],
  ],
  [
    'rules',
    {
      ...TRUE,
      matchConstraints: {
        matchPolicy: 'No',
        resourceRules: [
          {},
          { ...RULE, operations: ['*', 'X'], apiGroups: ['*', 'a'], apiVersions: [''], scope: 'No' },
          { ...RULE, resources: ['*', 'pods/*', 'pods/log', 'pods', '*/*'], resourceNames: ['a', 'a', '.'] },
        ],
      },
    },
    [
      'matchConstraints.matchPolicy: Unsupported value: "No": supported values: "Equivalent", "Exact"',
      ...['operations', 'apiGroups', 'apiVersions', 'resources'].map(
        (field) => `matchConstraints.resourceRules[0].${field}: Required value`,
      ),
      `matchConstraints.resourceRules[1].operations: Invalid value: ["*","X"]: if '*' is present, must not specify other operations`,
      'matchConstraints.resourceRules[1].operations[1]: Unsupported value: "X": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      `matchConstraints.resourceRules[1].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other API groups`,
      'matchConstraints.resourceRules[1].apiVersions[0]: Required value',
      'matchConstraints.resourceRules[1].scope: Unsupported value: "No": supported values: "*", "Cluster", "Namespaced"',
      'matchConstraints.resourceRules[2].resourceNames[1]: Duplicate value: "a"',
      `matchConstraints.resourceRules[2].resourceNames[2]: Invalid value: ".": may not be '.'`,
      `matchConstraints.resourceRules[2].resources[2]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log`,
      `matchConstraints.resourceRules[2].resources: Invalid value: ["*","pods/*","pods/log","pods","*/*"]: if '*/*' is present, must not specify other resources`,
      `matchConstraints.resourceRules[2].resources: Invalid value: ["*","pods/*","pods/log","pods","*/*"]: if '*' is present, must not specify other resources without subresources`,
    ],
  ],
  [
    'conditions, which see no variables',
    {
      ...TRUE,
      variables: [{ name: 'a', expression: 'true' }],
      matchConditions: [
        { name: '', expression: '' },
        { name: 'x', expression: 'variables.a' },
      ],
    },
    [
      'matchConditions[0].expression: Required value',
      'matchConditions[0].name: Required value',
      `matchConditions[1].expression: Invalid value: "variables.a": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')`,
    ],
  ],
];

for (const [what, spec, errors] of policies) {
  test(`policies are checked for ${what}`, () => {
    assert.deepEqual(told(policyErrors(object({ matchConstraints: CONSTRAINTS, ...spec }))), errors);
  });
}

test('policies that change objects are about none that go, and say one way to change them', () => {
  const spec = {
    matchConstraints: { resourceRules: [{ ...RULE, operations: ['DELETE'] }] },
    mutations: [
      { patchType: 'JSONPatch', jsonPatch: { expression: '[]' }, applyConfiguration: { expression: 'x' } },
      { patchType: 'ApplyConfiguration', applyConfiguration: { expression: ' ' } },
      { patchType: 'ApplyConfiguration' },
    ],
  };
  assert.deepEqual(told(mutatingPolicyErrors(object(spec))), [
    'matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    'mutations[0].jsonPatch.expression: Invalid value: "[]": must evaluate to list(JSONPatch) but got list(dyn)',
    'mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
    'mutations[1].applyConfiguration.expression: Required value',
    'mutations[2].applyConfiguration: Required value: must be specified when patchType is ApplyConfiguration',
    'reinvocationPolicy: Required value',
  ]);
});

test('bindings are checked for what they name', () => {
  const spec = {
    policyName: 'A',
    paramRef: { name: 'a/b', selector: {}, parameterNotFoundAction: 'No' },
    matchResources: { resourceRules: [{ ...RULE, operations: ['DELETE'] }] },
    validationActions: ['No'],
  };
  const errors = told(bindingErrors(object(spec)));
  assert.match(errors[0] ?? '', /^policyName: Invalid value: "A": a lowercase RFC 1123 subdomain/);
  assert.deepEqual(errors.slice(1), [
    `paramRef.name: Invalid value: "a/b": may not contain '/'`,
    'paramRef.name: Forbidden: name and selector are mutually exclusive',
    'paramRef.selector: Forbidden: name and selector are mutually exclusive',
    'paramRef.parameterNotFoundAction: Unsupported value: "No": supported values: "Deny", "Allow"',
    'validationActions[0]: Unsupported value: "No": supported values: "Audit", "Deny", "Warn"',
  ]);
  assert.equal(
    told(mutatingBindingErrors(object(spec))).at(-1),
    'matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
  );
});
