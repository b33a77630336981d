// meta/v1 Condition, as the status of many kinds carries it.
import { s } from '../schema.ts';

export const condition = s.object('One aspect of the state, and since when it is so.', {
  required: {
    type: s.string('Which aspect; CamelCase, possibly with a domain in front.', {
      maxLength: 316,
      pattern:
        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
    }),
    status: s.choice('Whether the aspect holds.', ['True', 'False', 'Unknown']),
    reason: s.string('Why, as one CamelCase word for programs.', {
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    message: s.string('Why, in words for people; may be empty.', { maxLength: 32768 }),
    lastTransitionTime: s.time('When the status last changed.'),
  },
  optional: {
    observedGeneration: s.int64('The generation of the object that this speaks of.', { minimum: 0 }),
  },
});

/** Conditions of which there is one a type, so that several writers can each apply their own. */
export const CONDITION_MAP = {
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
} as const;
