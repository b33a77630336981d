// The API server for callers inside the process: requests and answers are frozen objects, nothing is encoded.
// Structurally the Transport of the client room, which may not be imported from here.
import type { WatchEvent } from '../api/index.ts';
import { StatusError, type Status, type UserInfo } from '../machinery/index.ts';
import { bodyOf, eventLines, readWhole, wholeAnswer, type ReadAnswer, type WholeAnswer } from './answers.ts';
import type { ApiRequest, ApiResponse } from './contract.ts';

export interface InProcessRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface InProcessTransport {
  send(request: InProcessRequest): Promise<ReadAnswer>;
  watch(request: InProcessRequest, onEvent: (event: WatchEvent) => void): Promise<void>;
  close(): Promise<void>;
}

const NEVER = new AbortController().signal;
const NO_QUERY = new URLSearchParams();

/** Of frozen queries, which callers use again and again. */
const read = new WeakMap<object, URLSearchParams>();

function queryOf(query: InProcessRequest['query'], watch: boolean): URLSearchParams {
  if (query === undefined && !watch) return NO_QUERY;
  if (query === undefined || watch || !Object.isFrozen(query)) return newQuery(query, watch);
  let known = read.get(query);
  if (known === undefined) read.set(query, (known = newQuery(query, watch)));
  return known;
}

function newQuery(query: InProcessRequest['query'], watch: boolean): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (typeof value === 'string') params.append(name, value);
    else for (const one of value) params.append(name, one);
  }
  if (watch) params.set('watch', 'true');
  return params;
}

function headersOf({ headers, contentType, body }: InProcessRequest): ApiRequest['headers'] {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) lower[name.toLowerCase()] = value;
  if (body !== undefined) lower['content-type'] ??= contentType ?? 'application/json';
  return lower;
}

export function createInProcessTransport(
  handle: (request: ApiRequest) => Promise<ApiResponse>,
  user: UserInfo,
): InProcessTransport {
  const closing = new AbortController();
  const toRequest = (request: InProcessRequest, watch: boolean): ApiRequest => ({
    method: request.method,
    path: request.path,
    query: queryOf(request.query, watch),
    headers: headersOf(request),
    body: request.body === undefined ? undefined : { json: request.body },
    user,
    signal: request.signal ?? NEVER,
  });
  return {
    async send(request) {
      closing.signal.throwIfAborted();
      request.signal?.throwIfAborted();
      const response = await handle(toRequest(request, false));
      return readWhole(response, request.signal ?? closing.signal);
    },
    async watch(request, onEvent) {
      closing.signal.throwIfAborted();
      request.signal?.throwIfAborted();
      const response = await handle(toRequest(request, true));
      const signal =
        request.signal === undefined ? closing.signal : AbortSignal.any([closing.signal, request.signal]);
      if (response.kind === 'stream' && response.status === 200) {
        await response.run(eventLines(onEvent), signal);
        return;
      }
      if (response.kind !== 'watch') throw statusErrorOf(await wholeAnswer(response, signal));
      await response.run((events) => {
        for (const event of events) onEvent(event);
      }, signal);
    },
    async close() {
      closing.abort(new Error('the transport is closed'));
    },
  };
}

function statusErrorOf(response: WholeAnswer): StatusError {
  const body = bodyOf(response);
  if (typeof body === 'string') return new StatusError(response.status, '', body);
  const { code = response.status, reason = '', message = '', details } = (body ?? {}) as Partial<Status>;
  return new StatusError(code, reason, message, details);
}
