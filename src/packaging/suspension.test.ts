import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ClusterPackage,
  ClusterPackageSuspension,
  KubeObject,
  Package,
  PackageSpec,
  PackageSuspension,
  PackageStatus,
} from '../api/index.ts';
import { effectiveSuspension, policyState, type AnySuspension, type SuspensionInput } from './suspension.ts';
import {
  suspendedCondition,
  suspensionRecord,
  suspensionStatus,
  suspensionTransition,
} from './suspension-report.ts';

const PREFIX = 'packages.glasskube.dev';
const NOW = Date.parse('2026-03-01T10:00:00Z');
const at = (text: string): number => Date.parse(text);

interface Shape {
  readonly spec?: Partial<PackageSpec>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly status?: PackageStatus;
}

function pkg({ spec, annotations = {}, labels = {}, name = 'web', status }: Shape = {}): Package {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'Package',
    metadata: { name, namespace: 'shop', labels, annotations },
    spec: { packageInfo: { name: 'nginx', version: 'v1.0.0' }, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

function clusterPkg(shape: Shape = {}): ClusterPackage {
  const { metadata, ...rest } = pkg(shape);
  const { namespace: _namespace, ...kept } = metadata;
  return { ...rest, kind: 'ClusterPackage', metadata: kept };
}

const namespace = (
  annotations: Record<string, string> = {},
  labels: Record<string, string> = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', annotations, labels },
});

function policy(spec: PackageSuspension['spec'], name = 'freeze'): PackageSuspension {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'PackageSuspension',
    metadata: { name, namespace: 'shop', annotations: { [`${PREFIX}/suspended-by`]: 'ops' } },
    ...(spec === undefined ? {} : { spec }),
  };
}

function clusterPolicy(spec: ClusterPackageSuspension['spec']): ClusterPackageSuspension {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'ClusterPackageSuspension',
    metadata: { name: 'night' },
    ...(spec === undefined ? {} : { spec }),
  };
}

interface Case {
  readonly name: string;
  readonly input: Partial<SuspensionInput>;
  readonly sources: readonly string[];
  readonly mode?: 'Full' | 'ChangesOnly';
  readonly until?: string;
  readonly next?: string;
  readonly expired?: boolean;
  readonly review?: boolean;
}

const DENY_NIGHT = { kind: 'deny' as const, schedule: '0 22 * * *', duration: '2h' };

