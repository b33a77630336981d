// PackageRepository: where packages come from.
import { CONDITION_MAP, condition } from '../karmada/condition.ts';
import type { KindDefinition } from '../kind.ts';
import { s, type Infer } from '../schema.ts';

const secretKey = s.object('A key of a Secret in the namespace glasskube-system.', {
  required: { name: s.string('The Secret.'), key: s.string('The key.') },
});

const auth = s.object(
  'How to log in. Of both ways, basic is taken; what stands here is taken before Secrets.',
  {
    optional: {
      basic: s.object('Name and password.', {
        optional: {
          username: s.string('The name.'),
          usernameSecretRef: secretKey,
          password: s.string('The password.'),
          passwordSecretRef: secretKey,
        },
      }),
      bearer: s.object('A token.', {
        optional: { token: s.string('The token.'), tokenSecretRef: secretKey },
      }),
    },
  },
);
export type PackageRepositoryAuth = Infer<typeof auth>;

const packageRepositorySchema = s.kind(
  'A place that packages come from.',
  { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'PackageRepository' },
  {
    required: {
      spec: s.object('Where it is.', {
        required: {
          url: s.string(
            'Its address: http, https, a folder as file: URL, oci:// for an artifact of a registry, oci-layout:// for one of a folder.',
          ),
        },
        optional: { auth },
      }),
    },
    optional: {
      status: s.object('What was found.', {
        optional: {
          conditions: s.list('Whether it can be read.', condition, CONDITION_MAP),
          observedGeneration: s.int64('The generation of the spec that this speaks of.'),
          packages: s.int32('How many packages it offers.'),
          lastSyncTime: s.time('When it was last read with success.'),
        },
      }),
    },
  },
);
export type PackageRepository = Infer<typeof packageRepositorySchema>;

export const packageRepositoryKind: KindDefinition = {
  group: 'packages.glasskube.dev',
  kind: 'PackageRepository',
  plural: 'packagerepositories',
  namespaced: false,
  versions: [{ name: 'v1alpha1', schema: packageRepositorySchema, subresources: { status: {} } }],
};
