// How much an expression may cost at worst, before it has ever been run. Definitions whose rules could cost too much are
// refused, so the numbers are part of the API: they are the ones that kube-apiserver comes to.
import { ACCUMULATOR, type CallNode, type ComprehensionNode, type Node } from './ast.ts';
import { LIST_CREATION, MAP_CREATION, PER_CHARACTER, PER_PATTERN_CHARACTER } from './call-cost.ts';
import { estimateCall, type CallEstimate, type SizedArgument } from './call-estimate.ts';
import type { Checked } from './checker.ts';
import { FIXED_ONE, Range, UNKNOWN } from './cost-range.ts';
import { isOptional, type CelType } from './types.ts';
import { Uint, characterCount } from './values.ts';

/** The largest sizes that a schema allows, by the way to a value: names of fields, `@items`, `@values`, `@keys`. */
export interface Sizes {
  /** Undefined: nothing is known of such a value. */
  maxSizeAt(path: readonly string[]): number | undefined;
}

export function estimateCost(checked: Checked, sizes: Sizes): Range {
  return new Estimator(checked, sizes).cost(checked.root);
}

type Path = readonly string[];

/** How large what a list or map holds can be. */
interface EntrySize {
  readonly isList: boolean;
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly path: Path;
  readonly size: Range | undefined;
  readonly entries: EntrySize | undefined;
}

function unite(a: EntrySize | undefined, b: EntrySize | undefined): EntrySize | undefined {
  if (a === undefined || b === undefined) return undefined;
  return { isList: a.isList, key: a.key.union(b.key), value: a.value.union(b.value) };
}

const ONE_STEP = new Range(1, 1);
const NOTHING = new Range(0, 0);

class Estimator {
  readonly #checked: Checked;
  readonly #sizes: Sizes;
  readonly #paths = new Map<Node, Path>();
  readonly #known = new Map<Node, Range>();
  readonly #entries = new Map<Node, EntrySize>();
  readonly #locals: (readonly [name: string, local: Local])[] = [];

  constructor(checked: Checked, sizes: Sizes) {
    this.#checked = checked;
    this.#sizes = sizes;
  }

  cost(node: Node): Range {
    switch (node.kind) {
      case 'literal':
        return NOTHING;
      case 'ident':
        this.#paths.set(node, this.#local(node.name)?.path ?? [node.name]);
        return ONE_STEP;
      case 'select': {
        if (this.#checked.constants.has(node)) {
          this.#paths.set(node, [node.field]);
          return ONE_STEP;
        }
        const operand = this.cost(node.operand);
        if (node.testOnly) return operand;
        this.#paths.set(node, [...this.#pathOf(node.operand), node.field]);
        const { kind } = this.#typeOf(node.operand);
        return kind === 'map' || kind === 'object' || kind === 'param' ? operand.add(ONE_STEP) : operand;
      }
      case 'call':
        return this.#call(node);
      case 'list': {
        const cost = this.#sum(node.items).add(new Range(LIST_CREATION, LIST_CREATION));
        this.#entries.set(node, { isList: true, key: FIXED_ONE, value: this.#largest(node.items) });
        return cost;
      }
      case 'map': {
        const keys = node.entries.map(({ key }) => key);
        const values = node.entries.map(({ value }) => value);
        const cost = this.#sum([...keys, ...values]).add(new Range(MAP_CREATION, MAP_CREATION));
        this.#entries.set(node, { isList: false, key: this.#largest(keys), value: this.#largest(values) });
        return cost;
      }
      case 'comprehension':
        return this.#isBinding(node) ? this.#binding(node) : this.#loop(node);
      case 'struct':
        return NOTHING;
    }
  }

