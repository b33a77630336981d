// What scripts return, as what the operations promise. A script may return anything, so everything is checked here.
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

function wrong(wanted: string, value: LuaValue): Error {
  return new Error(`the script must return ${wanted}, not ${luaType(value)}`);
}

function tableOf(value: LuaValue): LuaTable {
  if (value instanceof LuaTable) return value;
  throw wrong('a table', value);
}

function listOf(value: LuaValue, what: string): readonly JsonValue[] {
  const list = toJson(tableOf(value), []);
  if (Array.isArray(list)) return list as readonly JsonValue[];
  throw new Error(`the script must return a list of ${what}`);
}

export function asReplicas([replicas, requirements]: readonly LuaValue[]): Replicas {
  if (typeof replicas !== 'number') throw wrong('a number of replicas', replicas);
  if (!Number.isFinite(replicas)) throw new Error('the script must return a finite number of replicas');
  const count = replicaCount(replicas);
  if (requirements === undefined) return { replicas: count, requirements: undefined };
  if (!(requirements instanceof LuaTable)) throw wrong('a table or nil as requirements', requirements);
  return { replicas: count, requirements: checkedRequirements(toJson(requirements, {}) as JsonObject) };
}

export function asComponents([value]: readonly LuaValue[]): readonly Component[] {
  return value === undefined ? [] : checkedComponents(listOf(value, 'components'));
}

/** @param references objects that show what empty fields are */
export function asObject([value]: readonly LuaValue[], references: readonly JsonValue[]): KubeObject {
  return checkedObject(toJson(tableOf(value), {}, new EmptyShapes(references)));
}

export function asStatus([value]: readonly LuaValue[]): JsonValue {
  return toJson(tableOf(value), {});
}

export function asHealth([value]: readonly LuaValue[]): boolean {
  if (typeof value !== 'boolean') throw wrong('a boolean', value);
  return value;
}

export function asDependencies([value]: readonly LuaValue[]): readonly Dependency[] {
  return checkedDependencies(listOf(value, 'dependencies'));
}
