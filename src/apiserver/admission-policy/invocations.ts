// Which policies apply to a request, by which bindings and with which parameters. The same for policies that check
// and for those that change.
import { StatusError, type AdmissionAttributes } from '../../machinery/index.ts';
import type { KubeObject } from '../../api/index.ts';
import { celObject, requestBindings, type Bindings } from './expressions.ts';
import {
  matchRules,
  matchSelectors,
  namespaceOf,
  requestedAs,
  type MatchEnvironment,
  type SeenAs,
} from './matching.ts';
import { ConfigurationError, paramDefinition, paramsOf } from './params.ts';
import type { CompiledBinding, CompiledMatch, PolicySpec } from './policy.ts';
import type { ObjectForms } from './seen-object.ts';

export interface PolicyEnvironment extends MatchEnvironment {
  readonly forms: ObjectForms;
}

/** What both sorts of policies have. */
export interface AnyPolicy {
  readonly name: string;
  readonly spec: Pick<PolicySpec, 'paramKind'>;
  readonly match: CompiledMatch | undefined;
  readonly ignoresFailures: boolean;
}

export interface Invocation<P extends AnyPolicy> {
  readonly policy: P;
  readonly binding: CompiledBinding;
  readonly param: KubeObject | undefined;
  /** How the policy sees the request. */
  readonly seen: SeenAs;
}

/** A policy or binding that cannot be applied. */
export interface Misconfigured {
  readonly policyName: string;
  readonly binding: string | undefined;
  readonly message: string;
}

export class PolicyRequest {
  readonly own: SeenAs;
  readonly #attributes: AdmissionAttributes;
  readonly #environment: PolicyEnvironment;

  constructor(attributes: AdmissionAttributes, environment: PolicyEnvironment) {
    this.#attributes = attributes;
    this.#environment = environment;
    this.own = requestedAs(attributes);
  }

  /** In order. What fails counts against the request unless its policy ignores failures. */
  async invocations<P extends AnyPolicy>(
    policies: readonly P[],
    bindings: readonly CompiledBinding[],
  ): Promise<readonly (Invocation<P> | Misconfigured)[]> {
    const steps: (Invocation<P> | Misconfigured)[] = [];
    const attempt = async <T>(
      policy: P,
      binding: CompiledBinding | undefined,
      gather: () => Promise<T | undefined>,
    ): Promise<T | undefined> => {
      try {
        return await gather();
      } catch (error) {
        if (!(error instanceof ConfigurationError || error instanceof StatusError)) throw error;
        const what = binding === undefined ? 'policy' : 'binding';
        const message = `failed to configure ${what}: ${error.message}`;
        if (!policy.ignoresFailures) steps.push({ message, policyName: policy.name, binding: binding?.name });
        return undefined;
      }
    };
    for (const policy of policies) {
      // A policy that nothing binds says nothing.
      const bound = bindings.filter(({ spec }) => spec.policyName === policy.name);
      if (bound.length === 0) continue;
      const seen = await attempt(policy, undefined, async () => {
        const concerns = await this.#concerns(policy.match);
        if (concerns !== undefined) paramDefinition(policy.spec, this.#environment.registry);
        return concerns;
      });
      if (seen === undefined) continue;
      for (const binding of bound) {
        const params = await attempt(policy, binding, async () =>
          (await this.#concerns(binding.match)) === undefined
            ? undefined
            : paramsOf(policy.spec, binding.spec, this.#attributes, this.#environment),
        );
        for (const param of params ?? []) steps.push({ policy, binding, param, seen });
      }
    }
    return steps;
  }

  /** What expressions can name; `attributes` as they are now. */
  async bindings({ seen, param }: Invocation<AnyPolicy>, attributes: AdmissionAttributes): Promise<Bindings> {
    const { forms, objects, authorizer } = this.#environment;
    const shown = await forms.show(attributes, seen);
    // COMPAT: a namespace is not the namespace of itself here, though it is for selectors.
    const inside = attributes.resource === 'namespaces' ? '' : namespaceOf(attributes);
    const namespace = inside === '' ? undefined : await objects.get('', 'namespaces', '', inside);
    return {
      ...requestBindings(attributes, seen, this.own, shown, authorizer),
      namespaceObject: celObject(namespace),
      params: celObject(param),
    };
  }

  /** How the request is seen; without rules, as it came. */
  async #concerns(compiled: CompiledMatch | undefined): Promise<SeenAs | undefined> {
    if (compiled === undefined) return this.own;
    const { match, selectors } = compiled;
    const { resourceRules = [], excludeResourceRules = [], matchPolicy } = match;
    const { registry } = this.#environment;
    const matched = (rules: Parameters<typeof matchRules>[0]): SeenAs | undefined =>
      matchRules(rules, matchPolicy, this.#attributes, this.own, registry);
    const seen = resourceRules.length === 0 ? this.own : matched(resourceRules);
    if (seen === undefined || matched(excludeResourceRules) !== undefined) return undefined;
    return (await matchSelectors(selectors, this.#attributes, this.#environment)) ? seen : undefined;
  }
}
