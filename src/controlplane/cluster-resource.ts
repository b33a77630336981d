// Cluster as the hub's API server serves it: completion, validation and columns as upstream's aggregated server.
import { clusterDefinitions, clusterKind, type Cluster, type KubeObject } from '../api/index.ts';
import {
  canonicalCluster,
  canonicalClusterStatus,
  prepareClusterForCreate,
  prepareClusterForUpdate,
  validateCluster,
} from '../admission/index.ts';
import {
  aggregatedKind,
  formatAge,
  type ColumnDefinition,
  type Printer,
  type ResourceDefinition,
  type Subresource,
} from '../apiserver/index.ts';
import { formatTime, type FeatureGates } from '../base/index.ts';
import { semanticEqual } from '../machinery/index.ts';

function column(
  name: string,
  description: string,
  priority = 0,
  type: ColumnDefinition['type'] = 'string',
  format = '',
): ColumnDefinition {
  return { name, type, format, description, priority };
}

const columns: readonly ColumnDefinition[] = [
  column('Name', 'Name of the cluster.', 0, 'string', 'name'),
  column('Version', 'Kubernetes version of the member.'),
  column('Mode', 'How the control plane and the member talk to each other.'),
  column('Ready', 'Whether the member is healthy.'),
  column('Age', 'Time since the cluster was registered.', 0, 'date'),
  column('Zones', 'Zones the member is in.', 1),
  column('Region', 'Region the member is in.', 1),
  column('Provider', 'Who provides the member.', 1),
  column('API-Endpoint', 'URL of the API server of the member.', 1),
  column('Proxy-URL', 'Proxy through which the member is reached.', 1),
];

const NONE = '<none>';

const printer: Printer = {
  columns,
  cells(object, nowMs) {
    const { metadata, spec, status } = object as Cluster;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
    const zones = (spec.zones ?? []).join(',');
    return [
      metadata.name,
      status?.kubernetesVersion ?? '',
      spec.syncMode,
      ready,
      formatAge(metadata.creationTimestamp, nowMs),
      zones === '' ? NONE : zones,
      spec.region || NONE,
      spec.provider || NONE,
      spec.apiEndpoint || NONE,
      spec.proxyURL || NONE,
    ];
  },
};

/** @param subresources besides the status: the proxy by which members are reached, and the suspension */
export function clusterResource(
  gates: FeatureGates,
  subresources: Readonly<Record<string, Subresource>>,
): ResourceDefinition {
  const options = { resourceModels: gates.CustomizedClusterResourceModeling };
  const canonical = (cluster: Cluster, nowMs: number): KubeObject =>
    canonicalCluster(cluster, formatTime(nowMs));
  const [definition = 'Cluster'] = [...clusterDefinitions.values()];
  return aggregatedKind(clusterKind, {
    definition,
    printer,
    subresources,
    prepareStatus: (object) => canonicalClusterStatus(object as Cluster),
    strategy: {
      generation: (next, old) => !semanticEqual((next as Cluster).spec, (old as Cluster).spec),
      // Names are checked with the rest, in upstream's words and at its length.
      nameRule: () => [],
      // COMPAT: upstream brings Clusters into canonical form after validation; what messages show is the same.
      prepareForCreate: (object, { nowMs }) =>
        canonical(prepareClusterForCreate(object as Cluster, options), nowMs),
      prepareForUpdate: (next, _old, { nowMs }) =>
        canonical(prepareClusterForUpdate(next as Cluster, options), nowMs),
      validate: (object) => validateCluster(object as Cluster),
    },
  });
}
