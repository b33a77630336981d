// What the parser makes of a script. Names are resolved already: locals have slots, captured ones are known.

export interface Local {
  readonly name: string;
  readonly slot: number;
  /** Used by an inner function, and therefore kept in a box that outlives the call. */
  captured: boolean;
}

/** Where a closure finds a variable of an outer function when it is made. */
export interface Capture {
  readonly name: string;
  readonly from: { readonly local: Local } | { readonly outer: number };
}

/** A place to go to. */
export interface Label {
  readonly name: string;
}

export interface FunctionBody {
  readonly name: string;
  readonly parameters: readonly Local[];
  readonly variadic: boolean;
  readonly block: readonly Statement[];
  readonly captures: readonly Capture[];
  readonly slots: number;
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '^' | '..' | '==' | '~=' | '<' | '<=' | '>' | '>=';

export type Expression =
  | { readonly type: 'constant'; readonly value: undefined | boolean | number | string }
  | { readonly type: 'varargs' }
  | { readonly type: 'function'; readonly body: FunctionBody }
  | { readonly type: 'local'; readonly local: Local }
  | { readonly type: 'captured'; readonly index: number }
  | { readonly type: 'global'; readonly name: string }
  | { readonly type: 'index'; readonly object: Expression; readonly key: Expression; readonly line: number }
  | Call
  | { readonly type: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly line: number;
    }
  | {
      readonly type: 'unary';
      readonly operator: 'not' | '-' | '#';
      readonly operand: Expression;
      readonly line: number;
    }
  /** Cuts a list of values to one. */
  | { readonly type: 'parenthesis'; readonly inner: Expression }
  | { readonly type: 'table'; readonly items: readonly TableItem[]; readonly line: number };

export interface Call {
  readonly type: 'call';
  /** With `method`, the object. */
  readonly callee: Expression;
  readonly method: string | undefined;
  readonly args: readonly Expression[];
  readonly line: number;
}

export interface TableItem {
  /** Undefined: the next of the list. */
  readonly key: Expression | undefined;
  readonly value: Expression;
}

export type Target = Extract<Expression, { type: 'local' | 'captured' | 'global' | 'index' }>;

export type Statement =
  | { readonly type: 'local'; readonly locals: readonly Local[]; readonly values: readonly Expression[] }
  | { readonly type: 'assign'; readonly targets: readonly Target[]; readonly values: readonly Expression[] }
  | { readonly type: 'call'; readonly call: Call }
  | { readonly type: 'local function'; readonly local: Local; readonly body: FunctionBody }
  | { readonly type: 'do'; readonly block: readonly Statement[] }
  | { readonly type: 'while'; readonly condition: Expression; readonly block: readonly Statement[] }
  | { readonly type: 'repeat'; readonly block: readonly Statement[]; readonly condition: Expression }
  | { readonly type: 'if'; readonly branches: readonly Branch[]; readonly otherwise: readonly Statement[] }
  | {
      readonly type: 'numeric for';
      readonly local: Local;
      readonly from: Expression;
      readonly to: Expression;
      readonly by: Expression | undefined;
      readonly block: readonly Statement[];
      readonly line: number;
    }
  | {
      readonly type: 'generic for';
      readonly locals: readonly Local[];
      readonly values: readonly Expression[];
      readonly block: readonly Statement[];
      readonly line: number;
    }
  | { readonly type: 'return'; readonly values: readonly Expression[] }
  | { readonly type: 'break' }
  | { readonly type: 'label'; readonly label: Label; readonly line: number }
  | Goto;

export interface Goto {
  readonly type: 'goto';
  readonly name: string;
  readonly line: number;
  /** Undefined until the function around it is known whole. */
  label: Label | undefined;
}

export interface Branch {
  readonly condition: Expression;
  readonly block: readonly Statement[];
}