const cases: readonly Case[] = [
  { name: 'nothing suspends it', input: { package: pkg() }, sources: [] },
  {
    name: 'an explicit false is no suspension',
    input: { package: pkg({ spec: { suspend: false } }) },
    sources: [],
  },
  { name: 'its own switch', input: { package: pkg({ spec: { suspend: true } }) }, sources: ['Spec'] },
  {
    name: 'the second name of the switch',
    input: { package: pkg({ spec: { suspended: true } }) },
    sources: ['Spec'],
  },
  {
    name: 'details without the switch suspend nothing',
    input: { package: pkg({ spec: { suspension: { onResume: 'Review', reason: 'x' } } }) },
    sources: [],
    review: true,
  },
  {
    name: 'its end is no part of it',
    input: { package: pkg({ spec: { suspend: true, suspension: { until: '2026-03-01T10:00:00Z' } } }) },
    sources: [],
    expired: true,
  },
  {
    name: 'the moment before is',
    input: {
      package: pkg({
        spec: { suspend: true, suspension: { until: '2026-03-01T10:00:01Z', mode: 'ChangesOnly' } },
      }),
    },
    sources: ['Spec'],
    mode: 'ChangesOnly',
    until: '2026-03-01T10:00:01Z',
    next: '2026-03-01T10:00:01Z',
  },
  {
    name: 'the namespace suspends its Packages',
    input: { package: pkg(), namespace: namespace({ [`${PREFIX}/suspend`]: 'true' }) },
    sources: ['Namespace/shop'],
  },
  {
    name: 'only by the word true',
    input: { package: pkg(), namespace: namespace({ [`${PREFIX}/suspend`]: 'yes' }) },
    sources: [],
  },
  {
    name: 'and no ClusterPackages',
    input: { package: clusterPkg(), namespace: namespace({ [`${PREFIX}/suspend`]: 'true' }) },
    sources: [],
  },
  {
    name: 'a policy without a selector is for all',
    input: { package: pkg(), policies: [policy({})] },
    sources: ['PackageSuspension/freeze'],
  },
  {
    name: 'even without a spec',
    input: { package: pkg(), policies: [policy(undefined)] },
    sources: ['PackageSuspension/freeze'],
  },
  {
    name: 'a policy of another namespace is not',
    input: {
      package: pkg(),
      policies: [{ ...policy({}), metadata: { name: 'freeze', namespace: 'other' } }],
    },
    sources: [],
  },
  {
    name: 'all parts of a selector must hold',
    input: {
      package: pkg({ labels: { tier: 'front' } }),
      policies: [
        policy(
          {
            selector: {
              names: ['web', 'api'],
              packageNames: ['nginx'],
              kinds: ['Package'],
              labelSelector: { matchLabels: { tier: 'front' } },
            },
          },
          'a',
        ),
        policy({ selector: { names: ['api'] } }, 'b'),
        policy({ selector: { names: ['web'], packageNames: ['redis'] } }, 'c'),
        policy({ selector: { kinds: ['ClusterPackage'] } }, 'd'),
        policy({ selector: { labelSelector: { matchLabels: { tier: 'back' } } } }, 'e'),
      ],
    },
    sources: ['PackageSuspension/a'],
  },
  {
    name: 'a cluster policy is for ClusterPackages',
    input: { package: clusterPkg(), policies: [clusterPolicy({})] },
    sources: ['PackageSuspension/night'],
  },
  {
    name: 'and for Packages only with a namespaceSelector',
    input: { package: pkg(), namespace: namespace(), policies: [clusterPolicy({})] },
    sources: [],
  },
  {
    name: 'an empty one means all namespaces',
    input: { package: pkg(), namespace: namespace(), policies: [clusterPolicy({ namespaceSelector: {} })] },
    sources: ['PackageSuspension/night'],
  },
  {
    name: 'another one those with the labels',
    input: {
      package: pkg(),
      namespace: namespace({}, { stage: 'test' }),
      policies: [clusterPolicy({ namespaceSelector: { matchLabels: { stage: 'prod' } } })],
    },
    sources: [],
  },
  {
    name: 'a package may be exempt',
    input: {
      package: pkg({ annotations: { [`${PREFIX}/suspension-exempt`]: 'freeze' } }),
      policies: [policy({ allowOverride: true })],
    },
    sources: [],
  },
  {
    name: 'but not from a policy that does not allow it, nor from another',
    input: {
      package: pkg({ annotations: { [`${PREFIX}/suspension-exempt`]: 'freeze' } }),
      policies: [policy({}), policy({ allowOverride: true }, 'other')],
    },
    sources: ['PackageSuspension/freeze', 'PackageSuspension/other'],
  },
  {
    name: 'a policy whose time is over',
    input: { package: pkg(), policies: [policy({ until: '2026-03-01T09:00:00Z' })] },
    sources: [],
    expired: true,
  },
  {
    name: 'a window that is open',
    input: {
      package: pkg(),
      policies: [policy({ windows: [DENY_NIGHT] })],
      nowMs: at('2026-11-28T23:10:00Z'),
    },
    sources: ['Window/freeze'],
    until: '2026-11-29T00:00:00Z',
    next: '2026-11-29T00:00:00Z',
  },
  {
    name: 'a window that is closed says when it opens',
    input: {
      package: pkg(),
      policies: [policy({ windows: [DENY_NIGHT] })],
      nowMs: at('2026-11-28T20:00:00Z'),
    },
    sources: [],
    next: '2026-11-28T22:00:00Z',
  },
  {
    name: 'a window that would open after the end never does',
    input: {
      package: pkg(),
      policies: [policy({ windows: [DENY_NIGHT], until: '2026-11-28T21:00:00Z' })],
      nowMs: at('2026-11-28T20:00:00Z'),
    },
    sources: [],
  },
  {
    name: 'changes only, until somebody wants all of it',
    input: {
      package: pkg({ spec: { suspend: true, suspension: { mode: 'ChangesOnly' } } }),
      policies: [policy({ mode: 'ChangesOnly' }, 'a'), policy({ mode: 'Full' }, 'b')],
    },
    sources: ['Spec', 'PackageSuspension/a', 'PackageSuspension/b'],
    mode: 'Full',
  },
  {
    name: 'the end is the latest, if all have one',
    input: {
      package: pkg({ spec: { suspend: true, suspension: { until: '2026-03-01T12:00:00Z' } } }),
      policies: [policy({ until: '2026-03-01T11:00:00Z' })],
    },
    sources: ['Spec', 'PackageSuspension/freeze'],
    until: '2026-03-01T12:00:00Z',
    next: '2026-03-01T11:00:00Z',
  },
  {
    name: 'and none if one has none',
    input: {
      package: pkg({ spec: { suspend: true, suspension: { until: '2026-03-01T12:00:00Z' } } }),
      policies: [policy({})],
    },
    sources: ['Spec', 'PackageSuspension/freeze'],
    next: '2026-03-01T12:00:00Z',
  },
  {
    name: 'a component goes with what it is a part of',
    input: {
      package: pkg(),
      parentsOf: (one) =>
        one.metadata.name === 'web' ? [pkg({ name: 'shop', spec: { suspend: true } })] : [],
    },
    sources: ['Parent/shop/shop'],
  },
  {
    name: 'unless that says otherwise of itself',
    input: {
      package: pkg(),
      parentsOf: (one) =>
        one.metadata.name === 'web'
          ? [pkg({ name: 'shop', spec: { suspend: true, suspension: { cascade: 'None' } } })]
          : [],
    },
    sources: [],
  },
  {
    name: 'which says nothing of policies',
    input: {
      package: pkg(),
      policies: [policy({ selector: { names: ['shop'] } })],
      parentsOf: (one) =>
        one.metadata.name === 'web'
          ? [pkg({ name: 'shop', spec: { suspend: true, suspension: { cascade: 'None' } } })]
          : [],
    },
    sources: ['Parent/shop/shop'],
  },
  {
    name: 'components in a circle end somewhere',
    input: {
      package: pkg(),
      parentsOf: (one) => [pkg({ name: one.metadata.name === 'web' ? 'shop' : 'web' })],
    },
    sources: [],
  },
  {
    name: 'the hub suspends it in this cluster',
    input: {
      package: pkg({ spec: { suspend: true }, annotations: { [`${PREFIX}/fleet-suspension`]: 'europe' } }),
    },
    sources: ['Fleet/europe'],
  },
  {
    name: 'what was suspended in the cluster itself stays that',
    input: {
      package: pkg({
        spec: { suspend: true },
        annotations: { [`${PREFIX}/fleet-suspension`]: 'europe', [`${PREFIX}/local-suspension`]: 'true' },
      }),
    },
    sources: ['Spec'],
  },
  {
    name: 'a policy that suspends can want a review',
    input: {
      package: pkg(),
      policies: [policy({ onResume: 'Review', windows: [DENY_NIGHT] })],
      nowMs: at('2026-03-01T22:30:00Z'),
    },
    sources: ['Window/freeze'],
    review: true,
    until: '2026-03-02T00:00:00Z',
    next: '2026-03-02T00:00:00Z',
  },
  {
    name: 'one that does not suspend now wants nothing',
    input: { package: pkg(), policies: [policy({ onResume: 'Review', windows: [DENY_NIGHT] })] },
    sources: [],
    next: '2026-03-01T22:00:00Z',
  },
];

