// Statements as closures. Each counts a step, and each turn of a loop another, so no script runs on without being seen.
import type { Expression, FunctionBody, Local, Statement, Target } from './ast.ts';
import { ExpressionCompiler, callValue, declare } from './expressions.ts';
import type { Box } from './frame.ts';
import { BREAK, type Evaluate, type Execute, type Frame, type Outcome } from './frame.ts';
import { basicNext, ipairsStep } from './iteration.ts';
import type { Machine } from './machine.ts';
import { errorAt, setEntry, setIndex } from './operators.ts';
import { LuaTable } from './table.ts';
import { isTruthy, luaToNumber, type LuaFunction, type LuaValue } from './value.ts';

const compiler = new ExpressionCompiler(compileBlock);

/** The main chunk of a script. */
export function compileMain(body: FunctionBody): (machine: Machine) => LuaFunction {
  const make = compiler.function(body);
  return (machine) => make(undefined, machine);
}

function compileBlock(block: readonly Statement[]): Execute {
  const statements = block.map(compileStatement);
  const places = new Map(
    block.flatMap((one, index) => (one.type === 'label' ? [[one.label, index] as const] : [])),
  );
  if (places.size > 0) return withLabels(statements, places);
  const [first, second] = statements;
  if (first === undefined) return () => undefined;
  if (second === undefined) {
    return (frame) => {
      frame.machine.step();
      return first(frame);
    };
  }
  return (frame) => {
    const { machine } = frame;
    for (const execute of statements) {
      machine.step();
      const outcome = execute(frame);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  };
}

/** A block that can be gone on with at its labels, from within and from blocks in it. */
function withLabels(statements: readonly Execute[], places: ReadonlyMap<Outcome, number>): Execute {
  return (frame) => {
    for (let at = 0; at < statements.length; at++) {
      frame.machine.step();
      const outcome = statements[at]?.(frame);
      if (outcome === undefined) continue;
      const place = places.get(outcome);
      if (place === undefined) return outcome;
      at = place;
    }
    return undefined;
  };
}

function compileStatement(statement: Statement): Execute {
  switch (statement.type) {
    case 'local':
      return compileLocals(statement.locals, statement.values);
    case 'assign':
      return compileAssignment(statement.targets, statement.values);
    case 'call': {
      const call = compiler.call(statement.call);
      return (frame) => {
        call(frame);
        return undefined;
      };
    }
    case 'local function': {
      const { local } = statement;
      const make = compiler.function(statement.body);
      const assign = compileStore({ type: 'local', local });
      return (frame) => {
        declare(frame, local, undefined);
        assign(frame, make(frame, frame.machine));
        return undefined;
      };
    }
    case 'do':
      return compileBlock(statement.block);
    case 'while':
      return compileWhile(statement);
    case 'repeat':
      return compileRepeat(statement);
    case 'if':
      return compileIf(statement);
    case 'numeric for':
      return compileNumericFor(statement);
    case 'generic for':
      return compileGenericFor(statement);
    case 'return':
      return compiler.all(statement.values);
    case 'break':
      return () => BREAK;
    case 'label':
      return () => undefined;
    case 'goto': {
      const { label } = statement;
      return () => label;
    }
  }
}

function compileLocals(locals: readonly Local[], values: readonly Expression[]): Execute {
  const [local, another] = locals;
  if (local !== undefined && another === undefined && values.length <= 1) {
    const evaluate = values[0] === undefined ? (): LuaValue => undefined : compiler.one(values[0]);
    return (frame) => {
      declare(frame, local, evaluate(frame));
      return undefined;
    };
  }
  const all = compiler.all(values);
  return (frame) => {
    const results = all(frame);
    locals.forEach((one, index) => declare(frame, one, results[index]));
    return undefined;
  };
}

type Store = (frame: Frame, value: LuaValue) => void;

function compileStore(target: Exclude<Target, { type: 'index' }>): Store {
  switch (target.type) {
    case 'local': {
      const { slot, captured } = target.local;
      if (!captured) {
        return ({ slots }, value) => {
          slots[slot] = value;
        };
      }
      return ({ slots }, value) => {
        (slots[slot] as Box).value = value;
      };
    }
    case 'captured': {
      const { index } = target;
      return ({ captures }, value) => {
        const box = captures[index];
        if (box !== undefined) box.value = value;
      };
    }
    case 'global': {
      const { name } = target;
      return ({ machine }, value) => setEntry(machine, machine.globals, name, value);
    }
  }
}

function compileAssignment(targets: readonly Target[], values: readonly Expression[]): Execute {
  const [only, another] = targets;
  const [value, more] = values;
  if (only !== undefined && another === undefined && value !== undefined && more === undefined) {
    const store = compilePlace(only);
    const evaluate = compiler.one(value);
    return (frame) => {
      store(frame)(evaluate(frame));
      return undefined;
    };
  }
  const places = targets.map(compilePlace);
  const all = compiler.all(values);
  return (frame) => {
    // Places and values are all known before the first is written, as when two variables are swapped.
    const stores = places.map((place) => place(frame));
    const results = all(frame);
    stores.forEach((store, index) => store(results[index]));
    return undefined;
  };
}

/** Finds the place to write to before the value is known. */
function compilePlace(target: Target): (frame: Frame) => (value: LuaValue) => void {
  if (target.type !== 'index') {
    const store = compileStore(target);
    return (frame) => (value) => store(frame, value);
  }
  const { line } = target;
  const object = compiler.one(target.object);
  const key = compiler.one(target.key);
  return (frame) => {
    const table = object(frame);
    const name = key(frame);
    return (value) => setIndex(frame.machine, table, name, value, line);
  };
}

function compileWhile({ condition, block }: Extract<Statement, { type: 'while' }>): Execute {
  const holds = compiler.one(condition);
  const body = compileBlock(block);
  return (frame) => {
    while (isTruthy(holds(frame))) {
      frame.machine.step();
      const outcome = body(frame);
      if (outcome === BREAK) break;
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  };
}

function compileRepeat({ condition, block }: Extract<Statement, { type: 'repeat' }>): Execute {
  const done = compiler.one(condition);
  const body = compileBlock(block);
  return (frame) => {
    do {
      frame.machine.step();
      const outcome = body(frame);
      if (outcome === BREAK) break;
      if (outcome !== undefined) return outcome;
    } while (!isTruthy(done(frame)));
    return undefined;
  };
}

function compileIf({ branches, otherwise }: Extract<Statement, { type: 'if' }>): Execute {
  const compiled = branches.map(({ condition, block }) => ({
    holds: compiler.one(condition),
    body: compileBlock(block),
  }));
  const other = compileBlock(otherwise);
  return (frame) => {
    for (const { holds, body } of compiled) if (isTruthy(holds(frame))) return body(frame);
    return other(frame);
  };
}

function compileNumericFor(statement: Extract<Statement, { type: 'numeric for' }>): Execute {
  const { local, line } = statement;
  const bound = (what: string, expression: Expression): ((frame: Frame) => number) => {
    const evaluate: Evaluate = compiler.one(expression);
    return (frame) => {
      const number = luaToNumber(evaluate(frame));
      if (number === undefined) throw errorAt(line, `for statement ${what} must be a number`);
      return number;
    };
  };
  const from = bound('init', statement.from);
  const to = bound('limit', statement.to);
  const by = bound('step', statement.by ?? { type: 'constant', value: 1 });
  const body = compileBlock(statement.block);
  return (frame) => {
    const start = from(frame);
    const limit = to(frame);
    const step = by(frame);
    for (let at = start; step > 0 ? at <= limit : at >= limit; at += step) {
      frame.machine.step();
      declare(frame, local, at);
      const outcome = body(frame);
      if (outcome === BREAK) break;
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  };
}

function compileGenericFor(statement: Extract<Statement, { type: 'generic for' }>): Execute {
  const { locals, line } = statement;
  const values = compiler.all(statement.values);
  const body = compileBlock(statement.block);
  const turn = (frame: Frame, results: readonly LuaValue[]): Outcome => {
    frame.machine.step();
    locals.forEach((local, index) => declare(frame, local, results[index]));
    return body(frame);
  };
  return (frame) => {
    const [iterate, state, initial] = values(frame);
    if (state instanceof LuaTable && initial === undefined && iterate === basicNext) {
      return each(frame, state.entries(frame.machine), turn);
    }
    if (state instanceof LuaTable && initial === 0 && iterate === ipairsStep) {
      return each(frame, listEntries(state), turn);
    }
    for (let control = initial; ;) {
      const results = callValue(frame.machine, iterate, [state, control], line);
      control = results[0];
      if (control === undefined) return undefined;
      const outcome = turn(frame, results);
      if (outcome === BREAK) return undefined;
      if (outcome !== undefined) return outcome;
    }
  };
}

/** The walks that nearly all scripts make, without a call for each entry. */
function each(
  frame: Frame,
  entries: Iterable<readonly LuaValue[]>,
  turn: (frame: Frame, entry: readonly LuaValue[]) => Outcome,
): Outcome {
  for (const entry of entries) {
    const outcome = turn(frame, entry);
    if (outcome === BREAK) return undefined;
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

function* listEntries(table: LuaTable): IterableIterator<readonly LuaValue[]> {
  for (let index = 1; ; index++) {
    const value = table.list[index - 1];
    if (value === undefined) return;
    yield [index, value];
  }
}
