// What never travels from the hub to a member: fields that each API server writes for itself (propagation.md §3.4).
// Untouched parts of the object are shared with the result, and an object with nothing to prune is returned as it is.
import type { JsonObject, KubeObject, ObjectMeta } from '../api/index.ts';
import { withoutKeys } from './claim.ts';

const METADATA_KEPT: ReadonlySet<string> = new Set([
  'name',
  'generateName',
  'namespace',
  'labels',
  'annotations',
]);

type Fields = Readonly<Record<string, unknown>>;

function part(object: unknown, key: string): Fields | undefined {
  const value = (object as Fields | undefined)?.[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function without<T extends Fields>(object: T, ...keys: readonly string[]): T {
  if (!keys.some((key) => Object.hasOwn(object, key))) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key))) as T;
}

function pruneMetadata(metadata: ObjectMeta): ObjectMeta {
  const keys = Object.keys(metadata);
  if (keys.every((key) => METADATA_KEPT.has(key))) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => METADATA_KEPT.has(key)));
}

function withoutAnnotations(object: KubeObject, ...keys: readonly string[]): KubeObject {
  const { annotations, ...metadata } = object.metadata;
  const left = withoutKeys(annotations, keys);
  if (left === annotations) return object;
  return { ...object, metadata: { ...metadata, ...(left === undefined ? {} : { annotations: left }) } };
}

function withSpec(object: KubeObject, change: (spec: Fields) => Fields): KubeObject {
  const spec = part(object, 'spec');
  if (spec === undefined) return object;
  const next = change(spec);
  return next === spec ? object : { ...object, spec: next };
}

const CONTROLLER_UID_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
const JOB_NAME_LABELS = ['job-name', 'batch.kubernetes.io/job-name'];

/** A nested map without some keys; empty maps stay, as Go's would. */
function withoutNested(object: Fields, path: readonly string[], keys: readonly string[]): Fields {
  const [first = '', ...rest] = path;
  const inner = part(object, first);
  if (inner === undefined) return object;
  const next = rest.length === 0 ? without(inner, ...keys) : withoutNested(inner, rest, keys);
  return next === inner ? object : { ...object, [first]: next };
}

function pruneJob(job: KubeObject, ttl: boolean): KubeObject {
  return withSpec(job, (spec) => {
    let next = ttl ? without(spec, 'ttlSecondsAfterFinished') : spec;
    if (spec['manualSelector'] === true) return next;
    next = withoutNested(next, ['selector', 'matchLabels'], CONTROLLER_UID_LABELS);
    return withoutNested(
      next,
      ['template', 'metadata', 'labels'],
      [...CONTROLLER_UID_LABELS, ...JOB_NAME_LABELS],
    );
  });
}

function pruneService(service: KubeObject): KubeObject {
  return withSpec(service, (spec) =>
    spec['clusterIP'] === 'None' ? spec : without(spec, 'clusterIP', 'clusterIPs'),
  );
}

function pruneServiceAccount(account: KubeObject): KubeObject {
  const secrets = account['secrets'];
  if (!Array.isArray(secrets)) return account;
  const prefix = `${account.metadata.name ?? ''}-token-`;
  const kept = (secrets as JsonObject[]).filter(
    ({ name }) => !(typeof name === 'string' && name.startsWith(prefix)),
  );
  return kept.length === secrets.length ? account : { ...account, secrets: kept };
}

/** COMPAT: the null is there also where there was no data. */
function pruneSecret(secret: KubeObject): KubeObject {
  if (secret['type'] !== 'kubernetes.io/service-account-token') return secret;
  const next = withoutAnnotations(secret, 'kubernetes.io/service-account.uid');
  return next['data'] === null ? next : { ...next, data: null };
}

/**
 * The object without what belongs to its API server.
 * COMPAT: kinds are told by name alone, whatever their group.
 * @param ttl also drops a Job's ttlSecondsAfterFinished, since the hub must not lose a Job that has ended in a member
 */
export function prune(object: KubeObject, ttl: boolean): KubeObject {
  const { status: _status, ...rest } = object;
  const metadata = pruneMetadata(object.metadata);
  const base =
    metadata === object.metadata && !Object.hasOwn(object, 'status')
      ? object
      : ({ ...rest, metadata } as KubeObject);
  switch (object.kind) {
    case 'Deployment':
      return withoutAnnotations(
        base,
        'deployment.kubernetes.io/revision',
        'deployment.kubernetes.io/revision-history',
      );
    case 'Job':
      return pruneJob(base, ttl);
    case 'Secret':
      return pruneSecret(base);
    case 'ServiceAccount':
      return pruneServiceAccount(base);
    case 'Service':
      return pruneService(base);
    case 'PersistentVolumeClaim':
      return withoutAnnotations(base, 'volume.kubernetes.io/selected-node');
    default:
      return base;
  }
}
