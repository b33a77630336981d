// Sets of fields of an object, as trees: what a manager owns, what a change touches. Immutable, so that parts are
// shared; an operation that changes nothing returns the very set it was given.
import type { JsonObject } from '../../api/index.ts';
import { isJsonObject } from '../json-draft.ts';
import { parseElement, sortElements, type PathElement } from './path-element.ts';
import { LEAF, isShared, sharedFields } from './shared-fields.ts';

interface Entry {
  /** The field itself is in the set. */
  readonly member: boolean;
  /** What of the fields below is in the set; never empty. */
  readonly children: FieldSet | undefined;
}

type Entries = ReadonlyMap<PathElement, Entry>;

export class FieldSet {
  static readonly empty = new FieldSet(new Map());
  #entries: Entries | undefined;
  /** Where the entries are still to be read from. */
  readonly #source: JsonObject | undefined;
  /** As fieldsV1: alone, and as what is below a member. */
  #fields: JsonObject | undefined;
  #fieldsOfMember: JsonObject | undefined;

  /** Use `fromFields` or a FieldSetBuilder. Entries must not be empty ones. */
  constructor(entries: Entries | undefined, source?: JsonObject) {
    this.#entries = entries;
    this.#source = source;
  }

  /** Read level by level when first asked for: most of a set is never looked at by a write that changes little. */
  get entries(): Entries {
    this.#entries ??= readEntries(this.#source ?? LEAF);
    return this.#entries;
  }

  /** Reads fieldsV1. Throws SyntaxError when a path element is malformed. */
  static fromFields(fields: JsonObject): FieldSet {
    const known = parsed.get(fields);
    if (known !== undefined) return known;
    checkFields(fields);
    const set = new FieldSet(undefined, fields);
    if (Object.isFrozen(fields)) {
      parsed.set(fields, set);
      set.#fields = fields;
    }
    return set;
  }

  /** As `fromFields`, for fields that this code has made itself, frozen. */
  static ofOwnFields(fields: JsonObject): FieldSet {
    let set = parsed.get(fields);
    if (set === undefined) {
      set = new FieldSet(undefined, fields);
      set.#fields = fields;
      parsed.set(fields, set);
    }
    return set;
  }

