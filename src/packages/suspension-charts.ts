// What a chart installed, as Helm keeps it with the release: the only place where that is known without rendering charts.
import { gunzipSync } from 'node:zlib';
import type { KubeObject } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { HELM_RELEASE, type ComparedObject } from '../packaging/index.ts';
import type { PackageContext } from './context.ts';

const TYPE = 'helm.sh/release.v1';
/** LIMIT: of a release that is read, and of objects that are compared. */
const BYTES_MAX = 64 * 1024 * 1024;
const OBJECTS_MAX = 1_000;

interface ReleaseSpec {
  readonly releaseName?: string;
  readonly targetNamespace?: string;
  readonly storageNamespace?: string;
}

/** Objects of charts as they were installed last, with what is there; nothing for releases that Helm does not know. */
export async function chartObjects(
  context: PackageContext,
  applied: readonly KubeObject[],
  signal: AbortSignal,
): Promise<readonly ComparedObject[]> {
  const compared: ComparedObject[] = [];
  for (const release of applied) {
    if (release.apiVersion !== HELM_RELEASE.apiVersion || release.kind !== HELM_RELEASE.kind) continue;
    for (const wanted of await installedBy(context, release, signal)) {
      if (compared.length >= OBJECTS_MAX) return compared;
      const one = await found(context, wanted, release, signal);
      if (one !== undefined) compared.push(one);
    }
  }
  return compared;
}

async function installedBy(
  { client, seams }: PackageContext,
  release: KubeObject,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const { name = '', namespace = '' } = release.metadata;
  const { releaseName, targetNamespace, storageNamespace } = release['spec'] as ReleaseSpec;
  // Flux names a release for another namespace after both.
  const called = releaseName ?? (targetNamespace === undefined ? name : `${targetNamespace}-${name}`);
  const { items } = await client.list<KubeObject>(kinds.secrets, {
    namespace: storageNamespace ?? namespace,
    labelSelector: `owner=helm,name=${called},status=deployed`,
    signal,
  });
  const version = ({ metadata }: KubeObject): number => Number(metadata.labels?.['version'] ?? 0);
  const newest = items.filter(({ type }) => type === TYPE).sort((a, b) => version(b) - version(a))[0];
  const data = (newest?.['data'] as { readonly release?: string } | undefined)?.release;
  if (data === undefined) return [];
  try {
    // Helm's own base64 within that of the Secret.
    const packed = Buffer.from(Buffer.from(data, 'base64').toString('latin1'), 'base64');
    const text = gunzipSync(packed, { maxOutputLength: BYTES_MAX }).toString('utf8');
    const { manifest = '' } = JSON.parse(text) as { readonly manifest?: string };
    return seams
      .parseYaml(manifest, `release ${called}`)
      .filter((one): one is KubeObject => typeof (one as Partial<KubeObject> | null)?.kind === 'string');
  } catch {
    // Not what Helm writes; nothing is known of it then.
    return [];
  }
}

/** Undefined: its kind is not served here. Helm says no namespace where it is that of the release. */
async function found(
  { client, mapper }: PackageContext,
  wanted: KubeObject,
  release: KubeObject,
  signal: AbortSignal,
): Promise<ComparedObject | undefined> {
  const resource = await mapper.resourceForObject(wanted);
  if (resource === undefined) return undefined;
  const { targetNamespace } = release['spec'] as ReleaseSpec;
  const { name = '', namespace: said } = wanted.metadata;
  const namespace = resource.namespaced ? (said ?? targetNamespace ?? release.metadata.namespace) : undefined;
  const placed =
    namespace === undefined ? wanted : { ...wanted, metadata: { ...wanted.metadata, namespace } };
  const live = await client.find<KubeObject>(resource, { name, namespace }, { signal });
  return { wanted: placed, live };
}
