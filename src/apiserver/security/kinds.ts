// The kinds that the security parts answer, in the shape in which the server takes kinds: reviews, and the token
// subresource of service accounts.
import {
  formatApiVersion,
  type GroupVersionKind,
  type JsonObject,
  type KubeObject,
} from '../../api/index.ts';
import { bytesOf, identify, notStrict, nothingSent, parseJsonBody, textProblems } from '../body.ts';
import type { ApiResponse } from '../contract.ts';
import type { BuiltinKind, BuiltinKinds } from '../kinds/builtin.ts';
import { typedDecode } from '../kinds/typed-decode.ts';
import { parseWriteOptions } from '../options.ts';
import { methodNotAllowed } from '../refusals.ts';
import type { Subresource } from '../resource.ts';
import { warningHeaders } from '../warning-headers.ts';
import type { Review } from './access-reviews.ts';
import type { Security } from './security.ts';

const REVIEW_KINDS: Readonly<Record<string, GroupVersionKind>> = {
  'authorization.k8s.io/selfsubjectaccessreviews': authorization('SelfSubjectAccessReview'),
  'authorization.k8s.io/subjectaccessreviews': authorization('SubjectAccessReview'),
  'authorization.k8s.io/localsubjectaccessreviews': authorization('LocalSubjectAccessReview'),
  'authorization.k8s.io/selfsubjectrulesreviews': authorization('SelfSubjectRulesReview'),
  'authentication.k8s.io/selfsubjectreviews': authentication('SelfSubjectReview'),
  'authentication.k8s.io/tokenreviews': authentication('TokenReview'),
};

function authorization(kind: string): GroupVersionKind {
  return { group: 'authorization.k8s.io', version: 'v1', kind };
}

function authentication(kind: string): GroupVersionKind {
  return { group: 'authentication.k8s.io', version: 'v1', kind };
}

/** By `group/plural`, as the server's options take them. */
export function securityKinds({ reviews }: Pick<Security, 'reviews'>): BuiltinKinds {
  const kinds: Record<string, BuiltinKind> = {};
  for (const [key, review] of reviews) kinds[key] = { serve: serveReview(REVIEW_KINDS[key]!, review) };
  return kinds;
}

/** `token` of service accounts. */
export function tokenSubresource({ tokenRequest }: Pick<Security, 'tokenRequest'>): Subresource {
  return {
    kind: authentication('TokenRequest'),
    verbs: ['create'],
    async serve(call) {
      const serviceAccount = await call.parent();
      const request = await call.admitCreate(call.object(), (given) =>
        tokenRequest.complete(serviceAccount, given),
      );
      return created(await tokenRequest.issue(serviceAccount, request, call.context.nowMs));
    },
  };
}

function serveReview(kind: GroupVersionKind, review: Review): NonNullable<BuiltinKind['serve']> {
  const decode = typedDecode(kind);
  return async ({ request, info, context }) => {
    if (info.verb !== 'create' || info.name !== '') throw methodNotAllowed();
    const { fieldValidation } = parseWriteOptions(request.query, 'CreateOptions');
    const parsed = parseJsonBody({ request }, fieldValidation !== 'Ignore', kind.kind);
    if (parsed === undefined) throw nothingSent(kind.kind);
    const problems = textProblems(parsed, fieldValidation);
    const object = decodeBody(kind, decode, parsed.json, bytesOf(request), problems);
    if (problems.length > 0 && fieldValidation === 'Strict') throw notStrict(kind, problems);
    const answer = await review(object, {
      user: context.user,
      nowMs: context.nowMs,
      namespace: info.namespace,
    });
    const warning = fieldValidation === 'Warn' ? warningHeaders(problems) : [];
    return warning.length === 0 ? created(answer) : { ...created(answer), headers: { warning } };
  };
}

function decodeBody(
  kind: GroupVersionKind,
  decode: ReturnType<typeof typedDecode>,
  json: unknown,
  bytes: Uint8Array | undefined,
  problems: string[],
): KubeObject {
  const identified: JsonObject = identify(json, kind, bytes);
  return { ...decode(identified, { problems }), apiVersion: formatApiVersion(kind), kind: kind.kind };
}

function created(object: KubeObject): Extract<ApiResponse, { kind: 'object' }> {
  return { kind: 'object', status: 201, object };
}
