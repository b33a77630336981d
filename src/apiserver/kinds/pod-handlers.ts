// Probes and hooks of containers. The words and the order are kube-apiserver's.
import type { Container, Lifecycle, LifecycleHandler, Probe } from '../../api/index.ts';
import {
  fieldError,
  isHttpHeaderName,
  isPortName,
  isPortNumber,
  type FieldError,
} from '../../machinery/index.ts';
import { named, notNegative } from './checks.ts';

type Handler = LifecycleHandler & Pick<Probe, 'grpc'>;

/** @param graceSeconds that the pod has to end in */
export function validateHandlers(
  { lifecycle, livenessProbe, readinessProbe, startupProbe }: Container,
  graceSeconds: number,
  path: string,
): FieldError[] {
  return [
    ...(lifecycle === undefined ? [] : validateLifecycle(lifecycle, graceSeconds, `${path}.lifecycle`)),
    ...validateWatching(livenessProbe, `${path}.livenessProbe`),
    ...validateReadiness(readinessProbe, `${path}.readinessProbe`),
    ...validateWatching(startupProbe, `${path}.startupProbe`),
  ];
}

function validateLifecycle(
  { postStart, preStop }: Lifecycle,
  graceSeconds: number,
  path: string,
): FieldError[] {
  return [
    ...(postStart === undefined ? [] : validateHandler(postStart, `${path}.postStart`, graceSeconds)),
    ...(preStop === undefined ? [] : validateHandler(preStop, `${path}.preStop`, graceSeconds)),
  ];
}

/** A probe whose failure ends the container: one success is enough. */
function validateWatching(probe: Probe | undefined, path: string): FieldError[] {
  if (probe === undefined) return [];
  const { successThreshold = 1 } = probe;
  return [
    ...validateProbe(probe, path),
    ...(successThreshold === 1
      ? []
      : [fieldError.invalid(`${path}.successThreshold`, successThreshold, 'must be 1')]),
  ];
}

function validateReadiness(probe: Probe | undefined, path: string): FieldError[] {
  if (probe === undefined) return [];
  const { terminationGracePeriodSeconds: grace } = probe;
  const why = 'must not be set for readinessProbes';
  return [
    ...validateProbe(probe, path),
    ...(grace === undefined ? [] : [fieldError.invalid(`${path}.terminationGracePeriodSeconds`, grace, why)]),
  ];
}

const COUNTS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

function validateProbe(probe: Probe, path: string): FieldError[] {
  const { terminationGracePeriodSeconds: grace } = probe;
  return [
    ...validateHandler(probe, path),
    ...COUNTS.flatMap((field) => notNegative(probe[field], `${path}.${field}`)),
    ...(grace === undefined || grace > 0
      ? []
      : [fieldError.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')]),
  ];
}

const KINDS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function validateHandler(handler: Handler, path: string, graceSeconds = 0): FieldError[] {
  const [first, ...others] = KINDS.filter((kind) => handler[kind] !== undefined);
  if (first === undefined) return [fieldError.required(path, 'must specify a handler type')];
  return [
    ...validateAction(handler, `${path}.${first}`, first, graceSeconds),
    ...others.map((kind) =>
      fieldError.forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type'),
    ),
  ];
}

function validateAction(
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  path: string,
  kind: (typeof KINDS)[number],
  graceSeconds: number,
): FieldError[] {
  switch (kind) {
    case 'exec':
      return (exec?.command ?? []).length === 0 ? [fieldError.required(`${path}.command`)] : [];
    case 'httpGet': {
      const { path: target = '', port = 0, scheme = '', httpHeaders = [] } = httpGet ?? {};
      return [
        ...(target === '' ? [fieldError.required(`${path}.path`)] : []),
        ...validatePort(port, `${path}.port`),
        ...(scheme === 'HTTP' || scheme === 'HTTPS'
          ? []
          : [fieldError.notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS'])]),
        ...httpHeaders.flatMap(({ name }) => named(isHttpHeaderName(name), name, `${path}.httpHeaders`)),
      ];
    }
    case 'tcpSocket':
      return validatePort(tcpSocket?.port ?? 0, `${path}.port`);
    case 'grpc':
      return validatePort(grpc?.port ?? 0, `${path}.port`);
    case 'sleep': {
      const seconds = sleep?.seconds ?? 0;
      const why = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
      return seconds < 0 || seconds > graceSeconds ? [fieldError.invalid(path, seconds, why)] : [];
    }
  }
}

function validatePort(port: number | string, path: string): FieldError[] {
  const complaints = typeof port === 'number' ? isPortNumber(port) : isPortName(port);
  return complaints.map((why) => fieldError.invalid(path, port, why));
}
