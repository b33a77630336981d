// What `init` is asked for: flags, and upstream's KarmadaInitConfig, whose values override flags. What has no meaning for a
// control plane of one process is refused or named, never dropped in silence.
import { isIP } from 'node:net';
import path from 'node:path';
import { CommandError, readDuration } from '../../cli/index.ts';
import { parseYaml } from '../../client/index.ts';

export interface InitSettings {
  readonly namespace: string;
  readonly directory: string;
  /** Of the Service on the nodes of the host cluster. */
  readonly nodePort: number;
  /** What clients call it by: the first of `hosts`. */
  readonly advertiseAddress: string;
  /** Names and addresses in its certificate, besides those within the host cluster. */
  readonly hosts: readonly string[];
  readonly hostClusterDomain: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly imagePullSecrets: readonly string[];
  readonly storage:
    | { readonly mode: 'hostPath'; readonly path: string }
    | { readonly mode: 'emptyDir' }
    | { readonly mode: 'PVC'; readonly size: string; readonly storageClass: string };
  readonly extraArgs: readonly string[];
  readonly caCertFile: string | undefined;
  readonly caKeyFile: string | undefined;
  readonly priorityClass: string;
  readonly pkiDirectory: string;
  readonly certificatesValidMs: number;
  /** How long to wait for it in a host cluster. */
  readonly readyTimeoutMs: number;
  /** Labels of the nodes that it may run on. */
  readonly nodeSelector: Readonly<Record<string, string>>;
}

export interface InitFlags {
  readonly namespace: string;
  readonly config?: string;
  readonly karmadaData: string;
  readonly port: string;
  readonly karmadaApiserverAdvertiseAddress?: string;
  readonly certExternalIp: readonly string[];
  readonly certExternalDns: readonly string[];
  readonly caCertFile?: string;
  readonly caKeyFile?: string;
  readonly hostClusterDomain: string;
  readonly privateImageRegistry?: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly imagePullSecrets: readonly string[];
  readonly etcdStorageMode: string;
  readonly etcdData: string;
  readonly etcdPvcSize: string;
  readonly storageClassesName?: string;
  readonly karmadaApiserverExtraArgs: readonly string[];
  readonly karmadaApiserverPriorityClass: string;
  readonly karmadaApiserverImage?: string;
  readonly karmadaApiserverReplicas: string;
  readonly etcdReplicas: string;
  readonly etcdNodeSelectorLabels?: string;
  readonly karmadaPki?: string;
  readonly certValidityPeriod: string;
  readonly waitComponentReadyTimeout: string;
}

/** Throws CommandError, in upstream's words where it has some. */
export function readSettings(
  flags: InitFlags,
  configText: string | undefined,
): { readonly settings: InitSettings; readonly warnings: readonly string[] } {
  const { merged, warnings } =
    configText === undefined ? { merged: flags, warnings: [] } : mergeConfig(flags, configText);
  const advertised = merged.karmadaApiserverAdvertiseAddress;
  if (advertised !== undefined && isIP(advertised) === 0)
    throw new CommandError(`karmada apiserver advertise address is not valid: ${advertised}`);
  for (const ip of merged.certExternalIp)
    if (isIP(ip) === 0) throw new CommandError(`external ip is not valid: ${ip}`);
  if ((merged.caCertFile === undefined) !== (merged.caKeyFile === undefined))
    throw new CommandError('ca-cert-file and ca-key-file must be used together');
  const hosts = [
    ...new Set([
      ...(advertised === undefined ? [] : [advertised]),
      ...merged.certExternalIp,
      ...merged.certExternalDns,
    ]),
  ];
  const [first = '127.0.0.1'] = hosts;
  for (const arg of merged.karmadaApiserverExtraArgs)
    if (!/^--[^=]+=/.test(arg)) throw new CommandError(`invalid extra arg "${arg}": must be --key=value`);
  for (const [flag, count] of [
    ['karmada-apiserver-replicas', merged.karmadaApiserverReplicas],
    ['etcd-replicas', merged.etcdReplicas],
  ] as const)
    if (count !== '1')
      throw new CommandError(`--${flag} must be 1, not ${count}: the store belongs to one process at a time`);
  const registry = merged.privateImageRegistry;
  const image = merged.karmadaApiserverImage ?? merged.image;
  return {
    settings: {
      namespace: merged.namespace,
      directory: merged.karmadaData,
      nodePort: readPort(merged.port),
      advertiseAddress: first,
      hosts,
      hostClusterDomain: merged.hostClusterDomain,
      image: registry === undefined ? image : `${registry.replace(/\/$/, '')}/${image}`,
      imagePullPolicy: merged.imagePullPolicy,
      imagePullSecrets: merged.imagePullSecrets,
      storage: readStorage(merged),
      extraArgs: merged.karmadaApiserverExtraArgs,
      caCertFile: merged.caCertFile,
      caKeyFile: merged.caKeyFile,
      priorityClass: merged.karmadaApiserverPriorityClass,
      pkiDirectory: merged.karmadaPki ?? path.join(merged.karmadaData, 'pki'),
      certificatesValidMs: readDuration('cert-validity-period', merged.certValidityPeriod),
      readyTimeoutMs: readSeconds(merged.waitComponentReadyTimeout),
      nodeSelector: readLabels(merged.etcdNodeSelectorLabels ?? ''),
    },
    warnings,
  };
}

function readSeconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  throw new CommandError(`--wait-component-ready-timeout must be a number of seconds, not "${text}"`);
}

