// Joining and leaving in push mode, as upstream's `join` and `unjoin`: what is created in the member and on the
// hub, in which order, and what an interrupted run finds when it is started again (every step may already be
// done). Works on clients alone; the command and `navarch up` both use it.
import { LEAVE_BEHIND_ANNOTATION, SYSTEM_LABEL, type Cluster, type KubeObject } from '../api/index.ts';
import { OperatingError, sleep, type Clock } from '../base/index.ts';
import { isNotFound, kinds, type Client } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import {
  createAccounts,
  hasOtherAccounts,
  ownSecrets,
  type AccountsRequest,
  type JoinContext,
  removeSharedNamespace,
} from './member-accounts.ts';

export interface MemberEndpoint {
  /** URL of the member's API server, as the hub reaches it. */
  readonly server: string;
  /** PEM. Absent with insecureSkipTlsVerify. */
  readonly certificateAuthority?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly proxyUrl?: string;
}

export interface JoinRequest {
  readonly name: string;
  readonly endpoint: MemberEndpoint;
  /** Namespace for secrets on the hub and accounts in the member. */
  readonly clusterNamespace: string;
  readonly provider?: string;
  readonly region?: string;
  readonly zones?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
}

/** The identity of a cluster: the uid of its kube-system namespace. */
export async function clusterId(memberClient: Client, signal: AbortSignal): Promise<string> {
  const namespace = await memberClient.get(kinds.namespaces, { name: 'kube-system' }, { signal });
  return namespace.metadata.uid ?? '';
}

/** Registers the member; resolves when the Cluster object exists. Whether it gets Ready is for the hub to say. */
export async function joinCluster(request: JoinRequest, context: JoinContext): Promise<void> {
  const { hubClient, memberClient, progress, signal } = context;
  const { name, clusterNamespace } = request;
  const id = await clusterId(memberClient, signal);
  const registered = await hubClient.listAll(kinds.clusters, { signal });
  if (registered.items.some((cluster) => cluster.metadata.name === name || cluster.spec.id === id)) {
    throw new OperatingError(
      'CLUSTER_REGISTERED',
      `the cluster ID ${id} or the cluster name ${name} has been registered`,
      `run "kubectl get clusters" to see it, or "navarch unjoin ${name}" first`,
    );
  }
  if (request.dryRun) {
    progress(`Would register ${request.endpoint.server} as cluster ${name} (dry run)`);
    return;
  }
  progress(`Creating accounts in namespace ${clusterNamespace} of the member, and storing their credentials`);
  await createAccounts(accountsOf(request), context, ['KubeCredentials', 'KubeImpersonator']);

  progress(`Registering cluster ${name}`);
  const cluster = await hubClient.create(kinds.clusters, clusterObject(request, id), { signal });
  await ownSecrets(context, clusterNamespace, cluster, [name, `${name}-impersonator`]);
}

/**
 * Makes the hub's credentials of a registered cluster fit again after the member lost its accounts, e.g. because a
 * simulated member came back empty. Does nothing when the stored token still works.
 */
export async function refreshCredentials(request: JoinRequest, context: JoinContext): Promise<void> {
  await createAccounts(accountsOf(request), context, ['KubeCredentials', 'KubeImpersonator']);
}

function accountsOf({ name, clusterNamespace, endpoint }: JoinRequest): AccountsRequest {
  const { certificateAuthority } = endpoint;
  return { name, clusterNamespace, ...(certificateAuthority === undefined ? {} : { certificateAuthority }) };
}

function clusterObject(request: JoinRequest, id: string): Cluster {
  const { name, endpoint, clusterNamespace } = request;
  return {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, ...(request.labels === undefined ? {} : { labels: request.labels }) },
    spec: {
      id,
      syncMode: 'Push',
      apiEndpoint: endpoint.server,
      secretRef: { namespace: clusterNamespace, name },
      impersonatorSecretRef: { namespace: clusterNamespace, name: `${name}-impersonator` },
      ...(endpoint.insecureSkipTlsVerify === true ? { insecureSkipTLSVerification: true } : {}),
      ...(endpoint.proxyUrl === undefined ? {} : { proxyURL: endpoint.proxyUrl }),
      ...(request.provider === undefined ? {} : { provider: request.provider }),
      ...(request.region === undefined ? {} : { region: request.region }),
      ...(request.zones === undefined || request.zones.length === 0 ? {} : { zones: request.zones }),
    },
  };
}

export interface UnjoinRequest {
  readonly name: string;
  readonly clusterNamespace: string;
  readonly waitMs: number;
  readonly force: boolean;
  /** Without asking the member: what is there stays there, and is written down on the hub. */
  readonly leaveBehind: boolean;
  readonly dryRun: boolean;
}

/**
 * Deletes the Cluster and waits until it is gone. With a `memberClient` also what joining created in the member goes.
 * `force` drops finalizers when the wait is over; what then stays behind in the member is told through `progress`.
 */
