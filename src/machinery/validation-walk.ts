// The errors of one walk through a value, and where the walk is.
import { FieldPath } from './field-path.ts';
import type { FieldError } from './status-error.ts';

export class Walk {
  readonly errors: FieldError[] = [];
  readonly path = new FieldPath();
  readonly #at: string | undefined;

  constructor(at: string | undefined) {
    this.#at = at;
  }

  /** The path as errors carry it; `more` is a further field. */
  field(more?: string): string {
    const text = this.path.toString(more);
    if (this.#at === undefined) return text;
    return text === '' ? this.#at : `${this.#at}.${text}`;
  }

  distinct(): FieldError[] {
    if (this.errors.length < 2) return this.errors;
    const seen = new Set<string>();
    return this.errors.filter(({ path, message }) => {
      const key = `${path}\n${message}`;
      return seen.has(key) ? false : seen.add(key);
    });
  }
}
