// What the overriders of one rule do to a manifest (propagation.md §4.4–4.5). The manifest is never changed: what a
// rule does not touch is shared with the result. An overrider that cannot be applied throws OverrideError.
import type {
  CommandArgsOverrider,
  FieldOverrider,
  ImageOverrider,
  JsonObject,
  JsonValue,
  KubeObject,
  LabelAnnotationOverrider,
  Overriders,
  PlaintextOverrider,
} from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { applyJsonPatch } from '../machinery/index.ts';
import { jsonText, yamlText } from './document-text.ts';
import { overrideImage, parseImage, printImage } from './image-reference.ts';

/** An override that does not fit the manifest it is for. */
export class OverrideError extends Error {
  override name = 'OverrideError';
}

type Fields = Readonly<Record<string, JsonValue | undefined>>;

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: JsonValue | undefined;
}

function patched(document: JsonValue, operations: readonly Operation[]): JsonValue {
  let result = document;
  for (const { op, path, value } of operations) {
    if (op === 'replace' && path !== '' && valueAt(result, path) === undefined) {
      const parent = valueAt(result, path.slice(0, path.lastIndexOf('/')));
      const part = typeof parent === 'object' && parent !== null ? 'key' : 'path';
      throw new OverrideError(
        `replace operation does not apply: doc is missing ${part}: ${path}: missing value`,
      );
    }
    // COMPAT: upstream's library takes an addition at the root for another document.
    const kind = op === 'add' && path === '' ? 'replace' : op;
    try {
      result = applyJsonPatch(result, [
        op === 'remove' ? { op, path } : { op: kind, path, value: value ?? null },
      ]);
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      throw new OverrideError(errorMessage(cause), { cause: error });
    }
  }
  return result;
}

/** The value at a JSON pointer; undefined when there is none. */
function valueAt(document: JsonValue, pointer: string): JsonValue | undefined {
  let found: JsonValue | undefined = document;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(found))
      found = /^[+-]?\d+$/.test(key) ? (found as JsonValue[]).at(Number(key)) : undefined;
    else {
      const fields = fieldsOf(found);
      found = fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
    }
  }
  return found;
}

// ---- containers

const TEMPLATE_KINDS = new Set(['ReplicaSet', 'Deployment', 'DaemonSet', 'StatefulSet', 'Job']);

/** Where a kind has its containers. COMPAT: kinds go by name alone, and init containers are left out. */
function containersPath(kind: string): readonly string[] | undefined {
  if (kind === 'Pod') return ['spec', 'containers'];
  return TEMPLATE_KINDS.has(kind) ? ['spec', 'template', 'spec', 'containers'] : undefined;
}

/** The manifest with each container as `change` returns it. */
function withContainers(manifest: KubeObject, change: (container: Fields) => Fields): KubeObject {
  const path = containersPath(manifest.kind);
  if (path === undefined) return manifest;
  const step = (value: JsonValue | undefined, at: number): JsonValue | undefined => {
    if (at === path.length) {
      if (!Array.isArray(value)) return value;
      const containers = value as JsonValue[];
      const next = containers.map((one) => {
        const container = fieldsOf(one);
        return container === undefined ? one : change(container);
      });
      return next.every((one, index) => one === containers[index]) ? value : next;
    }
    const fields = fieldsOf(value);
    const key = path[at] ?? '';
    if (fields === undefined || !Object.hasOwn(fields, key)) return value;
    const child = step(fields[key], at + 1);
    return child === fields[key] ? value : { ...(fields as JsonObject), [key]: child };
  };
  return step(manifest as unknown as JsonObject, 0) as unknown as KubeObject;
}

function overriddenImage(image: JsonValue | undefined, overrider: ImageOverrider, where: string): string {
  if (typeof image !== 'string')
    throw new OverrideError(`${JSON.stringify(image ?? null)} at ${where} is no image`);
  const parsed = parseImage(image);
  if ('fault' in parsed)
    throw new OverrideError(`failed to parse image value(${image}) at ${where}, error: ${parsed.fault}`);
  return printImage(overrideImage(parsed, overrider));
}

function applyImage(manifest: KubeObject, overrider: ImageOverrider): KubeObject {
  const { predicate } = overrider;
  if (predicate === undefined) {
    return withContainers(manifest, (container) => {
      const where = `container ${JSON.stringify(container['name'] ?? '')}`;
      const image = overriddenImage(container['image'], overrider, where);
      return image === container['image'] ? container : { ...container, image };
    });
  }
  const document = manifest as unknown as JsonObject;
  const image = overriddenImage(valueAt(document, predicate.path), overrider, predicate.path);
  return patched(document, [{ op: 'replace', path: predicate.path, value: image }]) as unknown as KubeObject;
}

