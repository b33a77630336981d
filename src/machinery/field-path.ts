// Where in an object something is. Walks keep one stack of keys and indices and make text only when there is
// something to say, which on the way through a valid object is never.

type Segment = string | number | { readonly key: string };

export class FieldPath {
  readonly #segments: Segment[] = [];

  /** A field by name, or an item by index. */
  push(segment: string | number): void {
    this.#segments.push(segment);
  }

  /** A key of a map, which is written `[key]`. */
  pushKey(key: string): void {
    this.#segments.push({ key });
  }

  pop(): void {
    this.#segments.pop();
  }

  get depth(): number {
    return this.#segments.length;
  }

  /** `spec.containers[0].name`; `more` is appended as a further segment. */
  toString(more?: string): string {
    let text = '';
    for (const segment of this.#segments) text = append(text, segment);
    return more === undefined ? text : append(text, more);
  }
}

function append(text: string, segment: Segment): string {
  if (typeof segment === 'number') return `${text}[${segment}]`;
  if (typeof segment === 'object') return `${text}[${segment.key}]`;
  return text === '' ? segment : `${text}.${segment}`;
}