export async function unjoinCluster(
  request: UnjoinRequest,
  context: Omit<JoinContext, 'memberClient'> & { readonly memberClient: Client | undefined },
): Promise<void> {
  const { hubClient, clock, progress, signal } = context;
  const { name } = request;
  const cluster = await hubClient.find(kinds.clusters, { name }, { signal });
  if (cluster === undefined) {
    // One that was interrupted after the cluster was gone is finished in the member.
    const { memberClient } = context;
    if (memberClient !== undefined && (await hasMemberObjects(memberClient, request, signal))) {
      if (request.dryRun) return;
      progress(`There is no cluster ${name} any more; removing what joining created in it`);
      return removeMemberObjects(memberClient, request, progress, signal);
    }
    throw new OperatingError(
      'CLUSTER_NOT_FOUND',
      `no cluster object ${name} found in karmada control Plane`,
      'run "kubectl get clusters" to see which there are',
    );
  }
  if (cluster.spec.syncMode === 'Pull') {
    throw new OperatingError(
      'PULL_MODE',
      `cluster ${name} is a Pull mode member`,
      `use "navarch unregister ${name}"`,
    );
  }
  if (request.dryRun) return;
  progress(`Deleting cluster ${name}`);
  const said = cluster.metadata.annotations?.[LEAVE_BEHIND_ANNOTATION] === 'true';
  // Also when it was said by one that was interrupted before it deleted anything.
  if (request.leaveBehind !== said && (request.leaveBehind || !isBeingDeleted(cluster))) {
    const wanted = request.leaveBehind ? 'true' : null;
    const body = { metadata: { annotations: { [LEAVE_BEHIND_ANNOTATION]: wanted } } };
    await hubClient.patch(kinds.clusters, { name }, { type: 'merge', body }, { signal });
  }
  await ignoringAbsence(hubClient.delete(kinds.clusters, { name }, { signal }));
  const gone = await waitUntilGone(hubClient, name, request.waitMs, clock, signal);
  if (!gone && !request.force) {
    throw new OperatingError(
      'UNJOIN_TIMEOUT',
      `cluster ${name} is still there after ${request.waitMs / 1000} s`,
      'look at its conditions and at the Works left in its execution namespace; --leave-behind does not wait for the cluster, --force drops finalizers',
    );
  }
  if (!gone) await dropFinalizers(hubClient, name, progress, signal);
  if (context.memberClient !== undefined) {
    progress(`Removing what joining created in ${name}`);
    await removeMemberObjects(context.memberClient, request, progress, signal);
  }
}

async function waitUntilGone(
  hubClient: Client,
  name: string,
  waitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = clock.now() + waitMs;
  for (;;) {
    if ((await hubClient.find(kinds.clusters, { name }, { signal })) === undefined) return true;
    if (clock.now() >= deadline) return false;
    await sleep(clock, Math.min(200, Math.max(deadline - clock.now(), 1)), signal);
  }
}

async function dropFinalizers(
  hubClient: Client,
  name: string,
  progress: (step: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const namespace = `karmada-es-${name}`;
  const works = await hubClient.listAll(kinds.works, { namespace, signal });
  const without = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
  for (const work of works.items) {
    const key = { namespace, name: work.metadata.name ?? '' };
    for (const manifest of work.spec.workload?.manifests ?? []) {
      const { kind, metadata } = manifest as unknown as KubeObject;
      progress(
        `Leaving ${kind} ${[metadata.namespace, metadata.name].filter(Boolean).join('/')} behind in ${name}`,
      );
    }
    await ignoringAbsence(hubClient.patch(kinds.works, key, without, { signal }));
  }
  await ignoringAbsence(hubClient.patch(kinds.namespaces, { name: namespace }, without, { signal }));
  await ignoringAbsence(hubClient.patch(kinds.clusters, { name }, without, { signal }));
}

/** Whether anything is there that joining as `name` created; what it shares with others counts only when nobody else is left. */
async function hasMemberObjects(
  memberClient: Client,
  { name, clusterNamespace: namespace }: UnjoinRequest,
  signal: AbortSignal,
): Promise<boolean> {
  const role = { name: `karmada-controller-manager:karmada-${name}` };
  const account = { namespace, name: `karmada-${name}` };
  const found = await Promise.all([
    memberClient.find(kinds.clusterRoleBindings, role, { signal }),
    memberClient.find(kinds.clusterRoles, role, { signal }),
    memberClient.find(kinds.serviceAccounts, account, { signal }),
  ]);
  if (found.some((one) => one !== undefined)) return true;
  const shared = await memberClient.find(kinds.namespaces, { name: namespace }, { signal });
  if (shared?.metadata.labels?.[SYSTEM_LABEL] !== 'true' || isBeingDeleted(shared)) return false;
  return !(await hasOtherAccounts(memberClient, namespace));
}

async function removeMemberObjects(
  memberClient: Client,
  { name, clusterNamespace: namespace }: UnjoinRequest,
  progress: (step: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const role = { name: `karmada-controller-manager:karmada-${name}` };
  await ignoringAbsence(memberClient.delete(kinds.clusterRoleBindings, role, { signal }));
  await ignoringAbsence(memberClient.delete(kinds.clusterRoles, role, { signal }));
  const account = { namespace, name: `karmada-${name}` };
  await ignoringAbsence(memberClient.delete(kinds.serviceAccounts, account, { signal }));
  const shared = await removeSharedNamespace(memberClient, namespace);
  if (shared) progress(`Leaving namespace ${namespace}, in which another control plane has accounts`);
}

async function ignoringAbsence(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