function applyWords(
  manifest: KubeObject,
  overrider: CommandArgsOverrider,
  field: 'command' | 'args',
): KubeObject {
  const { containerName, operator, value = [] } = overrider;
  return withContainers(manifest, (container) => {
    if (container['name'] !== containerName) return container;
    const words = (container[field] ?? []) as readonly JsonValue[];
    const next =
      operator === 'add' ? [...words, ...value] : words.filter((word) => !value.includes(word as string));
    return { ...container, [field]: next };
  });
}

// ---- labels and annotations

function applyKeys(
  manifest: KubeObject,
  { operator, value }: LabelAnnotationOverrider,
  field: 'labels' | 'annotations',
): KubeObject {
  const before = manifest.metadata[field] ?? undefined;
  const own = (key: string): boolean => before !== undefined && Object.hasOwn(before, key);
  const entries = Object.entries(value).filter(([key]) => operator === 'add' || own(key));
  if (entries.length === 0) return manifest;
  const after = new Map(Object.entries(before ?? {}));
  for (const [key, text] of entries) {
    if (operator === 'remove') after.delete(key);
    else after.set(key, text);
  }
  return { ...manifest, metadata: { ...manifest.metadata, [field]: Object.fromEntries(after) } };
}

// ---- text that holds a document

/** What became of the last text: one template is overridden for many clusters, and its documents may be large. */
const lastTexts = new WeakMap<FieldOverrider, { readonly before: string; readonly after: string }>();

function applyField(manifest: KubeObject, overrider: FieldOverrider): KubeObject {
  const { fieldPath } = overrider;
  const document = manifest as unknown as JsonObject;
  const before = valueAt(document, fieldPath);
  if (typeof before !== 'string') throw new OverrideError(`the value at ${fieldPath} is no text`);
  const last = lastTexts.get(overrider);
  const after = last?.before === before ? last.after : overriddenText(before, overrider);
  lastTexts.set(overrider, { before, after });
  if (after === before) return manifest;
  return patched(document, [{ op: 'replace', path: fieldPath, value: after }]) as unknown as KubeObject;
}

/** COMPAT: a policy that has both, which only the deprecated form may, means its YAML; and no JSON at all stays that. */
function overriddenText(text: string, { fieldPath, json = [], yaml = [] }: FieldOverrider): string {
  const [how, list] = yaml.length > 0 ? ([yamlText, yaml] as const) : ([jsonText, json] as const);
  if (list.length === 0 || (how === jsonText && text === '')) return text;
  let inner: JsonValue;
  try {
    inner = how.parse(text);
  } catch (error) {
    throw new OverrideError(`the value at ${fieldPath} is no ${how.called}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const operations = list.map(({ subPath, operator, value }) => ({ op: operator, path: subPath, value }));
  return how.print(patched(inner, operations));
}

function applyPlaintext(manifest: KubeObject, items: readonly PlaintextOverrider[]): KubeObject {
  if (items.length === 0) return manifest;
  const operations = items.map(({ path, operator, value }) => ({ op: operator, path, value }));
  const object = patched(manifest as unknown as JsonObject, operations);
  if (!isObject(object)) throw new OverrideError('what is left has no apiVersion, no kind or no name');
  const { labels, annotations } = object.metadata as Fields;
  for (const [field, value] of Object.entries({ labels, annotations }))
    if ((value ?? undefined) !== undefined && fieldsOf(value) === undefined)
      throw new OverrideError(`what is left in metadata.${field} is no map`);
  return object;
}

/** A patch may take away, or replace, anything; what is sent to a cluster has to name itself. */
function isObject(value: unknown): value is KubeObject {
  const { apiVersion, kind, metadata } = fieldsOf(value) ?? {};
  return [apiVersion, kind, fieldsOf(metadata)?.['name']].every(
    (text) => typeof text === 'string' && text !== '',
  );
}

/** Applies the overriders of one rule in their fixed order. Throws OverrideError. */
export function applyOverriders(manifest: KubeObject, overriders: Overriders): KubeObject {
  let next = manifest;
  for (const overrider of overriders.imageOverrider ?? []) next = applyImage(next, overrider);
  for (const overrider of overriders.commandOverrider ?? []) next = applyWords(next, overrider, 'command');
  for (const overrider of overriders.argsOverrider ?? []) next = applyWords(next, overrider, 'args');
  for (const overrider of overriders.labelsOverrider ?? []) next = applyKeys(next, overrider, 'labels');
  for (const overrider of overriders.annotationsOverrider ?? [])
    next = applyKeys(next, overrider, 'annotations');
  for (const overrider of overriders.fieldOverrider ?? []) next = applyField(next, overrider);
  return applyPlaintext(next, overriders.plaintext ?? []);
}
