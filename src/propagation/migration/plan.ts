// What promoting objects of a member means: which come under the hub, in which order, and what stands against it.
// INVARIANT: a plan without problems changes nothing in the member but labels and annotations, so nothing restarts.
import {
  CONFLICT_RESOLUTION_ANNOTATION,
  gvkOf,
  type KubeObject,
  type MigrationItem,
  type MigrationStep,
} from '../../api/index.ts';
import { isBeingDeleted, semanticEqual } from '../../machinery/index.ts';
import { isManaged } from '../member-object.ts';
import { promotedPolicyName } from '../names.ts';
import { prune } from '../prune.ts';
import { inRebuildOrder } from './order.ts';
import { contentOf } from './original.ts';

export interface MigrationSubject {
  readonly role: MigrationItem['role'];
  /** As the member has it. */
  readonly object: KubeObject;
  /** As the hub has it already. */
  readonly onHub: KubeObject | undefined;
  /** What the hub makes of the template; undefined when that cannot be known before. */
  readonly becomes: KubeObject | undefined;
}

export type MigrationProblemReason =
  | 'AlreadyManaged'
  | 'BeingDeleted'
  | 'Owned'
  | 'DiffersOnHub'
  | 'PolicyExists'
  | 'WouldChange';

export interface MigrationProblem {
  readonly object: KubeObject;
  readonly reason: MigrationProblemReason;
  readonly message: string;
}

export interface MigrationPlan {
  /** To be made on the hub and taken over in the member, what others stand on first. */
  readonly subjects: readonly MigrationSubject[];
  /** On the hub already, as they are in the member. */
  readonly present: readonly MigrationSubject[];
  readonly policies: readonly KubeObject[];
  readonly steps: readonly MigrationStep[];
  readonly problems: readonly MigrationProblem[];
}

export interface MigrationInput {
  readonly cluster: string;
  readonly subjects: readonly MigrationSubject[];
  readonly dependencies: boolean;
  readonly autoCreatePolicy: boolean;
  /** Of the one selected object; generated when undefined. */
  readonly policyName: string | undefined;
  /** Names of namespaces that the hub has. */
  readonly namespaces: ReadonlySet<string>;
  /** Whether the hub has a policy of this name. */
  readonly hasPolicy: (namespace: string, name: string) => boolean;
}

export function decideMigration(input: MigrationInput): MigrationPlan {
  const ordered = inRebuildOrder(input.subjects, ({ object }) => object);
  const subjects = ordered.filter(({ onHub }) => onHub === undefined);
  const present = ordered.filter(({ onHub }) => onHub !== undefined);
  const selected = subjects.filter(({ role }) => role === 'Selected').map(({ object }) => object);
  const policies = input.autoCreatePolicy ? selected.map((object) => policyOf(object, input)) : [];
  const problems = [
    ...subjects.flatMap((subject) => problemsOf(subject, input.cluster)),
    ...present.flatMap((subject) => presentProblem(subject)),
    ...policies.flatMap((policy) => policyProblem(policy, input)),
  ];
  return { subjects, present, policies, steps: stepsOf(subjects, policies, input), problems };
}

/** What the hub gets: without what belongs to the member's API server, and willing to take over. */
export function promotedTemplate(object: KubeObject): KubeObject {
  const template = prune(object, false);
  const { annotations } = template.metadata;
  if (annotations?.[CONFLICT_RESOLUTION_ANNOTATION] !== undefined) return template;
  return {
    ...template,
    metadata: {
      ...template.metadata,
      annotations: { ...annotations, [CONFLICT_RESOLUTION_ANNOTATION]: 'overwrite' },
    },
  };
}

/** COMPAT: the policy that upstream's promote makes. */
export function promotedPolicy(
  object: KubeObject,
  options: { readonly cluster: string; readonly name?: string | undefined; readonly propagateDeps: boolean },
): KubeObject {
  const { namespace, name = '' } = object.metadata;
  const namespaced = namespace !== undefined && namespace !== '';
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: namespaced ? 'PropagationPolicy' : 'ClusterPropagationPolicy',
    metadata: {
      name: options.name ?? promotedPolicyName(namespace ?? '', name, gvkOf(object)),
      ...(namespaced ? { namespace } : {}),
    },
    spec: {
      ...(options.propagateDeps ? { propagateDeps: true } : {}),
      resourceSelectors: [{ apiVersion: object.apiVersion, kind: object.kind, name }],
      placement: { clusterAffinity: { clusterNames: [options.cluster] } },
      conflictResolution: 'Overwrite',
      preserveResourcesOnDeletion: true,
    },
  };
}

