import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceInterpreterWebhook } from '../api/index.ts';
import { validateInterpreterWebhooks } from './resource-interpreter-webhook-configuration.ts';

const fine: ResourceInterpreterWebhook = {
  name: 'hook.example.io',
  clientConfig: { url: 'https://hook.example.io/interpret' },
  rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['*'], kinds: ['*'] }],
  interpreterContextVersions: ['v1alpha1'],
};
const [rule] = fine.rules ?? [];

function complaints(...webhooks: ResourceInterpreterWebhook[]): readonly string[] {
  const errors = validateInterpreterWebhooks({
    apiVersion: 'config.karmada.io/v1alpha1',
    kind: 'ResourceInterpreterWebhookConfiguration',
    metadata: { name: 'x' },
    webhooks,
  });
  return errors.map(({ path, message }) => `${path}: ${message}`);
}

const OPERATIONS =
  '"*", "AggregateStatus", "InterpretComponent", "InterpretDependency", "InterpretHealth", "InterpretReplica", "InterpretStatus", "Retain", "ReviseReplica"';
const FORM = '; desired format: https://host[/path]';
const cases: readonly (readonly [name: string, change: Partial<ResourceInterpreterWebhook>, expected: readonly string[]])[] = [
  ['nothing wrong', {}, []],
  ['no rules', { rules: [] }, []],
  ['a Service on its usual port', { clientConfig: { service: { namespace: 'n', name: 's' } } }, []],
  ['a name of one part', { name: 'hook' }, ['name: Invalid value: "hook": should be a domain with at least two segments separated by dots']],
  ['no name', { name: '' }, ['name: Required value']],
  ['a timeout of nothing', { timeoutSeconds: 0 }, ['timeoutSeconds: Invalid value: 0: the timeout value must be between 1 and 30 seconds']],
  ['too long a timeout', { timeoutSeconds: 31 }, ['timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds']],
  ['no way to reach it', { clientConfig: {} }, ['clientConfig: Required value: exactly one of url or service is required']],
  ['two ways to reach it', { clientConfig: { url: 'https://x', service: { namespace: 'n', name: 's' } } }, ['clientConfig: Required value: exactly one of url or service is required']],
  ['no TLS', { clientConfig: { url: 'http://x' } }, [`clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme${FORM}`]],
  ['no address', { clientConfig: { url: 'x' } }, [`clientConfig.url: Invalid value: "": 'https' is the only allowed URL scheme${FORM}`, `clientConfig.url: Invalid value: "": host must be specified${FORM}`]],
  ['a query and a fragment', { clientConfig: { url: 'https://u@x/?a=b#c' } }, [
    'clientConfig.url: Invalid value: "u": user information is not permitted in the URL',
    'clientConfig.url: Invalid value: "c": fragments are not permitted in the URL',
    'clientConfig.url: Invalid value: "a=b": query parameters are not permitted in the URL',
  ]],
  ['a Service without names', { clientConfig: { service: { namespace: '', name: '', port: 0 } } }, [
    'clientConfig.service.name: Required value: service name is required',
    'clientConfig.service.namespace: Required value: service namespace is required',
    'clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
  ]],
  ['a path with a hole', { clientConfig: { service: { namespace: 'n', name: 's', path: '/a//b' } } }, ['clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty']],
  ['a path without its start', { clientConfig: { service: { namespace: 'n', name: 's', path: 'a' } } }, ["clientConfig.service.path: Invalid value: \"a\": must start with a '/'", 'clientConfig.service.path: Invalid value: "a": segment[0] may not be empty']],
  ['rules of nothing', { rules: [{ operations: [], apiGroups: [], apiVersions: [], kinds: [] }] }, ['rules[0].operations', 'rules[0].apiGroups', 'rules[0].apiVersions', 'rules[0].kinds'].map((path) => `${path}: Required value`)],
  ['everything and something', { rules: [{ ...rule!, kinds: ['*', 'Queue'] }] }, ['rules[0].kinds: Invalid value: ["*","Queue"]: if \'*\' is present, must not specify other kinds']],
  ['an operation that is none', { rules: [{ ...rule!, operations: ['Prune'] }] }, [`rules[0].operations[0]: Unsupported value: "Prune": supported values: ${OPERATIONS}`]],
  ['an empty kind', { rules: [{ ...rule!, kinds: [''] }] }, ['rules[0].kinds[0]: Required value']],
  ['no version', { interpreterContextVersions: [] }, ['interpreterContextVersions: Required value: must specify one of v1alpha1']],
  ['only a version to come', { interpreterContextVersions: ['v1'] }, ['interpreterContextVersions: Invalid value: ["v1"]: must include at least one of v1alpha1']],
  ['a version twice', { interpreterContextVersions: ['v1alpha1', 'v1alpha1'] }, ['interpreterContextVersions[1]: Invalid value: "v1alpha1": duplicate version']],
]; // prettier-ignore

for (const [name, change, expected] of cases) {
  test(`a webhook with ${name}`, () => {
    assert.deepEqual(
      complaints({ ...fine, ...change }),
      expected.map((one) => `webhooks[0].${one}`),
    );
  });
}

test('two webhooks of one name', () => {
  assert.deepEqual(complaints(fine, fine), ['webhooks[1].name: Duplicate value: "hook.example.io"']);
});