for (const { name, input, sources, mode = 'Full', until, next, expired = false, review = false } of cases)
  test(name, () => {
    const state = effectiveSuspension({ package: pkg(), nowMs: NOW, ...input });
    const time = (text: string | undefined): number | undefined =>
      text === undefined ? undefined : at(text);
    assert.deepEqual(
      state.sources.map(({ type, name: of }) => (of === undefined ? type : `${type}/${of}`)),
      sources,
    );
    assert.equal(state.active, sources.length > 0);
    assert.equal(state.mode, mode);
    assert.equal(state.untilMs, time(until));
    assert.equal(state.nextTransitionMs, time(next));
    assert.equal(state.expired, expired);
    assert.equal(state.onResume, review ? 'Review' : 'Apply');
  });

test('since when is what stands on the source, what was seen of it first, or now', () => {
  const stamped = pkg({
    spec: { suspend: true },
    annotations: { [`${PREFIX}/suspended-at`]: '2026-02-01T00:00:00Z' },
  });
  assert.equal(effectiveSuspension({ package: stamped, nowMs: NOW }).sinceMs, at('2026-02-01T00:00:00Z'));
  assert.equal(effectiveSuspension({ package: pkg({ spec: { suspend: true } }), nowMs: NOW }).sinceMs, NOW);
  const seen = pkg({
    spec: { suspend: true },
    status: { suspension: { active: true, sources: [{ type: 'Spec', since: '2026-02-20T00:00:00Z' }] } },
  });
  assert.equal(effectiveSuspension({ package: seen, nowMs: NOW }).sinceMs, at('2026-02-20T00:00:00Z'));
});

