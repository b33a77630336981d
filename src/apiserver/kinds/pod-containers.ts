// Containers of all three kinds. The words, the paths and the order are kube-apiserver's.
import type { Container, ContainerPort, ContainerRestartRule, PodSpec, Volume } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isPortName,
  isPortNumber,
  type FieldError,
} from '../../machinery/index.ts';
import { named, notFound, oneOf, oneOfIfGiven } from './checks.ts';
import { validateEnv, validateEnvFrom } from './pod-environment.ts';
import { validateHandlers } from './pod-handlers.ts';
import { validateContainerIdentity } from './pod-identity.ts';
import { validateResizePolicy, validateResources } from './pod-resources.ts';
import { validateDevices, validateMounts } from './pod-volumes.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;

/** @param volumes of the pod that can be mounted */
export function validateContainers(
  spec: PodSpec,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const { initContainers = [], ephemeralContainers = [] } = spec;
  const containers = spec.containers ?? [];
  return [
    ...(containers.length === 0
      ? [fieldError.required(`${path}.containers`)]
      : validateMain(containers, spec, volumes, `${path}.containers`)),
    ...validateInit(initContainers, spec, volumes, `${path}.initContainers`),
    ...validateEphemeral(ephemeralContainers, spec, volumes, `${path}.ephemeralContainers`),
  ];
}

function validateMain(
  containers: readonly Container[],
  spec: PodSpec,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const names = new Set<string>();
  const errors = containers.flatMap((container, i) => {
    const at = `${path}[${i}]`;
    const found = validateCommon(container, spec, volumes, at);
    if (names.has(container.name)) found.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    return [
      ...found,
      ...validateHandlers(container, spec.terminationGracePeriodSeconds ?? 0, at),
      ...validateRestarts(container, at),
    ];
  });
  return [...errors, ...validateHostPorts(containers, path)];
}

const HANDLERS = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function validateInit(
  containers: readonly Container[],
  spec: PodSpec,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const names = new Set((spec.containers ?? []).map(({ name }) => name));
  return containers.flatMap((container, i) => {
    const at = `${path}[${i}]`;
    const { name } = container;
    const errors = [
      ...validateCommon(container, spec, volumes, at),
      ...validateRestarts(container, at),
      ...(names.has(name) ? [fieldError.duplicate(`${at}.name`, name)] : []),
      // COMPAT: they run one after the other, so each is looked at alone.
      ...validateHostPorts([container], path),
    ];
    if (name !== '') names.add(name);
    if (container.restartPolicy === 'Always') {
      return [...errors, ...validateHandlers(container, spec.terminationGracePeriodSeconds ?? 0, at)];
    }
    const why = 'may not be set for init containers without restartPolicy=Always';
    return [
      ...errors,
      ...HANDLERS.filter((field) => container[field] !== undefined).map((field) =>
        fieldError.forbidden(`${at}.${field}`, why),
      ),
    ];
  });
}

/** What a container that is added to look into a running pod does not have. */
const NOT_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

function validateEphemeral(
  containers: readonly Container[],
  spec: PodSpec,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const others = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name),
  );
  const names = new Set(others);
  const why = 'cannot be set for an Ephemeral Container';
  return containers.flatMap((container, i) => {
    const at = `${path}[${i}]`;
    const { name, volumeMounts = [] } = container;
    const { targetContainerName: target = '' } = container as { targetContainerName?: string };
    const errors = [...validateCommon(container, spec, volumes, at), ...validateImageSpaces(container, at)];
    if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    names.add(name);
    if (target !== '' && !others.has(target)) errors.push(notFound(target, `${at}.targetContainerName`));
    for (const field of NOT_EPHEMERAL) {
      if (Object.keys(container[field] ?? {}).length > 0) {
        errors.push(fieldError.forbidden(`${at}.${field}`, why));
      }
    }
    for (const [j, mount] of volumeMounts.entries()) {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if ((mount[field] ?? '') !== '') {
          errors.push(fieldError.forbidden(`${at}.volumeMounts[${j}].${field}`, why));
        }
      }
    }
    return errors;
  });
}

