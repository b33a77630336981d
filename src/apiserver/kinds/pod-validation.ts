// What makes a pod spec valid, in pods and in every template of pods. The checks are those whose failure would
// otherwise show only when a kubelet meets the pod: names, images, ports, volumes, resources, probes.
import type {
  Container,
  ContainerPort,
  EnvFromSource,
  EnvVar,
  LifecycleHandler,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceRequirements,
  Toleration,
} from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  isPortName,
  isPortNumber,
  isQualifiedName,
  isRelaxedEnvVarName,
  validateAnnotations,
  validateLabels,
  type FieldError,
} from '../../machinery/index.ts';
import { named, notNegative, oneOf, quantityNotNegative } from './checks.ts';
import { validateContainerIdentity, validatePodIdentity } from './pod-identity.ts';
import {
  validateAffinity,
  validateDns,
  validateGates,
  validateHostPorts,
  validateSystem,
} from './pod-placement.ts';
import { validateMounts, validateVolumes } from './pod-volumes.ts';
import { STANDARD_RESOURCES } from './quotas.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];

export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const forbidden = (template.spec?.ephemeralContainers ?? []).length > 0;
  const why = 'ephemeral containers not allowed in pod template';
  return [
    ...validateLabels(template.metadata?.labels, `${path}.metadata.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.metadata.annotations`),
    ...validatePodSpec(template.spec ?? { containers: [] }, `${path}.spec`),
    ...(forbidden ? [fieldError.forbidden(`${path}.spec.ephemeralContainers`, why)] : []),
  ];
}

export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const volumes = spec.volumes ?? [];
  const volumeNames = new Set(volumes.map(({ name }) => name));
  const containers = spec.containers ?? [];
  const initContainers = spec.initContainers ?? [];
  const names = new Set<string>();
  return [
    ...validateVolumes(volumes, `${path}.volumes`),
    ...(containers.length === 0 ? [fieldError.required(`${path}.containers`)] : []),
    ...containers.flatMap((one, i) => validateContainer(one, names, volumeNames, `${path}.containers[${i}]`)),
    ...initContainers.flatMap((one, i) =>
      validateContainer(one, names, volumeNames, `${path}.initContainers[${i}]`),
    ),
    ...(spec.ephemeralContainers ?? []).flatMap((one, i) =>
      validateContainer(one as unknown as Container, names, volumeNames, `${path}.ephemeralContainers[${i}]`),
    ),
    ...initContainers.flatMap((one, i) => validateInit(one, `${path}.initContainers[${i}]`)),
    ...validateHostPorts(spec, path),
    ...oneOf(spec.restartPolicy, RESTART_POLICIES, `${path}.restartPolicy`, false),
    ...oneOf(
      spec.dnsPolicy,
      ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
      `${path}.dnsPolicy`,
      false,
    ),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodIdentity(spec, path),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, path),
    ...validateGates(spec, path),
    ...validateSystem(spec, path),
    ...validateTopologySpread(spec, path),
    ...validateNames(spec, path),
    ...(spec.tolerations ?? []).flatMap((one, i) => validateToleration(one, `${path}.tolerations[${i}]`)),
    ...notNegative(spec.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`),
  ];
}

/** One that ends before the others begin is not watched while it runs. */
function validateInit(container: Container, path: string): FieldError[] {
  if (container.restartPolicy === 'Always') return [];
  const why = 'may not be set for init containers without restartPolicy=Always';
  return (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    .filter((field) => container[field] !== undefined)
    .map((field) => fieldError.forbidden(`${path}.${field}`, why));
}

function validateNames(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { serviceAccountName = '', nodeName = '', hostname = '', subdomain = '' } = spec;
  if (serviceAccountName !== '') {
    errors.push(
      ...named(isDns1123Subdomain(serviceAccountName), serviceAccountName, `${path}.serviceAccountName`),
    );
  }
  if (nodeName !== '') errors.push(...named(isDns1123Subdomain(nodeName), nodeName, `${path}.nodeName`));
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > 2_147_483_647)) {
    const why = 'must be between 1 and 2147483647, inclusive';
    errors.push(fieldError.invalid(`${path}.activeDeadlineSeconds`, deadline, why));
  }
  if (hostname !== '') errors.push(...named(isDns1123Label(hostname), hostname, `${path}.hostname`));
  if (subdomain !== '') errors.push(...named(isDns1123Label(subdomain), subdomain, `${path}.subdomain`));
  const priorityClass = spec.priorityClassName ?? '';
  if (priorityClass !== '') {
    errors.push(...named(isDns1123Subdomain(priorityClass), priorityClass, `${path}.priorityClassName`));
  }
  return errors;
}

function validateTopologySpread(spec: PodSpec, path: string): FieldError[] {
  return (spec.topologySpreadConstraints ?? []).flatMap((one, i) => {
    const at = `${path}.topologySpreadConstraints[${i}]`;
    const errors: FieldError[] = [];
    if (one.maxSkew <= 0)
      errors.push(fieldError.invalid(`${at}.maxSkew`, one.maxSkew, 'must be greater than zero'));
    if (one.topologyKey === '') errors.push(fieldError.required(`${at}.topologyKey`, 'can not be empty'));
    errors.push(
      ...oneOf(one.whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], `${at}.whenUnsatisfiable`),
    );
    return errors;
  });
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  const errors: FieldError[] = [];
  if (key !== '') errors.push(...named(isQualifiedName(key), key, `${path}.key`));
  if (key === '' && operator !== 'Exists') {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(fieldError.invalid(`${path}.operator`, operator, why));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(fieldError.invalid(`${path}.effect`, effect, why));
  }
  if (operator === 'Exists' && value !== '') {
    const why = "value must be empty when `operator` is 'Exists'";
    errors.push(fieldError.invalid(`${path}.operator`, value, why));
  }
  errors.push(...oneOf(operator, ['Equal', 'Exists', 'Gt', 'Lt'], `${path}.operator`));
  errors.push(...oneOf(effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${path}.effect`));
  return errors;
}

