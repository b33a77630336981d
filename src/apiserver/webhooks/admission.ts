// Admission by webhooks, as two plugins: those that may change objects are asked one after the other, those that only
// look at them all at once.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import {
  applyJsonPatch,
  deepEqual,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../../machinery/index.ts';
import { isExempt, type SeenAs } from '../admission-policy/matching.ts';
import type { Registered } from '../admission-policy/registered.ts';
import type { Hook, HookEnvironment, Warn } from './hooks.ts';

type Hooks = Registered<readonly Hook[]>;

interface Asked {
  readonly hook: Hook;
  readonly seen: SeenAs;
}

/** Those that are asked about a request, in their order. */
async function concerned(
  hooks: Hooks,
  attributes: AdmissionAttributes,
  environment: HookEnvironment,
): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (const hook of hooks.all.flat()) {
    const seen = await hook.concerns(attributes, environment);
    if (seen !== undefined) asked.push({ hook, seen });
  }
  return asked;
}

export function validatingWebhooks(hooks: Hooks, environment: () => HookEnvironment): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (attributes) => hooks.all.length > 0 && !isExempt(attributes),
    async validate(attributes, warn) {
      const world = environment();
      const asked = await concerned(hooks, attributes, world);
      const answers = await Promise.allSettled(
        asked.map(({ hook, seen }) => hook.ask(attributes, seen, false, world, warn)),
      );
      // The first by order of the webhooks, so that the same request is always refused in the same words.
      const refused = answers.find((answer) => answer.status === 'rejected');
      if (refused !== undefined) throw refused.reason;
    },
  };
}

export function mutatingWebhooks(hooks: Hooks, environment: () => HookEnvironment): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    handles: (attributes) => hooks.all.length > 0 && !isExempt(attributes),
    async mutate(attributes, warn) {
      const world = environment();
      const round = new Round(attributes, world, warn);
      const again = await round.askAll(hooks.all.flat());
      // Once more is enough, as upstream has it: webhooks must not depend on each other's order.
      if (again.size > 0) await round.askAll([...again]);
      return round.object;
    },
    async validate(attributes, warn) {
      // Nothing is made of an object that goes, but its webhooks may still refuse.
      if (attributes.operation !== 'DELETE') return;
      const world = environment();
      for (const hook of hooks.all.flat()) {
        const seen = await hook.concerns(attributes, world);
        if (seen === undefined) continue;
        const patch = await hook.ask(attributes, seen, true, world, warn);
        if (Array.isArray(patch) && patch.length > 0) throw hook.refuseUnexpectedPatch();
      }
    },
  };
}

/** One request on its way through the webhooks that may change it. */
class Round {
  readonly #environment: HookEnvironment;
  readonly #warn: Warn;
  #attributes: AdmissionAttributes;

  constructor(attributes: AdmissionAttributes, environment: HookEnvironment, warn: Warn) {
    this.#attributes = attributes;
    this.#environment = environment;
    this.#warn = warn;
  }

  get object(): KubeObject {
    return this.#attributes.object!;
  }

  /** Those that want to be asked again, since others after them changed the object. */
  async askAll(hooks: readonly Hook[]): Promise<ReadonlySet<Hook>> {
    const again = new Set<Hook>();
    let before: Hook[] = [];
    for (const hook of hooks) {
      const seen = await hook.concerns(this.#attributes, this.#environment);
      if (seen === undefined) continue;
      const patch = await hook.ask(this.#attributes, seen, true, this.#environment, this.#warn);
      if (patch !== undefined && (await this.#apply(hook, seen, patch))) {
        for (const earlier of before) again.add(earlier);
        before = [];
      }
      if (hook.reinvocable) before.push(hook);
    }
    return again;
  }

  /** Whether the patch changes anything. */
  async #apply(hook: Hook, seen: SeenAs, patch: JsonValue): Promise<boolean> {
    if (Array.isArray(patch) && patch.length === 0) return false;
    const { forms } = this.#environment;
    const { object } = await forms.show(this.#attributes, seen);
    let next: KubeObject;
    try {
      const patched = applyJsonPatch(object as unknown as JsonValue, patch) as JsonObject;
      if (deepEqual(patched, object)) return false;
      next = await forms.takeBack(this.object, patched, this.#attributes, seen);
    } catch (error) {
      throw hook.refusePatch(error);
    }
    const changed = !deepEqual(next, this.object);
    this.#attributes = { ...this.#attributes, object: next };
    return changed;
  }
}
