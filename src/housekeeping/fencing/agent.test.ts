// The agent on a real API server: no kubelet runs here, so that only what it does itself is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FENCE_GATE, FENCE_LABEL, type KubeObject } from '../../api/index.ts';
import {
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
} from '../../apiserver/index.ts';
import { formatMicroTime, silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { createClient, resource, type Client } from '../../client/index.ts';
import { createEventRecorder, createInformerSet } from '../../runtime/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import { fenceLeases, fencedPods, runFencingAgent } from './agent.ts';

const namespaces = resource({ group: '', version: 'v1', resource: 'namespaces', namespaced: false });
const at = { namespace: 'shop', name: 'orders-1' };

// LIMIT: of looks, so that a wait in vain ends.
const LOOKS = 1_000;

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail('never came about');
}

async function isGated(client: Client): Promise<boolean | undefined> {
  const pod = await client.find(fencedPods, at);
  return pod === undefined ? undefined : (pod.spec?.schedulingGates ?? []).length > 0;
}

test('a fenced pod starts with its lease, and is stopped when nobody renews it', async () => {
  const clock = systemClock;
  const certificates = await openCertificates({
    vault: memoryVault(),
    now: clock.now(),
    clusterName: 'test',
  });
  const storage = createMemoryStorage<KubeObject>(objectCodec);
  const running = await startApiServer({
    storage,
    clock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('1.36.2', 'test'),
    disabledAdmission: ['ServiceAccount'],
  });
  const client = createClient(running.server.inProcess({ name: 'admin', groups: ['system:masters'] }));
  const informers = createInformerSet({ client, clock, random: systemRandom, logger: silentLogger });
  const recorder = createEventRecorder({ client, clock, component: 'test', logger: silentLogger });
  const stop = new AbortController();
  const agent = runFencingAgent({
    client,
    pods: informers.informer(fencedPods, { labelSelector: FENCE_LABEL }),
    leases: informers.informer(fenceLeases, { labelSelector: FENCE_LABEL }),
    recorder,
    clock,
    logger: silentLogger,
    signal: stop.signal,
  });
  try {
    await informers.synced();
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const containers = [{ name: 'main', image: 'registry.example/orders:1' }];
    const spec = { containers, schedulingGates: [{ name: FENCE_GATE }] };
    await client.create(fencedPods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...at, labels: { [FENCE_LABEL]: 'orders' } },
      spec,
    });
    const lease = { namespace: 'shop', name: 'orders', labels: { [FENCE_LABEL]: 'orders' } };
    assert.equal(await isGated(client), true);
    await client.create(fenceLeases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: lease,
      spec: { renewTime: formatMicroTime(clock.now()), leaseDurationSeconds: 2 },
    });
    await until(async () => (await isGated(client)) === false);
    await until(async () => (await isGated(client)) === undefined);
  } finally {
    stop.abort(new Error('the test is over'));
    await agent;
    await recorder.close();
    await informers.close();
    await running.close();
    await storage.close();
  }
});
