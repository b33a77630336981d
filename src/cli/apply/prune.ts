// `apply --prune`: deletes what an earlier apply declared, is selected, and is no longer in the files.
// INVARIANT: nothing is deleted that does not carry the annotation of apply, nor outside of the namespaces of the files.
import type { KubeObject } from '../../api/index.ts';
import { isNotFound, type ApiResource, type RestMapper } from '../../client/index.ts';
import { tell, type DryRun, type Located, type Session } from '../objects/index.ts';
import type { ObjectPrinter } from '../output/index.ts';
import { CommandError } from '../shell/index.ts';
import { LAST_APPLIED } from './declaration.ts';

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function kindsOf(group: string, version: string, ...names: readonly string[]): readonly Kind[] {
  return names.map((kind) => ({ group, version, kind }));
}

/** COMPAT: what kubectl looks at, but for Endpoints, of which API servers say that they are out of date. */
export const PRUNED_BY_DEFAULT: readonly Kind[] = [
  ...kindsOf('', 'v1', 'ConfigMap', 'Namespace', 'PersistentVolumeClaim', 'PersistentVolume', 'Pod', 'ReplicationController', 'Secret', 'Service'),
  ...kindsOf('batch', 'v1', 'Job', 'CronJob'),
  ...kindsOf('networking.k8s.io', 'v1', 'Ingress'),
  ...kindsOf('apps', 'v1', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'),
]; // prettier-ignore

/** Undefined: nothing is to be pruned. Throws CommandError in kubectl's words. */
export async function readAllowlist(
  mapper: RestMapper,
  flags: {
    readonly prune?: boolean;
    readonly all?: boolean;
    readonly selector?: string;
    readonly serverSide?: boolean;
    readonly pruneAllowlist: readonly string[];
  },
): Promise<readonly ApiResource[] | undefined> {
  if (flags.prune !== true) {
    if (flags.pruneAllowlist.length > 0) throw new CommandError('--prune-allowlist goes with --prune');
    return undefined;
  }
  if (flags.serverSide === true)
    throw new CommandError(
      '--prune goes by what apply keeps on the client side, and not with --server-side: name what is to go to "delete"',
    );
  if (flags.all !== true && flags.selector === undefined)
    throw new CommandError(
      'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
    );
  const wanted = flags.pruneAllowlist.length === 0 ? PRUNED_BY_DEFAULT : flags.pruneAllowlist.map(parseKind);
  const found: ApiResource[] = [];
  for (const { group, version, kind } of wanted) {
    const resource = await mapper.resourceForObject({
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
    });
    if (resource !== undefined) found.push(resource);
    else if (flags.pruneAllowlist.length > 0)
      throw new CommandError(
        `no matches for kind "${kind}" in version "${group === '' ? version : `${group}/${version}`}"`,
      );
  }
  return found;
}

function parseKind(text: string): Kind {
  const [group, version, kind, ...more] = text.split('/');
  if (group === undefined || version === undefined || kind === undefined || more.length > 0)
    throw new CommandError(`invalid GroupVersionKind format: ${text}, please follow <group/version/kind>`);
  return { group: group === 'core' ? '' : group, version, kind };
}

export interface PruneRun {
  readonly session: Session;
  readonly selector: string | undefined;
  readonly dryRun: DryRun;
  readonly printer: ObjectPrinter | undefined;
  readonly allowlist: readonly ApiResource[];
}

/** @param declared what the files hold */
export async function prune(run: PruneRun, declared: readonly Located[]): Promise<void> {
  const { session, selector, allowlist } = run;
  const kept = new Set(
    declared.map(({ object, resource, namespace }) =>
      placeOf(resource, namespace, object.metadata.name ?? ''),
    ),
  );
  const namespaces = new Set(declared.map(({ namespace }) => namespace).filter((one) => one !== undefined));
  if (namespaces.size === 0) namespaces.add(session.namespace);
  // What is in a namespace goes before the namespace.
  const ordered = [...allowlist].sort((a, b) => Number(b.namespaced) - Number(a.namespaced));
  for (const resource of ordered) {
    for (const namespace of resource.namespaced ? namespaces : [undefined]) {
      const { items } = await session.client.listAll(resource, { namespace, labelSelector: selector });
      for (const object of items) {
        if (object.metadata.annotations?.[LAST_APPLIED] === undefined) continue;
        if (kept.has(placeOf(resource, namespace, object.metadata.name ?? ''))) continue;
        if (object.metadata.deletionTimestamp === undefined) await removeOne(run, resource, object);
      }
    }
  }
}

function placeOf({ group, resource }: ApiResource, namespace: string | undefined, name: string): string {
  return `${group}|${resource}|${namespace ?? ''}|${name}`;
}

async function removeOne(
  { session, dryRun, printer }: PruneRun,
  resource: ApiResource,
  object: KubeObject,
): Promise<void> {
  const { namespace, name = '', uid = '' } = object.metadata;
  if (dryRun !== 'client') {
    try {
      await session.client.delete(resource, namespace === undefined ? { name } : { namespace, name }, {
        preconditions: { uid },
        propagationPolicy: 'Background',
        dryRun: dryRun === 'server',
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  tell(object, 'pruned', dryRun, printer);
}
