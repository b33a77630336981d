// /healthz, /livez and /readyz: named checks, one by one or together, as probes and `kubectl get --raw` ask them.
import { errorMessage } from '../../base/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import { pathNotFound } from '../refusals.ts';

export interface HealthCheck {
  readonly name: string;
  /** In which of the three it takes part; a process that is not ready yet may well be alive. */
  readonly endpoints: readonly HealthEndpoint[];
  /** Throws when something is wrong. */
  check(): void | Promise<void>;
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

export const ALL_ENDPOINTS: readonly HealthEndpoint[] = ['healthz', 'livez', 'readyz'];

/** What every server has: it answers. */
const PING: HealthCheck = { name: 'ping', endpoints: ALL_ENDPOINTS, check: () => undefined };

export function createHealthEndpoints(
  checks: readonly HealthCheck[],
): (request: ApiRequest) => (() => Promise<ApiResponse>) | undefined {
  const all = [PING, ...checks];
  return (request) => {
    // Every request comes by here.
    if (!request.path.endsWith('z') && !request.path.includes('z/')) return undefined;
    const [, endpoint = '', name, ...rest] = request.path.split('/');
    if (!isEndpoint(endpoint)) return undefined;
    const members = all.filter(({ endpoints }) => endpoints.includes(endpoint));
    return () =>
      name === undefined || name === ''
        ? answerAll(endpoint, members, request.query)
        : answerOne(members, [name, ...rest].join('/'));
  };
}

function isEndpoint(name: string): name is HealthEndpoint {
  return (ALL_ENDPOINTS as readonly string[]).includes(name);
}

async function failureOf(member: HealthCheck): Promise<string | undefined> {
  try {
    await member.check();
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

async function answerOne(members: readonly HealthCheck[], name: string): Promise<ApiResponse> {
  const member = members.find((one) => one.name === name);
  if (member === undefined) {
    throw pathNotFound();
  }
  const failure = await failureOf(member);
  return failure === undefined ? plain(200, 'ok') : plain(500, `internal server error: ${failure}\n`);
}

async function answerAll(
  endpoint: HealthEndpoint,
  members: readonly HealthCheck[],
  query: URLSearchParams,
): Promise<ApiResponse> {
  const excluded = new Set(query.getAll('exclude'));
  const results = await Promise.all(
    members.map(async (member) => ({
      name: member.name,
      failure: excluded.has(member.name) ? undefined : await failureOf(member),
    })),
  );
  const failed = results.some(({ failure }) => failure !== undefined);
  if (!failed && !query.has('verbose')) return plain(200, 'ok');
  const lines = results.map(({ name, failure }) => {
    if (excluded.has(name)) return `[+]${name} excluded: ok`;
    // COMPAT: why is not told to whoever asks for the summary: it may be anybody.
    return failure === undefined ? `[+]${name} ok` : `[-]${name} failed: reason withheld`;
  });
  const unknown = [...excluded].filter((name) => !members.some((member) => member.name === name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name)).join(', ');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  lines.push(`${endpoint} check ${failed ? 'failed' : 'passed'}`);
  return plain(failed ? 500 : 200, `${lines.join('\n')}\n`);
}

function plain(status: number, text: string): ApiResponse {
  return {
    kind: 'bytes',
    status,
    contentType: 'text/plain; charset=utf-8',
    bytes: new TextEncoder().encode(text),
    headers: { 'x-content-type-options': 'nosniff' },
  };
}
