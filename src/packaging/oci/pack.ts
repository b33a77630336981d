// A folder of packages as an OCI image layout: what `navarch package pack` writes, `oci-layout:` addresses read, and tools of
// others copy into registries. The same files make the same bytes.
import { CHART_LAYER, IMAGE_INDEX, IMAGE_MANIFEST, REF_NAME, TITLE } from './descriptor.ts';

export interface PackedFile {
  /** Below the folder, with `/` between. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export const ARTIFACT_TYPE = 'application/vnd.navarch.packages.v1';
const FILE = 'application/yaml';
const EMPTY = 'application/vnd.oci.empty.v1+json';

/** @param sha256 in hexadecimal */
export function packArtifact(
  files: readonly PackedFile[],
  tag: string,
  sha256: (bytes: Uint8Array) => string,
): readonly PackedFile[] {
  const blobs = new Map<string, PackedFile>();
  const blob = (
    bytes: Uint8Array,
    mediaType: string,
  ): { mediaType: string; digest: string; size: number } => {
    const hex = sha256(bytes);
    blobs.set(hex, { path: `blobs/sha256/${hex}`, bytes });
    return { mediaType, digest: `sha256:${hex}`, size: bytes.byteLength };
  };
  const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const layers = files
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, bytes }) => ({
      ...blob(bytes, path.endsWith('.tgz') ? CHART_LAYER : FILE),
      annotations: { [TITLE]: path },
    }));
  const manifest = blob(
    text({
      schemaVersion: 2,
      mediaType: IMAGE_MANIFEST,
      artifactType: ARTIFACT_TYPE,
      config: blob(text({}), EMPTY),
      layers,
    }),
    IMAGE_MANIFEST,
  );
  const index = {
    schemaVersion: 2,
    mediaType: IMAGE_INDEX,
    manifests: [{ ...manifest, artifactType: ARTIFACT_TYPE, annotations: { [REF_NAME]: tag } }],
  };
  return [
    { path: 'oci-layout', bytes: text({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', bytes: text(index) },
    ...blobs.values(),
  ];
}
