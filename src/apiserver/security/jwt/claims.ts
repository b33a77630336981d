// Who a verified JSON web token names: claims to a user, by the rules of its issuer's configuration. Pure.
// Source: apiserver.config.k8s.io AuthenticationConfiguration; the --oidc flags are a short form of the same.
import type { JsonObject, JsonValue } from '../../../api/index.ts';
import {
  compileExpression,
  expressionJson,
  expressionValue,
  type Expression,
  type UserInfo,
} from '../../../machinery/index.ts';

/** A claim by name, or what an expression makes of all claims. */
export type ClaimOrExpression =
  | { readonly claim: string; readonly prefix?: string }
  | { readonly expression: string };

export interface ClaimRules {
  readonly username: ClaimOrExpression;
  readonly groups?: ClaimOrExpression;
  readonly uid?: ClaimOrExpression;
  readonly extra: readonly { readonly key: string; readonly valueExpression: string }[];
  readonly claimValidation: readonly (
    | { readonly claim: string; readonly requiredValue: string }
    | { readonly expression: string; readonly message?: string }
  )[];
  readonly userValidation: readonly { readonly expression: string; readonly message?: string }[];
}

/** Why a token names nobody; for logs, never for whoever sent it. */
export class ClaimError extends Error {
  override name = 'ClaimError';
}

export type ReadClaims = (claims: JsonObject) => UserInfo;

// LIMIT: what one expression may cost; as for other expressions about requests.
const RUN_COST_MAX = 1_000_000;

/** Throws when an expression cannot be compiled. */
export function compileClaimRules(rules: ClaimRules): ReadClaims {
  const username = stringReader('username', rules.username);
  const groups = rules.groups === undefined ? () => [] : listReader(rules.groups);
  const uid = rules.uid === undefined ? () => '' : stringReader('uid', rules.uid);
  const extra = rules.extra.map(({ key, valueExpression }) => ({
    key,
    read: listReader({ expression: valueExpression }),
  }));
  const claimChecks = rules.claimValidation.map(claimCheck);
  const userChecks = rules.userValidation.map(({ expression, message }) =>
    condition('user', expression, message),
  );
  return (claims) => {
    for (const check of claimChecks) check(claims);
    checkEmail(rules.username, claims);
    const name = username(claims);
    if (name === '') throw new ClaimError('the user name is empty');
    const id = uid(claims);
    const groupList = groups(claims);
    const extras = extra
      .map(({ key, read }): [string, readonly string[]] => [key, read(claims)])
      .filter(([, values]) => values.length > 0);
    const user: UserInfo = {
      name,
      ...(id === '' ? {} : { uid: id }),
      groups: groupList,
      ...(extras.length === 0 ? {} : { extra: Object.fromEntries(extras) }),
    };
    const shown = { username: name, uid: id, groups: groupList, extra: user.extra ?? {} };
    for (const check of userChecks) check(shown);
    return user;
  };
}

function claimCheck(rule: ClaimRules['claimValidation'][number]): (claims: JsonObject) => void {
  if ('expression' in rule) return condition('claims', rule.expression, rule.message);
  const { claim, requiredValue } = rule;
  return (claims) => {
    const value = claims[claim];
    if (value === undefined) throw new ClaimError(`required claim ${claim} is not present`);
    if (value !== requiredValue)
      throw new ClaimError(`required claim ${claim} does not have the required value`);
  };
}

function condition(
  variable: 'claims' | 'user',
  source: string,
  message: string | undefined,
): (value: JsonObject) => void {
  const evaluate = evaluator(source, variable);
  return (value) => {
    if (evaluate(value) === true) return;
    throw new ClaimError(message ?? `${variable} do not fulfil ${source}`);
  };
}

function evaluator(source: string, variable: 'claims' | 'user'): (value: JsonObject) => JsonValue {
  const expression: Expression = compileExpression(source, [variable]);
  return (value) => {
    const { value: result, error } = expression.run({ [variable]: expressionValue(value) }, RUN_COST_MAX);
    if (result === undefined || error !== undefined)
      throw new ClaimError(`${source}: ${error?.message ?? 'no value'}`);
    return expressionJson(result);
  };
}

function stringReader(what: string, from: ClaimOrExpression): (claims: JsonObject) => string {
  const text = (value: JsonValue | undefined): string => {
    if (typeof value === 'string') return value;
    throw new ClaimError(`the ${what} is no text`);
  };
  if ('expression' in from) {
    const evaluate = evaluator(from.expression, 'claims');
    return (claims) => text(evaluate(claims));
  }
  return (claims) => (from.prefix ?? '') + text(claims[from.claim]);
}

/** COMPAT: one text counts as a list of one; a claim that is absent as an empty list. */
function listReader(from: ClaimOrExpression): (claims: JsonObject) => readonly string[] {
  const list = (value: JsonValue | undefined): readonly string[] => {
    if (value === undefined || value === null || value === '') return [];
    const items = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
    return items.map((item) => {
      if (typeof item !== 'string') throw new ClaimError('a list of texts is wanted');
      return item;
    });
  };
  if ('expression' in from) {
    const evaluate = evaluator(from.expression, 'claims');
    return (claims) => list(evaluate(claims)).filter((item) => item !== '');
  }
  return (claims) => list(claims[from.claim]).map((item) => (from.prefix ?? '') + item);
}

/** COMPAT: an address that its issuer says is not verified names nobody. */
function checkEmail(username: ClaimOrExpression, claims: JsonObject): void {
  if (!('claim' in username) || username.claim !== 'email') return;
  const verified = claims['email_verified'];
  if (verified !== undefined && verified !== true) throw new ClaimError('email is not verified');
}
