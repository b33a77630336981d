// What may change of a pod once it is there, in its spec and in its status. The words, the paths and the order are
// kube-apiserver's.
import type { ContainerStatus, KubeObject, NodeAffinity, Pod, PodSpec, PodStatus } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Subdomain,
  isQualifiedName,
  parseIp,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { immutable, named, validAddress } from './checks.ts';
import { validateImageSpaces } from './pod-containers.ts';
import { validateToleration } from './pod-placement.ts';
import { validatePodSpec } from './pod-validation.ts';

const specOf = (object: KubeObject): PodSpec => (object as unknown as Pod).spec!;

const ONLY_THESE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

const DEADLINE_MAX = 2_147_483_647;

export function validatePodUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const [spec, before] = [specOf(next), specOf(old)];
  const errors = validatePodSpec(spec, 'spec');
  for (const kind of ['containers', 'initContainers'] as const) {
    const containers = spec[kind] ?? [];
    if (containers.length !== (before[kind] ?? []).length) {
      return [
        ...errors,
        fieldError.forbidden(`spec.${kind}`, 'pod updates may not add or remove containers'),
      ];
    }
    for (const [i, container] of containers.entries()) {
      const at = `spec.${kind}[${i}]`;
      if ((container.image ?? '') === '') errors.push(fieldError.required(`${at}.image`));
      errors.push(...validateImageSpaces(container, at));
    }
  }
  const [deadlineErrors, ended] = validateDeadline(spec.activeDeadlineSeconds, before.activeDeadlineSeconds);
  errors.push(...deadlineErrors);
  if (ended) return errors;
  errors.push(...validateTolerations(spec, before), ...validateSchedulingGates(spec, before));
  if (semanticEqual(spec, before)) return errors;
  const gated = (before.schedulingGates ?? []).length > 0;
  if (gated) errors.push(...validateGated(spec, before));
  if (!semanticEqual(fixedPart(spec, before, gated), fixedPart(before, before, gated))) {
    errors.push(fieldError.forbidden('spec', ONLY_THESE));
  }
  return errors;
}

/** Errors, and whether nothing else is looked at. */
function validateDeadline(
  deadline: number | undefined,
  old: number | undefined,
): readonly [errors: FieldError[], ended: boolean] {
  const refuse = (why: string): FieldError[] => [
    fieldError.invalid('spec.activeDeadlineSeconds', deadline ?? null, why),
  ];
  if (deadline === undefined) {
    return [old === undefined ? [] : refuse('must not update from a positive integer to nil value'), false];
  }
  if (deadline < 0 || deadline > DEADLINE_MAX) {
    return [refuse(`must be between 0 and ${DEADLINE_MAX}, inclusive`), true];
  }
  return old !== undefined && deadline > old
    ? [refuse('must be less than or equal to previous value'), true]
    : [[], false];
}

function validateTolerations(spec: PodSpec, before: PodSpec): FieldError[] {
  const tolerations = spec.tolerations ?? [];
  const lost = (before.tolerations ?? []).some(
    (old) =>
      !tolerations.some((one) =>
        semanticEqual({ ...one, tolerationSeconds: 0 }, { ...old, tolerationSeconds: 0 }),
      ),
  );
  if (lost) {
    const why = 'existing toleration can not be modified except its tolerationSeconds';
    return [fieldError.forbidden('spec.tolerations', why)];
  }
  return tolerations.flatMap((one, i) => validateToleration(one, `spec.tolerations[${i}]`));
}