function readLabels(text: string): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const one of text.split(',').filter((part) => part !== '')) {
    const [key = '', value] = one.split('=');
    if (key === '' || value === undefined)
      throw new CommandError(`--etcd-node-selector-labels: "${one}" is no label, expected key=value`);
    labels.set(key, value);
  }
  return Object.fromEntries(labels);
}

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 30_000 && port <= 32_767) return port;
  throw new CommandError(`--port must be a node port from 30000 to 32767, not "${text}"`);
}

function readStorage(flags: InitFlags): InitSettings['storage'] {
  const { etcdStorageMode: mode, etcdData, etcdPvcSize, storageClassesName } = flags;
  if (mode === 'hostPath') {
    if (etcdData === '')
      throw new CommandError('when etcd storage mode is hostPath, dataPath is not empty. See --etcd-data');
    return { mode, path: etcdData };
  }
  if (mode === 'emptyDir') return { mode };
  if (mode !== 'PVC')
    throw new CommandError(`unsupported etcd-storage-mode ${mode}: choose hostPath, emptyDir or PVC`);
  if (storageClassesName === undefined)
    throw new CommandError(
      'when etcd storage mode is PVC, storageClassesName is not empty. See --storage-classes-name',
    );
  return { mode, size: etcdPvcSize, storageClass: storageClassesName };
}

type Fields = Readonly<Record<string, unknown>>;

function at(object: unknown, ...path: readonly string[]): unknown {
  let value = object;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Fields)[key];
  }
  return value;
}

/** What of the file has a meaning here, by its path under `spec`. */
const READERS: Readonly<Record<string, (value: unknown) => Partial<InitFlags>>> = {
  'certificates.caCertFile': (value) => ({ caCertFile: String(value) }),
  'certificates.caKeyFile': (value) => ({ caKeyFile: String(value) }),
  'certificates.externalDNS': (value) => ({ certExternalDns: value as string[] }),
  'certificates.externalIP': (value) => ({ certExternalIp: value as string[] }),
  'etcd.local.dataPath': (value) => ({ etcdData: String(value) }),
  'etcd.local.pvcSize': (value) => ({ etcdPvcSize: String(value) }),
  'etcd.local.storageMode': (value) => ({ etcdStorageMode: String(value) }),
  'etcd.local.storageClassesName': (value) => ({ storageClassesName: String(value) }),
  'hostCluster.domain': (value) => ({ hostClusterDomain: String(value) }),
  'images.imagePullPolicy': (value) => ({ imagePullPolicy: String(value) }),
  'images.imagePullSecrets': (value) => ({ imagePullSecrets: value as string[] }),
  'images.privateRegistry.registry': (value) => ({ privateImageRegistry: String(value) }),
  'components.karmadaAPIServer.advertiseAddress': (value) => ({
    karmadaApiserverAdvertiseAddress: String(value),
  }),
  'components.karmadaAPIServer.networking.namespace': (value) => ({ namespace: String(value) }),
  'components.karmadaAPIServer.networking.port': (value) => ({ port: String(value) }),
  'components.karmadaAPIServer.extraArgs': (value) => ({
    karmadaApiserverExtraArgs: (value as readonly { readonly name: string; readonly value: string }[]).map(
      (one) => `--${one.name}=${one.value}`,
    ),
  }),
  karmadaDataPath: (value) => ({ karmadaData: String(value) }),
  karmadaPKIPath: (value) => ({ karmadaPki: String(value) }),
  waitComponentReadyTimeout: (value) => ({ waitComponentReadyTimeout: String(value) }),
  'certificates.validityPeriod': (value) => ({ certValidityPeriod: String(value) }),
  'etcd.local.nodeSelectorLabels': (value) => ({ etcdNodeSelectorLabels: String(value) }),
};
/** Read by the command itself. */
const ELSEWHERE = new Set(['hostCluster.kubeconfig', 'hostCluster.context']);

function mergeConfig(
  flags: InitFlags,
  text: string,
): { readonly merged: InitFlags; readonly warnings: readonly string[] } {
  const config = parseYaml(text) as Fields | undefined;
  if (config?.['kind'] !== 'KarmadaInitConfig' || config['apiVersion'] !== 'config.karmada.io/v1alpha1')
    throw new CommandError('the config file is no KarmadaInitConfig of config.karmada.io/v1alpha1');
  const spec = at(config, 'spec') ?? {};
  if (at(spec, 'etcd', 'external') !== undefined)
    throw new CommandError(
      'spec.etcd.external is not supported: the control plane keeps its own store; leave it out',
    );
  let merged = flags;
  const warnings: string[] = [];
  for (const [path, value] of leaves(spec, '')) {
    const reader = READERS[path];
    if (reader !== undefined) merged = { ...merged, ...reader(value) };
    else if (!ELSEWHERE.has(path))
      warnings.push(`spec.${path} has no effect: the control plane is one process`);
  }
  return { merged, warnings };
}

/** Values by their paths; lists are values, and so is what a reader takes whole. */
function leaves(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (Object.hasOwn(READERS, path) || typeof value !== 'object' || value === null || Array.isArray(value))
    return value === undefined || value === null ? [] : [[path, value]];
  return Object.entries(value).flatMap(([key, one]) => leaves(one, path === '' ? key : `${path}.${key}`));
}

/** The host cluster that a config file names. */
export function hostOf(configText: string | undefined): {
  readonly kubeconfig?: string;
  readonly context?: string;
} {
  const spec = configText === undefined ? undefined : at(parseYaml(configText), 'spec', 'hostCluster');
  const text = (key: string): string | undefined => {
    const value = at(spec, key);
    return typeof value === 'string' ? value : undefined;
  };
  const [kubeconfig, context] = [text('kubeconfig'), text('context')];
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  };
}
