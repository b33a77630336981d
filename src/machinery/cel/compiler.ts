// From a checked expression to closures that run it.
import {
  ACCUMULATOR,
  OPERATOR,
  type CallNode,
  type ComprehensionNode,
  type ListNode,
  type MapNode,
  type Node,
  type SelectNode,
  type StructNode,
} from './ast.ts';
import { memberOf, optionally } from './access.ts';
import { LIST_CREATION, MAP_CREATION, STRUCT_CREATION } from './call-cost.ts';
import type { Checked } from './checker.ts';
import {
  alternative,
  binding,
  freshLike,
  iterate,
  notStrictlyFalse,
  shortCircuit,
  type GrowingList,
} from './control.ts';
import { CONVERSIONS } from './conversions.ts';
import { Failure, attempt, constant, type Compiled, type Frame, type Step } from './frame.ts';
import { StructValue } from './mutation.ts';
import { ProgramError, checkPattern, folded, invocation, isSetTest, withoutCost } from './invocation.ts';
import {
  EvaluationError,
  MapValue,
  Optional,
  PlainList,
  PlainMap,
  noSuchOverload,
  type ListValue,
  type Value,
} from './values.ts';

export class Compiler {
  slotCount: number;
  readonly #checked: Checked;
  readonly #scope: [name: string, slot: number][];

  constructor(checked: Checked, variables: readonly string[]) {
    this.#checked = checked;
    this.#scope = variables.map((name, slot) => [name, slot]);
    this.slotCount = variables.length;
  }

  compile(node: Node): Compiled {
    if (this.#isAttribute(node)) return this.#wholeAttribute(node);
    switch (node.kind) {
      case 'literal':
        return constant(node.value);
      case 'ident':
        return constant(this.#checked.constants.get(node)!);
      case 'select':
        return node.testOnly ? { run: this.#presence(node) } : constant(this.#checked.constants.get(node)!);
      case 'call':
        return this.#call(node);
      case 'list':
        return this.#list(node);
      case 'map':
        return this.#map(node);
      case 'comprehension':
        return { run: this.#comprehension(node) };
      case 'struct':
        return { run: this.#struct(node) };
    }
  }

  #runs(nodes: readonly Node[]): readonly Step[] {
    return nodes.map((node) => this.compile(node).run);
  }

  // ---- attributes: variables and the ways into them. The variable costs one, each step into it one more.

  #isAttribute(node: Node): boolean {
    if (this.#checked.constants.has(node)) return false;
    if (node.kind === 'ident') return true;
    if (node.kind === 'select') return !node.testOnly;
    if (node.kind !== 'call') return false;
    const { index, optionalIndex, optionalSelect, conditional } = OPERATOR;
    return (
      node.target === undefined &&
      [index, optionalIndex, optionalSelect, conditional].some((name) => name === node.name)
    );
  }

  #wholeAttribute(node: Node): Compiled {
    const run = this.#attribute(node);
    if (this.#choosesFirst(node)) return { run };
    return {
      run(frame) {
        frame.charge(1);
        return run(frame);
      },
    };
  }

  /** COMPAT: a choice costs nothing beside its condition, nor does the variable that is chosen. */
  #choosesFirst(node: Node): boolean {
    if (!this.#isAttribute(node)) return false;
    if (node.kind === 'select') return !this.#checked.dotted.has(node) && this.#choosesFirst(node.operand);
    if (node.kind !== 'call') return false;
    return node.name === OPERATOR.conditional || this.#choosesFirst(node.args[0]!);
  }

  /** Without what the variable itself costs. */
  #attribute(node: Node): Step {
    switch (node.kind) {
      case 'ident':
        return this.#variable(node.name);
      case 'select': {
        const dotted = this.#checked.dotted.get(node);
        return dotted === undefined ? this.#selection(node) : this.#variable(dotted);
      }
      case 'call':
        return node.name === OPERATOR.conditional ? this.#choice(node) : this.#indexing(node);
      default:
        throw new ProgramError(`no attribute: ${node.kind}`);
    }
  }

  #operand(node: Node): Step {
    return this.#isAttribute(node) ? this.#attribute(node) : this.compile(node).run;
  }

  #variable(name: string): Step {
    const plain = name.replace(/^\./, '');
    const [, slot] = this.#scope.findLast(([known]) => known === plain) ?? [];
    if (slot === undefined) throw new ProgramError(`no such attribute: ${name}`);
    return (frame) => {
      const value = frame.slots[slot];
      if (value instanceof Failure) throw value.error;
      if (value === undefined) throw new EvaluationError(`no such attribute(s): ${name}`);
      return value;
    };
  }

  #selection(node: SelectNode): Step {
    const operand = this.#operand(node.operand);
    const { field } = node;
    return (frame) => {
      const value = operand(frame);
      frame.charge(1);
      return value instanceof Optional ? optionally(value, field) : memberOf(value, field);
    };
  }

