// `logs`: what containers of a member print.
import type { Command } from 'commander';
import { readDuration, type SetExitCode } from '../command.ts';
import { completeNames, withNamespace, withSession, type HubFlags, type Session } from '../objects/index.ts';
import { CommandError, throwAll, upstreamCommand } from '../shell/index.ts';
import { containerOf, podsOf, selectPods, type Pod } from './pods.ts';
import { readStream } from './wire.ts';

interface LogFlags extends HubFlags {
  readonly cluster?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly container?: string;
  readonly selector?: string;
  readonly allContainers?: boolean;
  readonly allPods?: boolean;
  readonly prefix?: boolean;
  readonly timestamps?: boolean;
  readonly ignoreErrors?: boolean;
  readonly since: string;
  readonly sinceTime?: string;
  readonly limitBytes: string;
  readonly tail: string;
  readonly maxLogRequests: string;
  readonly insecureSkipTlsVerifyBackend?: boolean;
}

const EXAMPLES = `
  # What a pod of a member printed
  %s logs web-1 -n shop -C member1

  # The last lines of all containers of a Deployment, and what is to come
  %s logs deployment/web -n shop -C member1 --all-containers --tail 20 -f

  # What the container printed before it was started again
  %s logs web-1 -n shop -C member1 --previous`;

export function logsCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('logs', {
    group: 'Troubleshooting',
    examples: EXAMPLES,
    complete: completeNames('pods'),
  });
  return withNamespace(command)
    .summary('Print the logs for a container in a pod in a cluster')
    .description('Print the logs for a container in a pod or specified resource in a member cluster')
    .argument('[words...]', 'POD or TYPE/NAME, and perhaps a container')
    .option('-C, --cluster <name>', 'the member cluster; required')
    .option('-f, --follow', 'the logs should be streamed')
    .option('-p, --previous', 'print the logs for the previous instance of the container, if there was one')
    .option('-c, --container <name>', 'print the logs of this container')
    .option('-l, --selector <selector>', 'label selector to filter pods on')
    .option('--all-containers', "get all containers' logs in the pods")
    .option('--all-pods', 'get logs from all pods; sets prefix to true')
    .option('--prefix', 'prefix each log line with the pod name and container name')
    .option('--timestamps', 'include timestamps on each line in the log output')
    .option('--ignore-errors', 'go on with other containers when the logs of one cannot be got')
    .option('--since <duration>', 'only return logs newer than a relative duration like 5s, 2m, or 3h', '0s')
    .option('--since-time <time>', 'only return logs after a specific date (RFC3339)')
    .option('--limit-bytes <n>', 'maximum bytes of logs to return; 0 means no limit', '0')
    .option('--tail <n>', 'lines of recent log file to display; -1 shows all, with a selector 10 are', '-1')
    .option(
      '--max-log-requests <n>',
      'maximum number of concurrent logs to follow when using a selector',
      '5',
    )
    .option('--pod-running-timeout <duration>', 'accepted; logs of pods that do not run yet are empty', '20s')
    .option(
      '--insecure-skip-tls-verify-backend',
      'skip verifying the identity of the kubelet that logs are requested from',
    )
    .action(async (words: readonly string[], flags: LogFlags) => {
      if (flags.cluster === undefined || flags.cluster === '')
        throw new CommandError('must specify a cluster');
      const member = flags.cluster;
      await withSession(flags, (session) => logs(session.member(member), words, flags));
      exit(0);
    });
}

interface Source {
  readonly pod: Pod;
  readonly container: string;
}

