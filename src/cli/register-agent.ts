// What an agent does before it serves: finds out which cluster it stands beside, makes the accounts by which the hub's
// proxy gets in, and registers the Cluster in pull mode, or finds its own registration of last time.
import type { Cluster } from '../api/index.ts';
import { OperatingError } from '../base/index.ts';
import { isForbidden, kinds } from '../client/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { clusterId, type JoinRequest } from './join.ts';
import { createAccounts, ownSecrets, type JoinContext, type ReportedSecret } from './member-accounts.ts';

export interface AgentRegistration extends Omit<JoinRequest, 'endpoint' | 'dryRun'> {
  /** Where others reach the member, for its proxy; absent: nobody does. */
  readonly apiEndpoint?: string;
  /** Through which proxy they do. */
  readonly proxyUrl?: string;
  readonly insecureSkipTlsVerify: boolean;
  /** PEM. */
  readonly certificateAuthority?: string;
  readonly reportSecrets: readonly ReportedSecret[];
}

/** Resolves when the Cluster is there and says what `request` says. May be called again at every start. */
export async function registerAgent(request: AgentRegistration, context: JoinContext): Promise<void> {
  const { hubClient, memberClient, progress, signal } = context;
  const { name } = request;
  const id = await clusterId(memberClient, signal);
  const { items } = await hubClient.listAll(kinds.clusters, { signal });
  const known = items.find(({ metadata }) => metadata.name === name);
  const sameId = items.find(({ spec }) => spec.id === id);
  if (known !== undefined && known.spec.syncMode !== 'Pull')
    throw registered(name, 'it is in push mode', `run "navarch unjoin ${name}" first, or take another name`);
  if ((known !== undefined && known.spec.id !== id) || (sameId !== undefined && sameId !== known)) {
    throw registered(
      name,
      `the cluster ID ${id} or the cluster name ${name} has been registered`,
      'run "kubectl get clusters" to see by whom, and unregister the one that is no longer there',
    );
  }
  const wanted = clusterObject(request, id);
  if (request.reportSecrets.length > 0) {
    progress('Creating accounts in the member and reporting their credentials to the hub');
    await createAccounts(request, context, request.reportSecrets);
  }
  if (known === undefined) {
    progress(`Registering cluster ${name} in pull mode`);
    const created = await hubClient.create(kinds.clusters, wanted, { signal });
    await ownReported(request, created, context);
    return;
  }
  await bringUpToDate(known, wanted, context);
  await ownReported(request, known, context);
}

async function bringUpToDate(known: Cluster, wanted: Cluster, context: JoinContext): Promise<void> {
  const { hubClient, progress, signal } = context;
  const { name = '' } = known.metadata;
  // Only what an agent says about its cluster: taints and resource models are the operator's.
  const spec = { ...known.spec, ...wanted.spec };
  if (deepEqual(spec, known.spec)) return;
  progress(`Updating the registration of cluster ${name}`);
  try {
    await hubClient.patch(
      kinds.clusters,
      { name },
      { type: 'merge', body: { spec: wanted.spec } },
      { signal },
    );
  } catch (error) {
    // COMPAT: the rights that upstream's registration gives an agent do not hold this one.
    if (!isForbidden(error)) throw error;
    progress(
      `The hub does not let this agent change its Cluster; it stays as registered. To mend it: run "navarch create clusterrole agent-cluster-${name} --verb=update,patch --resource=clusters.cluster.karmada.io --resource-name=${name}" and "navarch create clusterrolebinding agent-cluster-${name} --clusterrole=agent-cluster-${name} --user=system:karmada:agent:${name}" on the hub`,
    );
  }
}

async function ownReported(
  { clusterNamespace, reportSecrets, name }: AgentRegistration,
  cluster: Cluster,
  { hubClient, signal }: JoinContext,
): Promise<void> {
  if (reportSecrets.length === 0) return;
  const secrets = [
    ...(reportSecrets.includes('KubeCredentials') ? [name] : []),
    ...(reportSecrets.includes('KubeImpersonator') ? [`${name}-impersonator`] : []),
  ];
  await ownSecrets({ hubClient, signal }, clusterNamespace, cluster, secrets);
}

function clusterObject(request: AgentRegistration, id: string): Cluster {
  const { name, clusterNamespace, reportSecrets } = request;
  const secret = (of: string): { readonly namespace: string; readonly name: string } => ({
    namespace: clusterNamespace,
    name: of,
  });
  return {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: {
      id,
      syncMode: 'Pull',
      ...(request.apiEndpoint === undefined ? {} : { apiEndpoint: request.apiEndpoint }),
      ...(request.proxyUrl === undefined ? {} : { proxyURL: request.proxyUrl }),
      ...(request.insecureSkipTlsVerify ? { insecureSkipTLSVerification: true } : {}),
      ...(reportSecrets.includes('KubeCredentials') ? { secretRef: secret(name) } : {}),
      ...(reportSecrets.includes('KubeImpersonator')
        ? { impersonatorSecretRef: secret(`${name}-impersonator`) }
        : {}),
      ...(request.provider === undefined ? {} : { provider: request.provider }),
      ...(request.region === undefined ? {} : { region: request.region }),
      ...(request.zones === undefined || request.zones.length === 0 ? {} : { zones: request.zones }),
    },
  };
}

function registered(name: string, why: string, nextStep: string): OperatingError {
  return new OperatingError('CLUSTER_REGISTERED', `cluster ${name} cannot be registered: ${why}`, nextStep);
}
