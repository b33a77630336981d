// unified-auth-controller: lets the impersonator account in each member stand in for exactly those subjects who may use
// the cluster's proxy here.
// Reads: Clusters, Namespaces, ClusterRoles, ClusterRoleBindings. Writes: Works in execution namespaces, owned by their Cluster.
// COMPAT: RoleBindings do not count, and service accounts are named without their namespace.
import {
  CLUSTER_FINALIZER,
  SYSTEM_LABEL,
  clusterOfExecutionNamespace,
  executionNamespace,
  type Cluster,
  type KubeObject,
} from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { kinds, type Resource } from '../client/index.ts';
import { controllerReference, hasFinalizer, isBeingDeleted } from '../machinery/index.ts';
import { manifestWork } from '../propagation/index.ts';
import { PRIORITY_RESYNC, done, informerSource, retry, runController } from '../runtime/index.ts';
import { writeWork } from './binding.ts';
import type { Controller } from './context.ts';

const NAME = 'karmada-impersonator';
const RBAC = 'rbac.authorization.k8s.io';

interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export type ClusterRole = KubeObject & { readonly rules?: readonly PolicyRule[] | null };

export type ClusterRoleBinding = KubeObject & {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[] | null;
};

function allows(list: readonly string[] | undefined, wanted: string): boolean {
  return list?.some((one) => one === wanted || one === '*') === true;
}

/** The clusters whose proxy the rule opens. */
function opened({ apiGroups, resources, resourceNames = [] }: PolicyRule): 'all' | readonly string[] {
  if (allows(apiGroups, 'search.karmada.io') && allows(resources, 'proxying/proxy')) return 'all';
  if (!allows(apiGroups, 'cluster.karmada.io') || !allows(resources, 'clusters/proxy')) return [];
  return resourceNames.length === 0 ? 'all' : resourceNames;
}

/** The clusters whose proxy the role opens. */
export function proxiedBy({ rules }: ClusterRole): 'all' | readonly string[] {
  const names: string[] = [];
  for (const rule of rules ?? []) {
    const found = opened(rule);
    if (found === 'all') return 'all';
    names.push(...found);
  }
  return names;
}

/** What the impersonator may do in a member: stand in for users, service accounts and groups, in this order. */
export function impersonationRules(
  cluster: string,
  roles: readonly ClusterRole[],
  bindings: readonly ClusterRoleBinding[],
): readonly PolicyRule[] {
  const opening = new Set(
    roles
      .filter((role) => {
        const clusters = proxiedBy(role);
        return clusters === 'all' || clusters.includes(cluster);
      })
      .map(({ metadata }) => metadata.name ?? ''),
  );
  const subjects = bindings
    .filter(({ roleRef }) => roleRef.kind === 'ClusterRole' && opening.has(roleRef.name))
    .flatMap((binding) => binding.subjects ?? []);
  const rule = (kind: string, resource: string): readonly PolicyRule[] => {
    const names = new Set(subjects.filter((subject) => subject.kind === kind).map(({ name }) => name));
    if (names.size === 0) return [];
    return [
      { verbs: ['impersonate'], apiGroups: [''], resources: [resource], resourceNames: [...names].sort() },
    ];
  };
  return [...rule('User', 'users'), ...rule('ServiceAccount', 'serviceaccounts'), ...rule('Group', 'groups')];
}

function manifests(namespace: string, rules: readonly PolicyRule[]): readonly KubeObject[] {
  const metadata = { name: NAME, labels: { [SYSTEM_LABEL]: 'true' } };
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata, rules: rules.length === 0 ? null : rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace }],
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: NAME },
    },
  ];
}

export const unifiedAuthController: Controller = {
  name: 'unifiedAuth',
  async run(context) {
    const { informers, clock, logger, metrics, signal } = context;
    const recorder = context.recorder.withComponent('unified-auth-controller');
    const clusters = informers.informer(kinds.clusters);
    const roles = informers.informer<ClusterRole>(kinds.clusterRoles);
    const bindings = informers.informer(kinds.clusterRoleBindings as Resource<ClusterRoleBinding>);
    const works = informers.informer(kinds.works);
    const namespaces = informers.informer(kinds.namespaces);
    await Promise.all([roles.synced, bindings.synced, works.synced]);
    const concerned = (role: ClusterRole | undefined): readonly string[] => {
      const names = role === undefined ? 'all' : proxiedBy(role);
      return names === 'all' ? [...clusters.store.keys()] : names;
    };
    const sync = async (cluster: Cluster, abort: AbortSignal): Promise<void> => {
      const { name = '' } = cluster.metadata;
      const rules = impersonationRules(name, roles.store.list(), bindings.store.list());
      for (const manifest of manifests(cluster.spec.impersonatorSecretRef?.namespace ?? '', rules)) {
        const work = manifestWork({
          cluster: name,
          manifest,
          templateUid: '',
          labels: {},
          annotations: {},
          ownerReferences: [controllerReference(cluster)],
        });
        await writeWork(context, works, work, abort);
      }
    };
    await runController({
      name: 'unified-auth-controller',
      sources: [
        informerSource(clusters, {
          changed: (before, after) =>
            before.metadata.generation !== after.metadata.generation ||
            before.metadata.finalizers !== after.metadata.finalizers,
        }),
        informerSource(namespaces, {
          changed: () => false,
          map: ({ metadata }) => clusterOfExecutionNamespace(metadata.name ?? ''),
        }),
        informerSource(roles, { map: concerned, priority: PRIORITY_RESYNC }),
        informerSource(bindings, {
          map: ({ roleRef }) =>
            roleRef.kind === 'ClusterRole' ? concerned(roles.store.get(roleRef.name)) : [],
          priority: PRIORITY_RESYNC,
        }),
      ],
      concurrency: 4,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const cluster = clusters.store.get(name);
        if (cluster === undefined || isBeingDeleted(cluster)) return done;
        if (cluster.spec.impersonatorSecretRef === undefined || !hasFinalizer(cluster, CLUSTER_FINALIZER))
          return done;
        // There is no place for Works yet; it wakes this when it comes.
        if (namespaces.store.get(executionNamespace(name)) === undefined) return done;
        try {
          await sync(cluster, reconcileSignal);
        } catch (error) {
          recorder.event(
            cluster,
            'Warning',
            'SyncImpersonationConfigFailed',
            `Sync impersonation config failed: ${errorMessage(error)}.`,
          );
          return retry(error);
        }
        recorder.event(
          cluster,
          'Normal',
          'SyncImpersonationConfigSucceed',
          'Sync impersonation config succeed.',
        );
        return done;
      },
    });
  },
};
