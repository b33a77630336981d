// A ValidatingAdmissionPolicy, compiled: what it says of one request with one parameter.
import type { KubeObject } from '../../api/index.ts';
import { lazyObject, type LabelSelector } from '../../machinery/index.ts';
import {
  ExpressionError,
  MESSAGE_NAMES,
  POLICY_NAMES,
  compileConditions,
  evaluation,
  type Bindings,
  type CelValue,
  type Conditions,
  type Evaluate,
  type MatchCondition,
} from './expressions.ts';
import { selectorsOf, type Rule, type Selectors } from './matching.ts';

export interface Match {
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly resourceRules?: readonly Rule[];
  readonly excludeResourceRules?: readonly Rule[];
}

export interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

export interface PolicySpec {
  readonly paramKind?: { readonly apiVersion: string; readonly kind: string };
  readonly matchConstraints?: Match;
  readonly matchConditions?: readonly MatchCondition[];
  readonly validations?: readonly Validation[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[];
  readonly failurePolicy?: string;
}

export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelector;
  readonly parameterNotFoundAction?: string;
}

export interface BindingSpec {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: Match;
  readonly validationActions?: readonly string[];
}

/** Rules and selectors, ready to be asked. */
export interface CompiledMatch {
  readonly match: Match;
  readonly selectors: Selectors;
}

export function compileMatch(match: Match | undefined): CompiledMatch | undefined {
  return match === undefined ? undefined : { match, selectors: selectorsOf(match) };
}

/** Why a request is not as the policy wants it. */
export interface Violation {
  readonly message: string;
  /** Empty: nothing was said about it. */
  readonly reason: string;
}

// LIMIT: as upstream; longer messages are replaced by the fixed one.
const MAX_MESSAGE_BYTES = 5 * 1024;

interface CompiledValidation {
  readonly validation: Validation;
  readonly holds: Evaluate;
  readonly message: Evaluate | undefined;
}

export class CompiledPolicy {
  readonly name: string;
  readonly spec: PolicySpec;
  readonly match: CompiledMatch | undefined;
  readonly #conditions: Conditions | undefined;
  readonly #variables: ReadonlyMap<string, Evaluate>;
  readonly #validations: readonly CompiledValidation[];

  constructor(object: KubeObject) {
    this.name = object.metadata.name ?? '';
    this.spec = object['spec'] ?? {};
    const { matchConditions = [], variables = [], validations = [], matchConstraints } = this.spec;
    this.match = compileMatch(matchConstraints);
    this.#conditions =
      matchConditions.length === 0 ? undefined : compileConditions(matchConditions, POLICY_NAMES);
    this.#variables = new Map(
      variables.map(({ name, expression }) => [name, evaluation(expression, POLICY_NAMES, 'any')]),
    );
    this.#validations = validations.map((validation) => ({
      validation,
      holds: evaluation(validation.expression, POLICY_NAMES, 'bool'),
      message:
        (validation.messageExpression ?? '') === ''
          ? undefined
          : evaluation(validation.messageExpression!, MESSAGE_NAMES, 'string'),
    }));
  }

  get ignoresFailures(): boolean {
    return this.spec.failurePolicy === 'Ignore';
  }

  /** @param given all but the variables */
  violations(given: Bindings): Violation[] {
    const bindings: Bindings = { ...given, variables: this.#lazyVariables(given) };
    try {
      if (this.#conditions?.match(bindings) === false) return [];
    } catch (error) {
      return this.#failed(error);
    }
    return this.#validations.flatMap((validation) => this.#check(validation, bindings));
  }

  #check({ validation, holds, message }: CompiledValidation, bindings: Bindings): Violation[] {
    try {
      if (holds(bindings) === true) return [];
    } catch (error) {
      return this.#failed(error);
    }
    const fixed = (validation.message ?? '').trim();
    const text =
      this.#told(message, bindings) ||
      (fixed === '' ? `failed expression: ${validation.expression.trim()}` : fixed);
    return [{ message: text, reason: validation.reason ?? 'Invalid' }];
  }

  /** COMPAT: a message that cannot be made is no reason to let the request pass; the fixed one is used. */
  #told(message: CompiledValidation['message'], bindings: Bindings): string {
    if (message === undefined) return '';
    try {
      const told = message(bindings);
      const text = typeof told === 'string' ? told.trim() : '';
      return text.includes('\n') || Buffer.byteLength(text) > MAX_MESSAGE_BYTES ? '' : text;
    } catch (error) {
      if (error instanceof ExpressionError) return '';
      throw error;
    }
  }

  #failed(error: unknown): Violation[] {
    if (!(error instanceof ExpressionError)) throw error;
    return this.ignoresFailures ? [] : [{ message: error.message, reason: '' }];
  }

  /** Variables are worked out when they are first named, once for a request; each sees those before it. */
  #lazyVariables(given: Bindings): CelValue {
    const names = [...this.#variables.keys()];
    const known = new Map<string, CelValue>();
    const find = (name: string): CelValue => {
      const before = known.get(name);
      if (before !== undefined) return before;
      const variables = lazyObject(names.slice(0, names.indexOf(name)), find);
      try {
        const value = this.#variables.get(name)!({ ...given, variables });
        known.set(name, value);
        return value;
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        throw new ExpressionError(`composited variable "${name}" fails to evaluate: ${error.message}`);
      }
    };
    return lazyObject(names, find);
  }
}

export class CompiledBinding {
  readonly name: string;
  readonly spec: BindingSpec;
  readonly match: CompiledMatch | undefined;

  constructor(object: KubeObject) {
    this.name = object.metadata.name ?? '';
    this.spec = object['spec'] ?? {};
    this.match = compileMatch(this.spec.matchResources);
  }
}
