// CEL over requests: what webhooks' match conditions and admission policies are written in. Objects are open values
// here: what a field of one is shows when the expression runs.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import { assert, errorMessage } from '../../base/index.ts';
import {
  authorizerValues,
  compileExpression,
  expressionValue,
  scopeOf,
  typeName,
  type AdmissionAttributes,
  type AskAccess,
  type Scope,
  type UserInfo,
} from '../../machinery/index.ts';
import type { Authorizer } from '../contract.ts';
import { namespaceOf, type SeenAs } from './matching.ts';
import type { SeenObjects } from './seen-object.ts';

/** What an expression says of its own fault; `message` in one line. */
export class ExpressionError extends Error {
  override name = 'ExpressionError';
}

export type CelValue = ReturnType<typeof expressionValue>;
/** Values by name. */
export type Bindings = Readonly<Record<string, CelValue | undefined>>;

/** Throws an ExpressionError. */
export type Evaluate = (bindings: Bindings) => CelValue;

export type Wanted = 'bool' | 'string' | 'string or null' | 'any' | 'Object' | 'list(JSONPatch)';

// LIMIT: what one run of one expression may cost; as upstream.
const RUN_COST_MAX = 1_000_000;

/** What an expression about a request can name; of policies with parameters, these too. */
export function requestScope(has: { readonly params?: boolean; readonly authorizer?: boolean }): Scope {
  const { params = false, authorizer = true } = has;
  return scopeOf([
    'object',
    'oldObject',
    'namespaceObject',
    'request',
    ...(params ? ['params'] : []),
    ...(authorizer ? ['authorizer', 'authorizer.requestResource'] : []),
  ]);
}

export const CONDITION_SCOPE: Scope = requestScope({});

export interface Compiled {
  readonly type: ReturnType<typeof compileExpression>['gives'];
  readonly evaluate: Evaluate;
}

/** Throws an ExpressionError for what cannot be compiled. */
export function compile(text: string, scope: Scope, wanted: Wanted): Compiled {
  let expression: ReturnType<typeof compileExpression>;
  const mutating = wanted === 'Object' || wanted === 'list(JSONPatch)';
  try {
    expression = compileExpression(text, scope, mutating);
  } catch (error) {
    throw new ExpressionError(`compilation failed: ${errorMessage(error)}`, { cause: error });
  }
  const given = typeName(expression.gives);
  if (!isWanted(given, wanted)) {
    const named = wanted === 'string or null' ? 'one of [string null_type]' : wanted;
    throw new ExpressionError(`must evaluate to ${named} but got ${given}`);
  }
  return {
    type: expression.gives,
    evaluate: (bindings) => {
      const { value, error } = expression.run(bindings, RUN_COST_MAX);
      if (value !== undefined && error === undefined) return value;
      throw new ExpressionError(error?.message ?? 'no value', { cause: error });
    },
  };
}

/** COMPAT: what may be anything is not what is wanted, though it could turn out to be. */
function isWanted(given: string, wanted: Wanted): boolean {
  if (wanted === 'string or null') return given === 'string' || given === 'null_type';
  return wanted === 'any' || given === wanted;
}

export const celObject = (object: KubeObject | undefined): CelValue =>
  object === undefined ? null : expressionValue(object as unknown as JsonValue);

/** The AdmissionRequest without the objects, as webhooks get it and expressions see it. */
export function requestOf(attributes: AdmissionAttributes, seen: SeenAs, own: SeenAs): JsonObject {
  const { name, operation, user, dryRun, options, subresource, group, kind, version } = attributes;
  const kindOf = (one: SeenAs): JsonObject =>
    subresource !== '' && kind !== '' && group !== own.group
      ? { group, version, kind }
      : { group: one.group, version: one.version, kind: one.kind };
  const resourceOf = ({ group, version, resource }: SeenAs): JsonObject => ({ group, version, resource });
  const namespace = namespaceOf(attributes);
  return {
    kind: kindOf(seen),
    resource: resourceOf(seen),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(own),
    requestResource: resourceOf(own),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      ...(user.name === '' ? {} : { username: user.name }),
      ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    dryRun,
    options,
  };
}

/** What every expression about a request can name. */
export function requestBindings(
  attributes: AdmissionAttributes,
  seen: SeenAs,
  own: SeenAs,
  { object, oldObject }: SeenObjects,
  authorizer: Authorizer | undefined,
): Bindings {
  const { namespace, name, subresource } = attributes;
  const { group, resource } = own;
  const asked = { group, resource, subresource, namespace, name };
  const values = authorizerValues(askAccess(attributes.user, authorizer), asked);
  return {
    object: celObject(object),
    oldObject: celObject(oldObject),
    request: expressionValue(requestOf(attributes, seen, own)),
    // COMPAT: match conditions can name the namespace, but do not see it.
    namespaceObject: null,
    authorizer: values.authorizer,
    'authorizer.requestResource': values.requestResource,
  };
}

function askAccess(user: UserInfo, authorizer: Authorizer | undefined): AskAccess {
  return (question, serviceAccount) => {
    // Without an authorizer everybody may do everything.
    if (authorizer === undefined) return { allowed: true, reason: '' };
    const asking = serviceAccount === undefined ? user : serviceAccountUser(serviceAccount);
    const { path } = question;
    return authorizer.authorize(asking, {
      isResource: path === undefined,
      path: path ?? '',
      verb: question.verb,
      group: question.group ?? '',
      version: '*',
      namespace: question.namespace ?? '',
      resource: question.resource ?? '',
      subresource: question.subresource ?? '',
      name: question.name ?? '',
      rest: '',
    });
  };
}

const serviceAccountUser = ({ namespace, name }: { namespace: string; name: string }): UserInfo => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});

// ---- match conditions

export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

export interface Conditions {
  /** Throws an ExpressionError when it cannot be said: none says no, and some fail. */
  match(bindings: Bindings): boolean;
}

/** Conditions that do not compile fail when they are asked. */
export function compileConditions(conditions: readonly MatchCondition[], scope: Scope): Conditions {
  const compiled = conditions.map(({ expression }) => evaluation(expression, scope, 'bool'));
  return {
    match(bindings) {
      const errors: string[] = [];
      for (const evaluate of compiled) {
        try {
          if (evaluate(bindings) !== true) return false;
        } catch (error) {
          assert(error instanceof ExpressionError, 'only expressions fail here');
          errors.push(error.message);
        }
      }
      if (errors.length === 0) return true;
      throw new ExpressionError(errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]`);
    },
  };
}

/** An expression that tells, in kube-apiserver's words, which one failed; one that does not compile fails when run. */
export function evaluation(text: string, scope: Scope, wanted: Wanted): Evaluate {
  let evaluate: Evaluate;
  try {
    ({ evaluate } = compile(text, scope, wanted));
  } catch (error) {
    assert(error instanceof ExpressionError, 'only the expression can be wrong');
    const { message } = error;
    return () => {
      throw new ExpressionError(`compilation error: ${message}`);
    };
  }
  return (bindings) => {
    try {
      return evaluate(bindings);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw new ExpressionError(`expression '${text}' resulted in error: ${error.message}`);
    }
  };
}
