// Migration: the journal of one promotion, from a member to the hub. Written by who promotes, step by step and before each
// step is taken, so that whoever comes after an interruption can finish it either way.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const item = s.object('An object of the member that moves under the hub.', {
  required: {
    apiVersion: s.string('Its version.'),
    kind: s.string('Its kind.'),
    name: s.string('Its name.'),
    role: s.choice(
      'Selected: somebody asked for it; Dependency: a selected one needs it; Definition: a custom resource definition that the hub lacks.',
      ['Selected', 'Dependency', 'Definition'],
    ),
    before: s.string('The object in the member as it was, as JSON; a Secret without its data.'),
    digest: s.string('SHA-256 of its content as it was, in hexadecimal.'),
  },
  optional: { namespace: s.string('Its namespace.') },
});
export type MigrationItem = Infer<typeof item>;

const step = s.object('One step. Its state is written before it is taken and after.', {
  required: {
    action: s.choice(
      'EnsureNamespace, CreateTemplate, CreatePolicy: make it on the hub; Adopt: wait until the member shows it as ours.',
      ['EnsureNamespace', 'CreateTemplate', 'CreatePolicy', 'Adopt'],
    ),
    apiVersion: s.string('Of the object that the step is about.'),
    kind: s.string('Of that object.'),
    name: s.string('Of that object.'),
    state: s.choice('Where it stands.', ['Pending', 'Started', 'Done', 'Undoing', 'Undone']),
  },
  optional: {
    namespace: s.string('Of that object.'),
    uid: s.string('Of what was made on the hub; absent when it was there before.'),
  },
});
export type MigrationStep = Infer<typeof step>;

const migrationSchema = s.kind(
  'The journal of one promotion from a member to the hub.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'Migration' },
  {
    required: {
      spec: s.object('What is promoted.', {
        required: {
          cluster: s.string('The member.'),
          items: s.list('The objects, dependencies first.', item),
          policies: s.list('The policies that are made for them, as JSON.', s.string('A policy.')),
        },
      }),
    },
    optional: {
      status: s.object('How far it is.', {
        optional: {
          phase: s.choice('Where it stands.', ['Running', 'Done', 'RollingBack', 'RolledBack']),
          steps: s.list('All steps, in their order.', step),
          message: s.string('Why it went back, or what stopped it.'),
          startTime: s.time('When it began.'),
          finishTime: s.time('When it was over.'),
        },
      }),
    },
  },
);
export type Migration = Infer<typeof migrationSchema>;

export const migrationKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'Migration',
  plural: 'migrations',
  namespaced: false,
  versions: [
    {
      name: 'v1alpha1',
      schema: migrationSchema,
      subresources: { status: {} },
      columns: [
        { name: 'CLUSTER', type: 'string', jsonPath: '.spec.cluster' },
        { name: 'PHASE', type: 'string', jsonPath: '.status.phase' },
        { name: 'MESSAGE', type: 'string', jsonPath: '.status.message', priority: 1 },
        { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  ],
};