test('what a policy does apart from any package', () => {
  assert.deepEqual(policyState({}, NOW), {
    blocked: true,
    over: false,
    untilMs: undefined,
    changeMs: undefined,
  });
  assert.equal(policyState({ spec: { until: '2026-03-01T09:00:00Z' } }, NOW).over, true);
});

const reported = (one: Package, nowMs = NOW, policies: readonly AnySuspension[] = []) => {
  const state = effectiveSuspension({ package: one, nowMs, policies });
  const transition = suspensionTransition(one, state, nowMs);
  return {
    transition,
    condition: suspendedCondition(one, state, transition),
    record: suspensionRecord(one, transition, state, nowMs),
    status: suspensionStatus(one.status?.suspension, state),
  };
};

test('what never was suspended says nothing of it', () => {
  const { transition, condition, record, status } = reported(pkg());
  assert.deepEqual([transition, condition, record, status], ['None', undefined, undefined, undefined]);
});

test('from active to suspended, changed, and back', () => {
  const by = { [`${PREFIX}/suspended-by`]: 'anna', [`${PREFIX}/suspended-at`]: '2026-03-01T09:59:00Z' };
  const spec = { suspend: true, suspension: { reason: 'migration', until: '2026-03-01T12:00:00Z' } };
  const first = reported(pkg({ spec, annotations: by }));
  assert.equal(first.transition, 'Suspended');
  assert.deepEqual(first.record, {
    action: 'Suspended',
    at: '2026-03-01T10:00:00Z',
    by: 'anna',
    reason: 'migration',
    until: '2026-03-01T12:00:00Z',
  });
  assert.deepEqual(first.status, {
    active: true,
    mode: 'Full',
    since: '2026-03-01T09:59:00Z',
    until: '2026-03-01T12:00:00Z',
    sources: [
      {
        type: 'Spec',
        mode: 'Full',
        reason: 'migration',
        by: 'anna',
        since: '2026-03-01T09:59:00Z',
        until: '2026-03-01T12:00:00Z',
      },
    ],
  });
  assert.deepEqual(first.condition, {
    type: 'Suspended',
    status: 'True',
    reason: 'SuspendedBySpec',
    message:
      'Suspended by itself (anna) until 2026-03-01T12:00:00Z: migration. Until it is resumed, nothing is written.',
  });
  assert.ok(first.status !== undefined && first.condition !== undefined);
  const status: PackageStatus = {
    suspension: { ...first.status, drift: [{ group: '', kind: 'ConfigMap', name: 'a', class: 'Missing' }] },
    conditions: [{ ...first.condition, lastTransitionTime: '2026-03-01T10:00:00Z' }],
  };
  assert.equal(reported(pkg({ spec, annotations: by, status })).transition, 'None');
  // What is known of drift is no part of the state, and stays while it lasts.
  assert.deepEqual(reported(pkg({ spec, annotations: by, status })).status, status.suspension);
  const also = reported(pkg({ spec, annotations: by, status }), NOW, [policy({ mode: 'ChangesOnly' })]);
  assert.equal(also.transition, 'SuspensionChanged');
  assert.match(also.condition?.message ?? '', /; by the suspension policy freeze \(ops\), changes only\. /);

  const resumed = reported(
    pkg({
      status,
      annotations: {
        [`${PREFIX}/resumed-by`]: 'bob',
        [`${PREFIX}/resumed-at`]: '2026-03-01T10:00:00Z',
        [`${PREFIX}/resume-reason`]: 'done',
      },
    }),
  );
  assert.equal(resumed.transition, 'Resumed');
  assert.deepEqual(resumed.record, {
    action: 'Resumed',
    at: '2026-03-01T10:00:00Z',
    by: 'bob',
    reason: 'done',
  });
  assert.deepEqual(resumed.status, { active: false, resuming: true });
  assert.equal(resumed.condition?.reason, 'Resumed');

  const over = reported(pkg({ spec, annotations: by, status }), at('2026-03-01T12:00:05Z'));
  assert.deepEqual([over.transition, over.condition?.reason], ['SuspensionExpired', 'SuspensionExpired']);
  // Also when the control plane has tidied the switch away before the operator looked.
  const tidied = reported(pkg({ status }), at('2026-03-01T13:00:00Z'));
  assert.equal(tidied.transition, 'SuspensionExpired');
  // And not when somebody was faster than the time.
  const early = reported(
    pkg({
      status,
      annotations: { [`${PREFIX}/resumed-by`]: 'bob', [`${PREFIX}/resumed-at`]: '2026-03-01T11:00:00Z' },
    }),
    at('2026-03-01T13:00:00Z'),
  );
  assert.equal(early.transition, 'Resumed');
});

