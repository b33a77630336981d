// Volumes of a pod and where its containers mount them. The words are kube-apiserver's.
import type { Volume, VolumeMount } from '../../api/index.ts';
import { fieldError, isDns1123Label, type FieldError } from '../../machinery/index.ts';
import { named, notFound, oneOf } from './checks.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const REQUIRED_IN_VOLUMES: readonly (readonly [keyof Volume, string])[] = [
  ['configMap', 'name'],
  ['secret', 'secretName'],
  ['persistentVolumeClaim', 'claimName'],
  ['hostPath', 'path'],
  ['nfs', 'server'],
  ['nfs', 'path'],
  ['csi', 'driver'],
];

export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const seen = new Set<string>();
  return volumes.flatMap((volume, i) => {
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    const { name } = volume;
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    else errors.push(...named(isDns1123Label(name), name, `${at}.name`));
    if (seen.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    seen.add(name);
    const sources = Object.keys(volume).filter((field) => field !== 'name');
    for (const extra of sources.slice(1)) {
      errors.push(fieldError.forbidden(`${at}.${extra}`, 'may not specify more than 1 volume type'));
    }
    for (const [source, field] of REQUIRED_IN_VOLUMES) {
      const given = volume[source] as Readonly<Record<string, unknown>> | undefined;
      if (given !== undefined && (given[field] ?? '') === '')
        errors.push(fieldError.required(`${at}.${source}.${field}`));
    }
    const { hostPath } = volume;
    if (hostPath !== undefined) {
      errors.push(...validateNoBacksteps(hostPath.path, `${at}.hostPath.path`));
      errors.push(...oneOf(hostPath.type, HOST_PATH_TYPES, `${at}.hostPath.type`));
    }
    return errors;
  });
}

export function validateMounts(
  mounts: readonly VolumeMount[],
  volumes: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const paths = new Set<string>();
  return mounts.flatMap((mount, i) => {
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    if (mount.name === '') errors.push(fieldError.required(`${at}.name`));
    if (!volumes.has(mount.name)) errors.push(notFound(mount.name, `${at}.name`));
    if (mount.mountPath === '') errors.push(fieldError.required(`${at}.mountPath`));
    if (paths.has(mount.mountPath)) {
      errors.push(fieldError.invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    }
    paths.add(mount.mountPath);
    if (mount.subPath !== undefined) errors.push(...validateSubPath(mount.subPath, `${at}.subPath`));
    return errors;
  });
}

function validateSubPath(subPath: string, path: string): FieldError[] {
  const errors = subPath.startsWith('/')
    ? [fieldError.invalid(path, subPath, 'must be a relative path')]
    : [];
  return [...errors, ...validateNoBacksteps(subPath, path)];
}

function validateNoBacksteps(text: string, path: string): FieldError[] {
  return text.split('/').includes('..') ? [fieldError.invalid(path, text, "must not contain '..'")] : [];
}
