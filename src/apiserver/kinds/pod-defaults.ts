// What kube-apiserver fills into pod specs, in pods and in every template of pods.
import type {
  Container,
  ContainerPort,
  EnvVar,
  Lifecycle,
  LifecycleHandler,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ProjectedVolumeSource,
  Volume,
} from '../../api/index.ts';
import { change, each, fill, open, put } from '../typed/drafts.ts';
import { pvcSpecDefaults } from './volume-claim-defaults.ts';
import { aggregateRequests } from './pod-totals.ts';
import { isHugePages } from './resource-names.ts';

/** Files of config maps, secrets and projections: 0644. */
const FILE_MODE = 420;

/** COMPAT: an image without a tag, or with `latest`, is pulled each time. */
function pullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return /:latest@/.test(image) ? 'Always' : 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function handlerDefaults<T extends LifecycleHandler>(handler: T): T {
  return change(handler as LifecycleHandler, 'httpGet', (get) =>
    fill(get, { path: '/', scheme: 'HTTP' }),
  ) as T;
}

function probeDefaults(probe: Probe): Probe {
  const filled = fill(handlerDefaults(probe as LifecycleHandler & Probe) as Probe, {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  return change(filled, 'grpc', (grpc) => fill(grpc, { service: '' }));
}

function lifecycleDefaults(lifecycle: Lifecycle): Lifecycle {
  return change(change(lifecycle, 'postStart', handlerDefaults), 'preStop', handlerDefaults);
}

function envDefaults(variable: EnvVar): EnvVar {
  return change(variable, 'valueFrom', (from) =>
    change(from, 'fieldRef', (reference) => fill(reference, { apiVersion: 'v1' })),
  );
}

function portDefaults(port: ContainerPort, hostNetwork: boolean): ContainerPort {
  const filled = fill(port, { protocol: 'TCP' });
  return hostNetwork ? fill(filled, { hostPort: port.containerPort }) : filled;
}

function containerDefaults<T extends Container>(container: T, hostNetwork: boolean): T {
  let next: Container = fill(container as Container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(container.image ?? ''),
  });
  next = change(next, 'ports', (ports) => each(ports, (port) => portDefaults(port, hostNetwork)));
  next = change(next, 'env', (variables) => each(variables, envDefaults));
  next = change(next, 'livenessProbe', probeDefaults);
  next = change(next, 'readinessProbe', probeDefaults);
  next = change(next, 'startupProbe', probeDefaults);
  return change(next, 'lifecycle', lifecycleDefaults) as T;
}

function projectedDefaults(projected: ProjectedVolumeSource): ProjectedVolumeSource {
  const filled = fill(projected, { defaultMode: FILE_MODE });
  return change(filled, 'sources', (sources) =>
    each(sources, (source) => {
      const withToken = change(source, 'serviceAccountToken', (token) =>
        fill(token, { expirationSeconds: 3600 }),
      );
      return change(withToken, 'downwardAPI', (downward) =>
        change(downward, 'items', (items) =>
          each(items, (item) => change(item, 'fieldRef', (field) => fill(field, { apiVersion: 'v1' }))),
        ),
      );
    }),
  );
}

const VOLUME_DEFAULTS: Partial<Record<keyof Volume, object>> = {
  secret: { defaultMode: FILE_MODE },
  configMap: { defaultMode: FILE_MODE },
  hostPath: { type: '' },
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  azureDisk: { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
};

function volumeDefaults(volume: Volume): Volume {
  // A volume without a source is an empty directory.
  let next = Object.keys(volume).length === 1 ? fill(volume, { emptyDir: {} }) : volume;
  for (const source in VOLUME_DEFAULTS) {
    const key = source as keyof Volume;
    next = change(next, key, (given) => fill(given as object, VOLUME_DEFAULTS[key]!) as never);
  }
  next = change(next, 'downwardAPI', (downward) =>
    change(fill(downward, { defaultMode: FILE_MODE }), 'items', (items) =>
      each(items, (item) => change(item, 'fieldRef', (field) => fill(field, { apiVersion: 'v1' }))),
    ),
  );
  next = change(next, 'projected', projectedDefaults);
  next = change(next, 'image', (image) => fill(image, { pullPolicy: pullPolicy(image.reference ?? '') }));
  return change(next, 'ephemeral', (ephemeral) =>
    change(ephemeral, 'volumeClaimTemplate', (template) => change(template, 'spec', pvcSpecDefaults)),
  );
}

/**
 * In specs of pods and of templates alike.
 * @param hostPorts whether ports of the host's network take the container's number; COMPAT: only in pods
 */
export function podSpecDefaults(spec: PodSpec, hostPorts = false): PodSpec {
  let next = fill(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  // COMPAT: the old name of the field mirrors the new one.
  const account = next.serviceAccountName ?? next.serviceAccount;
  if (account !== undefined) {
    next = put(put(next, 'serviceAccountName', account), 'serviceAccount', account);
  }
  const hostNetwork = hostPorts && next.hostNetwork === true;
  next = change(next, 'containers', (list) => each(list, (one) => containerDefaults(one, hostNetwork)));
  next = change(next, 'initContainers', (list) => each(list, (one) => containerDefaults(one, hostNetwork)));
  next = change(next, 'ephemeralContainers', (list) =>
    each(list, (one) => containerDefaults(one as unknown as Container, hostNetwork) as unknown as typeof one),
  );
  return change(next, 'volumes', (volumes) => each(volumes, volumeDefaults));
}

export function podTemplateDefaults(template: PodTemplateSpec): PodTemplateSpec {
  return change(template, 'spec', (spec) => podSpecDefaults(spec));
}

/** Requests that were left open are as large as the limits. */
function requestsFromLimits<T extends Container>(container: T): T {
  const { limits, requests } = container.resources ?? {};
  if (limits === undefined) return container;
  const missing = Object.keys(limits).filter((name) => requests?.[name] === undefined);
  if (missing.length === 0) return container;
  const filled = { ...requests };
  for (const name of missing) filled[name] = limits[name]!;
  return put(container, 'resources', put(open(container.resources!), 'requests', filled));
}

/** COMPAT: who limits the whole pod asks for what its containers ask for, or where they say nothing for the limit. */
function podRequests(spec: PodSpec): PodSpec {
  const { limits = {}, requests } = spec.resources ?? {};
  if (Object.keys(limits).length === 0) return spec;
  const filled = { ...requests };
  for (const [name, total] of aggregateRequests(spec)) {
    if (SHARED_BY_PODS.includes(name)) filled[name] ??= String(total);
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (SHARED_BY_PODS.includes(name) || isHugePages(name)) filled[name] ??= limit;
  }
  return put(spec, 'resources', put(open(spec.resources!), 'requests', filled));
}

const SHARED_BY_PODS = ['cpu', 'memory'];

/** What only pods get, not templates. */
export function podOnlyDefaults(spec: PodSpec): PodSpec {
  let next = fill(podSpecDefaults(spec, true), { enableServiceLinks: true });
  next = change(next, 'containers', (list) => each(list, requestsFromLimits));
  return podRequests(change(next, 'initContainers', (list) => each(list, requestsFromLimits)));
}
