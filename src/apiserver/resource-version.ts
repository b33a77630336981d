// resourceVersion as clients send it, and the opaque tokens of paginated lists.
import { errorMessage } from '../base/index.ts';
import { StatusError, badRequest, goQuote } from '../machinery/index.ts';

const LARGEST = 2n ** 64n - 1n;

/** The revision, and what is wrong with a text that is none. Revisions beyond what we count to are as far off. */
function readRevision(text: string): { readonly revision: number } | { readonly wrong: string } {
  if (text === '') return { revision: 0 };
  const digits = /^\d+$/.test(text);
  if (digits && BigInt(text) <= LARGEST) return { revision: Number(text) };
  const why = `strconv.ParseUint: parsing ${goQuote(text)}: ${digits ? 'value out of range' : 'invalid syntax'}`;
  return { wrong: `resourceVersion: Invalid value: ${goQuote(text)}: ${why}` };
}

/** The revision of list options; 0 when none was given. */
export function listRevision(text: string): number {
  const read = readRevision(text);
  if ('revision' in read) return read.revision;
  throw badRequest(`invalid resource version: ${read.wrong}`);
}

/** COMPAT: where one object is asked for, and where a watch begins, upstream fails instead of refusing. */
export function exactRevision(text: string): number {
  const read = readRevision(text);
  if ('revision' in read) return read.revision;
  throw new StatusError(500, '', read.wrong);
}

/** Refuses a revision that has not happened yet. */
export function refuseTooLarge(asked: number, current: number): void {
  if (asked <= current) return;
  const message = `Too large resource version: ${BigInt(asked)}, current: ${current}`;
  throw new StatusError(504, 'Timeout', `Timeout: ${message}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export interface ContinueToken {
  readonly revision: number;
  /** The last key that was sent, without the prefix of the list. */
  readonly after: string;
}

export function encodeContinue({ revision, after }: ContinueToken): string {
  const json = JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\u0000` });
  return Buffer.from(json, 'utf8').toString('base64url');
}

export function decodeContinue(token: string): ContinueToken {
  const illegal = illegalBase64(token);
  if (illegal !== undefined) throw badToken(`: illegal base64 data at input byte ${illegal}`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch (error) {
    throw badToken(`: ${errorMessage(error)}`);
  }
  const { v, rv, start } = (value ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== 'meta.k8s.io/v1') {
    throw badToken(`: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < -1 || rv === 0) {
    throw badToken(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') {
    throw badToken(': encoded start key empty (version meta.k8s.io/v1)');
  }
  if (start.includes('..') || start.startsWith('/')) throw badToken(`: ${start}`);
  return { revision: rv, after: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}

function badToken(why: string): StatusError {
  return badRequest(`invalid continue token: continue key is not valid${why}`);
}

/** Where the text stops being unpadded URL-safe base64; undefined: nowhere. */
function illegalBase64(text: string): number | undefined {
  const at = text.search(/[^A-Za-z0-9_-]/);
  if (at >= 0) return at;
  return text.length % 4 === 1 ? text.length - 1 : undefined;
}
