// Volumes of a pod and where its containers mount them. The words, the paths and the order are kube-apiserver's.
import type {
  Container,
  DownwardAPIVolumeFile,
  KeyToPath,
  PersistentVolumeClaimTemplate,
  Volume,
  VolumeDevice,
  VolumeMount,
  VolumeProjection,
} from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  validateAnnotations,
  validateLabels,
  type FieldError,
} from '../../machinery/index.ts';
import { inside, named, noBacksteps, notFound, oneOf, oneOfIfGiven } from './checks.ts';
import { FIELDS_OF_VOLUMES, validateFieldReference, validateResourceReference } from './pod-environment.ts';
import { validatePvcSpec } from './volume-claim-validation.ts';

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
const FILE_MODE_MAX = 0o777;
const TEN_MINUTES_SECONDS = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

type Fields = Readonly<Record<string, unknown>>;

const isEmpty = (value: unknown): boolean =>
  (value ?? '') === '' || (Array.isArray(value) && value.length === 0);

/** Fields that a source cannot do without. */
export function needed(fields: readonly string[]): (source: object, path: string) => FieldError[] {
  return (source, path) =>
    fields
      .filter((field) => isEmpty((source as Fields)[field]))
      .map((field) => fieldError.required(`${path}.${field}`));
}

type Check<Source> = (source: Source, path: string) => FieldError[];
type Sources = { readonly [Name in Exclude<keyof Volume, 'name'>]-?: Check<NonNullable<Volume[Name]>> };

