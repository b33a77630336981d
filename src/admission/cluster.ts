// What the API server does with Cluster objects (upstream: the strategy of its aggregated API server):
// completion, validation and canonical form on create and update, in that order. Cluster is not a custom
// resource, so this runs where built-in kinds have their strategy rather than as a webhook.
import type { Cluster } from '../api/index.ts';
import {
  Quantity,
  deepEqual,
  fieldError,
  isLabelValue,
  isQualifiedName,
  type FieldError,
} from '../machinery/index.ts';
import { validateClusterName } from '../fleet/index.ts';
import {
  defaultResourceModels,
  standardiseResourceModels,
  validateResourceModels,
} from '../scheduling/index.ts';
import { inGoOrder } from './rule.ts';

type Spec = Cluster['spec'];
type Taint = NonNullable<Spec['taints']>[number];

export interface ClusterStrategyOptions {
  /** Gate CustomizedClusterResourceModeling. */
  readonly resourceModels: boolean;
}

/** A new cluster as it is to be validated: resource models completed. */
export function prepareClusterForCreate(cluster: Cluster, options: ClusterStrategyOptions): Cluster {
  if (!options.resourceModels) return cluster;
  const models = cluster.spec.resourceModels ?? [];
  const resourceModels = models.length === 0 ? defaultResourceModels() : standardiseResourceModels(models);
  return { ...cluster, spec: { ...cluster.spec, resourceModels } };
}

/** COMPAT: models are standardised on update but never defaulted again, as upstream. */
export function prepareClusterForUpdate(cluster: Cluster, options: ClusterStrategyOptions): Cluster {
  const models = cluster.spec.resourceModels ?? [];
  if (!options.resourceModels || models.length === 0) return cluster;
  const resourceModels = standardiseResourceModels(models);
  return deepEqual(resourceModels, models)
    ? cluster
    : { ...cluster, spec: { ...cluster.spec, resourceModels } };
}

/** Canonical form: taints that evict carry the time they began, and a lone zone becomes zones. */
export function canonicalCluster(cluster: Cluster, now: string): Cluster {
  let spec = cluster.spec;
  if (spec.taints?.some((taint) => taint.effect === 'NoExecute' && taint.timeAdded === undefined) === true) {
    const stamped = (taint: Taint): Taint =>
      taint.effect === 'NoExecute' && taint.timeAdded === undefined ? { ...taint, timeAdded: now } : taint;
    spec = { ...spec, taints: spec.taints.map(stamped) };
  }
  if (spec.taints?.length === 0) {
    const { taints: _none, ...withoutTaints } = spec;
    spec = withoutTaints;
  }
  const { zone, ...withoutZone } = spec;
  if (zone !== undefined && zone !== '' && (spec.zones ?? []).length === 0)
    spec = { ...withoutZone, zones: [zone] };
  return spec === cluster.spec ? cluster : { ...cluster, spec };
}

/** Amounts in the form in which upstream's typed status writes them: `1000` pods are `1k`. */
export function canonicalClusterStatus(cluster: Cluster): Cluster {
  const summary = cluster.status?.resourceSummary;
  if (summary === undefined) return cluster;
  const amounts = (list: Readonly<Record<string, string | number>> | undefined): typeof list =>
    list === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(list).map(([resource, text]) => [
            resource,
            Quantity.tryParse(text)?.toString() ?? text,
          ]),
        );
  const { allocatable, allocating, allocated } = summary;
  const resourceSummary = {
    ...summary,
    ...(allocatable === undefined ? {} : { allocatable: amounts(allocatable) }),
    ...(allocating === undefined ? {} : { allocating: amounts(allocating) }),
    ...(allocated === undefined ? {} : { allocated: amounts(allocated) }),
  };
  return { ...cluster, status: { ...cluster.status, resourceSummary } } as Cluster;
}

export function validateCluster(cluster: Cluster): FieldError[] {
  const { spec } = cluster;
  return [
    ...validateClusterName(cluster.metadata.name ?? ''),
    ...validateEndpoint(spec.apiEndpoint ?? '', 'spec.apiEndpoint'),
    ...(spec.syncMode === 'Push' || spec.syncMode === 'Pull'
      ? []
      : [fieldError.notSupported('spec.syncMode', spec.syncMode, ['Pull', 'Push'])]),
    ...validateSecretRef(spec.secretRef, 'spec.secretRef'),
    ...validateSecretRef(spec.impersonatorSecretRef, 'spec.impersonatorSecretRef'),
    ...validateProxyUrl(spec.proxyURL ?? ''),
    ...labelValue(spec.provider ?? '', 'spec.provider'),
    ...labelValue(spec.region ?? '', 'spec.region'),
    ...validateZones(spec),
    ...validateTaints(spec.taints ?? []),
    ...validateResourceModels(spec.resourceModels ?? [], 'spec.resourceModels'),
  ];
}

