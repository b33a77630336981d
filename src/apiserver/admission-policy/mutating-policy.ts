// A MutatingAdmissionPolicy, compiled: what it makes of an object.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import {
  UnownedMergeError,
  applyJsonPatch,
  expressionJson,
  mergeUnowned,
  type FieldManagement,
  type Scope,
} from '../../machinery/index.ts';
import { errorMessage } from '../../base/index.ts';
import {
  ExpressionError,
  compileConditions,
  evaluation,
  type Bindings,
  type Conditions,
  type Evaluate,
  type MatchCondition,
} from './expressions.ts';
import { compileVariables, lazyVariables } from './composition.ts';
import { compileMatch, type CompiledMatch, type Match, type PolicySpec } from './policy.ts';

export interface Mutation {
  readonly patchType?: string;
  readonly applyConfiguration?: { readonly expression?: string };
  readonly jsonPatch?: { readonly expression?: string };
}

export interface MutatingPolicySpec extends Pick<PolicySpec, 'paramKind' | 'variables' | 'failurePolicy'> {
  readonly matchConstraints?: Match;
  readonly matchConditions?: readonly MatchCondition[];
  readonly mutations?: readonly Mutation[];
  readonly reinvocationPolicy?: string;
}

/** Why a policy could not change an object; its failure policy decides. */
export class MutationError extends Error {
  override name = 'MutationError';
}

type Mutate = (bindings: Bindings, object: KubeObject, management: FieldManagement) => JsonObject;

export class CompiledMutatingPolicy {
  readonly name: string;
  readonly spec: MutatingPolicySpec;
  readonly match: CompiledMatch | undefined;
  readonly mutations: readonly Mutate[];
  readonly #conditions: Conditions | undefined;
  readonly #variables: ReadonlyMap<string, Evaluate>;

  constructor(object: KubeObject) {
    this.name = object.metadata.name ?? '';
    this.spec = object['spec'] ?? {};
    const { matchConstraints, matchConditions = [], mutations = [] } = this.spec;
    const { composition, evaluations } = compileVariables(this.spec);
    this.match = compileMatch(matchConstraints);
    this.#conditions =
      matchConditions.length === 0 ? undefined : compileConditions(matchConditions, composition.conditions);
    this.#variables = evaluations;
    const scope = composition.scope();
    this.mutations = mutations.map((mutation) => compileMutation(mutation, scope));
  }

  get ignoresFailures(): boolean {
    return this.spec.failurePolicy === 'Ignore';
  }

  get reinvocable(): boolean {
    return this.spec.reinvocationPolicy === 'IfNeeded';
  }

  /** Whether the match conditions hold. Throws a MutationError. */
  matches(given: Bindings): boolean {
    try {
      return this.#conditions?.match({ ...given, namespaceObject: null }) ?? true;
    } catch (error) {
      throw mutationError(error);
    }
  }

  withVariables(given: Bindings): Bindings {
    return { ...given, variables: lazyVariables(this.#variables, given) };
  }
}

function mutationError(error: unknown): unknown {
  return error instanceof ExpressionError ? new MutationError(error.message, { cause: error }) : error;
}

function compileMutation({ patchType, applyConfiguration, jsonPatch }: Mutation, scope: Scope): Mutate {
  const isPatch = patchType === 'JSONPatch';
  const expression = (isPatch ? jsonPatch : applyConfiguration)?.expression ?? '';
  const evaluate = evaluation(expression, scope, isPatch ? 'list(JSONPatch)' : 'Object');
  return (bindings, object, management) => {
    let json: JsonValue;
    try {
      json = expressionJson(evaluate(bindings));
    } catch (error) {
      throw mutationError(error);
    }
    try {
      return isPatch
        ? (applyJsonPatch(object as unknown as JsonValue, json) as JsonObject)
        : mergeUnowned(object, withKind(json, object), management);
    } catch (error) {
      const by = error instanceof UnownedMergeError ? 'error applying patch: ' : 'JSON Patch: ';
      throw new MutationError(`${by}${errorMessage(error)}`, { cause: error });
    }
  };
}

const withKind = (json: JsonValue, { apiVersion, kind }: KubeObject): JsonObject => ({
  ...(json as JsonObject),
  apiVersion,
  kind,
});
