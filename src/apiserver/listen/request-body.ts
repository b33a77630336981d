// The body of a request: read up to a limit, and put into the form that the verbs work on. JSON stays bytes
// (the verbs parse it themselves, since they report duplicate and unknown fields); YAML becomes a JSON value.
import { StatusError, badRequest, decodeProtobuf } from '../../machinery/index.ts';
import { errorMessage } from '../../base/index.ts';
import type { ApiRequest } from '../contract.ts';
import type { Exchange } from './exchange.ts';
import { parseYaml } from './yaml.ts';

/** LIMIT: what kube-apiserver takes; etcd could not store more than half of it anyway. */
export const BODY_LIMIT_BYTES = 3 * 1024 * 1024;

// LIMIT: a peer that ignores the 413 may send this much before it is cut off. Cutting at once would reset the
// connection, and most clients then lose the answer that tells them why.
const DISCARD_LIMIT_BYTES = 64 * 1024 * 1024;

export async function readBody(exchange: Exchange): Promise<ApiRequest['body']> {
  if (!exchange.hasBody) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const read = exchange.readBody((chunk) => {
      size += chunk.length;
      if (size <= BODY_LIMIT_BYTES) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      reject(tooLarge());
      if (size > DISCARD_LIMIT_BYTES) exchange.destroy();
    });
    read.then(resolve, reject);
  });
  const mediaType = mediaTypeOf(exchange.headers['content-type']);
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  if (size === 0) return undefined;
  if (mediaType === 'application/vnd.kubernetes.protobuf') return { json: decodeProtobuf(bytes) };
  return isYaml(mediaType, bytes) ? { json: decodeYaml(bytes) } : { bytes };
}

function tooLarge(): StatusError {
  return new StatusError(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: limit is ${BODY_LIMIT_BYTES}`,
  );
}

function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function isYaml(mediaType: string, bytes: Uint8Array): boolean {
  if (mediaType === 'application/yaml') return true;
  // kubectl sends JSON under this name; JSON is YAML, and parsing it as JSON is many times faster.
  return mediaType === 'application/apply-patch+yaml' && firstByte(bytes) !== 0x7b;
}

function firstByte(bytes: Uint8Array): number | undefined {
  return bytes.find((byte) => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09);
}

function decodeYaml(bytes: Uint8Array): unknown {
  try {
    return parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${errorMessage(error)}`);
  }
}
