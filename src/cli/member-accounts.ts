// The accounts in a member by which the control plane gets in, and their credentials on the hub: the same whether the
// control plane joins the member or an agent in it registers. Every step may have been done by an earlier, interrupted run.
import type { Cluster, KubeObject, Namespace, Secret } from '../api/index.ts';
import { OperatingError, sleep, type Clock } from '../base/index.ts';
import { isAlreadyExists, isNotFound, kinds, type Client, type Resource } from '../client/index.ts';

export interface JoinContext {
  readonly hubClient: Client;
  readonly memberClient: Client;
  readonly clock: Clock;
  /** Told before each step, in the present continuous. */
  readonly progress: (step: string) => void;
  readonly signal: AbortSignal;
}

/** Whose credentials the hub is given: the account with all rights, and the one that stands in for users. */
export type ReportedSecret = 'KubeCredentials' | 'KubeImpersonator';

export interface AccountsRequest {
  /** Of the cluster. */
  readonly name: string;
  /** Namespace for secrets on the hub and accounts in the member. */
  readonly clusterNamespace: string;
  /** PEM; absent: what the member puts into its tokens. */
  readonly certificateAuthority?: string;
}

const SYSTEM_LABEL = { 'karmada.io/system': 'true' };
export const IMPERSONATOR = 'karmada-impersonator';
const TOKEN_WAIT_MS = 30_000;

/** Makes accounts and stores their credentials; what is there stays, except credentials, which are those of now. */
export async function createAccounts(
  { name, clusterNamespace, certificateAuthority }: AccountsRequest,
  context: JoinContext,
  which: readonly ReportedSecret[],
): Promise<void> {
  const { hubClient, memberClient, signal } = context;
  await ensure(memberClient, kinds.namespaces, namespaceObject(clusterNamespace), signal);
  // An agent may not make namespaces on the hub, and finds this one there.
  if ((await hubClient.find(kinds.namespaces, { name: clusterNamespace }, { signal })) === undefined)
    await ensure(hubClient, kinds.namespaces, namespaceObject(clusterNamespace), signal);
  if (which.includes('KubeImpersonator')) {
    const { token = '' } = await accountToken(context, clusterNamespace, IMPERSONATOR);
    await putSecret(hubClient, clusterNamespace, `${name}-impersonator`, { token }, signal);
  }
  if (which.includes('KubeCredentials')) {
    const account = `karmada-${name}`;
    const credentials = await accountToken(context, clusterNamespace, account);
    await grantAll(memberClient, name, clusterNamespace, account, signal);
    const caBundle = certificateAuthority ?? decode(credentials['ca.crt']);
    const data = { token: credentials['token'] ?? '', caBundle: encode(caBundle) };
    await putSecret(hubClient, clusterNamespace, name, data, signal);
  }
}

/** The secrets go when the Cluster goes. */
export async function ownSecrets(
  { hubClient, signal }: Pick<JoinContext, 'hubClient' | 'signal'>,
  namespace: string,
  cluster: Cluster,
  secrets: readonly string[],
): Promise<void> {
  const { name = '', uid = '' } = cluster.metadata;
  const owner = {
    apiVersion: cluster.apiVersion,
    kind: cluster.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  for (const secret of secrets) {
    const body = { metadata: { ownerReferences: [owner] } };
    await hubClient.patch(kinds.secrets, { namespace, name: secret }, { type: 'merge', body }, { signal });
  }
}

function namespaceObject(name: string): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: SYSTEM_LABEL } };
}

/** Creates what is not there; what is there stays as it is, as upstream. */
async function ensure<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(resource, object as T, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** A service account with a token secret of its name; resolves with the secret's data once it is filled. */
async function accountToken(
  { memberClient, clock, signal }: JoinContext,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const metadata = { name, namespace, labels: SYSTEM_LABEL };
  await ensure(
    memberClient,
    kinds.serviceAccounts,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    signal,
  );
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, annotations: { 'kubernetes.io/service-account.name': name } },
    type: 'kubernetes.io/service-account-token',
  };
  await ensure(memberClient, kinds.secrets, secret, signal);
  const deadline = clock.now() + TOKEN_WAIT_MS;
  for (let delayMs = 10; ; delayMs = Math.min(delayMs * 2, 1000)) {
    const filled = await memberClient.find(
      kinds.secrets as Resource<Secret>,
      { namespace, name },
      { signal },
    );
    if (filled?.data?.['token'] !== undefined) return filled.data;
    if (clock.now() > deadline) {
      throw new OperatingError(
        'NO_MEMBER_TOKEN',
        `the member issued no token for service account ${namespace}/${name} within ${TOKEN_WAIT_MS / 1000} s`,
        "check that the member's service account token controller runs",
      );
    }
    await sleep(clock, delayMs, signal);
  }
}

async function grantAll(
  memberClient: Client,
  cluster: string,
  namespace: string,
  account: string,
  signal: AbortSignal,
): Promise<void> {
  const name = `karmada-controller-manager:karmada-${cluster}`;
  const metadata = { name, labels: SYSTEM_LABEL };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const role = {
    apiVersion,
    kind: 'ClusterRole',
    metadata,
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['get'] },
    ],
  };
  const binding = {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  };
  await ensure(memberClient, kinds.clusterRoles, role, signal);
  await ensure(memberClient, kinds.clusterRoleBindings, binding, signal);
}

async function putSecret(
  hubClient: Client,
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: SYSTEM_LABEL },
    type: 'Opaque',
    data,
  };
  try {
    await hubClient.create(kinds.secrets as Resource<Secret>, secret, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // A secret left from an earlier, interrupted join holds a token of the same account: the new one replaces it.
    await hubClient.patch(kinds.secrets, { namespace, name }, { type: 'merge', body: { data } }, { signal });
  }
}

function decode(base64: string | undefined): string {
  return base64 === undefined ? '' : Buffer.from(base64, 'base64').toString('utf8');
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/**
 * Removes the namespace of the accounts, unless another control plane has accounts in it: then it answers true.
 * COMPAT: upstream removes it in any case, and with it the other control plane's way in.
 */
export async function removeSharedNamespace(memberClient: Client, namespace: string): Promise<boolean> {
  if (await hasOtherAccounts(memberClient, namespace)) return true;
  try {
    await memberClient.delete(kinds.namespaces, { name: namespace });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return false;
}

export async function hasOtherAccounts(memberClient: Client, namespace: string): Promise<boolean> {
  const { items } = await memberClient.listAll(kinds.serviceAccounts, { namespace });
  const own = new Set([IMPERSONATOR, 'default']);
  return items.some(({ metadata }) => !own.has(metadata.name ?? ''));
}
