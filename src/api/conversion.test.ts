import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertVersion, deepFreeze, type KubeObject } from './index.ts';

const autoscaler: KubeObject = deepFreeze({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'shop', annotations: { team: 'a' } },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 9,
    metrics: [
      {
        type: 'Pods',
        pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } },
      },
      {
        type: 'Object',
        object: {
          describedObject: { apiVersion: 'v1', kind: 'Service', name: 'web' },
          metric: { name: 'hits', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'Value', value: '2k' },
        },
      },
      {
        type: 'External',
        external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
      },
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'memory',
          container: 'main',
          target: { type: 'AverageValue', averageValue: '1Gi' },
        },
      },
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
      },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 10 } },
  },
  status: {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentMetrics: [
      { type: 'Pods', pods: { metric: { name: 'rps' }, current: { averageValue: '8' } } },
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 55 } } },
    ],
    conditions: [{ type: 'AbleToScale', status: 'True' }],
  },
});

test('an autoscaler shown as v1 keeps what v1 cannot say in annotations, and comes back whole', () => {
  const old = convertVersion(autoscaler, 'autoscaling/v1');
  assert.deepEqual(old?.['spec'], {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 9,
    targetCPUUtilizationPercentage: 60,
  });
  assert.deepEqual(old['status'], {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentCPUUtilizationPercentage: 55,
  });
  assert.equal(old.metadata.annotations?.['team'], 'a');
  assert.equal(
    old.metadata.annotations['autoscaling.alpha.kubernetes.io/behavior'],
    '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":10,"SelectPolicy":null,"Policies":null,"Tolerance":null}}',
  );
  assert.deepEqual(convertVersion(old, 'autoscaling/v2'), autoscaler);
});

test('an autoscaler shown as v1 counts what there is none of', () => {
  const old = convertVersion({ ...autoscaler, status: { desiredReplicas: 0 } }, 'autoscaling/v1');
  assert.deepEqual(old?.['status'], { currentReplicas: 0, desiredReplicas: 0 });
});

test('an autoscaler of v1 that says nothing about metrics scales by CPU', () => {
  const converted = convertVersion(
    {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': 'no JSON' } },
      spec: { maxReplicas: 3 },
    },
    'autoscaling/v2',
  );
  assert.deepEqual(converted?.['spec'], {
    maxReplicas: 3,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  });
  assert.deepEqual(converted.metadata, { name: 'web' });
});

test('events of both groups are the same events under other field names', () => {
  const core: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'web.1' },
    involvedObject: { kind: 'Pod', name: 'web' },
    message: 'hello',
    count: 2,
    reportingComponent: 'x',
    reportingInstance: 'y',
    type: 'Normal',
  };
  const other = convertVersion(core, 'events.k8s.io/v1');
  assert.deepEqual(other, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'web.1' },
    regarding: { kind: 'Pod', name: 'web' },
    note: 'hello',
    deprecatedCount: 2,
    reportingController: 'x',
    reportingInstance: 'y',
    type: 'Normal',
  });
  assert.deepEqual(convertVersion(other, 'v1'), core);
});

test('bindings of the first version keep replicas and requests in the reference to the template', () => {
  const old: KubeObject = {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', namespace: 'shop' },
    spec: {
      resource: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: 'web',
        replicas: 2,
        resourcePerReplicas: { cpu: '100m' },
      },
      clusters: [{ name: 'm1', replicas: 2 }],
    },
    status: { aggregatedStatus: [{ clusterName: 'm1', applied: true }] },
  };
  const converted = convertVersion(old, 'work.karmada.io/v1alpha2');
  assert.deepEqual(converted?.['spec'], {
    resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    replicas: 2,
    replicaRequirements: { resourceRequest: { cpu: '100m' } },
    clusters: [{ name: 'm1', replicas: 2 }],
  });
  assert.deepEqual(convertVersion(converted, 'work.karmada.io/v1alpha1'), old);
});

test('a version that a kind does not have is not made up', () => {
  assert.equal(convertVersion(autoscaler, 'autoscaling/v2'), autoscaler);
  assert.equal(convertVersion(autoscaler, 'autoscaling/v3'), undefined);
});
