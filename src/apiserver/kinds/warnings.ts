// What kube-apiserver takes but thinks should not be: sent as Warning headers, which kubectl prints.
import type {
  Container,
  Ingress,
  KubeObject,
  PersistentVolume,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Service,
} from '../../api/index.ts';
import { Quantity, goQuote, isDns1123Label } from '../../machinery/index.ts';

const OLD_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region':
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone':
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type':
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

const OLD_VOLUMES: Readonly<Record<string, string>> = {
  gitRepo: 'deprecated in v1.11',
  glusterfs: 'deprecated in v1.25, this feature will be completely removed from v1.26',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
};

function duplicateEnv({ env = [] }: Container, path: string): string[] {
  const seen = new Set<string>();
  return env.flatMap(({ name, value = '' }, i) => {
    const repeated = seen.has(name);
    seen.add(name);
    // A value that builds on the one before it hides nothing.
    if (!repeated || value.includes(`$(${name})`)) return [];
    return [
      `${path}.env[${i}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`,
    ];
  });
}

function duplicatePorts({ ports = [] }: Container, path: string): string[] {
  const first = new Map<string, number>();
  return ports.flatMap(({ containerPort, protocol, hostPort = 0, hostIP = '' }, i) => {
    const key = `${containerPort}/${protocol}/${hostPort}/${hostIP}`;
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, i);
      return [];
    }
    return [`${path}.ports[${i}]: duplicate port definition with ${path}.ports[${before}]`];
  });
}

function fractionalBytes({ resources }: Container, path: string): string[] {
  return (['limits', 'requests'] as const).flatMap((kind) =>
    Object.entries(resources?.[kind] ?? {}).flatMap(([name, value]) => {
      const quantity =
        name === 'memory' || name === 'ephemeral-storage' ? Quantity.tryParse(value) : undefined;
      if (quantity === undefined || quantity.nanos % 1_000_000_000n === 0n) return [];
      const text = goQuote(quantity.toString());
      return [
        `${path}.resources.${kind}[${name}]: fractional byte value ${text} is invalid, must be an integer`,
      ];
    }),
  );
}

/** Frozen specs that nothing is to be warned of. */
const harmless = new WeakSet<PodSpec>();

function podSpecWarnings(spec: PodSpec | undefined, path: string): string[] {
  if (spec === undefined || harmless.has(spec)) return [];
  const warnings = warningsOf(spec, path);
  if (warnings.length === 0 && Object.isFrozen(spec)) harmless.add(spec);
  return warnings;
}

function warningsOf(spec: PodSpec, path: string): string[] {
  const { containers, initContainers, nodeSelector = {}, volumes = [], imagePullSecrets = [] } = spec;
  const lists = [
    ['containers', containers ?? []],
    ['initContainers', initContainers ?? []],
  ] as const;
  const warnings = Object.keys(nodeSelector).flatMap((key) =>
    Object.hasOwn(OLD_LABELS, key) ? [`${path}.nodeSelector[${key}]: ${OLD_LABELS[key]}`] : [],
  );
  for (const [i, volume] of volumes.entries()) {
    for (const source of Object.keys(volume)) {
      if (Object.hasOwn(OLD_VOLUMES, source))
        warnings.push(`${path}.volumes[${i}].${source}: ${OLD_VOLUMES[source]}`);
    }
  }
  for (const [i, { name = '' }] of imagePullSecrets.entries()) {
    if (name === '')
      warnings.push(`${path}.imagePullSecrets[${i}].name: invalid empty name ${goQuote(name)}`);
  }
  for (const [field, list] of lists) {
    for (const [i, container] of list.entries()) {
      const at = `${path}.${field}[${i}]`;
      warnings.push(
        ...fractionalBytes(container, at),
        ...duplicateEnv(container, at),
        ...duplicatePorts(container, at),
      );
    }
  }
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  return warnings;
}

function nameWarning(object: KubeObject, use: string): string[] {
  const complaints = isDns1123Label(object.metadata.name ?? '');
  if (complaints.length === 0) return [];
  return [
    `metadata.name: ${use}, which can result in surprising behavior; a DNS label is recommended: [${complaints.join(' ')}]`,
  ];
}

export function podWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const names = old === undefined ? nameWarning(object, "this is used in the Pod's hostname") : [];
  return [...names, ...podSpecWarnings((object as unknown as Pod).spec, 'spec')];
}

/** @param template where the kind keeps its pods' template, e.g. `spec.template` */
export function templateWarnings(
  templateOf: (object: KubeObject) => PodTemplateSpec | undefined,
  template: string,
  namesPods: boolean,
): (object: KubeObject, old: KubeObject | undefined) => string[] {
  return (object, old) => {
    const names =
      old === undefined && namesPods ? nameWarning(object, 'this is used in Pod names and hostnames') : [];
    // COMPAT: a template that an update leaves alone was warned of when it came.
    const unchanged = old !== undefined && templateOf(old) === templateOf(object);
    return unchanged ? names : [...names, ...podSpecWarnings(templateOf(object)?.spec, `${template}.spec`)];
  };
}

export function serviceWarnings(object: KubeObject): string[] {
  const { spec = {} } = object as unknown as Service;
  const warnings: string[] = [];
  if ((spec.externalIPs ?? []).length > 0 && spec.type === 'ExternalName') {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if ((spec.externalName ?? '') !== '' && spec.type !== 'ExternalName') {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.clusterIP === 'None') {
    if ((spec.loadBalancerIP ?? '') !== '') {
      warnings.push('spec.loadBalancerIP is ignored for headless services');
    }
    if ((spec.externalIPs ?? []).length > 0)
      warnings.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None')
      warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  return warnings;
}

const INGRESS_CLASS = 'kubernetes.io/ingress.class';

export function ingressWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const { metadata } = object as unknown as Ingress;
  if (old !== undefined || metadata.annotations?.[INGRESS_CLASS] === undefined) return [];
  return [`annotation "${INGRESS_CLASS}" is deprecated, please use 'spec.ingressClassName' instead`];
}

const STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class';

export function storageClassWarnings(object: KubeObject): string[] {
  return object.metadata.annotations?.[STORAGE_CLASS] === undefined
    ? []
    : [
        `metadata.annotations[${STORAGE_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`,
      ];
}

export function volumeWarnings(object: KubeObject): string[] {
  const { spec } = object as unknown as PersistentVolume;
  const warnings = storageClassWarnings(object);
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  }
  for (const source of Object.keys(spec ?? {})) {
    if (Object.hasOwn(OLD_VOLUMES, source)) warnings.push(`spec.${source}: ${OLD_VOLUMES[source]}`);
  }
  return warnings;
}
