// Answers read inside the process: those of this server, and those that it passes on from another one.
import { deepFreeze, type WatchEvent } from '../api/index.ts';
import type { ApiResponse, WriteBytes } from './contract.ts';

const decoder = new TextDecoder();

export type WholeAnswer = Extract<ApiResponse, { kind: 'object' | 'bytes' }>;

/** JSON as frozen objects, anything else as text. */
export function bodyOf(response: WholeAnswer): unknown {
  return response.kind === 'object' ? response.object : decodeBody(response);
}

export interface ReadAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Those that say more than the body: warnings, when to come again. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** The whole answer: JSON as frozen objects, anything else as text. */
export async function readWhole(response: ApiResponse, signal: AbortSignal): Promise<ReadAnswer> {
  if (response.kind === 'watch') throw new Error('a watch was asked for as a whole');
  const whole = await wholeAnswer(response, signal);
  const { status, headers } = whole;
  return { status, body: bodyOf(whole), ...(headers === undefined ? {} : { headers }) };
}

// LIMIT: of an answer that another server gives, as a whole.
const ANSWER_MAX_BYTES = 256 * 1024 * 1024;

/** Gathers an answer that comes in parts. */
export async function wholeAnswer(
  response: Exclude<ApiResponse, { kind: 'watch' }>,
  signal: AbortSignal,
): Promise<WholeAnswer> {
  if (response.kind === 'upgrade') throw new Error('connections can only be upgraded over a socket');
  if (response.kind !== 'stream') return response;
  const chunks: Uint8Array[] = [];
  let size = 0;
  await response.run((bytes) => {
    size += bytes.length;
    if (size > ANSWER_MAX_BYTES)
      return Promise.reject(new Error(`the answer is over ${ANSWER_MAX_BYTES} bytes`));
    chunks.push(bytes);
    return Promise.resolve();
  }, signal);
  const contentType = String(response.headers['content-type'] ?? '');
  return { kind: 'bytes', status: response.status, contentType, bytes: Buffer.concat(chunks, size) };
}

// LIMIT: of one event of a watch that another server answers.
const EVENT_MAX_BYTES = 16 * 1024 * 1024;

/** Reads the events of a watch that another server answers. */
export function eventLines(onEvent: (event: WatchEvent) => void): WriteBytes {
  const lines = new TextDecoder();
  let rest = '';
  return (bytes) => {
    const parts = (rest + lines.decode(bytes, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) if (line !== '') onEvent(deepFreeze(JSON.parse(line) as WatchEvent));
    return rest.length > EVENT_MAX_BYTES
      ? Promise.reject(new Error('an event is too large'))
      : Promise.resolve();
  };
}

/** Discovery answers with the same bytes until it changes, and is asked for again and again. */
const decoded = new WeakMap<Uint8Array, unknown>();

function decodeBody({ bytes, contentType }: Extract<ApiResponse, { kind: 'bytes' }>): unknown {
  if (bytes.length === 0) return undefined;
  if (!contentType.startsWith('application/json')) return decoder.decode(bytes);
  if (decoded.has(bytes)) return decoded.get(bytes);
  const value = deepFreeze(JSON.parse(decoder.decode(bytes)) as unknown);
  decoded.set(bytes, value);
  return value;
}

/** The HTTP status that an answer goes out with. */
export function statusCodeOf(response: ApiResponse): number {
  if (response.kind === 'watch') return 200;
  return response.kind === 'upgrade' ? 101 : response.status;
}

/** The same answer; `whileSent` sees how long it takes to send one that comes in parts. */
export function followed(
  response: ApiResponse,
  whileSent: (sent: Promise<void>) => Promise<void>,
): ApiResponse {
  switch (response.kind) {
    case 'watch':
      return {
        ...response,
        run: (onEvents, signal) => whileSent(response.run(onEvents, signal)),
      } satisfies typeof response;
    case 'stream':
      return {
        ...response,
        run: (write, signal) => whileSent(response.run(write, signal)),
      } satisfies typeof response;
    case 'upgrade':
      return {
        ...response,
        run: (connection, signal) => whileSent(response.run(connection, signal)),
      } satisfies typeof response;
    case 'object':
    case 'bytes':
      return response;
  }
}