  #presence({ operand: node, field }: SelectNode): Step {
    const operand = this.#operand(node);
    return (frame) => {
      const value = operand(frame);
      const held = value instanceof Optional ? value.value : value;
      if (held === undefined) return false;
      frame.charge(1);
      if (!(held instanceof MapValue)) throw noSuchOverload();
      return held.find(field) !== undefined;
    };
  }

  #indexing(node: CallNode): Step {
    const [operandNode, keyNode] = node.args as readonly [Node, Node];
    const operand = this.#operand(operandNode);
    const key = this.#operand(keyNode);
    const optional = node.name !== OPERATOR.index;
    return (frame) => {
      const value = operand(frame);
      const at = key(frame);
      if (!optional && !(value instanceof Optional)) {
        frame.charge(1);
        return memberOf(value, at);
      }
      const found = optionally(value, at);
      if (found.value !== undefined) frame.charge(1);
      return found;
    };
  }

  #choice(node: CallNode): Step {
    const [conditionNode, whenTrueNode, whenFalseNode] = node.args as readonly [Node, Node, Node];
    const condition = this.compile(conditionNode).run;
    const whenTrue = this.#operand(whenTrueNode);
    const whenFalse = this.#operand(whenFalseNode);
    return (frame) => {
      const holds = condition(frame);
      if (typeof holds !== 'boolean') throw noSuchOverload();
      return holds ? whenTrue(frame) : whenFalse(frame);
    };
  }

  #struct({ fields }: StructNode): Step {
    const steps = fields.map(({ name, value, optional }) => ({
      name,
      optional,
      run: this.compile(value).run,
    }));
    return (frame) => {
      frame.charge(STRUCT_CREATION);
      const made = new Map<string, Value>();
      for (const { name, optional, run } of steps) {
        const value = run(frame);
        if (!optional) made.set(name, value);
        else if (value instanceof Optional && value.value !== undefined) made.set(name, value.value);
      }
      return new StructValue(made);
    };
  }

  // ---- calls

  #call(node: CallNode): Compiled {
    switch (node.name) {
      case OPERATOR.and:
        return { run: shortCircuit(this.#runs(node.args), false) };
      case OPERATOR.or:
        return { run: shortCircuit(this.#runs(node.args), true) };
      case OPERATOR.notStrictlyFalse:
        return { run: notStrictlyFalse(this.#runs(node.args)[0]!) };
      default:
    }
    const resolved = this.#checked.calls.get(node)!;
    const operands = resolved.target === undefined ? node.args : [resolved.target, ...node.args];
    const args = operands.map((operand) => this.compile(operand));
    if (resolved.overloads.some(({ id }) => id.startsWith('optional_or'))) {
      return { run: alternative(args[0]!.run, args[1]!.run, resolved.name === 'or') };
    }
    checkPattern(resolved.name, args[1]?.constant);
    const run = invocation(
      resolved,
      args.map((arg) => arg.run),
    );
    if (
      args.every((arg) => arg.constant !== undefined) &&
      args.length === 1 &&
      CONVERSIONS.has(resolved.name)
    ) {
      return folded(run);
    }
    return isSetTest(resolved, args)
      ? {
          run: withoutCost(
            resolved,
            args.map((arg) => arg.run),
          ),
        }
      : { run };
  }

  #list({ items, optionals }: ListNode): Compiled {
    const compiled = items.map((item) => this.compile(item));
    if (optionals.size === 0 && compiled.every((item) => item.constant !== undefined)) {
      return constant(new PlainList(compiled.map((item) => item.constant!)));
    }
    const runs = compiled.map((item) => item.run);
    return {
      run(frame) {
        const values: Value[] = [];
        runs.forEach((run, index) => {
          const value = run(frame);
          if (!optionals.has(index)) values.push(value);
          else if (!(value instanceof Optional)) throw noSuchOverload();
          else if (value.value !== undefined) values.push(value.value);
        });
        frame.charge(LIST_CREATION);
        return frame.hold(new PlainList(values));
      },
    };
  }

  #map({ entries }: MapNode): Compiled {
    const compiled = entries.map(({ key, value, optional }) => ({
      key: this.compile(key),
      value: this.compile(value),
      optional,
    }));
    const build = (frame: Frame): PlainMap => {
      const map = new PlainMap();
      for (const { key, value, optional } of compiled) {
        const [at, held] = [key.run(frame), value.run(frame)];
        if (!optional) map.insert(at, held);
        else if (!(held instanceof Optional)) throw noSuchOverload();
        else if (held.value !== undefined) map.insert(at, held.value);
      }
      return map;
    };
    const isConstant = compiled.every(
      ({ key, value, optional }) => !optional && key.constant !== undefined && value.constant !== undefined,
    );
    if (isConstant) return folded(build);
    return {
      run(frame) {
        const map = build(frame);
        frame.charge(MAP_CREATION);
        return frame.hold(map);
      },
    };
  }

  // ---- loops

  #declare(name: string): number {
    const slot = this.slotCount++;
    this.#scope.push([name, slot]);
    return slot;
  }

  #comprehension(node: ComprehensionNode): Step {
    const range = this.compile(node.range).run;
    const init = this.compile(node.init).run;
    const depth = this.#scope.length;
    const accumulator = this.#declare(node.accumulator);
    const variables = node.variables.map((name) => this.#declare(name));
    const condition = this.compile(node.condition);
    const gathering = node.accumulator === ACCUMULATOR ? this.#gathering(node, accumulator) : undefined;
    const step = gathering ?? this.compile(node.step).run;
    this.#scope.length = depth + 1;
    const result = this.compile(node.result).run;
    this.#scope.length = depth;
    if (condition.constant === false) return binding(init, accumulator, result);
    const lasting = condition.constant === true;
    return (frame) => {
      const items = range(frame);
      const { slots } = frame;
      slots[accumulator] = gathering === undefined ? init(frame) : freshLike(init(frame));
      iterate(items, variables, slots, () => {
        if (!lasting && condition.run(frame) === false) return false;
        slots[accumulator] = lasting ? step(frame) : attempt(step, frame);
        return true;
      });
      return gathering === undefined ? result(frame) : frame.hold(result(frame));
    };
  }

  /** Steps that add to a list or map add to the same one, since nobody else can see it yet. */
  #gathering({ step }: ComprehensionNode, slot: number): Step | undefined {
    const isAccumulator = (node: Node): boolean => node.kind === 'ident' && node.name === ACCUMULATOR;
    if (step.kind !== 'call') return undefined;
    if (step.name === OPERATOR.conditional && isAccumulator(step.args[2]!)) {
      const added = step.args[1]!;
      const add = added.kind === 'call' ? this.#addition(added, slot, isAccumulator) : undefined;
      if (add === undefined) return undefined;
      const condition = this.compile(step.args[0]!).run;
      return (frame) => {
        const holds = condition(frame);
        if (typeof holds !== 'boolean') throw noSuchOverload();
        return holds ? add(frame) : (frame.slots[slot] as Value);
      };
    }
    return this.#addition(step, slot, isAccumulator);
  }

  #addition(step: CallNode, slot: number, isAccumulator: (node: Node) => boolean): Step | undefined {
    const [first, ...added] = step.args;
    if (first === undefined || !isAccumulator(first)) return undefined;
    if (step.name === OPERATOR.add && added[0]?.kind === 'list') {
      const more = this.compile(added[0]).run;
      return (frame) => {
        const list = frame.slots[slot] as GrowingList;
        // The accumulator and the addition cost one each.
        frame.charge(2);
        for (const item of more(frame) as ListValue) list.items.push(item);
        return list;
      };
    }
    if (step.name !== OPERATOR.mapInsert) return undefined;
    const [keyOrMap, value] = this.#runs(added);
    return (frame) => {
      const map = frame.slots[slot] as PlainMap;
      frame.charge(2);
      const inserted = keyOrMap!(frame);
      if (value !== undefined) map.insert(inserted, value(frame));
      else if (!(inserted instanceof MapValue)) throw noSuchOverload();
      else for (const key of inserted.keys()) map.insert(key, inserted.find(key)!);
      return map;
    };
  }
}
