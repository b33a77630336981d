// The flags of `navarch up` that set controllers, as one table: reading, checking, help and documentation come
// from it. Names and defaults are upstream's where upstream has the flag.
import { OperatingError, parseFeatureGates, errorMessage } from '../base/index.ts';
import { defaultControllerSettings, type ControllerSettings } from '../controllers/index.ts';
import { formatDuration, parseDuration } from '../machinery/index.ts';

type Kind = 'duration' | 'integer' | 'number' | 'boolean' | 'list' | 'text' | 'choice' | 'gates';

interface SettingFlag {
  readonly name: string;
  readonly kind: Kind;
  readonly setting: keyof ControllerSettings;
  readonly help: string;
  /** Smallest value allowed: milliseconds of a duration, or the number itself. */
  readonly min?: number;
  /** What a choice may be. */
  readonly choices?: readonly string[];
}

export const settingFlags: readonly SettingFlag[] = [
  { name: 'feature-gates', kind: 'gates', setting: 'gates', help: 'comma-separated Gate=true|false; "navarch options" lists them' },
  { name: 'controllers', kind: 'list', setting: 'controllers', help: 'controllers to run: "*" all on by default, "name" on, "-name" off' },
  { name: 'cluster-status-update-frequency', kind: 'duration', setting: 'clusterStatusUpdateFrequencyMs', min: 1, help: 'how often the status of a push member is collected' },
  { name: 'cluster-probe-timeout', kind: 'duration', setting: 'clusterProbeTimeoutMs', min: 1, help: 'how long a member may take to answer a probe' },
  { name: 'cluster-failure-threshold', kind: 'duration', setting: 'clusterFailureThresholdMs', min: 0, help: 'how long probes must fail before a cluster is no longer ready' },
  { name: 'cluster-success-threshold', kind: 'duration', setting: 'clusterSuccessThresholdMs', min: 0, help: 'how long probes must succeed before a cluster is ready again' },
  { name: 'cluster-monitor-period', kind: 'duration', setting: 'clusterMonitorPeriodMs', min: 1, help: 'how often the health of clusters is looked at' },
  { name: 'cluster-monitor-grace-period', kind: 'duration', setting: 'clusterMonitorGracePeriodMs', min: 1, help: 'how long a pull member may be silent before its state is unknown' },
  { name: 'cluster-startup-grace-period', kind: 'duration', setting: 'clusterStartupGracePeriodMs', min: 1, help: 'the same for a member that never reported' },
  { name: 'enable-cluster-resource-modeling', kind: 'boolean', setting: 'enableClusterResourceModeling', help: 'collect nodes and pods of members into their resource summaries' },
  { name: 'enable-taint-manager', kind: 'boolean', setting: 'enableTaintManager', help: 'run the taint manager, which evicts; also needs the gate Failover' },
  { name: 'enable-no-execute-taint-eviction', kind: 'boolean', setting: 'enableNoExecuteTaintEviction', help: 'evict from clusters with NoExecute taints that a workload does not tolerate' },
  { name: 'no-execute-taint-eviction-purge-mode', kind: 'choice', setting: 'noExecuteTaintEvictionPurgeMode', choices: ['Directly', 'Gracefully'], help: 'how a workload leaves a tainted cluster when its policy does not say' },
  { name: 'resource-eviction-rate', kind: 'number', setting: 'resourceEvictionRate', min: 0, help: 'workloads evicted in a second; 0 means one in 30 minutes' },
  { name: 'graceful-eviction-timeout', kind: 'duration', setting: 'gracefulEvictionTimeoutMs', min: 0, help: 'how long an old copy waits for its replacement' },
  { name: 'scheduler-name', kind: 'text', setting: 'schedulerName', help: 'schedule only bindings that name this scheduler' },
  { name: 'enable-empty-workload-propagation', kind: 'boolean', setting: 'enableEmptyWorkloadPropagation', help: 'also send workloads to clusters that get no replicas' },
  { name: 'skipped-propagating-namespaces', kind: 'list', setting: 'skippedPropagatingNamespaces', help: 'regular expressions of namespaces that stay on the hub' },
  { name: 'skipped-propagating-apis', kind: 'list', setting: 'skippedPropagatingApis', help: 'APIs that stay on the hub: group, group/version or group/version/Kind,Kind; separated by semicolons' },
  { name: 'concurrent-resource-template-syncs', kind: 'integer', setting: 'concurrentResourceTemplateSyncs', min: 1, help: 'templates matched at once' },
  { name: 'concurrent-resourcebinding-syncs', kind: 'integer', setting: 'concurrentBindingSyncs', min: 1, help: 'bindings rendered at once' },
  { name: 'concurrent-work-syncs', kind: 'integer', setting: 'concurrentWorkSyncs', min: 1, help: 'Works executed at once, for each member' },
  { name: 'rate-limiter-base-delay', kind: 'duration', setting: 'rateLimiterBaseDelayMs', min: 1, help: 'wait after the first failure of an item' },
  { name: 'rate-limiter-max-delay', kind: 'duration', setting: 'rateLimiterMaxDelayMs', min: 1, help: 'longest wait after repeated failures of an item' },
]; // prettier-ignore

