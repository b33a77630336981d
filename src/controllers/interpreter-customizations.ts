// Keeps what users say of kinds as the hub has it: scripts, webhooks, declarations. No controller of its own name: all
// others depend on it, and start when the first load is done.
import type {
  KubeObject,
  ResourceInterpretation,
  ResourceInterpreterCustomization,
  ResourceInterpreterWebhookConfiguration,
} from '../api/index.ts';
import { resource, type Resource } from '../client/index.ts';
import type { Customizations, Interpretations, InterpreterHooks } from '../interpreter/index.ts';
import type { InformerSet } from '../runtime/index.ts';

export const customizationResource: Resource<ResourceInterpreterCustomization> = resource({
  group: 'config.karmada.io',
  version: 'v1alpha1',
  resource: 'resourceinterpretercustomizations',
  namespaced: false,
});

export const interpreterWebhookResource: Resource<ResourceInterpreterWebhookConfiguration> = resource({
  group: 'config.karmada.io',
  version: 'v1alpha1',
  resource: 'resourceinterpreterwebhookconfigurations',
  namespaced: false,
});

export const interpretationResource: Resource<ResourceInterpretation> = resource({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'resourceinterpretations',
  namespaced: false,
});

/** What is kept as users have it. */
export interface Interpretation {
  readonly customizations: Customizations;
  readonly hooks: InterpreterHooks;
  readonly interpretations: Interpretations;
}

/** Follows until the informers close; resolves once those that exist are in force. */
export async function followInterpretation(
  informers: InformerSet,
  { customizations, hooks, interpretations }: Interpretation,
): Promise<void> {
  await Promise.all([
    follow(informers, customizationResource, (all) => customizations.load(all)),
    follow(informers, interpreterWebhookResource, (all) => hooks.load(all)),
    follow(informers, interpretationResource, (all) => interpretations.load(all)),
  ]);
}

async function follow<T extends KubeObject>(
  informers: InformerSet,
  followed: Resource<T>,
  take: (all: readonly T[]) => void,
): Promise<void> {
  const informer = informers.informer(followed);
  const load = (): void => take(informer.store.list());
  informer.subscribe({
    added: (_object, initial) => void (initial || load()),
    updated: load,
    deleted: load,
  });
  await informer.synced;
  load();
}
