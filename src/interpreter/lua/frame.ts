// One call of a function of a script, and what compiled code looks like.
import type { Label } from './ast.ts';
import type { Machine } from './machine.ts';
import type { LuaValue } from './value.ts';

/** A local that an inner function uses, and that may therefore outlive the call. */
export class Box {
  value: LuaValue;

  constructor(value: LuaValue) {
    this.value = value;
  }
}

export interface Frame {
  readonly machine: Machine;
  /** INVARIANT: a slot of a captured local holds a Box once it is declared, any other slot a plain value. */
  readonly slots: (LuaValue | Box)[];
  readonly captures: readonly Box[];
  readonly varargs: readonly LuaValue[];
}

export type Evaluate = (frame: Frame) => LuaValue;
export type EvaluateAll = (frame: Frame) => LuaValue[];

export const BREAK = Symbol('break');
/** What a statement ends with: nothing, a break, a label to go on at, or the values of a return. */
export type Outcome = undefined | typeof BREAK | Label | LuaValue[];
export type Execute = (frame: Frame) => Outcome;