// ---- containers

function validateContainer(
  container: Container,
  names: Set<string>,
  volumes: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, image = '' } = container;
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  else errors.push(...named(isDns1123Label(name), name, `${path}.name`));
  if (image === '') errors.push(fieldError.required(`${path}.image`));
  else if (image !== image.trim()) {
    errors.push(fieldError.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  }
  if (name !== '' && names.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name));
  names.add(name);
  errors.push(
    ...oneOf(
      container.terminationMessagePolicy,
      ['File', 'FallbackToLogsOnError'],
      `${path}.terminationMessagePolicy`,
      false,
    ),
    ...validatePorts(container.ports ?? [], `${path}.ports`),
    ...(container.env ?? []).flatMap((one, i) => validateEnv(one, `${path}.env[${i}]`)),
    ...(container.envFrom ?? []).flatMap((one, i) => validateEnvFrom(one, `${path}.envFrom[${i}]`)),
    ...validateMounts(container.volumeMounts ?? [], volumes, `${path}.volumeMounts`),
    ...oneOf(
      container.imagePullPolicy,
      ['Always', 'IfNotPresent', 'Never'],
      `${path}.imagePullPolicy`,
      false,
    ),
    ...validateResources(container.resources ?? {}, `${path}.resources`),
    ...validateHandlers(container, path),
    ...validateContainerIdentity(container, path),
  );
  return errors;
}

function validatePorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    const { name = '', containerPort, hostPort = 0 } = port;
    if (name !== '') {
      errors.push(...named(isPortName(name), name, `${at}.name`));
      if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (containerPort === 0) errors.push(fieldError.required(`${at}.containerPort`));
    else
      for (const why of isPortNumber(containerPort))
        errors.push(fieldError.invalid(`${at}.containerPort`, containerPort, why));
    if (hostPort !== 0) {
      for (const why of isPortNumber(hostPort))
        errors.push(fieldError.invalid(`${at}.hostPort`, hostPort, why));
    }
    errors.push(...oneOf(port.protocol, PROTOCOLS, `${at}.protocol`, false));
    return errors;
  });
}

