// The state of a custom resource definition: whether its names are free, whether it is served, whether it is going.
// Pure: a status follows from the definition, the others of its group and the time.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { deepEqual } from '../../machinery/index.ts';

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

type ConditionValue = Pick<CustomResourceDefinitionCondition, 'type' | 'status' | 'reason' | 'message'>;

export function conditionOf(
  crd: CustomResourceDefinition,
  type: string,
): CustomResourceDefinitionCondition | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type);
}

export function isEstablished(crd: CustomResourceDefinition): boolean {
  return conditionOf(crd, 'Established')?.status === 'True';
}

export function isTerminating(crd: CustomResourceDefinition): boolean {
  return crd.metadata.deletionTimestamp !== undefined;
}

/** The list with this condition in it; the same list when it says so already. The time moves with the status only. */
export function withCondition(
  conditions: readonly CustomResourceDefinitionCondition[],
  value: ConditionValue,
  time: string,
): readonly CustomResourceDefinitionCondition[] {
  const known = conditions.find(({ type }) => type === value.type);
  const lastTransitionTime = known?.status === value.status ? (known.lastTransitionTime ?? time) : time;
  const next = { lastTransitionTime, ...value };
  if (known === undefined) return [...conditions, next];
  const { observedGeneration: _, ...comparable } = known;
  if (deepEqual(comparable, next)) return conditions;
  return conditions.map((condition) => (condition === known ? next : condition));
}

/** Names that other definitions of the group have been granted. */
interface Taken {
  /** Kinds and list kinds share one space. */
  readonly kinds: ReadonlySet<string>;
  /** Plurals, singulars and short names share one space. */
  readonly resources: ReadonlySet<string>;
}

function takenBy(others: readonly CustomResourceDefinition[]): Taken {
  const granted = others.map(({ status }) => status?.acceptedNames).filter((names) => names !== undefined);
  const named = (values: readonly (string | undefined)[]): ReadonlySet<string> =>
    new Set(values.filter((value): value is string => value !== undefined && value !== ''));
  return {
    kinds: named(granted.flatMap(({ kind, listKind }) => [kind, listKind])),
    resources: named(
      granted.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...(shortNames ?? [])]),
    ),
  };
}

interface NameVerdict {
  readonly accepted: CustomResourceDefinitionNames;
  readonly condition: ConditionValue;
}

/** Which of the wanted names are granted. Names that were granted before and are lost now stay as they were. */
export function judgeNames(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
): NameVerdict {
  const wanted = crd.spec.names;
  const before = crd.status?.acceptedNames ?? { plural: '', kind: '' };
  const taken = takenBy(others);
  let conflict: { reason: string; message: string } | undefined;
  const free = (
    names: ReadonlySet<string>,
    name: string,
    had: string | undefined,
    reason: string,
  ): boolean => {
    if (name === had || !names.has(name)) return true;
    conflict = { reason, message: `"${name}" is already in use` };
    return false;
  };
  const singularWanted = wanted.singular ?? '';
  const listKindWanted = wanted.listKind ?? '';
  const plural = free(taken.resources, wanted.plural, before.plural, 'PluralConflict')
    ? wanted.plural
    : before.plural;
  const singular = free(taken.resources, singularWanted, before.singular, 'SingularConflict')
    ? singularWanted
    : before.singular;
  const clashing = (wanted.shortNames ?? []).filter(
    (name) => taken.resources.has(name) && before.shortNames?.includes(name) !== true,
  );
  if (clashing.length > 0) {
    const all = clashing.map((name) => `"${name}" is already in use`).join(', ');
    conflict = { reason: 'ShortNamesConflict', message: clashing.length === 1 ? all : `[${all}]` };
  }
  const shortNames = clashing.length === 0 ? wanted.shortNames : before.shortNames;
  const kind = free(taken.kinds, wanted.kind, before.kind, 'KindConflict') ? wanted.kind : before.kind;
  const listKind = free(taken.kinds, listKindWanted, before.listKind, 'ListKindConflict')
    ? listKindWanted
    : before.listKind;
  const accepted: CustomResourceDefinitionNames = {
    plural,
    ...(singular === undefined || singular === '' ? {} : { singular }),
    ...(shortNames === undefined ? {} : { shortNames }),
    kind,
    ...(listKind === undefined || listKind === '' ? {} : { listKind }),
    ...(wanted.categories === undefined ? {} : { categories: wanted.categories }),
  };
  const condition: ConditionValue =
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...conflict };
  return { accepted, condition };
}

/** Kubernetes' own groups ask for an approval; whether it was given is shown. */
function approval(crd: CustomResourceDefinition): ConditionValue | undefined {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(crd.spec.group)) return undefined;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const annotation = 'api-approved.kubernetes.io';
  const value = crd.metadata.annotations?.[annotation] ?? '';
  if (value.startsWith('unapproved')) {
    const message = `not approved: ${JSON.stringify(value)}`;
    return { type, status: 'False', reason: 'UnapprovedAnnotation', message };
  }
  return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${value}` };
}

const ESTABLISHED: ConditionValue = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
};

const NOT_ESTABLISHED: ConditionValue = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
};

/**
 * The status that the definition should have. Once established it stays so, even when it wants further names that
 * are taken. The status itself comes back when it is as it should be.
 */
export function decideStatus(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  nowMs: number,
): CustomResourceDefinitionStatus {
  const status = crd.status ?? {};
  if (isTerminating(crd)) return status;
  const time = formatTime(nowMs);
  const { accepted, condition } = judgeNames(crd, others);
  let conditions = withCondition(status.conditions ?? [], condition, time);
  if (condition.status === 'True') {
    if (!isEstablished(crd)) conditions = withCondition(conditions, ESTABLISHED, time);
  } else if (conditionOf(crd, 'Established') === undefined) {
    conditions = withCondition(conditions, NOT_ESTABLISHED, time);
  }
  const approved = approval(crd);
  if (approved !== undefined) conditions = withCondition(conditions, approved, time);
  if (conditions === status.conditions && deepEqual(accepted, status.acceptedNames)) return status;
  return { ...status, conditions, acceptedNames: accepted };
}

export type DeletionStep = 'pending' | 'running' | 'done';

const TERMINATING: Readonly<Record<DeletionStep, ConditionValue>> = {
  pending: {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  },
  running: {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
  },
  done: {
    type: 'Terminating',
    status: 'False',
    reason: 'InstanceDeletionCompleted',
    message: 'removed all instances',
  },
};

/** The definition with how far the deletion of its instances is. */
export function withDeletionStep(
  crd: CustomResourceDefinition,
  step: DeletionStep,
  time: string,
): CustomResourceDefinition {
  const conditions = withCondition(crd.status?.conditions ?? [], TERMINATING[step], time);
  return { ...crd, status: { ...crd.status, conditions } };
}
