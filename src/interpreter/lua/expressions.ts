// Turns a parsed script into closures: one for each expression, with everything that can be known beforehand decided when
// they are made. Statements are in statements.ts; running a script is calling the closure of its main chunk.
import type { Call, Capture, Expression, FunctionBody, Local, Statement } from './ast.ts';
import { Box, type Evaluate, type EvaluateAll, type Execute, type Frame } from './frame.ts';
import { ENTRY_BYTES, TABLE_BYTES, type Machine } from './machine.ts';
import { binaryOperator, errorAt, indexOf, lengthOf, negate, setEntry } from './operators.ts';
import { LuaTable } from './table.ts';
import { LuaFunction, isTruthy, type LuaValue } from './value.ts';

type Operation = Extract<Expression, { type: 'and' | 'or' | 'binary' | 'unary' }>;

export class ExpressionCompiler {
  readonly #compileBlock: (block: readonly Statement[]) => Execute;

  constructor(compileBlock: (block: readonly Statement[]) => Execute) {
    this.#compileBlock = compileBlock;
  }

  /** Makes the function in the frame that it is in. */
  function(body: FunctionBody): (frame: Frame | undefined, machine: Machine) => LuaFunction {
    const execute = this.#compileBlock(body.block);
    const { name, parameters, variadic, slots, captures } = body;
    return (outer, owner) => {
      owner.allocate(TABLE_BYTES + ENTRY_BYTES * captures.length);
      const boxes = captures.map((capture) => captured(capture, outer));
      return new LuaFunction(name, (machine, args) => {
        const frame: Frame = {
          machine,
          slots: Array.from<LuaValue>({ length: slots }),
          captures: boxes,
          varargs: variadic ? args.slice(parameters.length) : [],
        };
        parameters.forEach((parameter, index) => declare(frame, parameter, args[index]));
        const outcome = execute(frame);
        // Breaks and gotos end within the function, which the parser has seen to.
        return Array.isArray(outcome) ? outcome : [];
      });
    };
  }

  /** All values, where several are wanted. */
  all(expressions: readonly Expression[]): EvaluateAll {
    const last = expressions.at(-1);
    if (last === undefined) return () => [];
    if (last.type !== 'call' && last.type !== 'varargs') {
      const each = expressions.map((one) => this.one(one));
      if (each.length === 1) {
        const [only = nothing] = each;
        return (frame) => [only(frame)];
      }
      return (frame) => each.map((evaluate) => evaluate(frame));
    }
    const before = expressions.slice(0, -1).map((one) => this.one(one));
    const rest = last.type === 'call' ? this.call(last) : (frame: Frame): LuaValue[] => [...frame.varargs];
    if (before.length === 0) return rest;
    return (frame) => {
      const values = before.map((evaluate) => evaluate(frame));
      for (const value of rest(frame)) values.push(value);
      return values;
    };
  }

  one(expression: Expression): Evaluate {
    switch (expression.type) {
      case 'constant': {
        const { value } = expression;
        return () => value;
      }
      case 'varargs':
        return ({ varargs }) => varargs[0];
      case 'function': {
        const make = this.function(expression.body);
        return (frame) => make(frame, frame.machine);
      }
      case 'local':
        return compileLocal(expression.local);
      case 'captured': {
        const { index } = expression;
        return ({ captures }) => captures[index]?.value;
      }
      case 'global': {
        const { name } = expression;
        return ({ machine }) => machine.globals.fields?.get(name);
      }
      case 'index':
        return this.#index(expression);
      case 'call': {
        const call = this.call(expression);
        return (frame) => call(frame)[0];
      }
      case 'parenthesis':
        return this.one(expression.inner);
      case 'table':
        return this.#table(expression);
      default:
        return this.#operation(expression);
    }
  }

