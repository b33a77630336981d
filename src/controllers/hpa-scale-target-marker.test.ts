import { test } from 'node:test';
import { PROPAGATION_POLICY_ID_LABEL, RETAIN_REPLICAS_LABEL, type KubeObject } from '../api/index.ts';
import { resource } from '../client/index.ts';
import { hpaScaleTargetMarker } from './hpa-scale-target-marker.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const namespace = 'shop';
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const autoscalers = resource({
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
  namespaced: true,
});

async function deploy({ client }: ControlPlane, name: string): Promise<void> {
  const labels = { app: name };
  const containers = [{ name: 'main', image: 'registry.example/app:1' }];
  await client.create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
}

function autoscaler(name: string, target: string): KubeObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace, labels: { [PROPAGATION_POLICY_ID_LABEL]: 'id' } },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target }, maxReplicas: 5 },
  };
}

async function untilMarked(plane: ControlPlane, expected: Record<string, boolean>): Promise<void> {
  await plane.until(`marked: ${JSON.stringify(expected)}`, async () => {
    const { items } = await plane.client.listAll(deployments, { namespace });
    return items.every(
      ({ metadata }) =>
        (metadata.labels?.[RETAIN_REPLICAS_LABEL] === 'true') === expected[metadata.name ?? ''],
    );
  });
}

test('the mark follows the target, and stays while any autoscaler names it', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await deploy(plane, 'web');
  await deploy(plane, 'api');
  await client.create(autoscalers, autoscaler('one', 'web'));
  plane.run(hpaScaleTargetMarker);
  await untilMarked(plane, { web: true, api: false });
  await client.create(autoscalers, autoscaler('two', 'web'));
  await client.patch(
    autoscalers,
    { namespace, name: 'one' },
    {
      type: 'merge',
      body: { spec: { scaleTargetRef: { name: 'api' } } },
    },
  );
  await untilMarked(plane, { web: true, api: true });
  await client.delete(autoscalers, { namespace, name: 'two' });
  await untilMarked(plane, { web: false, api: true });
});

test('a target that is made after its autoscaler is marked when it is there', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await client.create(autoscalers, autoscaler('one', 'web'));
  await deploy(plane, 'api');
  await client.create(autoscalers, autoscaler('two', 'api'));
  plane.run(hpaScaleTargetMarker);
  await untilMarked(plane, { api: true });
  await deploy(plane, 'web');
  await untilMarked(plane, { api: true, web: true });
});
