// Which variable a name means: a local of this function, one of a function around it, or a global.
import type { Capture, Expression, FunctionBody, Local, Statement } from './ast.ts';

type Variable = Extract<Expression, { type: 'local' | 'captured' | 'global' }>;

export class FunctionScope {
  readonly name: string;
  readonly variadic: boolean;
  /** Loops around the place where the parser stands. */
  loops = 0;
  readonly #outer: FunctionScope | undefined;
  readonly #visible: Local[] = [];
  readonly #captures: Capture[] = [];
  #slots = 0;

  constructor(name: string, variadic: boolean, outer: FunctionScope | undefined) {
    this.name = name;
    this.variadic = variadic;
    this.#outer = outer;
  }

  /** Opens a block; `close` with the result ends it. */
  open(): number {
    return this.#visible.length;
  }

  close(mark: number): void {
    this.#visible.length = mark;
  }

  declare(name: string): Local {
    const local: Local = { name, slot: this.#slots++, captured: false };
    this.#visible.push(local);
    return local;
  }

  resolve(name: string): Variable {
    const local = this.#visible.findLast((one) => one.name === name);
    if (local !== undefined) return { type: 'local', local };
    const index = this.#capture(name);
    return index === undefined ? { type: 'global', name } : { type: 'captured', index };
  }

  /** The name behind a captured variable; undefined for any other expression. */
  nameOf(expression: Expression): string | undefined {
    return expression.type === 'captured' ? this.#captures[expression.index]?.name : undefined;
  }

  #capture(name: string): number | undefined {
    const found = this.#outer?.resolve(name);
    if (found === undefined || found.type === 'global') return undefined;
    if (found.type === 'local') found.local.captured = true;
    const from = found.type === 'local' ? { local: found.local } : { outer: found.index };
    // By what it is and not by its name: a name may come to mean another variable further down.
    const known = this.#captures.findIndex((capture) => sameSource(capture.from, from));
    return known >= 0 ? known : this.#captures.push({ name, from }) - 1;
  }

  body(parameters: readonly Local[], block: readonly Statement[]): FunctionBody {
    const { name, variadic } = this;
    return { name, parameters, variadic, block, captures: this.#captures, slots: this.#slots };
  }
}

function sameSource(a: Capture['from'], b: Capture['from']): boolean {
  return 'local' in a ? 'local' in b && a.local === b.local : 'outer' in b && a.outer === b.outer;
}
