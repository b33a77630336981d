// What expressions of mutating policies can make: objects (`Object{spec: Object.spec{replicas: 3}}`) and operations of
// a JSON patch (`JSONPatch{op: 'add', path: '/metadata/labels', value: {}}`).
// INVARIANT: an object is named after where it stands, so a misplaced one is found when the expression is compiled.
import type { JsonValue } from '../../api/index.ts';
import type { Node, StructNode } from './ast.ts';
import type { FunctionTable } from './functions.ts';
import { ANY_FIELD, CelType, STRING } from './types.ts';
import { EvaluationError, ListValue, MapValue, Optional, Uint, type Value } from './values.ts';

const OBJECT = 'Object';
const PATCH = 'JSONPatch';
const PATCH_FIELDS = ['op', 'path', 'from', 'value'];

const isObjectTypeName = (name: string): boolean => name === OBJECT || name.startsWith(`${OBJECT}.`);

/** The type that a literal makes; undefined: there is none of that name. */
export function structType(name: string): CelType | undefined {
  return isObjectTypeName(name) || name === PATCH ? new CelType('object', name, [], ANY_FIELD) : undefined;
}

/** Why a field of a literal cannot have this value; undefined: it can. */
export function fieldProblem(struct: string, field: string, value: Node): string | undefined {
  if (struct === PATCH) return PATCH_FIELDS.includes(field) ? undefined : `undefined field '${field}'`;
  const misplaced = structsIn(value).find(
    ({ name }) => isObjectTypeName(name) && name !== `${struct}.${field}`,
  );
  return misplaced === undefined
    ? undefined
    : `unexpected type name "${misplaced.name}", expected "${struct}.${field}", which matches field name path from root Object type`;
}

/** The literals that a value is made of, without what is inside them. */
function structsIn(node: Node): readonly StructNode[] {
  if (node.kind === 'struct') return [node];
  if (node.kind === 'list') return node.items.flatMap(structsIn);
  return node.kind === 'map' ? node.entries.flatMap(({ value }) => structsIn(value)) : [];
}

export class StructValue extends MapValue {
  readonly #fields: ReadonlyMap<string, Value>;
  constructor(fields: ReadonlyMap<string, Value>) {
    super();
    this.#fields = fields;
  }
  get size(): number {
    return this.#fields.size;
  }
  keys(): Iterable<string> {
    return this.#fields.keys();
  }
  find(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#fields.get(key) : undefined;
  }
}

/** A value as JSON. Throws an EvaluationError for what JSON cannot say. */
export function jsonOf(value: Value): JsonValue {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Optional) return value.value === undefined ? null : jsonOf(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof ListValue) return Array.from(value, jsonOf);
  if (value instanceof MapValue) {
    const entries: [string, JsonValue][] = [];
    for (const key of value.keys()) {
      if (typeof key !== 'string') throw new EvaluationError('map keys must be strings');
      entries.push([key, jsonOf(value.find(key)!)]);
    }
    return Object.fromEntries(entries);
  }
  throw new EvaluationError('unsupported conversion to JSON');
}

/** As JSON pointers spell what is in a key. */
const escapeKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

export function mutationFunctions(table: FunctionTable): void {
  table.global('jsonpatch.escapeKey', 'string_jsonpatch_escapeKey_string', [STRING], STRING, escapeKey);
}
