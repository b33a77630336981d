// Follows requests for the audit log: an event when one is received, when a watch starts, and when it is answered.
// INVARIANT: nothing here is waited for by a request, and a request that no rule is about costs one look at the policy.
import type { JsonObject } from '../../api/index.ts';
import { formatMicroTime, type Clock, type Random } from '../../base/index.ts';
import type { Annotate, StatusError, UserInfo } from '../../machinery/index.ts';
import { followed, statusCodeOf } from '../answers.ts';
import type { ApiRequest, ApiResponse, RequestInfo } from '../contract.ts';
import { parseRequestInfo } from '../request-info.ts';
import { atLeast, decideAudit, type AuditDecision, type AuditPolicy, type AuditStage } from './policy.ts';

/** audit.k8s.io/v1 Event, to be encoded when there is time: what it refers to is frozen. */
export type AuditEvent = Readonly<Record<string, unknown>>;

export interface AuditSink {
  /** Takes an event or drops it; never waits. */
  put(event: AuditEvent): void;
}

/** A request on its way, for the audit log. */
export interface AuditTrail {
  readonly annotate: Annotate;
  /** The user that the request is carried out as, if it is not the one who sent it. */
  impersonated(user: UserInfo): void;
  /** The answer; a watch is followed to its end. */
  answered(response: ApiResponse): ApiResponse;
}

export type RefusedRequest = Pick<ApiRequest, 'method' | 'path' | 'query' | 'headers' | 'origin'> &
  Partial<Pick<ApiRequest, 'user'>>;

export interface Auditor {
  /** Undefined: the policy wants to know nothing about this request. */
  begin(request: ApiRequest, info: RequestInfo): AuditTrail | undefined;
  /** A request that did not get as far as to be carried out; without a user: its sender could not be told. */
  refused(request: RefusedRequest, refusal: StatusError): void;
}

export function createAuditor(options: {
  readonly policy: AuditPolicy;
  readonly sink: AuditSink;
  readonly clock: Clock;
  readonly random: Random;
}): Auditor {
  const { policy, sink, clock, random } = options;
  const headOf = (request: RefusedRequest, info: RequestInfo): JsonObject => ({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    auditID: request.origin?.auditId ?? random.uuid(),
    requestURI: request.query.size === 0 ? request.path : `${request.path}?${request.query.toString()}`,
    verb: info.verb,
    user: request.user === undefined ? {} : userJson(request.user),
    ...originOf(request),
    ...(info.isResource ? { objectRef: referenceOf(info) } : {}),
    requestReceivedTimestamp: formatMicroTime(clock.now()),
  });
  return {
    begin(request, info) {
      const decision = decideAudit(policy, request.user, info);
      if (decision.level === 'None') return undefined;
      return new Trail(headOf(request, info), decision, request, sink, clock);
    },
    refused(request, { status, code }) {
      const { info } = parseRequestInfo(request.method, request.path, request.query);
      const { level, omitStages } = decideAudit(policy, request.user, info);
      // COMPAT: as upstream has it, who fails to say who they are is answered without being received.
      const stage = request.user === undefined ? 'ResponseStarted' : 'ResponseComplete';
      if (level === 'None' || omitStages.includes(stage)) return;
      sink.put({
        level,
        stage,
        ...headOf(request, info),
        responseStatus: { metadata: {}, ...statusFields({ ...status }), code },
        stageTimestamp: formatMicroTime(clock.now()),
      });
    },
  };
}

class Trail implements AuditTrail {
  readonly #head: JsonObject;
  readonly #decision: AuditDecision;
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #request: ApiRequest;
  readonly #annotations = new Map<string, string>();
  #impersonated: UserInfo | undefined;

  constructor(head: JsonObject, decision: AuditDecision, request: ApiRequest, sink: AuditSink, clock: Clock) {
    this.#head = head;
    this.#decision = decision;
    this.#sink = sink;
    this.#clock = clock;
    this.#request = request;
    this.#put('RequestReceived', {});
  }

