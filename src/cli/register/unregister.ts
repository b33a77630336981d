// `unregister`: takes a cluster in pull mode out of the control plane, and its agent out of the cluster.
import type { Command } from 'commander';
import type { KubeObject, Secret } from '../../api/index.ts';
import { errorMessage, sleep, systemClock } from '../../base/index.ts';
import { isForbidden, isNotFound, kinds, parseYaml, type Client, type Resource } from '../../client/index.ts';
import { connect, print, readDuration, type SetExitCode } from '../command.ts';
import { removeSharedNamespace } from '../member-accounts.ts';
import { completeNames, keyOf } from '../objects/index.ts';
import { CommandError, upstreamCommand } from '../shell/index.ts';
import { AGENT, AGENT_ACCOUNT, AGENT_SECRET, DEPLOYMENTS, hubRights } from './agent-objects.ts';
import { connectAs } from './mounted-kubeconfig.ts';

interface UnregisterFlags {
  readonly clusterKubeconfig?: string;
  readonly clusterContext?: string;
  readonly karmadaConfig?: string;
  readonly karmadaContext?: string;
  readonly agentName: string;
  readonly namespace: string;
  readonly clusterNamespace: string;
  readonly wait: string;
  readonly dryRun?: boolean;
}

const EXAMPLES = `
  # With the agent's own rights
  %s unregister edge1 --cluster-kubeconfig ~/.kube/edge1

  # With an administrator's, which also removes the agent's rights
  %s unregister edge1 --cluster-kubeconfig ~/.kube/edge1 --karmada-config ~/.kube/navarch`;

export function unregisterCommand(exit: SetExitCode): Command {
  return upstreamCommand('unregister', {
    group: 'Cluster registration',
    examples: EXAMPLES,
    complete: completeNames('clusters'),
  })
    .summary('Remove a pull mode cluster from the control plane')
    .description('Remove a cluster in pull mode from the control plane, and its agent from the cluster')
    .argument('[cluster...]', 'name of the cluster')
    .option('--cluster-kubeconfig <file>', 'kubeconfig of the cluster; required')
    .option('--cluster-context <name>', 'context of the cluster in that file')
    .option('--karmada-config <file>', "kubeconfig of the control plane; else the agent's own")
    .option('--karmada-context <name>', 'context of the control plane in that file')
    .option('--agent-name <name>', 'name of the agent Deployment', AGENT)
    .option('-n, --namespace <name>', 'namespace of the agent', 'karmada-system')
    .option('--cluster-namespace <name>', 'namespace of accounts and secrets', 'karmada-cluster')
    .option('--wait <duration>', 'how long to wait until the cluster is gone', '1m0s')
    .option('--dry-run', 'only check whether there is such a cluster')
    .action(async (names: readonly string[], flags: UnregisterFlags) => {
      const [name, ...others] = names;
      if (name === undefined) throw new CommandError('requires the cluster name');
      if (others.length > 0) throw new CommandError('only one cluster name is supported');
      if (flags.clusterKubeconfig === undefined)
        throw new CommandError('--cluster-kubeconfig is required to specify KUBECONFIG of the cluster');
      await unregister(name, flags);
      exit(0);
    });
}

async function unregister(name: string, flags: UnregisterFlags): Promise<void> {
  const member = (await connect(flags.clusterKubeconfig, flags.clusterContext)).client;
  const own = flags.karmadaConfig !== undefined;
  const hub = own
    ? (await connect(flags.karmadaConfig, flags.karmadaContext)).client
    : await agentsConnection(member, flags);
  try {
    const cluster = await hub.find(kinds.clusters, { name });
    if (cluster !== undefined && cluster.spec.syncMode !== 'Pull')
      throw new CommandError(
        `cluster ${name} is a Push mode member cluster, please use "navarch unjoin ${name}" to remove it`,
      );
    if (cluster === undefined)
      process.stderr.write(
        `no cluster object ${name} found in karmada control Plane; removing what is left of its agent\n`,
      );
    if (flags.dryRun === true) return;
    const deadline = systemClock.now() + readDuration('wait', flags.wait);
    if (cluster !== undefined) await removeFromHub(hub, name, deadline);
    const left = own
      ? await removeRights(hub, name, flags.clusterNamespace)
      : hubRights(name, flags.clusterNamespace).map(({ object }) => object);
    await removeFromMember(member, name, flags);
    tellLeft(left.filter(({ kind }) => kind !== 'Namespace'));
    print(`cluster(${name}) is unregistered successfully`);
  } finally {
    await hub.transport.close();
    await member.transport.close();
  }
}

