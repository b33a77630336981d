import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPropagationPolicy, KubeObject, Placement, SchedulingDecision } from '../api/index.ts';
import {
  NOW_MS,
  cluster,
  deployment,
  interpreter,
  policy,
  settled,
  viewOf,
  web,
  world,
  type Report,
} from './testing/world.ts';
import { parseQuestion } from './question.ts';
import { why, whatIf, type Explanation } from './why.ts';
import { whyText } from './why-text.ts';
import { WorldView, type World } from './world.ts';

const three = [cluster('one'), cluster('two'), cluster('three')];
const DIVIDED: Placement = { replicaScheduling: { replicaSchedulingType: 'Divided' } };
const tainted = cluster('three', { taints: [{ key: 'maintenance', effect: 'NoSchedule' }] });

async function told(now: World, focus?: string): Promise<Explanation> {
  return why(new WorldView(now, interpreter), web, { cluster: focus });
}

const codes = ({ findings }: Explanation): readonly string[] => findings.map(({ code }) => code);

// ---- templates without a place

interface Case {
  readonly name: string;
  readonly parts: Partial<World>;
  readonly code: string;
  readonly says: RegExp;
}

const claimed = (object: KubeObject, name: string): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    labels: { 'propagationpolicy.karmada.io/permanent-id': `id-${name}` },
    annotations: {
      'propagationpolicy.karmada.io/namespace': 'shop',
      'propagationpolicy.karmada.io/name': name,
    },
  },
});

const nowhere: readonly Case[] = [
  { name: 'there is no policy at all', parts: {}, code: 'NO_POLICY', says: /^no policy selects it$/ },
  {
    name: 'a policy selects another name',
    parts: {
      policies: [
        policy('near', { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }] }),
      ],
    },
    code: 'NO_POLICY',
    says: /PropagationPolicy shop\/near: it selects the name other/,
  },
  {
    name: 'a policy selects another version of the API',
    parts: {
      policies: [policy('old', { resourceSelectors: [{ apiVersion: 'apps/v1beta1', kind: 'Deployment' }] })],
    },
    code: 'NO_POLICY',
    says: /it selects apps\/v1beta1, and the object is apps\/v1/,
  },
  {
    name: 'a policy selects labels that the object does not have',
    parts: {
      policies: [
        policy('labels', {
          resourceSelectors: [
            { apiVersion: 'apps/v1', kind: 'Deployment', labelSelector: { matchLabels: { a: 'b' } } },
          ],
        }),
      ],
    },
    code: 'NO_POLICY',
    says: /its labelSelector does not match/,
  },
  {
    name: 'a lazy policy waits for the next edit',
    parts: { policies: [policy('lazy', { activationPreference: 'Lazy' })] },
    code: 'LAZY_ACTIVATION',
    says: /lazy and came after the object/,
  },
  {
    name: 'the policy waits for an override policy',
    parts: { policies: [policy('waits', { dependentOverrides: ['registry'] })] },
    code: 'OVERRIDES_MISSING',
    says: /waits for the override policies registry/,
  },
  {
    name: 'the priority class does not exist',
    parts: {
      policies: [
        policy('prio', {
          schedulePriority: { priorityClassSource: 'KubePriorityClass', priorityClassName: 'gold' },
        }),
      ],
    },
    code: 'BINDING_BLOCKED',
    says: /the priority class gold does not exist/,
  },
  {
    name: 'the policy that claimed it no longer selects it',
    parts: {
      templates: [claimed(deployment(), 'gone')],
      policies: [policy('gone', { resourceSelectors: [{ apiVersion: 'v1', kind: 'Service' }] })],
    },
    code: 'NOT_SELECTED_ANY_MORE',
    says: /claimed it and no longer selects it/,
  },
  {
    name: 'another controller propagates it',
    parts: {
      templates: [
        {
          ...deployment(),
          metadata: {
            ...deployment().metadata,
            labels: { 'resourcetemplate.karmada.io/claimed-by': 'packages' },
          },
        },
      ],
    },
    code: 'CLAIMED_BY_OTHER',
    says: /leaves it to packages/,
  },
];

