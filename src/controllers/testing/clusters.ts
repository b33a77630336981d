// Clusters for control planes of tests: served as custom resources, ready to take Deployments, with room for 100 pods.
import { clusterKind, crdOf, type Cluster } from '../../api/index.ts';
import { isNotFound, kinds } from '../../client/index.ts';
import type { ControlPlane } from './control-plane.ts';

/** @param labels by cluster */
export async function joinClusters(
  plane: ControlPlane,
  labels: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<void> {
  const { client } = plane;
  await client.create(kinds.customResourceDefinitions, crdOf(clusterKind));
  await plane.until('clusters are served', async () => {
    try {
      return (await client.list(kinds.clusters)).items.length === 0;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  });
  for (const [name, own] of Object.entries(labels)) {
    const cluster = await client.create(kinds.clusters, {
      apiVersion: 'cluster.karmada.io/v1alpha1',
      kind: 'Cluster',
      metadata: { name, labels: own },
      spec: { syncMode: 'Push' },
    });
    const status: Cluster['status'] = {
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
      resourceSummary: { allocatable: { pods: '100' } },
    };
    await client.updateStatus(kinds.clusters, { ...cluster, status });
  }
}
