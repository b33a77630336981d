// Files of others over http and https, or from a folder of this machine: bounded in bytes and time, and what logs in at one
// host is not told another.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { EnvHttpProxyAgent, request } from 'undici';
import { errorMessage, type Clock } from '../../base/index.ts';

export interface FileRequest {
  /** http, https or file. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** The `file:` address of the folder that a file must be in, wherever links lead; absent: any. */
  readonly within?: string;
  /** Bytes as they are sent: files that are packed by themselves are often said to be sent packed. */
  readonly asSent?: boolean;
  readonly signal?: AbortSignal;
}

export interface FileAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  /** In lower case; of several of one name the first. Empty for files of a folder. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

export interface FileFetcher {
  /** Rejects when there is no answer in time, or one that is too large; any status is an answer. */
  readonly fetchFile: (request: FileRequest) => Promise<FileAnswer>;
  close(): Promise<void>;
}

// LIMIT: addresses that lead to others.
const REDIRECTS_MAX = 5;

/** @param mayReadFiles whether `file:` addresses are read at all */
export function createFileFetcher(settings: {
  readonly clock: Clock;
  readonly mayReadFiles: boolean;
}): FileFetcher {
  // Goes by HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as other tools do.
  const dispatcher = new EnvHttpProxyAgent();
  return {
    async fetchFile(wanted) {
      const timeout = new AbortController();
      const cancel = settings.clock.after(wanted.timeoutMs, () =>
        timeout.abort(new Error(`no answer within ${wanted.timeoutMs / 1000} s`)),
      );
      const signal =
        wanted.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, wanted.signal]);
      try {
        const url = new URL(wanted.url);
        if (url.protocol !== 'file:') return await overHttp(url, wanted, dispatcher, signal);
        if (!settings.mayReadFiles) throw new Error('folders are not read here; serve it over http');
        return await fromFolder(url, wanted);
      } catch (error) {
        if (timeout.signal.aborted) throw timeout.signal.reason as Error;
        throw new Error(reasonOf(error), { cause: error });
      } finally {
        cancel();
      }
    },
    close: () => dispatcher.destroy(),
  };
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no such host is known';
  return errorMessage(error) === '' ? String(code) : errorMessage(error);
}

async function overHttp(
  first: URL,
  wanted: FileRequest,
  dispatcher: EnvHttpProxyAgent,
  signal: AbortSignal,
): Promise<FileAnswer> {
  let url = first;
  for (let redirects = 0; ; redirects++) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new Error(`${url.protocol} addresses cannot be read; use http, https or file`);
    const { authorization, ...others } = wanted.headers;
    const headers =
      authorization === undefined || url.origin !== first.origin ? others : { ...others, authorization };
    const answer = await request(url, { headers, dispatcher, signal });
    const location = answer.headers['location'];
    if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === 'string') {
      await answer.body.dump();
      if (redirects >= REDIRECTS_MAX) throw new Error(`it leads on more than ${REDIRECTS_MAX} times`);
      url = new URL(location, url);
      continue;
    }
    const told = firstOfEach(answer.headers);
    const sent = await bounded(answer.body, wanted.maxBytes);
    const bytes = wanted.asSent === true ? sent : unpacked(sent, told['content-encoding'], wanted.maxBytes);
    return { status: answer.statusCode, contentType: told['content-type'], headers: told, bytes };
  }
}

function firstOfEach(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = typeof value === 'string' ? value : value?.[0];
      return first === undefined ? [] : [[name, first]];
    }),
  );
}

/** Nothing asks for packed files, but some servers have no other. */
function unpacked(bytes: Uint8Array, encoding: string | undefined, maxBytes: number): Uint8Array {
  if (encoding === undefined || encoding === '' || encoding === 'identity' || bytes.length === 0)
    return bytes;
  if (encoding !== 'gzip')
    throw new Error(`it is sent in the encoding "${encoding}", which nobody asked for`);
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new Error(`it is larger than ${maxBytes} bytes`, { cause: error });
    throw new Error(`its gzip is broken: ${errorMessage(error)}`, { cause: error });
  }
}

async function bounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function fromFolder(url: URL, { maxBytes, within }: FileRequest): Promise<FileAnswer> {
  const found = { contentType: undefined, headers: {}, bytes: new Uint8Array() };
  try {
    const place = await realpath(fileURLToPath(url));
    if (within !== undefined) await refuseOutside(place, within);
    // Not to wait for who writes into a pipe.
    const file = await open(place, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      // Devices have no size, and no end.
      if (!stat.isFile()) throw new Error('it is no file');
      if (stat.size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      return { ...found, status: 200, bytes: await file.readFile() };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { ...found, status: 404 };
    throw error;
  }
}

async function refuseOutside(place: string, within: string): Promise<void> {
  const folder = await realpath(fileURLToPath(within));
  if (place.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)) return;
  throw new Error('it leads out of the folder that it belongs to, and is not read');
}
