import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, ResourceBinding } from '../api/index.ts';
import { currencyCondition } from './status-currency.ts';

const SINCE = '2026-11-28T10:00:00Z';
function cluster(name: string, status: 'True' | 'False' | 'Unknown' | undefined): Cluster {
  const conditions =
    status === undefined
      ? []
      : [{ type: 'Ready', status, reason: 'r', message: 'm', lastTransitionTime: SINCE }];
  return {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: { syncMode: 'Push' },
    status: { conditions },
  };
}
const fleet = [
  cluster('fine', 'True'),
  cluster('new', undefined),
  ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => cluster(name, name === 'a' ? 'Unknown' : 'False')),
];
function binding(clusters: readonly string[], said = false): ResourceBinding {
  const conditions = [
    { type: 'StatusCurrent', status: 'False' as const, reason: '', message: '', lastTransitionTime: '' },
  ];
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', namespace: 'shop' },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      clusters: clusters.map((name) => ({ name })),
    },
    ...(said ? { status: { conditions } } : {}),
  };
}

const cases: readonly (readonly [name: string, one: ResourceBinding, expected: string | undefined])[] = [
  ['nowhere', binding([]), undefined],
  ['where all are heard', binding(['fine']), undefined],
  ['in a cluster that never said anything', binding(['new']), undefined],
  ['in a cluster that does not exist', binding(['gone']), undefined],
  ['where one is silent', binding(['fine', 'a']), `False MemberSilent Not heard of: a since ${SINCE}. What is shown of it is from before.`],
  ['where many are silent', binding(['g', 'f', 'e', 'd', 'c', 'b', 'a']), `False MemberSilent Not heard of: ${['a', 'b', 'c', 'd', 'e'].map((name) => `${name} since ${SINCE}`).join(', ')}, 2 more. What is shown of them is from before.`],
  ['where all are heard again', binding(['fine'], true), 'True AllHeard Every member tells what it has.'],
]; // prettier-ignore
for (const [name, one, expected] of cases) {
  test(`as of when is the status of a binding ${name}`, () => {
    const found = currencyCondition(one, (name) => fleet.find(({ metadata }) => metadata.name === name));
    assert.equal(found && `${found.status} ${found.reason} ${found.message}`, expected);
  });
}