function validateEnvFrom({ configMapRef, secretRef }: EnvFromSource, path: string): FieldError[] {
  if (configMapRef === undefined && secretRef === undefined) {
    return [fieldError.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`')];
  }
  const errors: FieldError[] = [];
  for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
    if (reference?.name === '') errors.push(fieldError.required(`${path}.${field}.name`));
  }
  if (configMapRef !== undefined && secretRef !== undefined) {
    const why = 'may not have more than one field specified at a time';
    errors.push(fieldError.invalid(path, '', why));
  }
  return errors;
}

function validateEnv(variable: EnvVar, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name, value = '', valueFrom } = variable;
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  else errors.push(...named(isRelaxedEnvVarName(name), name, `${path}.name`));
  if (valueFrom === undefined) return errors;
  const at = `${path}.valueFrom`;
  const sources = Object.values(valueFrom).filter((source) => source !== undefined).length;
  if (sources === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(fieldError.invalid(at, '', why));
  } else if (value !== '') {
    errors.push(fieldError.invalid(at, '', 'may not be specified when `value` is not empty'));
  } else if (sources > 1) {
    errors.push(fieldError.invalid(at, '', 'may not have more than one field specified at a time'));
  }
  for (const source of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = valueFrom[source];
    if (reference === undefined) continue;
    if ((reference.name ?? '') === '') errors.push(fieldError.required(`${at}.${source}.name`));
    if ((reference.key ?? '') === '') errors.push(fieldError.required(`${at}.${source}.key`));
  }
  return errors;
}

const CONTAINER_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'];

/** COMPAT: a name that is none is refused under the field, one that nobody knows under its own key. */
function containerResourceName(name: string, path: string): FieldError[] {
  const complaints = isQualifiedName(name);
  if (complaints.length > 0) return named(complaints, name, path);
  if (name.includes('/') || CONTAINER_RESOURCES.includes(name) || name.startsWith('hugepages-')) return [];
  const at = `${path}[${name}]`;
  const unknown = fieldError.invalid(at, name, 'must be a standard resource for containers');
  return STANDARD_RESOURCES.has(name)
    ? [unknown]
    : [fieldError.invalid(at, name, 'must be a standard resource type or fully qualified'), unknown];
}

export function validateResources(resources: ResourceRequirements, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { limits = {}, requests = {} } = resources;
  for (const [name, value] of Object.entries(limits)) {
    errors.push(...containerResourceName(name, `${path}.limits`));
    errors.push(...quantityNotNegative(value, `${path}.limits[${name}]`));
  }
  for (const [name, value] of Object.entries(requests)) {
    errors.push(...containerResourceName(name, `${path}.requests`));
    errors.push(...quantityNotNegative(value, `${path}.requests[${name}]`));
    const limit = limits[name];
    const [asked, most] = [Quantity.tryParse(value), Quantity.tryParse(limit)];
    if (asked !== undefined && most !== undefined && asked.nanos > most.nanos) {
      const why = `must be less than or equal to ${name} limit of ${limit}`;
      errors.push(fieldError.invalid(`${path}.requests`, String(value), why));
    }
  }
  return errors;
}

// ---- probes and hooks

function validateHandlers(container: Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[kind];
    if (probe !== undefined) errors.push(...validateProbe(probe, kind, `${path}.${kind}`));
  }
  const { lifecycle } = container;
  if (lifecycle?.postStart !== undefined) {
    errors.push(...validateHandler(lifecycle.postStart, `${path}.lifecycle.postStart`));
  }
  if (lifecycle?.preStop !== undefined) {
    errors.push(...validateHandler(lifecycle.preStop, `${path}.lifecycle.preStop`));
  }
  return errors;
}

function validateProbe(probe: Probe, kind: string, path: string): FieldError[] {
  const errors = validateHandler(probe, path);
  const numbers = [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const;
  for (const field of numbers) errors.push(...notNegative(probe[field], `${path}.${field}`));
  if (kind !== 'readinessProbe' && (probe.successThreshold ?? 1) !== 1) {
    errors.push(fieldError.invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return errors;
}

function validateHandler(handler: LifecycleHandler | Probe, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const kinds = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
  const given = kinds.filter((kind) => (handler as Readonly<Record<string, unknown>>)[kind] !== undefined);
  if (given.length === 0) errors.push(fieldError.required(path, 'must specify a handler type'));
  for (const extra of given.slice(1)) {
    errors.push(fieldError.forbidden(`${path}.${extra}`, 'may not specify more than 1 handler type'));
  }
  const { exec, httpGet, tcpSocket } = handler;
  if (exec !== undefined && (exec.command ?? []).length === 0) {
    errors.push(fieldError.required(`${path}.exec.command`));
  }
  if (httpGet !== undefined) errors.push(...validateHandlerPort(httpGet.port, `${path}.httpGet.port`));
  if (tcpSocket !== undefined) errors.push(...validateHandlerPort(tcpSocket.port, `${path}.tcpSocket.port`));
  return errors;
}

function validateHandlerPort(port: number | string, path: string): FieldError[] {
  const complaints = typeof port === 'number' ? isPortNumber(port) : isPortName(port);
  return complaints.map((why) => fieldError.invalid(path, port, why));
}
