// What all objects that suspend several packages have in common: which packages, when, for how long and why.
import { labelSelector } from '../karmada/selectors.ts';
import { s, type Infer } from '../schema.ts';
import { SUSPENSION_MODES } from './package.ts';

export const packageSelector = s.object(
  'Which packages; all parts that are set must hold, one entry of a list is enough.',
  {
    optional: {
      names: s.list('By their names.', s.string('A name.')),
      packageNames: s.list('By their names in the repository.', s.string('A name.')),
      labelSelector: s.describe('By their labels.', labelSelector),
      kinds: s.list('Only these kinds.', s.choice('A kind.', ['Package', 'ClusterPackage'])),
    },
  },
);
export type PackageSelector = Infer<typeof packageSelector>;

const window = s.object('A time that comes again and again.', {
  required: {
    kind: s.choice(
      'deny: suspended while it lasts; allow: suspended while no window of this kind lasts. deny wins.',
      ['deny', 'allow'],
    ),
    schedule: s.string('When it begins, as five cron fields.'),
    duration: s.string('How long it lasts, such as 2h30m, 3d or 1w.'),
  },
  optional: { timeZone: s.string('The time zone of the schedule by its IANA name; absent: UTC.') },
});

export const suspendingFields = {
  selector: s.describe('Which packages; absent or empty: all.', packageSelector),
  reason: s.string('Why, for people.', { maxLength: 1024 }),
  until: s.time('From when on it has no effect any more; absent: until it is deleted.'),
  mode: s.choice(
    'Full: nothing is written. ChangesOnly: changes wait, but what was applied last is kept as it is.',
    SUSPENSION_MODES,
    { default: 'Full' },
  ),
  onResume: s.choice(
    'Apply: go on where it was. Review: wait until the plan has been approved, if there is anything to do.',
    ['Apply', 'Review'],
  ),
  windows: s.list('When; absent: always.', window),
} as const;
