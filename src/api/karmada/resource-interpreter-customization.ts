// ResourceInterpreterCustomization: scripts that tell how a kind works.
import { s, type Infer } from '../schema.ts';
import { AGE, type KindDefinition } from '../kind.ts';

const script = (description: string) =>
  s.object(description, { required: { luaScript: s.string('The script, in Lua 5.1.') } });

const customizations = s.object('The scripts, one for each question.', {
  optional: {
    retention: script(
      'Retain(desiredObj, observedObj): the object to write, with what the cluster may keep.',
    ),
    replicaResource: script('GetReplicas(obj): the number of replicas and what one of them needs.'),
    componentResource: script('GetComponents(obj): the parts of the workload and what they need.'),
    replicaRevision: script('ReviseReplica(obj, replicas): the object with that number of replicas.'),
    statusReflection: script('ReflectStatus(observedObj): the part of the status to report.'),
    statusAggregation: script(
      'AggregateStatus(templateObj, items): the template with the status of all clusters.',
    ),
    healthInterpretation: script('InterpretHealth(observedObj): whether the object is healthy.'),
    dependencyInterpretation: script('GetDependencies(obj): the objects it refers to.'),
  },
});
export type Customizations = Infer<typeof customizations>;

const resourceInterpreterCustomizationSchema = s.kind(
  'Tells by scripts how objects of one kind are to be understood.',
  { apiVersion: 'config.karmada.io/v1alpha1', kind: 'ResourceInterpreterCustomization' },
  {
    required: {
      spec: s.object('Which kind, and the scripts.', {
        required: {
          target: s.object('The kind.', {
            required: {
              apiVersion: s.string('Its API version.'),
              kind: s.string('Its name.'),
            },
          }),
          customizations,
        },
      }),
    },
  },
);
export type ResourceInterpreterCustomization = Infer<typeof resourceInterpreterCustomizationSchema>;

export const resourceInterpreterCustomizationKind: KindDefinition = {
  group: 'config.karmada.io',
  kind: 'ResourceInterpreterCustomization',
  plural: 'resourceinterpretercustomizations',
  namespaced: false,
  shortNames: ['ric'],
  categories: ['karmada-io'],
  versions: [
    {
      name: 'v1alpha1',
      schema: resourceInterpreterCustomizationSchema,
      columns: [
        { name: 'TARGET-API-VERSION', type: 'string', jsonPath: '.spec.target.apiVersion' },
        { name: 'TARGET-KIND', type: 'string', jsonPath: '.spec.target.kind' },
        AGE,
      ],
      subresources: {},
    },
  ],
};
