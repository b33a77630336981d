// Keeps what users say of kinds as the hub has it: scripts, webhooks, declarations. No controller of its own name: all
// others depend on it, and start when the first load is done.
import {
  parseApiVersion,
  type KubeObject,
  type ResourceInterpretation,
  type ResourceInterpreterCustomization,
  type ResourceInterpreterWebhookConfiguration,
} from '../api/index.ts';
import { resource, type Resource } from '../client/index.ts';
import {
  asksAbout,
  type Customizations,
  type Interpretations,
  type InterpreterHooks,
} from '../interpreter/index.ts';
import type { InformerSet } from '../runtime/index.ts';
import type { Concerns, InterpretationChanges } from './interpretation-changes.ts';

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

/**
 * Follows until the informers close; resolves once those that exist are in force.
 * @param refused tells whether ResourceInterpretations cannot be read for now; then they are in force when they can
 */
export async function followInterpretation(
  informers: InformerSet,
  { customizations, hooks, interpretations }: Interpretation,
  changes: InterpretationChanges,
  refused?: Promise<boolean>,
): Promise<void> {
  const target =
    ({ spec }: ResourceInterpreterCustomization | ResourceInterpretation): Concerns =>
    ({ apiVersion, kind }) =>
      apiVersion === spec.target.apiVersion && kind === spec.target.kind;
  const asked =
    (configuration: ResourceInterpreterWebhookConfiguration): Concerns =>
    ({ apiVersion, kind }) => {
      const { group, version } = parseApiVersion(apiVersion);
      return asksAbout(configuration, { group, version, kind });
    };
  const each = [
    follow(informers, customizationResource, (all) => customizations.load(all), target, changes),
    follow(informers, interpreterWebhookResource, (all) => hooks.load(all), asked, changes),
  ];
  const declared = follow(
    informers,
    interpretationResource,
    (all) => interpretations.load(all),
    target,
    changes,
  );
  const unlessRefused = refused?.then((cannotRead) => {
    if (!cannotRead) return declared;
    void declared.then(
      () => changes.tell(() => true),
      () => undefined,
    );
    return undefined;
  });
  each.push(unlessRefused === undefined ? declared : Promise.race([declared, unlessRefused]));
  await Promise.all(each);
}

async function follow<T extends KubeObject>(
  informers: InformerSet,
  followed: Resource<T>,
  take: (all: readonly T[]) => void,
  concernsOf: (object: T) => Concerns,
  changes: InterpretationChanges,
): Promise<void> {
  const informer = informers.informer(followed);
  const load = (): void => take(informer.store.list());
  const changed = (...objects: readonly T[]): void => {
    load();
    const concerns = objects.map(concernsOf);
    changes.tell((kind) => concerns.some((one) => one(kind)));
  };
  informer.subscribe({
    added: (object, initial) => void (initial || changed(object)),
    updated: (before, after) => {
      if (before.metadata.generation !== after.metadata.generation) changed(before, after);
    },
    deleted: (object) => changed(object),
  });
  await informer.synced;
  load();
}
