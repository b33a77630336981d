// The body of a request, read up to a limit. It stays bytes: the verbs parse JSON themselves, since they report
// duplicate and unknown fields, and other servers get what the client sent. YAML and protobuf can be decoded.
import { StatusError, badRequest, decodeProtobuf } from '../../machinery/index.ts';
import { errorMessage } from '../../base/index.ts';
import type { ApiRequest } from '../contract.ts';
import { checkJsonText } from '../json-text.ts';
import type { Exchange } from './exchange.ts';
import { parseYaml, repeatedYamlKeys } from './yaml.ts';

/** LIMIT: what kube-apiserver takes; etcd could not store more than half of it anyway. */
export const BODY_LIMIT_BYTES = 3 * 1024 * 1024;

// LIMIT: a peer that ignores the 413 may send this much before it is cut off. Cutting at once would reset the
// connection, and most clients then lose the answer that tells them why.
const DISCARD_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Counts what the bodies of requests hold in memory, until the requests are answered. Many clients that each send the
 * most that one may send would otherwise fill the memory before anything else could refuse them.
 */
export class BodyBudget {
  readonly #bytes: number;
  readonly #held = new Map<Exchange, number>();
  #total = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Throws a 429 StatusError when there is no room. */
  take(exchange: Exchange, bytes: number): void {
    if (this.#total + bytes > this.#bytes) {
      const message = 'Too many requests, please try again later.';
      throw new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds: 1 });
    }
    this.#total += bytes;
    this.#held.set(exchange, (this.#held.get(exchange) ?? 0) + bytes);
  }

  release(exchange: Exchange): void {
    this.#total -= this.#held.get(exchange) ?? 0;
    this.#held.delete(exchange);
  }
}

/** The body of an exchange that has one. */
export async function readBody(exchange: Exchange, budget: BodyBudget): Promise<ApiRequest['body']> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let refusal: unknown;
  await new Promise<void>((resolve, reject) => {
    const read = exchange.readBody((chunk) => {
      size += chunk.length;
      if (refusal === undefined && size <= BODY_LIMIT_BYTES) {
        try {
          budget.take(exchange, chunk.length);
          chunks.push(chunk);
          return;
        } catch (error) {
          refusal = error;
        }
      }
      chunks.length = 0;
      reject(refusal ?? tooLarge());
      if (size > DISCARD_LIMIT_BYTES) exchange.destroy();
    });
    read.then(resolve, reject);
  });
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  return decodeBody(bytes, exchange.headers['content-type']);
}

/** The body in the form that the verbs work on; undefined: there is none. */
export function decodeBody(bytes: Uint8Array, contentType: string | undefined): ApiRequest['body'] {
  if (bytes.length === 0) return undefined;
  const mediaType = mediaTypeOf(contentType);
  if (mediaType === 'application/vnd.kubernetes.protobuf') {
    return { bytes, decode: () => decodeProtobuf(bytes) };
  }
  if (!YAML_TYPES.includes(mediaType)) return { bytes };
  const yaml = new YamlText(bytes);
  return { bytes, decode: () => yaml.decode(), repeated: () => yaml.repeated() };
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

const YAML_TYPES = ['application/yaml', 'application/apply-patch+yaml'];

class YamlText {
  readonly #bytes: Uint8Array;
  #text: string | undefined;
  /** What is wrong with the text as JSON; undefined: it is none. */
  #asJson: readonly string[] | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  decode(): unknown {
    try {
      const text = this.#read();
      const json = this.#decodeJson(text);
      return json === undefined ? parseYaml(text) : json;
    } catch (error) {
      if (error instanceof StatusError) throw error;
      // The lines after the first show the text, which may be long.
      const [why = ''] = errorMessage(error).split('\n', 1);
      throw badRequest(`error converting YAML to JSON: yaml: ${why}`);
    }
  }

  repeated(): readonly string[] {
    return this.#asJson?.length === 0 ? [] : repeatedYamlKeys(this.#read());
  }

  #read(): string {
    return (this.#text ??= new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes));
  }

  /** kubectl sends JSON as YAML, which it is; parsing it as JSON is many times faster. Undefined: it is no JSON. */
  #decodeJson(text: string): unknown {
    if (!/^[ \t\r\n]*\{/.test(text)) return undefined;
    const problems = checkJsonText(text, true);
    try {
      const json = JSON.parse(text) as unknown;
      this.#asJson = problems;
      return json;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}
