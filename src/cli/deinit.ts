// `deinit`: removes from a host cluster what `init` has put there. What the store has written to a node stays.
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { isNotFound, kinds, resource } from '../client/index.ts';
import { connect, print, type SetExitCode } from './command.ts';
import { keyOf } from './objects/index.ts';
import { CommandError, upstreamCommand } from './shell/index.ts';

interface DeinitFlags {
  readonly namespace: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly purgeNamespace?: boolean;
}

const LABEL = 'karmada.io/bootstrapping';
const ETCD_LABEL = 'karmada.io/etcd';
const REMOVED = [
  resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true }),
  resource({ group: 'apps', version: 'v1', resource: 'statefulsets', namespaced: true }),
  resource({ group: '', version: 'v1', resource: 'services', namespaced: true }),
  resource({ group: '', version: 'v1', resource: 'secrets', namespaced: true }),
];

export function deinitCommand(exit: SetExitCode): Command {
  return upstreamCommand('deinit', {
    group: 'Cluster registration',
    examples: `
      # What would go
      %s deinit --kubeconfig ~/.kube/host --dry-run

      # Without a question, the namespace too
      %s deinit --kubeconfig ~/.kube/host --force --purge-namespace`,
  })
    .summary('Remove a control plane from a host cluster')
    .description('Remove from a host cluster what init has put there. The data on its nodes stays.')
    .option('-n, --namespace <name>', 'namespace in the host cluster', 'karmada-system')
    .option('--kubeconfig <file>', 'kubeconfig of the host cluster')
    .option('--context <name>', 'context of the host cluster in that file')
    .option('--dry-run', 'only say what would be removed')
    .option('-f, --force', 'do not ask')
    .option('--purge-namespace', 'remove the namespace too, with all that is in it')
    .action(async (flags: DeinitFlags) => {
      await deinit(flags);
      exit(0);
    });
}

async function deinit(flags: DeinitFlags): Promise<void> {
  const { client } = await connect(flags.kubeconfig, flags.context);
  const { namespace } = flags;
  try {
    const found = (
      await Promise.all(
        REMOVED.map(async (one) =>
          (await client.listAll(one, { namespace, labelSelector: LABEL })).items.map((object) => ({
            resource: one,
            object,
          })),
        ),
      )
    ).flat();
    const nodes = (await client.listAll(kinds.nodes, { labelSelector: ETCD_LABEL })).items;
    const suffix = flags.dryRun === true ? ' (dry run)' : '';
    if (found.length === 0) print(`nothing that init has put there is in namespace ${namespace}`);
    else if (flags.force !== true && flags.dryRun !== true) await ask(namespace, found.length);
    for (const { resource: one, object } of found) {
      const name = object.metadata.name ?? '';
      if (flags.dryRun !== true) await client.delete(one, keyOf({ namespace, name }));
      print(`delete ${object.kind} ${name}${suffix}`);
    }
    if (flags.purgeNamespace === true) {
      if (flags.dryRun !== true)
        await client.delete(kinds.namespaces, { name: namespace }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      print(`delete Namespace ${namespace}${suffix}`);
    }
    for (const { metadata } of nodes) {
      const body = { metadata: { labels: { [ETCD_LABEL]: null } } };
      if (flags.dryRun !== true)
        await client.patch(kinds.nodes, { name: metadata.name ?? '' }, { type: 'merge', body });
      print(`remove label ${ETCD_LABEL} of node ${metadata.name ?? ''}${suffix}`);
    }
    print(`remove Karmada from Kubernetes successfully${suffix}`);
  } finally {
    await client.transport.close();
  }
}

async function ask(namespace: string, count: number): Promise<void> {
  if (!process.stdin.isTTY)
    throw new CommandError('nobody is there to confirm: use --force, or --dry-run to see what would go');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    `${count} objects of namespace ${namespace} will be removed. Please type (y)es or (n)o and then press enter: `,
  );
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('deinit is cancelled');
}