/** Flags that older releases of upstream had. They are taken, so that start scripts go on working, and do nothing. */
export const removedFlags: readonly { readonly name: string; readonly since: string; readonly why: string }[] = [
  { name: 'failover-eviction-timeout', since: '1.15', why: 'clusters are not tainted on their own any more; write a ClusterTaintPolicy' },
  { name: 'default-not-ready-toleration-seconds', since: '1.15', why: 'policies get no tolerations by default; write them into the policy' },
  { name: 'default-unreachable-toleration-seconds', since: '1.15', why: 'policies get no tolerations by default; write them into the policy' },
  { name: 'cluster-lease-duration', since: '1.18', why: 'it is a flag of the agent' },
  { name: 'cluster-lease-renew-interval-fraction', since: '1.18', why: 'it is a flag of the agent' },
  { name: 'secure-port', since: '1.14', why: 'metrics and health are served on the port of the API' },
]; // prettier-ignore

/** A default as the help prints it. */
export function defaultText({ setting, kind }: SettingFlag): string {
  const value = defaultControllerSettings[setting];
  if (kind === 'duration') return formatDuration(value as number);
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) ? value.join(',') : '';
}

/** Reads one flag's text. Throws OperatingError naming the flag and what it takes. */
export function readSetting({ name, kind, min, choices = [] }: SettingFlag, text: string): unknown {
  const refuse = (why: string, nextStep: string): never => {
    throw new OperatingError('BAD_FLAG', `--${name} ${why}: "${text}"`, nextStep);
  };
  switch (kind) {
    case 'duration': {
      let milliseconds = 0;
      try {
        milliseconds = parseDuration(text);
      } catch (error) {
        refuse(`is no duration (${errorMessage(error)})`, 'write it like 30s, 5m or 1h30m');
      }
      if (milliseconds < (min ?? 0)) refuse('is too short', `give at least ${formatDuration(min ?? 0)}`);
      return milliseconds;
    }
    case 'integer':
    case 'number': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value) || (kind === 'integer' && !Number.isInteger(value))) {
        refuse(`is no ${kind}`, `give ${kind === 'integer' ? 'a whole' : 'a'} number`);
      }
      if (value < (min ?? -Infinity)) refuse('is too small', `give at least ${min}`);
      return value;
    }
    case 'boolean':
      if (!/^(true|false)$/i.test(text))
        refuse('is neither true nor false', `write --${name} or --${name}=false`);
      return text.toLowerCase() === 'true';
    case 'list':
      return text
        .split(name === 'skipped-propagating-apis' ? ';' : ',')
        .map((one) => one.trim())
        .filter((one) => one !== '');
    case 'choice':
      if (!choices.includes(text)) refuse('is no choice', `give one of: ${choices.join(', ')}`);
      return text;
    case 'gates':
      return parseFeatureGates(text);
    case 'text':
      return text;
  }
}

/** Settings from flag texts by flag name; what is not given keeps its default. */
export function readSettings(given: ReadonlyMap<string, string>): ControllerSettings {
  const settings: Record<string, unknown> = { ...defaultControllerSettings };
  for (const flag of settingFlags) {
    const text = given.get(flag.name);
    if (text !== undefined) settings[flag.setting] = readSetting(flag, text);
  }
  return settings as unknown as ControllerSettings;
}
