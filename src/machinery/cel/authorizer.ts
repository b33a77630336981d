// `authorizer` in expressions about requests: asks whether a user may do something, step by step
// (`authorizer.group('apps').resource('deployments').namespace('shop').check('create').allowed()`).
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../names.ts';
import type { FunctionTable } from './functions.ts';
import { BOOL, STRING, opaque } from './types.ts';
import { EvaluationError, OpaqueValue, type Value } from './values.ts';

export interface AccessQuestion {
  readonly verb: string;
  /** Undefined: about a resource. */
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
}

/** @param serviceAccount who is asked about; undefined: whose request it is */
export type AskAccess = (
  question: AccessQuestion,
  serviceAccount: { readonly namespace: string; readonly name: string } | undefined,
) => AccessAnswer;

const AUTHORIZER = opaque('kubernetes.authorization.Authorizer');
const PATH_CHECK = opaque('kubernetes.authorization.PathCheck');
const GROUP_CHECK = opaque('kubernetes.authorization.GroupCheck');
const RESOURCE_CHECK = opaque('kubernetes.authorization.ResourceCheck');
const DECISION = opaque('kubernetes.authorization.Decision');

/** Variables of these types, by name. */
export const AUTHORIZER_VARIABLES = new Map([
  ['authorizer', AUTHORIZER],
  ['authorizer.requestResource', RESOURCE_CHECK],
]);

type Check = (question: AccessQuestion) => AccessAnswer;

class AuthorizerValue extends OpaqueValue {
  readonly type = AUTHORIZER;
  readonly ask: AskAccess;
  readonly check: Check;
  constructor(ask: AskAccess, serviceAccount?: { readonly namespace: string; readonly name: string }) {
    super();
    this.ask = ask;
    this.check = (question) => ask(question, serviceAccount);
  }
  equals(other: AuthorizerValue): boolean {
    return this === other;
  }
}

/** A question that is being put together. */
class Question extends OpaqueValue {
  readonly type: typeof AUTHORIZER;
  readonly check: Check;
  readonly asked: Omit<AccessQuestion, 'verb'>;
  constructor(type: typeof AUTHORIZER, check: Check, asked: Omit<AccessQuestion, 'verb'>) {
    super();
    this.type = type;
    this.check = check;
    this.asked = asked;
  }
  equals(other: Question): boolean {
    return this === other;
  }
  with(more: Partial<AccessQuestion>, type = this.type): Question {
    return new Question(type, this.check, { ...this.asked, ...more });
  }
}

class Decision extends OpaqueValue {
  readonly type = DECISION;
  readonly answer: AccessAnswer;
  constructor(answer: AccessAnswer) {
    super();
    this.answer = answer;
  }
  equals(other: Decision): boolean {
    return this === other;
  }
}

export interface AuthorizerValues {
  readonly authorizer: Value;
  /** The request's own resource as a question. */
  readonly requestResource: Value;
}

export function authorizerValues(
  ask: AskAccess,
  requestResource: Omit<AccessQuestion, 'verb'>,
): AuthorizerValues {
  const authorizer = new AuthorizerValue(ask);
  return { authorizer, requestResource: new Question(RESOURCE_CHECK, authorizer.check, requestResource) };
}

function forServiceAccount({ ask }: AuthorizerValue, namespace: string, name: string): AuthorizerValue {
  if (nameIsDnsSubdomain(name, false).length > 0) throw new EvaluationError('Invalid service account name');
  if (nameIsDnsLabel(namespace, false).length > 0)
    throw new EvaluationError('Invalid service account namespace');
  return new AuthorizerValue(ask, { namespace, name });
}

function pathOf({ check }: AuthorizerValue, path: string): Question {
  if (path === '') throw new EvaluationError('path must not be empty');
  return new Question(PATH_CHECK, check, { path });
}

export function authorizerFunctions(table: FunctionTable): void {
  const decide = ({ check, asked }: Question, verb: string): Decision =>
    new Decision(check({ ...asked, verb }));
  table
    .member('path', 'authorizer_path', [AUTHORIZER, STRING], PATH_CHECK, pathOf)
    .member(
      'group',
      'authorizer_group',
      [AUTHORIZER, STRING],
      GROUP_CHECK,
      ({ check }: AuthorizerValue, group) => new Question(GROUP_CHECK, check, { group }),
    )
    .member(
      'serviceAccount',
      'authorizer_serviceaccount',
      [AUTHORIZER, STRING, STRING],
      AUTHORIZER,
      forServiceAccount,
    )
    .member('check', 'pathcheck_check', [PATH_CHECK, STRING], DECISION, decide)
    .member(
      'resource',
      'groupcheck_resource',
      [GROUP_CHECK, STRING],
      RESOURCE_CHECK,
      (group: Question, resource) => group.with({ resource }, RESOURCE_CHECK),
    )
    .member('check', 'resourcecheck_check', [RESOURCE_CHECK, STRING], DECISION, decide)
    .member('allowed', 'decision_allowed', [DECISION], BOOL, ({ answer }: Decision) => answer.allowed)
    .member('reason', 'decision_reason', [DECISION], STRING, ({ answer }: Decision) => answer.reason)
    // Rules are looked up in memory, so a question always has an answer.
    .member('errored', 'decision_errored', [DECISION], BOOL, () => false)
    .member('error', 'decision_error', [DECISION], STRING, () => '');
  for (const part of ['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const) {
    table.member(
      part,
      `resourcecheck_${part.toLowerCase()}`,
      [RESOURCE_CHECK, STRING],
      RESOURCE_CHECK,
      (question: Question, value: string) => question.with({ [part]: value }),
    );
  }
}
