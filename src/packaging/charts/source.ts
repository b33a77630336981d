// Getting charts: packed, from a chart repository with an index.yaml, from a registry, or from beside the package itself.
import { errorMessage } from '../../base/index.ts';
import { createArtifactReader } from '../oci/artifact.ts';
import { CHART_LAYER } from '../oci/descriptor.ts';
import { isOciAddress, parseOciReference, tagOfVersion } from '../oci/reference.ts';
import { RepositoryError, type PackageRepositoryClient, type RepositorySeams } from '../repository-client.ts';

export interface PackedChart {
  readonly url: string;
  readonly bytes: Uint8Array;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface ChartPlace {
  /** As the manifest says it; relative: to the manifest, and then read with the login of its repository. */
  readonly repositoryUrl: string;
  /** Of package.yaml. */
  readonly resolvedUrl: string;
  readonly repository: PackageRepositoryClient;
}

// LIMIT: bytes of the index of a chart repository, and of a chart, which Helm would not load either.
const INDEX = { maxBytes: 32 * 1024 * 1024, asSent: false } as const;
const CHART = { maxBytes: 20 * 1024 * 1024, asSent: true } as const;

/** Throws RepositoryError, which names chart and address. */
export async function fetchChart(
  { repositoryUrl, resolvedUrl, repository }: ChartPlace,
  { chartName, chartVersion }: { readonly chartName: string; readonly chartVersion: string },
  seams: RepositorySeams,
  signal?: AbortSignal,
): Promise<PackedChart> {
  const failed = (why: string, cause?: unknown): RepositoryError =>
    new RepositoryError(`chart "${chartName}" ${chartVersion} cannot be had from ${repositoryUrl}: ${why}`, {
      cause,
    });
  const refused = nameProblem(chartName) ?? versionProblem(chartVersion);
  if (refused !== undefined) throw failed(refused);
  try {
    return isOciAddress(repositoryUrl)
      ? await fromRegistry(repositoryUrl, chartName, chartVersion, seams, signal)
      : await fromIndex(signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw failed(errorMessage(error), error);
  }

  async function fromIndex(ends: AbortSignal | undefined): Promise<PackedChart> {
    const below = (name: string): string => `${repositoryUrl.replace(/\/+$/, '')}/${name}`;
    const index = await repository.file(resolvedUrl, below('index.yaml'), INDEX, ends);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(index.bytes);
    const entry = entryOf(seams.parseYaml(text, index.url)[0], chartName, chartVersion);
    const named = URL.canParse(entry.url) ? entry.url : below(entry.url);
    const { url, bytes, sha256 } = await repository.file(resolvedUrl, named, CHART, ends);
    if (entry.digest !== undefined && entry.digest !== sha256)
      throw new Error(
        `${url} has SHA-256 ${sha256}, but index.yaml says ${entry.digest}; nothing of it is used`,
      );
    return { url, bytes, sha256 };
  }
}

function nameProblem(name: string): string | undefined {
  return /^[A-Za-z0-9][\w.-]*$/.test(name) ? undefined : 'that is no name of a chart';
}

/** A range would be another chart tomorrow, under the same version of the package. */
function versionProblem(version: string): string | undefined {
  return /^v?\d+\.\d+\.\d+(?:[-+][\w.+-]*)?$/.test(version)
    ? undefined
    : 'the version has to be a whole one, like 1.2.3, for a package to be the same everywhere';
}

async function fromRegistry(
  repositoryUrl: string,
  name: string,
  version: string,
  seams: RepositorySeams,
  signal: AbortSignal | undefined,
): Promise<PackedChart> {
  const url = `${repositoryUrl.replace(/\/+$/, '')}/${name}:${tagOfVersion(version)}`;
  const reader = createArtifactReader(parseOciReference(url), undefined, seams);
  const { layers } = await reader.artifact(signal);
  const layer = layers.find(({ mediaType }) => mediaType === CHART_LAYER);
  if (layer === undefined) throw new Error('the artifact there is no chart');
  const bytes = await reader.layer(layer, CHART.maxBytes, signal);
  return { url, bytes, sha256: layer.digest.slice('sha256:'.length) };
}

interface Entry {
  readonly url: string;
  readonly digest: string | undefined;
}

function entryOf(index: unknown, name: string, version: string): Entry {
  const entries = ((index ?? {}) as { readonly entries?: Readonly<Record<string, unknown>> }).entries;
  const all = entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (!Array.isArray(all)) throw new Error('its index.yaml has no such chart');
  const plain = (text: unknown): string => String(text).replace(/^v/, '');
  const found = (all as readonly Readonly<Record<string, unknown>>[]).find(
    (one) => plain(one['version']) === plain(version),
  );
  if (found === undefined) {
    const known = all.slice(0, 10).map((one: Readonly<Record<string, unknown>>) => String(one['version']));
    throw new Error(`its index.yaml has no such version; it has ${known.join(', ')}`);
  }
  const [url] = Array.isArray(found['urls']) ? (found['urls'] as readonly unknown[]) : [];
  if (typeof url !== 'string' || url === '') throw new Error('its index.yaml names no file for it');
  const { digest } = found;
  return {
    url,
    digest:
      typeof digest === 'string' && digest !== '' ? digest.toLowerCase().replace(/^sha256:/, '') : undefined,
  };
}
