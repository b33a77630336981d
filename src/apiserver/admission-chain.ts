// Runs the admission plugins over a write: all that mutate, in order, then all that validate. A plugin refuses by
// throwing a StatusError.
// COMPAT: when a webhook or policy changed the object, all that mutate are asked once more, so that the rules before it
// see what it made; never a third time.
import type { KubeObject } from '../api/index.ts';
import type { AdmissionAttributes, AdmissionPlugin, MutationPass } from '../machinery/index.ts';

type Warn = (message: string) => void;

type Mutating = AdmissionPlugin & Required<Pick<AdmissionPlugin, 'mutate'>>;
type Validating = AdmissionPlugin & Required<Pick<AdmissionPlugin, 'validate'>>;

interface Sorted {
  readonly mutating: readonly Mutating[];
  readonly validating: readonly Validating[];
}

const known = new WeakMap<readonly AdmissionPlugin[], Sorted>();

/** The plugins of a server by what they do, worked out once: every write asks all of them. */
function sorted(plugins: readonly AdmissionPlugin[]): Sorted {
  let both = known.get(plugins);
  if (both === undefined) {
    both = {
      mutating: plugins.filter((plugin): plugin is Mutating => plugin.mutate !== undefined),
      validating: plugins.filter((plugin): plugin is Validating => plugin.validate !== undefined),
    };
    known.set(plugins, both);
  }
  return both;
}

class Pass implements MutationPass {
  readonly kept = new Map<string, unknown>();
  repeated = false;
  wanted = false;
  repeat(): void {
    this.wanted = true;
  }
}

/** What the plugins made of the object. `attributes.object` must be there. */
export async function mutateAdmission(
  plugins: readonly AdmissionPlugin[],
  attributes: AdmissionAttributes & { readonly object: KubeObject },
  warn: Warn,
): Promise<KubeObject> {
  const pass = new Pass();
  const given = { ...attributes, pass };
  const object = await mutateOnce(plugins, given, warn);
  if (!pass.wanted) return object;
  pass.repeated = true;
  return mutateOnce(plugins, { ...given, object }, warn);
}

async function mutateOnce(
  plugins: readonly AdmissionPlugin[],
  attributes: AdmissionAttributes & { readonly object: KubeObject },
  warn: Warn,
): Promise<KubeObject> {
  let current = attributes;
  const { mutating } = sorted(plugins);
  for (let i = 0; i < mutating.length; i++) {
    const plugin = mutating[i]!;
    if (!plugin.handles(current)) continue;
    const result = plugin.mutate(current, warn);
    const object = result instanceof Promise ? await result : result;
    if (object !== current.object) current = { ...current, object };
  }
  return current.object;
}

export async function validateAdmission(
  plugins: readonly AdmissionPlugin[],
  attributes: AdmissionAttributes,
  warn: Warn,
): Promise<void> {
  const { validating } = sorted(plugins);
  for (let i = 0; i < validating.length; i++) {
    const plugin = validating[i]!;
    if (!plugin.handles(attributes)) continue;
    const result = plugin.validate(attributes, warn);
    if (result instanceof Promise) await result;
  }
}
