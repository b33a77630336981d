// kubectl's JSONPath: `-o jsonpath`, `wait --for=jsonpath`, sort keys, and the columns and selectable fields of CRDs.
import { goJson, goNumber } from './go-text.ts';
import { isJsonList, isJsonObject } from './json-draft.ts';
import { JsonPathError, parseTemplate, type Filter, type PathNode, type Slice } from './json-path-parser.ts';

export { JsonPathError };

export interface JsonPathOptions {
  /** Whether a missing field is nothing instead of an error. */
  readonly allowMissingKeys?: boolean;
}

export interface JsonPath {
  /** What each action of the template finds, in order; ranges give one list for each action in each round. */
  find(data: unknown): readonly (readonly unknown[])[];
  /** The template filled in. */
  print(data: unknown): string;
}

/** Compiles a template such as `{range .items[*]}{.metadata.name}{"\n"}{end}`. Throws JsonPathError, as do its methods. */
export function compileJsonPath(template: string, options: JsonPathOptions = {}): JsonPath {
  const steps = group(parseTemplate(template));
  const evaluator = new Evaluator(options.allowMissingKeys === true);
  const find = (data: unknown): readonly (readonly unknown[])[] => evaluator.run(steps, data);
  return { find, print: (data) => find(data).map(printResults).join('') };
}

/** Compiles the path of a CRD's column or selectable field, `.spec.x[*].y`, for which missing fields are nothing. */
export function compileFieldPath(path: string): (data: unknown) => readonly unknown[] {
  const compiled = compileJsonPath(`{${path}}`, { allowMissingKeys: true });
  return (data) => compiled.find(data)[0] ?? [];
}

/** `{.a.b}` of what users of custom columns and sort keys write: with or without braces and leading dot. */
export function relaxedJsonPath(path: string): string {
  if (path === '') return path;
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(path);
  if (match === null) {
    throw new JsonPathError(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    );
  }
  return `{.${match[1] ?? match[2] ?? ''}}`;
}

// ---- ranges

type Step =
  | { readonly kind: 'action'; readonly nodes: readonly PathNode[] }
  | { readonly kind: 'range'; readonly nodes: readonly PathNode[]; readonly body: readonly Step[] };

/** Puts what stands between `{range …}` and `{end}` into one step. */
function group(actions: readonly (readonly PathNode[])[]): readonly Step[] {
  const outer: Step[][] = [];
  let steps: Step[] = [];
  for (const nodes of actions) {
    const [first] = nodes;
    const keyword = first?.kind === 'identifier' ? first.name : undefined;
    if (keyword === 'range') {
      const body: Step[] = [];
      steps.push({ kind: 'range', nodes: nodes.slice(1), body });
      outer.push(steps);
      steps = body;
    } else if (keyword === 'end') {
      const parent = outer.pop();
      if (parent === undefined) throw new JsonPathError('not in range, nothing to end');
      steps = parent;
    } else steps.push({ kind: 'action', nodes });
  }
  // COMPAT: a range that is not ended reaches to the end.
  return outer[0] ?? steps;
}

class Evaluator {
  readonly #allowMissingKeys: boolean;

  constructor(allowMissingKeys: boolean) {
    this.#allowMissingKeys = allowMissingKeys;
  }

  run(steps: readonly Step[], data: unknown): (readonly unknown[])[] {
    return steps.flatMap((step) => {
      const results = this.#walk([data], step.nodes);
      if (step.kind === 'action') return [results];
      return results.flatMap((result) => this.run(step.body, result));
    });
  }

