// What was applied last, whole, kept in the cluster beside the package: what a suspended package is compared with and healed
// to, also after a restart and while its repository is away.
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isNotFound, kinds, type Client } from '../client/index.ts';
import { encodeJson, ownerReference } from '../machinery/index.ts';
import {
  APPLIED_CHUNKS,
  APPLIED_CHUNKS_MAX,
  APPLIED_DIGEST,
  APPLIED_KEY,
  APPLIED_TYPE,
  appliedPlace,
  readApplied,
  type AnyPackage,
  type Applied,
  type AppliedContent,
} from '../packaging/index.ts';

/** LIMIT: of one Secret; the store takes 1 MiB with everything. */
const CHUNK_BYTES = 900 * 1024;

export type Snapshot = AppliedContent;

/** Keeps what was applied; nothing is written when it is what is kept already. */
export async function writeSnapshot(
  client: Client,
  owner: AnyPackage,
  { objects, specHash }: Applied,
  signal: AbortSignal,
): Promise<void> {
  const { generation } = owner.metadata;
  const content: AppliedContent = {
    version: owner.spec.packageInfo.version,
    ...(generation === undefined ? {} : { generation }),
    specHash,
    objects,
  };
  const text = encodeJson(content);
  const digest = createHash('sha256').update(text).digest('hex');
  const kept = await client.find(kinds.secrets, appliedPlace(owner, 0), { signal });
  if (kept?.metadata.annotations?.[APPLIED_DIGEST] === digest) return;
  const packed = gzipSync(text);
  const count = Math.max(1, Math.ceil(packed.byteLength / CHUNK_BYTES));
  // The first one is written last: it says which others belong to it.
  for (let chunk = count - 1; chunk >= 0; chunk--) {
    const part = packed.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
    await client.apply(
      kinds.secrets,
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          ...appliedPlace(owner, chunk),
          annotations: { [APPLIED_DIGEST]: digest, [APPLIED_CHUNKS]: String(count) },
          ownerReferences: [ownerReference(owner)],
        },
        type: APPLIED_TYPE,
        data: { [APPLIED_KEY]: part.toString('base64') },
      },
      { force: true, signal },
    );
  }
  const before = Number(kept?.metadata.annotations?.[APPLIED_CHUNKS] ?? 1);
  for (let chunk = count; chunk < Math.min(before, APPLIED_CHUNKS_MAX); chunk++)
    await client.delete(kinds.secrets, appliedPlace(owner, chunk), { signal });
}

/** Where nobody else does: it goes with its package as a rule. */
export async function deleteSnapshot(client: Client, owner: AnyPackage, signal: AbortSignal): Promise<void> {
  const kept = await client.find(kinds.secrets, appliedPlace(owner, 0), { signal });
  if (kept?.['type'] !== APPLIED_TYPE) return;
  const count = Math.min(Number(kept.metadata.annotations?.[APPLIED_CHUNKS] ?? 1), APPLIED_CHUNKS_MAX);
  for (let chunk = count - 1; chunk >= 0; chunk--)
    try {
      await client.delete(kinds.secrets, appliedPlace(owner, chunk), { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
}

/** What was applied last; undefined: nothing is kept, or not all of it is there. */
export function readSnapshot(
  client: Client,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  return readApplied(owner, {
    find: (place) => client.find(kinds.secrets, place, { signal }),
    unpack: (parts, maxOutputLength) => {
      const text = gunzipSync(Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))), {
        maxOutputLength,
      });
      return { text: text.toString('utf8'), sha256: createHash('sha256').update(text).digest('hex') };
    },
  });
}
