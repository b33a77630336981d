// Admission by MutatingAdmissionPolicies: every policy that is bound and about the request changes the object, in the
// order of their names, each seeing what those before it have made.
// INVARIANT: a policy that wants it is applied once more when something changed the object after it, never a third time.
import { deepFreeze, type KubeObject } from '../../api/index.ts';
import {
  StatusError,
  deepEqual,
  forbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
  type MutationPass,
} from '../../machinery/index.ts';
import { fieldManagement } from '../field-tracking.ts';
import { PolicyRequest, type Invocation, type PolicyEnvironment } from './invocations.ts';
import { isExempt } from './matching.ts';
import { MutationError, type CompiledMutatingPolicy } from './mutating-policy.ts';
import type { CompiledBinding } from './policy.ts';
import type { Registered } from './registered.ts';

const NAME = 'MutatingAdmissionPolicy';

type Applied = Invocation<CompiledMutatingPolicy>;

interface Failure {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: 'Forbidden' | 'Invalid';
}

/** What the policies keep of a request for when all rules are asked again; policies by their application. */
interface Kept {
  waiting: Set<string>;
  readonly again: Set<string>;
  output: KubeObject | undefined;
}

export function mutatingPolicies(
  policies: Registered<CompiledMutatingPolicy>,
  bindings: Registered<CompiledBinding>,
  environment: () => PolicyEnvironment,
): AdmissionPlugin {
  return {
    name: NAME,
    handles: (attributes) => policies.all.length > 0 && bindings.all.length > 0 && !isExempt(attributes),
    async mutate(attributes) {
      const world = environment();
      const request = new PolicyRequest(attributes, world);
      const round = new PolicyRound(attributes, request, world);
      const failures: Failure[] = [];
      const found: Applied[] = [];
      for (const step of await request.invocations(policies.all, bindings.all)) {
        if ('policyName' in step) {
          const { policyName, binding, message } = step;
          failures.push({ policy: policyName, binding, message, reason: 'Forbidden' });
        } else found.push(step);
      }
      await round.applyAll(found);
      failures.push(...round.failures);
      if (failures.length > 0) throw refusal(attributes, request, failures);
      return round.object;
    },
  };
}

class PolicyRound {
  readonly failures: Failure[] = [];
  readonly #request: PolicyRequest;
  readonly #environment: PolicyEnvironment;
  readonly #pass: MutationPass | undefined;
  readonly #kept: Kept;
  #attributes: AdmissionAttributes;

  constructor(attributes: AdmissionAttributes, request: PolicyRequest, environment: PolicyEnvironment) {
    this.#attributes = attributes;
    this.#request = request;
    this.#environment = environment;
    this.#pass = attributes.pass;
    const before = this.#pass?.kept.get(NAME) as Kept | undefined;
    this.#kept = before ?? { waiting: new Set(), again: new Set(), output: undefined };
    this.#pass?.kept.set(NAME, this.#kept);
  }

  get object(): KubeObject {
    return this.#attributes.object!;
  }

  async applyAll(invocations: readonly Applied[]): Promise<void> {
    const { output } = this.#kept;
    const repeated = this.#pass?.repeated === true;
    if (repeated && output !== undefined && !deepEqual(output, this.object)) this.#changed();
    for (const invocation of invocations) {
      const { policy, binding, param } = invocation;
      const key = `${policy.name} ${binding.name} ${param?.metadata.namespace ?? ''}/${param?.metadata.name ?? ''}`;
      try {
        const given = await this.#request.bindings(invocation, this.#attributes);
        if (!policy.matches(given) || (repeated && !this.#kept.again.has(key))) continue;
        await this.#apply(invocation);
      } catch (error) {
        if (!(error instanceof MutationError)) throw error;
        if (policy.ignoresFailures) continue;
        const { message } = error;
        this.failures.push({ policy: policy.name, binding: binding.name, message, reason: 'Invalid' });
      }
      if (policy.reinvocable) this.#kept.waiting.add(key);
    }
    this.#kept.output = this.object;
  }

  #changed(): void {
    for (const key of this.#kept.waiting) this.#kept.again.add(key);
    this.#kept.waiting = new Set();
  }

  async #apply(invocation: Applied): Promise<void> {
    const { policy, seen } = invocation;
    const { registry, forms } = this.#environment;
    const before = this.object;
    const served = registry.find(seen.group, seen.version, seen.resource);
    if (served === undefined) return;
    const { subresource } = this.#attributes;
    const management = fieldManagement(served, '', undefined);
    for (const mutate of policy.mutations) {
      const { object } = await forms.show(this.#attributes, seen);
      if (object === undefined) return;
      // A subresource's own object has no schema that configurations could be laid over by.
      if (subresource !== '' && object.kind !== served.definition.kind) return;
      const given = await this.#request.bindings(invocation, this.#attributes);
      const json = mutate(policy.withVariables(given), object, management);
      const next = await this.#takeBack(json, seen);
      this.#attributes = { ...this.#attributes, object: next };
    }
    if (deepEqual(before, this.object)) return;
    this.#changed();
    this.#pass?.repeat();
  }

  async #takeBack(
    json: Parameters<PolicyEnvironment['forms']['takeBack']>[1],
    seen: Applied['seen'],
  ): Promise<KubeObject> {
    try {
      const next = await this.#environment.forms.takeBack(this.object, json, this.#attributes, seen);
      return deepFreeze(next);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new MutationError(error.message, { cause: error });
    }
  }
}

/** COMPAT: the code stays that of a refusal, whatever the reason. */
function refusal(
  { name: named, object }: AdmissionAttributes,
  { own }: PolicyRequest,
  failures: readonly Failure[],
): StatusError {
  const texts = failures.map(({ policy, binding, message }) =>
    binding === undefined
      ? `policy "${policy}" denied request: ${message}`
      : `policy '${policy}' with binding '${binding}' denied request: ${message}`,
  );
  const { name = '', generateName = '' } = object?.metadata ?? {};
  const { group, resource } = own;
  const { status } = forbidden({ group, resource }, named || name || generateName, '');
  return new StatusError(403, failures[0]!.reason, texts[0]!, {
    ...status.details,
    causes: texts.map((message) => ({ message })),
  });
}
