// What a container sees: its environment and the files of its volumes, as a kubelet would have put them together from
// the pod and what it refers to.
import type { ConfigMap, Container, EnvVar, Secret, Volume } from '../../api/index.ts';
import type { SubresourceCall } from '../../apiserver/index.ts';
import type { Pod } from '../kinds.ts';
import type { ContainerWorld } from './shell.ts';

type Objects = SubresourceCall['objects'];

/** What volumes and variables are made from. */
interface Sources {
  configMap(name: string | undefined): Promise<Readonly<Record<string, string>> | undefined>;
  secret(name: string | undefined): Promise<Readonly<Record<string, string>> | undefined>;
}

function sourcesOf(objects: Objects, namespace: string): Sources {
  return {
    async configMap(name = '') {
      const found = (await objects.get('', 'configmaps', namespace, name)) as ConfigMap | undefined;
      return found === undefined ? undefined : { ...found.data, ...decoded(found.binaryData) };
    },
    async secret(name = '') {
      const found = (await objects.get('', 'secrets', namespace, name)) as Secret | undefined;
      return found === undefined ? undefined : decoded(found.data);
    },
  };
}

function decoded(data: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64').toString()]),
  );
}

export async function containerWorld(
  objects: Objects,
  pod: Pod,
  container: Container,
  nowMs: () => number,
): Promise<ContainerWorld> {
  const { namespace, name } = pod.metadata;
  const sources = sourcesOf(objects, namespace);
  const files = new Map<string, string>([
    ['/etc/hostname', `${hostnameOf(pod)}\n`],
    ['/etc/hosts', `127.0.0.1\tlocalhost\n${pod.status?.podIP ?? ''}\t${hostnameOf(pod)}\n`],
    ['/etc/resolv.conf', `search ${namespace}.svc.cluster.local svc.cluster.local cluster.local\n`],
  ]);
  const directories = ['/tmp'];
  for (const { name: volumeName, mountPath, subPath = '' } of container.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find((one) => one.name === volumeName);
    const mount = mountPath.replace(/\/+$/, '');
    const found = volume === undefined ? new Map<string, string>() : await volumeFiles(volume, pod, sources);
    const single = found.get(subPath);
    if (subPath !== '' && single !== undefined) files.set(mount, single);
    else {
      directories.push(mount);
      for (const [path, text] of found) files.set(`${mount}/${path}`, text);
    }
  }
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser ?? 0;
  return {
    hostname: hostnameOf(pod),
    env: await environment(pod, container, sources, name),
    files,
    directories,
    workingDirectory: container.workingDir ?? '/',
    user,
    nowMs,
  };
}

function hostnameOf({ metadata, spec }: Pod): string {
  return spec.hostname ?? metadata.name ?? '';
}

async function environment(
  pod: Pod,
  { env = [], envFrom = [] }: Container,
  sources: Sources,
  name: string,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOSTNAME', hostnameOf(pod)],
    ['KUBERNETES_SERVICE_HOST', '10.96.0.1'],
    ['KUBERNETES_SERVICE_PORT', '443'],
  ]);
  for (const { configMapRef, secretRef, prefix = '' } of envFrom ?? []) {
    const data =
      configMapRef === undefined
        ? await sources.secret(secretRef?.name)
        : await sources.configMap(configMapRef.name);
    for (const [key, value] of Object.entries(data ?? {})) found.set(prefix + key, value);
  }
  for (const variable of env ?? []) {
    const value = await valueOf(variable, pod, sources, name);
    if (value !== undefined)
      found.set(
        variable.name,
        value.replaceAll(/\$\((\w+)\)/g, (all, key: string) => found.get(key) ?? all),
      );
  }
  found.set('HOME', found.get('HOME') ?? '/root');
  return found;
}

async function valueOf(
  { value, valueFrom }: EnvVar,
  pod: Pod,
  sources: Sources,
  name: string,
): Promise<string | undefined> {
  if (valueFrom === undefined) return value ?? '';
  const { configMapKeyRef, secretKeyRef, fieldRef } = valueFrom;
  if (configMapKeyRef !== undefined)
    return (await sources.configMap(configMapKeyRef.name))?.[configMapKeyRef.key];
  if (secretKeyRef !== undefined) return (await sources.secret(secretKeyRef.name))?.[secretKeyRef.key];
  return fieldRef === undefined ? undefined : fieldOf(fieldRef.fieldPath, pod, name);
}

function fieldOf(path: string, { metadata, spec, status }: Pod, name: string): string {
  const [, from, key = ''] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  if (from !== undefined) return (from === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? '';
  const lines = (table: Readonly<Record<string, string>> | undefined): string =>
    Object.entries(table ?? {})
      .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
      .join('\n');
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'metadata.labels': lines(metadata.labels),
    'metadata.annotations': lines(metadata.annotations),
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': status?.podIP,
    'status.podIPs': status?.podIP,
    'status.hostIP': status?.hostIP,
    'status.hostIPs': status?.hostIP,
  };
  return fields[path] ?? '';
}

interface KeyToPath {
  readonly key: string;
  readonly path: string;
}

/** All keys, or those asked for, by the path they get. */
function placed(
  data: Readonly<Record<string, string>> | undefined,
  items: readonly KeyToPath[] | undefined,
): readonly (readonly [string, string])[] {
  if (items === undefined || items.length === 0) return Object.entries(data ?? {});
  return items.flatMap(({ key, path }) => {
    const text = data?.[key];
    return text === undefined ? [] : [[path, text] as const];
  });
}

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

/** The files of a volume by their path in it; of kinds that hold none, none. */
async function volumeFiles(volume: Volume, pod: Pod, sources: Sources): Promise<ReadonlyMap<string, string>> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (projected !== undefined) {
    const parts = await Promise.all(
      (projected.sources ?? []).map((one) => projectedFiles(one, pod, sources)),
    );
    return new Map(parts.flat());
  }
  if (configMap !== undefined)
    return new Map(placed(await sources.configMap(configMap.name), configMap.items));
  if (secret !== undefined) return new Map(placed(await sources.secret(secret.secretName), secret.items));
  return new Map(downwardFiles(downwardAPI?.items, pod));
}

async function projectedFiles(
  { configMap, secret, downwardAPI, serviceAccountToken }: Projection,
  pod: Pod,
  sources: Sources,
): Promise<readonly (readonly [string, string])[]> {
  if (configMap !== undefined) return placed(await sources.configMap(configMap.name), configMap.items);
  if (secret !== undefined) return placed(await sources.secret(secret.name), secret.items);
  if (serviceAccountToken !== undefined) {
    // LIMIT: nothing runs here that could use a token, and one that is shown could be used by others.
    return [[serviceAccountToken.path, 'this container is simulated, and has no token\n']];
  }
  return downwardFiles(downwardAPI?.items, pod);
}

function downwardFiles(
  items: readonly { readonly path: string; readonly fieldRef?: { readonly fieldPath: string } }[] | undefined,
  pod: Pod,
): readonly (readonly [string, string])[] {
  return (items ?? []).flatMap(({ path, fieldRef }) =>
    fieldRef === undefined
      ? []
      : [[path, fieldOf(fieldRef.fieldPath, pod, pod.metadata.name ?? '')] as const],
  );
}
