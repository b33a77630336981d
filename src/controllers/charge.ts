// Whose members this process acts in: a hub pushes to its push members, an agent serves the one member beside which it
// runs. The controllers that touch members are the same in both.
import { executionNamespace, type Cluster } from '../api/index.ts';

export type Charge = { readonly role: 'hub' } | { readonly role: 'agent'; readonly cluster: string };

export function isInCharge(charge: Charge, cluster: Cluster): boolean {
  return charge.role === 'hub' ? cluster.spec.syncMode !== 'Pull' : cluster.metadata.name === charge.cluster;
}

/** Which Works this process may look at: an agent's rights end with its own execution namespace. */
export function worksInCharge(charge: Charge): { readonly namespace?: string } {
  return charge.role === 'hub' ? {} : { namespace: executionNamespace(charge.cluster) };
}
