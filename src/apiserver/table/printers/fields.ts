// How printers read what many kinds have.
import type { Container, KubeObject, LabelSelector } from '../../../api/index.ts';
import { labelSelectorFor } from '../../../machinery/index.ts';
import { NONE, orNone } from '../columns.ts';

export type Data = Readonly<Record<string, unknown>>;

export const nameOf = ({ metadata }: { metadata: { name?: string } }): string => metadata.name ?? '';
export const size = (value: object | undefined | null): number =>
  value === undefined || value === null ? 0 : Object.keys(value).length;

export function containersOf(
  spec: { readonly containers?: readonly Container[] } | undefined,
): readonly [string, string] {
  const list = spec?.containers ?? [];
  return [list.map(({ name }) => name).join(','), list.map(({ image }) => image ?? '').join(',')];
}

export function selectorOf(selector: LabelSelector | undefined): string {
  return selector === undefined ? NONE : orNone(labelSelectorFor(selector).toString());
}

export const specData = (one: KubeObject): Data => (one['spec'] as Data | undefined) ?? {};
