// On a control plane: which clusters a package goes to, at once by a policy, or in waves by a FleetPackage.
import type { Command } from 'commander';
import {
  PACKAGES_API_VERSION,
  type ClusterAffinity,
  type KubeObject,
  type PackageSpec,
  type RolloutStep,
} from '../../api/index.ts';
import { kinds, type Resource } from '../../client/index.ts';
import { parseLabelSelector } from '../../machinery/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { requireClusters } from '../objects/index.ts';
import { CommandError, listOption } from '../shell/index.ts';
import type { PackageFlags, Place } from './place.ts';

export interface SendingFlags extends PackageFlags {
  readonly clusters: readonly string[];
  readonly clusterSelector?: string;
  readonly policy?: boolean;
  readonly waves: readonly string[];
  readonly wavePause?: string;
  readonly maxFailures?: string;
  readonly progressDeadline?: string;
  readonly onFailure?: string;
}

export function withSending(command: Command): Command {
  return command
    .addOption(
      listOption('--clusters <names>', 'clusters to install it in; without this and a selector, all'),
    )
    .option('--cluster-selector <selector>', 'labels of the clusters to install it in')
    .option('--no-policy', 'make no policy: one that is there sends the package')
    .addOption(
      listOption(
        '--waves <list>',
        'reach clusters in waves, each a cluster, a share such as 25%, or labels such as tier=canary; the rest comes last',
      ),
    )
    .option(
      '--wave-pause <pause>',
      'what comes after each wave: a duration, or Manual to wait for "rollout continue"',
    )
    .option('--max-failures <n>', 'how many clusters have to fail for the roll-out to stop; 1 if not given')
    .option(
      '--progress-deadline <duration>',
      'how long a cluster may take to become healthy; 15m if not given',
    )
    .option('--on-failure <what>', 'Suspend, Rollback or Continue when too many clusters fail');
}

const HUB_FLAGS = ['clusterSelector', 'wavePause', 'maxFailures', 'progressDeadline', 'onFailure'] as const;

/** Throws CommandError for flags of a fleet where there is none. */
export async function checkSending(place: Place, flags: SendingFlags): Promise<void> {
  const given = HUB_FLAGS.find((name) => flags[name] !== undefined);
  const fleet = flags.clusters.length > 0 || flags.waves.length > 0 || given !== undefined;
  if (!place.onHub) {
    if (fleet)
      throw new CommandError(
        '--clusters, --cluster-selector and flags of waves are for control planes; this is a single cluster',
      );
    return;
  }
  if (flags.waves.length === 0 && given !== undefined && given !== 'clusterSelector')
    throw new CommandError('--wave-pause, --max-failures, --progress-deadline and --on-failure need --waves');
  if (flags.policy === false && fleet)
    throw new CommandError(
      '--no-policy leaves it to a policy of yours where the package goes; name no clusters',
    );
  await requireClusters(place.session, flags.clusters);
}

/** The clusters that are meant; empty: all. */
export function affinityOf({
  clusters,
  clusterSelector,
}: Pick<SendingFlags, 'clusters' | 'clusterSelector'>): ClusterAffinity {
  return {
    ...(clusters.length === 0 ? {} : { clusterNames: clusters }),
    ...(clusterSelector === undefined ? {} : { labelSelector: labels(clusterSelector) }),
  };
}

function labels(text: string): NonNullable<ClusterAffinity['labelSelector']> {
  // Complains of what is no selector.
  parseLabelSelector(text);
  const matchLabels = Object.fromEntries(
    text.split(',').map((part) => {
      const [, key = '', value = ''] = /^\s*([^=!\s]+)\s*==?\s*([^=\s]*)\s*$/.exec(part) ?? [];
      if (key === '') throw new CommandError(`labels of clusters are written as key=value, not "${part}"`);
      return [key, value] as const;
    }),
  );
  return { matchLabels };
}

export interface Sending {
  readonly resource: Resource<KubeObject>;
  readonly object: KubeObject;
}

/** The policy that sends the package; undefined: one that is there does. */
export function policyFor({ kind, metadata }: AnyPackage, flags: SendingFlags): Sending | undefined {
  if (flags.policy === false) return undefined;
  const { name = '', namespace } = metadata;
  const place = namespace === undefined ? {} : { namespace };
  const resource = namespace === undefined ? kinds.clusterPropagationPolicies : kinds.propagationPolicies;
  const affinity = affinityOf(flags);
  return {
    resource,
    object: {
      apiVersion: 'policy.karmada.io/v1alpha1',
      kind: namespace === undefined ? 'ClusterPropagationPolicy' : 'PropagationPolicy',
      metadata: { name: policyName(name), ...place },
      spec: {
        resourceSelectors: [{ apiVersion: PACKAGES_API_VERSION, kind, name, ...place }],
        propagateDeps: true,
        placement: Object.keys(affinity).length === 0 ? {} : { clusterAffinity: affinity as never },
      },
    },
  };
}

export function policyName(packageName: string): string {
  return `package-${packageName}`;
}

/** The FleetPackage that takes it there in waves; undefined: there are none. */
export function fleetPackageFor(one: AnyPackage, flags: SendingFlags): KubeObject | undefined {
  if (flags.waves.length === 0) return undefined;
  const affinity = affinityOf(flags);
  const { wavePause, maxFailures, progressDeadline, onFailure } = flags;
  if (maxFailures !== undefined && !/^[1-9]\d*$/.test(maxFailures))
    throw new CommandError(`--max-failures must be a whole number from 1, not "${maxFailures}"`);
  return {
    apiVersion: 'navarch.io/v1alpha1',
    kind: one.kind === 'Package' ? 'FleetPackage' : 'ClusterFleetPackage',
    metadata: { ...one.metadata },
    spec: {
      template: one.spec satisfies PackageSpec as never,
      ...(Object.keys(affinity).length === 0 ? {} : { placement: { clusterAffinity: affinity as never } }),
      rollout: {
        steps: flags.waves.map((wave) => waveOf(wave, wavePause)) as never,
        ...(maxFailures === undefined ? {} : { maxFailures: Number(maxFailures) }),
        ...(progressDeadline === undefined ? {} : { progressDeadline }),
        ...(onFailure === undefined ? {} : { onFailure }),
      },
    },
  };
}

/** `25%`, `tier=canary`, or the name of a cluster. */
export function waveOf(text: string, pause: string | undefined): RolloutStep {
  const share = /^(\d{1,3})%$/.exec(text);
  const clusters =
    share !== null
      ? { percentage: Number(share[1]) }
      : text.includes('=')
        ? { labelSelector: labels(text) }
        : { names: [text] };
  return { clusters, ...(pause === undefined ? {} : { pause }) };
}
