// Keeps the scripts that interpret resources as the hub has them. No controller of its own name: all others depend on it,
// and start when the first load is done.
import type { ResourceInterpreterCustomization } from '../api/index.ts';
import { resource, type Resource } from '../client/index.ts';
import type { Customizations } from '../interpreter/index.ts';
import type { InformerSet } from '../runtime/index.ts';

export const customizationResource: Resource<ResourceInterpreterCustomization> = resource({
  group: 'config.karmada.io',
  version: 'v1alpha1',
  resource: 'resourceinterpretercustomizations',
  namespaced: false,
});

/** Follows until the informers close; resolves once those that exist are in force. */
export async function followCustomizations(
  informers: InformerSet,
  customizations: Customizations,
): Promise<void> {
  const informer = informers.informer(customizationResource);
  const load = (): void => customizations.load(informer.store.list());
  informer.subscribe({
    added: (_customization, initial) => void (initial || load()),
    updated: load,
    deleted: load,
  });
  await informer.synced;
  load();
}
