// `explain -o plaintext-openapiv2`: the layout that explain had before it read OpenAPI v3.
import type { Schema } from '../api/index.ts';
import type { ApiResource } from '../client/index.ts';
import { elementOf, fieldsOf, resolved, wrap, type Schemas } from './explain-schema.ts';

const LINE = 80;
const DESCRIPTION = ' '.repeat(5);
const LEVEL = ' '.repeat(3);

export interface Explained {
  readonly schemas: Schemas;
  readonly schema: Schema;
  /** The last field of the path; empty for the kind itself. */
  readonly field: string;
}

export function oldText(
  { group, version, kind }: Pick<ApiResource, 'group' | 'version' | 'kind'>,
  { schemas, schema, field }: Explained,
  recursive: boolean,
): string {
  const fields = fieldsOf(schemas, schema);
  const head = fields === undefined ? 'FIELD:    ' : 'RESOURCE: ';
  const lines = [
    `KIND:     ${kind}`,
    `VERSION:  ${group === '' ? version : `${group}/${version}`}`,
    '',
    ...(field === '' ? [] : [`${head}${field} <${typeOf(schemas, schema)}>`, '']),
    'DESCRIPTION:',
    ...descriptionLines(schemas, schema),
  ];
  if (fields !== undefined)
    lines.push('', 'FIELDS:', ...fieldLines(schemas, schema, LEVEL, recursive, new Set()));
  return `${lines.join('\n')}\n`;
}

function typeOf(schemas: Schemas, schema: Schema): string {
  const whole = resolved(schemas, schema);
  if (whole.items !== undefined) return `[]${typeOf(schemas, whole.items)}`;
  if (typeof whole.additionalProperties === 'object')
    return `map[string]${typeOf(schemas, whole.additionalProperties)}`;
  const { type, oneOf } = whole as { readonly type?: string; readonly oneOf?: unknown };
  // Quantities and numbers that may be percentages.
  if (type === undefined) return oneOf === undefined ? 'Object' : 'string';
  return type === 'object' ? 'Object' : type;
}

function descriptionLines(schemas: Schemas, schema: Schema): readonly string[] {
  const texts = [schema.description, resolved(schemas, schema).description];
  const element = elementOf(schemas, schema).description;
  const all = [...new Set([...texts, element])].filter((text) => text !== undefined && text !== '');
  if (all.length === 0) return [`${DESCRIPTION}<empty>`];
  return all.flatMap((text, index) => [
    ...(index === 0 ? [] : ['']),
    ...wrap(text ?? '', DESCRIPTION, LINE - DESCRIPTION.length),
  ]);
}

function fieldLines(
  schemas: Schemas,
  schema: Schema,
  indent: string,
  recursive: boolean,
  within: ReadonlySet<Schema>,
): readonly string[] {
  const whole = resolved(schemas, elementOf(schemas, schema));
  // A type within itself has no end.
  if (whole.properties === undefined || within.has(whole)) return [];
  const required = new Set(whole.required);
  return Object.entries(whole.properties)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, field]) => {
      const head = `${indent}${name}\t<${typeOf(schemas, field)}>`;
      // COMPAT: the recursive form does not say what is required.
      if (recursive)
        return [head, ...fieldLines(schemas, field, `${indent}${LEVEL}`, true, new Set([...within, whole]))];
      const text = field.description ?? '';
      const deep = `${indent}  `;
      return [
        `${head}${required.has(name) ? ' -required-' : ''}`,
        ...(text === '' ? [] : wrap(text, deep, LINE - deep.length)),
        '',
      ];
    });
}