function policyOf(object: KubeObject, { cluster, policyName, dependencies }: MigrationInput): KubeObject {
  return promotedPolicy(object, { cluster, name: policyName, propagateDeps: dependencies });
}

function policyProblem(policy: KubeObject, { hasPolicy }: MigrationInput): readonly MigrationProblem[] {
  const { namespace = '', name = '' } = policy.metadata;
  if (!hasPolicy(namespace, name)) return [];
  const called = namespace === '' ? `${policy.kind}(${name})` : `${policy.kind}(${namespace}/${name})`;
  const message = `the ${called} already exist, please edit it to propagate resource`;
  return [{ object: policy, reason: 'PolicyExists', message }];
}

function problemsOf(
  { object, becomes, role }: MigrationSubject,
  cluster: string,
): readonly MigrationProblem[] {
  const found: MigrationProblem[] = [];
  const tell = (reason: MigrationProblemReason, message: string): void =>
    void found.push({ object, reason, message: `${titleOf(object)} ${message}` });
  if (isBeingDeleted(object)) tell('BeingDeleted', `is being deleted in ${cluster}`);
  if (isManaged(object))
    tell('AlreadyManaged', `in ${cluster} is managed by a control plane already; release it there first`);
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner !== undefined)
    tell('Owned', `belongs to ${owner.kind} ${owner.name}, which would make it anew; promote that instead`);
  const changed = becomes === undefined || role === 'Definition' ? [] : changedFields(object, becomes);
  if (changed.length > 0)
    tell(
      'WouldChange',
      `would change in ${cluster}, since the hub fills in other defaults: ${changed.join(', ')}`,
    );
  return found;
}

/** Equal is as good as promoted; different would overwrite what runs in the member. */
function presentProblem({ object, onHub, role }: MigrationSubject): readonly MigrationProblem[] {
  if (onHub === undefined || role === 'Selected') return [];
  const changed = changedFields(object, onHub);
  if (changed.length === 0) return [];
  const message = `${titleOf(object)} is on the hub with other content, which would replace that of the member: ${changed.join(', ')}`;
  return [{ object, reason: 'DiffersOnHub', message }];
}

/** Paths of fields that differ, apart from metadata and what each API server fills in for itself. */
export function changedFields(object: KubeObject, other: KubeObject): readonly string[] {
  const found: string[] = [];
  compare(contentOf(object), contentOf(other), '', found);
  return found;
}

// LIMIT: as many differences as a person reads.
const DIFFERENCES_MAX = 10;

function compare(a: unknown, b: unknown, path: string, found: string[]): void {
  if (found.length >= DIFFERENCES_MAX || semanticEqual(a, b)) return;
  const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(a) || !isMap(b)) return void found.push(path === '' ? '(all)' : path);
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
    compare(a[key], b[key], path === '' ? key : `${path}.${key}`, found);
}

function stepsOf(
  subjects: readonly MigrationSubject[],
  policies: readonly KubeObject[],
  { namespaces }: MigrationInput,
): readonly MigrationStep[] {
  const missing = new Set(
    subjects
      .map(({ object }) => object.metadata.namespace ?? '')
      .filter((name) => name !== '' && !namespaces.has(name)),
  );
  const adopted = policies.length === 0 ? [] : subjects.filter(({ role }) => role !== 'Definition');
  return [
    ...[...missing].sort().map((name) => ({
      action: 'EnsureNamespace' as const,
      apiVersion: 'v1',
      kind: 'Namespace',
      name,
      state: 'Pending' as const,
    })),
    ...subjects.map(({ object }) => stepFor('CreateTemplate', object)),
    ...policies.map((policy) => stepFor('CreatePolicy', policy)),
    ...adopted.map(({ object }) => stepFor('Adopt', object)),
  ];
}

function stepFor(action: MigrationStep['action'], { apiVersion, kind, metadata }: KubeObject): MigrationStep {
  const { namespace, name = '' } = metadata;
  return {
    action,
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    state: 'Pending',
  };
}

export function titleOf({ kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>): string {
  const { namespace = '', name = '' } = metadata;
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** In which order steps are taken back: first what is made on the hub, so that the member's objects are free again. */
export function undoOrder(steps: readonly MigrationStep[]): readonly MigrationStep[] {
  const of = (action: MigrationStep['action']): readonly MigrationStep[] =>
    steps.filter((step) => step.action === action).toReversed();
  return [...of('CreateTemplate'), ...of('Adopt'), ...of('CreatePolicy'), ...of('EnsureNamespace')];
}
