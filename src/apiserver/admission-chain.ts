// Runs the admission plugins over a write: all that mutate, in order, then all that validate. A plugin refuses by
// throwing a StatusError.
// COMPAT: when a webhook or policy changed the object, all that mutate are asked once more, so that the rules before it
// see what it made; never a third time.
import type { KubeObject } from '../api/index.ts';
import type { AdmissionAttributes, AdmissionPlugin, MutationPass } from '../machinery/index.ts';

type Warn = (message: string) => void;

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
  for (const plugin of plugins) {
    if (plugin.mutate === undefined || !plugin.handles(current)) continue;
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
  for (const plugin of plugins) {
    if (plugin.validate === undefined || !plugin.handles(attributes)) continue;
    const result = plugin.validate(attributes, warn);
    if (result instanceof Promise) await result;
  }
}
