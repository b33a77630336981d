// `navarch fencing-agent`: enforces in a member what the control plane promises of workloads that must run at most once.
// Several of them may run beside each other; each does the same, and none waits for another.
import { Command, Option } from 'commander';
import { systemClock, systemRandom } from '../base/index.ts';
import { FENCE_LABEL } from '../api/index.ts';
import { createClient, createHttpsTransport, loadKubeconfig } from '../client/index.ts';
import { fenceLeases, fencedPods, runFencingAgent } from '../housekeeping/index.ts';
import { createEventRecorder, createInformerSet } from '../runtime/index.ts';
import { createLogger } from './logger.ts';
import { stopOnSignals } from './signals.ts';

interface Flags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly logLevel: string;
}

export function fencingAgentCommand(exit: (code: number) => void): Command {
  return new Command('fencing-agent')
    .description('start and stop, in a member cluster, the pods of workloads that must run at most once')
    .option('--kubeconfig <file>', 'kubeconfig of the member; else $KUBECONFIG, ~/.kube/config or the pod')
    .option('--context <name>', 'context of the member in that file')
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    )
    .addHelpText('after', '\nExample:\n  navarch fencing-agent --kubeconfig ~/.kube/member1')
    .action(async (flags: Flags) => {
      await run(flags);
      exit(0);
    });
}

/** Runs until SIGINT or SIGTERM. Throws OperatingError when the kubeconfig cannot be used. */
async function run({ kubeconfig, context, logLevel }: Flags): Promise<void> {
  const settings = await loadKubeconfig({
    ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const logger = createLogger(logLevel);
  const { signal } = stopOnSignals();
  const clock = systemClock;
  const transport = createHttpsTransport({ ...settings, clock, userAgent: 'navarch-fencing-agent' });
  const client = createClient(transport, { fieldManager: 'navarch-fencing-agent' });
  const informers = createInformerSet({ client, clock, random: systemRandom, logger });
  const recorder = createEventRecorder({ client, clock, component: 'navarch-fencing-agent', logger });
  process.stdout.write(`Fencing in ${settings.server}\n`);
  await runFencingAgent({
    client,
    pods: informers.informer(fencedPods, { labelSelector: FENCE_LABEL }),
    leases: informers.informer(fenceLeases, { labelSelector: FENCE_LABEL }),
    recorder,
    clock,
    logger,
    signal,
  });
  await recorder.close();
  await informers.close();
  await transport.close();
}
