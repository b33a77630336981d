import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../api/index.ts';
import { silentLogger, systemRandom } from '../base/index.ts';
import { ConnectionError, createClient, kinds, type Transport } from '../client/index.ts';
import { defaultControllerSettings, type Controller } from '../controllers/index.ts';
import { ManualClock, settled } from '../runtime/testing/manual-clock.ts';
import { startControllers } from './controller-process.ts';

const until = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );

/** A hub without any objects. */
const empty: Transport = {
  send: () =>
    Promise.resolve({
      status: 200,
      body: { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [] },
    }),
  watch: ({ signal }) => until(signal).catch(() => undefined),
  close: () => Promise.resolve(),
};
/** Takes every request and answers none. */
const silent: Transport = {
  send: ({ signal }) => until(signal),
  watch: ({ signal }) => until(signal),
  close: () => Promise.resolve(),
};
/** The same, as a transport over the network behaves when it is closed. */
function silentMember(): Transport {
  const closed = Promise.withResolvers<never>();
  return {
    send: () => closed.promise,
    watch: () => closed.promise,
    close: () => Promise.resolve(closed.reject(new ConnectionError('closed', 'it has been closed'))),
  };
}

const cluster: Cluster = {
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'm1', uid: 'uid-m1' },
  spec: { syncMode: 'Push' },
};
const asksMember: Controller = {
  name: 'cluster',
  run: ({ members }) => members.connect(cluster).mapper.refresh(),
};
const waitsForHub: Controller = {
  name: 'cluster',
  run: async ({ informers }) => informers.informer(kinds.clusters).synced,
};

const cases = [
  { what: 'a member', hub: empty, controller: asksMember },
  { what: 'its hub', hub: silent, controller: waitsForHub },
];
for (const { what, hub, controller } of cases)
  test(`a process ends although it waits for ${what}, which does not answer`, async () => {
    const clock = new ManualClock();
    const controllers = startControllers({
      charge: { role: 'hub' },
      controllers: [controller],
      hubClient: createClient(hub),
      settings: defaultControllerSettings,
      endpoints: () => ({
        source: () => undefined,
        of: () => ({
          cluster: 'm1',
          server: 'https://m1.example',
          certificateAuthority: undefined,
          insecureSkipTlsVerify: true,
          bearerToken: () => '',
          proxyUrl: undefined,
          proxyHeaders: {},
        }),
      }),
      openMember: silentMember,
      component: 'test',
      clock,
      random: systemRandom,
      logger: silentLogger,
    });
    await settled();
    let ended = false;
    const closed = controllers.close().then(() => (ended = true));
    await settled();
    assert.equal(ended, false, 'what is under way may end by itself');
    await clock.advance(10_000);
    await clock.advance(1_000);
    await closed;
    assert.equal(clock.timerCount, 0);
  });
