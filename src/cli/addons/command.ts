// `addons`: parts of a control plane that are switched on and off. Most of what upstream runs as addons is part of our one process;
// the estimator of a member is a process of its own, which a host cluster can run.
import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { errorMessage, sleep, systemClock } from '../../base/index.ts';
import {
  isAlreadyExists,
  isNotFound,
  kinds,
  resource,
  type Client,
  type Resource,
} from '../../client/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { deschedulerStatus, switchDescheduler } from './descheduler.ts';
import { withHost, type AddonFlags } from './host.ts';
import { withSession, type HubFlags } from '../objects/index.ts';
import { formatColumns } from '../output/index.ts';
import { CommandError, upstreamCommand } from '../shell/index.ts';

const ESTIMATOR = 'karmada-scheduler-estimator';
const BUILT_IN = ['karmada-descheduler', 'karmada-metrics-adapter', 'karmada-search'] as const;
const ALL = [...BUILT_IN, ESTIMATOR].sort();
const DESCHEDULER = 'karmada-descheduler';
const PORT = 10_352;
const DEPLOYMENTS = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const SERVICES = resource({ group: '', version: 'v1', resource: 'services', namespaced: true });

const EXAMPLES = `
  # Which addons there are
  %s addons list

  # Run the estimator of a member in a host cluster
  %s addons enable karmada-scheduler-estimator -C member1 --member-kubeconfig ~/.kube/member1

  # And stop it
  %s addons disable karmada-scheduler-estimator -C member1`;

export function addonsCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('addons', { group: 'Cluster registration', examples: EXAMPLES });
  command
    .summary('Enable or disable addons of a control plane')
    .description(`Enable, disable and list addons of a control plane: ${ALL.join(', ')}.`)
    .action(() => command.outputHelp());
  for (const one of [listCommand(exit), enableCommand(exit), disableCommand(exit)]) command.addCommand(one);
  return command;
}

function withAddonFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig of the host cluster')
    .option('--context <name>', 'context of the host cluster in that file')
    .option('--karmada-kubeconfig <file>', 'kubeconfig of the control plane')
    .option('--karmada-context <name>', 'context of the control plane in that file')
    .option('-n, --namespace <name>', 'namespace in the host cluster', 'karmada-system')
    .option('-C, --cluster <name>', 'member whose estimator is meant');
}

function listCommand(exit: SetExitCode): Command {
  return withAddonFlags(upstreamCommand('list', { examples: '# As a table\n%s addons list' }))
    .description('List addons and their status')
    .action(async (flags: AddonFlags) => {
      const rows = await Promise.all(ALL.map(async (name) => [name, await statusOf(name, flags)]));
      process.stdout.write(formatColumns([['ADDON NAME', 'STATUS'], ...rows]));
      exit(0);
    });
}

/** COMPAT: enabled, disabled, unhealthy or unknown. */
async function statusOf(name: string, flags: AddonFlags): Promise<string> {
  if (name !== ESTIMATOR) return builtInStatus(name, flags);
  if (flags.cluster === undefined) return 'unknown';
  try {
    return await withHost(flags, async (host) => {
      const found = await host.find(DEPLOYMENTS, {
        namespace: flags.namespace,
        name: `${ESTIMATOR}-${flags.cluster ?? ''}`,
      });
      if (found === undefined) return 'disabled';
      return isAvailable(found) ? 'enabled' : 'unhealthy';
    });
  } catch {
    return 'unknown';
  }
}

/** Those that are APIs are on when the control plane serves them. */
async function builtInStatus(name: string, addonFlags: AddonFlags): Promise<string> {
  const { karmadaKubeconfig, karmadaContext } = addonFlags;
  if (name === DESCHEDULER) return deschedulerStatus(addonFlags);
  const groups: Readonly<Record<string, string>> = {
    'karmada-search': 'search.karmada.io',
    'karmada-metrics-adapter': 'metrics.k8s.io',
  };
  const group = groups[name];
  if (group === undefined) return 'disabled';
  const flags: HubFlags = {
    ...(karmadaKubeconfig === undefined ? {} : { kubeconfig: karmadaKubeconfig }),
    ...(karmadaContext === undefined ? {} : { karmadaContext }),
  };
  try {
    return await withSession(flags, async ({ mapper }) =>
      (await mapper.resources()).some((one) => one.group === group) ? 'enabled' : 'disabled',
    );
  } catch {
    return 'unknown';
  }
}

