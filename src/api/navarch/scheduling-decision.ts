// SchedulingDecision and ClusterSchedulingDecision: why a binding is bound to what it is bound to. One stands beside each
// binding, has its name, and goes with it.
import { AGE, type KindDefinition, type PrinterColumn } from '../kind.ts';
import { s, type Infer } from '../schema.ts';

const target = s.object('A cluster and what it gets.', {
  required: { name: s.string('The cluster.') },
  optional: { replicas: s.int32('How many replicas it gets.') },
});

const policyName = {
  required: {
    kind: s.string('PropagationPolicy or ClusterPropagationPolicy.'),
    name: s.string('Its name.'),
  },
  optional: { namespace: s.string('Its namespace.') },
};

const policyDecision = s.object('Which policy the template belongs to, and which others selected it.', {
  required: {
    time: s.time('When it was decided.'),
    winner: s.object('The policy that claimed the template.', policyName),
  },
  optional: {
    losers: s.list(
      'The other policies that selected the template, the best first.',
      s.object('A policy that lost.', {
        required: {
          ...policyName.required,
          priority: s.int32('Its explicit priority.'),
          match: s.string('How it selects the template: by name, labels or kind.'),
          lostBy: s.string('What decided against it: scope, priority, match, name or preemption.'),
        },
        optional: policyName.optional,
      }),
    ),
    omitted: s.int32('How many more lost than are listed.'),
    priority: s.int32('The explicit priority of the winner.'),
    match: s.string('How the winner selects the template: by name, labels or kind.'),
  },
});
export type PolicyDecision = Infer<typeof policyDecision>;

const candidate = s.object('A cluster that passed all filters.', {
  required: { name: s.string('The cluster.'), score: s.int32('The higher, the earlier it is considered.') },
  optional: {
    allocatable: s.int64('How many more replicas it takes; absent where room does not count.'),
    available: s.int64('The same and what the binding had there already.'),
    overflow: s.int32('The overflow affinity that lets it in, counted from 1; absent for the term itself.'),
    replicas: s.int32('How many replicas it got; absent when it was not chosen or replicas do not count.'),
    chosen: s.boolean('Whether it is in the result.'),
    estimates: s.list(
      'What estimators other than the general one said.',
      s.object('An answer.', {
        required: { estimator: s.string('Who answered.') },
        optional: {
          replicas: s.int64('How many replicas it has room for; absent when it could not say.'),
          error: s.string('Why it did not answer.'),
        },
      }),
    ),
  },
});
export type CandidateTrace = Infer<typeof candidate>;

const exclusion = s.object('Clusters that one filter kept out for one reason.', {
  required: {
    filter: s.string('The filter.'),
    code: s.string('The reason as one CamelCase word for programs.'),
    text: s.string('The reason for people.'),
    remedy: s.string('What would take the reason away.'),
    clusters: s.list('The clusters, in order of name.', s.string('A cluster.')),
  },
  optional: {
    omitted: s.int32('How many more there are than are listed.'),
    only: s.list(
      'Those of the clusters that nothing else keeps out: the remedy alone would let them in.',
      s.string('A cluster.'),
    ),
  },
});
export type ExclusionTrace = Infer<typeof exclusion>;

const division = s.object('How replicas were divided.', {
  required: { strategy: s.string('Duplicated, Aggregated, StaticWeight or DynamicWeight.') },
  optional: {
    tier: s.int32('The overflow affinity this is about, counted from 1; 0 for the term itself.'),
    step: s.string('static, fresh, scale up, scale down or keep.'),
    target: s.int32('How many replicas were divided in this step.'),
    shares: s.list(
      'What each cluster took part with and got.',
      s.object('The share of one cluster.', {
        required: {
          name: s.string('The cluster.'),
          weight: s.int64('Its weight: given, or the room it has.'),
        },
        optional: {
          exact: s.string('Its share before rounding.'),
          replicas: s.int32('What it got in this step.'),
        },
      }),
    ),
    kept: s.list('What clusters kept from before.', target),
  },
});
export type DivisionTrace = Infer<typeof division>;

