import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  FederatedResourceQuota,
  JsonObject,
  KubeObject,
  ResourceBinding,
  ResourceBindingSpec,
  Work,
} from '../api/index.ts';
import {
  checkQuota,
  concernsQuota,
  quotaDelta,
  quotaManifest,
  quotaOverallUsed,
  quotaUsage,
  reportedQuotaStatus,
} from './quota.ts';
import { decideReplicaSync, markedTarget, withRetainedReplicas } from './replica-sync.ts';

type Request = Record<string, string>;

function spec(request: Request, ...replicas: number[]): ResourceBindingSpec {
  return {
    resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    replicaRequirements: { resourceRequest: request },
    clusters: replicas.map((count, index) => ({ name: `m${index}`, replicas: count })),
  };
}
function quota(overall: Request, overallUsed?: Request): FederatedResourceQuota {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'FederatedResourceQuota',
    metadata: { name: 'quota', namespace: 'shop' },
    spec: { overall },
    ...(overallUsed === undefined ? {} : { status: { overallUsed } }),
  };
}
const usage = (of: ResourceBindingSpec): Record<string, string> =>
  Object.fromEntries([...quotaUsage(of)].map(([resource, amount]) => [resource, amount.toString()]));

test('quota: a binding takes its request for each replica', () => {
  assert.deepEqual(usage(spec({ cpu: '500m', memory: '1Gi', x: '0' }, 2, 3)), {
    cpu: '2500m',
    memory: '5Gi',
  });
  assert.deepEqual(usage(spec({ cpu: '1' })), {});
});

test('quota: with components it takes each of them in each cluster', () => {
  const components = [
    { name: 'a', replicas: 2, replicaRequirements: { resourceRequest: { cpu: '1' } } },
    { name: 'b', replicas: 1, replicaRequirements: { resourceRequest: { cpu: '500m' } } },
  ];
  const of = { ...spec({}, 0, 0), components };
  assert.deepEqual(usage(of), { cpu: '5' });
});

const concerned: [sentence: string, before: ResourceBindingSpec | undefined, after: ResourceBindingSpec, expected: boolean][] = [
  ['created with clusters', undefined, spec({}, 1), true],
  ['created without', undefined, spec({}), false],
  ['the same again', spec({ cpu: '1' }, 1, 2), spec({ cpu: '1' }, 2, 1), false],
  ['more replicas', spec({ cpu: '1' }, 1), spec({ cpu: '1' }, 2), true],
  ['another request', spec({ cpu: '1' }, 1), spec({ cpu: '2' }, 1), true],
  ['clusters of components', { ...spec({}, 0), components: [{ name: 'a', replicas: 1 }] }, { ...spec({}, 0, 0), components: [{ name: 'a', replicas: 1 }] }, true],
]; // prettier-ignore
for (const [sentence, before, after, expected] of concerned) {
  test(`quota: is asked when a binding is ${sentence}`, () =>
    assert.equal(concernsQuota(before, after), expected));
}

const delta = (request: Request, before: number, after: number): ReturnType<typeof quotaDelta> =>
  quotaDelta(spec(request, before), spec(request, after));
const verdicts: [sentence: string, limit: Request, used: Request | undefined, change: ReturnType<typeof quotaDelta>, expected: string][] = [
  ['room for one more', { cpu: '4' }, { cpu: '3' }, delta({ cpu: '1' }, 3, 4), 'cpu=4'],
  ['one too many', { cpu: '4' }, { cpu: '3' }, delta({ cpu: '1' }, 3, 5), 'exceeded for resource cpu: requested sum 5, limit 4'],
  ['giving back above a lowered limit', { cpu: '4' }, { cpu: '6' }, delta({ cpu: '1' }, 6, 5), 'cpu=5'],
  ['memory while cpu is above its limit', { cpu: '4', memory: '4Gi' }, { cpu: '6' }, delta({ memory: '1Gi' }, 0, 1), 'cpu=6 memory=1Gi'],
  ['a resource without a limit', { 'requests.cpu': '4' }, undefined, delta({ cpu: '9' }, 0, 1), 'not concerned'],
  ['nothing changes', { cpu: '4' }, undefined, delta({ cpu: '9' }, 1, 1), 'not concerned'],
  ['all given back', { cpu: '4' }, { cpu: '2' }, delta({ cpu: '1' }, 2, 0), ''],
]; // prettier-ignore
for (const [sentence, limit, used, change, expected] of verdicts) {
  test(`quota: ${sentence}`, () => {
    const verdict = checkQuota(quota(limit, used), change);
    const text =
      verdict.outcome === 'allowed'
        ? Object.entries(verdict.overallUsed).map(([resource, amount]) => `${resource}=${amount}`).join(' ')
        : verdict.outcome === 'exceeded'
          ? verdict.message
          : verdict.outcome;
    if (expected.startsWith('exceeded')) assert.ok(text.includes(expected));
    else assert.equal(text, expected);
  });
} // prettier-ignore

test('quota: the refusal in the words of upstream (quota-enforce)', () => {
  const verdict = checkQuota(quota({ cpu: '4' }, { cpu: '2' }), delta({ cpu: '1' }, 2, 7));
  assert.deepEqual(verdict, {
    outcome: 'exceeded',
    message: 'FederatedResourceQuota(shop/quota) exceeded for resource cpu: requested sum 7, limit 4.',
  });
});

