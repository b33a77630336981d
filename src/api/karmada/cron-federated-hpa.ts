// CronFederatedHPA: scales by the clock.
import { s, type Infer } from '../schema.ts';
import { crossVersionObjectReference } from './federated-hpa.ts';
import { AGE, type KindDefinition } from '../kind.ts';

const cronRule = s.object('When to scale, and to what.', {
  required: {
    name: s.string('The name of the rule, unique within the object.', { minLength: 1, maxLength: 32 }),
    schedule: s.string('When, as five cron fields.'),
  },
  optional: {
    targetReplicas: s.int32('The replicas to set, for anything but a FederatedHPA.'),
    targetMinReplicas: s.int32('The minReplicas to set on a FederatedHPA.'),
    targetMaxReplicas: s.int32('The maxReplicas to set on a FederatedHPA.'),
    suspend: s.boolean('Stops the rule.', { default: false }),
    timeZone: s.string(
      'The time zone of the schedule by its tz name; absent means that of the control plane.',
    ),
    successfulHistoryLimit: s.int32('How many successes to remember.', {
      minimum: 1,
      maximum: 32,
      default: 3,
    }),
    failedHistoryLimit: s.int32('How many failures to remember.', { minimum: 0, maximum: 32, default: 3 }),
  },
});
export type CronFederatedHPARule = Infer<typeof cronRule>;

const scheduleTime = s.time('When it was due.');
const executionTime = s.time('When it was done.');

const executionHistory = s.object('What one rule did.', {
  required: { ruleName: s.string('The rule.') },
  optional: {
    nextExecutionTime: s.time('When it is due next; absent while it is suspended.'),
    successfulExecutions: s.list(
      'Successes, the newest first.',
      s.object('A success.', {
        required: { scheduleTime, executionTime },
        optional: {
          appliedReplicas: s.int32('The replicas it set.'),
          appliedMinReplicas: s.int32('The minReplicas it set.'),
          appliedMaxReplicas: s.int32('The maxReplicas it set.'),
        },
      }),
    ),
    failedExecutions: s.list(
      'Failures, the newest first.',
      s.object('A failure.', {
        required: { scheduleTime, executionTime, message: s.string('What went wrong.') },
      }),
    ),
  },
});
export type CronExecutionHistory = Infer<typeof executionHistory>;

const cronFederatedHpaSchema = s.kind(
  'Scales a template, or sets the limits of a FederatedHPA, at certain times.',
  { apiVersion: 'autoscaling.karmada.io/v1alpha1', kind: 'CronFederatedHPA' },
  {
    required: {
      spec: s.object('What to scale, and when.', {
        required: {
          scaleTargetRef: s.describe('The template or FederatedHPA.', crossVersionObjectReference),
          rules: s.list('The times.', cronRule),
        },
      }),
    },
    optional: {
      status: s.object('What was done.', {
        optional: { executionHistories: s.list('What each rule did.', executionHistory) },
      }),
    },
  },
);
export type CronFederatedHPA = Infer<typeof cronFederatedHpaSchema>;

export const cronFederatedHpaKind: KindDefinition = {
  group: 'autoscaling.karmada.io',
  kind: 'CronFederatedHPA',
  plural: 'cronfederatedhpas',
  namespaced: true,
  shortNames: ['cronfhpa'],
  categories: ['karmada-io'],
  versions: [
    {
      name: 'v1alpha1',
      schema: cronFederatedHpaSchema,
      columns: [
        { name: 'REFERENCE-KIND', type: 'string', jsonPath: '.spec.scaleTargetRef.kind' },
        { name: 'REFERENCE-NAME', type: 'string', jsonPath: '.spec.scaleTargetRef.name' },
        AGE,
      ],
      subresources: { status: {} },
    },
  ],
};
