// What makes a pod spec valid, in pods and in every template of pods. The words, the paths and the order are
// kube-apiserver's.
import type { Container, PodResourceClaim, PodSpec, PodTemplateSpec } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  validateAnnotations,
  validateLabels,
  type FieldError,
} from '../../machinery/index.ts';
import { named, oneOf, quantityNotNegative } from './checks.ts';
import { validateContainers, validateHostNetwork, validateImageSpaces } from './pod-containers.ts';
import { validateHostUsers, validatePodIdentity } from './pod-identity.ts';
import {
  validateAffinity,
  validateDns,
  validateGates,
  validateHostAliases,
  validateToleration,
  validateTopologySpread,
} from './pod-placement.ts';
import { validatePodResources } from './pod-resources.ts';
import { validateContainerResource } from './resource-names.ts';
import { validateSystem } from './pod-system.ts';
import { validateHostProcesses } from './pod-windows.ts';
import { validateVolumes } from './pod-volumes.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const INT32 = /^(0|-?[1-9]\d*)$/;

/** Annotations that say something about the pod have to make sense. */
export function validateOwnAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  { nodeName = '' }: PodSpec,
  path: string,
): FieldError[] {
  const mirror = annotations?.[MIRROR];
  const cost = annotations?.[DELETION_COST];
  const isCost = (text: string): boolean =>
    INT32.test(text) && Math.trunc(Number(text)) === (Number(text) | 0);
  const needsNode = 'must set spec.nodeName if mirror pod annotation is set';
  return [
    ...(mirror !== undefined && nodeName === ''
      ? [fieldError.invalid(`${path}[${MIRROR}]`, mirror, needsNode)]
      : []),
    ...(cost === undefined || isCost(cost)
      ? []
      : [fieldError.invalid(`${path}[${DELETION_COST}]`, cost, 'must be a 32bit integer')]),
  ];
}

export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const forbidden = (template.spec?.ephemeralContainers ?? []).length > 0;
  const why = 'ephemeral containers not allowed in pod template';
  return [
    // COMPAT: upstream leaves out the metadata.
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validateOwnAnnotations(
      template.metadata?.annotations,
      template.spec ?? { containers: [] },
      `${path}.annotations`,
    ),
    ...validateTemplateSpec(template.spec ?? { containers: [] }, `${path}.spec`),
    ...(forbidden ? [fieldError.forbidden(`${path}.spec.ephemeralContainers`, why)] : []),
  ];
}

/** Frozen ones in which nothing is wrong: they go from object to object, and come again with every write. */
const rightTemplates = new WeakSet<PodSpec>();

function validateTemplateSpec(spec: PodSpec, path: string): FieldError[] {
  if (rightTemplates.has(spec)) return [];
  const errors = validateSpec(spec, path, true);
  if (errors.length === 0 && Object.isFrozen(spec)) rightTemplates.add(spec);
  return errors;
}

/** Of a pod: what templates may still leave open has to be right here. */
export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const spaces = (containers: readonly Container[] | undefined, at: string): FieldError[] =>
    (containers ?? []).flatMap((container, i) => validateImageSpaces(container, `${at}[${i}]`));
  return [
    ...validateSpec(spec, path, false),
    ...spaces(spec.containers, `${path}.containers`),
    ...spaces(spec.initContainers, `${path}.initContainers`),
  ];
}

function validateSpec(spec: PodSpec, path: string, ofTemplate: boolean): FieldError[] {
  const volumes = validateVolumes(spec.volumes ?? [], `${path}.volumes`, ofTemplate);
  return [
    ...volumes.errors,
    ...validateClaims(spec.resourceClaims ?? [], `${path}.resourceClaims`),
    ...validateContainers(spec, volumes.valid, path),
    ...validatePodResources(spec, `${path}.resources`),
    ...validateHostNetwork(spec, path),
    ...oneOf(spec.restartPolicy, RESTART_POLICIES, `${path}.restartPolicy`, false),
    ...oneOf(spec.dnsPolicy, DNS_POLICIES, `${path}.dnsPolicy`, false),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodIdentity(spec, path),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, path),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec, path),
    ...validateHostProcesses(spec, path),
    ...validateHostUsers(spec, path),
    ...validateNames(spec, path),
    ...(spec.tolerations ?? []).flatMap((one, i) => validateToleration(one, `${path}.tolerations[${i}]`)),
    ...validateHostAliases(spec, path),
    ...validateClasses(spec, path),
    ...validateSystem(spec, path),
  ];
}

function validateClaims(claims: readonly PodResourceClaim[], path: string): FieldError[] {
  const names = new Set<string>();
  return claims.flatMap((claim, i) => {
    const at = `${path}[${i}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    const errors: FieldError[] = [];
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    else if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    else errors.push(...named(isDns1123Label(name), name, `${at}.name`));
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const why = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(fieldError.invalid(at, claim, why));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const why = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(fieldError.invalid(at, claim, why));
    }
    for (const [field, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName })) {
      if (value !== undefined) errors.push(...named(isDns1123Subdomain(value), value, `${at}.${field}`));
    }
    return errors;
  });
}

const DEADLINE_MAX = 2_147_483_647;

function validateNames(spec: PodSpec, path: string): FieldError[] {
  const { activeDeadlineSeconds: deadline } = spec;
  const why = `must be between 1 and ${DEADLINE_MAX}, inclusive`;
  const of = (
    field: 'serviceAccountName' | 'nodeName' | 'hostname' | 'subdomain',
    rule: (name: string) => readonly string[],
  ): FieldError[] => {
    const name = spec[field] ?? '';
    return name === '' ? [] : named(rule(name), name, `${path}.${field}`);
  };
  return [
    ...of('serviceAccountName', isDns1123Subdomain),
    ...of('nodeName', isDns1123Subdomain),
    ...(deadline !== undefined && (deadline < 1 || deadline > DEADLINE_MAX)
      ? [fieldError.invalid(`${path}.activeDeadlineSeconds`, deadline, why)]
      : []),
    ...of('hostname', isDns1123Label),
    ...of('subdomain', isDns1123Label),
  ];
}

function validateClasses(spec: PodSpec, path: string): FieldError[] {
  const { priorityClassName = '', runtimeClassName, preemptionPolicy, overhead = {} } = spec;
  return [
    ...(priorityClassName === ''
      ? []
      : named(isDns1123Subdomain(priorityClassName), priorityClassName, `${path}.priorityClassName`)),
    ...(runtimeClassName === undefined
      ? []
      : named(isDns1123Subdomain(runtimeClassName), runtimeClassName, `${path}.runtimeClassName`)),
    ...(preemptionPolicy === undefined
      ? []
      : oneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`, false)),
    ...Object.entries(overhead).flatMap(([name, value]) => [
      ...validateContainerResource(name, `${path}.overhead.limits[${name}]`),
      ...quantityNotNegative(value, `${path}.overhead.limits[${name}]`),
    ]),
  ];
}
