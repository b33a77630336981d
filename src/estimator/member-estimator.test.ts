import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { silentLogger } from '../base/index.ts';
import { createClient, kinds, resource } from '../client/index.ts';
import { startTestMember } from '../members/testing/started.ts';
import { createInformerSet } from '../runtime/index.ts';
import { testRandom } from '../runtime/testing/world.ts';
import { createMemberEstimator } from './member-estimator.ts';

const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const quotas = resource({ group: '', version: 'v1', resource: 'resourcequotas', namespaced: true });

/** Answers only when it is told to stop. */
function silence({ signal }: { readonly signal?: AbortSignal }): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
}

function deployment(replicas: number, cpu: string): KubeObject {
  const labels = { app: 'web' };
  const container = { name: 'c', image: 'registry.example/web', resources: { requests: { cpu } } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

test('a member estimates what fits onto its nodes, and what found none', async () => {
  await using started = await startTestMember({
    nodes: { count: 2, pods: 20 },
  });
  const { client, clock } = started;
  const informers = createInformerSet({
    client: createClient(started.member.transport),
    clock,
    random: testRandom(),
    logger: silentLogger,
  });
  const estimator = createMemberEstimator({
    client,
    informers,
    gates: { ResourceQuotaEstimate: true, SchedulingOvercommitProtection: true },
    clock,
  });
  const call = { signal: new AbortController().signal, object: '' };
  const room = (cpu: string, namespace = ''): Promise<number> =>
    estimator.maxReplicas({ requirements: { resourceRequest: { cpu }, namespace }, assumed: [] }, call);
  try {
    let known = false;
    void estimator.synced.then(() => (known = true));
    await started.until('nodes and pods are known', () => known);
    assert.equal(await room('3'), 2);
    // The sum would hold two of these, but no node does.
    assert.equal(await room('5'), 0);
    await client.create(deployments, deployment(4, '3'));
    await started.until('two pods run', async () => (await room('1')) === 2);
    const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' };
    const stuck = (thresholdMs: number): Promise<number> =>
      estimator.unschedulableReplicas({ resource: web, thresholdMs }, call);
    await started.until('two pods find no node', async () => (await stuck(0)) === 2);
    assert.equal(await stuck(3_600_000), 0);
    await assert.rejects(
      estimator.unschedulableReplicas({ resource: { ...web, name: 'none' }, thresholdMs: 0 }, call),
      { code: 404 },
    );
    await assert.rejects(
      estimator.unschedulableReplicas({ resource: { ...web, kind: 'Job' }, thresholdMs: 0 }, call),
      /kind\(Job\) .* is not supported/,
    );
    await client.create(quotas, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q', namespace: 'default' },
      spec: { hard: { 'requests.cpu': '13' } },
    });
    await started.until('the quota counts', async () => (await room('1', 'default')) === 1);
    assert.equal((await client.listAll(kinds.nodes)).items.length, 2);
  } finally {
    estimator.close();
    await informers.close();
  }
});

test('a member that is not heard of is waited for only as long as the caller wants', async () => {
  await using started = await startTestMember({ nodes: { count: 0 } });
  const { client, clock } = started;
  const informers = createInformerSet({
    client: createClient({ ...started.member.transport, send: silence, watch: silence }),
    clock,
    random: testRandom(),
    logger: silentLogger,
  });
  const gates = { ResourceQuotaEstimate: false, SchedulingOvercommitProtection: false };
  const estimator = createMemberEstimator({ client, informers, gates, clock });
  const abort = new AbortController();
  const asked = estimator.maxReplicas(
    { requirements: undefined, assumed: [] },
    { signal: abort.signal, object: '' },
  );
  abort.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
  estimator.close();
  await informers.close();
});
