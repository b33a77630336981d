import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../../api/index.ts';
import { conditionOf, decideStatus, isEstablished, judgeNames } from './conditions.ts';

const NOW = Date.UTC(2026, 10, 21);

function definition(
  names: Partial<CustomResourceDefinitionNames>,
  status: CustomResourceDefinition['status'] = {},
): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'x' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', ...names },
      versions: [],
    },
    status,
  };
}

const settled = (names: Partial<CustomResourceDefinitionNames>): CustomResourceDefinition => {
  const crd = definition(names);
  return { ...crd, status: decideStatus(crd, [], NOW) };
};

test('a definition whose names are free is established', () => {
  const crd = settled({ shortNames: ['w'], categories: ['all'] });
  assert.equal(conditionOf(crd, 'NamesAccepted')?.reason, 'NoConflicts');
  assert.equal(conditionOf(crd, 'Established')?.reason, 'InitialNamesAccepted');
  assert.deepEqual(crd.status?.acceptedNames, crd.spec.names);
});

const conflicts: readonly (readonly [string, Partial<CustomResourceDefinitionNames>, string, string])[] = [
  ['a kind', { plural: 'others', singular: 'other' }, 'ListKindConflict', '"WidgetList" is already in use'],
  [
    'a kind that is the list of another',
    { plural: 'o', singular: 'o1', kind: 'WidgetList', listKind: 'L' },
    'KindConflict',
    '"WidgetList" is already in use',
  ],
  [
    'a plural that is a short name of another',
    { plural: 'wd', singular: 'o', kind: 'O', listKind: 'OList' },
    'PluralConflict',
    '"wd" is already in use',
  ],
  [
    'a short name',
    { plural: 'o', singular: 'o1', kind: 'O', listKind: 'OList', shortNames: ['wd', 'widget'] },
    'ShortNamesConflict',
    '["wd" is already in use, "widget" is already in use]',
  ],
];

for (const [what, names, reason, message] of conflicts) {
  test(`the first definition keeps ${what}`, () => {
    const first = settled({ shortNames: ['wd'] });
    const second = definition(names);
    const { condition } = judgeNames(second, [first]);
    assert.deepEqual([condition.status, condition.reason, condition.message], ['False', reason, message]);
    const status = decideStatus(second, [first], NOW);
    assert.equal(isEstablished({ ...second, status }), false);
    assert.equal(conditionOf({ ...second, status }, 'Established')?.reason, 'NotAccepted');
  });
}

test('names that were granted stay granted, whatever else the definition asks for', () => {
  const first = settled({ shortNames: ['wd'] });
  const second = settled({ plural: 'others', singular: 'other', kind: 'Other', listKind: 'OtherList' });
  const greedy = {
    ...second,
    spec: { ...second.spec, names: { ...second.spec.names, shortNames: ['wd'] } },
  };
  const status = decideStatus(greedy, [first], NOW);
  assert.equal(conditionOf({ ...greedy, status }, 'NamesAccepted')?.status, 'False');
  assert.equal(isEstablished({ ...greedy, status }), true);
  assert.equal(status.acceptedNames?.shortNames, undefined);
  assert.equal(status.acceptedNames?.kind, 'Other');
});

test('a status that is right is left as it is', () => {
  const crd = settled({});
  assert.equal(decideStatus(crd, [], NOW + 60_000), crd.status);
});

test('times move with the status of a condition, not with its words', () => {
  const first = settled({});
  const crd = definition({ plural: 'others', singular: 'other' });
  const refused = decideStatus(crd, [first], NOW);
  const later = decideStatus({ ...crd, status: refused }, [], NOW + 60_000);
  assert.equal(
    conditionOf({ ...crd, status: later }, 'NamesAccepted')?.lastTransitionTime,
    '2026-11-21T00:01:00Z',
  );
});

test("the approval of a group of Kubernetes' own is shown", () => {
  const crd = definition({});
  const approved = {
    ...crd,
    metadata: { name: 'x', annotations: { 'api-approved.kubernetes.io': 'https://example.com/1' } },
    spec: { ...crd.spec, group: 'new.k8s.io' },
  };
  const condition = conditionOf(
    { ...approved, status: decideStatus(approved, [], NOW) },
    'KubernetesAPIApprovalPolicyConformant',
  );
  assert.deepEqual([condition?.status, condition?.reason], ['True', 'ApprovedAnnotation']);
});
