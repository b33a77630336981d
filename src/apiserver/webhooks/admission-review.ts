// AdmissionReview, v1 and v1beta1: what a webhook is asked, and what counts as an answer.
import { parseApiVersion, type JsonObject, type JsonValue } from '../../api/index.ts';
import { StatusError, goQuote, type Status } from '../../machinery/index.ts';
import type { SeenObjects } from '../admission-policy/seen-object.ts';

export type ReviewVersion = 'v1' | 'v1beta1';

export const isReviewVersion = (version: string): version is ReviewVersion =>
  version === 'v1' || version === 'v1beta1';

const apiVersionOf = (version: ReviewVersion): string => `admission.k8s.io/${version}`;

/** An answer that is none. */
export class ReviewError extends Error {
  override name = 'ReviewError';
}

export interface Review {
  readonly allowed: boolean;
  readonly result: Partial<Status> | undefined;
  readonly warnings: readonly string[];
  /** The operations of a JSON patch. */
  readonly patch: JsonValue | undefined;
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

export function reviewOf(
  version: ReviewVersion,
  uid: string,
  request: JsonObject,
  { object, oldObject }: SeenObjects,
): object {
  const { dryRun = false, options = null, ...rest } = request;
  return {
    kind: 'AdmissionReview',
    apiVersion: apiVersionOf(version),
    request: {
      uid,
      ...rest,
      object: object ?? null,
      oldObject: oldObject ?? null,
      dryRun,
      options,
    },
  };
}

interface Answer {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly response?: {
    readonly uid?: string;
    readonly allowed?: boolean;
    readonly status?: Partial<Status>;
    readonly patch?: string;
    readonly patchType?: string;
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, unknown>> | null;
  } | null;
}

/** Throws a ReviewError, in kube-apiserver's words. */
export function readReview(answer: unknown, version: ReviewVersion, uid: string, mutating: boolean): Review {
  const { response } = (answer ?? {}) as Answer;
  if (response === undefined || response === null) throw new ReviewError('webhook response was absent');
  if (version === 'v1') checkEnvelope(answer as Answer, uid);
  const { patch = '', allowed = false, status, warnings, auditAnnotations } = response;
  if (version === 'v1') checkPatch(patch, response.patchType, mutating);
  const notes = Object.entries(auditAnnotations ?? {});
  return {
    allowed,
    result: status,
    warnings: Array.isArray(warnings) ? warnings.filter((warning) => typeof warning === 'string') : [],
    patch: patch === '' || !mutating ? undefined : decodePatch(patch),
    auditAnnotations: Object.fromEntries(
      notes.filter((note): note is [string, string] => typeof note[1] === 'string'),
    ),
  };
}

/** COMPAT: only of a v1 review are uid, kind and patch type checked; older webhooks leave them out. */
function checkEnvelope({ apiVersion = '', kind = '', response }: Answer, uid: string): void {
  if (response?.uid !== uid) {
    throw new ReviewError(`expected response.uid=${goQuote(uid)}, got ${goQuote(response?.uid ?? '')}`);
  }
  const expected = apiVersionOf('v1');
  if (apiVersion === expected && kind === 'AdmissionReview') return;
  const given = parseApiVersion(apiVersion);
  const got = `${given.group}/${given.version}, Kind=${kind}`;
  throw new ReviewError(`expected webhook response of ${expected}, Kind=AdmissionReview, got ${got}`);
}

function checkPatch(patch: string, patchType: string | undefined, mutating: boolean): void {
  if (!mutating) {
    if (patch !== '') throw new ReviewError('validating webhook may not return response.patch');
    if (patchType !== undefined)
      throw new ReviewError('validating webhook may not return response.patchType');
    return;
  }
  if (patch !== '' && patchType === undefined) {
    throw new ReviewError('webhook returned response.patch but not response.patchType');
  }
  if (patch === '' && patchType !== undefined) {
    throw new ReviewError('webhook returned response.patchType but not response.patch');
  }
  if (patchType === '') throw new ReviewError('webhook returned invalid response.patchType of ""');
  if (patchType !== undefined && patchType !== 'JSONPatch') {
    throw new ReviewError(`unsupported patch type ${goQuote(patchType)}`);
  }
}

function decodePatch(patch: string): JsonValue {
  try {
    return JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as JsonValue;
  } catch {
    throw new ReviewError('response.patch is not JSON');
  }
}

/** The refusal that a webhook's answer asks for. */
export function rejection(webhook: string, result: Partial<Status> | undefined): StatusError {
  const by = `admission webhook ${goQuote(webhook)} denied the request`;
  const { message = '', reason = '', code = 0, details } = result ?? {};
  const why = message === '' ? reason : message;
  const text = why === '' ? `${by} without explanation` : `${by}: ${why}`;
  return new StatusError(code < 400 ? 400 : code, reason, text, details);
}