  #index({ object, key, line }: Extract<Expression, { type: 'index' }>): Evaluate {
    const evaluateObject = this.one(object);
    if (key.type === 'constant' && typeof key.value === 'string') {
      const name = key.value;
      return (frame) => {
        const found = evaluateObject(frame);
        return found instanceof LuaTable
          ? found.fields?.get(name)
          : indexOf(frame.machine, found, name, line);
      };
    }
    const evaluateKey = this.one(key);
    return (frame) => {
      const found = evaluateObject(frame);
      return indexOf(frame.machine, found, evaluateKey(frame), line);
    };
  }

  #operation(expression: Operation): Evaluate {
    if (expression.type === 'unary') {
      const { operator, line } = expression;
      const operand = this.one(expression.operand);
      if (operator === 'not') return (frame) => !isTruthy(operand(frame));
      return operator === '-'
        ? (frame) => negate(operand(frame), line)
        : (frame) => lengthOf(frame.machine, operand(frame), line);
    }
    const left = this.one(expression.left);
    const right = this.one(expression.right);
    if (expression.type === 'binary') {
      const apply = binaryOperator(expression.operator, expression.line);
      return (frame) => {
        const first = left(frame);
        return apply(frame.machine, first, right(frame));
      };
    }
    const goesOn = expression.type === 'and';
    return (frame) => {
      const first = left(frame);
      return isTruthy(first) === goesOn ? right(frame) : first;
    };
  }

  #table({ items, line }: Extract<Expression, { type: 'table' }>): Evaluate {
    const listed = this.all(items.filter(({ key }) => key === undefined).map(({ value }) => value));
    const keyed = items.flatMap(({ key, value }) =>
      key === undefined ? [] : [{ key: this.one(key), value: this.one(value) }],
    );
    // A call in the middle of the constructor counts with one value, at its end with all.
    const cut = items.at(-1)?.key === undefined ? undefined : items.length - keyed.length;
    return (frame) => {
      const { machine } = frame;
      const table = new LuaTable();
      for (const { key, value } of keyed) {
        const name = key(frame);
        if (name === undefined || Number.isNaN(name)) throw errorAt(line, 'table index is nil');
        setEntry(machine, table, name, value(frame));
      }
      const list = listed(frame);
      if (cut !== undefined && list.length > cut) list.length = cut;
      machine.allocate(TABLE_BYTES + ENTRY_BYTES * list.length);
      // Keys in brackets may have put something into the list already; what stands without a key wins.
      table.list = table.list.length > list.length ? [...list, ...table.list.slice(list.length)] : list;
      return table;
    };
  }

  call({ callee, method, args, line }: Call): EvaluateAll {
    const evaluateCallee = this.one(callee);
    const evaluateArgs = this.all(args);
    if (method === undefined) {
      return (frame) => {
        const target = evaluateCallee(frame);
        const values = evaluateArgs(frame);
        frame.machine.step();
        return callValue(frame.machine, target, values, line);
      };
    }
    return (frame) => {
      const { machine } = frame;
      const object = evaluateCallee(frame);
      const target = indexOf(machine, object, method, line);
      machine.step();
      return callValue(machine, target, [object, ...evaluateArgs(frame)], line);
    };
  }
}

function captured({ from }: Capture, outer: Frame | undefined): Box {
  const box = 'local' in from ? outer?.slots[from.local.slot] : outer?.captures[from.outer];
  return box instanceof Box ? box : new Box(undefined);
}

/** Begins a local; captured ones anew each time, so that closures made in turns of a loop do not share. */
export function declare(frame: Frame, { slot, captured: boxed }: Local, value: LuaValue): void {
  frame.slots[slot] = boxed ? new Box(value) : value;
}

/** Calls `callee`, keeping account of depth and place. */
export function callValue(machine: Machine, callee: LuaValue, args: LuaValue[], line: number): LuaValue[] {
  if (!(callee instanceof LuaFunction)) throw errorAt(line, 'attempt to call a non-function object');
  if (args.length > 16) machine.step(args.length);
  machine.enter(line);
  const results = callee.call(machine, args);
  machine.leave();
  return results;
}

function compileLocal({ slot, captured: boxed }: Local): Evaluate {
  if (boxed) return ({ slots }) => (slots[slot] as Box | undefined)?.value;
  return ({ slots }) => slots[slot] as LuaValue;
}

function nothing(): undefined {
  return undefined;
}
