// Which objects a list or watch is about: label and field selectors of the request over one resource.
import type { KubeObject } from '../api/index.ts';
import { badRequest, type FieldSelector, type Selector } from '../machinery/index.ts';
import type { ResourceCall } from './call.ts';
import type { ListQuery } from './options.ts';
import type { ResourceDefinition } from './resource.ts';

export interface Selection {
  /** Nothing is left out. */
  readonly all: boolean;
  /** Objects are of the storage version. */
  matches(object: KubeObject): boolean;
}

const EVERYTHING: Selection = { all: true, matches: () => true };

function fieldValue(object: KubeObject, extra: Readonly<Record<string, string>>, field: string): string {
  if (field === 'metadata.name') return object.metadata.name ?? '';
  if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
  return Object.hasOwn(extra, field) ? extra[field]! : '';
}

/** Throws a 400 StatusError for a field that the resource cannot be selected by. */
export function selectionOf(
  definition: ResourceDefinition,
  labels: Selector,
  fields: FieldSelector,
): Selection {
  if (labels.empty && fields.empty) return EVERYTHING;
  const { strategy } = definition;
  const known = new Set(['metadata.name', ...(strategy.selectableFieldNames ?? [])]);
  if (definition.custom !== true || definition.namespaced) known.add('metadata.namespace');
  for (const { field } of fields.requirements) {
    if (known.has(field)) continue;
    throw badRequest(unknownField(definition, field));
  }
  const onlyMeta = fields.requirements.every(({ field }) => field.startsWith('metadata.'));
  return {
    all: false,
    matches(object) {
      if (!labels.matches(object.metadata.labels)) return false;
      if (fields.empty) return true;
      const extra = onlyMeta ? {} : (strategy.selectableFields?.(object) ?? {});
      return fields.matches((field) => fieldValue(object, extra, field));
    },
  };
}

/** Refuses a selector that is not about the one object that the path names. */
export function refuseOtherName({ info }: ResourceCall, { fieldSelector }: ListQuery): void {
  if (info.name === '' || fieldSelector.empty) return;
  if (fieldSelector.exactValue('metadata.name') === info.name) return;
  throw badRequest("fieldSelector metadata.name doesn't match requested name");
}

function unknownField(definition: ResourceDefinition, field: string): string {
  const { strategy, custom } = definition;
  const quoted = JSON.stringify(field);
  if (custom === true) return `field label not supported: ${field}`;
  return strategy.selectableFieldNames === undefined
    ? `${quoted} is not a known field selector: only "metadata.name", "metadata.namespace"`
    : `field label not supported: ${field}`;
}