function chosen(names: readonly string[]): readonly string[] {
  if (names.length === 0) throw new CommandError('addonNames must be not be null');
  for (const name of names)
    if (name !== 'all' && !ALL.includes(name))
      throw new CommandError(`addons ${name} is not be supported: choose of ${ALL.join(', ')}, all`);
  return names.includes('all') ? ALL : names;
}

const INSTEAD: Readonly<Record<string, string>> = {
  'karmada-search': 'look into all members with "navarch get KIND -A --operation-scope members"',
  'karmada-metrics-adapter': 'see what pods use with "navarch top pods" and "navarch top nodes"',
};

function refuseBuiltIn(name: string, verb: string): never {
  throw new CommandError(
    `${name} cannot be ${verb}d: it is no process of its own here, and "navarch addons list" says whether the control plane does what it does; if not, ${INSTEAD[name] ?? 'leave it out'}`,
  );
}

/** COMPAT: flags about programs that are parts of the control plane here. */
const NEEDLESS = [
  'apiservice-timeout',
  'host-cluster-domain',
  ...['karmada-descheduler', 'karmada-metrics-adapter', 'karmada-search'].flatMap((name) => [
    `${name}-image`,
    `${name}-replicas`,
  ]),
  'descheduler-priority-class',
  'metrics-adapter-priority-class',
  'search-priority-class',
];

function sayNeedless(command: Command): void {
  for (const option of command.options)
    if (NEEDLESS.includes(option.name()) && command.getOptionValueSource(option.attributeName()) === 'cli')
      process.stderr.write(
        `Warning: --${option.name()} has no effect: that is part of the control plane here\n`,
      );
}

function enableCommand(exit: SetExitCode): Command {
  const command = withAddonFlags(upstreamCommand('enable', { examples: EXAMPLES }))
    .description('Enable addons')
    .argument('[names...]', ALL.join(', '))
    .option('--member-kubeconfig <file>', 'kubeconfig of the member, for its estimator')
    .option('--member-context <name>', 'context of the member in that file')
    .option('--pod-timeout <seconds>', 'how long to wait until pods are ready', '120')
    .option('--karmada-scheduler-estimator-image <image>', 'image of the estimator', 'navarch:0.1.0')
    .option('--karmada-estimator-replicas <n>', 'how many estimators', '1')
    .option('--estimator-priority-class <name>', 'priority class of the estimator', 'system-node-critical')
    .option('--private-image-registry <registry>', 'registry that the image of the estimator is pulled from');
  for (const name of NEEDLESS) command.addOption(new Option(`--${name} <value>`).hideHelp());
  return command.action(async (names: readonly string[], flags: AddonFlags) => {
    sayNeedless(command);
    for (const name of chosen(names)) {
      if (name === DESCHEDULER) await switchDescheduler(flags, true);
      else if (name === ESTIMATOR) await enableEstimator(flags);
      else refuseBuiltIn(name, 'enable');
    }
    exit(0);
  });
}

async function enableEstimator(flags: AddonFlags): Promise<void> {
  const { cluster, memberKubeconfig } = flags;
  if (cluster === undefined)
    throw new CommandError(
      'member cluster is needed when enable karmada-scheduler-estimator,use `--cluster=member --member-kubeconfig /root/.kube/config --member-context member1` to enable karmada-scheduler-estimator',
    );
  if (memberKubeconfig === undefined)
    throw new CommandError(
      'member config is needed when enable karmada-scheduler-estimator,use `--member-kubeconfig`',
    );
  const kubeconfig = await readFile(memberKubeconfig, 'utf8').catch((error: unknown) => {
    throw new CommandError(`error reading ${memberKubeconfig}: ${errorMessage(error)}`);
  });
  await withHost(flags, async (host) => {
    for (const { resource: of, object } of estimatorObjects(cluster, kubeconfig, flags))
      await ensure(host, of, object);
    await untilAvailable(host, flags.namespace, `${ESTIMATOR}-${cluster}`, Number(flags.podTimeout) * 1000);
  });
  print(`Karmada scheduler estimator of member ${cluster} is installed successfully.`);
}

interface Placed {
  readonly resource: Resource;
  readonly object: KubeObject;
}

