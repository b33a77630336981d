// A compiled script, and running a function of it. Each call has globals of its own: one interpretation leaves nothing
// behind for the next, whatever the script does.
import type { JsonValue } from '../../api/index.ts';
import { badArgument, textArgument } from './arguments.ts';
import { fromJson } from './json.ts';
import { LuaSyntaxError } from './lexer.ts';
import { baseLibrary } from './library-base.ts';
import { kubeLibrary } from './library-kube.ts';
import { mathLibrary } from './library-math.ts';
import { osLibrary } from './library-os.ts';
import { stringLibrary } from './library-string.ts';
import { tableLibrary } from './library-table.ts';
import { DEFAULT_LIMITS, Machine, type LuaLimits } from './machine.ts';
import { parse } from './parser.ts';
import { compileMain } from './statements.ts';
import { LuaTable } from './table.ts';
import { LuaError, LuaFunction, luaType, toBytes, type LuaValue } from './value.ts';

export interface LuaOptions {
  readonly limits?: LuaLimits;
  /** Milliseconds of the epoch: for `os`, and to end a run that takes too long. Without it, `os` has no time to tell. */
  readonly now?: () => number;
  /** Takes what a script prints. */
  readonly print?: (line: string) => void;
}

export interface LuaProgram {
  /**
   * Runs the script, then its function `name` with `args`. Throws LuaError and LuaBudgetError.
   * @param args undefined and null are nil
   */
  call(name: string, args: readonly (JsonValue | undefined)[], options?: LuaOptions): LuaValue[];
}

/** Throws LuaSyntaxError. */
export function compileLua(script: string): LuaProgram {
  const main = compileText(script);
  return {
    call(name, args, options = {}) {
      const machine = newMachine(options);
      try {
        machine.enter(0);
        main(machine).call(machine, []);
        const found = machine.globals.get(name);
        if (found === undefined) throw new LuaError(`not found function ${name}`);
        if (!(found instanceof LuaFunction))
          throw new LuaError(`${name} is not a function: ${luaType(found)}`);
        return found.call(
          machine,
          args.map((argument) => fromJson(machine, argument)),
        );
      } catch (error) {
        throw isStackOverflow(error) ? new LuaError('stack overflow') : error;
      }
    },
  };
}

/** LIMIT: characters of a script. Compiling a larger one takes as long as a script may run; none that does any good is. */
const SCRIPT_MAX = 256 * 1024;

function compileText(script: string): (machine: Machine) => LuaFunction {
  if (script.length > SCRIPT_MAX)
    throw new LuaSyntaxError(`<string>: a script of more than ${SCRIPT_MAX} characters`);
  try {
    return compileMain(parse(toBytes(script)));
  } catch (error) {
    // Long chains of operators are no deeper than the parser allows, but the tree they make is.
    if (isStackOverflow(error)) throw new LuaSyntaxError('<string>: chunk has too many syntax levels');
    throw error;
  }
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}

type Entries = readonly (readonly [string, LuaValue])[];

const entriesOf = (functions: readonly LuaFunction[]): Entries => functions.map((one) => [one.name, one]);
const BASE = entriesOf(baseLibrary);
const STRING = entriesOf(stringLibrary);
const TABLE = entriesOf(tableLibrary);
const MATH: Entries = [...entriesOf(mathLibrary), ['huge', Infinity], ['pi', Math.PI]];
const OS = entriesOf(osLibrary);
const KUBE = entriesOf(kubeLibrary);

const requireModule = new LuaFunction('require', (machine, args) => {
  const name = textArgument(machine, 'require', args, 1);
  const module = machine.modules.get(name);
  if (module === undefined) throw badArgument(machine, 'require', 1, `module ${name} not found`);
  return [module];
});

function newMachine({ limits = DEFAULT_LIMITS, now, print }: LuaOptions): Machine {
  const library = (entries: Entries): LuaTable => new LuaTable([], new Map(entries));
  const strings = library(STRING);
  const globals = library(BASE);
  const machine = new Machine(globals, strings, { limits, now, print });
  const libraries: Entries = [
    ['string', strings],
    ['table', library(TABLE)],
    ['math', library(MATH)],
    ['os', library(OS)],
  ];
  for (const [name, value] of libraries) {
    globals.set(name, value);
    if (value instanceof LuaTable) machine.modules.set(name, value);
  }
  machine.modules.set('kube', library(KUBE));
  globals.set('require', requireModule);
  globals.set('_G', globals);
  globals.set('_VERSION', 'Lua 5.1');
  return machine;
}