test('a package that was created with a suspension that is over already says so', () => {
  const { condition, transition } = reported(
    pkg({ spec: { suspend: true, suspension: { until: '2026-03-01T09:59:55Z' } } }),
  );
  assert.deepEqual(
    [transition, condition?.status, condition?.reason],
    ['None', 'False', 'SuspensionExpired'],
  );
});

test('the first reason names the condition', () => {
  const reasons: readonly (readonly [Partial<SuspensionInput>, string])[] = [
    [{ policies: [policy({})] }, 'SuspendedByPolicy'],
    [
      { policies: [policy({ windows: [DENY_NIGHT] })], nowMs: at('2026-11-28T23:10:00Z') },
      'SuspendedByWindow',
    ],
    [{ namespace: namespace({ [`${PREFIX}/suspend`]: 'true' }) }, 'SuspendedByNamespace'],
    [
      {
        parentsOf: (one) =>
          one.metadata.name === 'web' ? [pkg({ name: 'p', spec: { suspend: true } })] : [],
      },
      'SuspendedByParent',
    ],
    [
      { package: pkg({ spec: { suspend: true }, annotations: { [`${PREFIX}/fleet-suspension`]: 'x' } }) },
      'SuspendedByFleet',
    ],
    [
      { policies: [policy({})], namespace: namespace({ [`${PREFIX}/suspend`]: 'true' }) },
      'SuspendedByPolicy',
    ],
  ];
  for (const [input, reason] of reasons) {
    const whole = { package: pkg(), nowMs: NOW, ...input };
    assert.equal(suspendedCondition(whole.package, effectiveSuspension(whole), 'Suspended')?.reason, reason);
  }
});
