// Questions about access, answered as objects: SubjectAccessReview and its kin of authorization.k8s.io, and the
// reviews of authentication.k8s.io. Nothing of them is stored.
import type { JsonObject, KubeObject } from '../../api/index.ts';
import {
  badRequest,
  fieldError,
  invalid,
  isLabelValue,
  isQualifiedName,
  type FieldError,
  type UserInfo,
} from '../../machinery/index.ts';
import type { TokenAuthenticator } from './authentication.ts';
import { formatTime } from '../../base/index.ts';
import { aggregate, type RbacAuthorizer } from './rbac.ts';
import type { AccessAttributes } from './rbac-rules.ts';

export interface ReviewContext {
  readonly user: UserInfo;
  readonly nowMs: number;
  /** Of the request; empty for kinds of the whole cluster. */
  readonly namespace: string;
}

/** Answers the object that a create brings, which has passed its schema, with the one to send back (201). */
export type Review = (object: KubeObject, context: ReviewContext) => Promise<KubeObject>;

/** By group and resource, e.g. `authorization.k8s.io/subjectaccessreviews`. */
export function createReviews(options: {
  readonly rbac: RbacAuthorizer;
  readonly tokens: TokenAuthenticator;
  readonly audiences: readonly string[];
}): ReadonlyMap<string, Review> {
  const { rbac, tokens, audiences } = options;
  return new Map<string, Review>([
    [
      'authorization.k8s.io/selfsubjectaccessreviews',
      async (object, { user }) => {
        const spec = specOf(object);
        refuseInvalid([...attributeErrors(spec), ...selectorErrors(spec), ...metadataErrors(object)]);
        return withAccess(rbac, object, user);
      },
    ],
    [
      'authorization.k8s.io/subjectaccessreviews',
      async (object) => {
        refuseInvalid([...subjectErrors(specOf(object)), ...metadataErrors(object)]);
        return withAccess(rbac, object, subjectOf(specOf(object)));
      },
    ],
    [
      'authorization.k8s.io/localsubjectaccessreviews',
      async (object, { namespace }) => {
        const placed = inNamespace(object, namespace);
        refuseInvalid([...subjectErrors(specOf(object)), ...localErrors(placed, namespace)]);
        return withAccess(rbac, placed, subjectOf(specOf(object)));
      },
    ],
    [
      'authorization.k8s.io/selfsubjectrulesreviews',
      async (object, { user }) => withRules(rbac, object, user),
    ],
    [
      'authentication.k8s.io/selfsubjectreviews',
      async (object, { user, nowMs }) => withSelf(object, user, nowMs),
    ],
    ['authentication.k8s.io/tokenreviews', (object) => withToken(tokens, audiences, object)],
  ]);
}

interface SelectorRequirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly SelectorRequirement[];
}

interface ResourceAttributes {
  readonly fieldSelector?: SelectorAttributes;
  readonly labelSelector?: SelectorAttributes;
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
}

interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly user?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

function specOf(object: KubeObject): AccessSpec {
  return object['spec'] ?? {};
}

function withAccess(rbac: RbacAuthorizer, object: KubeObject, user: UserInfo): KubeObject {
  const { allowed, reason } = rbac.check(user, askedBy(specOf(object)));
  return { ...object, status: { allowed, ...(reason === '' ? {} : { reason }) } };
}

function askedBy({ resourceAttributes, nonResourceAttributes }: AccessSpec): AccessAttributes {
  const {
    namespace = '',
    verb = '',
    group = '',
    resource = '',
    subresource = '',
    name = '',
  } = resourceAttributes ?? {};
  return nonResourceAttributes === undefined
    ? { isResource: true, verb, group, resource, subresource, name, namespace, path: '' }
    : {
        isResource: false,
        verb: nonResourceAttributes.verb ?? '',
        path: nonResourceAttributes.path ?? '',
        group: '',
        resource: '',
        subresource: '',
        name: '',
        namespace: '',
      };
}

function subjectOf({ user = '', uid, groups = [], extra }: AccessSpec): UserInfo {
  return {
    name: user,
    groups,
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
}

// ---- validation

/** COMPAT: without the kind. */
function refuseInvalid(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind: '' }, '', errors);
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const given = object.metadata?.namespace ?? '';
  if (given !== '' && given !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** Nothing of a review is stored, so there is nothing to call it by. */
function metadataErrors({ metadata = {} }: Partial<KubeObject>, but?: 'namespace'): FieldError[] {
  const { managedFields: _, ...rest } = metadata;
  const empty = Object.keys(rest).every((field) => field === but);
  const why = but === undefined ? 'must be empty' : `must be empty except for ${but}`;
  return empty ? [] : [fieldError.invalid('metadata', rest, why)];
}

function attributeErrors({ resourceAttributes, nonResourceAttributes }: AccessSpec): FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const why = 'cannot be specified in combination with resourceAttributes';
    return [fieldError.invalid('spec.nonResourceAttributes', nonResourceAttributes, why)];
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    return [fieldError.invalid('spec.resourceAttributes', null, why)];
  }
  return [];
}

