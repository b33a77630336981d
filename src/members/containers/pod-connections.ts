// The subresources of pods that need a kubelet behind them, answered by simulated containers: logs, exec, attach and
// port-forward. COMPAT: which container is meant, and what is refused and how, is as kube-apiserver and kubelet do it.
import type { Container } from '../../api/index.ts';
import {
  chooseContainer,
  mustHaveNode,
  plainText,
  portForward,
  readLogOptions,
  remoteCommand,
  type ApiResponse,
  type PodLogOptions,
  type PortStreams,
  type Subresource,
  type SubresourceCall,
} from '../../apiserver/index.ts';
import { sleep, type Clock } from '../../base/index.ts';
import { badRequest, fieldError, type FieldError } from '../../machinery/index.ts';
import type { Pod } from '../kinds.ts';
import { instanceOf, linesOf, nextLineMs, selected, shown, type Instance } from './container-log.ts';
import { containerWorld } from './container-world.ts';
import { listenerAt, pageOf } from './pages.ts';
import { Shell, type ShellStreams } from './shell.ts';

/** How often a log that is followed looks whether its container has ended. */
const FOLLOW_PERIOD_MS = 1000;

export function podConnections(clock: Clock): Readonly<Record<string, Subresource>> {
  return {
    log: { verbs: ['get'], streams: true, serve: (call) => serveLog(call, clock) },
    exec: {
      verbs: ['create', 'get'],
      kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
      connects: 'PodExecOptions',
      streams: true,
      serve: (call) => serveExec(call, clock),
    },
    attach: {
      verbs: ['create', 'get'],
      kind: { group: '', version: 'v1', kind: 'PodAttachOptions' },
      connects: 'PodAttachOptions',
      streams: true,
      serve: (call) => serveAttach(call, clock),
    },
    portforward: {
      verbs: ['create', 'get'],
      kind: { group: '', version: 'v1', kind: 'PodPortForwardOptions' },
      connects: 'PodPortForwardOptions',
      streams: true,
      serve: servePortForward,
    },
  };
}

// ---- which pod, which container

function statusOf({ status }: Pod, { name }: Container): Parameters<typeof instanceOf>[2] {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((one) => one.name === name);
}

/** Refuses what is not on a node or does not run; undefined: it can be used. */
function mustRun(pod: Pod, container: Container): ApiResponse | undefined {
  mustHaveNode(pod);
  if (statusOf(pod, container)?.state?.running !== undefined) return undefined;
  return plainText(500, `container not found (${JSON.stringify(container.name)})`);
}

const isSet = (query: URLSearchParams, name: string): boolean =>
  query.has(name) && !['false', '0'].includes(query.get(name)!);

// ---- logs

async function serveLog(call: SubresourceCall, clock: Clock): Promise<ApiResponse> {
  const options = readLogOptions(call, clock.now());
  const pod = (await call.parent()) as Pod;
  const container = chooseContainer(pod, call.request.query.get('container') ?? '');
  const headers = { 'content-type': 'text/plain' };
  // A pod that no node has taken yet has written nothing.
  if ((pod.spec.nodeName ?? '') === '')
    return { kind: 'stream', status: 200, headers, run: () => Promise.resolve() };
  const instance = await readInstance(call, pod, container, options.previous, clock);
  return {
    kind: 'stream',
    status: 200,
    headers,
    run: (write, signal) => writeLog(call, container, instance, options, clock, write, signal),
  };
}

/** Throws a 400 StatusError when there is no log. */
async function readInstance(
  call: SubresourceCall,
  pod: Pod,
  container: Container,
  previous: boolean,
  clock: Clock,
): Promise<Instance> {
  const found = instanceOf(pod.metadata.name ?? '', container, statusOf(pod, container), previous);
  if (found.kind === 'refused') throw badRequest(found.message);
  return { ...found.instance, said: await saidBy(call, pod, container, clock) };
}

/** What the container's own command says, as far as it can be run here and says it at once. */
async function saidBy(
  call: SubresourceCall,
  pod: Pod,
  container: Container,
  clock: Clock,
): Promise<readonly string[]> {
  const argv = [...(container.command ?? []), ...(container.args ?? [])];
  if (argv.length === 0 || !Shell.knows(argv[0] ?? '')) return [];
  const world = await containerWorld(call.objects, pod, container, () => clock.now());
  let text = '';
  const add = (said: string): Promise<void> => {
    text += said;
    return Promise.resolve();
  };
  const later = new Error('the command goes on later');
  try {
    await new Shell(world).run(argv, {
      stdin: nothing(),
      out: add,
      err: add,
      sleep: () => Promise.reject(later),
    });
  } catch (error) {
    if (error !== later) throw error;
  }
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // There is no standard input.
}

type Write = (bytes: Uint8Array) => Promise<void>;

