// agentcsrapproving: the certificate requests of agents are approved without anybody looking, when their sender may
// ask. COMPAT: anything else about them is left pending, never denied.
import type { AutoApproval } from '../housekeeping/index.ts';

/** As `--controllers` names it. */
export const AGENT_APPROVAL_CONTROLLER = 'agentcsrapproving';
export const AGENT_ORGANIZATION = 'system:karmada:agents';
export const AGENT_USER_PREFIX = 'system:karmada:agent:';

const SIGNER = 'kubernetes.io/kube-apiserver-client';

export const agentApproval: AutoApproval = {
  matches({ spec }, { commonName, organizations, hosts, otherNames }) {
    const usages = new Set(spec.usages ?? []);
    usages.delete('key encipherment');
    return (
      spec.signerName === SIGNER &&
      organizations.length === 1 &&
      organizations[0] === AGENT_ORGANIZATION &&
      commonName.startsWith(AGENT_USER_PREFIX) &&
      hosts.length + otherNames === 0 &&
      usages.size === 2 &&
      usages.has('digital signature') &&
      usages.has('client auth')
    );
  },
  permissions: { own: 'selfclusteragent', any: 'clusteragent' },
  message: 'Auto approving agent client certificate after SubjectAccessReview.',
};