  readonly annotate: Annotate = (key, value, level = 'Metadata') => {
    if (atLeast(this.#decision.level, level) && !this.#annotations.has(key))
      this.#annotations.set(key, value);
  };

  impersonated(user: UserInfo): void {
    this.#impersonated = user;
  }

  answered(response: ApiResponse): ApiResponse {
    if (response.kind === 'object' || response.kind === 'bytes') {
      this.#put('ResponseComplete', this.#answer(response));
      return response;
    }
    const status = { responseStatus: { metadata: {}, code: statusCodeOf(response) } };
    // What another server answers counts as long when it is over.
    if (response.kind !== 'stream') this.#put('ResponseStarted', status);
    return followed(response, async (sent) => {
      try {
        await sent;
      } finally {
        this.#put('ResponseComplete', status);
      }
    });
  }

  #answer(response: Extract<ApiResponse, { kind: 'object' | 'bytes' }>): object {
    const object = response.kind === 'object' ? response.object : undefined;
    const { kind, ...rest } = (object ?? {}) as { readonly kind?: string; readonly details?: unknown };
    const told = kind === 'Status' ? statusFields(rest) : {};
    return {
      responseStatus: { metadata: {}, ...told, code: response.status },
      ...(object !== undefined && atLeast(this.#decision.level, 'RequestResponse')
        ? { responseObject: this.#shown(object) }
        : {}),
    };
  }

  #put(stage: AuditStage, more: object): void {
    const { level, omitStages } = this.#decision;
    if (omitStages.includes(stage)) return;
    const { body } = this.#request;
    const withBody = body !== undefined && stage !== 'RequestReceived' && atLeast(level, 'Request');
    this.#sink.put({
      level,
      stage,
      ...this.#head,
      ...(this.#impersonated === undefined ? {} : { impersonatedUser: userJson(this.#impersonated) }),
      ...more,
      ...(withBody ? { requestObject: this.#body(body) } : {}),
      stageTimestamp: formatMicroTime(this.#clock.now()),
      ...(this.#annotations.size === 0 ? {} : { annotations: Object.fromEntries(this.#annotations) }),
    });
  }

  #body(body: NonNullable<ApiRequest['body']>): unknown {
    if ('json' in body) return this.#shown(body.json);
    const { bytes, decode = () => JSON.parse(new TextDecoder().decode(bytes)) as unknown } = body;
    return new SentBody(decode, (json) => this.#shown(json));
  }

  #shown(object: unknown): unknown {
    return this.#decision.omitManagedFields ? new Lazy(() => withoutManagedFields(object)) : object;
  }
}

/** Worked out when the event is encoded. */
class Lazy {
  readonly #make: () => unknown;
  constructor(make: () => unknown) {
    this.#make = make;
  }
  toJSON(): unknown {
    return this.#make();
  }
}

class SentBody extends Lazy {
  constructor(decode: () => unknown, show: (json: unknown) => unknown) {
    super(() => {
      try {
        const shown = show(decode());
        return shown instanceof Lazy ? shown.toJSON() : shown;
      } catch {
        // What cannot be read was refused; the answer says why.
        return undefined;
      }
    });
  }
}

function withoutManagedFields(object: unknown): unknown {
  const { metadata, items } = object as { readonly metadata?: object; readonly items?: unknown };
  if (typeof object !== 'object' || object === null) return object;
  const { managedFields: _, ...kept } = (metadata ?? {}) as { readonly managedFields?: unknown };
  return {
    ...object,
    ...(metadata === undefined ? {} : { metadata: kept }),
    ...(Array.isArray(items) ? { items: items.map(withoutManagedFields) } : {}),
  };
}

function userJson({ name, uid, groups, extra }: UserInfo): JsonObject {
  return {
    username: name,
    ...(uid === undefined || uid === '' ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}

function originOf({ origin, headers }: Pick<ApiRequest, 'origin' | 'headers'>): JsonObject {
  const agent = headers['user-agent'];
  const through = [headers['x-forwarded-for'], headers['x-real-ip']]
    .flatMap((value) => (value ?? '').split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const addresses = [...new Set([...through, ...(origin === undefined ? [] : [origin.address])])];
  return {
    ...(addresses.length === 0 ? {} : { sourceIPs: addresses }),
    ...(agent === undefined ? {} : { userAgent: agent }),
  };
}

function referenceOf({ resource, namespace, name, group, version, subresource }: RequestInfo): JsonObject {
  return {
    resource,
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === '' ? {} : { subresource }),
  };
}

function statusFields(status: Readonly<Record<string, unknown>>): object {
  const fields = ['status', 'message', 'reason', 'details'].filter((field) => status[field] !== undefined);
  return Object.fromEntries(fields.map((field) => [field, status[field]]));
}
