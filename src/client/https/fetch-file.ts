// Files of others over http and https, or from a folder of this machine: bounded in bytes and time, and what logs in at one
// host is not told another.
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { EnvHttpProxyAgent, request } from 'undici';
import { errorMessage, type Clock } from '../../base/index.ts';

export interface FileRequest {
  /** http, https or file. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface FileAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
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
        return await fromFolder(url, wanted.maxBytes);
      } catch (error) {
        if (timeout.signal.aborted) throw timeout.signal.reason as Error;
        throw new Error(reasonOf(error), { cause: error });
      } finally {
        cancel();
      }
    },
    close: () => dispatcher.close(),
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
    const type = answer.headers['content-type'];
    return {
      status: answer.statusCode,
      contentType: Array.isArray(type) ? type[0] : type,
      bytes: await bounded(answer.body, wanted.maxBytes),
    };
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

async function fromFolder(url: URL, maxBytes: number): Promise<FileAnswer> {
  const found = { contentType: undefined, bytes: new Uint8Array() };
  try {
    const file = await open(fileURLToPath(url));
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
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