  #walk(values: readonly unknown[], nodes: readonly PathNode[]): readonly unknown[] {
    let current = values;
    for (const node of nodes) current = this.#step(current, node);
    return current;
  }

  #step(values: readonly unknown[], node: PathNode): readonly unknown[] {
    switch (node.kind) {
      case 'text':
        return [node.text];
      case 'literal':
        return values.map(() => node.value);
      case 'field':
        return this.#field(values, node.name);
      case 'wildcard':
        return values.flatMap(childrenOf);
      case 'recursive':
        return descend(values);
      case 'slice':
        return values.flatMap((value) => slice(value, node.slice));
      case 'union':
        return node.branches.flatMap((branch) => this.#walk(values, branch));
      case 'filter':
        return values.flatMap((value) => this.#filter(value, node.filter));
      case 'identifier':
        throw new JsonPathError(`unrecognized identifier ${node.name}`);
    }
  }

  #field(values: readonly unknown[], name: string): readonly unknown[] {
    if (values.length === 0) return values;
    const results: unknown[] = [];
    for (const value of values) {
      if (!isJsonObject(value) || !Object.hasOwn(value, name)) continue;
      if (value[name] !== undefined) results.push(value[name]);
    }
    if (results.length === 0 && !this.#allowMissingKeys) throw new JsonPathError(`${name} is not found`);
    return results;
  }

  #filter(value: unknown, filter: Filter): readonly unknown[] {
    if (!isJsonList(value)) {
      throw new JsonPathError(`${printValue(value)} is not array or slice and cannot be filtered`);
    }
    return value.filter((item) => this.#passes(item, filter));
  }

  #passes(item: unknown, { left, operator, right }: Filter): boolean {
    if (operator === 'exists') {
      try {
        return this.#walk([item], left).length > 0;
      } catch (error) {
        if (error instanceof JsonPathError) return false;
        throw error;
      }
    }
    const a = single(this.#walk([item], left));
    if (a.length === 0) return false;
    const b = single(this.#walk([item], right));
    return b.length > 0 && compare(a[0], operator, b[0]);
  }
}

function single(values: readonly unknown[]): readonly unknown[] {
  if (values.length > 1) throw new JsonPathError('can only compare one element at a time');
  return values;
}

function childrenOf(value: unknown): readonly unknown[] {
  if (isJsonList(value)) return value;
  return isJsonObject(value) ? Object.values(value).filter((child) => child !== undefined) : [];
}

/** Every value that has something in it, each before what is in it. */
function descend(values: readonly unknown[]): unknown[] {
  return values.flatMap((value) => {
    const children = childrenOf(value);
    return children.length === 0 ? [] : [value, ...descend(children)];
  });
}

function slice(value: unknown, { start = 0, end, derived, step = 1 }: Slice): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!isJsonList(value)) throw new JsonPathError(`${goTypeOf(value)} is not array or slice`);
  const { length } = value;
  const from = start < 0 ? start + length : start;
  let to = end ?? length;
  if (to < 0 || (to === 0 && derived)) to += length;
  if (from === to) return [];
  if (from >= length || from < 0) {
    throw new JsonPathError(`array index out of bounds: index ${from}, length ${length}`);
  }
  if (to > length || to < 0) {
    throw new JsonPathError(`array index out of bounds: index ${to - 1}, length ${length}`);
  }
  if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
  if (step <= 0) throw new JsonPathError('step must be > 0');
  return value.slice(from, to).filter((_, index) => index % step === 0);
}

function goTypeOf(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'map[string]interface {}';
}

function compare(a: unknown, operator: string, b: unknown): boolean {
  const comparable = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
  if (!comparable(a) || !comparable(b)) throw new JsonPathError('invalid type for comparison');
  if (typeof a !== typeof b) throw new JsonPathError('incompatible types for comparison');
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  if (typeof a === 'boolean') throw new JsonPathError('invalid type for comparison');
  const [left, right] = [a as string | number, b as string | number];
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      throw new JsonPathError(`unrecognized filter operator ${operator}`);
  }
}

// ---- printing

function printResults(results: readonly unknown[]): string {
  return results.map(printValue).join(' ');
}

function printValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goNumber(value);
  return goJson(sortKeys(value));
}

/** As Go marshals maps: in order of their keys. */
function sortKeys(value: unknown): unknown {
  if (isJsonList(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}
