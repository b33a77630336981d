// EvictionBrake: whether evictions are held because too much moves at once, and the operator's word to go on. There is
// one, named `fleet`; the control plane makes it when it first holds something, an operator may make it before.
import { CONDITION_MAP, condition } from '../karmada/condition.ts';
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

export const EVICTION_BRAKE_NAME = 'fleet';

const evictionBrakeSchema = s.kind(
  'The brake on evictions. The control plane says here what it holds; an operator releases it here.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'EvictionBrake' },
  {
    optional: {
      spec: s.object('What operators say.', {
        optional: {
          release: s.object('Lets everything pass for a time, limits or not.', {
            required: {
              time: s.time('From when on.'),
              forSeconds: s.int32('For how long, in seconds.', { minimum: 0, maximum: 86_400 }),
              by: s.string('Who releases it.', { minLength: 1, maxLength: 256 }),
              reason: s.string('Why it may go on.', { minLength: 1, maxLength: 1024 }),
            },
          }),
        },
      }),
      status: s.object('What the control plane does.', {
        optional: {
          conditions: s.describe(
            'Engaged: whether evictions are held, and why.',
            s.list('Aspects of the state.', condition, CONDITION_MAP),
          ),
          releasedUntil: s.time('Until when everything passes.'),
        },
      }),
    },
  },
);
export type EvictionBrake = Infer<typeof evictionBrakeSchema>;

export const evictionBrakeKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'EvictionBrake',
  plural: 'evictionbrakes',
  namespaced: false,
  versions: [
    {
      name: 'v1alpha1',
      schema: evictionBrakeSchema,
      subresources: { status: {} },
      columns: [
        { name: 'ENGAGED', type: 'string', jsonPath: '.status.conditions[?(@.type=="Engaged")].status' },
        { name: 'REASON', type: 'string', jsonPath: '.status.conditions[?(@.type=="Engaged")].reason' },
        { name: 'RELEASED-UNTIL', type: 'string', jsonPath: '.status.releasedUntil' },
      ],
    },
  ],
};