async function writeLog(
  call: SubresourceCall,
  container: Container,
  instance: Instance,
  options: PodLogOptions,
  clock: Clock,
  write: Write,
  signal: AbortSignal,
): Promise<void> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const put = async (text: string): Promise<void> => {
    if (text === '') return;
    const bytes = Buffer.from(text).subarray(0, left);
    left -= bytes.length;
    await write(bytes);
  };
  let untilMs = clock.now();
  const first = selected(linesOf(instance, untilMs), options);
  await put(first.map((line) => shown(line, options.timestamps)).join(''));
  if (!options.follow) return;
  let current = instance;
  while (left > 0 && !signal.aborted) {
    const nextMs = nextLineMs(current, untilMs);
    if (nextMs === undefined) return;
    const waitMs = Math.min(Math.max(nextMs - clock.now(), 1), FOLLOW_PERIOD_MS);
    await sleep(clock, waitMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    current = await laterInstance(call, container, current);
    const nowMs = clock.now();
    const since = untilMs;
    const lines = linesOf(current, nowMs).filter(({ atMs }) => atMs > since);
    await put(lines.map((line) => shown(line, options.timestamps)).join(''));
    untilMs = nowMs;
  }
}

/** The same run as its pod's status has it now; one that is gone has ended. */
async function laterInstance(
  call: SubresourceCall,
  container: Container,
  instance: Instance,
): Promise<Instance> {
  const { namespace, name } = call.info;
  const pod = (await call.objects.get('', 'pods', namespace, name)) as Pod | undefined;
  const found = pod === undefined ? undefined : instanceOf(name, container, statusOf(pod, container), false);
  if (found?.kind === 'instance' && found.instance.startedMs === instance.startedMs) {
    return { ...found.instance, said: instance.said };
  }
  return { ...instance, ended: instance.ended ?? { atMs: instance.startedMs, exitCode: 0 } };
}

// ---- exec, attach

function commandOptions(query: URLSearchParams): Parameters<typeof remoteCommand>[1] {
  const tty = isSet(query, 'tty');
  return {
    stdin: isSet(query, 'stdin'),
    stdout: isSet(query, 'stdout'),
    // COMPAT: a terminal has one output.
    stderr: isSet(query, 'stderr') && !tty,
    tty,
  };
}

async function serveExec(call: SubresourceCall, clock: Clock): Promise<ApiResponse> {
  const { query } = call.request;
  const pod = (await call.parent()) as Pod;
  const command = query.getAll('command');
  const options = commandOptions(query);
  const errors: FieldError[] = [];
  if (!options.stdin && !options.stdout && !options.stderr) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  if (command.length === 0) errors.push(fieldError.required('command'));
  if (errors.length > 0) call.refuseInvalid('PodExecOptions', errors);
  const container = chooseContainer(pod, query.get('container') ?? '');
  const refused = mustRun(pod, container);
  if (refused !== undefined) return refused;
  const world = await containerWorld(call.objects, pod, container, () => clock.now());
  return remoteCommand(call.request, options, clock, async ({ stdin, stdout, stderr, signal }) => {
    const line = (text: string): Uint8Array =>
      Buffer.from(options.tty ? text.replaceAll('\n', '\r\n') : text);
    const streams: ShellStreams = {
      stdin,
      out: (text) => stdout(line(text)),
      err: (text) => (options.tty ? stdout(line(text)) : stderr(line(text))),
      sleep: (ms) => sleep(clock, ms, signal),
    };
    return new Shell(world).run(command, streams);
  });
}

async function serveAttach(call: SubresourceCall, clock: Clock): Promise<ApiResponse> {
  const { query } = call.request;
  const pod = (await call.parent()) as Pod;
  const options = commandOptions(query);
  if (!options.stdin && !options.stdout && !options.stderr) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  const container = chooseContainer(pod, query.get('container') ?? '');
  const refused = mustRun(pod, container);
  if (refused !== undefined) return refused;
  const instance = await readInstance(call, pod, container, false, clock);
  return remoteCommand(call.request, options, clock, async ({ stdout, signal }) => {
    const follow: PodLogOptions = {
      tailLines: 0,
      sinceMs: undefined,
      limitBytes: undefined,
      timestamps: false,
      follow: true,
      previous: false,
    };
    await stdout(
      Buffer.from(`attached to simulated container ${container.name}; what is typed goes nowhere\r\n`),
    );
    await writeLog(call, container, instance, follow, clock, stdout, signal);
    return 0;
  });
}

// ---- ports

// LIMIT: of the head of a request through a forwarded port.
const HEAD_MAX_BYTES = 64 * 1024;

async function servePortForward(call: SubresourceCall): Promise<ApiResponse> {
  const pod = (await call.parent()) as Pod;
  mustHaveNode(pod);
  const { uid } = pod.metadata;
  return portForward(call.request, async (port, streams) => {
    const listening = listenerAt(pod, port);
    if (listening === undefined) {
      return `error forwarding port ${port} to pod ${uid}, uid : failed to connect to localhost:${port} inside namespace ${JSON.stringify(uid)}: connection refused: no simulated container declares this port`;
    }
    await answerHttp(pod, listening, streams);
    return undefined;
  });
}

/** A simulated container behind a port answers HTTP, and says that it is simulated. */
async function answerHttp(pod: Pod, container: Container, { input, write }: PortStreams): Promise<void> {
  let head = '';
  for await (const chunk of input) {
    head += Buffer.from(chunk).toString('latin1');
    if (head.includes('\r\n\r\n') || head.length > HEAD_MAX_BYTES) break;
  }
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r\n/.exec(head) ?? [];
  if (method === undefined || target === undefined) {
    if (head !== '') await write(Buffer.from('this container is simulated, and answers HTTP only\n'));
    return;
  }
  const body = pageOf(pod, container, method, target);
  const lines = [
    'HTTP/1.1 200 OK',
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  await write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : body}`));
}