  /** As fieldsV1. The same object for the same set. */
  toFields(): JsonObject {
    if (this.#fields === undefined) {
      this.#fields = writeFields(this, false);
      if (!parsed.has(this.#fields)) parsed.set(this.#fields, this);
    }
    return this.#fields;
  }

  /** The set that stands for all that are equal to it, as far as their fields are shared. */
  shared(): FieldSet {
    return parsed.get(this.toFields()) ?? this;
  }

  /** As fieldsV1 below a member. The same object for the same set. */
  toFieldsOfMember(): JsonObject {
    this.#fieldsOfMember ??= writeFields(this, true);
    return this.#fieldsOfMember;
  }

  /** Whether it stands for the fields of many objects. */
  get isShared(): boolean {
    return this.#fields !== undefined && isShared(this.#fields);
  }

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  has(path: readonly PathElement[]): boolean {
    const [element = '', ...rest] = path;
    const entry = this.entries.get(element);
    return rest.length === 0 ? entry?.member === true : entry?.children?.has(rest) === true;
  }

  /** What of the set lies below `element`. */
  below(element: PathElement): FieldSet {
    return this.entries.get(element)?.children ?? FieldSet.empty;
  }

  isMember(element: PathElement): boolean {
    return this.entries.get(element)?.member === true;
  }

  /** Whether every member is a member of `other`. */
  isWithin(other: FieldSet): boolean {
    if (this === other) return true;
    for (const [element, { member, children }] of this.entries) {
      const theirs = other.entries.get(element);
      if (theirs === undefined || (member && !theirs.member)) return false;
      if (children?.isWithin(theirs.children ?? FieldSet.empty) === false) return false;
    }
    return true;
  }

  equals(other: FieldSet): boolean {
    if (this === other) return true;
    if (this.entries.size !== other.entries.size) return false;
    for (const [element, { member, children }] of this.entries) {
      const theirs = other.entries.get(element);
      if (theirs === undefined || theirs.member !== member) return false;
      if (children === theirs.children) continue;
      if (children === undefined || theirs.children?.equals(children) !== true) return false;
    }
    return true;
  }

  union(other: FieldSet): FieldSet {
    if (this === other || other.isEmpty) return this;
    if (this.isEmpty) return other;
    let entries: Map<PathElement, Entry> | undefined;
    for (const [element, theirs] of other.entries) {
      const ours = this.entries.get(element);
      const merged = ours === undefined ? theirs : uniteEntries(ours, theirs);
      if (merged === ours) continue;
      entries ??= new Map(this.entries);
      entries.set(element, merged);
    }
    return entries === undefined ? this : new FieldSet(entries);
  }

  intersection(other: FieldSet): FieldSet {
    if (this === other) return this;
    const [small, large] = this.entries.size <= other.entries.size ? [this, other] : [other, this];
    const entries = new Map<PathElement, Entry>();
    for (const [element, one] of small.entries) {
      const two = large.entries.get(element);
      if (two === undefined) continue;
      const children =
        one.children !== undefined && two.children !== undefined
          ? nonEmpty(one.children.intersection(two.children))
          : undefined;
      const member = one.member && two.member;
      if (member || children !== undefined) entries.set(element, { member, children });
    }
    return entries.size === 0 ? FieldSet.empty : new FieldSet(entries);
  }

  /** Without the members of `other`; what lies below a member of `other` stays. */
  difference(other: FieldSet): FieldSet {
    return this.#without(other, false);
  }

  /** Without the members of `other` and everything below them. */
  recursiveDifference(other: FieldSet): FieldSet {
    return this.#without(other, true);
  }

  #without(other: FieldSet, recursive: boolean): FieldSet {
    if (this === other) return FieldSet.empty;
    let entries: Map<PathElement, Entry> | undefined;
    for (const [element, theirs] of other.entries) {
      const ours = this.entries.get(element);
      if (ours === undefined) continue;
      const left = recursive && theirs.member ? undefined : subtract(ours, theirs, recursive);
      if (left === ours) continue;
      entries ??= new Map(this.entries);
      if (left === undefined) entries.delete(element);
      else entries.set(element, left);
    }
    if (entries === undefined) return this;
    return entries.size === 0 ? FieldSet.empty : new FieldSet(entries);
  }

  /** Every member's path: those of one level before those below, each in order. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    const sorted = sortedElements(this);
    for (const element of sorted) if (this.isMember(element)) yield [...prefix, element];
    for (const element of sorted) {
      const children = this.entries.get(element)?.children;
      if (children !== undefined) yield* children.paths([...prefix, element]);
    }
  }
}

const parsed = new WeakMap<JsonObject, FieldSet>();

function nonEmpty(set: FieldSet): FieldSet | undefined {
  return set.isEmpty ? undefined : set;
}

function uniteEntries(ours: Entry, theirs: Entry): Entry {
  const member = ours.member || theirs.member;
  const children =
    ours.children === undefined
      ? theirs.children
      : theirs.children === undefined
        ? ours.children
        : ours.children.union(theirs.children);
  return member === ours.member && children === ours.children ? ours : { member, children };
}

function subtract(ours: Entry, theirs: Entry, recursive: boolean): Entry | undefined {
  const member = ours.member && !theirs.member;
  let { children } = ours;
  if (children !== undefined && theirs.children !== undefined) {
    const left = recursive
      ? children.recursiveDifference(theirs.children)
      : children.difference(theirs.children);
    children = nonEmpty(left);
  }
  if (member === ours.member && children === ours.children) return ours;
  return member || children !== undefined ? { member, children } : undefined;
}

function sortedElements(set: FieldSet): readonly PathElement[] {
  const elements = [...set.entries.keys()];
  return elements.length < 2 ? elements : sortElements(elements);
}

/** Throws SyntaxError where an element cannot be read. */
function checkFields(fields: JsonObject): void {
  for (const key in fields) {
    if (key === '.') continue;
    // Fields are most, and nothing about them can be wrong.
    if (key.charCodeAt(0) !== 0x66 || key.charCodeAt(1) !== 0x3a) parseElement(key);
    const below = fields[key];
    if (isJsonObject(below)) checkFields(below);
  }
}

function readEntries(fields: JsonObject): Entries {
  const entries = new Map<PathElement, Entry>();
  for (const key in fields) {
    const element = key === '.' ? undefined : parseElement(key);
    if (element === undefined) continue;
    const below = fields[key];
    const inner = isJsonObject(below) && holdsElements(below) ? below : undefined;
    const member = inner === undefined || Object.hasOwn(inner, '.');
    entries.set(element, {
      member,
      children: inner === undefined ? undefined : new FieldSet(undefined, inner),
    });
  }
  return entries;
}

/** Whether anything of the kinds that are known here lies below. */
function holdsElements(fields: JsonObject): boolean {
  for (const key in fields) if (key !== '.' && parseElement(key) !== undefined) return true;
  return false;
}

function writeFields(set: FieldSet, self: boolean): JsonObject {
  const elements = sortedElements(set);
  const below: JsonObject[] = [];
  for (const element of elements) {
    const { children, member } = set.entries.get(element)!;
    below.push(children === undefined ? LEAF : member ? children.toFieldsOfMember() : children.toFields());
  }
  return sharedFields(self, elements, below);
}

/** Collects paths into a set. */
export class FieldSetBuilder {
  readonly #members = new Set<PathElement>();
  readonly #children = new Map<PathElement, FieldSetBuilder>();

  insert(path: readonly PathElement[]): void {
    // The empty path is the whole object, which nobody owns.
    if (path.length > 0) this.#insert(path, 0);
  }

  #insert(path: readonly PathElement[], at: number): void {
    const element = path[at] ?? '';
    if (at === path.length - 1) this.#members.add(element);
    else this.#descend(element).#insert(path, at + 1);
  }

  #descend(element: PathElement): FieldSetBuilder {
    const known = this.#children.get(element);
    if (known !== undefined) return known;
    const builder = new FieldSetBuilder();
    this.#children.set(element, builder);
    return builder;
  }

  build(): FieldSet {
    if (this.#members.size === 0 && this.#children.size === 0) return FieldSet.empty;
    const entries = new Map<PathElement, Entry>();
    for (const element of this.#members) entries.set(element, { member: true, children: undefined });
    for (const [element, builder] of this.#children) {
      entries.set(element, { member: this.#members.has(element), children: nonEmpty(builder.build()) });
    }
    return new FieldSet(entries);
  }
}

/** A set of the given paths of field names. */
export function fieldSetOf(...paths: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path.map((name) => `f:${name}`));
  return builder.build();
}