test('quota: use is counted anew from all bindings, as far as it is limited', () => {
  const bindings = [spec({ cpu: '1', memory: '1Gi' }, 2), spec({ cpu: '500m' }, 1)].map(
    (one) => ({ spec: one }) as ResourceBinding,
  );
  assert.deepEqual(quotaOverallUsed(quota({ cpu: '10' }), bindings), { cpu: '2500m' });
  assert.deepEqual(quotaOverallUsed(quota({ cpu: '10' }), []), {});
});

const quotaWork = (cluster: string, status: JsonObject | undefined, applied = 'True'): Work =>
  ({
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: { name: 'w', namespace: `karmada-es-${cluster}` },
    spec: {},
    status: {
      conditions: [{ type: 'Applied', status: applied, reason: 'r', message: '', lastTransitionTime: '' }],
      manifestStatuses: [{ identifier: {}, ...(status === undefined ? {} : { status }) }],
    },
  }) as unknown as Work;

test('quota: members report their use of fixed shares (quota-static)', () => {
  const of = quota({ cpu: '10', memory: '10Gi' });
  const hard = { cpu: '4', memory: '2Gi' };
  const works = [
    quotaWork('member2', { hard: { cpu: '3' }, used: { cpu: '1' } }),
    quotaWork('member1', { hard, used: { cpu: '1500m', memory: '1Gi' } }),
    quotaWork('member3', undefined),
    quotaWork('member4', { used: { cpu: '9' } }, 'False'),
  ];
  assert.deepEqual(reportedQuotaStatus(of, works), {
    overall: { cpu: '10', memory: '10Gi' },
    overallUsed: { cpu: '2500m', memory: '1Gi' },
    aggregatedStatus: [
      { clusterName: 'member1', hard, used: { cpu: '1500m', memory: '1Gi' } },
      { clusterName: 'member2', hard: { cpu: '3' }, used: { cpu: '1' } },
    ],
  });
  assert.deepEqual(reportedQuotaStatus(of, [quotaWork('member1', {})]), {
    overall: { cpu: '10', memory: '10Gi' },
    aggregatedStatus: [{ clusterName: 'member1' }],
  });
  assert.deepEqual(quotaManifest(of, hard)['spec'], { hard });
  // However amounts were written, they are sent in one form.
  assert.deepEqual(quotaManifest(of, { cpu: 2, memory: '1024Mi' })['spec'], {
    hard: { cpu: '2', memory: '1Gi' },
  });
});

// ---- replicas of members that scale themselves

const RETAIN = 'resourcetemplate.karmada.io/retain-replicas';
function deployment(
  wanted: number,
  running: number,
  labels: Record<string, string> = { [RETAIN]: 'true' },
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels },
    spec: { replicas: wanted },
    status: { replicas: running },
  };
}
function dividedBinding(...reported: number[]): ResourceBinding {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', generation: 2 },
    spec: {
      ...spec({}, 2, 2),
      replicas: 4,
      placement: { replicaScheduling: { replicaSchedulingType: 'Divided' } },
    },
    status: {
      schedulerObservedGeneration: 2,
      aggregatedStatus: reported.map((replicas, index) => ({
        clusterName: `m${index}`,
        status: { replicas },
      })),
    },
  };
}
const syncs: [sentence: string, of: KubeObject, binding: ResourceBinding | undefined, expected: string][] = [
  ['members scaled from 2+2 to 3+3', deployment(4, 6), dividedBinding(3, 3), 'scale 6'],
  ['nothing to do', deployment(4, 4), dividedBinding(2, 2), 'none'],
  ['without the label', deployment(4, 6, {}), dividedBinding(3, 3), 'none'],
  ['without a binding', deployment(4, 6), undefined, 'none'],
  ['of a dependency, which has no placement', deployment(4, 6), { ...dividedBinding(3, 3), spec: spec({}, 2, 2) }, 'none'],
  ['the binding is behind', deployment(5, 6), dividedBinding(3, 3), 'wait'],
  ['a member is silent', deployment(4, 6), dividedBinding(6), 'wait'],
  ['a member runs nothing yet', deployment(4, 6), dividedBinding(6, 0), 'wait'],
  ['the template is behind', deployment(4, 5), dividedBinding(3, 3), 'wait'],
]; // prettier-ignore
for (const [sentence, of, binding, expected] of syncs) {
  test(`replica sync: ${sentence}`, () => {
    const sync = decideReplicaSync(of, binding);
    assert.equal(sync.action === 'scale' ? `scale ${sync.replicas}` : sync.action, expected);
  });
}

test('autoscalers: only those that are propagated mark their target', () => {
  const scaler = (labels: Record<string, string>): KubeObject => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'shop', labels },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
  });
  assert.deepEqual(markedTarget(scaler({ 'propagationpolicy.karmada.io/permanent-id': 'p' })), {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
  });
  assert.equal(markedTarget(scaler({})), undefined);
  const plain = deployment(1, 1, { app: 'x' });
  const labelled = withRetainedReplicas(plain, true);
  assert.equal(labelled.metadata.labels?.[RETAIN], 'true');
  assert.equal(withRetainedReplicas(labelled, true), labelled);
  assert.deepEqual(withRetainedReplicas(labelled, false), plain);
  assert.equal(withRetainedReplicas(plain, false), plain);
});
