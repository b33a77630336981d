// Simulated members at run time: listed, added and removed through the control plane that runs them, at
// /simulation/members. A member that is added joins as any cluster does; one that is removed leaves as any cluster does.
import type { ApiRequest, ApiResponse, PathHandler } from '../apiserver/index.ts';
import { systemClock } from '../base/index.ts';
import { joinCluster, refreshCredentials, unjoinCluster, type JoinRequest } from '../cli/index.ts';
import { createClient, kinds, type Client, type Transport } from '../client/index.ts';
import { validateClusterName } from '../fleet/index.ts';
import { StatusError, badRequest } from '../machinery/index.ts';
import type { LocalMembers, MemberDescription, WantedMember } from './local-members.ts';

const CLUSTER_NAMESPACE = 'karmada-cluster';
const PATH = /^\/simulation\/members(?:\/([^/]+))?$/;
/** What a member may take to leave before its finalizers are dropped. */
const LEAVE_WAIT_MS = 20_000;
const NODES_MAX = 5000;

export interface MemberAdminOptions {
  readonly members: LocalMembers;
  readonly hubClient: Client;
  /** After a member came or went. */
  readonly onChange: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Registers a member that runs here, or makes the control plane's credentials of it fit again. */
export async function joinMember(
  hubClient: Client,
  member: MemberDescription,
  transport: Transport,
  signal: AbortSignal,
): Promise<void> {
  const memberClient = createClient(transport);
  const request: JoinRequest = {
    name: member.name,
    endpoint: { server: member.url, certificateAuthority: member.certificateAuthority },
    clusterNamespace: CLUSTER_NAMESPACE,
    ...(member.region === '' ? {} : { region: member.region }),
    ...(member.provider === '' ? {} : { provider: member.provider }),
    ...(member.zones.length === 0 ? {} : { zones: member.zones }),
    dryRun: false,
  };
  const context = { hubClient, memberClient, clock: systemClock, progress: () => undefined, signal };
  const known = await hubClient.find(kinds.clusters, { name: member.name }, { signal });
  if (known === undefined) return joinCluster(request, context);
  await refreshCredentials(request, context);
  // The port may be another one than last time.
  if (known.spec.apiEndpoint === member.url) return;
  await hubClient.patch(
    kinds.clusters,
    { name: member.name },
    { type: 'merge', body: { spec: { apiEndpoint: member.url } } },
    { signal },
  );
}

export function memberAdmin(options: MemberAdminOptions): PathHandler {
  // One change at a time: two members must not take the same port or file.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const next = last.then(change, change);
    last = next.catch(() => undefined);
    return next;
  };
  return (request: ApiRequest): Promise<ApiResponse> | undefined => {
    const match = PATH.exec(request.path);
    if (match === null) return undefined;
    const name = match[1] === undefined ? undefined : decodeURIComponent(match[1]);
    if (name === undefined && request.method === 'GET') return list(options);
    if (name === undefined && request.method === 'POST') return inTurn(() => add(options, request));
    if (name !== undefined && request.method === 'DELETE') return inTurn(() => remove(options, name));
    throw new StatusError(405, 'MethodNotAllowed', 'GET or POST members, or DELETE one');
  };
}

function answer(object: unknown): ApiResponse {
  return { kind: 'object', status: 200, object: Object.freeze(object) };
}

async function shown(members: LocalMembers, member: MemberDescription): Promise<object> {
  const { name, url, region, zones, provider } = member;
  return { name, endpoint: url, region, zones, provider, faults: await members.faultsOf(name) };
}

async function list({ members }: MemberAdminOptions): Promise<ApiResponse> {
  return answer({ members: await Promise.all(members.list.map((member) => shown(members, member))) });
}

async function add(
  { members, hubClient, onChange, signal }: MemberAdminOptions,
  request: ApiRequest,
): Promise<ApiResponse> {
  const wanted = readWanted(request);
  const taken = await hubClient.find(kinds.clusters, { name: wanted.name }, { signal });
  if (taken !== undefined)
    throw new StatusError(409, 'AlreadyExists', `a cluster "${wanted.name}" is registered already`);
  const member = await members.add(wanted);
  await onChange();
  await joinMember(hubClient, member, members.transportTo(member.name), signal);
  return answer(await shown(members, member));
}

function readWanted({ body }: ApiRequest): WantedMember {
  let wanted: Partial<WantedMember>;
  try {
    if (body === undefined) throw new Error('no body');
    wanted = (
      'json' in body ? body.json : JSON.parse(new TextDecoder().decode(body.bytes))
    ) as Partial<WantedMember>;
  } catch {
    throw badRequest('POST a member as JSON');
  }
  const { name, nodes, region, zones, provider } = wanted;
  if (typeof name !== 'string') throw badRequest('a member needs a name');
  const [problem] = validateClusterName(name);
  if (problem !== undefined) throw badRequest(`"${name}" is no name for a cluster: ${problem.message}`);
  if (nodes !== undefined && !(Number.isInteger(nodes) && nodes >= 0 && nodes <= NODES_MAX))
    throw badRequest(`nodes must be a whole number from 0 to ${NODES_MAX}`);
  return {
    name,
    ...(nodes === undefined ? {} : { nodes }),
    ...(typeof region === 'string' ? { region } : {}),
    ...(Array.isArray(zones) ? { zones } : {}),
    ...(typeof provider === 'string' ? { provider } : {}),
  };
}

async function remove(
  { members, hubClient, onChange, signal }: MemberAdminOptions,
  name: string,
): Promise<ApiResponse> {
  const member = members.list.find((one) => one.name === name);
  if (member === undefined)
    throw new StatusError(404, 'NotFound', `there is no simulated member "${name}" in this process`);
  const known = await hubClient.find(kinds.clusters, { name }, { signal });
  if (known !== undefined)
    await unjoinCluster(
      {
        name,
        clusterNamespace: CLUSTER_NAMESPACE,
        waitMs: LEAVE_WAIT_MS,
        force: true,
        leaveBehind: false,
        dryRun: false,
      },
      { hubClient, memberClient: undefined, clock: systemClock, progress: () => undefined, signal },
    );
  await members.remove(name);
  await onChange();
  return answer({ removed: name });
}
