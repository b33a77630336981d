// PackageInfo: what a repository said about one version of a package when it was asked. Shared by all who install it.
import { CONDITION_MAP, condition } from '../karmada/condition.ts';
import type { KindDefinition } from '../kind.ts';
import { s, type Infer } from '../schema.ts';
import { packageManifest } from './manifest.ts';

const digest = s.object('The digest of a file of the package.', {
  required: {
    url: s.string('The file.'),
    sha256: s.string('SHA-256 in hexadecimal.'),
    origin: s.choice('Declared by the repository, or Recorded when the file was first fetched.', [
      'Declared',
      'Recorded',
    ]),
  },
});
export type FileDigest = Infer<typeof digest>;

const packageInfoSchema = s.kind(
  'What a repository says about one version of a package.',
  { apiVersion: 'packages.glasskube.dev/v1alpha1', kind: 'PackageInfo' },
  {
    required: {
      spec: s.object('Which package.', {
        required: { name: s.string('Its name in the repository.') },
        optional: {
          version: s.string('Its version.'),
          repositoryUrl: s.string('The name of the repository, despite what this field is called.'),
        },
      }),
    },
    optional: {
      status: s.object('What was found.', {
        optional: {
          manifest: packageManifest,
          resolvedUrl: s.string('Where package.yaml is.'),
          version: s.string('The version that the manifest is of.'),
          lastUpdateTimestamp: s.time('When the repository was last asked with success.'),
          digests: s.list('The files of the package as they were first seen.', digest),
          conditions: s.list('Whether the repository could be asked.', condition, CONDITION_MAP),
        },
      }),
    },
  },
);
export type PackageInfo = Infer<typeof packageInfoSchema>;

export const packageInfoKind: KindDefinition = {
  group: 'packages.glasskube.dev',
  kind: 'PackageInfo',
  plural: 'packageinfos',
  namespaced: false,
  shortNames: ['pkgi'],
  versions: [
    {
      name: 'v1alpha1',
      schema: packageInfoSchema,
      subresources: { status: {} },
      columns: [
        { name: 'Desired version', type: 'string', jsonPath: '.spec.version' },
        { name: 'Current version', type: 'string', jsonPath: '.status.version' },
        { name: 'Last Updated', type: 'date', jsonPath: '.status.lastUpdateTimestamp' },
      ],
    },
  ],
};
