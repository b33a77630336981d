// Finds the type of every part of an expression, and which overloads its calls may mean, before anything is run.
import {
  OPERATOR,
  type CallNode,
  type ComprehensionNode,
  type ListNode,
  type MapNode,
  type Node,
  type SelectNode,
  type StructNode,
} from './ast.ts';
import type { Functions, Overload } from './functions.ts';
import { fieldProblem } from './mutation.ts';
import { Inference, mostGeneral } from './inference.ts';
import { CompileError, type Issue } from './issues.ts';
import { checkLiterals } from './literal-checks.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  ERROR,
  INT,
  NAMED_TYPES,
  NULL,
  STRING,
  UINT,
  isOptional,
  listOf,
  mapOf,
  optionalOf,
  sameType,
  typeOfType,
  unwrapOptional,
  type CelType,
} from './types.ts';
import { TypeValue, Uint, type Value } from './values.ts';

export interface ResolvedCall {
  /** With what stands before the dot, if that is part of the name: `ip.isCanonical`. */
  readonly name: string;
  /** At least one; which of several is meant only the values tell. */
  readonly overloads: readonly Overload[];
  /** Undefined also where the target is part of the name. */
  readonly target: Node | undefined;
}

export interface Checked {
  readonly root: Node;
  readonly types: ReadonlyMap<Node, CelType>;
  readonly calls: ReadonlyMap<Node, ResolvedCall>;
  /** Names that are no variables but stand for a value. */
  readonly constants: ReadonlyMap<Node, Value>;
  /** Selections that are variables with a dot in their name. */
  readonly dotted: ReadonlyMap<Node, string>;
  /** Names of the variables that are used. */
  readonly used: ReadonlySet<string>;
}

export interface Declarations {
  /** The type that a literal of this name makes; absent: there are no such literals. */
  readonly structType?: (name: string) => CelType | undefined;
  readonly functions: Functions;
  readonly variables: ReadonlyMap<string, CelType>;
}

/** Throws a CompileError. */
export function checkExpression(source: string, root: Node, declarations: Declarations): Checked {
  const checker = new Checker(declarations);
  const checked = checker.run(root);
  const issues = checker.issues.length > 0 ? checker.issues : checkLiterals(checked);
  if (issues.length > 0) throw new CompileError(source, issues);
  return checked;
}

/** `a.b.c` of selections from a name; undefined of anything else. */
function qualifiedName(node: Node): string | undefined {
  if (node.kind === 'ident') return node.name;
  if (node.kind !== 'select' || node.testOnly) return undefined;
  const prefix = qualifiedName(node.operand);
  return prefix === undefined ? undefined : `${prefix}.${node.field}`;
}