const attempt = s.object('The try of one affinity term.', {
  optional: {
    affinityName: s.string('The term of clusterAffinities; absent without any.'),
    candidates: s.list(
      'Clusters that passed all filters, in the order in which they were considered.',
      candidate,
    ),
    omittedCandidates: s.int32('How many more there are than are listed.'),
    excluded: s.list('Clusters that did not pass, by reason.', exclusion),
    terminating: s.list('Clusters that are being deleted.', s.string('A cluster.')),
    selection: s.object('How clusters were chosen among the candidates.', {
      required: { by: s.string('all, cluster, region, zone, provider or label.') },
      optional: {
        groups: s.list(
          'The groups of clusters.',
          s.object('A group.', {
            required: {
              name: s.string('Its name.'),
              score: s.int64('The higher, the better.'),
              clusters: s.int32('How many candidates are in it.'),
            },
          }),
        ),
        chosenGroups: s.list('The groups that were chosen.', s.string('A group.')),
        notSpread: s.int32('How many spread constraints only filter.'),
      },
    }),
    divisions: s.list('How replicas were divided, for each overflow tier.', division),
    failure: s.object('Why the term did not do.', {
      required: {
        kind: s.string('fit: no cluster passed. unschedulable: too little room. error: anything else.'),
        message: s.string('In words.'),
      },
    }),
  },
});
export type AttemptTrace = Infer<typeof attempt>;

const scheduleTrace = s.object('How the clusters were chosen.', {
  required: {
    outcome: s.word('What came of it: the reason of the condition Scheduled.', [
      'Success',
      'NoClusterFit',
      'Unschedulable',
      'SchedulerError',
    ]),
    mode: s.word('Whether what was decided before counts (Steady) or not (Fresh).', ['Steady', 'Fresh']),
    attempts: s.list('The affinity terms that were tried, in order; one without any.', attempt),
  },
  optional: {
    time: s.time('When it was decided. Room in clusters is as it was known then.'),
    trigger: s.string('Why it was decided then.'),
    generation: s.int64('The generation of the binding that was decided on.'),
    message: s.string('What is wrong, when something is.'),
    summary: s.string('The clusters and their replicas in one line.'),
    wanted: s.int32('How many replicas the template asks for.'),
    affinityName: s.string('The affinity term in use.'),
    clusters: s.list('The clusters that were chosen.', target),
    omittedAttempts: s.int32('How many more terms were tried than are listed.'),
  },
});
export type ScheduleTrace = Infer<typeof scheduleTrace>;

const fields = {
  optional: {
    policy: policyDecision,
    schedule: scheduleTrace,
    former: s.list(
      'Where it was before, the latest first; only placements in other clusters than the next.',
      s.object('A placement.', {
        required: { clusters: s.list('The clusters.', target) },
        optional: { time: s.time('When it was decided.') },
      }),
    ),
  },
};

const description =
  'Says why a binding is bound to the clusters it is bound to. Written by the control plane.';
const namespacedSchema = s.kind(
  description,
  { apiVersion: 'navarch.io/v1alpha1', kind: 'SchedulingDecision' },
  fields,
);
export type SchedulingDecision = Infer<typeof namespacedSchema>;

const clusterSchema = s.kind(
  description,
  { apiVersion: 'navarch.io/v1alpha1', kind: 'ClusterSchedulingDecision' },
  fields,
);
export type ClusterSchedulingDecision = Infer<typeof clusterSchema>;

const columns: readonly PrinterColumn[] = [
  { name: 'POLICY', type: 'string', jsonPath: '.policy.winner.name' },
  { name: 'OUTCOME', type: 'string', jsonPath: '.schedule.outcome' },
  { name: 'CLUSTERS', type: 'string', jsonPath: '.schedule.summary' },
  { name: 'DECIDED', type: 'date', jsonPath: '.schedule.time' },
  { ...AGE, priority: 1 },
];

export const schedulingDecisionKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'SchedulingDecision',
  plural: 'schedulingdecisions',
  namespaced: true,
  shortNames: ['sd'],
  categories: ['navarch'],
  versions: [{ name: 'v1alpha1', schema: namespacedSchema, columns }],
};

export const clusterSchedulingDecisionKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'ClusterSchedulingDecision',
  plural: 'clusterschedulingdecisions',
  namespaced: false,
  shortNames: ['csd'],
  categories: ['navarch'],
  versions: [{ name: 'v1alpha1', schema: clusterSchema, columns }],
};
