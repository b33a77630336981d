// Where in an object something is. Walks keep one stack of keys and indices and make text only when there is
// something to say, which on the way through a valid object is never.

export class FieldPath {
  readonly #segments: (string | number)[] = [];

  push(segment: string | number): void {
    this.#segments.push(segment);
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

function append(text: string, segment: string | number): string {
  if (typeof segment === 'number') return `${text}[${segment}]`;
  return text === '' ? segment : `${text}.${segment}`;
}
