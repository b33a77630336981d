// What can go wrong with a request, as classes and reasons instead of texts: the server answered with a failure
// (machinery's StatusError), or there was no answer (ConnectionError).
import { OperatingError } from '../base/index.ts';
import { StatusError, type Status, type StatusDetails } from '../machinery/index.ts';

export type ConnectionFailure =
  /** Nothing listens there. */
  | 'refused'
  /** The host's name has no address, or there is no way to it. */
  | 'unreachable'
  /** No answer in time, or the peer has gone silent. */
  | 'timeout'
  /** Certificates or the TLS handshake. */
  | 'tls'
  /** The connection broke under way. */
  | 'reset'
  /** The answer was not the HTTP or JSON that it had to be. */
  | 'protocol'
  /** The proxy refused. */
  | 'proxy'
  /** This transport has been closed. */
  | 'closed';

const nextSteps: Record<ConnectionFailure, string> = {
  refused: 'check that the API server runs and that the address and port are right',
  unreachable: 'check the host name, DNS and the network route to the API server',
  timeout: 'check the network between here and the API server, and whether the server is overloaded',
  tls: 'check the certificate authority, the client certificate and the server name in the kubeconfig',
  reset: 'try again; look at the API server if it happens often',
  protocol: 'check that the address is that of a Kubernetes API server',
  proxy: 'check the proxy URL and its credentials',
  closed: 'open a new connection',
};

/** There was no answer. Whether the server acted on the request is unknown. */
export class ConnectionError extends OperatingError {
  override name = 'ConnectionError';
  readonly kind: ConnectionFailure;

  constructor(kind: ConnectionFailure, message: string, options?: ErrorOptions) {
    super(`CONNECTION_${kind.toUpperCase()}`, message, nextSteps[kind], options);
    this.kind = kind;
  }
}

// For answers that carry no Status, e.g. those of a proxy in between.
const reasonsByCode = new Map<number, readonly [reason: string, message: string]>([
  [400, ['BadRequest', 'the server rejected the request']],
  [401, ['Unauthorized', 'the server has asked for other credentials']],
  [403, ['Forbidden', 'the server does not allow this request']],
  [404, ['NotFound', 'the server could not find the requested resource']],
  [405, ['MethodNotAllowed', 'the server does not allow this method on the requested resource']],
  [406, ['NotAcceptable', 'the server cannot answer in an accepted form']],
  [409, ['Conflict', 'the server reported a conflict']],
  [410, ['Expired', 'the requested history is no longer kept']],
  [413, ['RequestEntityTooLarge', 'the request is too large']],
  [415, ['UnsupportedMediaType', 'the server does not take this form of body']],
  [422, ['Invalid', 'the server rejected the request as invalid']],
  [429, ['TooManyRequests', 'the server has too many requests, try again later']],
  [503, ['ServiceUnavailable', 'the server cannot handle the request at the moment']],
  [504, ['Timeout', 'the server could not complete the request in time']],
]);

function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status';
}

/** The error that a failed answer stands for; its body may be a Status, text or anything else. */
export function statusErrorFrom(
  code: number,
  body: unknown,
  headers?: Readonly<Record<string, string | readonly string[] | undefined>>,
): StatusError {
  const retryAfter = headers?.['retry-after'];
  const seconds = typeof retryAfter === 'string' && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined;
  const withRetry = (details: StatusDetails | undefined): StatusDetails | undefined =>
    seconds === undefined || details?.retryAfterSeconds !== undefined
      ? details
      : { ...details, retryAfterSeconds: seconds };
  if (isStatus(body)) {
    const status = body;
    return new StatusError(
      status.code ?? code,
      status.reason ?? '',
      status.message ?? reasonsByCode.get(code)?.[1] ?? '',
      withRetry(status.details),
    );
  }
  const [reason, message] = reasonsByCode.get(code) ?? [
    code >= 500 ? 'InternalError' : 'Unknown',
    `the server answered with status ${code}`,
  ];
  // LIMIT: a proxy's page in place of an answer is cut to what fits a log line.
  const text = typeof body === 'string' && body.trim() !== '' ? `: ${body.trim().slice(0, 512)}` : '';
  return new StatusError(code, reason, message + text, withRetry(undefined));
}

function hasReason(error: unknown, ...reasons: string[]): error is StatusError {
  return error instanceof StatusError && reasons.includes(error.reason);
}

export function isNotFound(error: unknown): error is StatusError {
  return hasReason(error, 'NotFound');
}

export function isAlreadyExists(error: unknown): error is StatusError {
  return hasReason(error, 'AlreadyExists');
}

/** Somebody else changed the object first, or a precondition (uid, resourceVersion) no longer holds. */
export function isConflict(error: unknown): error is StatusError {
  return hasReason(error, 'Conflict');
}

/** The server knows who asks, and does not let them. */
export function isForbidden(error: unknown): error is StatusError {
  return hasReason(error, 'Forbidden');
}

/** The resourceVersion or continue token is too old: list again. */
export function isExpired(error: unknown): error is StatusError {
  return error instanceof StatusError && (error.code === 410 || hasReason(error, 'Expired', 'Gone'));
}

/** The namespace of the object to create is being deleted. */
export function isNamespaceTerminating(error: unknown): error is StatusError {
  return (
    error instanceof StatusError &&
    (error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false)
  );
}

/** How long the server asks to wait before the next try; undefined when it says nothing. */
export function retryAfterMs(error: unknown): number | undefined {
  const seconds = error instanceof StatusError ? error.status.details?.retryAfterSeconds : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}