/** COMPAT: in upstream's order: of two sources the second here is the one too many. */
export const VOLUME_SOURCES: Sources = {
  emptyDir: ({ sizeLimit }, path) =>
    (Quantity.tryParse(sizeLimit)?.sign ?? 0) < 0
      ? [fieldError.forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: ({ path: file, type }, path) =>
    file === ''
      ? [fieldError.required(`${path}.path`)]
      : [...noBacksteps(file, `${path}.path`), ...oneOf(type, HOST_PATH_TYPES, `${path}.type`)],
  gitRepo: (source, path) => [
    ...needed(['repository'])(source, path),
    ...inside(source.directory ?? '', `${path}.directory`),
  ],
  gcePersistentDisk: needed(['pdName']),
  awsElasticBlockStore: needed(['volumeID']),
  secret: (source, path) => [...needed(['secretName'])(source, path), ...validateFiles(source, path)],
  nfs: (source, path) => [
    ...needed(['server', 'path'])(source, path),
    ...(source.path.startsWith('/')
      ? []
      : [fieldError.invalid(`${path}.path`, source.path, 'must be an absolute path')]),
  ],
  iscsi: needed(['targetPortal', 'iqn']),
  glusterfs: needed(['endpoints', 'path']),
  flocker: ({ datasetName = '', datasetUUID = '' }, path) =>
    datasetName === '' && datasetUUID === ''
      ? [fieldError.required(path, 'one of datasetName and datasetUUID is required')]
      : [],
  persistentVolumeClaim: needed(['claimName']),
  rbd: needed(['monitors', 'image']),
  cinder: needed(['volumeID']),
  cephfs: needed(['monitors']),
  quobyte: (source, path) =>
    source.registry === ''
      ? [
          fieldError.required(
            `${path}.registry`,
            'must be a host:port pair or multiple pairs separated by commas',
          ),
        ]
      : needed(['volume'])(source, path),
  downwardAPI: ({ defaultMode, items = [] }, path) => [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    // COMPAT: which of the files is wrong is not said.
    ...items.flatMap((file) => validateDownwardFile(file, path)),
  ],
  fc: ({ targetWWNs = [], wwids = [] }, path) =>
    targetWWNs.length === 0 && wwids.length === 0
      ? [fieldError.required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both')]
      : [],
  flexVolume: needed(['driver']),
  configMap: (source, path) => [...needed(['name'])(source, path), ...validateFiles(source, path)],
  azureFile: needed(['secretName', 'shareName']),
  vsphereVolume: needed(['volumePath']),
  photonPersistentDisk: needed(['pdID']),
  portworxVolume: needed(['volumeID']),
  azureDisk: needed(['diskName', 'diskURI']),
  storageos: needed(['volumeName']),
  projected: ({ defaultMode, sources }, path) => [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...validateProjections(sources ?? [], path),
  ],
  scaleIO: needed(['gateway', 'system', 'volumeName']),
  csi: ({ driver, nodePublishSecretRef }, path) => [
    ...validateDriverName(driver, `${path}.driver`),
    ...(nodePublishSecretRef === undefined
      ? []
      : needed(['name'])(nodePublishSecretRef, `${path}.nodePublishSecretRef`)),
  ],
  ephemeral: ({ volumeClaimTemplate }, path) =>
    volumeClaimTemplate === undefined
      ? [fieldError.required(`${path}.volumeClaimTemplate`)]
      : validateClaimTemplate(volumeClaimTemplate, `${path}.volumeClaimTemplate`),
  image: ({ pullPolicy }, path) =>
    oneOf(pullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.pullPolicy`),
};

export interface Volumes {
  /** Those that nothing is wrong with: only these can be mounted. */
  readonly valid: ReadonlyMap<string, Volume>;
  readonly errors: readonly FieldError[];
}

/** @param ofTemplate whether images of volumes may be filled in later */
export function validateVolumes(volumes: readonly Volume[], path: string, ofTemplate: boolean): Volumes {
  const valid = new Map<string, Volume>();
  const errors = volumes.flatMap((volume, i) => {
    const at = `${path}[${i}]`;
    const { name } = volume;
    const found = validateSource(volume, VOLUME_SOURCES, at);
    if (!ofTemplate && volume.image !== undefined && (volume.image.reference ?? '') === '') {
      found.push(fieldError.required(`${at}.image.reference`));
    }
    if (name === '') found.push(fieldError.required(`${at}.name`));
    else found.push(...named(isDns1123Label(name), name, `${at}.name`));
    if (valid.has(name)) found.push(fieldError.duplicate(`${at}.name`, name));
    if (found.length === 0) valid.set(name, volume);
    return found;
  });
  return { valid, errors };
}

/** @param of a volume, or the spec of a persistent one */
export function validateSource(
  of: object,
  sources: Readonly<Record<string, Check<never>>>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let first = true;
  for (const [name, check] of Object.entries(sources)) {
    const source = (of as Fields)[name];
    if (source === undefined) continue;
    // COMPAT: the name that the field had before.
    const at = `${path}.${name === 'gcePersistentDisk' && first ? 'persistentDisk' : name}`;
    if (first) errors.push(...check(source as never, at));
    else errors.push(fieldError.forbidden(at, 'may not specify more than 1 volume type'));
    first = false;
  }
  if (first) errors.push(fieldError.required(path, 'must specify a volume type'));
  return errors;
}

export function validateDriverName(driver: string, path: string): FieldError[] {
  return [
    ...(driver === '' ? [fieldError.required(path)] : []),
    ...(driver.length > 63 ? [fieldError.tooLong(path, 63)] : []),
    ...named(isDns1123Subdomain(driver.toLowerCase()), driver, path),
  ];
}

function validateClaimTemplate(
  { metadata, spec }: PersistentVolumeClaimTemplate,
  path: string,
): FieldError[] {
  const { labels, annotations, ...others } = metadata ?? {};
  return [
    ...validateAnnotations(annotations, `${path}.metadata.annotations`),
    ...validateLabels(labels, `${path}.metadata.labels`),
    ...Object.entries(others)
      .filter(([, value]) => !isEmpty(value))
      .map(([field]) => fieldError.forbidden(`${path}.metadata.${field}`, 'cannot be set')),
    ...validatePvcSpec(spec, `${path}.spec`),
  ];
}

// ---- files

function validateMode(mode: number | undefined, path: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= FILE_MODE_MAX)) return [];
  return [fieldError.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

/** A path below the volume that no file of the kubelet's own has. */
function validateOwnPath(file: string, path: string): FieldError[] {
  const errors = inside(file, path);
  if (file.startsWith('..') && !file.startsWith('../')) {
    errors.push(fieldError.invalid(path, file, "must not start with '..'"));
  }
  return errors;
}

function validateFiles(
  { defaultMode, items = [] }: { readonly defaultMode?: number; readonly items?: readonly KeyToPath[] },
  path: string,
): FieldError[] {
  return [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...items.flatMap((item, i) => validateKey(item, `${path}.items[${i}]`)),
  ];
}

function validateKey({ key, path: file, mode }: KeyToPath, path: string): FieldError[] {
  return [
    ...(key === '' ? [fieldError.required(`${path}.key`)] : []),
    ...(file === '' ? [fieldError.required(`${path}.path`)] : []),
    ...validateOwnPath(file, `${path}.path`),
    ...validateMode(mode, `${path}.mode`),
  ];
}

function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef } = file;
  const errors = file.path === '' ? [fieldError.required(`${path}.path`)] : [];
  errors.push(...validateOwnPath(file.path, `${path}.path`));
  if (fieldRef !== undefined) {
    errors.push(...validateFieldReference(fieldRef, FIELDS_OF_VOLUMES, `${path}.fieldRef`));
    if (resourceFieldRef !== undefined) {
      const why = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(fieldError.invalid(path, 'resource', why));
    }
  } else if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceReference(resourceFieldRef, true, `${path}.resourceFieldRef`));
  } else {
    errors.push(fieldError.required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  return [...errors, ...validateMode(file.mode, `${path}.mode`)];
}

function validateProjections(sources: readonly VolumeProjection[], path: string): FieldError[] {
  const files = new Set<string>();
  const errors: FieldError[] = [];
  const claim = (file: string, shown: string): void => {
    if (file === '') return;
    if (files.has(file)) errors.push(fieldError.invalid(path, shown, 'conflicting duplicate paths'));
    files.add(file);
  };
  for (const [i, source] of sources.entries()) {
    const at = `${path}.sources[${i}]`;
    const { secret, configMap, downwardAPI, serviceAccountToken: token } = source;
    for (const [field, projection] of Object.entries({ secret, configMap })) {
      if (projection === undefined) continue;
      const { name = '', items = [] } = projection;
      if (name === '') errors.push(fieldError.required(`${at}.${field}.name`));
      for (const [j, item] of items.entries()) {
        errors.push(...validateKey(item, `${at}.${field}.items[${j}]`));
        claim(item.path, name);
      }
    }
    for (const file of downwardAPI?.items ?? []) {
      errors.push(...validateDownwardFile(file, `${at}.downwardAPI`));
      claim(file.path, file.path);
    }
    if (token !== undefined) {
      const { expirationSeconds = 0 } = token;
      const where = `${at}.serviceAccountToken.expirationSeconds`;
      if (expirationSeconds < TEN_MINUTES_SECONDS) {
        const why = 'may not specify a duration less than 10 minutes';
        errors.push(fieldError.invalid(where, expirationSeconds, why));
      }
      if (expirationSeconds > TOKEN_SECONDS_MAX) {
        const why = 'may not specify a duration larger than 2^32 seconds';
        errors.push(fieldError.invalid(where, expirationSeconds, why));
      }
      // COMPAT: the path is that of the volume.
      if (token.path === '') errors.push(fieldError.required(`${path}.path`));
      else errors.push(...validateOwnPath(token.path, `${path}.path`));
    }
    if (Object.values(source).filter((one) => one !== undefined).length > 1) {
      errors.push(fieldError.forbidden(at, 'may not specify more than 1 volume type per source'));
    }
  }
  return errors;
}

// ---- mounts

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];

/** COMPAT: what is wrong with a part of a path, or with propagation, is said of the whole list. */
export function validateMounts(
  { volumeMounts = [], volumeDevices = [], securityContext }: Container,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const paths = new Set<string>();
  return volumeMounts.flatMap((mount, i) => {
    const at = `${path}[${i}]`;
    const { name, mountPath, subPath = '', subPathExpr = '', mountPropagation } = mount;
    const errors: FieldError[] = [];
    const refuse = (field: string, value: string, why: string): void =>
      void errors.push(fieldError.invalid(`${at}.${field}`, value, why));
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFound(name, `${at}.name`));
    if (mountPath === '') errors.push(fieldError.required(`${at}.mountPath`));
    if (paths.has(mountPath)) refuse('mountPath', mountPath, 'must be unique');
    paths.add(mountPath);
    if (volumeDevices.some((device) => device.name === name)) {
      refuse('name', name, 'must not already exist in volumeDevices');
    }
    if (volumeDevices.some((device) => device.devicePath === mountPath)) {
      refuse('mountPath', mountPath, 'must not already exist as a path in volumeDevices');
    }
    if (subPath !== '') errors.push(...inside(subPath, `${path}.subPath`));
    if (subPathExpr !== '') {
      if (subPath !== '') {
        refuse('subPathExpr', subPathExpr, 'subPathExpr and subPath are mutually exclusive');
      }
      errors.push(...inside(subPathExpr, `${path}.subPathExpr`));
    }
    errors.push(...oneOfIfGiven(mountPropagation, PROPAGATIONS, `${path}.mountPropagation`));
    if (mountPropagation === 'Bidirectional' && securityContext?.privileged !== true) {
      const why = 'Bidirectional mount propagation is available only to privileged containers';
      errors.push(fieldError.forbidden(`${path}.mountPropagation`, why));
    }
    return [...errors, ...validateReadOnly(mount, `${path}.recursiveReadOnly`)];
  });
}

function validateReadOnly(mount: VolumeMount, path: string): FieldError[] {
  const { recursiveReadOnly = 'Disabled', readOnly = false, mountPropagation = 'None' } = mount;
  if (recursiveReadOnly === 'Disabled') return [];
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    return oneOfIfGiven(recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible'], path);
  }
  return [
    ...(readOnly ? [] : [fieldError.forbidden(path, 'may only be specified when readOnly is true')]),
    ...(mountPropagation === 'None'
      ? []
      : [fieldError.forbidden(path, 'may only be specified when mountPropagation is None or not specified')]),
  ];
}

export function validateDevices(
  { volumeMounts = [], volumeDevices = [] }: Container,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldError[] {
  const seen = { name: new Set<string>(), devicePath: new Set<string>() };
  return volumeDevices.flatMap((device: VolumeDevice, i) => {
    const at = `${path}[${i}]`;
    const { name, devicePath } = device;
    const errors: FieldError[] = [];
    const refuse = (field: keyof VolumeDevice, why: string): void =>
      void errors.push(fieldError.invalid(`${at}.${field}`, device[field], why));
    const volume = volumes.get(name);
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    if (seen.name.has(name)) refuse('name', 'must be unique');
    if (volume === undefined) errors.push(notFound(name, `${at}.name`));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      refuse('name', 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
    }
    if (devicePath === '') errors.push(fieldError.required(`${at}.devicePath`));
    if (seen.devicePath.has(devicePath)) refuse('devicePath', 'must be unique');
    if (devicePath.split('/').includes('..')) refuse('devicePath', "can not contain backsteps ('..')");
    else seen.devicePath.add(devicePath);
    if (volumeMounts.some((mount) => mount.name === name)) {
      refuse('name', 'must not already exist in volumeMounts');
    }
    if (volumeMounts.some((mount) => mount.mountPath === devicePath)) {
      refuse('devicePath', 'must not already exist as a path in volumeMounts');
    }
    if (name !== '') seen.name.add(name);
    return errors;
  });
}
