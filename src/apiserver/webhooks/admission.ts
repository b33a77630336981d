// Admission by webhooks, as two plugins: those that may change objects are asked one after the other, those that only
// look at them all at once.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import {
  applyJsonPatch,
  deepEqual,
  type AdmissionAttributes,
  type AdmissionPlugin,
  type MutationPass,
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
        asked.map(({ hook, seen }, index) =>
          hook.ask(attributes, seen, `round_0_index_${index}`, false, world, warn),
        ),
      );
      // The first by order of the webhooks, so that the same request is always refused in the same words.
      const refused = answers.find((answer) => answer.status === 'rejected');
      if (refused !== undefined) throw refused.reason;
    },
  };
}

export function mutatingWebhooks(hooks: Hooks, environment: () => HookEnvironment): AdmissionPlugin {
  return {
    name: NAME,
    handles: (attributes) => hooks.all.length > 0 && !isExempt(attributes),
    async mutate(attributes, warn) {
      const world = environment();
      const round = new Round(attributes, world, warn);
      await round.askAll(hooks.all.flat());
      return round.object;
    },
    async validate(attributes, warn) {
      // Nothing is made of an object that goes, but its webhooks may still refuse.
      if (attributes.operation !== 'DELETE') return;
      const world = environment();
      for (const [index, hook] of hooks.all.flat().entries()) {
        const seen = await hook.concerns(attributes, world);
        if (seen === undefined) continue;
        const patch = await hook.ask(attributes, seen, `round_0_index_${index}`, true, world, warn);
        if (Array.isArray(patch) && patch.length > 0) throw hook.refuseUnexpectedPatch();
      }
    },
  };
}

/** What the webhooks keep of a request for when all rules are asked again. */
interface Kept {
  /** Webhooks that want to be asked again if the object changes after them. */
  waiting: Set<Hook>;
  /** Webhooks after which the object did change. */
  readonly again: Set<Hook>;
  /** How they left the object. */
  output: KubeObject | undefined;
}

const NAME = 'MutatingAdmissionWebhook';

/** One request on its way through the webhooks that may change it. */
class Round {
  readonly #environment: HookEnvironment;
  readonly #warn: Warn;
  readonly #pass: MutationPass | undefined;
  readonly #kept: Kept;
  #attributes: AdmissionAttributes;

  constructor(attributes: AdmissionAttributes, environment: HookEnvironment, warn: Warn) {
    this.#attributes = attributes;
    this.#environment = environment;
    this.#warn = warn;
    this.#pass = attributes.pass;
    const before = this.#pass?.kept.get(NAME) as Kept | undefined;
    this.#kept = before ?? { waiting: new Set(), again: new Set(), output: undefined };
    this.#pass?.kept.set(NAME, this.#kept);
  }

  get object(): KubeObject {
    return this.#attributes.object!;
  }

  /**
   * Asks those that the request concerns; the second time only those that want to be asked again, and only when the
   * object has changed since. COMPAT: one that was not asked the first time is not asked the second time either.
   */
  async askAll(hooks: readonly Hook[]): Promise<void> {
    const kept = this.#kept;
    const repeated = this.#pass?.repeated === true;
    if (repeated && kept.output !== undefined && !deepEqual(kept.output, this.object)) this.#changed();
    try {
      for (const [index, hook] of hooks.entries()) {
        const seen = await hook.concerns(this.#attributes, this.#environment);
        if (seen === undefined || (repeated && !kept.again.has(hook))) continue;
        await this.#ask(hook, seen, `round_${repeated ? 1 : 0}_index_${index}`);
        if (hook.reinvocable) kept.waiting.add(hook);
      }
    } finally {
      kept.output = this.object;
    }
  }

  /** All that were asked and want to know of changes have to be asked again. */
  #changed(): void {
    for (const hook of this.#kept.waiting) this.#kept.again.add(hook);
    this.#kept.waiting = new Set();
  }

  async #ask(hook: Hook, seen: SeenAs, place: string): Promise<void> {
    const attributes = this.#attributes;
    const patch = await hook.ask(attributes, seen, place, true, this.#environment, this.#warn);
    const mutated = patch !== undefined && (await this.#apply(hook, seen, patch));
    const note = { configuration: hook.configuration, webhook: hook.name, mutated };
    attributes.annotate?.(`mutation.webhook.admission.k8s.io/${place}`, JSON.stringify(note));
    if (!mutated) return;
    const patched = { configuration: hook.configuration, webhook: hook.name, patch, patchType: 'JSONPatch' };
    attributes.annotate?.(`patch.webhook.admission.k8s.io/${place}`, JSON.stringify(patched), 'Request');
    this.#changed();
    this.#pass?.repeat();
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
