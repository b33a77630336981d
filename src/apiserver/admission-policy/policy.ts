// A ValidatingAdmissionPolicy, compiled: what it says of one request with one parameter.
import type { KubeObject } from '../../api/index.ts';
import type { LabelSelector } from '../../machinery/index.ts';
import {
  ExpressionError,
  compileConditions,
  evaluation,
  type Bindings,
  type Conditions,
  type Evaluate,
  type MatchCondition,
} from './expressions.ts';
import { compileVariables, lazyVariables, type Variable } from './composition.ts';
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
  readonly variables?: readonly Variable[];
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
  /** Which of the policy's validations; absent: something else failed. */
  readonly index?: number;
  /** It is a note for the audit log that failed. */
  readonly ofNote?: boolean;
}

/** A note for the audit log. */
export interface AuditNote {
  readonly key: string;
  readonly value: string;
}

// LIMIT: as upstream; longer messages are replaced by the fixed one.
const MAX_MESSAGE_BYTES = 5 * 1024;

// LIMIT: as upstream; longer values are cut.
const MAX_NOTE_BYTES = 10 * 1024;

interface CompiledValidation {
  readonly index: number;
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
  readonly #notes: readonly { readonly key: string; readonly value: Evaluate }[];

  constructor(object: KubeObject) {
    this.name = object.metadata.name ?? '';
    this.spec = object['spec'] ?? {};
    const { matchConstraints, matchConditions = [], validations = [], auditAnnotations = [] } = this.spec;
    const { composition, evaluations } = compileVariables(this.spec);
    const scope = composition.scope();
    this.match = compileMatch(matchConstraints);
    this.#conditions =
      matchConditions.length === 0 ? undefined : compileConditions(matchConditions, composition.conditions);
    this.#variables = evaluations;
    this.#notes = auditAnnotations.map(({ key, valueExpression }) => ({
      key,
      value: evaluation(valueExpression, scope, 'string or null'),
    }));
    this.#validations = validations.map((validation, index) => ({
      index,
      validation,
      holds: evaluation(validation.expression, scope, 'bool'),
      message:
        (validation.messageExpression ?? '') === ''
          ? undefined
          : evaluation(validation.messageExpression!, composition.scope(false), 'string'),
    }));
  }

  get ignoresFailures(): boolean {
    return this.spec.failurePolicy === 'Ignore';
  }

  /** @param given all but the variables */
  review(given: Bindings): {
    readonly violations: readonly Violation[];
    readonly notes: readonly AuditNote[];
  } {
    const bindings: Bindings = { ...given, variables: lazyVariables(this.#variables, given) };
    try {
      if (this.#conditions?.match({ ...given, namespaceObject: null }) === false)
        return { violations: [], notes: [] };
    } catch (error) {
      return { violations: this.#failed(error), notes: [] };
    }
    const violations = this.#validations.flatMap((validation) => this.#check(validation, bindings));
    const notes: AuditNote[] = [];
    for (const { key, value } of this.#notes) {
      try {
        const told = value(bindings);
        const text = typeof told === 'string' ? told.trim() : '';
        if (text !== '') notes.push({ key, value: Buffer.from(text).subarray(0, MAX_NOTE_BYTES).toString() });
      } catch (error) {
        violations.push(...this.#failed(error).map((failure) => ({ ...failure, ofNote: true })));
      }
    }
    return { violations, notes };
  }

  #check({ index, validation, holds, message }: CompiledValidation, bindings: Bindings): Violation[] {
    try {
      if (holds(bindings) === true) return [];
    } catch (error) {
      return this.#failed(error);
    }
    const fixed = (validation.message ?? '').trim();
    const text =
      this.#told(message, bindings) ||
      (fixed === '' ? `failed expression: ${validation.expression.trim()}` : fixed);
    return [{ message: text, reason: validation.reason ?? 'Invalid', index }];
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
