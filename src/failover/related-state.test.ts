import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterState, KubeObject, PreservedPiece, StatePreservationRule } from '../api/index.ts';
import { findPieces, ruleMeans, stateOf } from './index.ts';

const snapshot = (
  name: string,
  made: string,
  status: object,
  labels: Record<string, string> = {},
): KubeObject => ({
  apiVersion: 'flink.apache.org/v1beta1',
  kind: 'FlinkStateSnapshot',
  metadata: { name, namespace: 'shop', creationTimestamp: made, labels },
  status,
});
const done = (path: string): object => ({ state: 'COMPLETED', path });
const snapshots = [
  snapshot('s1', '2026-01-01T00:00:00Z', done('s3://a/1'), { job: 'web' }),
  snapshot('s2', '2026-01-02T00:00:00Z', done('s3://a/2'), { job: 'web' }),
  snapshot('s3', '2026-01-03T00:00:00Z', { state: 'IN_PROGRESS' }, { job: 'web' }),
  snapshot('s4', '2026-01-04T00:00:00Z', done('s3://other/4'), { job: 'other' }),
];
const workload = {
  apiVersion: 'flink.apache.org/v1beta1',
  kind: 'FlinkDeployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {},
  status: { jobStatus: { savepoint: 's1' } },
} as KubeObject;

const from = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkStateSnapshot' };
const ofJob = { ...from, matchLabels: { job: '{.metadata.name}' } };
const completed = [{ jsonPath: '{.status.state}', equals: 'COMPLETED' }];
const toField = { field: 'spec.job.initialSavepointPath' };

const cases: readonly [what: string, piece: Partial<PreservedPiece>, found: string][] = [
  ['the youngest of those labelled for the workload', { from: { ...ofJob, conditions: completed } }, 's3://a/2'],
  ['the one the workload names', { from: { ...from, name: '{.status.jobStatus.savepoint}' } }, 's3://a/1'],
  ['the one a path puts last', { from: { ...ofJob, conditions: completed, latestBy: '{.status.path}' } }, 's3://a/2'],
  ['the youngest alone, when it has nothing there, is no state', { from: ofJob }, 'FlinkStateSnapshot s3 has nothing at {.status.path}'],
  ['none that counts', { from: { ...ofJob, conditions: [{ jsonPath: '{.status.state}', equals: 'X' }] } }, 'no FlinkStateSnapshot of the workload is there that counts'],
  ['a workload that names none', { from: { ...from, name: '{.status.nothing}' } }, 'the workload names no FlinkStateSnapshot at {.status.nothing}'],
  ['a label that is nowhere', { from: { ...from, matchLabels: { job: '{.spec.job}' } } }, 'the workload has nothing for label job'],
  ['a kind that cannot be read', { from: { ...from, kind: 'Other' } }, 'objects of kind Other cannot be read'],
  ['a value no label can have', { from: { ...ofJob, conditions: completed }, to: { label: 'path' } }, 'cannot be a label'],
]; // prettier-ignore
for (const [what, piece, found] of cases) {
  test(`related state: ${what}`, () => {
    const sought = { from: ofJob, jsonPath: '{.status.path}', to: toField, ...piece };
    const state = find([sought], (_version, kind) => (kind === 'Other' ? undefined : snapshots));
    const text = state.values?.[0]?.value ?? state.missing?.[0] ?? '';
    assert.ok(text.includes(found), text);
  });
}

function find(
  pieces: readonly PreservedPiece[],
  related: (apiVersion: string, kind: string) => readonly KubeObject[] | undefined,
): Partial<ClusterState> {
  return stateOf(pieces, findPieces(pieces, workload, related));
}

function ruleOf(...state: readonly PreservedPiece[]): StatePreservationRule {
  return {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'StatePreservationRule',
    metadata: { name: 'flink', namespace: 'shop' },
    spec: { workload: { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment' }, state },
  };
}

test('only a piece that is required holds a copy where it is', () => {
  const piece = { from: { ...from, kind: 'Other' }, jsonPath: '{.a}', to: toField };
  const held = (required: boolean): boolean | undefined =>
    find([{ ...piece, required }], () => undefined).requiredMissing;
  assert.deepEqual([held(false), held(true)], [undefined, true]);
  assert.deepEqual(
    find([], () => []),
    {},
  );
});

test('a rule means the workloads of its own namespace, kind and name', () => {
  const rule = ruleOf({ from, jsonPath: '{.a}', to: toField });
  const web = {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    namespace: 'shop',
    name: 'web',
  };
  assert.equal(ruleMeans(rule, web), true);
  assert.equal(ruleMeans(rule, { ...web, namespace: 'other' }), false);
  assert.equal(ruleMeans(rule, { ...web, kind: 'FlinkSessionJob' }), false);
  const named = { ...rule, spec: { ...rule.spec, workload: { ...rule.spec.workload, name: 'api' } } };
  assert.equal(ruleMeans(named, web), false);
});
