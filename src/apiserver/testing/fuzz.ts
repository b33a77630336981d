// Drives an API server with random requests and looks at every answer: in the process, where thousands take a second,
// and over HTTPS, where sockets and encodings take part.
import { connect, type ClientHttp2Session } from 'node:http2';
import { StatusError } from '../../machinery/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { ApiServer } from '../server.ts';
import { RequestFuzzer, type FuzzRequest } from './fuzz-requests.ts';
import { violation } from './fuzz-invariants.ts';

export interface Found {
  readonly seed: number;
  readonly number: number;
  readonly request: FuzzRequest;
  readonly problem: string;
}

// How long a watch is listened to.
const WATCH_MS = 5;

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** The text of a finding: what reproduces it first. */
export function describe({ seed, number, request, problem }: Found): string {
  const { method, path, query, headers, body } = request;
  const text = body === undefined ? '' : Buffer.from(body).toString('utf8').slice(0, 300);
  return `seed ${seed}, request ${number}: ${problem.slice(0, 1000)}\n  ${method} ${path}?${query} ${JSON.stringify(headers)}\n  ${text}`;
}

export async function fuzzInProcess(
  server: Pick<ApiServer, 'handle'>,
  decodeBody: (request: FuzzRequest) => ApiRequest['body'],
  seed: number,
  goOn: (number: number) => boolean,
): Promise<readonly Found[]> {
  const fuzzer = new RequestFuzzer(seed);
  const found: Found[] = [];
  for (let number = 0; goOn(number); number++) {
    const request = fuzzer.next();
    const problem = await problemOf(request, async () => {
      const body = decodeBody(request);
      const response = await server.handle({
        method: request.method,
        path: request.path,
        query: new URLSearchParams(request.query),
        headers: request.headers,
        body,
        user: ADMIN,
        signal: new AbortController().signal,
      });
      return answerOf(response);
    });
    if (problem !== undefined) found.push({ seed, number, request, problem });
  }
  return found;
}

type Answer = Parameters<typeof violation>[1];

async function problemOf(
  request: FuzzRequest,
  ask: () => Promise<Answer | undefined>,
): Promise<string | undefined> {
  try {
    const answer = await ask();
    return answer === undefined ? undefined : violation(request.method, answer);
  } catch (error) {
    if (error instanceof StatusError) {
      return violation(request.method, { status: error.code, headers: {}, body: error.status });
    }
    return `it throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

async function answerOf(response: ApiResponse): Promise<Answer> {
  if (response.kind === 'watch') {
    const ending = new AbortController();
    const end = setTimeout(() => ending.abort(new Error('enough')), WATCH_MS);
    try {
      await response.run(() => undefined, ending.signal);
    } finally {
      clearTimeout(end);
    }
    return { status: 200, headers: {}, body: undefined };
  }
  if (response.kind === 'bytes') {
    return { status: response.status, headers: response.headers ?? {}, body: textOf(response) };
  }
  // Nothing here asks for a connection, and what stands behind a stream is another server.
  if (response.kind === 'upgrade') return { status: 101, headers: {}, body: undefined };
  if (response.kind === 'stream') return { status: response.status, headers: {}, body: undefined };
  // What goes out must be JSON.
  const bytes = response.encode?.();
  const text = bytes === undefined ? JSON.stringify(response.object) : Buffer.from(bytes).toString('utf8');
  const isJson = text.startsWith('{');
  return {
    status: response.status,
    headers: response.headers ?? {},
    body: isJson ? (JSON.parse(text) as unknown) : text,
  };
}

function textOf({ contentType, bytes }: Extract<ApiResponse, { kind: 'bytes' }>): unknown {
  const text = Buffer.from(bytes).toString('utf8');
  return contentType.startsWith('application/json') && text !== '' ? (JSON.parse(text) as unknown) : text;
}

/** Over HTTP/2; connections that the server closes are opened anew. */
export async function fuzzOverHttps(
  target: { readonly port: number; readonly ca: string; readonly cert: string; readonly key: string },
  seed: number,
  goOn: (number: number) => boolean,
): Promise<readonly Found[]> {
  const fuzzer = new RequestFuzzer(seed);
  const found: Found[] = [];
  let session = open(target);
  try {
    for (let number = 0; goOn(number); number++) {
      const request = fuzzer.next();
      if (session.closed || session.destroyed) session = open(target);
      const problem = await problemOf(request, () => send(session, request));
      if (problem !== undefined) found.push({ seed, number, request, problem });
    }
  } finally {
    session.destroy();
  }
  return found;
}

function open({ port, ...tls }: Parameters<typeof fuzzOverHttps>[0]): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, tls);
  session.on('error', () => session.destroy());
  return session;
}

function send(session: ClientHttp2Session, request: FuzzRequest): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const target =
      encodeURI(request.path).replaceAll('%25', '%') + (request.query === '' ? '' : `?${request.query}`);
    const stream = session.request(
      { ':method': request.method, ':path': target, ...request.headers },
      { endStream: request.body === undefined },
    );
    let status = 0;
    let headers: Answer['headers'] = {};
    const chunks: Buffer[] = [];
    const isWatch = (): boolean => new URLSearchParams(request.query).has('watch');
    stream.on('response', (given) => {
      status = Number(given[':status']);
      headers = given;
      if (status === 200 && isWatch()) setTimeout(() => stream.close(), WATCH_MS);
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      if (status === 0) {
        reject(new Error(`the stream closed without an answer (${stream.rstCode})`));
        return;
      }
      const text = Buffer.concat(chunks).toString('utf8');
      const isJson = String(headers['content-type']).startsWith('application/json');
      resolve({
        status,
        headers,
        body: isJson && text.startsWith('{') && !isWatch() ? JSON.parse(text) : text,
      });
    });
    if (request.body !== undefined) stream.end(request.body);
  });
}
