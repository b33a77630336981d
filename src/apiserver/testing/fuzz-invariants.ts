// What must be true of every answer, whatever was asked.

export interface SeenAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed where it is JSON; undefined: there is none. */
  readonly body: unknown;
}

// COMPAT: what kube-apiserver itself answers with 500, word for word the same here.
const UPSTREAM_500 = [
  /^resourceVersion should not be set on objects to be created$/,
  /^failed to create typed patch object /,
  /^failed to merge config: /,
  /^failed to decode managed fields: /,
  /^etcdserver: request is too large$/,
  /^Component not found: /,
  // Of a single object; lists say it with 400.
  /^resourceVersion: Invalid value: ".*": strconv\.ParseUint: parsing /s,
  // A strategic merge patch whose lists and maps are not where the schema has them.
  /^expected a /,
];

/** What is wrong with the answer; undefined: nothing. */
export function violation(method: string, { status, headers, body }: SeenAnswer): string | undefined {
  if (!Number.isInteger(status) || status < 200 || status > 599) return `status ${status}`;
  if (status < 400) return undefined;
  if (method === 'HEAD') return undefined;
  const told = (body ?? {}) as {
    readonly kind?: unknown;
    readonly apiVersion?: unknown;
    readonly status?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly reason?: unknown;
    readonly details?: { readonly causes?: unknown; readonly retryAfterSeconds?: unknown };
  };
  // Probes answer in plain text.
  if (typeof body === 'string') return status === 500 ? body : undefined;
  if (told.kind !== 'Status' || told.apiVersion !== 'v1' || told.status !== 'Failure')
    return `no Status: ${JSON.stringify(body)?.slice(0, 300)}`;
  if (told.code !== status) return `code ${String(told.code)} with HTTP status ${status}`;
  if (typeof told.message !== 'string') return 'a Status without a message';
  const { message } = told;
  if (status === 500 && !UPSTREAM_500.some((known) => known.test(message))) return `500: ${message}`;
  const { causes } = told.details ?? {};
  if (causes !== undefined && !Array.isArray(causes)) return 'causes are no list';
  if (status === 429 && headers['retry-after'] === undefined) return '429 without Retry-After';
  return Object.hasOwn(Object.prototype, 'polluted') ? 'a prototype was polluted' : undefined;
}