for (const { name, parts, code, says } of nowhere) {
  test(`why: ${name}`, async () => {
    const now = world({ clusters: three, templates: [deployment()], ...parts });
    const explanation = await told(now);
    assert.equal(explanation.answer, 'it is in no cluster');
    assert.equal(explanation.state, 'stuck');
    assert.equal(explanation.first?.code, code);
    assert.match(explanation.first.says, says);
  });
}

test('why: an object that nobody propagates tells of its namespace', async () => {
  const object = { ...deployment(), metadata: { name: 'web', namespace: 'kube-system' } };
  const view = viewOf({ templates: [object], policies: [policy('all')] });
  const { first } = await why(view, { ...web, namespace: 'kube-system' });
  assert.equal(first?.code, 'SKIPPED_NAMESPACE');
});

// ---- templates with a binding

const bound = (spec: Parameters<typeof policy>[1] = {}, parts: Partial<World> = {}): Partial<World> => ({
  clusters: three,
  templates: [deployment()],
  policies: [policy('web', spec)],
  ...parts,
});

test('why: all is well', async () => {
  const explanation = await told(await settled(bound()));
  assert.equal(explanation.state, 'fine');
  assert.equal(explanation.answer, 'it is in 3 clusters, 6 of 6 replicas ready');
  assert.deepEqual(codes(explanation), []);
});

const members: readonly (readonly [string, Report, string, RegExp])[] = [
  [
    'refuses a foreign object',
    { refused: 'resource(kind=Deployment) already exists in the cluster two' },
    'CONFLICT',
    /not ours/,
  ],
  [
    'answers with an error',
    { refused: 'admission webhook "x" denied the request' },
    'APPLY_FAILED',
    /denied the request/,
  ],
  ['is not applied to yet', 'unapplied', 'NOT_APPLIED_YET', /on its way/],
  ['runs it unhealthily', 'Unhealthy', 'UNHEALTHY', /not healthy/],
];
for (const [name, report, code, says] of members) {
  test(`why: a member that ${name}`, async () => {
    const explanation = await told(await settled(bound(), { two: report }));
    assert.equal(explanation.first?.code, code);
    assert.equal(explanation.first.cluster, 'two');
    assert.match(explanation.first.says, says);
    assert.notEqual(explanation.first.next, '');
  });
}

test('why: a member that is silent, and since when', async () => {
  const since = '2026-01-01T11:00:00Z';
  const silent = {
    ...cluster('two'),
    status: {
      ...cluster('two').status,
      conditions: [
        {
          type: 'Ready',
          status: 'Unknown' as const,
          reason: 'Silent',
          message: 'no answer',
          lastTransitionTime: since,
        },
      ],
    },
  };
  const now = await settled(bound());
  const explanation = await told({ ...now, clusters: [cluster('one'), silent, cluster('three')] });
  assert.equal(explanation.first?.code, 'MEMBER_SILENT');
  assert.equal(explanation.first.since, since);
  assert.equal(
    explanation.answer,
    `it is in 3 clusters, 6 of 6 replicas ready; two is silent, and counted as of ${since}`,
  );
  assert.match(
    whyText(explanation, { nowMs: NOW_MS, asked: 'deployment/web -n shop', wide: false }),
    /Stuck at two for 60m/,
  );
});

test('why: the cluster is suspended', async () => {
  const world = await settled(bound({}));
  const annotations = {
    'navarch.io/suspended': 'true',
    'navarch.io/suspended-by': 'anna',
    'navarch.io/suspension-reason': 'new kernel',
  };
  const clusters = world.clusters.map((one) => ({ ...one, metadata: { ...one.metadata, annotations } }));
  const explanation = await told({ ...world, clusters });
  assert.equal(explanation.first?.code, 'CLUSTER_SUSPENDED');
  assert.match(explanation.first.says, /suspended by anna: new kernel/);
});

