// The simulated members of this process: in a thread of their own, so that what they do takes nothing from the hub, and
// reached by it without sockets.
import { Worker } from 'node:worker_threads';
import type { ApiRequest, ApiResponse, PathHandler } from '../apiserver/index.ts';
import { OperatingError } from '../base/index.ts';
import { ConnectionError, type Transport } from '../client/index.ts';
import { StatusError, badRequest } from '../machinery/index.ts';
import type { MemberCommand, MemberResult, ThreadOptions } from './member-thread/commands.ts';
import type { MemberDescription, WantedMember } from './member-thread/members.ts';
import { ThreadClient } from './member-thread/thread-client.ts';

export type { MemberDescription, WantedMember } from './member-thread/members.ts';

export interface LocalMembers {
  /** In order of their ports; changes as members come and go. */
  readonly list: readonly MemberDescription[];
  readonly names: readonly string[];
  /** As an administrator of the member of this name. */
  transportTo(name: string): Transport;
  /** The way to the member that listens at `url`; undefined: it is none of ours. */
  transportFor(url: string): Transport | undefined;
  /** POST /simulation/members/NAME/faults. */
  readonly faultHandler: PathHandler;
  /** What is wrong with a member at present. */
  faultsOf(name: string): Promise<readonly unknown[]>;
  /** Starts one more, which comes back at the next start. Throws StatusError 409 for a name that is taken. */
  add(wanted: WantedMember): Promise<MemberDescription>;
  /** Stops one and forgets what it held. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

const FAULTS_PATH = /^\/simulation\/members\/([^/]+)\/faults$/;

const YOUNG_GENERATION_MB = 24;

export async function startLocalMembers(options: ThreadOptions): Promise<LocalMembers> {
  const thread = startThread();
  const client = new ThreadClient(thread);
  thread.on('exit', () =>
    client.end(new ConnectionError('closed', 'the thread of the simulated members has ended')),
  );
  const ask = async <C extends MemberCommand>(command: C): Promise<MemberResult<C>> =>
    (await client.command(command)) as MemberResult<C>;
  let list: readonly MemberDescription[];
  try {
    list = await ask({ do: 'start', options });
  } catch (error) {
    await thread.terminate();
    throw error;
  }
  return {
    get list() {
      return list;
    },
    get names() {
      return list.map(({ name }) => name);
    },
    transportTo: (name) => client.transport(name),
    transportFor(url) {
      const member = list.find((one) => one.url === url.replace(/\/$/, ''));
      return member === undefined ? undefined : client.transport(member.name);
    },
    faultHandler(request) {
      const [, name] = FAULTS_PATH.exec(request.path) ?? [];
      if (name === undefined) return undefined;
      const known = list.find((member) => member.name === decodeURIComponent(name));
      return answerFault(request, name, known, (fault) =>
        ask({ do: 'fault', name: known?.name ?? name, fault }),
      );
    },
    async faultsOf(name) {
      if (!list.some((member) => member.name === name)) return [];
      const answer = await ask({ do: 'fault', name, fault: { action: 'list' } });
      return answer.ok ? answer.faults : [];
    },
    async add(wanted) {
      list = await ask({ do: 'add', wanted });
      const added = list.find(({ name }) => name === wanted.name);
      if (added === undefined)
        throw new OperatingError('MEMBER_GONE', `member ${wanted.name} has gone`, 'add it again');
      return added;
    },
    async remove(name) {
      list = await ask({ do: 'remove', name });
    },
    async close() {
      try {
        await ask({ do: 'close' });
      } finally {
        await thread.terminate();
      }
    },
  };
}

/** A failure of the thread that nobody caught is one of the process. */
function startThread(): Worker {
  // In the bundle this file is dist/navarch.mjs, and the thread's file has been built beside it.
  const file = import.meta.url.endsWith('.ts')
    ? new URL('./member-thread/thread.ts', import.meta.url)
    : new URL('./member-thread.mjs', import.meta.url);
  // Short-lived garbage is collected early: as fast as with all the room it could take, in a tenth less memory.
  return new Worker(file, {
    name: 'members',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
}

async function answerFault(
  request: ApiRequest,
  name: string,
  known: MemberDescription | undefined,
  carryOut: (fault: unknown) => Promise<object>,
): Promise<ApiResponse> {
  if (known === undefined)
    throw new StatusError(404, 'NotFound', `there is no simulated member "${name}" in this process`);
  if (request.method !== 'POST' || request.body === undefined) throw badRequest('POST a fault as JSON');
  const { body } = request;
  let fault: unknown;
  try {
    fault = 'json' in body ? body.json : JSON.parse(new TextDecoder().decode(body.bytes));
  } catch {
    throw badRequest('the fault is no JSON');
  }
  return { kind: 'object', status: 200, object: Object.freeze(await carryOut(fault)) };
}
