// How checkers and scenarios read objects: what is ours in a member, what is healthy, what belongs together.
import {
  MANAGED_LABEL,
  CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION,
  RESOURCE_BINDING_NAMESPACE_ANNOTATION,
  RESOURCE_BINDING_NAME_ANNOTATION,
  WORK_NAME_ANNOTATION,
  executionNamespace,
  type ClusterResourceBinding,
  type KubeObject,
  type ResourceBinding,
  type Work,
} from '../api/index.ts';
import type { TransportRequest } from '../client/index.ts';
import type { Mirror } from './mirror.ts';

export type Binding = ResourceBinding | ClusterResourceBinding;

export const BINDINGS = 'work.karmada.io/resourcebindings';
export const CLUSTER_BINDINGS = 'work.karmada.io/clusterresourcebindings';
export const WORKS = 'work.karmada.io/works';
export const CLUSTERS = 'cluster.karmada.io/clusters';

/** `Deployment shop/web`, `Namespace shop`. */
export function nameOf({ kind, metadata: { namespace, name = '' } }: KubeObject): string {
  return `${kind} ${namespace === undefined || namespace === '' ? name : `${namespace}/${name}`}`;
}

/** The object of that name, as `Deployment shop/web`. Of several groups with such a kind, the first. */
export function findNamed(mirror: Mirror, reference: string): KubeObject | undefined {
  const kind = reference.slice(0, reference.indexOf(' '));
  for (const resource of mirror.resources()) {
    const [first] = mirror.list(resource);
    if (first?.kind !== kind) continue;
    const found = mirror.list(resource).find((object) => nameOf(object) === reference);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** In a member: the hub put it there. The label alone is also on what the member derives from it, e.g. Endpoints. */
export function isManaged({ metadata }: KubeObject): boolean {
  return (
    metadata.labels?.[MANAGED_LABEL] === 'true' && metadata.annotations?.[WORK_NAME_ANNOTATION] !== undefined
  );
}

export function bindingsOf(hub: Mirror): readonly Binding[] {
  return [...hub.list(BINDINGS), ...hub.list(CLUSTER_BINDINGS)] as unknown as readonly Binding[];
}

/** The binding of a template of this name. */
export function bindingFor(hub: Mirror, reference: string): Binding | undefined {
  return bindingsOf(hub).find((binding) => templateName(binding) === reference);
}

export function templateName({ spec }: Binding): string {
  const { kind, namespace, name } = spec.resource;
  return `${kind} ${namespace === undefined || namespace === '' ? name : `${namespace}/${name}`}`;
}

/** The binding that put an object into a member. */
export function bindingBehind(
  hub: Mirror,
  { metadata: { annotations = {} } }: KubeObject,
): Binding | undefined {
  const name = annotations[RESOURCE_BINDING_NAME_ANNOTATION];
  if (name !== undefined)
    return hub.get(BINDINGS, annotations[RESOURCE_BINDING_NAMESPACE_ANNOTATION] ?? '', name) as
      | Binding
      | undefined;
  const clusterWide = annotations[CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION];
  return clusterWide === undefined
    ? undefined
    : (hub.get(CLUSTER_BINDINGS, '', clusterWide) as Binding | undefined);
}

export function worksFor(hub: Mirror, member: string): readonly Work[] {
  const namespace = executionNamespace(member);
  return (hub.list(WORKS) as readonly Work[]).filter(({ metadata }) => metadata.namespace === namespace);
}

export function manifestsOf({ spec }: Work): readonly KubeObject[] {
  return (spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
}

interface Replicated {
  readonly spec?: { readonly replicas?: number; readonly completions?: number };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly observedGeneration?: number;
    readonly numberReady?: number;
    readonly desiredNumberScheduled?: number;
    readonly active?: number;
    readonly succeeded?: number;
  };
}

export function readyReplicasOf(object: KubeObject): number {
  return (object as unknown as Replicated).status?.readyReplicas ?? 0;
}

export function wantedReplicasOf(object: KubeObject): number {
  return (object as unknown as Replicated).spec?.replicas ?? 1;
}

/** Whether a copy does what it is there for. What has no health serves by being there. */
export function isHealthy(object: KubeObject): boolean {
  if (object.metadata.deletionTimestamp !== undefined) return false;
  const { status = {} } = object as unknown as Replicated;
  switch (object.kind) {
    case 'Deployment':
    case 'StatefulSet':
      return wantedReplicasOf(object) > 0 && readyReplicasOf(object) >= wantedReplicasOf(object);
    case 'DaemonSet':
      return (status.numberReady ?? 0) > 0 && status.numberReady === status.desiredNumberScheduled;
    case 'Job':
      return (status.active ?? 0) > 0 || (status.succeeded ?? 0) > 0;
    default:
      return true;
  }
}

export interface Addressed {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a request for one object is about. Undefined for anything else. */
export function addressOf({ path }: TransportRequest): Addressed | undefined {
  const match =
    /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+\/(?:namespaces\/(?<namespace>[^/]+)\/)?(?<plural>[^/]+)\/(?<name>[^/]+)$/.exec(
      path,
    );
  if (match?.groups === undefined) return undefined;
  const { group = 'core', namespace = '', plural = '', name = '' } = match.groups;
  return { resource: `${group}/${plural}`, namespace, name: decodeURIComponent(name) };
}
