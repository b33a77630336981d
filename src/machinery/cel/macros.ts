// Macros: calls that stand for loops and tests, which functions could not express.
import {
  ACCUMULATOR,
  OPERATOR,
  type CallNode,
  type ComprehensionNode,
  type LiteralValue,
  type Node,
} from './ast.ts';
import { SyntaxIssue } from './lexer.ts';

type Expansion = (macro: Macro) => Node;

/** A call of a macro, and the nodes that its expansion is made of. They all point to the call. */
class Macro {
  readonly #call: CallNode;

  constructor(macro: CallNode) {
    this.#call = macro;
  }

  get target(): Node {
    return this.#call.target!;
  }

  arg(index: number): Node {
    return this.#call.args[index]!;
  }

  get last(): Node {
    return this.#call.args.at(-1)!;
  }

  /** What a transformation is filtered by: the argument before the last, when there is one more than names. */
  filterAfter(names: number): Node | undefined {
    return this.#call.args.length > names + 1 ? this.arg(names) : undefined;
  }

  nameAt(index: number): string {
    const node = this.arg(index);
    if (node.kind !== 'ident') throw new SyntaxIssue(node.at, 'argument must be a simple name');
    return node.name;
  }

  names(count: number): readonly string[] {
    const names = Array.from({ length: count }, (_, index) => this.nameAt(index));
    if (new Set(names).size < names.length) {
      throw new SyntaxIssue(this.arg(1).at, `duplicate variable name: ${names[1]}`);
    }
    return names;
  }

