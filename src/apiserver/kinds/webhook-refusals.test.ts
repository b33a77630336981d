// What kube-apiserver says of registrations of webhooks that are wrong, word for word.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve();
});

const SOUND = {
  name: 'a.example.com',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://a.b/c' },
};
const RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const LABEL =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const FORM = '; desired format: https://host[/path]';
const ruled = (rest: object): object => ({ rules: [{ ...RULE, ...rest }] });
const called = (clientConfig: object): object => ({ clientConfig });
const parsed = (url: string, why: string): string =>
  `clientConfig.url: Required value: url must be a valid URL: parse "${url}": ${why}${FORM}`;

const CASES: readonly (readonly [what: string, rest: object, complaints: readonly string[]])[] = [
  ['no name', { name: '' }, ['name: Required value']],
  [
    'a short name',
    { name: 'a.b' },
    ['name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'],
  ],
  [
    'wildcards beside others',
    ruled({ operations: ['*', 'CREATE'], apiGroups: ['*', 'a'], apiVersions: ['', '*'] }),
    [
      'rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
      'rules[0].apiGroups: Invalid value: ["*","a"]: if \'*\' is present, must not specify other API groups',
      'rules[0].apiVersions: Invalid value: ["","*"]: if \'*\' is present, must not specify other API versions',
      'rules[0].apiVersions[0]: Required value',
    ],
  ],
  [
    'resources that others hold',
    ruled({ resources: ['pods/*', 'pods/log', '*/x', 'a/x', ''] }),
    [
      'rules[0].resources[1]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
      'rules[0].resources[3]: Invalid value: "a/x": if \'*/x\' is present, must not specify a/x',
      'rules[0].resources[4]: Required value',
    ],
  ],
  [
    'all resources and more',
    ruled({ resources: ['*/*', '*', 'pods'] }),
    [
      'rules[0].resources: Invalid value: ["*/*","*","pods"]: if \'*/*\' is present, must not specify other resources',
      'rules[0].resources: Invalid value: ["*/*","*","pods"]: if \'*\' is present, must not specify other resources without subresources',
    ],
  ],
  [
    'side effects nobody told of',
    { sideEffects: undefined },
    ['sideEffects: Required value: must specify one of None, NoneOnDryRun'],
  ],
  [
    'side effects',
    { sideEffects: 'Some', timeoutSeconds: 31 },
    [
      'sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      'timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
    ],
  ],
  [
    'policies that there are not',
    { failurePolicy: 'x', matchPolicy: '', reinvocationPolicy: 'x' },
    [
      'failurePolicy: Unsupported value: "x": supported values: "Fail", "Ignore"',
      'matchPolicy: Unsupported value: "": supported values: "Equivalent", "Exact"',
      'reinvocationPolicy: Unsupported value: "x": supported values: "IfNeeded", "Never"',
    ],
  ],
  [
    'nowhere to call',
    called({}),
    ['clientConfig: Required value: exactly one of url or service is required'],
  ],
  [
    'a URL with too much in it',
    called({ url: 'http://u:p@/x?y#z' }),
    [
      `clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme${FORM}`,
      `clientConfig.url: Invalid value: "": host must be specified${FORM}`,
      'clientConfig.url: Invalid value: "u:p": user information is not permitted in the URL',
      'clientConfig.url: Invalid value: "z": fragments are not permitted in the URL',
      'clientConfig.url: Invalid value: "y": query parameters are not permitted in the URL',
    ],
  ],
  [
    'a host without a scheme',
    called({ url: 'localhost:8080' }),
    [
      `clientConfig.url: Invalid value: "localhost": 'https' is the only allowed URL scheme${FORM}`,
      `clientConfig.url: Invalid value: "": host must be specified${FORM}`,
    ],
  ],
  [
    'an address without a scheme',
    called({ url: '10.0.0.1:80/x' }),
    [parsed('10.0.0.1:80/x', 'first path segment in URL cannot contain colon')],
  ],
  [
    'a port that is none',
    called({ url: 'https://a:b/x' }),
    [parsed('https://a:b/x', 'invalid port ":b" after host')],
  ],
  ['a scheme left out', called({ url: '://a' }), [parsed('://a', 'missing protocol scheme')]],
  [
    'a service without a name, at a path that is none',
    called({ service: { name: '', namespace: 'n', port: 0, path: '//a' } }),
    [
      'clientConfig.service.namespace: Required value',
      'clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
      'clientConfig.service.path: Invalid value: "//a": segment[0] may not be empty',
    ],
  ],
  [
    'reviews of no version',
    { admissionReviewVersions: [] },
    ['admissionReviewVersions: Required value: must specify one of v1, v1beta1'],
  ],
  [
    'reviews of versions that nobody sends',
    { admissionReviewVersions: ['v2', 'V', 'v2'] },
    [
      `admissionReviewVersions[1]: Invalid value: "V": ${LABEL}`,
      'admissionReviewVersions[2]: Invalid value: "v2": duplicate version',
      'admissionReviewVersions: Invalid value: ["v2","V","v2"]: must include at least one of v1, v1beta1',
    ],
  ],
];

for (const [what, rest, complaints] of CASES) {
  test(`a webhook with ${what}`, async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    const given = { metadata: { name: 'a' }, webhooks: [{ ...SOUND, ...rest }] };
    const { status, body } = await served.send('POST', path, given);
    assert.equal(status, 422);
    const told = complaints.map((complaint) => `webhooks[0].${complaint}`);
    const list = told.length === 1 ? told.join('') : `[${told.join(', ')}]`;
    const of = 'MutatingWebhookConfiguration.admissionregistration.k8s.io "a" is invalid: ';
    assert.equal((body as Status).message, of + list);
  });
}