test('why: dispatching is suspended', async () => {
  const explanation = await told(await settled(bound({ suspension: { dispatching: true } })));
  assert.equal(explanation.first?.code, 'DISPATCH_SUSPENDED');
});

test('why: no cluster fits, and what would let each one in', async () => {
  const placement: Placement = { clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } } };
  const explanation = await told(
    await settled(bound({ placement }, { clusters: [cluster('one'), tainted] })),
  );
  assert.equal(explanation.first?.code, 'NO_CLUSTER_FIT');
  assert.deepEqual(
    explanation.excluded.map(({ cluster: name, questions, wouldGet }) => [name, questions, wouldGet]),
    [
      ['one', ['cluster one label tier=gold'], { replicas: 2 }],
      [
        'three',
        ['cluster three label tier=gold', 'cluster three untainted maintenance:NoSchedule'],
        { replicas: 2 },
      ],
    ],
  );
});

test('why: an excluded cluster that no change of the cluster lets in', async () => {
  const placement: Placement = { clusterAffinity: { clusterNames: ['one'] } };
  const { excluded, answer } = await told(await settled(bound({ placement })), 'two');
  assert.deepEqual(
    excluded.map(({ questions, remedies }) => [questions, remedies]),
    [[[], ['add the cluster to the clusterNames of clusterAffinity']]],
  );
  assert.equal(answer, 'it is not in two, a cluster not selected by the cluster affinity');
});

test('why: too little room, in numbers', async () => {
  const placement: Placement = {
    replicaScheduling: {
      replicaSchedulingType: 'Divided',
      replicaDivisionPreference: 'Weighted',
      weightPreference: { dynamicWeight: 'AvailableReplicas' },
    },
  };
  const small = [cluster('one', { pods: 3 }), cluster('two', { pods: 4 })];
  const explanation = await told(
    await settled(bound({ placement }, { clusters: small, templates: [deployment(9)] })),
  );
  assert.equal(explanation.first?.code, 'NO_ROOM');
  assert.match(explanation.first.says, /9 replicas are to be placed, each asking for cpu 1, .* room for 7/);
});

test('why: a divided workload stays where it is although a cluster came to fit', async () => {
  const before = await settled(
    bound(
      { placement: DIVIDED },
      { clusters: [cluster('one'), cluster('two'), tainted], templates: [deployment(6)] },
    ),
  );
  const { spared } = await told({ ...before, clusters: three });
  assert.match(spared[0]?.says ?? '', /placed afresh it would get 2 of its replicas/);
});

test('why: an eviction that the guard holds comes first', async () => {
  const now = await settled(bound());
  const [binding] = now.bindings;
  assert.ok(binding !== undefined);
  const held = {
    ...binding,
    status: {
      ...binding.status,
      conditions: [
        ...(binding.status?.conditions ?? []),
        {
          type: 'EvictionHeld',
          status: 'True',
          reason: 'NoReplacement',
          message: 'The copy in one stays.',
          lastTransitionTime: NOW_TEXT,
        },
      ],
    },
  } as typeof binding;
  const explanation = await told({ ...now, bindings: [held] });
  assert.equal(explanation.first?.code, 'EVICTION_HELD');
  assert.equal(explanation.first.says, 'the copy in one stays');
});
const NOW_TEXT = '2026-01-01T12:00:00Z';

test('why: something that it needs is missing', async () => {
  const now = await settled(bound());
  const [binding] = now.bindings;
  assert.ok(binding !== undefined);
  const missing = {
    type: 'DependenciesReady',
    status: 'False' as const,
    reason: 'DependencyMissing',
    message: 'ConfigMap shop/cfg is needed and not on the control plane.',
    lastTransitionTime: NOW_TEXT,
  };
  const conditions = [...(binding.status?.conditions ?? []), missing];
  const { first } = await told({
    ...now,
    bindings: [{ ...binding, status: { ...binding.status, conditions } }],
  });
  assert.equal(first?.code, 'DEPENDENCY_MISSING');
  assert.equal(first.says, 'ConfigMap shop/cfg is needed and not on the control plane');
});

