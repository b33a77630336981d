// One renewal of a fencing lease in a member: by the hub in push members, by the agent in pull members.
import { FENCE_LABEL, type Lease } from '../api/index.ts';
import { formatMicroTime, type Clock } from '../base/index.ts';
import { isNotFound, resource, type Client } from '../client/index.ts';

const leases = resource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
});

export interface FenceRenewal {
  readonly namespace: string;
  /** Of the lease. */
  readonly name: string;
  /** The cluster in which the workload may run. */
  readonly holder: string;
  readonly leaseMs: number;
}

/** @param signal what is aborted may still reach the member */
export async function renewFenceLease(
  memberClient: Client,
  clock: Clock,
  { namespace, name, holder, leaseMs }: FenceRenewal,
  signal: AbortSignal,
): Promise<void> {
  const metadata = { namespace, name, labels: { [FENCE_LABEL]: name } };
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    renewTime: formatMicroTime(clock.now()),
  };
  try {
    await memberClient.patch(leases, metadata, { type: 'merge', body: { spec } }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec } as Lease;
    await memberClient.create(leases, lease, { signal });
  }
}
