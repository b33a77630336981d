// What becomes of a template's copies in members, by the cause of their end: what the one DeletionPolicy says that means the
// template best, and the class of its kind where that says nothing. A Work carries the result, since whoever removes its
// objects may see nothing else of the hub: an agent, or a controller long after the template has gone.
// INVARIANT: without a DeletionPolicy nothing is carried, and preserveResourcesOnDeletion decides alone, as upstream.
import {
  DELETION_RULES_ANNOTATION,
  gvkOf,
  type ClusterDeletionPolicy,
  type DeletionPolicy,
  type KubeObject,
  type ObjectMeta,
  type ResourceBindingSpec,
  type ResourceSelector,
} from '../../api/index.ts';
import { isBeingDeleted } from '../../machinery/index.ts';
import { selectorsRank } from '../policy-match.ts';

export type AnyDeletionPolicy = DeletionPolicy | ClusterDeletionPolicy;
export type Removal = 'Delete' | 'Preserve' | 'DeleteImmediately';
/** What ended: the template, its claim by a policy, its binding, its Work, its place in a cluster, or the cluster. */
export type RemovalCause = 'Template' | 'Policy' | 'Binding' | 'Work' | 'Move' | 'Unjoin';
const CAUSES: readonly RemovalCause[] = ['Template', 'Policy', 'Binding', 'Work', 'Move', 'Unjoin'];

/**
 * Core: what others rely on. Dependent: there only because something else needs it. Temporary: comes to an end by itself,
 * and nobody misses it then.
 */
export type KindClass = 'Core' | 'Dependent' | 'Temporary';

export interface DeletionRules {
  readonly removal: Readonly<Record<RemovalCause, Removal>>;
  /** Whether what runs goes on as it is when its policy goes. */
  readonly keepWithoutPolicy: boolean;
  /** Whether copies say where they come from. */
  readonly marks: boolean;
  /** The policy that says so, or the bindings that need the template, for people. */
  readonly by: string;
  /** Of a dependent one: the bindings that need it, as namespace/name. */
  readonly dependents: readonly string[];
}

const TEMPORARY: ReadonlySet<string> = new Set(['/Pod', 'batch/Job']);

/** A template that no policy placed is in its clusters for others. */
export function kindClass(
  template: KubeObject,
  spec: Pick<ResourceBindingSpec, 'placement' | 'requiredBy'>,
): KindClass {
  if (spec.placement === undefined && (spec.requiredBy ?? []).length > 0) return 'Dependent';
  const { group, kind } = gvkOf(template);
  return TEMPORARY.has(`${group}/${kind}`) ? 'Temporary' : 'Core';
}

function rankOf({ spec }: AnyDeletionPolicy, template: KubeObject): number {
  const selectors = (spec.resourceSelectors ?? []) as readonly ResourceSelector[];
  // Without selectors it means everything, and more weakly than any selector does.
  return selectors.length === 0 ? 0.5 : selectorsRank(selectors, template);
}

/** The policy that means the template: one of its namespace first, then how exactly, then the name. */
export function chooseDeletionPolicy(
  template: KubeObject,
  namespaced: readonly DeletionPolicy[],
  cluster: readonly ClusterDeletionPolicy[],
): AnyDeletionPolicy | undefined {
  const namespace = template.metadata.namespace ?? '';
  const own = namespace === '' ? [] : namespaced.filter(({ metadata }) => metadata.namespace === namespace);
  return best(own, template) ?? best(cluster, template);
}

function best(policies: readonly AnyDeletionPolicy[], template: KubeObject): AnyDeletionPolicy | undefined {
  const named = (policy: AnyDeletionPolicy): string => policy.metadata.name ?? '';
  return policies
    .filter((policy) => !isBeingDeleted(policy) && rankOf(policy, template) > 0)
    .toSorted(
      (a, b) =>
        rankOf(b, template) - rankOf(a, template) || (named(a) < named(b) ? -1 : named(a) > named(b) ? 1 : 0),
    )[0];
}

export interface RulesInput {
  readonly template: KubeObject;
  readonly spec: Pick<ResourceBindingSpec, 'placement' | 'requiredBy' | 'preserveResourcesOnDeletion'>;
  /** That means the template. */
  readonly policy: AnyDeletionPolicy | undefined;
  /** What holds for those that need it; undefined where nothing was said. */
  readonly dependents: readonly (DeletionRules | undefined)[];
}

/** Undefined: nobody said anything. */
export function deletionRules({ template, spec, policy, dependents }: RulesInput): DeletionRules | undefined {
  const owners = dependents.filter((one) => one !== undefined);
  const dependent = kindClass(template, spec) === 'Dependent';
  if (policy === undefined && !(dependent && owners.length > 0)) return undefined;
  const said = (policy?.spec ?? {}) as AnyDeletionPolicy['spec'];
  const { onTemplateDeletion, onBindingDeletion, onWorkDeletion, onMove, onUnjoin } = said;
  const onPolicyDeletion = said.onPolicyDeletion === 'Keep' ? undefined : said.onPolicyDeletion;
  const otherwise = (cause: RemovalCause): Removal =>
    byClass(cause, template, spec, owners, dependents.length);
  return {
    removal: {
      Template: onTemplateDeletion ?? otherwise('Template'),
      Policy: onPolicyDeletion ?? otherwise('Policy'),
      Binding: onBindingDeletion ?? otherwise('Binding'),
      Work: onWorkDeletion ?? otherwise('Work'),
      Move: onMove ?? otherwise('Move'),
      Unjoin: onUnjoin ?? otherwise('Unjoin'),
    },
    keepWithoutPolicy: onPolicyDeletion === undefined,
    marks:
      kindClass(template, spec) !== 'Temporary' &&
      (policy === undefined ? owners.some(({ marks }) => marks) : said.originMarks !== false),
    by: policy === undefined ? owners.map(({ by }) => by).join(', ') : titleOf(policy),
    dependents: dependent ? namesOf(spec.requiredBy ?? []) : [],
  };
}

