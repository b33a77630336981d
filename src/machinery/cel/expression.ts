// Expressions on data that no schema describes, as admission policies and match conditions have them: every variable
// may be anything, and what does not fit shows when the expression is run.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { isJsonList, isJsonObject } from '../json-draft.ts';
import { checkExpression } from './checker.ts';
import { admissionFunctions } from './environment.ts';
import { structType } from './mutation.ts';
import { parseExpression } from './parser.ts';
import { Program, type Outcome } from './program.ts';
import { typesOf, variablesType } from './request-types.ts';
import { DYN, type CelType } from './types.ts';
import { ListValue, MapValue, type Value } from './values.ts';

/** The variables that an expression can name, with what they are. */
export type Scope = ReadonlyMap<string, CelType>;

export interface Expression {
  /** What the expression gives, as messages spell types: `bool`, `list(string)`, `dyn`. */
  readonly type: string;
  readonly gives: CelType;
  run(variables: Readonly<Record<string, Value | undefined>>, costMax: number): Outcome;
}

/** Of what expressions about requests can name: the names tell what it is. */
export const scopeOf = (names: readonly string[]): Scope => typesOf(names);

/** With a policy's variables, each of the type that its expression gives. */
export const withVariables = (scope: Scope, variables: Scope): Scope =>
  new Map([...scope, ['variables', variablesType(variables)]]);

/** As upstream names a type where it says what an expression must give. */
export function typeName({ name, parameters }: CelType): string {
  return parameters.length === 0 ? name : `${name}(${parameters.map(typeName).join(', ')})`;
}

/**
 * Throws a CompileError when the expression is wrong, a ProgramError when it cannot be made ready to run.
 * @param variables where they are only named, they may be anything
 * @param mutating whether it may make objects and operations of patches
 */
export function compileExpression(
  source: string,
  variables: Scope | readonly string[],
  mutating = false,
): Expression {
  const scope = 'get' in variables ? variables : new Map(variables.map((name) => [name, DYN]));
  const checked = checkExpression(source, parseExpression(source), {
    functions: admissionFunctions(),
    variables: scope,
    ...(mutating ? { structType } : {}),
  });
  const program = new Program(checked, [...scope.keys()]);
  const gives = checked.types.get(checked.root)!;
  return {
    type: gives.text,
    gives,
    run: (values, costMax) => program.run(values, costMax),
  };
}

/** JSON as a value; whole numbers are integers. */
export function expressionValue(json: JsonValue): Value {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (isJsonList(json)) return new DynamicList(json);
  return isJsonObject(json) ? new DynamicMap(json) : json;
}

class DynamicList extends ListValue {
  readonly #items: readonly JsonValue[];
  constructor(items: readonly JsonValue[]) {
    super();
    this.#items = items;
  }

  override get source(): JsonValue {
    return this.#items;
  }
  get size(): number {
    return this.#items.length;
  }
  at(index: number): Value {
    return expressionValue(this.#items[index]!);
  }
}

class DynamicMap extends MapValue {
  readonly #json: JsonObject;
  constructor(json: JsonObject) {
    super();
    this.#json = json;
  }

  override get source(): JsonValue {
    return this.#json;
  }
  get size(): number {
    return Object.keys(this.#json).length;
  }
  keys(): readonly string[] {
    return Object.keys(this.#json);
  }
  find(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#json, key)) return undefined;
    const json = this.#json[key];
    return json === undefined ? undefined : expressionValue(json);
  }
}

/** An object whose fields are worked out when an expression first looks at them. */
export function lazyObject(names: readonly string[], find: (name: string) => Value | undefined): Value {
  return new LazyMap(names, find);
}

class LazyMap extends MapValue {
  readonly #names: readonly string[];
  readonly #find: (name: string) => Value | undefined;
  readonly #found = new Map<string, Value | undefined>();

  constructor(names: readonly string[], find: (name: string) => Value | undefined) {
    super();
    this.#names = names;
    this.#find = find;
  }
  get size(): number {
    return this.#names.length;
  }
  keys(): readonly string[] {
    return this.#names;
  }
  find(key: Value): Value | undefined {
    if (typeof key !== 'string' || !this.#names.includes(key)) return undefined;
    if (!this.#found.has(key)) this.#found.set(key, this.#find(key));
    return this.#found.get(key);
  }
}
