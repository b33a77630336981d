// DeletionPolicy and ClusterDeletionPolicy: what becomes of objects in members when something that holds them there goes, and
// whether they say where they come from. Without one, upstream's preserveResourcesOnDeletion alone decides.
import { AGE, type KindDefinition } from '../kind.ts';
import { labelSelector, resourceSelector } from '../karmada/selectors.ts';
import { s, type Infer } from '../schema.ts';

const REMOVALS = ['Delete', 'Preserve', 'DeleteImmediately'] as const;
const MEANINGS =
  'Delete: removed from the member, with the grace that the kind has; Preserve: left there, no longer held by the hub; DeleteImmediately: removed without grace.';

const removal = (when: string): ReturnType<typeof s.choice<(typeof REMOVALS)[number]>> =>
  s.choice(`${when} ${MEANINGS}`, REMOVALS);

const ways = {
  onTemplateDeletion: removal('When the template is deleted on the hub.'),
  onPolicyDeletion: s.choice(
    `When the policy that propagates the template is deleted or no longer selects it, and no other does. Keep, the default: it stays where it is and is still updated. ${MEANINGS}`,
    ['Keep', ...REMOVALS],
  ),
  onBindingDeletion: removal('When the binding is deleted and the template is not.'),
  onWorkDeletion: removal('When the Work is deleted and the binding is not.'),
  onMove: removal('When the template is no longer scheduled to the cluster.'),
  onUnjoin: removal('When the cluster leaves.'),
  originMarks: s.boolean(
    'Whether objects in members say where they come from. Temporary ones never do. Default: true.',
  ),
} as const;

const namespacedSelector = s.object('Selects templates of one kind, in the namespace of the policy.', {
  required: { apiVersion: s.string('Their API version.'), kind: s.string('Their kind.') },
  optional: {
    name: s.string('The name of one; the label selector is not looked at then.'),
    labelSelector: s.describe('Only those with these labels.', labelSelector),
  },
});

const SELECTORS = 'Which templates; absent or empty means all.';
const SPEC =
  'What becomes of copies in members; a cause that is not named is decided by the kind of the object.';

const deletionPolicySchema = s.kind(
  'What becomes of copies of templates of this namespace in members.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'DeletionPolicy' },
  {
    required: {
      spec: s.object(SPEC, {
        optional: { resourceSelectors: s.list(SELECTORS, namespacedSelector), ...ways },
      }),
    },
  },
);

const clusterDeletionPolicySchema = s.kind(
  'What becomes of copies of templates in members, where no DeletionPolicy says so.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'ClusterDeletionPolicy' },
  {
    required: {
      spec: s.object(SPEC, {
        optional: { resourceSelectors: s.list(SELECTORS, resourceSelector), ...ways },
      }),
    },
  },
);

export type DeletionPolicy = Infer<typeof deletionPolicySchema>;
export type ClusterDeletionPolicy = Infer<typeof clusterDeletionPolicySchema>;

const columns = [
  { name: 'TEMPLATE', type: 'string', jsonPath: '.spec.onTemplateDeletion' },
  { name: 'MOVE', type: 'string', jsonPath: '.spec.onMove' },
  { name: 'UNJOIN', type: 'string', jsonPath: '.spec.onUnjoin' },
  AGE,
] as const;

export const deletionPolicyKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'DeletionPolicy',
  plural: 'deletionpolicies',
  namespaced: true,
  shortNames: ['dp'],
  versions: [{ name: 'v1alpha1', schema: deletionPolicySchema, columns }],
};

export const clusterDeletionPolicyKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'ClusterDeletionPolicy',
  plural: 'clusterdeletionpolicies',
  namespaced: false,
  shortNames: ['cdp'],
  versions: [{ name: 'v1alpha1', schema: clusterDeletionPolicySchema, columns }],
};
