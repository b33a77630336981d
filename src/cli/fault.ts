// `fault`: breaks and mends simulated members, through the control plane that runs them.
import { Command, Option } from 'commander';
import { OperatingError } from '../base/index.ts';
import { connect, print, readDuration, withHub, type SetExitCode } from './command.ts';

interface FaultFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly for?: string;
  readonly mode?: string;
  readonly latency?: string;
  readonly jitter?: string;
  readonly node?: string;
  readonly namespace?: string;
  readonly selector?: string;
  readonly exitCode?: string;
  readonly keep?: boolean;
  readonly factor?: string;
  readonly id?: string;
}

const ACTIONS: Readonly<
  Record<string, { readonly flags: readonly (keyof FaultFlags)[]; readonly help: string }>
> = {
  list: { flags: [], help: 'show what is wrong at present' },
  clear: { flags: ['id'], help: 'mend what is wrong, or only the fault with --id' },
  'cut-network': { flags: ['mode', 'for'], help: 'nobody outside reaches the member; its pods run on' },
  delay: { flags: ['latency', 'jitter', 'for'], help: 'every answer of the member takes longer' },
  'api-server-down': { flags: ['for'], help: 'the API server of the member is gone' },
  'node-down': { flags: ['node'], help: 'a machine is off' },
  'node-up': { flags: ['node'], help: 'and on again' },
  'crash-pods': {
    flags: ['namespace', 'selector', 'exitCode', 'keep'],
    help: 'containers end; with --keep again and again',
  },
  'fail-images': { flags: ['namespace', 'selector', 'for'], help: 'images cannot be pulled' },
  'slow-start': {
    flags: ['namespace', 'selector', 'factor', 'for'],
    help: 'pods take --factor times as long to start',
  },
};

const own = new Set(Object.values(ACTIONS).flatMap(({ flags }) => flags));

const usage = Object.entries(ACTIONS)
  .map(
    ([name, { flags, help }]) =>
      `  ${name.padEnd(16)} ${help}${flags.length === 0 ? '' : ` (${flags.map(flagName).join(', ')})`}`,
  )
  .join('\n');

export function faultCommand(exit: SetExitCode): Command {
  return withHub(new Command('fault'))
    .description('break and mend simulated members')
    .argument('<member>', 'name of the simulated member')
    .argument('[action]', 'what to do to it', 'list')
    .option('--for <duration>', 'the fault ends by itself after this time')
    .addOption(
      new Option('--mode <mode>', 'whether connections hang (the default) or are reset').choices([
        'hang',
        'drop',
      ]),
    )
    .option('--latency <duration>', 'how much longer answers take')
    .option('--jitter <duration>', 'give or take this')
    .option('--node <name>', 'node of the member')
    .option('--namespace <namespace>', 'only pods of this namespace')
    .option('--selector <labels>', 'only pods with these labels')
    .option('--exit-code <code>', 'what the containers exit with')
    .option('--keep', 'pods that start later crash too, until it is cleared')
    .option('--factor <number>', 'how many times as long')
    .option('--id <id>', 'id of a fault, as listed')
    .addHelpText('after', `\nActions:\n${usage}\n\nExample:\n  navarch fault member1 cut-network --for 2m`)
    .action(async (member: string, action: string, flags: FaultFlags) => {
      const request = requestOf(action, flags);
      const hub = await connect(flags.kubeconfig, flags.karmadaContext);
      try {
        const answer = await hub.client.request({
          method: 'POST',
          path: `/simulation/members/${encodeURIComponent(member)}/faults`,
          body: request,
        });
        show(member, answer as Answer);
        exit(0);
      } finally {
        await hub.client.transport.close();
      }
    });
}

/** As the simulation takes it; see members/faults/fault-requests.ts. */
function requestOf(action: string, flags: FaultFlags): Readonly<Record<string, unknown>> {
  const known = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (known === undefined)
    throw misused(
      'UNKNOWN_FAULT',
      `there is no fault "${action}"`,
      `use one of ${Object.keys(ACTIONS).join(', ')}`,
    );
  for (const flag of own) {
    if (flags[flag] === undefined || known.flags.includes(flag)) continue;
    const fitting =
      known.flags.length === 0 ? 'leave it out' : `${action} takes ${known.flags.map(flagName).join(', ')}`;
    throw misused('BAD_FLAG', `${flagName(flag)} means nothing to ${action}`, fitting);
  }
  const request = {
    action,
    mode: flags.mode,
    node: flags.node,
    namespace: flags.namespace,
    selector: flags.selector,
    keep: flags.keep,
    id: flags.id,
    forMs: duration('for', flags.for),
    latencyMs: duration('latency', flags.latency),
    jitterMs: duration('jitter', flags.jitter),
    exitCode: number('exit-code', flags.exitCode),
    factor: number('factor', flags.factor),
  };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}

function duration(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : readDuration(flag, text);
}

function number(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  throw misused('BAD_FLAG', `--${flag} is no number: "${text}"`, 'write it like 2');
}

function flagName(flag: keyof FaultFlags): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function misused(code: string, message: string, nextStep: string): OperatingError {
  return new OperatingError(code, message, nextStep);
}

type Answer =
  | { readonly ok: true; readonly faults: readonly { readonly id: string; readonly description: string }[] }
  | { readonly ok: false; readonly error: string; readonly nextStep: string };

function show(member: string, answer: Answer): void {
  if (!answer.ok) throw misused('FAULT_REFUSED', answer.error, answer.nextStep);
  if (answer.faults.length === 0) return print(`Nothing is wrong with ${member}.`);
  const width = Math.max(2, ...answer.faults.map(({ id }) => id.length));
  print(`${'ID'.padEnd(width)}   WHAT`);
  for (const { id, description } of answer.faults) print(`${id.padEnd(width)}   ${description}`);
}