function estimatorObjects(cluster: string, kubeconfig: string, flags: AddonFlags): readonly Placed[] {
  const { namespace } = flags;
  const name = `${ESTIMATOR}-${cluster}`;
  const labels = { app: name, 'karmada.io/bootstrapping': 'app-defaults' };
  const secret = `${cluster}-kubeconfig`;
  return [
    {
      resource: kinds.secrets,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: secret, namespace, labels: { 'karmada.io/bootstrapping': 'secret-defaults' } },
        type: 'Opaque',
        data: { [secret]: Buffer.from(kubeconfig).toString('base64') },
      },
    },
    {
      resource: SERVICES,
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace, labels: { ...labels, 'karmada.io/bootstrapping': 'service-defaults' } },
        spec: {
          selector: { app: name },
          ports: [{ name: 'grpc', port: PORT, targetPort: PORT, protocol: 'TCP' }],
          type: 'ClusterIP',
        },
      },
    },
    {
      resource: DEPLOYMENTS,
      object: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace, labels },
        spec: {
          replicas: Number(flags.karmadaEstimatorReplicas),
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: {
              ...(flags.estimatorPriorityClass === ''
                ? {}
                : { priorityClassName: flags.estimatorPriorityClass }),
              containers: [
                {
                  name: ESTIMATOR,
                  image:
                    flags.privateImageRegistry === undefined
                      ? flags.karmadaSchedulerEstimatorImage
                      : `${flags.privateImageRegistry}/${flags.karmadaSchedulerEstimatorImage}`,
                  command: ['navarch', 'estimator'],
                  args: [
                    `--kubeconfig=/etc/${secret}`,
                    ...(flags.memberContext === undefined ? [] : [`--context=${flags.memberContext}`]),
                    `--cluster-name=${cluster}`,
                    `--server-port=${PORT}`,
                  ],
                  volumeMounts: [{ name: 'member-kubeconfig', mountPath: `/etc/${secret}`, subPath: secret }],
                },
              ],
              volumes: [{ name: 'member-kubeconfig', secret: { secretName: secret } }],
            },
          },
        },
      },
    },
  ];
}

async function ensure(host: Client, of: Resource, object: KubeObject): Promise<void> {
  try {
    await host.create(of, object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

function isAvailable(deployment: KubeObject): boolean {
  const { replicas } = deployment['spec'] as { readonly replicas?: number };
  const { availableReplicas = 0 } = (deployment['status'] ?? {}) as { readonly availableReplicas?: number };
  return availableReplicas >= (replicas ?? 1);
}

async function untilAvailable(
  host: Client,
  namespace: string,
  name: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = systemClock.now() + timeoutMs;
  for (
    let delayMs = 100;
    !isAvailable(await host.get(DEPLOYMENTS, { namespace, name }));
    delayMs = Math.min(delayMs * 2, 1000)
  ) {
    if (systemClock.now() > deadline)
      throw new CommandError(
        `wait for Deployment ${namespace}/${name} timed out: see "kubectl describe deployment ${name} -n ${namespace}" in the host cluster`,
      );
    await sleep(systemClock, delayMs);
  }
}

function disableCommand(exit: SetExitCode): Command {
  return withAddonFlags(upstreamCommand('disable', { examples: EXAMPLES }))
    .description('Disable addons')
    .argument('[names...]', ALL.join(', '))
    .option('-f, --force', 'accepted; nothing is asked')
    .action(async (names: readonly string[], flags: AddonFlags) => {
      for (const name of chosen(names)) {
        if (name === DESCHEDULER) await switchDescheduler(flags, false);
        else if (name === ESTIMATOR) await disableEstimator(flags);
        else refuseBuiltIn(name, 'disable');
      }
      exit(0);
    });
}

async function disableEstimator(flags: AddonFlags): Promise<void> {
  const { cluster, namespace } = flags;
  if (cluster === undefined)
    throw new CommandError(
      'member cluster is needed when disable karmada-scheduler-estimator, use `--cluster=member` to disable karmada-scheduler-estimator',
    );
  const name = `${ESTIMATOR}-${cluster}`;
  await withHost(flags, async (host) => {
    for (const [of, key] of [
      [DEPLOYMENTS, name],
      [SERVICES, name],
      [kinds.secrets, `${cluster}-kubeconfig`],
    ] as const)
      await host.delete(of, { namespace, name: key }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  });
  print(`Uninstall karmada scheduler estimator of member ${cluster} successfully`);
}
