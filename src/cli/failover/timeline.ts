// `failover timeline`: when each step of a failover would happen, by the settings of the control plane or by others, and
// when each did happen in a past one.
import { Command, Option } from 'commander';
import { CONTROL_PLANE_NAME, type ControlPlane, type PropagationPolicy } from '../../api/index.ts';
import { OperatingError } from '../../base/index.ts';
import { kinds, resource, type Client } from '../../client/index.ts';
import {
  checkTimeline,
  forecast,
  impliedByMode,
  presetNames,
  presetValues,
  timelineRows,
  upstreamTimeline,
  type ForecastStep,
  type PresetName,
  type TimelineSettings,
} from '../../failover/index.ts';
import { camelCase, closest, formatDuration, readSetting } from '../../machinery/index.ts';
import { connect, print, withHub, type SetExitCode } from '../command.ts';
import { listOption, shape } from '../shell/index.ts';
import { columns } from '../columns.ts';
import { findRecord, phaseLines } from './records.ts';

/** Where the control plane says by which settings it runs. */
const controlPlanes = resource<ControlPlane>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'controlplanes',
  namespaced: false,
});

interface TimelineFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly preset?: string;
  readonly set: readonly string[];
  readonly policy?: string;
  readonly namespace?: string;
  readonly workloads?: string;
  readonly past?: boolean;
  readonly output?: string;
}

export function timelineCommand(exit: SetExitCode): Command {
  const command = withHub(new Command('timeline'))
    .description('when workloads would leave a cluster if it were lost now, or when they did')
    .argument('<cluster>', 'name of the cluster; with --past also of a FailoverRecord')
    .addOption(
      new Option('--preset <name>', "settings by name instead of the control plane's").choices(presetNames),
    )
    .addOption(listOption('--set <setting=value>', 'one setting instead, e.g. cluster-failure-threshold=20s'))
    .option(
      '--policy <name>',
      'tolerations and purge mode of this policy; of a ClusterPropagationPolicy without -n',
    )
    .option('-n, --namespace <namespace>', 'namespace of the policy')
    .option('--workloads <n>', 'how many workloads have to leave; else as many as run there')
    .option('--past', 'print when each step did happen in the latest failover off the cluster')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json']))
    .action(async (cluster: string, flags: TimelineFlags) => {
      const { client } = await connect(flags.kubeconfig, flags.karmadaContext);
      try {
        if (flags.past === true) await printPast(client, cluster, flags);
        else await printForecast(client, cluster, flags);
        exit(0);
      } finally {
        await client.transport.close();
      }
    });
  return shape(command, {
    examples: `
      # By the settings of the control plane
      %s failover timeline member1

      # If it ran with a preset, for workloads of one policy
      %s failover timeline member1 --preset platform --policy web -n shop

      # What a shorter threshold would change
      %s failover timeline member1 --set cluster-failure-threshold=10s

      # The latest failover off the cluster
      %s failover timeline member1 --past`,
  });
}

async function printPast(client: Client, name: string, { output }: TimelineFlags): Promise<void> {
  const record = await findRecord(client, name);
  if (output === 'json') return print(JSON.stringify(record.status?.phases ?? [], null, 2));
  print(
    `Failover ${record.metadata.name} off cluster ${record.spec.cluster}: ${record.status?.outcome ?? 'Running'}`,
  );
  for (const line of phaseLines(record.status)) print(line);
}