test('why: the winner of policies and why the others lost', async () => {
  const everywhere = {
    ...policy('everywhere'),
    kind: 'ClusterPropagationPolicy',
    metadata: { name: 'everywhere', labels: { 'clusterpropagationpolicy.karmada.io/permanent-id': 'id' } },
  } as ClusterPropagationPolicy;
  const policies = [policy('web', { priority: 2 }), policy('weak')];
  const { findings, policy: winner } = await told(
    await settled(bound({}, { policies, clusterPolicies: [everywhere] })),
  );
  assert.equal(winner, 'PropagationPolicy shop/web');
  assert.match(
    findings[0]?.says ?? '',
    /won over PropagationPolicy shop\/weak \(its priority is lower\) and ClusterPropagationPolicy everywhere \(a policy of the namespace goes before/,
  );
});

test('why: a stronger policy that came later does not take it over', async () => {
  const before = await settled(bound());
  const explanation = await told({
    ...before,
    policies: [...before.policies, policy('late', { priority: 9 })],
  });
  assert.deepEqual(codes(explanation), ['OUTRANKED']);
});

test('why: gone from the hub', async () => {
  const { answer } = await told(world());
  assert.equal(answer, 'it does not exist on the hub any more');
});

test('why: gone from the hub, and a silent member still has it', async () => {
  const now = await settled(bound());
  const silent = {
    ...cluster('two'),
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'False' as const,
          reason: 'x',
          message: 'no answer',
          lastTransitionTime: NOW_TEXT,
        },
      ],
    },
  };
  const works = now.works.filter(({ metadata }) => metadata.namespace === 'karmada-es-two');
  const explanation = await told({ ...now, clusters: [silent], templates: [], bindings: [], works });
  assert.equal(explanation.first?.code, 'REMOVAL_WAITS');
  assert.match(explanation.answer, /not gone yet from two/);
});

test('why: what follows another object needs no policy', async () => {
  const now = await settled(bound());
  const [binding] = now.bindings;
  assert.ok(binding !== undefined);
  const { placement: _placement, clusters, ...spec } = binding.spec;
  const requiredBy = [{ namespace: 'shop', name: 'api-deployment', clusters: clusters?.slice(0, 1) ?? [] }];
  const attached = { ...binding, spec: { ...spec, requiredBy } } as typeof binding;
  const explanation = await told({ ...now, policies: [], templates: [deployment()], bindings: [attached] });
  assert.deepEqual([explanation.state, codes(explanation)], ['fine', ['FOLLOWS']]);
});

test('why: who may not read clusters and Works is told what the binding says, and nothing wrong', async () => {
  const now = await settled(bound(), { two: 'Unhealthy' });
  const unread = ['clusters', 'works'];
  const explanation = await told({ ...now, clusters: [], works: [], unread });
  assert.deepEqual(
    [explanation.answer, codes(explanation)],
    ['it is in 3 clusters, 4 of 6 replicas ready', ['UNHEALTHY']],
  );
});

// ---- what if

