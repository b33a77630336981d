// Fields that an applied configuration wants to change and that others manage, as the Status that says so.
import { goQuote } from '../go-text.ts';
import { StatusError } from '../status-error.ts';
import { identityOf, type ManagedSet } from './managed-fields.ts';
import { pathText, type PathElement } from './path-element.ts';

export interface Conflict {
  readonly entry: ManagedSet;
  readonly path: readonly PathElement[];
}

export class ConflictError extends Error {
  override name = 'ConflictError';
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(`${conflicts.length} conflicts`);
    this.conflicts = conflicts;
  }

  toStatus(): StatusError {
    const causes = this.conflicts.map(({ entry, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describe(entry)}`,
      field: pathText(path),
    }));
    return new StatusError(409, 'Conflict', this.#message(), { causes });
  }

  #message(): string {
    const [first] = this.conflicts;
    if (this.conflicts.length === 1 && first !== undefined) {
      return `Apply failed with 1 conflict: conflict with ${describe(first.entry)}: ${pathText(first.path)}`;
    }
    const byManager = Map.groupBy(this.conflicts, ({ entry }) => identityOf(entry, entry.apiVersion));
    const lines = [...byManager]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, conflicts]) => [
        `conflicts with ${conflicts[0] === undefined ? '' : describe(conflicts[0].entry)}:`,
        ...conflicts.map(({ path }) => `- ${pathText(path)}`),
      ]);
    return `Apply failed with ${this.conflicts.length} conflicts: ${lines.join('\n')}`;
  }
}

function describe({ manager, subresource, operation, apiVersion }: ManagedSet): string {
  const named =
    subresource === '' ? goQuote(manager) : `${goQuote(manager)} with subresource ${goQuote(subresource)}`;
  return operation === 'Update' ? `${named} using ${apiVersion}` : named;
}
