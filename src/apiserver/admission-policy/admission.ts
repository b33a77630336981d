// Admission by ValidatingAdmissionPolicies: every policy that is bound and about the request is asked; the first
// refusal is the answer.
import {
  StatusError,
  forbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../../machinery/index.ts';
import { celObject, requestBindings, type Bindings } from './expressions.ts';
import {
  isExempt,
  matchRules,
  matchSelectors,
  namespaceOf,
  requestedAs,
  type MatchEnvironment,
  type SeenAs,
} from './matching.ts';
import { ConfigurationError, paramsOf } from './params.ts';
import type { CompiledBinding, CompiledMatch, CompiledPolicy, Violation } from './policy.ts';
import type { Registered } from './registered.ts';
import type { ObjectForms } from './seen-object.ts';

export interface PolicyEnvironment extends MatchEnvironment {
  readonly forms: ObjectForms;
}

type Warn = (message: string) => void;

interface Denial extends Violation {
  readonly policy: string;
  readonly binding: string | undefined;
}

export function validatingPolicies(
  policies: Registered<CompiledPolicy>,
  bindings: Registered<CompiledBinding>,
  environment: () => PolicyEnvironment,
): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    // A policy that nothing binds says nothing.
    handles: (attributes) => policies.all.length > 0 && bindings.all.length > 0 && !isExempt(attributes),
    async validate(attributes, warn) {
      const review = new PolicyReview(attributes, environment(), warn);
      for (const policy of policies.all) {
        const bound = bindings.all.filter(({ spec }) => spec.policyName === policy.name);
        if (bound.length > 0) await review.ask(policy, bound);
      }
      review.settle();
    },
  };
}

/** One request before all policies. */
class PolicyReview {
  readonly #attributes: AdmissionAttributes;
  readonly #environment: PolicyEnvironment;
  readonly #warn: Warn;
  readonly #own: SeenAs;
  readonly #denials: Denial[] = [];

  constructor(attributes: AdmissionAttributes, environment: PolicyEnvironment, warn: Warn) {
    this.#attributes = attributes;
    this.#environment = environment;
    this.#warn = warn;
    this.#own = requestedAs(attributes);
  }

  async ask(policy: CompiledPolicy, bindings: readonly CompiledBinding[]): Promise<void> {
    const seen = await this.#configured(policy, undefined, () => this.#concerns(policy.match));
    if (seen === undefined) return;
    for (const binding of bindings) {
      const params = await this.#configured(policy, binding, async () =>
        (await this.#concerns(binding.match)) === undefined
          ? undefined
          : paramsOf(policy.spec, binding.spec, this.#attributes, this.#environment),
      );
      if (params === undefined || params.length === 0) continue;
      const given = await this.#bindings(seen);
      for (const param of params) {
        const violations = policy.violations({ ...given, params: celObject(param) });
        for (const violation of violations) this.#count(policy, binding, violation);
      }
    }
  }

  /** Throws a StatusError for the first denial. */
  settle(): void {
    const [denial] = this.#denials;
    if (denial === undefined) return;
    const { policy, binding, message, reason } = denial;
    const by = binding === undefined ? '' : ` with binding '${binding}'`;
    const why = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
    const { object, name: named } = this.#attributes;
    const { name = '', generateName = '' } = object?.metadata ?? {};
    const { group, resource } = this.#own;
    const refusal = forbidden({ group, resource }, named || name || generateName, why);
    const given = reason === '' ? 'Invalid' : reason;
    throw new StatusError(CODES[given] ?? 422, given, refusal.message, {
      ...refusal.status.details,
      causes: [{ message: why }],
    });
  }

  #count(policy: CompiledPolicy, binding: CompiledBinding, violation: Violation): void {
    // Audit annotations would go to an audit log; nothing else is meant by the action Audit.
    for (const action of binding.spec.validationActions ?? []) {
      if (action === 'Deny') {
        this.#denials.push({ ...violation, policy: policy.name, binding: binding.name });
      } else if (action === 'Warn') {
        const about = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}'`;
        this.#warn(`Validation failed for ${about}: ${violation.message}`);
      }
    }
  }

  /** What is wrong with a policy or binding itself counts as a denial, unless failures are to be ignored. */
  async #configured<T>(
    policy: CompiledPolicy,
    binding: CompiledBinding | undefined,
    gather: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      return await gather();
    } catch (error) {
      if (!(error instanceof ConfigurationError || error instanceof StatusError)) throw error;
      if (!policy.ignoresFailures) {
        const what = binding === undefined ? 'policy' : 'binding';
        const message = `failed to configure ${what}: ${error.message}`;
        this.#denials.push({ message, reason: '', policy: policy.name, binding: binding?.name });
      }
      return undefined;
    }
  }

  /** How the request is seen; without rules, as it came. */
  async #concerns(compiled: CompiledMatch | undefined): Promise<SeenAs | undefined> {
    if (compiled === undefined) return this.#own;
    const { match, selectors } = compiled;
    const { resourceRules = [], excludeResourceRules = [], matchPolicy } = match;
    const { registry } = this.#environment;
    const matched = (rules: Parameters<typeof matchRules>[0]): SeenAs | undefined =>
      matchRules(rules, matchPolicy, this.#attributes, this.#own, registry);
    const seen = resourceRules.length === 0 ? this.#own : matched(resourceRules);
    if (seen === undefined || matched(excludeResourceRules) !== undefined) return undefined;
    return (await matchSelectors(selectors, this.#attributes, this.#environment)) ? seen : undefined;
  }

  async #bindings(seen: SeenAs): Promise<Bindings> {
    const { forms, objects, authorizer } = this.#environment;
    const shown = await forms.show(this.#attributes, seen);
    // COMPAT: a namespace is not the namespace of itself here, though it is for selectors.
    const inside = this.#attributes.resource === 'namespaces' ? '' : namespaceOf(this.#attributes);
    const namespace = inside === '' ? undefined : await objects.get('', 'namespaces', '', inside);
    return {
      ...requestBindings(this.#attributes, seen, this.#own, shown, authorizer),
      namespaceObject: celObject(namespace),
    };
  }
}

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};