  #sum(nodes: readonly Node[]): Range {
    return nodes.reduce((sum, node) => sum.add(this.cost(node)), NOTHING);
  }

  #largest(nodes: readonly Node[]): Range {
    if (nodes.length === 0) return NOTHING;
    return nodes.map((node) => this.#sizeOrUnknown(node)).reduce((a, b) => a.union(b));
  }

  #typeOf(node: Node): CelType {
    return this.#checked.types.get(node)!;
  }

  // ---- sizes

  #local(name: string): Local | undefined {
    return this.#locals.findLast(([known]) => known === name)?.[1];
  }

  #pathOf(node: Node): Path {
    const local = node.kind === 'ident' ? this.#local(node.name) : undefined;
    return local?.path ?? this.#paths.get(node) ?? [];
  }

  #sizeOf(node: Node): Range | undefined {
    const known = this.#known.get(node) ?? literalSize(node);
    if (known !== undefined) return known;
    const path = this.#pathOf(node);
    const max = path.length === 0 ? undefined : this.#sizes.maxSizeAt(path);
    if (max !== undefined) return new Range(0, max);
    if (isScalar(this.#typeOf(node))) return FIXED_ONE;
    return node.kind === 'ident' ? this.#local(node.name)?.size : undefined;
  }

  #sizeOrUnknown(node: Node): Range {
    return this.#sizeOf(node) ?? UNKNOWN;
  }

  #entriesOf(node: Node): EntrySize | undefined {
    const known = this.#entries.get(node);
    if (known !== undefined) return known;
    return node.kind === 'ident' ? this.#local(node.name)?.entries : undefined;
  }

  #setSize(node: Node, size: Range | undefined): void {
    if (size !== undefined) this.#known.set(node, size);
  }

  #setEntries(node: Node, entries: EntrySize | undefined): void {
    if (entries !== undefined) this.#entries.set(node, entries);
  }

  // ---- calls

  #call(node: CallNode): Range {
    const resolved = this.#checked.calls.get(node);
    const [first] = node.args;
    if (node.name === 'dyn' && first !== undefined) {
      const cost = this.cost(first).add(ONE_STEP);
      this.#setSize(node, this.#sizeOf(first));
      this.#setEntries(node, this.#entriesOf(first));
      return cost;
    }
    const costs = node.args.map((arg) => this.cost(arg));
    if (resolved === undefined) return NOTHING;
    const targetCost = resolved.target === undefined ? NOTHING : this.cost(resolved.target);
    const args = node.args.map((arg) => this.#sized(arg));
    const target = resolved.target === undefined ? undefined : this.#sized(resolved.target);
    let cost: Range | undefined;
    let size: Range | undefined;
    for (const { id } of resolved.overloads) {
      const estimate = this.#overload(node, resolved.name, id, target, args, costs);
      cost = cost === undefined ? estimate.cost : cost.union(estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : size.union(estimate.size);
      if (id === 'index_list' || id === 'index_map') {
        size = this.#entriesOf(first!)?.value;
        this.#paths.set(node, [...this.#pathOf(first!), id === 'index_list' ? '@items' : '@values']);
      }
      size ??= this.#sizeOf(node);
    }
    this.#setSize(node, size);
    return targetCost.add(cost ?? NOTHING);
  }

  #sized(node: Node): SizedArgument {
    const path = this.#pathOf(node);
    const isAccumulator = path[0] === ACCUMULATOR;
    return {
      node,
      type: this.#typeOf(node),
      size: this.#sizeOf(node),
      itemSize: () => {
        const max =
          path.length === 0 || isAccumulator ? undefined : this.#sizes.maxSizeAt([...path, '@items']);
        return max === undefined ? UNKNOWN : new Range(0, max);
      },
    };
  }

  #overload(
    node: CallNode,
    name: string,
    id: string,
    target: SizedArgument | undefined,
    args: readonly SizedArgument[],
    costs: readonly Range[],
  ): CallEstimate {
    const own = estimateCall(name, id, target, args) ?? this.#builtIn(node, id, target, args, costs);
    if (own === undefined) return { cost: costs.reduce((a, b) => a.add(b), ONE_STEP) };
    if (own.withArguments === true) return own;
    return { cost: costs.reduce((a, b) => a.add(b), own.cost), size: own.size };
  }

  /** Undefined: one, like most. */
  #builtIn(
    node: CallNode,
    id: string,
    target: SizedArgument | undefined,
    args: readonly SizedArgument[],
    costs: readonly Range[],
  ): CallEstimate | undefined {
    const [a, b] = args.map(({ size }) => size ?? UNKNOWN);
    const receiver = target?.size ?? UNKNOWN;
    switch (id) {
      case 'string_format':
        return { cost: receiver.scale(PER_CHARACTER) };
      case 'string_to_bytes':
        return { cost: a!.scale(PER_CHARACTER), size: new Range(a!.min, a!.max * 4) };
      case 'bytes_to_string':
        return { cost: a!.scale(PER_CHARACTER), size: new Range(Math.floor(a!.min / 4), a!.max) };
      case 'strings_quote':
        return { cost: a!.scale(PER_CHARACTER), size: new Range(a!.min + 2, a!.max * 2 + 2) };
      case 'starts_with_string':
      case 'ends_with_string':
        return { cost: a!.scale(PER_CHARACTER) };
      case 'in_list':
        return { cost: b! };
      case 'matches_string': {
        const text = receiver.add(FIXED_ONE).scale(PER_CHARACTER);
        return { cost: text.multiply(a!.scale(PER_PATTERN_CHARACTER)) };
      }
      case 'contains_string':
        return { cost: receiver.scale(PER_CHARACTER).multiply(a!.scale(PER_CHARACTER)) };
      case 'logical_and':
      case 'logical_or':
        return { cost: new Range(costs[0]!.min, costs[0]!.add(costs[1]!).max), withArguments: true };
      case 'conditional':
        this.#setEntries(node, unite(this.#entriesOf(node.args[1]!), this.#entriesOf(node.args[2]!)));
        return {
          cost: costs[0]!.add(costs[1]!.union(costs[2]!)),
          size: b!.union(args[2]!.size ?? UNKNOWN),
          withArguments: true,
        };
      case 'add_string':
      case 'add_bytes':
      case 'add_list': {
        const size = a!.add(b!);
        this.#setEntries(node, unite(this.#entriesOf(node.args[0]!), this.#entriesOf(node.args[1]!)));
        return { cost: id === 'add_list' ? ONE_STEP : size.scale(PER_CHARACTER), size };
      }
      default:
        return isSizeComparison(id) ? { cost: comparison(a!, b!) } : undefined;
    }
  }

  // ---- loops

  #isBinding({ range, condition, accumulator }: ComprehensionNode): boolean {
    const isEmpty = range.kind === 'list' && range.items.length === 0;
    return (
      isEmpty && condition.kind === 'literal' && condition.value === false && accumulator !== ACCUMULATOR
    );
  }

  #localOf(node: Node): Local {
    return { path: this.#pathOf(node), size: this.#sizeOf(node), entries: this.#entriesOf(node) };
  }

  #binding(node: ComprehensionNode): Range {
    const cost = this.cost(node.range).add(this.cost(node.init));
    this.#locals.push([node.accumulator, this.#localOf(node.init)]);
    const whole = cost.add(this.cost(node.result));
    this.#locals.pop();
    this.#setSize(node, this.#sizeOf(node.result));
    this.#setEntries(node, this.#entriesOf(node.result));
    return whole;
  }

  #loop(node: ComprehensionNode): Range {
    const { init, range } = node;
    const start = this.cost(range).add(this.cost(init));
    const depth = this.#locals.length;
    this.#locals.push([node.accumulator, this.#localOf(init)]);
    this.#locals.push(...this.#loopVariables(node));
    const round = this.cost(node.condition).add(this.cost(node.step));
    this.#locals.length = depth + 1;
    const result = this.cost(node.result);
    this.#locals.length = depth;
    const rounds = this.#sizeOrUnknown(range);
    if (init.kind === 'literal') this.#setSize(node, this.#sizeOf(init));
    else if (init.kind === 'list' || init.kind === 'map') {
      this.#setSize(node, rounds);
      this.#setEntries(node, this.#entriesOf(node.step));
    }
    return start.add(result).add(rounds.multiply(round));
  }

  #loopVariables({ range, variables }: ComprehensionNode): readonly (readonly [string, Local])[] {
    const entries = this.#entriesOf(range);
    const isList = entries?.isList ?? this.#typeOf(range).kind === 'list';
    const path = this.#pathOf(range);
    const inside = (name: string, step: string, size: Range | undefined): readonly [string, Local] => [
      name,
      { path: [...path, step], size, entries: undefined },
    ];
    const [first, second] = variables as readonly [string, string?];
    if (second === undefined) {
      return [isList ? inside(first, '@items', entries?.value) : inside(first, '@keys', entries?.key)];
    }
    return [
      inside(first, isList ? '@indices' : '@keys', entries?.key),
      inside(second, isList ? '@items' : '@values', entries?.value),
    ];
  }
}

function literalSize(node: Node): Range | undefined {
  if (node.kind === 'list') return new Range(node.items.length, node.items.length);
  if (node.kind === 'map') return new Range(node.entries.length, node.entries.length);
  if (node.kind !== 'literal') return undefined;
  const { value } = node;
  if (typeof value === 'string') {
    const length = characterCount(value);
    return new Range(length, length);
  }
  if (value === null || typeof value !== 'object' || value instanceof Uint) return FIXED_ONE;
  return new Range(value.length, value.length);
}

function isScalar(type: CelType): boolean {
  if (isOptional(type)) return isScalar(type.parameters[0]!);
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind);
}

function isSizeComparison(id: string): boolean {
  return id === 'equals' || id === 'not_equals' || /^(less|greater)(_equals)?_(string|bytes)$/.test(id);
}

function comparison(a: Range, b: Range): Range {
  const max = Math.min(a.max, b.max);
  return new Range(max > 0 ? 1 : 0, max).scale(PER_CHARACTER);
}
