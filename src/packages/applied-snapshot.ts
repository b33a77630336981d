// What was applied last, whole, kept in the cluster beside the package: what a suspended package is compared with and healed
// to, also after a restart and while its repository is away.
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { PACKAGES_NAMESPACE, type KubeObject } from '../api/index.ts';
import { kinds, type Client } from '../client/index.ts';
import { encodeJson, ownerReference } from '../machinery/index.ts';
import type { AnyPackage } from '../packaging/index.ts';

const TYPE = 'packages.glasskube.dev/applied.v1';
const DIGEST = 'packages.glasskube.dev/applied-digest';
const CHUNKS = 'packages.glasskube.dev/applied-chunks';
const KEY = 'objects';
/** LIMIT: of one Secret; the store takes 1 MiB with everything. */
const CHUNK_BYTES = 900 * 1024;
/** LIMIT: Secrets of one package, so that a snapshot that was tampered with fills no memory. */
const CHUNKS_MAX = 64;
/** LIMIT: of a snapshot that is read. */
const BYTES_MAX = 256 * 1024 * 1024;

export interface Applied {
  /** In the order in which they were applied. */
  readonly objects: readonly KubeObject[];
  /** Of the spec that they were made from, without what says that it is suspended. */
  readonly specHash: string;
}

export interface Snapshot extends Applied {
  /** Of the package. */
  readonly version: string;
  readonly generation: number | undefined;
}

interface Content extends Applied {
  readonly version: string;
  readonly generation?: number;
}

function place(
  { kind, metadata }: AnyPackage,
  chunk: number,
): { readonly namespace: string; readonly name: string } {
  const name = `${kind.toLowerCase()}-${metadata.name ?? ''}-applied${chunk === 0 ? '' : `-${chunk}`}`;
  return { namespace: metadata.namespace ?? PACKAGES_NAMESPACE, name };
}

/** Keeps what was applied; nothing is written when it is what is kept already. */
export async function writeSnapshot(
  client: Client,
  owner: AnyPackage,
  { objects, specHash }: Applied,
  signal: AbortSignal,
): Promise<void> {
  const { generation } = owner.metadata;
  const content: Content = {
    version: owner.spec.packageInfo.version,
    ...(generation === undefined ? {} : { generation }),
    specHash,
    objects,
  };
  const text = encodeJson(content);
  const digest = createHash('sha256').update(text).digest('hex');
  const kept = await client.find(kinds.secrets, place(owner, 0), { signal });
  if (kept?.metadata.annotations?.[DIGEST] === digest) return;
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
          ...place(owner, chunk),
          annotations: { [DIGEST]: digest, [CHUNKS]: String(count) },
          ownerReferences: [ownerReference(owner)],
        },
        type: TYPE,
        data: { [KEY]: part.toString('base64') },
      },
      { force: true, signal },
    );
  }
  const before = Number(kept?.metadata.annotations?.[CHUNKS] ?? 1);
  for (let chunk = count; chunk < Math.min(before, CHUNKS_MAX); chunk++)
    await client.delete(kinds.secrets, place(owner, chunk), { signal });
}

/** What was applied last; undefined: nothing is kept, or not all of it is there. */
export async function readSnapshot(
  client: Client,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  const first = await client.find(kinds.secrets, place(owner, 0), { signal });
  const count = Number(first?.metadata.annotations?.[CHUNKS] ?? 0);
  if (first === undefined || first['type'] !== TYPE || !(count >= 1 && count <= CHUNKS_MAX)) return undefined;
  const digest = first.metadata.annotations?.[DIGEST] ?? '';
  const parts = [partOf(first)];
  for (let chunk = 1; chunk < count; chunk++) {
    const next = await client.find(kinds.secrets, place(owner, chunk), { signal });
    if (next?.metadata.annotations?.[DIGEST] !== digest) return undefined;
    parts.push(partOf(next));
  }
  try {
    const text = gunzipSync(Buffer.concat(parts), { maxOutputLength: BYTES_MAX });
    if (createHash('sha256').update(text).digest('hex') !== digest) return undefined;
    const { version, generation, specHash, objects } = JSON.parse(text.toString('utf8')) as Content;
    return { version, generation, specHash, objects };
  } catch {
    // Somebody else wrote it.
    return undefined;
  }
}

function partOf(secret: KubeObject): Buffer {
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
  return Buffer.from(data[KEY] ?? '', 'base64');
}
