// Ways through the schemas of an OpenAPI document: references, what lists and maps hold, and what types are called.
import type { Schema } from '../api/index.ts';

export type Schemas = Readonly<Record<string, Schema>>;

export function referenceOf(schema: Schema): string | undefined {
  const reference = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  return reference?.replace('#/components/schemas/', '');
}

export function resolved(schemas: Schemas, schema: Schema): Schema {
  const name = referenceOf(schema);
  const target = name === undefined ? undefined : schemas[name];
  return target ?? schema;
}

/** What a list or a map holds; other schemas themselves. */
export function elementOf(schemas: Schemas, schema: Schema): Schema {
  const whole = resolved(schemas, schema);
  if (whole.items !== undefined) return elementOf(schemas, whole.items);
  if (typeof whole.additionalProperties === 'object') return elementOf(schemas, whole.additionalProperties);
  return whole;
}

export function fieldsOf(schemas: Schemas, schema: Schema): Readonly<Record<string, Schema>> | undefined {
  return resolved(schemas, elementOf(schemas, schema)).properties;
}

export function typeName(schemas: Schemas, schema: Schema): string {
  const name = referenceOf(schema);
  if (name !== undefined) {
    const target = schemas[name];
    // Names of simple types say less than the type.
    if (
      target !== undefined &&
      target.properties === undefined &&
      target.type !== undefined &&
      target.type !== 'object'
    )
      return typeName(schemas, target);
    return name.split('.').at(-1) ?? name;
  }
  if (schema.items !== undefined) return `[]${typeName(schemas, schema.items)}`;
  if (typeof schema.additionalProperties === 'object')
    return `map[string]${typeName(schemas, schema.additionalProperties)}`;
  const { type } = schema as { readonly type?: string };
  return type === undefined || type === 'object' ? 'Object' : type;
}

export function textOf(schemas: Schemas, schema: Schema): string {
  return schema.description ?? resolved(schemas, schema).description ?? '';
}

/** Lines of at most `width` characters, each behind the indent. */
export function wrap(text: string, indent: string, width: number): readonly string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    return [...lines, line].map((one) => `${indent}${one}`);
  });
}
