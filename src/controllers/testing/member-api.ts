// The API server of a member, and nothing behind it: what a test does not do there is not done.
import assert from 'node:assert/strict';
import { clusterKind, crdOf, type Cluster, type KubeObject } from '../../api/index.ts';
import {
  createMetricsRegistry,
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
} from '../../apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import {
  createClient,
  isAlreadyExists,
  isNotFound,
  kinds,
  type Client,
  type Transport,
} from '../../client/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import type { ControlPlane } from './control-plane.ts';

export interface MemberApi extends AsyncDisposable {
  readonly transport: Transport;
  /** As somebody in the member. */
  clientOf(fieldManager: string): Client;
}

/** With a namespace `shop`. */
export async function startMemberApi(): Promise<MemberApi> {
  const clock = systemClock;
  const storage = createMemoryStorage<KubeObject>(objectCodec);
  const running = await startApiServer({
    storage,
    clock,
    random: systemRandom,
    logger: silentLogger,
    certificates: await openCertificates({ vault: memoryVault(), now: clock.now(), clusterName: 'member' }),
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('v1.36.2', 'test'),
    metrics: createMetricsRegistry(),
  });
  const transport = running.server.inProcess({
    name: 'admin',
    groups: ['system:masters', 'system:authenticated'],
  });
  const clientOf = (fieldManager: string): Client => createClient(transport, { fieldManager });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  await clientOf('test').create(kinds.namespaces, namespace);
  return {
    transport,
    clientOf,
    async [Symbol.asyncDispose]() {
      await running.close();
      await storage.close();
    },
  };
}

/** Makes the hub take `cluster` for a member that is ready and that it has credentials for. */
export async function joinReady(plane: ControlPlane, cluster: string): Promise<void> {
  const { client } = plane;
  await ensure(client.create(kinds.customResourceDefinitions, crdOf(clusterKind)));
  for (const name of [`karmada-es-${cluster}`, 'karmada-cluster'])
    await ensure(
      client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    );
  const secretRef = { namespace: 'karmada-cluster', name: cluster };
  await client.create(kinds.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: secretRef,
    data: { token: btoa('token'), caBundle: btoa('ca') },
  });
  const spec = { syncMode: 'Push' as const, apiEndpoint: `https://${cluster}.example`, secretRef };
  const apiVersion = 'cluster.karmada.io/v1alpha1';
  let created: Cluster | undefined;
  await plane.until('clusters are served', async () => {
    try {
      created = await client.create(kinds.clusters, {
        apiVersion,
        kind: 'Cluster',
        metadata: { name: cluster },
        spec,
      });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  });
  assert(created !== undefined);
  const ready = {
    type: 'Ready',
    status: 'True' as const,
    reason: 'ClusterReady',
    message: 'cluster is healthy',
  };
  const conditions = [{ ...ready, lastTransitionTime: '2026-01-01T00:00:00Z' }];
  await client.updateStatus(kinds.clusters, { ...created, status: { conditions } });
}

async function ensure(created: Promise<unknown>): Promise<void> {
  try {
    await created;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
