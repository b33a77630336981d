// DeletedObject: what somebody deleted on the hub, kept for a while so that it can be undone. Made by the control plane before
// the deletion; removed when the undo window is over. Cluster-scoped, since it may hold what its namespace kept secret.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';

const deletedObjectSchema = s.kind(
  'An object that was deleted on the hub, as it was.',
  { apiVersion: 'navarch.io/v1alpha1', kind: 'DeletedObject' },
  {
    required: {
      spec: s.object('What was deleted.', {
        required: {
          apiVersion: s.string('Its version.'),
          kind: s.string('Its kind.'),
          name: s.string('Its name.'),
          uid: s.string('Its uid.'),
          by: s.string('Who deleted it.'),
          objects: s.list(
            'The object, and what went with it and is needed to make it again, as JSON.',
            s.string('An object.'),
          ),
        },
        optional: { namespace: s.string('Its namespace.') },
      }),
    },
  },
);
export type DeletedObject = Infer<typeof deletedObjectSchema>;

export const deletedObjectKind: KindDefinition = {
  group: 'navarch.io',
  kind: 'DeletedObject',
  plural: 'deletedobjects',
  namespaced: false,
  versions: [
    {
      name: 'v1alpha1',
      schema: deletedObjectSchema,
      columns: [
        { name: 'KIND', type: 'string', jsonPath: '.spec.kind' },
        { name: 'NAMESPACE', type: 'string', jsonPath: '.spec.namespace' },
        { name: 'OBJECT', type: 'string', jsonPath: '.spec.name' },
        { name: 'BY', type: 'string', jsonPath: '.spec.by' },
        { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  ],
};
