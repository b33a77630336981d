// `simulate`: what would happen to today's fleet if clusters were lost, or if something else happened to it. Reads the
// control plane and changes nothing.
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { CONTROL_PLANE_NAME, type ControlPlane } from '../api/index.ts';
import { OperatingError, errorMessage, systemClock } from '../base/index.ts';
import { connect, print, readDuration, shape, withHub } from '../cli/index.ts';
import { resource, type Client } from '../client/index.ts';
import type { ControllerSettings } from '../controllers/index.ts';
import {
  copyHub,
  parseRehearsal,
  rehearse,
  reportLines,
  reportObject,
  type HubCopy,
  type Step,
} from '../simulation/index.ts';
import { readSettings } from './flags.ts';

interface SimulateFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly cluster?: readonly string[];
  readonly region?: string;
  readonly downFor: string;
  readonly scenario?: string;
  readonly seed: string;
  readonly failoverPreset?: string;
  readonly output?: string;
}

const controlPlanes = resource<ControlPlane>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'controlplanes',
  namespaced: false,
});

const EXAMPLES = `
Examples:
  # member2 is away for 20 minutes
  navarch simulate --cluster member2 --down-for 20m

  # a whole region is lost, as if failover were as quick as is safe
  navarch simulate --region europe --down-for 1h --failover-preset fast

  # anything else: taints, edits, flaky networks, expectations
  navarch simulate --scenario drill.yaml -o json
`;

export function simulateCommand(exit: (code: number) => void): Command {
  const command = withHub(new Command('simulate'))
    .description(
      'rehearse the loss of clusters, or a scenario, on a copy of what the control plane holds now',
    )
    .option('--cluster <name...>', 'clusters that are lost')
    .option('--region <region>', 'all clusters of a region are lost')
    .option('--down-for <duration>', 'for how long they are lost', '20m')
    .option('--scenario <file>', 'what happens instead, as a YAML file')
    .option('--seed <seed>', 'draws delays and ties; the same seed gives the same answer', '1')
    .option(
      '--failover-preset <name>',
      'failover settings by name instead of those the control plane runs with',
    )
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json']))
    .addHelpText('after', EXAMPLES)
    .action(async (flags: SimulateFlags) => exit(await simulate(flags)));
  return shape(command, { group: 'Troubleshooting' });
}

async function simulate(flags: SimulateFlags): Promise<number> {
  const chosen = [flags.cluster, flags.region, flags.scenario].filter((flag) => flag !== undefined);
  if (chosen.length !== 1)
    throw new OperatingError(
      'BAD_FLAG',
      `${chosen.length === 0 ? 'nothing' : 'more than one thing'} is to happen`,
      'give one of --cluster, --region and --scenario',
    );
  const downForMs = readDuration('down-for', flags.downFor);
  if (downForMs <= 0)
    throw new OperatingError('BAD_FLAG', '--down-for must be positive', 'write it like 20m');
  const file = flags.scenario === undefined ? undefined : await readScenario(flags.scenario);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Error('interrupted')));
  const { client } = await connect(flags.kubeconfig, flags.karmadaContext);
  let copy: HubCopy;
  let settings: ControllerSettings;
  try {
    [copy, settings] = await Promise.all([
      copyHub(client, stop.signal),
      settingsOf(client, flags.failoverPreset),
    ]);
  } finally {
    await client.transport.close();
  }
  const { title, timeline } = file ?? outage(copy, flags);
  const source = flags.scenario ?? 'the command line';
  const found = await rehearse({
    copy,
    seed: flags.seed,
    asOfMs: systemClock.now(),
    settings,
    timeline,
    source,
  });
  if (flags.output === 'json') print(JSON.stringify(reportObject(found, title), null, 2));
  else for (const line of reportLines(found, title)) print(line);
  return found.problems.length === 0 ? 0 : 1;
}

interface Planned {
  readonly title: string;
  readonly timeline: readonly Step[];
}

async function readScenario(path: string): Promise<Planned> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new OperatingError(
      'SCENARIO_UNREADABLE',
      `${path} cannot be read: ${errorMessage(error)}`,
      'name another file',
      {
        cause: error,
      },
    );
  }
  const { about = path, timeline } = parseRehearsal(text, path);
  return { title: about, timeline };
}

/** The clusters fall silent, and are back after that time. */
function outage({ clusters }: HubCopy, { cluster, region, downFor }: SimulateFlags): Planned {
  const lost =
    cluster ??
    clusters.filter(({ spec }) => spec.region === region).map(({ metadata }) => metadata.name ?? '');
  if (lost.length === 0) {
    const regions = [...new Set(clusters.map(({ spec }) => spec.region ?? ''))].filter(Boolean);
    throw new OperatingError(
      'UNKNOWN_REGION',
      `no cluster is in region ${region}`,
      regions.length === 0 ? 'no cluster has a region; use --cluster' : `there are: ${regions.join(', ')}`,
    );
  }
  return {
    title: `${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} lost for ${downFor}`,
    timeline: [
      { at: '0s', silence: lost },
      { at: downFor, heal: lost },
    ],
  };
}

/** What the control plane says it runs with; of another one, upstream's defaults. */
async function settingsOf(client: Client, preset: string | undefined): Promise<ControllerSettings> {
  const published = (await client.find(controlPlanes, { name: CONTROL_PLANE_NAME }))?.settings ?? {};
  const given = new Map(preset === undefined ? Object.entries(published.timeline ?? {}) : []);
  const { settings } = readSettings(given, undefined, preset);
  const gates = { ...settings.gates, ...published.featureGates };
  return {
    ...settings,
    // An automatic mode brings its gate, whatever the control plane runs with now.
    gates: { ...gates, Failover: gates.Failover || settings.failoverMode === 'automatic' },
    schedulerName: published.schedulerName ?? settings.schedulerName,
    enableEmptyWorkloadPropagation:
      published.enableEmptyWorkloadPropagation ?? settings.enableEmptyWorkloadPropagation,
    skippedPropagatingNamespaces:
      published.skippedPropagatingNamespaces ?? settings.skippedPropagatingNamespaces,
    skippedPropagatingApis: published.skippedPropagatingApis ?? settings.skippedPropagatingApis,
  };
}