function subjectErrors(spec: AccessSpec): FieldError[] {
  const errors = attributeErrors(spec);
  if ((spec.user ?? '') === '' && (spec.groups ?? []).length === 0) {
    errors.push(fieldError.invalid('spec.user', '', 'at least one of user or group must be specified'));
  }
  return [...errors, ...selectorErrors(spec)];
}

function selectorErrors({ resourceAttributes = {} }: AccessSpec): FieldError[] {
  const path = 'spec.resourceAttributes';
  const { fieldSelector, labelSelector } = resourceAttributes;
  return [
    ...requirementsErrors(fieldSelector, `${path}.fieldSelector`, ({ key = '' }, at) =>
      key === '' ? [fieldError.required(`${at}.key`, 'must be specified')] : [],
    ),
    ...requirementsErrors(labelSelector, `${path}.labelSelector`, ({ key = '', values = [] }, at) => [
      ...isQualifiedName(key).map((why) => fieldError.invalid(`${at}.key`, key, why)),
      ...values.flatMap((value, index) =>
        isLabelValue(value).map((why) => fieldError.invalid(`${at}.values[${index}]`, value, why)),
      ),
    ]),
  ];
}

function requirementsErrors(
  selector: SelectorAttributes | undefined,
  path: string,
  keyErrors: (requirement: SelectorRequirement, at: string) => FieldError[],
): FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = '', requirements = [] } = selector;
  const errors: FieldError[] = [];
  if (rawSelector !== '' && requirements.length > 0) {
    const why = 'may not specified at the same time as requirements';
    errors.push(fieldError.invalid(`${path}.rawSelector`, rawSelector, why));
  }
  if (rawSelector === '' && requirements.length === 0) {
    const why = `when ${path} is specified, requirements or rawSelector is required`;
    errors.push(fieldError.required(`${path}.requirements`, why));
  }
  requirements.forEach((requirement, index) => {
    const at = `${path}.requirements[${index}]`;
    const key = keyErrors(requirement, at);
    const values = valuesErrors(requirement, `${at}.values`);
    // COMPAT: the one kind of selector looks at the key first, the other at the operator.
    const first = path.endsWith('fieldSelector') ? [...key, ...values] : [...values, ...key];
    errors.push(...first);
  });
  return errors;
}

function valuesErrors({ operator, values = [] }: SelectorRequirement, at: string): FieldError[] {
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    return [fieldError.required(at, "must be specified when `operator` is 'In' or 'NotIn'")];
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    return [fieldError.forbidden(at, why)];
  }
  return [];
}

function localErrors(object: KubeObject, namespace: string): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = specOf(object);
  const errors: FieldError[] = metadataErrors(object, 'namespace');
  if (resourceAttributes !== undefined && (resourceAttributes.namespace ?? '') !== namespace) {
    errors.push(
      fieldError.invalid(
        'spec.resourceAttributes.namespace',
        resourceAttributes.namespace ?? '',
        'must match metadata.namespace',
      ),
    );
  }
  if (nonResourceAttributes !== undefined) {
    const why = 'disallowed on this kind of request';
    errors.push(fieldError.invalid('spec.nonResourceAttributes', nonResourceAttributes, why));
  }
  return errors;
}

// ---- the others

function withRules(rbac: RbacAuthorizer, object: KubeObject, user: UserInfo): KubeObject {
  const { namespace = '' } = (object['spec'] ?? {}) as { readonly namespace?: string };
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, errors } = rbac.rulesFor(user, namespace);
  return {
    ...object,
    status: {
      resourceRules: rules
        .filter(({ resources = [] }) => resources.length > 0)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          ...(apiGroups === undefined ? {} : { apiGroups }),
          resources,
          ...(resourceNames === undefined ? {} : { resourceNames }),
        })),
      nonResourceRules: rules
        .filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: false,
      ...(errors.length === 0 ? {} : { evaluationError: aggregate(errors) }),
    },
  };
}

function userInfoJson(user: UserInfo): JsonObject {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

function withSelf(object: KubeObject, user: UserInfo, nowMs: number): KubeObject {
  const metadata = { ...object.metadata, creationTimestamp: formatTime(nowMs) };
  return { ...object, metadata, status: { userInfo: userInfoJson(user) } };
}

async function withToken(
  tokens: TokenAuthenticator,
  ownAudiences: readonly string[],
  object: KubeObject,
): Promise<KubeObject> {
  const { token = '', audiences = [] } = (object['spec'] ?? {}) as {
    readonly token?: string;
    readonly audiences?: readonly string[];
  };
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const asked = audiences.length === 0 ? ownAudiences : audiences;
  const found = await tokens.authenticateToken(token, asked);
  return {
    ...object,
    status:
      found === undefined
        ? { user: {}, error: 'invalid bearer token' }
        : { authenticated: true, user: userInfoJson(found.user), audiences: found.audiences },
  };
}
