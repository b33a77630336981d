// Finds the label that each goto of a function means, by the rules of Lua 5.2 and in the words of gopher-lua: one of its own
// block or of a block around that, and none behind a local that would then be there without a value.
import type { Goto, Label, Statement } from './ast.ts';
import { LuaSyntaxError } from './lexer.ts';

interface Pending {
  readonly statement: Goto;
  /** Locals that are there where it stands, seen from the block that is walked. */
  readonly locals: number;
}

interface Placed {
  readonly label: Label;
  readonly line: number;
}

function complaint(line: number, message: string): LuaSyntaxError {
  return new LuaSyntaxError(`compile error near line(${line}) <string>: ${message}`);
}

/**
 * Throws LuaSyntaxError.
 * @param locals names of what the function has from the start
 * @param lastLine of the function
 */
export function linkLabels(block: readonly Statement[], locals: readonly string[], lastLine: number): void {
  const [first] = walk(block, 0, locals, false);
  if (first === undefined) return;
  const { name, line } = first.statement;
  throw complaint(lastLine, `no visible label '${name}' for <goto> at line ${line}`);
}

/**
 * What stays to be found in the blocks around.
 * @param outside locals that are there where the block begins
 * @param own names of those that come with the block
 * @param isFollowed by a condition that sees the locals of the block
 */
function walk(
  block: readonly Statement[],
  outside: number,
  own: readonly string[],
  isFollowed: boolean,
): readonly Pending[] {
  const placed = new Map<string, Placed>();
  let pending: readonly Pending[] = [];
  const names = [...own];
  const lastStatement = block.findLastIndex(({ type }) => type !== 'label');
  const leave = (statement: Goto): void => {
    const label = placed.get(statement.name)?.label;
    if (label === undefined) pending = [...pending, { statement, locals: outside + names.length }];
    else statement.label = label;
  };
  block.forEach((statement, index) => {
    if (statement.type === 'local') names.push(...statement.locals.map(({ name }) => name));
    else if (statement.type === 'local function') names.push(statement.local.name);
    else if (statement.type === 'goto') leave(statement);
    else if (statement.type === 'label') {
      const { label, line } = statement;
      const known = placed.get(label.name);
      if (known !== undefined)
        throw complaint(line + 1, `label '${label.name}' already defined on line ${known.line}`);
      placed.set(label.name, { label, line });
      // Behind it the block is over, and with it its locals.
      const isLast = index > lastStatement && !isFollowed;
      for (const one of pending) {
        if (one.statement.name !== label.name) continue;
        if (!isLast && one.locals < outside + names.length) {
          const into = `jumps into the scope of local '${names.at(-1) ?? ''}'`;
          throw complaint(line + 1, `<goto ${label.name}> at line ${one.statement.line} ${into}`);
        }
        one.statement.label = label;
      }
      pending = pending.filter((one) => one.statement.label === undefined);
    } else for (const one of within(statement, outside + names.length)) leave(one.statement);
  });
  return pending;
}

/** What the blocks of a statement leave to be found. */
function within(statement: Statement, outside: number): readonly Pending[] {
  switch (statement.type) {
    case 'do':
    case 'while':
      return walk(statement.block, outside, [], false);
    case 'repeat':
      return walk(statement.block, outside, [], true);
    case 'numeric for':
      return walk(statement.block, outside, [statement.local.name], false);
    case 'generic for':
      return walk(
        statement.block,
        outside,
        statement.locals.map(({ name }) => name),
        false,
      );
    case 'if':
      return [...statement.branches.map(({ block }) => block), statement.otherwise].flatMap((block) =>
        walk(block, outside, [], false),
      );
    default:
      return [];
  }
}
