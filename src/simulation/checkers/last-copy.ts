// INVARIANT: the hub removes a healthy copy only when another one is healthy, or when a user asked for what makes it go:
// deleting or scaling down the template, leaving the cluster, a policy that places it elsewhere or purges before it
// replaces, running it at most once.
import { isWorkload } from '../../fleet/index.ts';
import { isAtMostOnce } from '../../propagation/index.ts';
import {
  TEMPLATE_UID_ANNOTATION,
  WORK_NAMESPACE_ANNOTATION,
  WORK_NAME_ANNOTATION,
  clusterOfExecutionNamespace,
  type Cluster,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import type { TransportRequest } from '../../client/index.ts';
import {
  BINDINGS,
  CLUSTERS,
  CLUSTER_BINDINGS,
  WORKS,
  addressOf,
  bindingBehind,
  bindingsOf,
  findNamed,
  isHealthy,
  isManaged,
  manifestsOf,
  nameOf,
  templateName,
  type Addressed,
  type Binding,
} from '../objects.ts';
import type { MirroredChange } from '../mirror.ts';
import type { World } from '../world.ts';
import type { CreateChecker } from './checker.ts';

export const lastCopy: CreateChecker = (world, report) => {
  const edits = new PlacementEdits(world);
  /** When the hub gave up a Work while another copy was healthy, by its namespace and name. */
  const givenUp = new Map<string, number>();
  return {
    name: 'no lost last copy',
    observer: {
      hubChanged: (change) => {
        edits.see(change);
        noteGivenUp(world, change, givenUp);
      },
      arriving: (member, request) => {
        const removed = removedBy(world, member, request);
        if (removed === undefined || !isHealthy(removed.object)) return;
        const binding = bindingBehind(world.hubMirror, removed.object);
        if (binding === undefined || isOfDeletedTemplate(world, removed.object, binding)) return;
        if (isAskedFor(world, member, binding, edits)) return;
        if (hasAnotherCopy(world, member, removed.address, binding)) return;
        if (world.clock.now() - (givenUp.get(workBehind(removed.object)) ?? -Infinity) <= UNDER_WAY_MS)
          return;
        report(
          `${nameOf(removed.object)}: the healthy copy in ${member} is removed, and no other is healthy ` +
            `(targets ${(binding.spec.clusters ?? []).map(({ name }) => name).join(', ') || 'none'})`,
        );
      },
    },
  };
};

/** A request that was right when it was sent cannot be called back, and a bad network brings it late. */
const UNDER_WAY_MS = 60_000;

function noteGivenUp(
  world: World,
  { resource, before, after }: MirroredChange,
  givenUp: Map<string, number>,
): void {
  const begins =
    after?.metadata.deletionTimestamp !== undefined && before?.metadata.deletionTimestamp === undefined;
  if (resource !== WORKS || after === undefined || !begins) return;
  const { namespace = '', name = '' } = after.metadata;
  const member = clusterOfExecutionNamespace(namespace) ?? '';
  if (!world.members.has(member)) return;
  const [manifest] = manifestsOf(after as Work);
  const binding = manifest === undefined ? undefined : bindingBehind(world.hubMirror, manifest);
  const copy = manifest === undefined ? undefined : findNamed(world.member(member).mirror, nameOf(manifest));
  if (binding === undefined || copy === undefined) return;
  const { kind, metadata } = copy;
  const address = resourceNamed(world, member, kind);
  if (address === undefined) return;
  const at = { resource: address, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
  if (hasAnotherCopy(world, member, at, binding)) givenUp.set(`${namespace}/${name}`, world.clock.now());
}

function resourceNamed(world: World, member: string, kind: string): string | undefined {
  const { mirror } = world.member(member);
  return mirror.resources().find((resource) => mirror.list(resource)[0]?.kind === kind);
}

function workBehind({ metadata: { annotations = {} } }: KubeObject): string {
  return `${annotations[WORK_NAMESPACE_ANNOTATION] ?? ''}/${annotations[WORK_NAME_ANNOTATION] ?? ''}`;
}

function removedBy(
  world: World,
  member: string,
  request: TransportRequest,
): { readonly object: KubeObject; readonly address: Addressed } | undefined {
  if (request.method !== 'DELETE') return undefined;
  const address = addressOf(request);
  if (address === undefined) return undefined;
  const object = world.member(member).mirror.get(address.resource, address.namespace, address.name);
  return object !== undefined && isManaged(object) ? { object, address } : undefined;
}

/**
 * A template that was deleted and made anew has another binding of the same name. What the first one had in a member goes
 * because it was deleted, even when the member hears of that after the new one was made.
 */
function isOfDeletedTemplate(world: World, copy: KubeObject, binding: Binding): boolean {
  const template = findNamed(world.hubMirror, templateName(binding));
  const uid = copy.metadata.annotations?.[TEMPLATE_UID_ANNOTATION];
  return uid !== undefined && uid !== '' && template?.metadata.uid !== uid;
}

function isAskedFor(world: World, member: string, binding: Binding, edits: PlacementEdits): boolean {
  const { spec, metadata } = binding;
  if (metadata.deletionTimestamp !== undefined || edits.concern(binding)) return true;
  const cluster = world.hubMirror.get(CLUSTERS, '', member);
  if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return true;
  if (isWorkload(spec) && spec.replicas === 0) return true;
  // What must run at most once leaves before it is started elsewhere.
  const template = findNamed(world.hubMirror, templateName(binding));
  if (template !== undefined && isAtMostOnce(template)) return true;
  const { failover } = spec;
  return [
    failover?.cluster?.purgeMode,
    failover?.application?.purgeMode,
    failover?.cluster === undefined ? world.settings.noExecuteTaintEvictionPurgeMode : undefined,
  ].includes('Directly');
}

/** Another copy is healthy, or as far as the hub can know. */
function hasAnotherCopy(
  world: World,
  member: string,
  { resource, namespace, name }: Addressed,
  binding: Binding,
): boolean {
  const really = [...world.members.values()].some((other) => {
    const copy = other.name === member ? undefined : other.mirror.get(resource, namespace, name);
    return copy !== undefined && isManaged(copy) && isHealthy(copy);
  });
  if (really) return true;
  return (binding.status?.aggregatedStatus ?? []).some(({ clusterName, health }) => {
    if (clusterName === member || health !== 'Healthy') return false;
    const cluster = world.hubMirror.get(CLUSTERS, '', clusterName) as Cluster | undefined;
    return (
      cluster?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
    );
  });
}

/** Bindings whose placement, template or possible clusters a user changed, and that are not all healthy since. */
class PlacementEdits {
  private readonly world: World;
  private readonly open = new Set<string>();

  constructor(world: World) {
    this.world = world;
  }

  concern({ metadata }: Binding): boolean {
    return this.open.has(metadata.uid ?? '');
  }

  see({ resource, before, after }: MirroredChange): void {
    const [group] = resource.split('/');
    if (group === 'policy.karmada.io' && changed(before, after)) this.openAll();
    if (
      resource === CLUSTERS &&
      (before === undefined || after === undefined || labelsOf(before) !== labelsOf(after))
    )
      this.openAll();
    if (after === undefined || (resource !== BINDINGS && resource !== CLUSTER_BINDINGS)) return;
    const binding = after as unknown as Binding;
    if (templateEdited(before as unknown as Binding | undefined, binding))
      this.open.add(binding.metadata.uid ?? '');
    else if (this.isWhole(binding)) this.open.delete(binding.metadata.uid ?? '');
  }

  private openAll(): void {
    for (const { metadata } of bindingsOf(this.world.hubMirror)) this.open.add(metadata.uid ?? '');
  }

  /** Really, not as far as the hub knows: every target has a healthy copy, and no one else has any. */
  private isWhole(binding: Binding): boolean {
    const { spec, status, metadata } = binding;
    if (status?.schedulerObservedGeneration !== metadata.generation) return false;
    if ((spec.gracefulEvictionTasks ?? []).length > 0) return false;
    const targets = new Set((spec.clusters ?? []).map(({ name }) => name));
    const name = templateName(binding);
    return (
      targets.size > 0 &&
      [...this.world.members.values()].every((member) => {
        const copy = findNamed(member.mirror, name);
        if (!targets.has(member.name)) return copy === undefined || !isManaged(copy);
        return copy !== undefined && isHealthy(copy);
      })
    );
  }
}

function changed(before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  return (
    before === undefined || after === undefined || before.metadata.generation !== after.metadata.generation
  );
}

function labelsOf({ metadata }: KubeObject): string {
  return JSON.stringify(metadata.labels ?? {});
}

/** What the binding asks for, but for what the hub decides itself. */
function templateEdited(before: Binding | undefined, after: Binding): boolean {
  if (before === undefined) return true;
  const asked = ({ spec: { clusters: _c, gracefulEvictionTasks: _t, ...rest } }: Binding): string => {
    const { resourceVersion: _v, ...resource } = rest.resource;
    return JSON.stringify({ ...rest, resource });
  };
  return before.spec !== after.spec && asked(before) !== asked(after);
}
