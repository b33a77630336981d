// FailoverRecord: the story of one failover: what was seen, what was decided, what was refused, and how it ended. Made
// and kept by the control plane; the oldest finished ones are removed.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

export const FAILOVER_CLUSTER_LABEL = 'navarch.io/failover-cluster';

const move = s.object('What became of one workload.', {
  required: {
    kind: s.string('Kind of the template.'),
    name: s.string('Name of the template.'),
    state: s.choice(
      'Moving: evicted, and not yet replaced; Moved: replaced by healthy copies; Returned: taken back; Held: not evicted, or kept beyond its time; Ended: over without a healthy replacement.',
      ['Moving', 'Moved', 'Returned', 'Held', 'Ended'],
    ),
  },
  optional: {
    namespace: s.string('Its namespace.'),
    to: s.list('Clusters it runs in instead.', s.string('A cluster.')),
    purgeMode: s.string('How the old copy goes.'),
    evictedAt: s.time('When it was taken off the cluster.'),
    endedAt: s.time('When it was over.'),
    reason: s.string('Why it is held.'),
    message: s.string('The same in words.'),
  },
});
export type FailoverMove = Infer<typeof move>;

const failoverRecordSchema = s.kind(
  'The story of one failover.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'FailoverRecord' },
  {
    required: {
      spec: s.object('What failed.', {
        required: {
          cluster: s.string('The cluster that workloads left, or were to leave.'),
          cause: s.choice(
            'ClusterLost: it stopped being ready; ClusterTainted: somebody tainted it; ApplicationFailure: one workload was unhealthy there.',
            ['ClusterLost', 'ClusterTainted', 'ApplicationFailure'],
          ),
        },
      }),
    },
    optional: {
      status: s.object('How it went.', {
        optional: {
          outcome: s.choice(
            'Running: not over; Recovered: the cluster came back before anything moved; Moved: all that had to leave runs elsewhere; PartlyMoved: some of it does not.',
            ['Running', 'Recovered', 'Moved', 'PartlyMoved'],
          ),
          phases: s.list(
            'What happened, in this order.',
            s.object('A phase.', {
              required: {
                phase: s.choice('Which.', ['Lost', 'Tainted', 'Evicting', 'Moved', 'Recovered', 'Untainted']),
                time: s.time('When it began.'),
              },
              optional: { evidence: s.string('What it was seen by.') },
            }),
          ),
          total: s.int32('Workloads concerned.'),
          moved: s.int32('Of these, replaced by healthy copies.'),
          held: s.int32('Of these, held by the guard.'),
          workloads: s.list('The workloads concerned; the first thousand.', move),
          finishTime: s.time('When nothing was left to do.'),
        },
      }),
    },
  },
);
export type FailoverRecord = Infer<typeof failoverRecordSchema>;

export const failoverRecordKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'FailoverRecord',
  plural: 'failoverrecords',
  namespaced: false,
  versions: [
    {
      name: 'v1alpha1',
      schema: failoverRecordSchema,
      subresources: { status: {} },
      columns: [
        { name: 'CLUSTER', type: 'string', jsonPath: '.spec.cluster' },
        { name: 'CAUSE', type: 'string', jsonPath: '.spec.cause' },
        { name: 'OUTCOME', type: 'string', jsonPath: '.status.outcome' },
        { name: 'TOTAL', type: 'integer', jsonPath: '.status.total' },
        { name: 'MOVED', type: 'integer', jsonPath: '.status.moved' },
        { name: 'HELD', type: 'integer', jsonPath: '.status.held' },
        { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  ],
};
