// FederatedHPA: scales a template by metrics of all clusters. Its fields are those of autoscaling/v2.
import { s, type Infer } from '../schema.ts';
import { CONDITION_MAP } from './condition.ts';
import { AGE, type KindDefinition } from '../kind.ts';
import { labelSelector } from './selectors.ts';

const ATOMIC = { 'x-kubernetes-list-type': 'atomic' } as const;

/** autoscaling/v2 CrossVersionObjectReference. */
export const crossVersionObjectReference = s.object('An object by name.', {
  required: { kind: s.string('Its kind.'), name: s.string('Its name.') },
  optional: { apiVersion: s.string('Its API version.') },
});

const metricIdentifier = s.object('Which metric.', {
  required: { name: s.string('The name of the metric.') },
  optional: { selector: s.describe('Which of its series.', labelSelector) },
});

const metricTarget = s.object('The value to keep to.', {
  required: { type: s.string('Utilization, Value or AverageValue.') },
  optional: {
    averageUtilization: s.int32('Percentage of the request, as an average over the pods.'),
    averageValue: s.quantity('An average over the pods.'),
    value: s.quantity('A total.'),
  },
});

const metricValueStatus = s.object('The value now.', {
  optional: {
    averageUtilization: s.int32('Percentage of the request, as an average over the pods.'),
    averageValue: s.quantity('An average over the pods.'),
    value: s.quantity('A total.'),
  },
});

const container = s.string('The container.');
const resourceName = s.string('The resource, such as cpu.');

const metricSpec = s.object('A metric to scale by.', {
  required: { type: s.string('Resource, ContainerResource, Pods, Object or External.') },
  optional: {
    resource: s.object('Use of a resource by the pods.', {
      required: { name: resourceName, target: metricTarget },
    }),
    containerResource: s.object('Use of a resource by one container of the pods.', {
      required: { name: resourceName, container, target: metricTarget },
    }),
    pods: s.object('A metric of the pods.', {
      required: { metric: metricIdentifier, target: metricTarget },
    }),
    object: s.object('A metric of another object.', {
      required: {
        describedObject: crossVersionObjectReference,
        metric: metricIdentifier,
        target: metricTarget,
      },
    }),
    external: s.object('A metric from outside the clusters; refused by admission.', {
      required: { metric: metricIdentifier, target: metricTarget },
    }),
  },
});

const metricStatus = s.object('A metric and its value now.', {
  required: { type: s.string('Resource, ContainerResource, Pods, Object or External.') },
  optional: {
    resource: s.object('Use of a resource by the pods.', {
      required: { name: resourceName, current: metricValueStatus },
    }),
    containerResource: s.object('Use of a resource by one container of the pods.', {
      required: { name: resourceName, container, current: metricValueStatus },
    }),
    pods: s.object('A metric of the pods.', {
      required: { metric: metricIdentifier, current: metricValueStatus },
    }),
    object: s.object('A metric of another object.', {
      required: {
        describedObject: crossVersionObjectReference,
        metric: metricIdentifier,
        current: metricValueStatus,
      },
    }),
    external: s.object('A metric from outside the clusters.', {
      required: { metric: metricIdentifier, current: metricValueStatus },
    }),
  },
});

const scalingRules = s.object('How fast to scale in one direction.', {
  optional: {
    stabilizationWindowSeconds: s.int32(
      'Looks at the recommendations of this many seconds and takes the safest.',
    ),
    selectPolicy: s.string('Which policy counts: Max, Min, or Disabled for not scaling this way.'),
    policies: s.list(
      'Limits on the change.',
      s.object('A limit on the change.', {
        required: {
          type: s.string('Pods or Percent.'),
          value: s.int32('How many pods or per cent.'),
          periodSeconds: s.int32('Within how many seconds.'),
        },
      }),
      ATOMIC,
    ),
    tolerance: s.quantity('How far the metric may be off before anything is scaled, as a share of 1.'),
  },
});

const hpaCondition = s.object('One aspect of the state.', {
  required: {
    type: s.string('Which aspect: AbleToScale, ScalingActive or ScalingLimited.'),
    status: s.string('True, False or Unknown.'),
  },
  optional: {
    lastTransitionTime: s.time('When the status last changed.'),
    reason: s.string('Why, as one word.'),
    message: s.string('Why, in words for people.'),
  },
});

const federatedHpaSchema = s.kind(
  'Scales a template by metrics of its pods in all clusters together.',
  { apiVersion: 'autoscaling.karmada.io/v1alpha1', kind: 'FederatedHPA' },
  {
    required: {
      spec: s.object('What to scale, and by which metrics.', {
        required: {
          scaleTargetRef: s.describe('The template to scale.', crossVersionObjectReference),
          maxReplicas: s.int32('Never scales above this.'),
        },
        optional: {
          minReplicas: s.int32('Never scales below this; 1 when absent.'),
          metrics: s.list('The metrics; the one that asks for the most replicas counts.', metricSpec),
          behavior: s.object('How fast to scale.', {
            optional: {
              scaleUp: s.describe('Upwards.', scalingRules),
              scaleDown: s.describe('Downwards.', scalingRules),
            },
          }),
        },
      }),
    },
    optional: {
      status: s.object('What was seen and done.', {
        required: { desiredReplicas: s.int32('How many replicas are wanted.') },
        optional: {
          observedGeneration: s.int64('The generation this speaks of.'),
          lastScaleTime: s.time('When it last scaled.'),
          currentReplicas: s.int32('How many replicas there are.'),
          currentMetrics: s.list('The metrics now.', metricStatus, ATOMIC),
          conditions: s.list('AbleToScale, ScalingActive and ScalingLimited.', hpaCondition, CONDITION_MAP),
        },
      }),
    },
  },
);
export type FederatedHPA = Infer<typeof federatedHpaSchema>;

export const federatedHpaKind: KindDefinition = {
  group: 'autoscaling.karmada.io',
  kind: 'FederatedHPA',
  plural: 'federatedhpas',
  namespaced: true,
  shortNames: ['fhpa'],
  categories: ['karmada-io'],
  versions: [
    {
      name: 'v1alpha1',
      schema: federatedHpaSchema,
      columns: [
        { name: 'REFERENCE-KIND', type: 'string', jsonPath: '.spec.scaleTargetRef.kind' },
        { name: 'REFERENCE-NAME', type: 'string', jsonPath: '.spec.scaleTargetRef.name' },
        { name: 'MINPODS', type: 'integer', jsonPath: '.spec.minReplicas' },
        { name: 'MAXPODS', type: 'integer', jsonPath: '.spec.maxReplicas' },
        { name: 'REPLICAS', type: 'integer', jsonPath: '.status.currentReplicas' },
        AGE,
      ],
      subresources: { status: {} },
    },
  ],
};
