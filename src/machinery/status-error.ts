// Failures as Kubernetes reports them: meta/v1 Status. Thrown inside the API server and admission, sent as
// the answer's body, and thrown again by clients; the same class on both ends.
import { goJson, goNumber, goQuote } from './go-text.ts';

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

export class StatusError extends Error {
  override name = 'StatusError';
  readonly status: Status;

  /** @param options `cause`: what Kubernetes' message does not tell, for our own logs */
  constructor(
    code: number,
    reason: string,
    message: string,
    details?: StatusDetails,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** What a message calls a resource: `deployments.apps`; core ones without a group. */
export interface QualifiedResource {
  readonly group: string;
  readonly resource: string;
}

function qualified({ group, resource }: QualifiedResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function details({ group, resource }: QualifiedResource, name: string): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource };
}

export function notFound(resource: QualifiedResource, name: string): StatusError {
  return new StatusError(
    404,
    'NotFound',
    `${qualified(resource)} "${name}" not found`,
    details(resource, name),
  );
}

export function alreadyExists(resource: QualifiedResource, name: string): StatusError {
  const message = `${qualified(resource)} "${name}" already exists`;
  return new StatusError(409, 'AlreadyExists', message, details(resource, name));
}

export function conflict(resource: QualifiedResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, details(resource, name));
}

/** The text that clients of optimistic locking look for. */
export const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(resource: QualifiedResource, name: string, why: string): StatusError {
  const subject =
    name === '' ? `${qualified(resource)} is forbidden` : `${qualified(resource)} "${name}" is forbidden`;
  return new StatusError(403, 'Forbidden', `${subject}: ${why}`, details(resource, name));
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function methodNotSupported(resource: QualifiedResource, action: string): StatusError {
  const message = `${action} is not supported on resources of kind "${qualified(resource)}"`;
  return new StatusError(405, 'MethodNotAllowed', message, details(resource, ''));
}

export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });
}

// ---- field errors

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** One thing wrong with one field; `message` reads as the API server prints it, without the path in front. */
export interface FieldError {
  readonly type: FieldErrorType;
  /** `spec.ports[0].name`, `metadata.labels[a/b]`. */
  readonly path: string;
  /** E.g. `Invalid value: "x": must be ...`. */
  readonly message: string;
}

/** Values as field errors print them: strings quoted, numbers bare, everything else as JSON. */
function shown(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  return typeof value === 'number' ? goNumber(value) : goJson(value);
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

export const fieldError = {
  notFound: (path: string, value: unknown): FieldError => ({
    type: 'FieldValueNotFound',
    path,
    message: `Not found: ${shown(value)}`,
  }),
  required: (path: string, detail = ''): FieldError => ({
    type: 'FieldValueRequired',
    path,
    message: detail === '' ? 'Required value' : `Required value: ${detail}`,
  }),
  invalid: (path: string, value: unknown, detail: string): FieldError => ({
    type: 'FieldValueInvalid',
    path,
    message: `Invalid value: ${shown(value)}: ${detail}`,
  }),
  /** Invalid, without showing the value: for values that are long, secret or a whole object. */
  invalidUnseen: (path: string, detail: string): FieldError => ({
    type: 'FieldValueInvalid',
    path,
    message: `Invalid value: ${detail}`,
  }),
  typeInvalid: (path: string, value: unknown, detail: string): FieldError => ({
    type: 'FieldValueTypeInvalid',
    path,
    message: `Invalid value: ${shown(value)}: ${detail}`,
  }),
  duplicate: (path: string, value: unknown, detail = ''): FieldError => ({
    type: 'FieldValueDuplicate',
    path,
    message: `Duplicate value: ${shown(value)}${detail === '' ? '' : `: ${detail}`}`,
  }),
  notSupported: (path: string, value: unknown, supported: readonly string[]): FieldError => ({
    type: 'FieldValueNotSupported',
    path,
    message:
      supported.length === 0
        ? `Unsupported value: ${shown(value)}`
        : `Unsupported value: ${shown(value)}: supported values: ${supported.map(goQuote).join(', ')}`,
  }),
  forbidden: (path: string, detail: string): FieldError => ({
    type: 'FieldValueForbidden',
    path,
    message: `Forbidden: ${detail}`,
  }),
  tooLong: (path: string, maxBytes: number): FieldError => ({
    type: 'FieldValueTooLong',
    path,
    message: `Too long: may not be more than ${counted(maxBytes, 'byte')}`,
  }),
  tooMany: (path: string, actual: number, max: number): FieldError => ({
    type: 'FieldValueTooMany',
    path,
    message: `Too many: ${actual}: must have at most ${counted(max, 'item')}`,
  }),
  internal: (path: string, detail: string): FieldError => ({
    type: 'InternalError',
    path,
    message: `Internal error: ${detail}`,
  }),
} as const;

/** 422: `Deployment.apps "web" is invalid: spec.x: Invalid value: ...`. */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const called = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const texts = [
    ...new Set(
      errors.map((error) => (error.path === '' ? error.message : `${error.path}: ${error.message}`)),
    ),
  ];
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const message = `${called} "${name}" is invalid${errors.length === 0 ? '' : `: ${all}`}`;
  return new StatusError(422, 'Invalid', message, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    ...(kind.kind === '' ? {} : { kind: kind.kind }),
    ...(errors.length === 0
      ? {}
      : { causes: errors.map(({ type, message, path }) => ({ reason: type, message, field: path })) }),
  });
}
