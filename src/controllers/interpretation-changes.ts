// Tells controllers which kinds have come to mean something else, so that what is there already is looked at anew and not
// only at its next change.
import type { Cancel } from '../base/index.ts';
import { keyOf } from '../client/index.ts';
import type { Binding } from '../propagation/index.ts';
import { PRIORITY_RESYNC, type Informer, type Source } from '../runtime/index.ts';

/** Whether a kind is among those that are meant. */
export type Concerns = (kind: { readonly apiVersion: string; readonly kind: string }) => boolean;

export class InterpretationChanges {
  private readonly listeners = new Set<(concerns: Concerns) => void>();

  listen(listener: (concerns: Concerns) => void): Cancel {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell(concerns: Concerns): void {
    for (const listener of this.listeners) listener(concerns);
  }
}

/** Keys of the bindings whose template has come to mean something else. */
export function reinterpreted(changes: InterpretationChanges, bindings: Informer<Binding>): Source {
  return {
    synced: Promise.resolve(),
    start: (enqueue) =>
      changes.listen((concerns) => {
        for (const binding of bindings.store.values())
          if (concerns(binding.spec.resource)) enqueue(keyOf(binding), { priority: PRIORITY_RESYNC });
      }),
  };
}
