// What an expression says, with its macros written out: `l.all(x, p)` is a loop here, `has(a.b)` a tested selection,
// and every operator a call. Costs are counted on this form, so it has to be the one that kube-apiserver counts on.
import type { Uint } from './values.ts';

export type LiteralValue = bigint | Uint | number | string | boolean | null | Uint8Array;

interface Placed {
  /** Where in the source messages point to, in UTF-16 units. */
  readonly at: number;
}

export interface LiteralNode extends Placed {
  readonly kind: 'literal';
  readonly value: LiteralValue;
}

export interface IdentNode extends Placed {
  readonly kind: 'ident';
  readonly name: string;
}

export interface SelectNode extends Placed {
  readonly kind: 'select';
  readonly operand: Node;
  readonly field: string;
  /** Only whether the field is there. */
  readonly testOnly: boolean;
}

export interface CallNode extends Placed {
  readonly kind: 'call';
  readonly name: string;
  readonly target: Node | undefined;
  readonly args: readonly Node[];
}

export interface ListNode extends Placed {
  readonly kind: 'list';
  readonly items: readonly Node[];
  /** Indices of items that are left out when their optional is empty. */
  readonly optionals: ReadonlySet<number>;
}

export interface MapEntry {
  readonly key: Node;
  readonly value: Node;
  readonly optional: boolean;
}

export interface MapNode extends Placed {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

export interface StructField extends Placed {
  readonly name: string;
  readonly value: Node;
  readonly optional: boolean;
}

/** `Name{field: value}`. */
export interface StructNode extends Placed {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly StructField[];
}

export interface ComprehensionNode extends Placed {
  readonly kind: 'comprehension';
  readonly range: Node;
  /** One name: items of lists, keys of maps. Two: index and item, key and value. */
  readonly variables: readonly string[];
  readonly accumulator: string;
  readonly init: Node;
  readonly condition: Node;
  readonly step: Node;
  readonly result: Node;
}

export type Node =
  | LiteralNode
  | IdentNode
  | SelectNode
  | CallNode
  | ListNode
  | MapNode
  | StructNode
  | ComprehensionNode;

/** The nodes directly below one. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'select':
      return [node.operand];
    case 'call':
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case 'list':
      return node.items;
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case 'comprehension':
      return [node.range, node.init, node.condition, node.step, node.result];
    case 'struct':
      return node.fields.map(({ value }) => value);
    default:
      return [];
  }
}

/** Operators by the names under which they are declared as functions. */
export const OPERATOR = {
  and: '_&&_',
  or: '_||_',
  not: '!_',
  conditional: '_?_:_',
  equals: '_==_',
  notEquals: '_!=_',
  add: '_+_',
  index: '_[_]',
  optionalIndex: '_[?_]',
  optionalSelect: '_?._',
  negate: '-_',
  notStrictlyFalse: '@not_strictly_false',
  mapInsert: 'cel.@mapInsert',
  sortByKeys: '@sortByAssociatedKeys',
} as const;

/** What loops put their results together in; no expression can spell it. */
export const ACCUMULATOR = '@result';
