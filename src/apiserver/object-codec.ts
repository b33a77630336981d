// How objects live in the storage: as JSON, with the resourceVersion stamped at commit.
import type { KubeObject } from '../api/index.ts';
import { encodeJson, freezeDecoded } from '../machinery/index.ts';
import type { Codec } from '../storage/index.ts';

const decoder = new TextDecoder();

export const objectCodec: Codec<KubeObject> = {
  encode: (object) => encodeJson(object),
  decode: (bytes) => freezeDecoded(JSON.parse(decoder.decode(bytes)) as KubeObject),
  stamp: (object, revision) => withResourceVersion(object, String(revision)),
};

/** The same object at another resourceVersion, frozen; everything but metadata is shared. */
export function withResourceVersion(object: KubeObject, resourceVersion: string): KubeObject {
  const metadata = Object.freeze({ ...object.metadata, resourceVersion });
  return Object.freeze({ ...object, metadata });
}

/** The object with other metadata, frozen. */
export function withMetadata(object: KubeObject, metadata: KubeObject['metadata']): KubeObject {
  return Object.freeze({ ...object, metadata: Object.freeze(metadata) });
}
