// fieldsV1 trees, made once and shared. Objects of a kind are written in the same way again and again, so the trees of
// thousands of them are the same few; shared, they cost their memory once, and what is known of one (the set it stands
// for, that it fits the schema) is known of all.
// INVARIANT: what comes out is frozen, and depends on nothing but what was asked for.
import type { JsonObject } from '../../api/index.ts';
import { setField, type JsonFields } from '../json-draft.ts';
import type { PathElement } from './path-element.ts';

/** Owned, with nothing owned below. */
export const LEAF: JsonObject = Object.freeze({});

/** One step more on the way through the elements of a tree's top level. */
interface Step {
  leaves: Map<PathElement, Step> | undefined;
  inner: Map<PathElement, Map<JsonObject, Step>> | undefined;
  tree: JsonObject | undefined;
}

// LIMIT: steps that are remembered; then they are forgotten and gathered anew. What was shared stays as it is.
const STEPS_MAX = 50_000;
// LIMIT: longer elements are not worth remembering. Names of fields are as long as labels and annotations may be.
const ELEMENT_MAX = 350;
/** Keys that name single objects: an owner, an address. */
const SINGLE = /^k:\{"(uid|ip)":/;

const isWorthwhile = (element: PathElement): boolean =>
  element.length <= ELEMENT_MAX && !SINGLE.test(element);

const newStep = (): Step => ({ leaves: undefined, inner: undefined, tree: undefined });

class SharedTrees {
  #alone = newStep();
  #ofMember = newStep();
  #steps = 0;
  #known = new WeakSet<JsonObject>();

  /** See sharedFields. */
  tree(member: boolean, elements: readonly PathElement[], below: readonly JsonObject[]): JsonObject {
    let step = member ? this.#ofMember : this.#alone;
    for (let i = 0; i < elements.length; i++) {
      const next = this.#next(step, elements[i]!, below[i]!);
      if (next === undefined) return makeTree(member, elements, below);
      step = next;
    }
    if (step.tree === undefined) {
      step.tree = makeTree(member, elements, below);
      this.#known.add(step.tree);
    }
    return step.tree;
  }

  isShared(tree: JsonObject): boolean {
    return this.#known.has(tree);
  }

  #next(step: Step, element: PathElement, below: JsonObject): Step | undefined {
    if (below === LEAF) {
      const known = step.leaves?.get(element);
      if (known !== undefined) return known;
      if (!isWorthwhile(element)) return undefined;
      return remember((step.leaves ??= new Map()), element, this.#made());
    }
    const known = step.inner?.get(element)?.get(below);
    if (known !== undefined) return known;
    if (!isWorthwhile(element) || !this.#known.has(below)) return undefined;
    const inner = (step.inner ??= new Map());
    const trees = inner.get(element) ?? remember(inner, element, new Map<JsonObject, Step>());
    return remember(trees, below, this.#made());
  }

  #made(): Step {
    if (++this.#steps > STEPS_MAX) {
      this.#steps = 0;
      this.#alone = newStep();
      this.#ofMember = newStep();
      this.#known = new WeakSet();
    }
    return newStep();
  }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value);
  return value;
}

function makeTree(
  member: boolean,
  elements: readonly PathElement[],
  below: readonly JsonObject[],
): JsonObject {
  const fields: JsonFields = member ? { '.': LEAF } : {};
  for (let i = 0; i < elements.length; i++) setField(fields, elements[i]!, below[i]!);
  return Object.freeze(fields);
}

const trees = new SharedTrees();

/**
 * fieldsV1 of these elements, in this order, each with what is owned below it (LEAF: itself alone).
 * @param member whether the value that they are fields of is owned itself (`.`)
 */
export function sharedFields(
  member: boolean,
  elements: readonly PathElement[],
  below: readonly JsonObject[],
): JsonObject {
  return trees.tree(member, elements, below);
}

/** Whether a tree is one of those that many objects have. */
export function isShared(tree: JsonObject): boolean {
  return trees.isShared(tree);
}
