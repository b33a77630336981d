// The settings of `navarch up` as one table: flags, configuration file, checking, help and documentation come from it.
// Names and defaults are upstream's where upstream has the flag.
// INVARIANT: a flag wins over the configuration file, the file over the preset, the preset over the default.
import type { Command } from 'commander';
import { OperatingError, defaultFeatureGates } from '../base/index.ts';
import { defaultControllerSettings, type ControllerSettings } from '../controllers/index.ts';
import {
  checkTimeline,
  impliedByMode,
  presetHelp,
  presetNames,
  presetValues,
  timelineRows,
  type PresetName,
} from '../failover/index.ts';
import { camelCase, closest, readSetting, settingText, type SettingRow } from '../machinery/index.ts';
import { readConfigurationFile, type Configuration } from './configuration.ts';

type SettingFlag = SettingRow<keyof ControllerSettings>;

const otherFlags: readonly SettingFlag[] = [
  { name: 'feature-gates', kind: 'gates', setting: 'gates', help: 'comma-separated Gate=true|false; "navarch options" lists them' },
  { name: 'controllers', kind: 'list', setting: 'controllers', help: 'controllers to run: "*" all on by default, "name" on, "-name" off' },
  { name: 'enable-cluster-resource-modeling', kind: 'boolean', setting: 'enableClusterResourceModeling', help: 'collect nodes and pods of members into their resource summaries' },
  { name: 'undo-window', kind: 'duration', setting: 'undoWindowMs', min: 0, help: 'for how long deletions of templates, policies, clusters and namespaces can be undone; 0s for not at all' },
  { name: 'scheduler-name', kind: 'text', setting: 'schedulerName', help: 'schedule only bindings that name this scheduler' },
  { name: 'enable-empty-workload-propagation', kind: 'boolean', setting: 'enableEmptyWorkloadPropagation', help: 'also send workloads to clusters that get no replicas' },
  { name: 'plugins', kind: 'list', setting: 'schedulerPlugins', help: 'plugins of the scheduler to run: "*" all, "name" one, "-name" not one of those before it' },
  { name: 'enable-scheduler-estimator', kind: 'boolean', setting: 'enableSchedulerEstimator', help: 'count what fits onto the nodes of members, instead of only what they have free altogether' },
  { name: 'disable-scheduler-estimator-in-pull-mode', kind: 'boolean', setting: 'disableSchedulerEstimatorInPullMode', help: 'do not ask estimators of pull members' },
  { name: 'scheduler-estimator-timeout', kind: 'duration', setting: 'schedulerEstimatorTimeoutMs', min: 0, help: 'how long estimators may take to answer' },
  { name: 'scheduler-estimator-service-namespace', kind: 'text', setting: 'schedulerEstimatorServiceNamespace', help: 'namespace of the Services by which estimators are found' },
  { name: 'scheduler-estimator-service-prefix', kind: 'text', setting: 'schedulerEstimatorServicePrefix', help: 'what their names begin with, before a dash and the name of the cluster' },
  { name: 'scheduler-estimator-port', kind: 'integer', setting: 'schedulerEstimatorPort', min: 0, help: 'port that estimators serve at' },
  { name: 'scheduler-estimator-cert-file', kind: 'text', setting: 'schedulerEstimatorCertFile', help: 'certificate to show to estimators, PEM' },
  { name: 'scheduler-estimator-key-file', kind: 'text', setting: 'schedulerEstimatorKeyFile', help: 'its key, PEM' },
  { name: 'scheduler-estimator-ca-file', kind: 'text', setting: 'schedulerEstimatorCaFile', help: 'authority of the estimators, PEM; without it they are called in the clear' },
  { name: 'insecure-skip-estimator-verify', kind: 'boolean', setting: 'insecureSkipEstimatorVerify', help: 'call estimators over TLS without checking who they are' },
  { name: 'descheduling-interval', kind: 'duration', setting: 'deschedulingIntervalMs', min: 1, help: 'how often the descheduler looks at a binding; it runs with --controllers=*,descheduler' },
  { name: 'unschedulable-threshold', kind: 'duration', setting: 'unschedulableThresholdMs', min: 0, help: 'how long pods must have found no node before the descheduler takes them away' },
  { name: 'skipped-propagating-namespaces', kind: 'list', setting: 'skippedPropagatingNamespaces', help: 'regular expressions of namespaces that stay on the hub' },
  { name: 'skipped-propagating-apis', kind: 'list', setting: 'skippedPropagatingApis', separator: ';', help: 'APIs that stay on the hub: group, group/version or group/version/Kind,Kind; separated by semicolons' },
  { name: 'concurrent-resource-template-syncs', kind: 'integer', setting: 'concurrentResourceTemplateSyncs', min: 1, help: 'templates matched at once' },
  { name: 'concurrent-resourcebinding-syncs', kind: 'integer', setting: 'concurrentBindingSyncs', min: 1, help: 'bindings rendered at once' },
  { name: 'concurrent-work-syncs', kind: 'integer', setting: 'concurrentWorkSyncs', min: 1, help: 'Works executed at once, for each member' },
  { name: 'rate-limiter-base-delay', kind: 'duration', setting: 'rateLimiterBaseDelayMs', min: 1, help: 'wait after the first failure of an item' },
  { name: 'rate-limiter-max-delay', kind: 'duration', setting: 'rateLimiterMaxDelayMs', min: 1, help: 'longest wait after repeated failures of an item' },
]; // prettier-ignore

export const settingFlags: readonly SettingFlag[] = [...otherFlags, ...timelineRows];