function labelValue(value: string, path: string): FieldError[] {
  return value === '' ? [] : isLabelValue(value).map((why) => fieldError.invalid(path, value, why));
}

function validateEndpoint(endpoint: string, path: string): FieldError[] {
  if (endpoint === '') return [];
  // COMPAT: "host:port" reads as scheme "host" without a host, so a scheme is needed in practice, as upstream.
  const [, scheme, authority] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(?:\/\/([^/?#]*))?/.exec(endpoint) ?? [];
  const desired = 'desired format: hostname, hostname:port, IP or IP:port';
  if (scheme === undefined || authority === undefined || authority === '') {
    return [fieldError.invalid(path, authority ?? '', `host must be provided; ${desired}`)];
  }
  if (!URL.canParse(endpoint)) return [fieldError.invalid(path, endpoint, `url must be valid; ${desired}`)];
  const errors: FieldError[] = [];
  const url = new URL(endpoint);
  if (url.username !== '' || url.password !== '') {
    errors.push(fieldError.invalid(path, url.username, 'user information is not permitted in the URL'));
  }
  if (url.hash !== '')
    errors.push(fieldError.invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '') {
    errors.push(
      fieldError.invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'),
    );
  }
  return errors;
}

function validateSecretRef(reference: Spec['secretRef'], path: string): FieldError[] {
  if (reference === undefined || reference === null) return [];
  return [
    ...(reference.namespace === '' ? [fieldError.required(`${path}.namespace`)] : []),
    ...(reference.name === '' ? [fieldError.required(`${path}.name`)] : []),
  ];
}

function validateProxyUrl(proxyUrl: string): FieldError[] {
  if (proxyUrl === '') return [];
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(proxyUrl)?.[1]?.toLowerCase() ?? '';
  if (['http', 'https', 'socks5'].includes(scheme)) return [];
  const why = `unsupported scheme ${JSON.stringify(scheme)}, must be http, https, or socks5`;
  return [fieldError.invalid('spec.proxyURL', proxyUrl, why)];
}

function validateZones(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const zones = spec.zones ?? [];
  if ((spec.zone ?? '') !== '' && zones.length > 0) {
    errors.push(fieldError.invalid('spec.spec', asGoStruct(spec), 'Zone and Zones cannot co-exist'));
  }
  errors.push(...labelValue(spec.zone ?? '', 'spec.zone'));
  for (const [index, zone] of zones.entries()) errors.push(...labelValue(zone, `spec.zones[${index}]`));
  return errors;
}

/** COMPAT: upstream prints its internal struct here, with Go's field names (case adm-cluster). */
function asGoStruct(spec: Spec): unknown {
  const reference = (ref: Spec['secretRef']): unknown =>
    ref === undefined ? null : { Namespace: ref.namespace, Name: ref.name };
  return {
    ...(spec.id === undefined || spec.id === '' ? {} : { ID: spec.id }),
    SyncMode: spec.syncMode,
    APIEndpoint: spec.apiEndpoint ?? '',
    SecretRef: reference(spec.secretRef),
    ImpersonatorSecretRef: reference(spec.impersonatorSecretRef),
    InsecureSkipTLSVerification: spec.insecureSkipTLSVerification ?? false,
    ProxyURL: spec.proxyURL ?? '',
    ProxyHeader: spec.proxyHeader ?? null,
    Provider: spec.provider ?? '',
    Region: spec.region ?? '',
    Zone: spec.zone ?? '',
    zones: spec.zones ?? null,
    Taints: spec.taints === undefined ? null : inGoOrder(spec.taints),
    ResourceModels:
      spec.resourceModels?.map(({ grade, ranges }) => ({
        Grade: grade,
        Ranges: ranges.map(({ name, min, max }) => ({ Name: name, Min: String(min), Max: String(max) })),
      })) ?? null,
  };
}

function validateTaints(taints: readonly Taint[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const path = `spec.taints[${index}]`;
    errors.push(
      ...isQualifiedName(taint.key).map((why) => fieldError.invalid(`${path}.key`, taint.key, why)),
    );
    errors.push(
      ...isLabelValue(taint.value ?? '').map((why) => fieldError.invalid(`${path}.value`, taint.value, why)),
    );
    if (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') {
      errors.push(fieldError.notSupported(`${path}.effect`, taint.effect, ['NoSchedule', 'NoExecute']));
    }
    const identity = `${taint.key}\n${taint.effect}`;
    if (seen.has(identity)) {
      const duplicate = fieldError.duplicate(path, inGoOrder(taint));
      errors.push({
        ...duplicate,
        message: `${duplicate.message}: taints must be unique by key and effect pair`,
      });
    }
    seen.add(identity);
  }
  return errors;
}
