// Paths of fields as rules give them: `.spec.replicas`, `['a.b'].c`, which must lead somewhere in the schema.
import type { Schema } from '../../api/index.ts';

/** A path that is none, or leads nowhere; `message` as kube-apiserver words it. */
export class RulePathError extends Error {
  override name = 'RulePathError';
}

export interface RulePath {
  /** As errors show it: `spec.replicas`, `labels[x]`. */
  readonly text: string;
  readonly schema: Schema;
}

/**
 * Throws a RulePathError.
 * @param options `brackets`: whether fields may be named as in `['a.b']`
 */
export function parseRulePath(
  path: string,
  schema: Schema,
  options: { readonly brackets?: boolean } = {},
): RulePath {
  let text = '';
  let current = schema;
  for (const name of stepsOf(path, options.brackets !== false)) {
    const { properties, additionalProperties } = current;
    if (properties !== undefined) {
      const found = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (found === undefined) throw new RulePathError('does not refer to a valid field');
      text += text === '' ? name : `.${name}`;
      current = found;
    } else if (typeof additionalProperties === 'object') {
      text += `[${name}]`;
      current = additionalProperties;
    } else {
      throw new RulePathError('does not refer to a valid field');
    }
  }
  return { text, schema: current };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};

function stepsOf(path: string, brackets: boolean): readonly string[] {
  const tokens = path.match(/[.[\]]|'(?:[^'\\]|\\[^])*'|[^.[\]]+/g) ?? [];
  const steps: string[] = [];
  let next = 0;
  const take = (): string => {
    const token = tokens[next++];
    if (token === undefined) throw new RulePathError('unexpected end of JSON path');
    return token;
  };
  while (next < tokens.length) {
    const token = take();
    if (token === '.') steps.push(take());
    else if (token === '[') {
      if (!brackets) throw new RulePathError('array notation is not allowed');
      steps.push(unquote(take()));
      const end = take();
      if (end !== ']') throw new RulePathError(`expected ] but got ${end}`);
    } else throw new RulePathError(`expected [ or . but got: ${token}`);
  }
  return steps;
}

function unquote(token: string): string {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) {
    throw new RulePathError(`expected single quoted string but got ${token}`);
  }
  return token.slice(1, -1).replaceAll(/\\([^])/g, (escape, character: string) => {
    const meaning = Object.hasOwn(ESCAPES, character) ? ESCAPES[character] : undefined;
    if (meaning === undefined) {
      throw new RulePathError(`invalid string literal: invalid escape char ${escape}`);
    }
    return meaning;
  });
}
