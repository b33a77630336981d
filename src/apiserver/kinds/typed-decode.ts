// Decoding into built-in types, shared by all their kinds.
import {
  builtinSchema,
  deepFreeze,
  definitionFor,
  type JsonObject,
  type KubeObject,
} from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { TypedDecoders, type DecodeReport } from '../typed/decoder.ts';

export const typedDecoders = new TypedDecoders(builtinSchema);

/** Decodes with the types of a kind and then fills in defaults; frozen. */
export function typedDecode(
  identity: { readonly group: string; readonly version: string; readonly kind: string },
  defaults?: (object: KubeObject, version: string) => KubeObject,
): (value: JsonObject, report: DecodeReport) => KubeObject {
  // Looked up at the first use: most kinds of a hub are never touched.
  let definition: string | undefined;
  return (value, report) => {
    definition ??= definitionFor(identity);
    assert(definition !== undefined, `no schema for ${identity.group}/${identity.version} ${identity.kind}`);
    const object = typedDecoders.decodeKind(definition, identity, value, report);
    return deepFreeze(defaults?.(object, identity.version) ?? object);
  };
}
