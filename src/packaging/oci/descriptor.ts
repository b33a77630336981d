// What manifests and indexes of OCI artifacts say, as far as anything here goes by it.
import { OciError, isDigest } from './reference.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly artifactType: string | undefined;
}

export const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
/** The name of the file that a layer is. */
export const TITLE = 'org.opencontainers.image.title';
/** The tag of an artifact in a layout. */
export const REF_NAME = 'org.opencontainers.image.ref.name';

// LIMIT: layers of an artifact and artifacts of an index.
const ENTRIES_MAX = 20_000;

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, called: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new OciError(`${called} is no JSON object`);
  return value as Fields;
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function descriptorOf(value: unknown, called: string): Descriptor {
  const { mediaType, digest, size, annotations, artifactType } = fieldsOf(value, called);
  if (!isDigest(digest)) throw new OciError(`${called} has a digest that is not SHA-256: ${String(digest)}`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new OciError(`${called} says no size`);
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest,
    size,
    annotations: textsOf(annotations),
    artifactType: typeof artifactType === 'string' ? artifactType : undefined,
  };
}

function listOf(fields: Fields, name: string, called: string): readonly Descriptor[] {
  const list = fields[name];
  if (!Array.isArray(list)) throw new OciError(`${called} has no ${name}`);
  if (list.length > ENTRIES_MAX)
    throw new OciError(`${called} has ${list.length} ${name}, more than ${ENTRIES_MAX}`);
  return list.map((one, at) => descriptorOf(one, `entry ${at + 1} of the ${name} of ${called}`));
}

export type Document =
  | { readonly kind: 'Index'; readonly manifests: readonly Descriptor[] }
  | { readonly kind: 'Manifest'; readonly layers: readonly Descriptor[] };

/** @param json the parsed text. Throws OciError. */
export function readDocument(json: unknown, called: string): Document {
  const fields = fieldsOf(json, called);
  if (fields['schemaVersion'] !== 2) throw new OciError(`${called} is no OCI manifest of schemaVersion 2`);
  if (Array.isArray(fields['manifests']))
    return { kind: 'Index', manifests: listOf(fields, 'manifests', called) };
  return { kind: 'Manifest', layers: listOf(fields, 'layers', called) };
}

/** The artifact that a tag means among those of a layout; without a tag `latest`, or the only one. Throws OciError. */
export function taggedIn(
  manifests: readonly Descriptor[],
  tag: string | undefined,
  called: string,
): Descriptor {
  const tagged = (wanted: string): Descriptor | undefined =>
    manifests.find(({ annotations }) => {
      const name = annotations[REF_NAME];
      // Some tools write the whole reference there.
      return name === wanted || name?.endsWith(`:${wanted}`) === true;
    });
  const found =
    tag === undefined
      ? (tagged('latest') ?? (manifests.length === 1 ? manifests[0] : undefined))
      : tagged(tag);
  if (found !== undefined) return found;
  const known = manifests.flatMap(({ annotations }) => annotations[REF_NAME] ?? []).slice(0, 10);
  throw new OciError(
    `${called} holds nothing called "${tag ?? 'latest'}"; it holds ${known.length === 0 ? 'nothing with a name' : known.join(', ')}`,
  );
}