async function printForecast(client: Client, name: string, flags: TimelineFlags): Promise<void> {
  const cluster = await client.find(kinds.clusters, { name });
  if (cluster === undefined)
    throw new OperatingError(
      'CLUSTER_NOT_FOUND',
      `there is no cluster "${name}"`,
      'run "kubectl get clusters" to see which there are',
    );
  const { settings, source } = await settingsFor(client, flags);
  const policy = await policyOf(client, flags);
  const workloads =
    flags.workloads === undefined ? await workloadsIn(client, name) : wholeNumber(flags.workloads);
  const { syncMode } = cluster.spec;
  const steps = forecast({
    settings,
    syncMode,
    tolerations: policy === undefined ? undefined : (policy.spec.placement?.clusterTolerations ?? []),
    purgeMode: policy?.spec.failover?.cluster?.purgeMode,
    workloads,
  });
  const findings = checkTimeline(settings);
  for (const { severity, message, nextStep } of findings)
    process.stderr.write(`${severity}: ${message}; ${nextStep}\n`);
  if (flags.output === 'json')
    return print(JSON.stringify({ cluster: name, syncMode, workloads, steps }, null, 2));
  print(
    `Cluster ${name} (${syncMode}), ${workloads} workloads, ${settings.failoverMode} mode, settings: ${source}`,
  );
  for (const line of columns(['STEP', 'EARLIEST', 'LATEST', 'BY'], steps.map(rowOf))) print(line);
}

function rowOf({ step, earliestMs, latestMs, why }: ForecastStep): readonly string[] {
  const text = (ms: number | undefined): string =>
    ms === undefined ? 'never' : formatDuration(Math.round(ms));
  return [step, text(earliestMs), text(latestMs), why];
}

async function settingsFor(
  client: Client,
  { preset, set }: TimelineFlags,
): Promise<{ readonly settings: TimelineSettings; readonly source: string }> {
  const base =
    preset === undefined
      ? await publishedSettings(client)
      : { ...upstreamTimeline, ...presetValues(preset as PresetName) };
  const changes = Object.fromEntries(set.map(readChange));
  const settings = impliedByMode({ ...(base ?? upstreamTimeline), ...changes });
  const from = preset ?? (base === undefined ? 'upstream' : 'of the control plane');
  return { settings, source: set.length === 0 ? from : `${from}, with ${set.join(', ')}` };
}

function readChange(text: string): readonly [string, unknown] {
  const [name = '', ...rest] = text.split('=');
  const row = timelineRows.find((one) => one.name === name || camelCase(one.name) === name);
  if (row !== undefined && rest.length > 0) return [row.setting, readSetting(row, rest.join('='), name)];
  const names = timelineRows.map((one) => one.name);
  const meant = closest(name, names);
  throw new OperatingError(
    'BAD_FLAG',
    row === undefined ? `there is no timeline setting "${name}"` : `--set ${text} gives no value`,
    row === undefined && meant !== undefined
      ? `did you mean "${meant}"?`
      : `write --set NAME=VALUE; names are ${names.join(', ')}`,
  );
}

/** Undefined: the control plane does not say. */
async function publishedSettings(client: Client): Promise<TimelineSettings | undefined> {
  const texts = (await client.find(controlPlanes, { name: CONTROL_PLANE_NAME }))?.settings?.timeline;
  if (texts === undefined) return undefined;
  const values = timelineRows.flatMap((row) => {
    const text = texts[row.name];
    return text === undefined ? [] : [[row.setting, readSetting(row, text)]];
  });
  return { ...upstreamTimeline, ...(Object.fromEntries(values) as Partial<TimelineSettings>) };
}

async function policyOf(
  client: Client,
  { policy, namespace }: TimelineFlags,
): Promise<Pick<PropagationPolicy, 'spec'> | undefined> {
  if (policy === undefined) return undefined;
  return namespace === undefined
    ? client.get(kinds.clusterPropagationPolicies, { name: policy })
    : client.get(kinds.propagationPolicies, { namespace, name: policy });
}

async function workloadsIn(client: Client, cluster: string): Promise<number> {
  const lists = await Promise.all([
    client.listAll(kinds.resourceBindings),
    client.listAll(kinds.clusterResourceBindings),
  ]);
  return lists
    .flatMap(({ items }) => items.map(({ spec }) => spec.clusters ?? []))
    .filter((targets) => targets.some(({ name }) => name === cluster)).length;
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new OperatingError(
    'BAD_FLAG',
    `--workloads is no whole number: "${text}"`,
    'give a number such as 100',
  );
}
