// A member that answers a probe and then falls silent, while it is asked for the rest.
import { test } from 'node:test';
import type { Cluster } from '../../api/index.ts';
import { ConnectionError, kinds, type Transport } from '../../client/index.ts';
import { startControlPlane } from '../testing/control-plane.ts';
import { joinReady, startMemberApi } from '../testing/member-api.ts';
import { clusterStatusController } from './index.ts';

const until = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );

for (const silent of ['/version', '/apis', '/api/v1/nodes'])
  test(`what falls silent when it is asked for ${silent} is noticed when it answers no probe any more`, async () => {
    await using member = await startMemberApi();
    const inner = member.transport;
    let asked = false;
    let down = false;
    const transport: Transport = {
      send(request) {
        if (request.path === '/readyz')
          return down
            ? Promise.reject(new ConnectionError('refused', 'nobody listens'))
            : Promise.resolve({ status: 200, headers: {}, body: 'ok' });
        // As what hangs in a network: only who asked can end it.
        if (request.path !== silent) return inner.send(request);
        asked = true;
        return until(request.signal);
      },
      watch: (request, onEvent) => inner.watch(request, onEvent),
      close: () => Promise.resolve(),
    };
    const settings = {
      clusterProbeTimeoutMs: 100,
      clusterStatusUpdateFrequencyMs: 20,
      clusterFailureThresholdMs: 1,
      clusterSuccessThresholdMs: 1,
    };
    await using plane = await startControlPlane({}, undefined, () => transport, { settings });
    const { client } = plane;
    await joinReady(plane, 'm1');
    const finalizers = ['karmada.io/cluster-controller'];
    await client.patch(kinds.clusters, { name: 'm1' }, { type: 'merge', body: { metadata: { finalizers } } });
    plane.run(clusterStatusController);
    await plane.until('it was asked', () => Promise.resolve(asked));
    down = true;
    await plane.until('it is not ready', async () => {
      const { status } = await client.get<Cluster>(kinds.clusters, { name: 'm1' });
      return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'False') === true;
    });
  });