function validateCommon(
  container: Container,
  spec: PodSpec,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const { name, image = '', terminationMessagePolicy, imagePullPolicy } = container;
  const claims = (spec.resourceClaims ?? []).map((claim) => claim.name);
  return [
    ...(name === ''
      ? [fieldError.required(`${path}.name`)]
      : named(isDns1123Label(name), name, `${path}.name`)),
    ...(image === '' ? [fieldError.required(`${path}.image`)] : []),
    ...oneOf(
      terminationMessagePolicy,
      ['File', 'FallbackToLogsOnError'],
      `${path}.terminationMessagePolicy`,
      false,
    ),
    ...validatePorts(container.ports ?? [], `${path}.ports`),
    ...(container.env ?? []).flatMap((one, i) => validateEnv(one, `${path}.env[${i}]`)),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateMounts(container, volumes, `${path}.volumeMounts`),
    ...validateDevices(container, volumes, `${path}.volumeDevices`),
    ...oneOf(imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`, false),
    ...validateResources(container.resources ?? {}, claims, `${path}.resources`),
    ...validateResizePolicy(container.resizePolicy ?? [], spec.restartPolicy, `${path}.resizePolicy`),
    ...validateContainerIdentity(container, spec, path),
  ];
}

export function validateImageSpaces({ image = '' }: Container, path: string): FieldError[] {
  return image === image.trim()
    ? []
    : [fieldError.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace')];
}

// ---- restarts

function validateRestarts(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  path: string,
): FieldError[] {
  const errors = oneOfIfGiven(restartPolicy, ['Always', 'Never', 'OnFailure'], `${path}.restartPolicy`);
  if (restartPolicy === undefined && rules.length > 0) {
    const why = 'must specify restartPolicy when restart rules are used';
    errors.push(fieldError.required(`${path}.restartPolicy`, why));
  }
  const at = `${path}.restartPolicyRules`;
  if (rules.length > RULES_MAX) errors.push(fieldError.tooMany(at, rules.length, RULES_MAX));
  return [...errors, ...rules.flatMap((rule, i) => validateRule(rule, `${at}[${i}]`))];
}

function validateRule({ action, exitCodes }: ContainerRestartRule, path: string): FieldError[] {
  const errors = ['Restart', 'RestartAllContainers'].includes(action)
    ? []
    : [fieldError.notSupported(`${path}.action`, action, ['Restart', 'RestartAllContainers'])];
  if (exitCodes === undefined) {
    return [...errors, fieldError.required(`${path}.exitCodes`, 'must be specified')];
  }
  const { operator, values = [] } = exitCodes;
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(fieldError.notSupported(`${path}.exitCodes.operator`, operator, ['In', 'NotIn']));
  }
  if (values.length > EXIT_CODES_MAX) {
    errors.push(fieldError.tooMany(`${path}.exitCodes.values`, values.length, EXIT_CODES_MAX));
  }
  return errors;
}

// ---- ports

function validatePorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = `${path}[${i}]`;
    const { name = '', containerPort, hostPort = 0 } = port;
    const errors = name === '' ? [] : named(isPortName(name), name, `${at}.name`);
    if (errors.length === 0 && name !== '') {
      if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (containerPort === 0) errors.push(fieldError.required(`${at}.containerPort`));
    else errors.push(...validNumber(containerPort, `${at}.containerPort`));
    if (hostPort !== 0) errors.push(...validNumber(hostPort, `${at}.hostPort`));
    return [...errors, ...oneOf(port.protocol, PROTOCOLS, `${at}.protocol`, false)];
  });
}

function validNumber(port: number, path: string): FieldError[] {
  return isPortNumber(port).map((why) => fieldError.invalid(path, port, why));
}

/** No two are alike on one machine. */
function validateHostPorts(containers: readonly Container[], path: string): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }, j) => {
      if (hostPort === 0) return [];
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) return [fieldError.duplicate(`${path}[${i}].ports[${j}].hostPort`, key)];
      taken.add(key);
      return [];
    }),
  );
}

/** In the network of the machine, its ports are those of the containers. */
export function validateHostNetwork(spec: PodSpec, path: string): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  const why = 'must match `containerPort` when `hostNetwork` is true';
  return (spec.containers ?? []).flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ hostPort = 0, containerPort }, j) =>
      hostPort === 0 || hostPort === containerPort
        ? []
        : [fieldError.invalid(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, why)],
    ),
  );
}
