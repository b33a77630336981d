import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FederatedHPA } from '../api/index.ts';
import { defaultFederatedHpa, validateFederatedHpa } from './federated-hpa.ts';

type Spec = FederatedHPA['spec'];
type Metric = NonNullable<Spec['metrics']>[number];

function autoscaler(spec: Partial<Spec> = {}): FederatedHPA {
  return {
    apiVersion: 'autoscaling.karmada.io/v1alpha1',
    kind: 'FederatedHPA',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      maxReplicas: 5,
      ...spec,
    },
  };
}

const utilization = { type: 'Utilization', averageUtilization: 50 };
const requests = { name: 'requests' };
const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' };

test('one metric, one replica and no behaviour are the defaults', () => {
  const { spec } = defaultFederatedHpa(autoscaler());
  assert.equal(spec.minReplicas, 1);
  assert.deepEqual(spec.metrics, [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
  ]);
  assert.equal(spec.behavior, undefined);
});

test('a behaviour has both directions, and keeps what was given', () => {
  const { spec } = defaultFederatedHpa(autoscaler({ behavior: { scaleUp: { selectPolicy: 'Disabled' } } }));
  assert.equal(spec.behavior?.scaleUp?.selectPolicy, 'Disabled');
  assert.equal(spec.behavior?.scaleUp?.stabilizationWindowSeconds, 0);
  assert.equal(spec.behavior?.scaleDown?.selectPolicy, 'Max');
  assert.equal(spec.behavior?.scaleDown?.stabilizationWindowSeconds, undefined);
});

test('what is complete and valid has no objections', () => {
  const metrics: Metric[] = [
    { type: 'Resource', resource: { name: 'cpu', target: utilization } },
    { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'main', target: utilization } },
    { type: 'Pods', pods: { metric: requests, target: { type: 'AverageValue', averageValue: '10' } } },
    {
      type: 'Object',
      object: { describedObject: ingress, metric: requests, target: { type: 'Value', value: '1k' } },
    },
  ];
  assert.deepEqual(validateFederatedHpa(defaultFederatedHpa(autoscaler({ metrics, behavior: {} }))), []);
});

const refused: readonly (readonly [string, Metric, readonly string[]])[] = [
  [
    'from outside the clusters',
    { type: 'External', external: { metric: requests, target: { type: 'Value', value: '1' } } },
    [
      'type: Unsupported value: "External": supported values: "ContainerResource", "Object", "Pods", "Resource"',
    ],
  ],
  [
    'of a type that an object has by nature',
    { type: 'constructor' },
    [
      'type: Unsupported value: "constructor": supported values: "ContainerResource", "Object", "Pods", "Resource"',
    ],
  ],
  [
    'whose source is another',
    { type: 'Pods', resource: { name: 'cpu', target: utilization } },
    [
      'pods: Required value: must populate information for the given metric source',
      'resource: Forbidden: must populate the given metric source only',
    ],
  ],
  [
    'with two targets',
    { type: 'Resource', resource: { name: 'cpu', target: { ...utilization, averageValue: '1' } } },
    ['resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization'],
  ],
  [
    'that wants nothing of its pods',
    { type: 'Pods', pods: { metric: requests, target: { type: 'AverageValue', averageValue: '0' } } },
    [
      'pods.target.averageValue: Invalid value: "0": must be positive',
      'pods.target.averageValue: Required value: must specify a positive target averageValue',
    ],
  ],
];
for (const [what, metric, expected] of refused) {
  test(`a metric ${what} is refused`, () => {
    const found = validateFederatedHpa(autoscaler({ minReplicas: 1, metrics: [metric] }));
    assert.deepEqual(
      found.map(({ path, message }) => `${path.replace('spec.metrics[0].', '')}: ${message}`),
      expected,
    );
  });
}