interface Question {
  readonly ask: readonly string[];
  readonly answer: RegExp;
  readonly placement?: Placement;
  readonly evictsByTaint?: boolean;
}
const questions: readonly Question[] = [
  { ask: ['cluster two gone'], answer: /would be in one \(2\) and three \(2\) instead of/ },
  { ask: ['replicas 3'], answer: /would be in one \(3\), three \(3\) and two \(3\)/ },
  { ask: ['cluster two tainted a=b:NoSchedule'], answer: /^nothing would change$/ },
  {
    ask: ['cluster two tainted a:NoExecute'],
    answer: /would be in one \(2\) and three \(2\)/,
    evictsByTaint: true,
  },
  { ask: ['cluster two tainted a:NoExecute'], answer: /^nothing would change$/ },
  { ask: ['replicas 12'], placement: DIVIDED, answer: /would be in one \(4\), three \(4\) and two \(4\)/ },
  {
    ask: ['replicas 12', 'cluster two gone'],
    placement: DIVIDED,
    answer: /would be in one \(6\) and three \(6\)/,
  },
  {
    ask: ['cluster one label tier=gold'],
    placement: { clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } } },
    answer: /would be in one \(2\) instead of in no cluster/,
  },
];
for (const { ask, answer, placement, evictsByTaint = false } of questions) {
  test(`what if: ${ask.join(' and ')}${placement === undefined ? '' : ', placed otherwise'}${evictsByTaint ? ', with evictions' : ''}`, async () => {
    const now = await settled(bound(placement === undefined ? {} : { placement }));
    const view = new WorldView({ ...now, settings: { ...now.settings, evictsByTaint } }, interpreter);
    const result = await whatIf(
      view,
      web,
      ask.map((text) => ({ text, change: parseQuestion(text) })),
    );
    assert.match(result.answer, answer);
  });
}

test('what if: more room lets in what had none', async () => {
  const placement: Placement = {
    replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Aggregated' },
  };
  const clusters = [cluster('one', { pods: 3 }), cluster('two', { pods: 4 })];
  const now = await settled(bound({ placement }, { clusters, templates: [deployment(9)] }));
  const ask = (text: string): Promise<string> =>
    whatIf(new WorldView(now, interpreter), web, [{ text, change: parseQuestion(text) }]).then(
      ({ answer }) => answer,
    );
  assert.match(await ask('cluster two pods +5'), /would be in two \(9\) instead of in no cluster/);
  assert.match(await ask('cluster two pods +1'), /could not be placed/);
});

test('what if: what runs by now is no room any more, though estimators spoke before it ran', async () => {
  const placement: Placement = {
    replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Aggregated' },
  };
  const now = await settled(bound({ placement }, { clusters: [cluster('one')], templates: [deployment(3)] }));
  const [binding] = now.bindings;
  const decision: SchedulingDecision = {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'SchedulingDecision',
    metadata: {
      name: 'web-deployment',
      namespace: 'shop',
      ownerReferences: [{ apiVersion: 'v1', kind: 'x', name: 'x', uid: binding?.metadata.uid ?? '' }],
    },
    schedule: {
      outcome: 'Success',
      mode: 'Steady',
      attempts: [
        {
          candidates: [
            {
              name: 'one',
              score: 0,
              allocatable: 5,
              available: 5,
              estimates: [{ estimator: 'scheduler-estimator', replicas: 5 }],
            },
          ],
        },
      ],
    },
  };
  const view = new WorldView(world({ ...now, decisions: [decision] }), interpreter);
  const ask = (text: string): Promise<string> =>
    whatIf(view, web, [{ text, change: parseQuestion(text) }]).then(({ answer }) => answer);
  assert.match(await ask('replicas 5'), /would be in one \(5\)/);
  assert.match(await ask('replicas 6'), /could not be placed: .*available replicas 2 are not enough/);
  assert.match(await ask('placed afresh'), /would stay as it is|nothing/);
});

test('what if: an unknown cluster, and what is no workload', async () => {
  const view = new WorldView(await settled(bound()), interpreter);
  const ask = (text: string): Promise<unknown> => whatIf(view, web, [{ text, change: parseQuestion(text) }]);
  await assert.rejects(ask('cluster nine gone'), /there is no cluster "nine"/);
});

for (const text of [
  '',
  'replicas',
  'replicas many',
  'cluster',
  'cluster one',
  'cluster one explode',
  'cluster one tainted x',
  'cluster one tainted a=b:Never',
  'cluster one label',
  'cluster one cpu 20',
  'cluster one gone now',
  'policy web gone',
]) {
  test(`"${text}" is no question, and the refusal says what can be asked`, () => {
    assert.throws(() => parseQuestion(text), { code: 'BAD_QUESTION', nextStep: /cluster member2 untainted/ });
  });
}