class Checker {
  readonly issues: Issue[] = [];
  readonly #declarations: Declarations;
  readonly #inference = new Inference();
  readonly #types = new Map<Node, CelType>();
  readonly #calls = new Map<Node, ResolvedCall>();
  readonly #constants = new Map<Node, Value>();
  readonly #dotted = new Map<Node, string>();
  readonly #used = new Set<string>();
  /** Variables of the loops around, the innermost last. */
  readonly #locals: (readonly [name: string, type: CelType])[] = [];

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
  }

  run(root: Node): Checked {
    this.#check(root);
    for (const [node, type] of this.#types) this.#types.set(node, this.#inference.resolve(type, 'dyn'));
    return {
      root,
      types: this.#types,
      calls: this.#calls,
      constants: this.#constants,
      dotted: this.#dotted,
      used: this.#used,
    };
  }

  #report(at: number, message: string): void {
    this.issues.push({ at, message });
  }

  #typeOf(node: Node): CelType {
    return this.#types.get(node) ?? ERROR;
  }

  #check(node: Node): CelType {
    const type = this.#infer(node);
    this.#types.set(node, type);
    return type;
  }

  #infer(node: Node): CelType {
    switch (node.kind) {
      case 'literal':
        return literalType(node.value);
      case 'ident':
        return this.#ident(node, node.name);
      case 'select':
        return this.#select(node);
      case 'call':
        return this.#call(node);
      case 'list':
        return this.#list(node);
      case 'map':
        return this.#map(node);
      case 'struct':
        return this.#struct(node);
      case 'comprehension':
        return this.#comprehension(node);
    }
  }

  #undeclared(at: number, name: string): CelType {
    this.#report(at, `undeclared reference to '${name}' (in container '')`);
    return ERROR;
  }

  /** The type of a name; undefined: there is none such. */
  #lookup(node: Node, name: string): CelType | undefined {
    const plain = name.replace(/^\./, '');
    const local = plain === name ? this.#locals.findLast(([known]) => known === name) : undefined;
    if (local !== undefined) return local[1];
    const variable = this.#declarations.variables.get(plain);
    if (variable !== undefined) {
      this.#used.add(plain);
      if (node.kind === 'select') this.#dotted.set(node, plain);
      return variable;
    }
    const type = NAMED_TYPES.get(plain);
    if (type === undefined) return undefined;
    this.#constants.set(node, new TypeValue(type));
    return typeOfType(type);
  }

  #ident(node: Node, name: string): CelType {
    return this.#lookup(node, name) ?? this.#undeclared(node.at, name);
  }

  #select(node: SelectNode): CelType {
    const name = qualifiedName(node);
    const known = name === undefined ? undefined : this.#lookup(node, name);
    if (known !== undefined) return known;
    const type = this.#field(node, node.operand, node.field, false);
    return node.testOnly ? BOOL : this.#inference.resolve(type);
  }

  #field(node: Node, operand: Node, field: string, optional: boolean): CelType {
    const operandType = this.#inference.resolve(this.#check(operand));
    const type = this.#fieldOf(node, unwrapOptional(operandType), field);
    return optional || isOptional(operandType) ? optionalOf(type) : type;
  }

  #fieldOf(node: Node, type: CelType, field: string): CelType {
    switch (type.kind) {
      case 'map':
        return type.parameters[1]!;
      case 'object': {
        const found = type.field(field);
        if (found === undefined) this.#report(node.at, `undefined field '${field}'`);
        return found ?? ERROR;
      }
      case 'param':
        this.#inference.assign([DYN], [type]);
        return DYN;
      case 'dyn':
      case 'error':
        return DYN;
      default:
        this.#report(node.at, `type '${type.text}' does not support field selection`);
        return DYN;
    }
  }

  #call(node: CallNode): CelType {
    const { name, target, args } = node;
    if (name === OPERATOR.optionalSelect) return this.#optionalSelect(node);
    for (const arg of args) this.#check(arg);
    const { functions } = this.#declarations;
    if (target === undefined) {
      const plain = name.replace(/^\./, '');
      const overloads = functions.get(plain);
      if (overloads === undefined) return this.#undeclared(node.at, name);
      return this.#resolve(node, plain, overloads, undefined);
    }
    const prefix = qualifiedName(target);
    const qualified = prefix === undefined ? undefined : `${prefix}.${name}`;
    const namespaced = qualified === undefined ? undefined : functions.get(qualified);
    if (qualified !== undefined && namespaced !== undefined) {
      return this.#resolve(node, qualified, namespaced, undefined);
    }
    this.#check(target);
    const overloads = functions.get(name);
    if (overloads === undefined) return this.#undeclared(node.at, name);
    return this.#resolve(node, name, overloads, target);
  }

  #optionalSelect(node: CallNode): CelType {
    const [operand, field] = node.args as readonly [Node, Node];
    const name = field.kind === 'literal' && typeof field.value === 'string' ? field.value : '';
    this.#types.set(field, STRING);
    const overloads = this.#declarations.functions.get(OPERATOR.optionalSelect) ?? [];
    this.#calls.set(node, { name: OPERATOR.optionalSelect, overloads, target: undefined });
    return this.#inference.resolve(this.#field(node, operand, name, true));
  }

  #resolve(node: CallNode, name: string, overloads: readonly Overload[], target: Node | undefined): CelType {
    const operands = target === undefined ? node.args : [target, ...node.args];
    const types = operands.map((operand) => this.#typeOf(operand));
    if (name === OPERATOR.and || name === OPERATOR.or) return this.#logical(node, overloads, types);
    const matching: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.member !== (target !== undefined)) continue;
      const [wanted, ...args] = this.#inference.instantiate(
        [overload.result, ...overload.args],
        overload.params,
      );
      if (!this.#inference.assign(types, args)) continue;
      matching.push(overload);
      const type = this.#inference.resolve(wanted!);
      if (result === undefined) result = type;
      else if (result.kind !== 'dyn' && !sameType(result, type)) result = DYN;
    }
    if (result === undefined) {
      this.#noOverload(node, name, types, target !== undefined);
      return ERROR;
    }
    this.#calls.set(node, { name, overloads: matching, target });
    return result;
  }

  #logical(node: CallNode, overloads: readonly Overload[], types: readonly CelType[]): CelType {
    const wrong = node.args.filter((_, index) => !this.#inference.assign([types[index]!], [BOOL]));
    for (const arg of wrong)
      this.#report(arg.at, `expected type 'bool' but found '${this.#typeOf(arg).text}'`);
    this.#calls.set(node, { name: node.name, overloads, target: undefined });
    return wrong.length > 0 ? ERROR : BOOL;
  }

  #noOverload(node: CallNode, name: string, types: readonly CelType[], member: boolean): void {
    const shown = types.map((type) => this.#inference.resolve(type, 'dyn').text);
    const signature = member ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`;
    this.#report(node.at, `found no matching overload for '${name}' applied to '${signature}'`);
  }

  /** What a literal holds when it holds both; everything, when they do not go together. */
  #join(known: CelType | undefined, type: CelType): CelType {
    if (known === undefined) return type;
    return this.#inference.assign([known], [type]) ? mostGeneral(known, type) : DYN;
  }

  /** The type of an item or value that is left out when empty. */
  #optionalItem(node: Node, type: CelType): CelType {
    if (!isOptional(type) && type.kind !== 'dyn') {
      this.#report(node.at, `expected type '${optionalOf(type).text}' but found '${type.text}'`);
    }
    return unwrapOptional(type);
  }

  #list({ items, optionals }: ListNode): CelType {
    let held: CelType | undefined;
    items.forEach((item, index) => {
      const type = this.#check(item);
      held = this.#join(held, optionals.has(index) ? this.#optionalItem(item, type) : type);
    });
    return listOf(held ?? this.#inference.freshParam());
  }

  #map({ entries }: MapNode): CelType {
    let keys: CelType | undefined;
    let values: CelType | undefined;
    for (const { key, value, optional } of entries) {
      keys = this.#join(keys, this.#check(key));
      const type = this.#check(value);
      values = this.#join(values, optional ? this.#optionalItem(value, type) : type);
    }
    return mapOf(keys ?? this.#inference.freshParam(), values ?? this.#inference.freshParam());
  }

  #struct(node: StructNode): CelType {
    const made = this.#declarations.structType?.(node.name);
    if (made === undefined) return this.#undeclared(node.at, node.name);
    for (const { name, value, optional, at } of node.fields) {
      const type = this.#check(value);
      if (optional) this.#optionalItem(value, type);
      const problem = fieldProblem(node.name, name, value);
      if (problem !== undefined) this.#report(at, problem);
    }
    return made;
  }

  #comprehension(node: ComprehensionNode): CelType {
    this.#check(node.range);
    const accumulated = this.#check(node.init);
    const range = this.#inference.resolve(this.#typeOf(node.range));
    const depth = this.#locals.length;
    this.#locals.push([node.accumulator, accumulated]);
    const variables = this.#loopTypes(node, range);
    node.variables.forEach((name, index) => this.#locals.push([name, variables[index]!]));
    this.#check(node.condition);
    this.#expectType(node.condition, BOOL);
    this.#check(node.step);
    this.#expectType(node.step, accumulated);
    this.#locals.length = depth + 1;
    const result = this.#check(node.result);
    this.#locals.length = depth;
    return this.#inference.resolve(result);
  }

  #loopTypes({ range, variables }: ComprehensionNode, type: CelType): readonly CelType[] {
    switch (type.kind) {
      case 'list':
        return variables.length === 2 ? [INT, type.parameters[0]!] : type.parameters;
      case 'map':
        return type.parameters;
      case 'dyn':
      case 'error':
      case 'param':
        this.#inference.assign([DYN], [type]);
        return [DYN, DYN];
      default:
        this.#report(
          range.at,
          `expression of type '${type.text}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [ERROR, ERROR];
    }
  }

  #expectType(node: Node, wanted: CelType): void {
    const type = this.#typeOf(node);
    if (this.#inference.assign([wanted], [type])) return;
    this.#report(node.at, `expected type '${wanted.text}' but found '${type.text}'`);
  }
}

function literalType(value: unknown): CelType {
  switch (typeof value) {
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return STRING;
    case 'boolean':
      return BOOL;
    default:
      if (value === null) return NULL;
      return value instanceof Uint ? UINT : BYTES;
  }
}