async function logs(session: Session, words: readonly string[], flags: LogFlags): Promise<void> {
  const [text, container, ...others] = words;
  if (text === undefined && flags.selector === undefined)
    throw new CommandError("'logs (POD | TYPE/NAME) [-c CONTAINER]' needs a pod, or a selector with -l");
  if (text !== undefined && flags.selector !== undefined)
    throw new CommandError('only a selector (-l) or a POD name is allowed');
  if (others.length > 0) throw new CommandError('logs takes a POD and perhaps a container');
  if (container !== undefined && flags.container !== undefined)
    throw new CommandError('only one of -c or an inline [CONTAINER] arg is allowed');
  const query = queryOf(flags);
  const found =
    text === undefined ? await selectPods(session, flags.selector ?? '') : await podsOf(session, text);
  const pods = text !== undefined && flags.allPods !== true ? oneOf(found, text) : found;
  if (pods.length === 0) {
    process.stderr.write(`No resources found in ${session.namespace} namespace.\n`);
    return;
  }
  const sources = pods.flatMap((pod) => sourcesOf(pod, container ?? flags.container, flags));
  const limit = Number(flags.maxLogRequests);
  if (flags.follow === true && sources.length > limit)
    throw new CommandError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`,
    );
  const prefix = flags.prefix === true || flags.allPods === true;
  const errors: Error[] = [];
  const one = async (source: Source): Promise<void> => {
    try {
      await printLog(session, source, query, prefix);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (flags.ignoreErrors === true) process.stderr.write(`error: ${error.message}\n`);
      else errors.push(error);
    }
  };
  if (flags.follow === true) await Promise.all(sources.map(one));
  else for (const source of sources) await one(source);
  throwAll(errors);
}

/** COMPAT: of a workload's pods the first, and it is said which. */
function oneOf(pods: readonly Pod[], text: string): readonly Pod[] {
  const [first, ...rest] = [...pods].sort((a, b) =>
    (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1,
  );
  if (first === undefined) return [];
  if (rest.length > 0)
    process.stderr.write(`Found ${pods.length} pods for ${text}, using pod/${first.metadata.name ?? ''}\n`);
  return [first];
}

function sourcesOf(pod: Pod, wanted: string | undefined, flags: LogFlags): readonly Source[] {
  if (flags.allContainers !== true) return [{ pod, container: containerOf(pod, wanted, false) }];
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return [...initContainers, ...containers].map(({ name }) => ({ pod, container: name }));
}

function queryOf(flags: LogFlags): readonly (readonly [string, string])[] {
  const sinceMs = readDuration('since', flags.since);
  if (sinceMs > 0 && flags.sinceTime !== undefined)
    throw new CommandError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (flags.sinceTime !== undefined && Number.isNaN(Date.parse(flags.sinceTime)))
    throw new CommandError(`--since-time is no RFC3339 time: ${flags.sinceTime}`);
  const number = (flag: string, text: string): number => {
    if (!/^-?\d{1,12}$/.test(text)) throw new CommandError(`--${flag} must be a whole number: "${text}"`);
    return Number(text);
  };
  const limit = number('limit-bytes', flags.limitBytes);
  if (limit < 0) throw new CommandError('--limit-bytes must be greater than 0');
  const given = number('tail', flags.tail);
  const tail = given < 0 && flags.selector !== undefined ? 10 : given;
  if (given < -1) throw new CommandError('--tail must be greater than or equal to -1');
  return [
    ...(flags.follow === true ? [['follow', 'true'] as const] : []),
    ...(flags.previous === true ? [['previous', 'true'] as const] : []),
    ...(flags.timestamps === true ? [['timestamps', 'true'] as const] : []),
    ...(sinceMs > 0 ? [['sinceSeconds', String(Math.ceil(sinceMs / 1000))] as const] : []),
    ...(flags.sinceTime === undefined ? [] : [['sinceTime', flags.sinceTime] as const]),
    ...(limit > 0 ? [['limitBytes', String(limit)] as const] : []),
    ...(tail >= 0 ? [['tailLines', String(tail)] as const] : []),
    ...(flags.insecureSkipTlsVerifyBackend === true
      ? [['insecureSkipTLSVerifyBackend', 'true'] as const]
      : []),
  ];
}

async function printLog(
  session: Session,
  { pod, container }: Source,
  query: readonly (readonly [string, string])[],
  prefix: boolean,
): Promise<void> {
  const { name = '', namespace = session.namespace } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(name)}/log`;
  let open = '';
  const mark = prefix ? `[pod/${name}/${container}] ` : '';
  await readStream(session.settings, path, [['container', container], ...query], (chunk) => {
    if (!prefix) {
      process.stdout.write(chunk);
      return;
    }
    // Whole lines only: lines of several streams must not mix.
    const lines = (open + chunk.toString('utf8')).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) process.stdout.write(`${mark}${line}\n`);
  });
  if (open !== '') process.stdout.write(`${mark}${open}\n`);
}
