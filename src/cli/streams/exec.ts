// `exec` and `attach`: a process in a container, of the control plane's own API or of a member.
import { Option, type Command } from 'commander';
import { readDuration, type SetExitCode } from '../command.ts';
import {
  completeNames,
  readObjects,
  scopedSession,
  withNamespace,
  withScope,
  withSession,
  type HubFlags,
  type ScopeFlags,
  type Session,
} from '../objects/index.ts';
import { COMMAND_LINE, CommandError, listOption, upstreamCommand } from '../shell/index.ts';
import { containerOf, podsOf, runningPod } from './pods.ts';
import { openChannel } from './wire.ts';

interface StreamFlags extends HubFlags, ScopeFlags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
  readonly container?: string;
  readonly podRunningTimeout: string;
  readonly filename?: readonly string[];
  readonly commandLine?: string;
}

const EXEC_EXAMPLES = `
  # Run a command in a pod of a member
  %s exec web-1 -n shop --operation-scope members --cluster member1 -- date

  # A shell, in a container of a pod of a Deployment
  %s exec deployment/web -c app -it -n shop --operation-scope members --cluster member1 -- sh`;

const ATTACH_EXAMPLES = `
  # See what a running container prints
  %s attach web-1 -n shop --operation-scope members --cluster member1

  # And type into it
  %s attach web-1 -c app -it -n shop --operation-scope members --cluster member1`;

function withStreams(command: Command): Command {
  return withScope(withNamespace(command), '--cluster <name>')
    .option('-i, --stdin', 'pass stdin to the container')
    .option('-t, --tty', 'stdin is a TTY')
    .option('-q, --quiet', 'only print output from the remote session')
    .option('-c, --container <name>', 'container name; else the default container')
    .option('--pod-running-timeout <duration>', 'how long to wait until at least one pod is running', '1m0s');
}

export function execCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('exec', {
    group: 'Troubleshooting',
    examples: EXEC_EXAMPLES,
    complete: completeNames('pods'),
  });
  return withStreams(command)
    .summary('Execute a command in a container in a cluster')
    .description('Execute a command in a container of the control plane or a member cluster')
    .argument('[words...]', 'POD or TYPE/NAME')
    .addOption(listOption('-f, --filename <file>', 'a file that names the pod or workload'))
    .addOption(new Option(`--${COMMAND_LINE} <json>`).hideHelp())
    .action(async (words: readonly string[], flags: StreamFlags) => {
      const code = await withSession(flags, async (session) => {
        const target = await targetOf(words, flags);
        if (flags.commandLine === undefined)
          throw new CommandError(
            'exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead',
          );
        const line = JSON.parse(flags.commandLine) as readonly string[];
        if (line.length === 0)
          throw new CommandError('you must specify at least one command for the container');
        return stream(scopedSession(session, flags), target, 'exec', line, flags);
      });
      exit(code);
    });
}

export function attachCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('attach', {
    group: 'Troubleshooting',
    examples: ATTACH_EXAMPLES,
    complete: completeNames('pods'),
  });
  return withStreams(command)
    .summary('Attach to a running container')
    .description('Attach to a process that is already running inside an existing container')
    .argument('[words...]', 'POD or TYPE/NAME')
    .action(async (words: readonly string[], flags: StreamFlags) => {
      const code = await withSession(flags, async (session) => {
        const target = await targetOf(words, flags);
        if (flags.quiet !== true)
          process.stderr.write("If you don't see a command prompt, try pressing enter.\n");
        return stream(scopedSession(session, flags), target, 'attach', [], flags);
      });
      exit(code);
    });
}

async function targetOf(words: readonly string[], { filename = [] }: StreamFlags): Promise<string> {
  const [word, ...others] = words;
  if (others.length > 0)
    throw new CommandError(
      'exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead',
    );
  if (word !== undefined) return word;
  if (filename.length === 0) throw new CommandError('pod, type/name or --filename must be specified');
  const [first] = await readObjects({ filename });
  if (first === undefined) throw new CommandError('the file names nothing');
  return `${first.object.kind.toLowerCase()}/${first.object.metadata.name ?? ''}`;
}

/** Resolves with the exit code of the process. */
async function stream(
  session: Session,
  target: string,
  subresource: 'exec' | 'attach',
  line: readonly string[],
  flags: StreamFlags,
): Promise<number> {
  const [first] = await podsOf(session, target);
  if (first === undefined) throw new CommandError(`no pods found for ${target}`);
  const pod = await runningPod(session, first, readDuration('pod-running-timeout', flags.podRunningTimeout));
  const container = containerOf(pod, flags.container, flags.quiet === true);
  const terminal = flags.tty === true && process.stdin.isTTY;
  if (flags.tty === true && !terminal)
    process.stderr.write('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const { name = '', namespace = session.namespace } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(name)}/${subresource}`;
  const channel = await openChannel(
    session.settings,
    path,
    [
      ...line.map((word) => ['command', word] as const),
      ['container', container],
      ['stdin', String(flags.stdin === true)],
      ['stdout', 'true'],
      ['stderr', String(!terminal)],
      ['tty', String(terminal)],
    ],
    {
      stdout: (chunk) => void process.stdout.write(chunk),
      stderr: (chunk) => void process.stderr.write(chunk),
    },
  );
  const restore = flags.stdin === true ? passInput(channel, terminal) : (): void => undefined;
  try {
    return exitCodeOf(await channel.ended);
  } finally {
    restore();
  }
}

/** Keys and window sizes go to the process until it is undone. */
function passInput(channel: Awaited<ReturnType<typeof openChannel>>, terminal: boolean): () => void {
  const onData = (chunk: Buffer): void => channel.stdin(chunk);
  const onEnd = (): void => channel.closeStdin();
  const onResize = (): void => channel.resize(process.stdout.columns, process.stdout.rows);
  process.stdin.on('data', onData);
  process.stdin.once('end', onEnd);
  if (terminal) {
    process.stdin.setRawMode(true);
    process.stdout.on('resize', onResize);
    onResize();
  }
  process.stdin.resume();
  return () => {
    if (terminal) process.stdin.setRawMode(false);
    process.stdin.off('data', onData).off('end', onEnd).pause();
    process.stdout.off('resize', onResize);
  };
}

interface EndStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

function exitCodeOf(ended: unknown): number {
  const status = ended as EndStatus | undefined;
  if (status === undefined || status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (status.reason === 'NonZeroExitCode' && cause !== undefined) {
    process.stderr.write(`command terminated with exit code ${cause}\n`);
    return Number(cause);
  }
  throw new CommandError(status.message ?? 'the process ended in an unknown way');
}
