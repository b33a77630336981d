// Whether the hub may expect a cluster to answer.
import { CLUSTER_READY_CONDITION, type Cluster } from '../api/index.ts';

export function isReady(cluster: Cluster | undefined): boolean {
  return (
    cluster?.status?.conditions?.some(
      ({ type, status }) => type === CLUSTER_READY_CONDITION && status === 'True',
    ) === true
  );
}