  literal(value: LiteralValue): Node {
    return { kind: 'literal', at: this.#call.at, value };
  }

  ident(name: string): Node {
    return { kind: 'ident', at: this.#call.at, name };
  }

  get accumulator(): Node {
    return this.ident(ACCUMULATOR);
  }

  call(name: string, ...args: readonly Node[]): Node {
    return { kind: 'call', at: this.#call.at, name, target: undefined, args };
  }

  member(target: Node, name: string, ...args: readonly Node[]): Node {
    return { kind: 'call', at: this.#call.at, name, target, args };
  }

  list(...items: readonly Node[]): Node {
    return { kind: 'list', at: this.#call.at, items, optionals: new Set() };
  }

  emptyMap(): Node {
    return { kind: 'map', at: this.#call.at, entries: [] };
  }

  loop(
    variables: readonly string[],
    parts: Pick<ComprehensionNode, 'init' | 'condition' | 'step' | 'result'>,
  ): Node {
    const { at } = this.#call;
    return { kind: 'comprehension', at, range: this.target, variables, accumulator: ACCUMULATOR, ...parts };
  }

  /** `body` with a name for a value. */
  bind(name: string, value: Node, body: Node): Node {
    return {
      kind: 'comprehension',
      at: this.#call.at,
      range: this.list(),
      variables: ['#unused'],
      accumulator: name,
      init: value,
      condition: this.literal(false),
      step: this.ident(name),
      result: body,
    };
  }
}

function all(names: number): Expansion {
  return (macro) =>
    macro.loop(macro.names(names), {
      init: macro.literal(true),
      condition: macro.call(OPERATOR.notStrictlyFalse, macro.accumulator),
      step: macro.call(OPERATOR.and, macro.accumulator, macro.last),
      result: macro.accumulator,
    });
}

function exists(names: number): Expansion {
  return (macro) =>
    macro.loop(macro.names(names), {
      init: macro.literal(false),
      condition: macro.call(OPERATOR.notStrictlyFalse, macro.call(OPERATOR.not, macro.accumulator)),
      step: macro.call(OPERATOR.or, macro.accumulator, macro.last),
      result: macro.accumulator,
    });
}

function existsOne(names: number): Expansion {
  return (macro) => {
    const oneMore = macro.call(OPERATOR.add, macro.accumulator, macro.literal(1n));
    return macro.loop(macro.names(names), {
      init: macro.literal(0n),
      condition: macro.literal(true),
      step: macro.call(OPERATOR.conditional, macro.last, oneMore, macro.accumulator),
      result: macro.call(OPERATOR.equals, macro.accumulator, macro.literal(1n)),
    });
  };
}

/** Puts together a list or map; where the filter does not hold, it stays as it is. */
function gather(names: number, init: (macro: Macro) => Node, added: (macro: Macro) => Node): Expansion {
  return (macro) => {
    const filter = macro.filterAfter(names);
    const step = added(macro);
    return macro.loop(macro.names(names), {
      init: init(macro),
      condition: macro.literal(true),
      step: filter === undefined ? step : macro.call(OPERATOR.conditional, filter, step, macro.accumulator),
      result: macro.accumulator,
    });
  };
}

const emptyList = (macro: Macro): Node => macro.list();
const emptyMap = (macro: Macro): Node => macro.emptyMap();
const appendLast = (macro: Macro): Node =>
  macro.call(OPERATOR.add, macro.accumulator, macro.list(macro.last));
const insertLast = (macro: Macro): Node => macro.call(OPERATOR.mapInsert, macro.accumulator, macro.last);
const insertUnderKey = (macro: Macro): Node =>
  macro.call(OPERATOR.mapInsert, macro.accumulator, macro.arg(0), macro.last);

const filter: Expansion = (macro) => {
  const kept = macro.call(OPERATOR.add, macro.accumulator, macro.list(macro.arg(0)));
  return macro.loop(macro.names(1), {
    init: macro.list(),
    condition: macro.literal(true),
    step: macro.call(OPERATOR.conditional, macro.last, kept, macro.accumulator),
    result: macro.accumulator,
  });
};

function ifPresent(wrapped: boolean): Expansion {
  return (macro) => {
    const name = macro.nameAt(0);
    const value = macro.member(macro.target, 'value');
    const body = macro.bind(name, value, macro.last);
    return macro.call(
      OPERATOR.conditional,
      macro.member(macro.target, 'hasValue'),
      wrapped ? macro.call('optional.of', body) : body,
      macro.call('optional.none'),
    );
  };
}

const SORTED = '@__sortBy_input__';

const sortBy: Expansion = (macro) => {
  const input = macro.ident(SORTED);
  const keys: Node = {
    ...(gather(1, emptyList, appendLast)(macro) as ComprehensionNode),
    range: input,
  };
  return macro.bind(SORTED, macro.target, macro.member(input, OPERATOR.sortByKeys, keys));
};

const has: Expansion = (macro) => {
  const selected = macro.arg(0);
  if (selected.kind !== 'select') throw new SyntaxIssue(selected.at, 'invalid argument to has() macro');
  return { ...selected, testOnly: true };
};

/** By name, whether there is a target, and number of arguments. */
const MACROS: ReadonlyMap<string, Expansion> = new Map([
  ['has/1', has],
  ['.all/2', all(1)],
  ['.all/3', all(2)],
  ['.exists/2', exists(1)],
  ['.exists/3', exists(2)],
  ['.exists_one/2', existsOne(1)],
  ['.exists_one/3', existsOne(2)],
  ['.existsOne/2', existsOne(1)],
  ['.existsOne/3', existsOne(2)],
  ['.map/2', gather(1, emptyList, appendLast)],
  ['.map/3', gather(1, emptyList, appendLast)],
  ['.filter/2', filter],
  ['.transformList/3', gather(2, emptyList, appendLast)],
  ['.transformList/4', gather(2, emptyList, appendLast)],
  ['.transformMap/3', gather(2, emptyMap, insertUnderKey)],
  ['.transformMap/4', gather(2, emptyMap, insertUnderKey)],
  ['.transformMapEntry/3', gather(2, emptyMap, insertLast)],
  ['.transformMapEntry/4', gather(2, emptyMap, insertLast)],
  ['.optMap/2', ifPresent(true)],
  ['.optFlatMap/2', ifPresent(false)],
  ['.sortBy/2', sortBy],
]);

/** The call itself when it is none of a macro. Throws a SyntaxIssue. */
export function expandMacro(call: CallNode): Node {
  const key = `${call.target === undefined ? '' : '.'}${call.name}/${call.args.length}`;
  const expand = MACROS.get(key);
  return expand === undefined ? call : expand(new Macro(call));
}
