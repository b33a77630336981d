// Field selectors: `metadata.name=web,status.phase!=Running`. Which fields a kind offers, and their values, is the
// business of the API server; here is only the grammar.
import { badRequest } from './status-error.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export class FieldSelector {
  readonly requirements: readonly FieldRequirement[];

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
  }

  get empty(): boolean {
    return this.requirements.length === 0;
  }

  /** `valueOf` gives a field's value as text; the empty text for one that is not set. */
  matches(valueOf: (field: string) => string): boolean {
    for (const { field, operator, value } of this.requirements) {
      if ((valueOf(field) === value) !== (operator === '=')) return false;
    }
    return true;
  }

  /** The one value that `field` must have, when there is such a value. */
  exactValue(field: string): string | undefined {
    return this.requirements.find((one) => one.field === field && one.operator === '=')?.value;
  }

  toString(): string {
    return this.requirements
      .map(
        ({ field, operator, value }) => `${field}${operator}${value.replaceAll(/[\\,=]/g, String.raw`\$&`)}`,
      )
      .join(',');
  }
}

const EVERYTHING = new FieldSelector([]);

/** Throws a 400 StatusError with upstream's message. A backslash before `,`, `=` or `\` in a value keeps it. */
export function parseFieldSelector(text: string): FieldSelector {
  if (text === '') return EVERYTHING;
  const requirements = (text.match(/(?:\\[^]|[^,\\])+\\?|\\$/g) ?? [])
    .sort()
    .map((term): FieldRequirement => {
      const [, field, operator, value] = /^([^]*?)(!=|==|=)([^]*)$/.exec(term) ?? [];
      if (field === undefined || operator === undefined || value === undefined) {
        throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      }
      return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) };
    });
  return new FieldSelector(requirements);
}

function unescapeValue(value: string): string {
  return value.replaceAll(/\\([^]?)|[,=]/gu, (found, escaped: string | undefined) => {
    if (escaped === undefined) {
      // COMPAT: Go prints the rune as its number.
      throw badRequest(`invalid field selector: unescaped character in value: ${found.codePointAt(0)}`);
    }
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
      throw badRequest(`invalid field selector: invalid escape sequence: ${found}`);
    }
    return escaped;
  });
}
