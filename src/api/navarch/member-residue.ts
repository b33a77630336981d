// MemberResidue: what was left behind in a member that could not be reached, or was not to be asked, when it was unjoined.
import { AGE, type KindDefinition } from '../kind.ts';
import { s, type Infer } from '../schema.ts';

const memberResidueSchema = s.kind(
  'What was left behind in a cluster that was unjoined. It has the name of the cluster, and stays until somebody removes it.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'MemberResidue' },
  {
    required: {
      spec: s.object('Which cluster, and what is there.', {
        required: {
          cluster: s.string('Its name.'),
          unjoinedAt: s.time('When it was unjoined.'),
          reason: s.choice('Why it was not cleaned up.', ['Unreachable', 'Requested']),
          total: s.int32('How many objects there are.'),
        },
        optional: {
          id: s.string('Its id, which is the uid of its namespace kube-system.'),
          apiEndpoint: s.string('Where it was reached.'),
          objects: s.list(
            'The objects; the first thousand.',
            s.object('An object.', {
              required: {
                apiVersion: s.string('Its API version.'),
                kind: s.string('Its kind.'),
                name: s.string('Its name.'),
              },
              optional: { namespace: s.string('Its namespace.') },
            }),
          ),
        },
      }),
    },
  },
);
export type MemberResidue = Infer<typeof memberResidueSchema>;

export const memberResidueKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'MemberResidue',
  plural: 'memberresidues',
  namespaced: false,
  versions: [
    {
      name: 'v1alpha1',
      schema: memberResidueSchema,
      columns: [
        { name: 'REASON', type: 'string', jsonPath: '.spec.reason' },
        { name: 'OBJECTS', type: 'integer', jsonPath: '.spec.total' },
        AGE,
      ],
    },
  ],
};
