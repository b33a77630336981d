// How values get into objects: operations of JSON Patch that a manifest declares, filled in by a template.
import type {
  JsonObject,
  JsonValue,
  KubeObject,
  PackageManifest,
  ValueDefinitionTarget,
} from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import {
  StatusError,
  TemplateError,
  applyJsonPatch,
  compileJsonPath,
  compileTemplate,
} from '../machinery/index.ts';
import type { Values } from './values.ts';

/** One operation, and what it is meant for. */
export interface ValuePatch {
  /** What messages call its origin: a value or a transformation. */
  readonly from: string;
  readonly target: ValueDefinitionTarget;
  readonly value: JsonValue;
}

/** A patch that cannot be made or does not apply; the message names value and target. */
export class PatchError extends Error {
  override name = 'PatchError';
}

function base64(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');
}

/** The value as it goes into the object: a template makes JSON of it. */
function filledIn(target: ValueDefinitionTarget, value: JsonValue, from: string): JsonValue {
  const { valueTemplate } = target;
  if (valueTemplate === undefined || valueTemplate === '') return value;
  let printed: string;
  try {
    printed = compileTemplate(valueTemplate, { base64 }).print(value);
  } catch (error) {
    if (error instanceof TemplateError) throw new PatchError(`${from}: ${error.message}`, { cause: error });
    throw error;
  }
  try {
    return JSON.parse(printed) as JsonValue;
  } catch (error) {
    throw new PatchError(
      `${from}: the template ${valueTemplate} makes no JSON of it but ${printed}: ${errorMessage(error)}`,
      { cause: error },
    );
  }
}

/** The patches of all values that are set, in order of their names. */
export function valuePatches(
  { valueDefinitions = {} }: PackageManifest,
  values: Values,
): readonly ValuePatch[] {
  return Object.keys(valueDefinitions)
    .sort()
    .filter((name) => Object.hasOwn(values, name))
    .flatMap((name) =>
      valueDefinitions[name]!.targets.map((target) => {
        const from = `value "${name}"`;
        return { from, target, value: filledIn(target, values[name]!, from) };
      }),
    );
}

/** The object that transformation number `index` reads; `object` is undefined where it has to be the package itself. */
export function transformationPatches(
  { transformations = [] }: PackageManifest,
  sourceOf: (index: number) => KubeObject | undefined,
): readonly ValuePatch[] {
  return transformations.flatMap(({ source, targets }, index) => {
    const from = `transformation ${index + 1} (${source.path})`;
    const object = sourceOf(index);
    if (object === undefined) {
      const { kind = '', name = '' } = source.resource ?? {};
      throw new PatchError(`${from}: there is no ${kind} "${name}" to read`);
    }
    const value = valueAt(source.path, object, from);
    return targets.map((target) => ({ from, target, value: filledIn(target, value, from) }));
  });
}

function valueAt(path: string, object: KubeObject, from: string): JsonValue {
  let found: readonly (readonly unknown[])[];
  try {
    found = compileJsonPath(path).find(object);
  } catch (error) {
    throw new PatchError(`${from}: ${errorMessage(error)}`, { cause: error });
  }
  const count = found.flat().length;
  if (found.length !== 1 || count !== 1)
    throw new PatchError(`${from}: gives ${count} values where exactly one is wanted`);
  return found[0]![0] as JsonValue;
}

function applied(document: JsonValue, patch: ValuePatch, onto: string): JsonValue {
  const { op, path } = patch.target.patch;
  try {
    // COMPAT: Glasskube's library replaces only what is there, kube-apiserver's sets what is missing too.
    if (op === 'replace') applyJsonPatch(document, [{ op: 'remove', path }]);
    return applyJsonPatch(document, [{ op, path, value: patch.value }]);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new PatchError(
      `${patch.from}: ${op} ${path} does not apply to ${onto}: ${error.cause === undefined ? error.message : errorMessage(error.cause)}`,
      { cause: error },
    );
  }
}

/** The object with all patches that are meant for it. Names are those of the manifests, before any prefix. */
export function patchObject(object: KubeObject, patches: readonly ValuePatch[]): KubeObject {
  const { apiVersion, kind, metadata } = object;
  let patched = object as unknown as JsonValue;
  for (const patch of patches) {
    const { resource } = patch.target;
    if (resource === undefined || resource.kind !== kind || resource.name !== metadata.name) continue;
    if ((resource.apiGroup ?? 'v1') !== apiVersion) continue;
    if (
      resource.namespace !== undefined &&
      resource.namespace !== '' &&
      resource.namespace !== metadata.namespace
    )
      continue;
    patched = applied(patched, patch, `${kind} "${metadata.name ?? ''}"`);
  }
  return patched as unknown as KubeObject;
}

export function patchChartValues(
  chartName: string,
  values: JsonObject,
  patches: readonly ValuePatch[],
): JsonObject {
  let patched: JsonValue = values;
  for (const patch of patches)
    if (patch.target.chartName === chartName)
      patched = applied(patched, patch, `the values of chart "${chartName}"`);
  return patched as JsonObject;
}
