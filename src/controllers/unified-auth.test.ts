import assert from 'node:assert/strict';
import { test } from 'node:test';
import { impersonationRules, proxiedBy, type ClusterRole, type ClusterRoleBinding } from './unified-auth.ts';

type Rule = NonNullable<ClusterRole['rules']>[number];
const role = (name: string, ...rules: Rule[]): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules,
});
const binding = (
  to: string,
  kind: string,
  ...subjects: [kind: string, name: string][]
): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: to },
  roleRef: { kind, name: to },
  subjects: subjects.map(([of, name]) => ({ kind: of, name })),
});
const proxy: Rule = { verbs: ['get'], apiGroups: ['cluster.karmada.io'], resources: ['clusters/proxy'] };
const search: Rule = { verbs: ['get'], apiGroups: ['search.karmada.io'], resources: ['proxying/proxy'] };

const opening: readonly [string, Rule, 'all' | readonly string[]][] = [
  ['the proxy of all clusters', proxy, 'all'],
  ['the proxy of some clusters', { ...proxy, resourceNames: ['m1'] }, ['m1']],
  ['everything', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, 'all'],
  ['the search proxy', search, 'all'],
  ['clusters without their proxy', { ...proxy, resources: ['clusters'] }, []],
  ['the proxy of another group', { ...proxy, apiGroups: ['apps'] }, []],
  ['paths that are no resources', { verbs: ['get'] }, []],
];
for (const [what, rule, expected] of opening) {
  test(`a rule for ${what}`, () => assert.deepEqual(proxiedBy(role('r', rule)), expected));
}

test('a role without rules opens nothing', () => {
  assert.deepEqual(proxiedBy({ ...role('r'), rules: null }), []);
});

test('subjects come once and sorted, by kind', () => {
  const rules = impersonationRules(
    'm1',
    [role('open', proxy), role('other', { ...proxy, resourceNames: ['m2'] })],
    [
      binding('open', 'ClusterRole', ['Group', 'devs'], ['User', 'zoe'], ['User', 'ann'], ['User', 'zoe']),
      binding('open', 'ClusterRole', ['ServiceAccount', 'bot']),
      binding('other', 'ClusterRole', ['User', 'eve']),
      binding('open', 'Role', ['User', 'mallory']),
    ],
  );
  assert.deepEqual(
    rules.map(({ resources, resourceNames }) => [resources, resourceNames]),
    [
      [['users'], ['ann', 'zoe']],
      [['serviceaccounts'], ['bot']],
      [['groups'], ['devs']],
    ],
  );
});

test('nobody to stand in for means no rules', () => {
  assert.deepEqual(impersonationRules('m1', [role('open', proxy)], []), []);
});
