// What a pod says of the operating system below it goes with what it asks of that. The words and the order are
// kube-apiserver's.
import type { PodSpec } from '../../api/index.ts';
import { fieldError, type FieldError } from '../../machinery/index.ts';
import { oneOf } from './checks.ts';

export function validateSystem(spec: PodSpec, path: string): FieldError[] {
  const { os } = spec;
  if (os === undefined) return [];
  if (os.name === '') return [fieldError.required(`${path}.os.name`, 'cannot be empty')];
  const errors = oneOf(os.name, ['linux', 'windows'], `${path}.os`, false);
  if (errors.length > 0) return errors;
  return os.name === 'linux' ? validateLinux(spec, path) : validateWindows(spec, path);
}

type Contexts = readonly (readonly [path: string, context: Readonly<Record<string, unknown>>])[];

/** Security contexts of all containers, in upstream's order. */
function contextsOf(spec: PodSpec, path: string): Contexts {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((kind) =>
    (spec[kind] ?? []).map(
      ({ securityContext = {} }, i) => [`${path}.${kind}[${i}].securityContext`, securityContext] as const,
    ),
  );
}

function validateLinux(spec: PodSpec, path: string): FieldError[] {
  const all: Contexts = [[`${path}.securityContext`, spec.securityContext ?? {}], ...contextsOf(spec, path)];
  return all.flatMap(([at, { windowsOptions }]) =>
    windowsOptions === undefined
      ? []
      : [fieldError.forbidden(`${at}.windowsOptions`, 'windows options cannot be set for a linux pod')],
  );
}

const NOT_WINDOWS_CONTAINERS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];

/** What a pod on Windows does not have: fields of its spec start with a dot. */
const NOT_WINDOWS_PODS = [
  'appArmorProfile',
  'seLinuxOptions',
  '.hostUsers',
  '.hostPID',
  '.hostIPC',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  '.shareProcessNamespace',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];

function validateWindows(spec: PodSpec, path: string): FieldError[] {
  const refuse = (at: string): FieldError => fieldError.forbidden(at, 'cannot be set for a windows pod');
  const isSet = (value: unknown): boolean => value !== undefined && value !== false;
  const ofSpec = spec as Readonly<Record<string, unknown>>;
  const ofContext = (spec.securityContext ?? {}) as Readonly<Record<string, unknown>>;
  const pod = NOT_WINDOWS_PODS.flatMap((field) => {
    const name = field.slice(1);
    if (field.startsWith('.')) {
      const given = name === 'hostUsers' ? ofSpec[name] !== undefined : isSet(ofSpec[name]);
      return given ? [refuse(`${path}.${name}`)] : [];
    }
    return ofContext[field] === undefined ? [] : [refuse(`${path}.securityContext.${field}`)];
  });
  const containers = contextsOf(spec, path).flatMap(([at, context]) =>
    NOT_WINDOWS_CONTAINERS.flatMap((field) =>
      context[field] === undefined ? [] : [refuse(`${at}.${field}`)],
    ),
  );
  return [...pod, ...containers];
}
