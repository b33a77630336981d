// What scripts return, as what the operations promise. A script may return anything, so everything is checked here.
// COMPAT: a wrong type is named in upstream's words.
import type { Component, JsonObject, JsonValue, KubeObject } from '../api/index.ts';
import {
  checkedComponents,
  checkedDependencies,
  checkedObject,
  checkedRequirements,
  replicaCount,
} from './answers.ts';
import type { Dependency, Replicas } from './interpreter.ts';
import { EmptyShapes, LuaTable, luaType, toJson, type LuaValue } from './lua/index.ts';

/** gopher-lua's numbers of types, which is how upstream's messages name some of them. */
const TYPE_NUMBERS: Readonly<Record<string, number>> = {
  nil: 0,
  boolean: 1,
  number: 2,
  string: 3,
  function: 4,
  table: 7,
};

function wrongType(value: LuaValue, wanted: 'number' | 'bool'): Error {
  return new Error(`result type ${TYPE_NUMBERS[luaType(value)] ?? 0} is not ${wanted}`);
}

/** @param what as upstream's message calls it, whatever it is */
function tableOf(value: LuaValue, what: 'requires' | 'replica' = 'requires'): LuaTable {
  if (value instanceof LuaTable) return value;
  throw new Error(`expect the returned ${what} type is table but got ${luaType(value)}`);
}

function listOf(value: LuaValue, what: string): readonly JsonValue[] {
  const list = toJson(tableOf(value), []);
  if (Array.isArray(list)) return list as readonly JsonValue[];
  throw new Error(`the script must return a list of ${what}`);
}

export function asReplicas([replicas, requirements]: readonly LuaValue[]): Replicas {
  if (typeof replicas !== 'number') throw wrongType(replicas, 'number');
  if (!Number.isFinite(replicas)) throw new Error('the script must return a finite number of replicas');
  const count = replicaCount(replicas);
  if (requirements === undefined) return { replicas: count, requirements: undefined };
  return {
    replicas: count,
    requirements: checkedRequirements(toJson(tableOf(requirements), {}) as JsonObject),
  };
}

export function asComponents([value]: readonly LuaValue[]): readonly Component[] {
  if (value === undefined) return [];
  if (value instanceof LuaTable) return checkedComponents(listOf(value, 'components'));
  throw new Error(`expected result type 'table' or 'nil' from GetComponents, but got '${luaType(value)}'`);
}

/** @param references objects that show what empty fields are */
export function asObject([value]: readonly LuaValue[], references: readonly JsonValue[]): KubeObject {
  return checkedObject(toJson(tableOf(value), {}, new EmptyShapes(references)));
}

export function asStatus([value]: readonly LuaValue[]): JsonValue {
  return toJson(tableOf(value, 'replica'), {});
}

export function asHealth([value]: readonly LuaValue[]): boolean {
  if (typeof value !== 'boolean') throw wrongType(value, 'bool');
  return value;
}

export function asDependencies([value]: readonly LuaValue[]): readonly Dependency[] {
  return checkedDependencies(listOf(value, 'dependencies'));
}
