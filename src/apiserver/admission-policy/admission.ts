// Admission by ValidatingAdmissionPolicies: every policy that is bound and about the request is asked; the first
// refusal is the answer.
import {
  StatusError,
  forbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../../machinery/index.ts';
import { PolicyRequest, type Invocation, type PolicyEnvironment } from './invocations.ts';
import { isExempt, type SeenAs } from './matching.ts';
import type { AuditNote, CompiledBinding, CompiledPolicy, Violation } from './policy.ts';
import type { Registered } from './registered.ts';

type Warn = (message: string) => void;

interface Denial extends Pick<Violation, 'message' | 'reason'> {
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
    handles: (attributes) => policies.all.length > 0 && bindings.all.length > 0 && !isExempt(attributes),
    async validate(attributes, warn) {
      const request = new PolicyRequest(attributes, environment());
      const verdict = new PolicyVerdict(warn);
      for (const step of await request.invocations(policies.all, bindings.all)) {
        if ('policyName' in step) {
          const { policyName, binding, message } = step;
          verdict.deny({ policy: policyName, binding, message, reason: '' });
          continue;
        }
        const { violations, notes } = step.policy.review(await request.bindings(step, attributes));
        verdict.note(step.policy.name, notes);
        for (const violation of violations) verdict.count(step, violation);
      }
      verdict.settle(attributes, request.own);
    },
  };
}

/** What all policies together say of one request. */
class PolicyVerdict {
  readonly #warn: Warn;
  readonly #denials: Denial[] = [];
  /** Values by key, each once: a policy may apply by several bindings. */
  readonly #notes = new Map<string, Set<string>>();
  readonly #audited: object[] = [];

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  deny(denial: Denial): void {
    this.#denials.push(denial);
  }

  note(policy: string, notes: readonly AuditNote[]): void {
    for (const { key, value } of notes) {
      const full = `${policy}/${key}`;
      this.#notes.set(full, (this.#notes.get(full) ?? new Set()).add(value));
    }
  }

  count({ policy, binding }: Invocation<CompiledPolicy>, violation: Violation): void {
    const { message, index } = violation;
    const { validationActions = [] } = binding.spec;
    // COMPAT: a note that cannot be made denies, whatever is to be done about violations.
    for (const action of violation.ofNote === true ? ['Deny'] : validationActions) {
      if (action === 'Deny') {
        this.deny({ ...violation, policy: policy.name, binding: binding.name });
      } else if (action === 'Warn') {
        const about = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}'`;
        this.#warn(`Validation failed for ${about}: ${message}`);
      } else {
        const names = { message, policy: policy.name, binding: binding.name };
        this.#audited.push({ ...names, expressionIndex: index ?? 0, validationActions });
      }
    }
  }

  /** Throws a StatusError for the first denial. */
  settle({ object, name: named, annotate }: AdmissionAttributes, own: SeenAs): void {
    for (const [key, values] of this.#notes) annotate?.(key, [...values].join(', '));
    if (this.#audited.length > 0) {
      const key = 'validation.policy.admission.k8s.io/validation_failure';
      annotate?.(key, JSON.stringify(this.#audited));
    }
    const [denial] = this.#denials;
    if (denial === undefined) return;
    const { policy, binding, message, reason } = denial;
    const by = binding === undefined ? '' : ` with binding '${binding}'`;
    const why = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
    const { name = '', generateName = '' } = object?.metadata ?? {};
    const { group, resource } = own;
    const refusal = forbidden({ group, resource }, named || name || generateName, why);
    const given = reason === '' ? 'Invalid' : reason;
    throw new StatusError(CODES[given] ?? 422, given, refusal.message, {
      ...refusal.status.details,
      causes: [{ message: why }],
    });
  }
}

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};