const CLIENT_LIMIT = 'requests are not throttled; each member has a lane of its own';
const RETRIES =
  'items are not throttled; --rate-limiter-base-delay and --rate-limiter-max-delay space out retries';
/** Flags of upstream, some of older releases, that do nothing here. They are taken, so that start scripts go on working. */
export const needlessFlags: readonly { readonly name: string; readonly why: string }[] = [
  { name: 'secure-port', why: 'metrics and health are served on the port of the API' },
  { name: 'cluster-api-qps', why: CLIENT_LIMIT },
  { name: 'cluster-api-burst', why: CLIENT_LIMIT },
  { name: 'kube-api-qps', why: CLIENT_LIMIT },
  { name: 'kube-api-burst', why: CLIENT_LIMIT },
  { name: 'rate-limiter-qps', why: RETRIES },
  { name: 'rate-limiter-bucket-size', why: RETRIES },
  { name: 'concurrent-cluster-syncs', why: 'every cluster is looked after by itself' },
  { name: 'concurrent-clusterresourcebinding-syncs', why: '--concurrent-resourcebinding-syncs holds for both kinds of bindings' },
  { name: 'concurrent-namespace-syncs', why: 'namespaces are all synced at once' },
]; // prettier-ignore

/** A default as the help prints it. */
function defaultText(flag: SettingFlag): string {
  return settingText(flag, defaultControllerSettings[flag.setting]);
}

interface ReadSettings {
  readonly settings: ControllerSettings;
  readonly warnings: readonly string[];
}

/**
 * Settings from flag texts by flag name, above those of a configuration file.
 * @param preset the flag `--failover-preset`
 * @throws OperatingError for what cannot be read or does not make sense together
 */
export function readSettings(
  given: ReadonlyMap<string, string>,
  configuration: Configuration = { preset: undefined, values: new Map() },
  preset: string | undefined = configuration.preset,
): ReadSettings {
  const values: Record<string, unknown> = preset === undefined ? {} : { ...presetValues(readPreset(preset)) };
  for (const flag of settingFlags) {
    const text = given.get(flag.name);
    if (text !== undefined) values[flag.setting] = readSetting(flag, text);
    else if (configuration.values.has(flag.setting))
      values[flag.setting] = configuration.values.get(flag.setting);
  }
  const settings = withMode(values);
  const findings = checkTimeline(settings);
  const error = findings.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw new OperatingError('BAD_SETTINGS', error.message, error.nextStep);
  return {
    settings,
    warnings: [
      ...findings.map(({ message, nextStep }) => `${message}; ${nextStep}`),
      ...withoutEffect(settings, values),
    ],
  };
}

function readPreset(name: string): PresetName {
  const found = presetNames.find((one) => one === name);
  if (found !== undefined) return found;
  const meant = closest(name, presetNames);
  throw new OperatingError(
    'UNKNOWN_PRESET',
    `there is no preset "${name}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
    `use one of: ${presetNames.join(', ')}`,
  );
}

/** The automatic mode also brings the gate it needs, unless somebody said that it is to be off. */
function withMode(values: Readonly<Record<string, unknown>>): ControllerSettings {
  const settings = { ...defaultControllerSettings, ...values } as ControllerSettings;
  if (settings.failoverMode !== 'automatic') return settings;
  if (values['gates'] !== undefined && !settings.gates.Failover)
    throw new OperatingError(
      'BAD_SETTINGS',
      '--failover-mode=automatic gives up lost clusters, for which --feature-gates must say Failover=true',
      'add Failover=true to --feature-gates, or use --failover-mode=policy-driven',
    );
  const gates = { ...(settings.gates ?? defaultFeatureGates), Failover: true };
  return { ...impliedByMode(settings), ...values, gates };
}

function withoutEffect(
  settings: ControllerSettings,
  values: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (settings.failoverMode === 'automatic') return [];
  return settingFlags
    .filter(({ help, setting }) => help.startsWith('automatic mode') && values[setting] !== undefined)
    .map(({ name }) => `--${name} has no effect with --failover-mode=policy-driven`);
}

/** Adds the flags of settings to a command, with their help and defaults: all, or those named. */
export function addSettings(command: Command, only?: readonly string[]): void {
  const presets = presetNames.map((name) => `${name} (${presetHelp(name)})`).join(', ');
  command
    .option('--config <file>', 'file of settings; "navarch settings" prints one. Flags win over it')
    .option('--failover-preset <name>', `settings of the failover timeline by name: ${presets}`);
  for (const flag of settingFlags) {
    if (only !== undefined && !only.includes(flag.name)) continue;
    const value = flag.kind === 'boolean' ? '[bool]' : `<${flag.kind}>`;
    const text = defaultText(flag);
    command.option(`--${flag.name} ${value}`, text === '' ? flag.help : `${flag.help} (default "${text}")`);
  }
}

/** What flags and configuration file say together. */
export async function settingsFrom(flags: Record<string, unknown>): Promise<ReadSettings> {
  const given = new Map<string, string>();
  for (const { name } of settingFlags) {
    const value = flags[camelCase(name)];
    // A boolean flag without a value means true.
    if (typeof value === 'string' || typeof value === 'boolean') given.set(name, String(value));
  }
  const { config, failoverPreset } = flags as { readonly config?: string; readonly failoverPreset?: string };
  const configuration = config === undefined ? undefined : await readConfigurationFile(config, settingFlags);
  const { settings, warnings } = readSettings(given, configuration, failoverPreset ?? configuration?.preset);
  const needless = needlessFlags
    .filter(({ name }) => flags[camelCase(name)] !== undefined)
    .map(({ name, why }) => `--${name} has no effect: ${why}`);
  return { settings, warnings: [...warnings, ...needless] };
}
