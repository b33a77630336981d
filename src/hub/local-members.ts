// The simulated members of this process: started beside the hub, reached by it without sockets, and commanded through
// it.
import path from 'node:path';
import {
  objectCodec,
  type ApiRequest,
  type ApiResponse,
  type KubeconfigContext,
  type PathHandler,
} from '../apiserver/index.ts';
import { systemClock, systemRandom, type Logger } from '../base/index.ts';
import type { Transport } from '../client/index.ts';
import { StatusError, badRequest } from '../machinery/index.ts';
import { startMember, type Member } from '../members/index.ts';
import { openFileStorage, type StorageWorker } from '../storage/index.ts';

export interface LocalMembersOptions {
  readonly members: number;
  readonly dataDirectory: string;
  readonly memberBasePort: number;
  readonly bindAddress: string;
  readonly simulate: 'workloads' | 'none';
  /** Nodes of each member. */
  readonly memberNodes: number;
  readonly worker: StorageWorker;
  readonly logger: Logger;
}

export interface LocalMember {
  readonly name: string;
  readonly url: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly kubeconfigContext: KubeconfigContext;
  /** As an administrator. */
  readonly transport: Transport;
  readonly region: string;
  readonly zones: readonly string[];
  readonly provider: string;
}

export interface LocalMembers {
  readonly list: readonly LocalMember[];
  readonly names: readonly string[];
  /** The way to the member that listens at `url`; undefined: it is none of ours. */
  transportFor(url: string): Transport | undefined;
  /** POST /simulation/members/NAME/faults. */
  readonly faultHandler: PathHandler;
  close(): Promise<void>;
}

// So that region, zone and provider of clusters have something to tell apart.
const REGIONS = ['europe', 'america', 'asia'];
const FAULTS_PATH = /^\/simulation\/members\/([^/]+)\/faults$/;

export async function startMembers(options: LocalMembersOptions): Promise<LocalMembers> {
  const started: { readonly member: Member; close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.close()));
  };
  try {
    await Promise.all(
      Array.from({ length: options.members }, async (_, index) => {
        started.push(await startOne(options, index));
      }),
    );
    await Promise.all(started.map(({ member }) => member.ready));
  } catch (error) {
    await close();
    throw error;
  }
  const members = started.map(({ member }) => member).sort((a, b) => a.port - b.port);
  const list = members.map(localMember);
  const byName = new Map(members.map((member) => [member.name, member]));
  return {
    list,
    names: list.map(({ name }) => name),
    transportFor: (url) => lent(members.find((member) => member.url === url.replace(/\/$/, ''))?.transport),
    faultHandler: (request) => faultAnswer(request, byName),
    close,
  };
}

/** Several clusters may be one member: closing the way of one must not close that of another. */
function lent(transport: Transport | undefined): Transport | undefined {
  if (transport === undefined) return undefined;
  return {
    send: (request) => transport.send(request),
    watch: (request, onEvent) => transport.watch(request, onEvent),
    close: () => Promise.resolve(),
  };
}

async function startOne(
  options: LocalMembersOptions,
  index: number,
): Promise<{ readonly member: Member; close(): Promise<void> }> {
  const name = `member${index + 1}`;
  const directory = path.join(options.dataDirectory, 'members', name);
  // Survives the end of the process, however it comes; a simulated cluster need not survive the loss of power.
  const storage = await openFileStorage({
    directory: path.join(directory, 'store'),
    codec: objectCodec,
    durability: 'process',
    worker: options.worker,
  });
  try {
    const member = await startMember({
      name,
      storage,
      clock: systemClock,
      random: systemRandom,
      logger: options.logger,
      host: options.bindAddress,
      port: options.memberBasePort + index,
      simulate: options.simulate,
      nodes: { count: options.memberNodes },
      certificatesDirectory: path.join(directory, 'pki'),
    });
    return {
      member,
      async close() {
        await member.close();
        await storage.close();
      },
    };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function localMember(member: Member, index: number): LocalMember {
  const { name, url, transport, kubeconfigContext } = member;
  const region = REGIONS[index % REGIONS.length] ?? '';
  return {
    name,
    url,
    certificateAuthority: kubeconfigContext.certificateAuthority,
    kubeconfigContext,
    transport,
    region,
    zones: [`${region}-${1 + Math.floor(index / REGIONS.length)}`],
    provider: 'simulation',
  };
}

function faultAnswer(
  request: ApiRequest,
  members: ReadonlyMap<string, Member>,
): Promise<ApiResponse> | undefined {
  const [, name] = FAULTS_PATH.exec(request.path) ?? [];
  if (name === undefined) return undefined;
  return answerFault(request, members.get(decodeURIComponent(name)), name);
}

async function answerFault(
  request: ApiRequest,
  member: Member | undefined,
  name: string,
): Promise<ApiResponse> {
  if (member === undefined)
    throw new StatusError(404, 'NotFound', `there is no simulated member "${name}" in this process`);
  if (request.method !== 'POST' || request.body === undefined) throw badRequest('POST a fault as JSON');
  const { body } = request;
  let fault: unknown;
  try {
    fault = 'json' in body ? body.json : JSON.parse(new TextDecoder().decode(body.bytes));
  } catch {
    throw badRequest('the fault is no JSON');
  }
  const answer = await member.handleFault(fault);
  return { kind: 'object', status: 200, object: Object.freeze(answer) };
}
