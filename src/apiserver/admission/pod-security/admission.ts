// Pod Security admission: pods are held to the level that their namespace's labels enforce; what is made of pod
// templates only warns, since it is the pods that are refused.
import type { KubeObject, ObjectMeta } from '../../../api/index.ts';
import {
  forbidden,
  invalid,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../../../machinery/index.ts';
import type { ObjectAccess } from '../../object-access.ts';
import { detailsOf, findingsOf, reasonsOf } from './evaluate.ts';
import { containersOf, type PodSpec } from './findings.ts';
import {
  isStricter,
  levelText,
  policyOf,
  sameLevel,
  type LevelVersion,
  type SecurityPolicy,
} from './policy.ts';

type Warn = (message: string) => void;

/** Where kinds keep the template of their pods. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['/replicationcontrollers', ['spec', 'template']],
  ['/podtemplates', ['template']],
  ['apps/replicasets', ['spec', 'template']],
  ['apps/deployments', ['spec', 'template']],
  ['apps/statefulsets', ['spec', 'template']],
  ['apps/daemonsets', ['spec', 'template']],
  ['batch/jobs', ['spec', 'template']],
  ['batch/cronjobs', ['spec', 'jobTemplate', 'spec', 'template']],
]);

// Other subresources of pods may change what a pod is.
const HARMLESS = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);

// LIMIT: pods of a namespace that are looked at when its level rises; as upstream.
const MAX_PODS = 3000;

interface PodLike {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
}

function templateOf(object: KubeObject, path: readonly string[]): PodLike | undefined {
  const found = path.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    object,
  );
  const { metadata = {}, spec } = (found ?? {}) as Partial<PodLike>;
  return spec === undefined ? undefined : { metadata, spec };
}

export function podSecurity(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    handles({ operation, group, resource, subresource }) {
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false;
      if (group === '' && resource === 'pods') return !HARMLESS.has(subresource);
      if (subresource !== '') return false;
      return (group === '' && resource === 'namespaces') || TEMPLATES.has(`${group}/${resource}`);
    },
    async validate(attributes, warn) {
      const { group, resource, object } = attributes;
      if (resource === 'namespaces') return checkNamespace(attributes, objects, warn);
      const namespace = await objects.get('', 'namespaces', '', attributes.namespace);
      const { policy, errors } = policyOf(namespace?.metadata.labels);
      const isPod = resource === 'pods';
      const { enforce, audit, warn: warning } = policy;
      const levels = isPod ? [enforce, audit, warning] : [audit, warning];
      if (errors.length === 0 && levels.every(({ level }) => level === 'privileged')) return;
      const pod = isPod
        ? (object as unknown as PodLike)
        : templateOf(object!, TEMPLATES.get(`${group}/${resource}`) ?? []);
      if (pod === undefined) return;
      if (isPod && attributes.operation === 'UPDATE' && !changesMuch(pod, attributes.oldObject)) return;
      const why = errors.map(({ path, message }) => `${path}: ${message}`).join(', ');
      if (why !== '')
        attributes.annotate?.('pod-security.kubernetes.io/error', `Failed to parse policy: ${why}`);
      judge(attributes, policy, pod, isPod, warn);
    },
  };
}

function judge(
  attributes: AdmissionAttributes,
  { enforce, audit, warn: warning }: SecurityPolicy,
  { spec, metadata }: PodLike,
  isPod: boolean,
  warn: Warn,
): void {
  const { annotate, name, object, group, resource } = attributes;
  const would = (level: LevelVersion): string | undefined => {
    const findings = findingsOf(level, spec, metadata);
    return findings.length === 0
      ? undefined
      : `violate PodSecurity "${levelText(level)}": ${detailsOf(findings)}`;
  };
  if (isPod) annotate?.('pod-security.kubernetes.io/enforce-policy', levelText(enforce));
  const audited = would(audit);
  if (audited !== undefined) annotate?.('pod-security.kubernetes.io/audit-violations', `would ${audited}`);
  const refused = isPod ? would(enforce) : undefined;
  if (refused !== undefined) {
    const called = name || (object?.metadata.generateName ?? '');
    throw forbidden({ group, resource }, called, refused.replace('violate', 'violates'));
  }
  const warned = would(warning);
  if (warned !== undefined) warn(`would ${warned}`);
}

/** Whether an update of a pod touches what the checks look at. */
function changesMuch(pod: PodLike, old: KubeObject | undefined): boolean {
  const before = old as unknown as PodLike | undefined;
  if (before === undefined) return true;
  const seen = ({ spec, metadata }: PodLike): string =>
    JSON.stringify([
      containersOf(spec).map(({ name, image }) => [name, image]),
      Object.entries(metadata.annotations ?? {}).filter(([key]) => key.includes('seccomp.security.alpha')),
    ]);
  return seen(pod) !== seen(before);
}

async function checkNamespace(
  { operation, object, oldObject, name }: AdmissionAttributes,
  objects: ObjectAccess,
  warn: Warn,
): Promise<void> {
  const { policy, errors } = policyOf(object?.metadata.labels);
  const before = operation === 'UPDATE' ? policyOf(oldObject?.metadata.labels) : undefined;
  const textOf = (list: typeof errors): string => list.map(({ message }) => message).join();
  if (errors.length > 0 && textOf(errors) !== textOf(before?.errors ?? [])) {
    throw invalid({ group: '', kind: 'Namespace' }, name, errors);
  }
  if (before === undefined) return;
  const [now, was] = [policy.enforce, before.policy.enforce];
  if (sameLevel(now, was) || now.level === 'privileged') return;
  if (now.minor === was.minor && !isStricter(now.level, was.level)) return;
  const pods = (await objects.list('', 'pods', name)) as unknown as readonly PodLike[];
  for (const warning of existingViolations(name, now, pods)) warn(warning);
}

/** What of the pods that are there already would not be let in any more. */
function existingViolations(
  namespace: string,
  level: LevelVersion,
  pods: readonly PodLike[],
): readonly string[] {
  const names = new Map<string, string[]>();
  for (const { spec, metadata } of pods.slice(0, MAX_PODS)) {
    const findings = findingsOf(level, spec, metadata);
    if (findings.length === 0) continue;
    const reasons = reasonsOf(findings);
    names.set(reasons, [...(names.get(reasons) ?? []), metadata.name ?? '']);
  }
  const lines = [...names].map(([reasons, of]) => {
    const others = of.length - 1;
    const more = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`;
    return `${of.toSorted()[0]}${more}: ${reasons}`;
  });
  const cut = pods.length > MAX_PODS;
  return [
    ...(cut
      ? [
          `new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${pods.length} existing pods`,
        ]
      : []),
    ...(lines.length === 0
      ? []
      : [
          `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${levelText(level)}"`,
        ]),
    ...lines.toSorted(),
  ];
}