/** By the kubeconfig that the agent has. */
async function agentsConnection(member: Client, { namespace, agentName }: UnregisterFlags): Promise<Client> {
  const agent = await member.find(DEPLOYMENTS, { namespace, name: agentName });
  if (agent === undefined)
    throw new CommandError(
      `there is no agent ${namespace}/${agentName} in the cluster: name the control plane with --karmada-config`,
    );
  const secret = await member.find<Secret>(kinds.secrets as Resource<Secret>, {
    namespace,
    name: AGENT_SECRET,
  });
  const text = secret?.data?.[AGENT_SECRET];
  if (text === undefined)
    throw new CommandError(
      `there is no secret ${namespace}/${AGENT_SECRET} in the cluster: name the control plane with --karmada-config`,
    );
  return connectAs(parseYaml(Buffer.from(text, 'base64').toString('utf8')));
}

/**
 * The agent takes what its Works put into the cluster out of it, since the cluster leaves. Upstream deletes the Works first; here
 * the hub would write them again as long as the cluster is there to send things to.
 */
async function removeFromHub(hub: Client, name: string, deadline: number): Promise<void> {
  const namespace = `karmada-es-${name}`;
  await ignoringAbsence(hub.delete(kinds.clusters, { name }));
  await until(
    deadline,
    async () => (await hub.find(kinds.clusters, { name })) === undefined,
    async () => {
      const works = (await hub.listAll(kinds.works, { namespace })).items;
      if (works.length === 0)
        return `cluster ${name} is still there; look at its finalizers and at namespace ${namespace}`;
      const names = works.map(({ metadata }) => metadata.name ?? '');
      return `Works are still there: ${names.join(', ')}; see that the agent runs, or what holds them back in the cluster`;
    },
  );
}

async function until(
  deadline: number,
  done: () => Promise<boolean>,
  why: () => Promise<string>,
): Promise<void> {
  for (let delayMs = 50; !(await done()); delayMs = Math.min(delayMs * 2, 1000)) {
    if (systemClock.now() > deadline)
      throw new CommandError(`timed out waiting for the condition: ${await why()}`);
    await sleep(systemClock, delayMs);
  }
}

async function removeRights(
  hub: Client,
  name: string,
  clusterNamespace: string,
): Promise<readonly KubeObject[]> {
  const left: KubeObject[] = [];
  for (const { resource, object } of [...hubRights(name, clusterNamespace)].reverse()) {
    // The shared one stays; that of the cluster goes with the cluster.
    if (object.kind === 'Namespace') continue;
    try {
      await ignoringAbsence(
        hub.delete(
          resource,
          keyOf({ namespace: object.metadata.namespace, name: object.metadata.name ?? '' }),
        ),
      );
    } catch (error) {
      if (!isForbidden(error)) throw error;
      left.push(object);
    }
  }
  return left;
}

function tellLeft(left: readonly KubeObject[]): void {
  if (left.length === 0) return;
  process.stderr.write('These stay on the control plane, for want of the right to delete them:\n');
  for (const { kind, metadata } of left)
    process.stderr.write(
      `  ${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name ?? ''}\n`,
    );
}

async function removeFromMember(member: Client, name: string, flags: UnregisterFlags): Promise<void> {
  const { namespace, clusterNamespace, agentName } = flags;
  const credentials = `karmada-controller-manager:karmada-${name}`;
  const all: readonly (readonly [Resource, { readonly namespace?: string; readonly name: string }])[] = [
    [DEPLOYMENTS, { namespace, name: agentName }],
    [kinds.serviceAccounts, { namespace, name: AGENT_ACCOUNT }],
    [kinds.secrets, { namespace, name: AGENT_SECRET }],
    [kinds.clusterRoleBindings, { name: AGENT }],
    [kinds.clusterRoles, { name: AGENT }],
    [kinds.clusterRoleBindings, { name: credentials }],
    [kinds.clusterRoles, { name: credentials }],
    [kinds.serviceAccounts, { namespace: clusterNamespace, name: `karmada-${name}` }],
    [kinds.secrets, { namespace: clusterNamespace, name: `karmada-${name}` }],
  ];
  for (const [resource, key] of all) {
    try {
      await ignoringAbsence(member.delete(resource, key));
    } catch (error) {
      process.stderr.write(`${resource.resource} ${key.name} stays in the cluster: ${errorMessage(error)}\n`);
    }
  }
  const shared = await removeSharedNamespace(member, clusterNamespace);
  if (shared)
    process.stderr.write(
      `namespace ${clusterNamespace} stays in the cluster: another control plane has accounts in it\n`,
    );
}

async function ignoringAbsence(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