function titleOf({ kind, metadata }: AnyDeletionPolicy): string {
  return [kind, [metadata.namespace, metadata.name].filter(Boolean).join('/')].join(' ');
}

function namesOf(needing: NonNullable<ResourceBindingSpec['requiredBy']>): readonly string[] {
  return needing.map(({ namespace = '', name }) => (namespace === '' ? name : `${namespace}/${name}`)).sort();
}

function byClass(
  cause: RemovalCause,
  template: KubeObject,
  spec: RulesInput['spec'],
  owners: readonly DeletionRules[],
  needing: number,
): Removal {
  if (spec.preserveResourcesOnDeletion === true) return 'Preserve';
  switch (kindClass(template, spec)) {
    case 'Temporary':
      return 'DeleteImmediately';
    case 'Core':
      return 'Delete';
    case 'Dependent': {
      // What stays needs what it stands on; and what goes takes its time as long as one of its owners does.
      const asked = owners.map(({ removal }) => removal[cause]);
      if (asked.includes('Preserve')) return 'Preserve';
      return asked.length < needing || asked.includes('Delete') || asked.length === 0
        ? 'Delete'
        : 'DeleteImmediately';
    }
  }
}

/** Whether `preserveResourcesOnDeletion` is said of anything in a namespace; what goes itself says nothing any more. */
export function preservesInside(
  inside: readonly {
    readonly metadata: ObjectMeta;
    readonly spec: { readonly preserveResourcesOnDeletion?: boolean };
  }[],
): boolean {
  return inside.some((one) => one.spec.preserveResourcesOnDeletion === true && !isBeingDeleted(one));
}

/**
 * What becomes of a namespace in members: it stays while anything in it is to stay, since it would take that along.
 * Undefined: no deletion policy says anything, and `preserved` decides alone.
 * @param policies that mean the namespace itself come first, then all that mean something in it
 * @param preserved whether `preserveResourcesOnDeletion` is said of anything in it
 */
export function namespaceRules(
  namespace: KubeObject,
  namespaced: readonly DeletionPolicy[],
  cluster: readonly ClusterDeletionPolicy[],
  preserved: boolean,
): DeletionRules | undefined {
  const policy = chooseDeletionPolicy(namespace, [], cluster);
  const own = deletionRules({ template: namespace, spec: { placement: {} }, policy, dependents: [] });
  const { name = '' } = namespace.metadata;
  const inside: readonly AnyDeletionPolicy[] = [
    ...namespaced.filter(({ metadata }) => metadata.namespace === name),
    ...cluster.filter(({ spec }) => meansSomethingIn(spec, name)),
  ].filter((one) => !isBeingDeleted(one));
  const holds = (way: 'onTemplateDeletion' | 'onUnjoin'): boolean =>
    inside.some(({ spec }) => spec[way] === 'Preserve');
  const [onTemplateDeletion, onUnjoin] = [holds('onTemplateDeletion'), holds('onUnjoin')];
  if (own === undefined && !onTemplateDeletion && !onUnjoin) return undefined;
  const base: DeletionRules = own ?? {
    removal: {
      Template: 'Delete',
      Policy: 'Delete',
      Binding: 'Delete',
      Work: 'Delete',
      Move: 'Delete',
      Unjoin: 'Delete',
    },
    keepWithoutPolicy: true,
    marks: inside.some(({ spec }) => spec.originMarks !== false),
    by: inside.map(titleOf).join(', '),
    dependents: [],
  };
  const template = onTemplateDeletion || preserved ? 'Preserve' : base.removal.Template;
  const removal = {
    ...base.removal,
    // Its Works are removed with it, by the garbage collector, which gives no cause.
    Template: template,
    Work: template,
    ...(onUnjoin || preserved ? { Unjoin: 'Preserve' as const } : {}),
  };
  return { ...base, removal };
}

function meansSomethingIn(
  { resourceSelectors = [] }: ClusterDeletionPolicy['spec'],
  namespace: string,
): boolean {
  if (resourceSelectors.length === 0) return true;
  return resourceSelectors.some(
    (selector) => selector.kind !== 'Namespace' && (selector.namespace ?? namespace) === namespace,
  );
}

// ---- as a Work carries it

/** JSON, with nothing that a default says. */
export function rulesText({ removal, marks, by, dependents }: DeletionRules): string {
  const ways = Object.fromEntries(CAUSES.map((cause) => [cause, removal[cause]]));
  return JSON.stringify({
    ...ways,
    by,
    ...(marks ? { marks } : {}),
    ...(dependents.length === 0 ? {} : { dependents }),
  });
}

/** What a Work carries; undefined: nothing, or nothing that can be read. */
export function carriedRules({ metadata }: Pick<KubeObject, 'metadata'>): DeletionRules | undefined {
  const text = metadata.annotations?.[DELETION_RULES_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const read = JSON.parse(text) as Partial<Record<RemovalCause | 'by' | 'marks' | 'dependents', unknown>>;
    const way = (cause: RemovalCause): Removal =>
      read[cause] === 'Preserve' || read[cause] === 'DeleteImmediately' ? read[cause] : 'Delete';
    return {
      removal: Object.fromEntries(CAUSES.map((cause) => [cause, way(cause)])) as Record<
        RemovalCause,
        Removal
      >,
      keepWithoutPolicy: true,
      marks: read.marks === true,
      by: typeof read.by === 'string' ? read.by : '',
      dependents: Array.isArray(read.dependents) ? read.dependents.map(String) : [],
    };
  } catch {
    return undefined;
  }
}