function validateSchedulingGates(spec: PodSpec, before: PodSpec): FieldError[] {
  const gates = new Set((before.schedulingGates ?? []).map(({ name }) => name));
  return (spec.schedulingGates ?? []).flatMap(({ name }, i) =>
    gates.has(name)
      ? []
      : [
          fieldError.forbidden(
            `spec.schedulingGates[${i}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  );
}

/** Before a scheduler looks at a pod, where it may run can be narrowed. */
function validateGated(spec: PodSpec, before: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const selector = spec.nodeSelector ?? {};
  for (const [key, value] of Object.entries(before.nodeSelector ?? {})) {
    if (selector[key] === value) continue;
    const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.push(fieldError.invalid('spec.nodeSelector', selector, why));
    break;
  }
  const affinity = spec.affinity?.nodeAffinity;
  const old = before.affinity?.nodeAffinity;
  return semanticEqual(affinity, old) ? errors : [...errors, ...validateNarrowed(affinity, old)];
}

function validateNarrowed(affinity: NodeAffinity | undefined, old: NodeAffinity | undefined): FieldError[] {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution';
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (before.length === 0) return [];
  if (terms.length !== before.length) {
    const why = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    return [fieldError.invalid(`${path}.nodeSelectorTerms`, terms, why)];
  }
  return before.flatMap((term, i) => {
    const at = `${path}.nodeSelectorTerms[${i}]`;
    const now = terms[i]!;
    if (Object.keys(term).length === 0 && !semanticEqual(term, now)) {
      return [fieldError.invalid(at, now, 'cannot be empty')];
    }
    return (['matchExpressions', 'matchFields'] as const).flatMap((field) => {
      const kept = semanticEqual((now[field] ?? []).slice(0, (term[field] ?? []).length), term[field] ?? []);
      const why = 'only additions are allowed (no mutations or deletions)';
      return kept ? [] : [fieldError.invalid(`${at}.${field}`, now[field] ?? null, why)];
    });
  });
}

/** The spec without what may change on a pod, or was looked at by itself. */
function fixedPart(spec: PodSpec, before: PodSpec, gated: boolean): unknown {
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    schedulingGates: _gates,
    terminationGracePeriodSeconds: grace,
    nodeSelector,
    affinity,
    ...rest
  } = spec;
  const withoutImages = (containers: PodSpec['initContainers']): unknown =>
    containers?.map((container) => ({ ...container, image: '' }));
  const { nodeAffinity: _nodes, ...others } = affinity ?? {};
  const old = before.terminationGracePeriodSeconds ?? 0;
  return {
    ...rest,
    containers: withoutImages(spec.containers),
    initContainers: withoutImages(spec.initContainers),
    terminationGracePeriodSeconds: old < 0 && grace === 1 ? old : grace,
    nodeSelector: gated ? {} : nodeSelector,
    affinity: gated ? others : affinity,
  };
}

// ---- status

const OWN_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized'];

export function validatePodStatus(next: KubeObject, old: KubeObject): FieldError[] {
  const status = (next as unknown as Pod).status ?? {};
  const oldStatus = (old as unknown as Pod).status ?? {};
  const { conditions = [], nominatedNodeName: nominated = '' } = status;
  // COMPAT: conditions are of the metadata here.
  const errors = conditions.flatMap(({ type }, i) =>
    OWN_CONDITIONS.includes(type) ? [] : named(isQualifiedName(type), type, `metadata.conditions[${i}].Type`),
  );
  if (nominated !== '' && nominated !== oldStatus.nominatedNodeName) {
    errors.push(...named(isDns1123Subdomain(nominated), nominated, 'status.nominatedNodeName'));
  }
  errors.push(...immutable(status.qosClass, oldStatus.qosClass, 'status.qosClass'));
  const policy = specOf(old).restartPolicy ?? 'Always';
  const sidecars = (specOf(old).initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === 'Always')
    .map(({ name }) => name);
  return [
    ...errors,
    ...validateEnds('containerStatuses', status, oldStatus, policy),
    ...validateEnds('initContainerStatuses', status, oldStatus, policy, sidecars),
    ...validateEnds('ephemeralContainerStatuses', status, oldStatus, 'Never'),
    ...validateAddresses(status),
  ];
}

/** A container that has ended for good does not run again. */
function validateEnds(
  field: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses',
  status: PodStatus,
  old: PodStatus,
  policy: string,
  restarting: readonly string[] = [],
): FieldError[] {
  if (policy === 'Always') return [];
  const ends = ({ state }: ContainerStatus): number | undefined => state?.terminated?.exitCode;
  return (old[field] ?? []).flatMap((before, i) => {
    const code = ends(before);
    if (code === undefined || (code !== 0 && policy === 'OnFailure') || restarting.includes(before.name)) {
      return [];
    }
    const now = (status[field] ?? []).find(({ name }) => name === before.name);
    const why = 'may not be transitioned to non-terminated state';
    return now === undefined || ends(now) !== undefined
      ? []
      : [fieldError.forbidden(`status.${field}[${i}].state`, why)];
  });
}

function validateAddresses(status: PodStatus): FieldError[] {
  const errors: FieldError[] = [];
  const { hostIP = '', hostIPs = [], podIPs = [] } = status;
  errors.push(...validateAddressList(podIPs, 'status.podIPs'));
  if (hostIPs.length > 0 && hostIPs[0]!.ip !== hostIP) {
    errors.push(fieldError.invalid('status.hostIPs[0].ip', hostIPs[0]!.ip, 'must be equal to `hostIP`'));
  }
  return [...errors, ...validateAddressList(hostIPs, 'status.hostIPs')];
}

function validateAddressList(list: readonly { readonly ip: string }[], path: string): FieldError[] {
  const errors = list.flatMap(({ ip }, i) => validAddress(ip, `${path}[${i}]`));
  if (list.length < 2) return errors;
  const families = new Set(list.map(({ ip }) => parseIp(ip)?.family));
  if (families.size < 2 || list.length > 2) {
    errors.push(fieldError.invalid(path, list, 'may specify no more than one IP for each IP family'));
  }
  const seen = new Set<string>();
  for (const [i, address] of list.entries()) {
    if (seen.has(address.ip)) errors.push(fieldError.duplicate(`${path}[${i}]`, address));
    seen.add(address.ip);
  }
  return errors;
}
