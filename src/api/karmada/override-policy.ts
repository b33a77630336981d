// OverridePolicy and ClusterOverridePolicy: what differs between clusters. One spec, two scopes.
import { s, type Infer } from '../schema.ts';
import type { KindDefinition } from '../kind.ts';
import { clusterAffinity, resourceSelector } from './selectors.ts';

const OPERATORS = ['add', 'remove', 'replace'] as const;
const operator = s.choice('What to do with the value.', OPERATORS);

const imageOverrider = s.object('Changes a part of image names.', {
  required: {
    component: s.choice('The part of the image name to change.', ['Registry', 'Repository', 'Tag']),
    operator: s.choice('add appends to the part, replace sets it, remove clears it.', OPERATORS),
  },
  optional: {
    predicate: s.object(
      'Which image to change; absent means that of every container of a known workload kind.',
      {
        required: { path: s.string('JSON pointer to the image.') },
      },
    ),
    value: s.string('The text to append or to set.'),
  },
});
export type ImageOverrider = Infer<typeof imageOverrider>;

const commandArgsOverrider = s.object("Changes one container's list of words.", {
  required: {
    containerName: s.string('The container to change.'),
    operator: s.choice('add appends the words, remove drops every equal word.', ['add', 'remove']),
  },
  optional: { value: s.list('The words.', s.string('One word.')) },
});
export type CommandArgsOverrider = Infer<typeof commandArgsOverrider>;

const labelAnnotationOverrider = s.object('Changes labels or annotations.', {
  required: {
    operator: s.choice('add sets keys, replace and remove only touch keys that are there.', OPERATORS),
    value: s.map('Keys and values.', s.string('A value.')),
  },
});
export type LabelAnnotationOverrider = Infer<typeof labelAnnotationOverrider>;

const fieldPatchOperation = s.object('One change inside the text.', {
  required: { subPath: s.string('JSON pointer within the text.'), operator },
  optional: { value: s.anything('The value to set; not for remove.') },
});

const fieldOverrider = s.object('Changes JSON or YAML that is the text of one field.', {
  required: { fieldPath: s.string('JSON pointer to the field, whose value must be text.') },
  optional: {
    json: s.list('Changes to text in JSON; not together with yaml.', fieldPatchOperation),
    yaml: s.list('Changes to text in YAML; not together with json.', fieldPatchOperation),
  },
});
export type FieldOverrider = Infer<typeof fieldOverrider>;

const plaintextOverrider = s.object('One JSON patch operation.', {
  required: { path: s.string('JSON pointer to the field.'), operator },
  optional: { value: s.anything('The value to set; not for remove.') },
});
export type PlaintextOverrider = Infer<typeof plaintextOverrider>;

export const overriders = s.object(
  'The changes, made in the order image, command, args, labels, annotations, field, plaintext.',
  {
    optional: {
      imageOverrider: s.list('Changes of image names.', imageOverrider),
      commandOverrider: s.list('Changes of container commands.', commandArgsOverrider),
      argsOverrider: s.list('Changes of container arguments.', commandArgsOverrider),
      labelsOverrider: s.list('Changes of labels.', labelAnnotationOverrider),
      annotationsOverrider: s.list('Changes of annotations.', labelAnnotationOverrider),
      fieldOverrider: s.list(
        'Changes inside JSON or YAML text, such as that of a ConfigMap key.',
        fieldOverrider,
      ),
      plaintext: s.list('Any other changes, as one JSON patch.', plaintextOverrider),
    },
  },
);
export type Overriders = Infer<typeof overriders>;

export const overrideSpec = s.object('Which templates to change, where, and how.', {
  optional: {
    resourceSelectors: s.list('The templates this policy is for; absent means all.', resourceSelector),
    overrideRules: s.list(
      'Changes for clusters, made in this order.',
      s.object('Changes for some clusters.', {
        required: { overriders },
        optional: {
          targetCluster: s.describe(
            'The clusters to change the templates for; absent means all.',
            clusterAffinity,
          ),
        },
      }),
    ),
    targetCluster: s.describe(
      'Deprecated in favour of overrideRules: the clusters to change for.',
      clusterAffinity,
    ),
    overriders: s.describe('Deprecated in favour of overrideRules: the changes.', overriders),
  },
});
export type OverrideSpec = Infer<typeof overrideSpec>;

const overridePolicySchema = s.kind(
  'Says how templates of one namespace differ between clusters.',
  { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'OverridePolicy' },
  { required: { spec: overrideSpec } },
);
export type OverridePolicy = Infer<typeof overridePolicySchema>;

const clusterOverridePolicySchema = s.kind(
  'Says how templates of any namespace, and those without one, differ between clusters.',
  { apiVersion: 'policy.karmada.io/v1alpha1', kind: 'ClusterOverridePolicy' },
  { required: { spec: overrideSpec } },
);
export type ClusterOverridePolicy = Infer<typeof clusterOverridePolicySchema>;

export const overridePolicyKind: KindDefinition = {
  group: 'policy.karmada.io',
  kind: 'OverridePolicy',
  plural: 'overridepolicies',
  namespaced: true,
  shortNames: ['op'],
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: overridePolicySchema }],
};

export const clusterOverridePolicyKind: KindDefinition = {
  group: 'policy.karmada.io',
  kind: 'ClusterOverridePolicy',
  plural: 'clusteroverridepolicies',
  namespaced: false,
  shortNames: ['cop'],
  categories: ['karmada-io'],
  versions: [{ name: 'v1alpha1', schema: clusterOverridePolicySchema }],
};
