// What `suspend` and `resume` are about: policies, bindings, clusters, packages and their roll-outs, named or selected.
import type { Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { OperatingError } from '../../base/index.ts';
import { kinds, type ApiResource } from '../../client/index.ts';
import type { AnyFleetPackage, AnyPackage } from '../../packaging/index.ts';
import type { Suspendable } from '../../propagation/index.ts';
import { findTargets, withNamespace, type HubFlags, type Session } from '../objects/index.ts';

/** Short words for types, beside those that the server knows. */
const WORDS: Readonly<Record<string, string>> = {
  policy: 'propagationpolicies.policy.karmada.io',
  policies: 'propagationpolicies.policy.karmada.io',
  clusterpolicy: 'clusterpropagationpolicies.policy.karmada.io',
  clusterpolicies: 'clusterpropagationpolicies.policy.karmada.io',
  binding: 'resourcebindings.work.karmada.io',
  bindings: 'resourcebindings.work.karmada.io',
  clusterbinding: 'clusterresourcebindings.work.karmada.io',
  clusterbindings: 'clusterresourcebindings.work.karmada.io',
  cluster: 'clusters.cluster.karmada.io',
  clusters: 'clusters.cluster.karmada.io',
  package: 'packages.packages.glasskube.dev',
  packages: 'packages.packages.glasskube.dev',
  clusterpackage: 'clusterpackages.packages.glasskube.dev',
  clusterpackages: 'clusterpackages.packages.glasskube.dev',
  rollout: 'fleetpackages.navarch.io',
  rollouts: 'fleetpackages.navarch.io',
  clusterrollout: 'clusterfleetpackages.navarch.io',
  clusterrollouts: 'clusterfleetpackages.navarch.io',
};

const PROPAGATION: ReadonlySet<string> = new Set([
  'policy.karmada.io/propagationpolicies',
  'policy.karmada.io/clusterpropagationpolicies',
  'work.karmada.io/resourcebindings',
  'work.karmada.io/clusterresourcebindings',
  'cluster.karmada.io/clusters',
]);
const ROLLOUTS: ReadonlySet<string> = new Set([
  'navarch.io/fleetpackages',
  'navarch.io/clusterfleetpackages',
]);
const PACKAGES: ReadonlySet<string> = new Set([
  'packages.glasskube.dev/packages',
  'packages.glasskube.dev/clusterpackages',
]);

export type Target =
  | { readonly family: 'propagation'; readonly resource: ApiResource; readonly object: Suspendable }
  | { readonly family: 'rollout'; readonly resource: ApiResource; readonly object: AnyFleetPackage }
  | { readonly family: 'package'; readonly resource: ApiResource; readonly object: AnyPackage };

export interface SelectionFlags extends HubFlags {
  readonly selector?: string;
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
}

export function withSelection(command: Command): Command {
  return withNamespace(command)
    .option('-l, --selector <selector>', 'those of the type with these labels')
    .option('--all', 'all of the type in the namespace')
    .option('-A, --all-namespaces', 'in all namespaces, with --selector or --all');
}

/** The objects as they are now, in the order in which they were named. */
export async function targetsOf(
  session: Session,
  operands: readonly string[],
  flags: SelectionFlags,
): Promise<readonly Target[]> {
  const [first = ''] = operands;
  if (first === '')
    throw new OperatingError(
      'NOTHING_NAMED',
      'no object is named',
      'name one or more, such as policy/web, binding/web-deployment, cluster/member1 or package/web',
    );
  const selected = flags.selector !== undefined || flags.all === true;
  const found = await findTargets(
    session,
    operands.map(translated),
    { filename: [] },
    {
      selected,
      allNamespaces: flags.allNamespaces === true,
      labelSelector: flags.selector,
    },
  );
  const targets = await Promise.all(
    found.map(async ({ resource, namespace, name, object }) =>
      targetOf(resource, object ?? (await read(session, resource, namespace, name))),
    ),
  );
  if (targets.length === 0)
    throw new OperatingError(
      'NOTHING_FOUND',
      'there is nothing that matches',
      'look at the selector and the namespace',
    );
  return targets;
}

function translated(word: string): string {
  const slash = word.indexOf('/');
  const type = (slash < 0 ? word : word.slice(0, slash)).toLowerCase();
  if (!Object.hasOwn(WORDS, type)) return word;
  return slash < 0 ? WORDS[type]! : `${WORDS[type]}${word.slice(slash)}`;
}

/** A PropagationPolicy, or the ClusterPropagationPolicy of that name where there is none in the namespace. */
async function read(
  session: Session,
  resource: ApiResource,
  namespace: string | undefined,
  name: string,
): Promise<KubeObject> {
  const found = await session.client.find<KubeObject>(resource, { namespace, name });
  if (found !== undefined) return found;
  if (resource.resource === 'propagationpolicies') {
    const wide = await session.client.find(kinds.clusterPropagationPolicies, { name });
    if (wide !== undefined) return wide;
  }
  return session.client.get<KubeObject>(resource, { namespace, name });
}

function targetOf(resource: ApiResource, object: KubeObject): Target {
  const id = `${resource.group}/${resource.resource}`;
  if (object.kind === 'ClusterPropagationPolicy' && resource.namespaced)
    return {
      family: 'propagation',
      resource: { ...resource, resource: 'clusterpropagationpolicies', namespaced: false },
      object: object as Suspendable,
    };
  if (PROPAGATION.has(id)) return { family: 'propagation', resource, object: object as Suspendable };
  if (ROLLOUTS.has(id)) return { family: 'rollout', resource, object: object as AnyFleetPackage };
  if (PACKAGES.has(id)) return { family: 'package', resource, object: object as AnyPackage };
  throw new OperatingError(
    'NOT_SUSPENDABLE',
    `${resource.resource} cannot be suspended`,
    'suspend the policy that propagates it, its binding, a cluster, a package or its roll-out',
  );
}

export function titleOfTarget({ object }: Target): string {
  const { namespace, name = '' } = object.metadata;
  return `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
