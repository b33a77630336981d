// Refusals that belong to paths and methods rather than to an object.
import { StatusError } from '../machinery/index.ts';
import type { ApiResponse } from './contract.ts';
import { warningHeaders } from './warning-headers.ts';

export function pathNotFound(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return new StatusError(405, 'MethodNotAllowed', message, {});
}

/** The answer to a request that is refused, with what there was to warn of before. */
export function refusalAnswer({ code, status }: StatusError, warnings: Iterable<string> = []): ApiResponse {
  const retryAfter = status.details?.retryAfterSeconds;
  const warning = warningHeaders(warnings);
  const headers = {
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(warning.length === 0 ? {} : { warning }),
  };
  const answer = { kind: 'object', status: code, object: status } as const;
  return Object.keys(headers).length === 0 ? answer : { ...answer, headers };
}

/** COMPAT: Go's http.Error. */
export function plainText(status: number, message: string): ApiResponse {
  return {
    kind: 'bytes',
    status,
    contentType: 'text/plain; charset=utf-8',
    bytes: new TextEncoder().encode(`${message}\n`),
    headers: { 'x-content-type-options': 'nosniff' },
  };
}
