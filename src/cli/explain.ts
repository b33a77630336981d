// `explain`: the documentation of a kind and its fields, from the server's own schemas.
import type { Command } from 'commander';
import { formatApiVersion, parseApiVersion, type Schema } from '../api/index.ts';
import type { ApiResource } from '../client/index.ts';
import type { SetExitCode } from './command.ts';
import {
  completeObjects,
  scopedSession,
  withNamespace,
  withScope,
  withSession,
  type HubFlags,
  type ScopeFlags,
  type Session,
} from './objects/index.ts';
import { oldText } from './explain-old-text.ts';
import {
  elementOf,
  fieldsOf,
  referenceOf,
  resolved,
  textOf,
  typeName,
  wrap,
  type Schemas,
} from './explain-schema.ts';
import { CommandError, NoMatchError, programName, upstreamCommand } from './shell/index.ts';

interface ExplainFlags extends HubFlags, ScopeFlags {
  readonly apiVersion?: string;
  readonly recursive?: boolean;
  readonly output: string;
}

const EXAMPLES = `
  # The fields of a policy
  %s explain propagationpolicies

  # One field
  %s explain propagationpolicies.spec.placement

  # All fields below a field
  %s explain deployment.spec.strategy --recursive

  # As a member has it
  %s explain pods --operation-scope members --cluster member1`;

const FORMATS: readonly string[] = ['plaintext', 'plaintext-openapiv2'];

export function explainCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('explain', {
    group: 'Basic',
    examples: EXAMPLES,
    complete: completeObjects,
  });
  return withScope(withNamespace(command), '--cluster <name>')
    .summary('Get documentation for a resource')
    .description(
      'Describe fields and structure of various resources, in the control plane or a member cluster',
    )
    .argument('[type...]', 'TYPE[.FIELD...]')
    .option('--api-version <version>', 'use given api-version (group/version) of the resource')
    .option('-R, --recursive', 'print the name of all the fields, without their descriptions')
    .option(
      '-o, --output <format>',
      'format in which to render the schema: plaintext or plaintext-openapiv2',
      'plaintext',
    )
    .action(async (types: readonly string[], flags: ExplainFlags) => {
      const [type, ...others] = types;
      if (type === undefined)
        throw new CommandError(
          `You must specify the type of resource to explain. Use "${programName()} api-resources" for a complete list of supported resources.`,
        );
      if (others.length > 0) throw new CommandError('We accept only this format: explain RESOURCE');
      if (!FORMATS.includes(flags.output))
        throw new CommandError(
          `the output format ${flags.output} is not supported: use one of ${FORMATS.join(', ')}`,
        );
      await withSession(flags, (session) => explain(scopedSession(session, flags), type, flags));
      exit(0);
    });
}

async function explain(session: Session, text: string, flags: ExplainFlags): Promise<void> {
  const { resource, path } = await resolve(session, text, flags.apiVersion);
  const { schemas, schema } = await schemaOf(session, resource);
  let at = schema;
  let last = '';
  for (const name of path) {
    const field = fieldsOf(schemas, at)?.[name];
    if (field === undefined) throw new CommandError(`field "${name}" does not exist`);
    at = field;
    last = name;
  }
  if (flags.output === 'plaintext-openapiv2') {
    process.stdout.write(oldText(resource, { schemas, schema: at, field: last }, flags.recursive === true));
    return;
  }
  const lines = [
    ...(resource.group === '' ? [] : [`GROUP:      ${resource.group}`]),
    `KIND:       ${resource.kind}`,
    `VERSION:    ${resource.version}`,
    '',
    ...(last === '' ? [] : fieldHead(schemas, last, at)),
    'DESCRIPTION:',
    ...description(schemas, at),
  ];
  const fields = fieldsOf(schemas, at);
  if (fields !== undefined && Object.keys(fields).length > 0) {
    const required = new Set(resolved(schemas, elementOf(schemas, at)).required);
    lines.push('FIELDS:', ...fieldLines(schemas, fields, required, flags.recursive === true, 1, []), '');
  } else lines.push('');
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** `deployments.apps.spec.replicas`: as much of it as names a resource, then fields. */
async function resolve(
  { mapper }: Session,
  text: string,
  apiVersion: string | undefined,
): Promise<{ readonly resource: ApiResource; readonly path: readonly string[] }> {
  const [type = '', ...rest] = text.split('.');
  const plain = await mapper.resourceByText(type);
  if (apiVersion !== undefined && plain !== undefined) {
    const wanted = parseApiVersion(apiVersion);
    const all = await mapper.resources();
    const exact = all.find(
      (one) =>
        one.group === wanted.group && one.version === wanted.version && one.resource === plain.resource,
    );
    if (exact === undefined)
      throw new CommandError(
        `couldn't find resource for "${formatApiVersion(wanted)}, Resource=${plain.resource}"`,
      );
    return { resource: exact, path: rest };
  }
  // The longest beginning that is a resource with its group; `deployments.spec` is none.
  for (let length = rest.length; length > 0; length--) {
    const found = await mapper.resourceByText([type, ...rest.slice(0, length)].join('.'));
    const group = rest.slice(0, length).join('.');
    if (found !== undefined && (found.group === group || group.endsWith(`.${found.group}`)))
      return { resource: found, path: rest.slice(length) };
  }
  if (plain === undefined) throw new NoMatchError(`the server doesn't have a resource type "${type}"`);
  return { resource: plain, path: rest };
}

async function schemaOf(
  { client }: Session,
  { group, version, kind }: ApiResource,
): Promise<{ readonly schemas: Schemas; readonly schema: Schema }> {
  const index = (await client.request({ method: 'GET', path: '/openapi/v3' })) as {
    readonly paths?: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
  };
  const url = index.paths?.[group === '' ? `api/${version}` : `apis/${group}/${version}`]?.serverRelativeURL;
  if (url === undefined)
    throw new CommandError(
      `couldn't find resource for "${group === '' ? '' : `${group}/`}${version}, Kind=${kind}"`,
    );
  const [path = '', query = ''] = url.split('?');
  const document = (await client.request({
    method: 'GET',
    path,
    query: Object.fromEntries(new URLSearchParams(query)),
  })) as { readonly components?: { readonly schemas?: Schemas } };
  const schemas = document.components?.schemas ?? {};
  const schema = Object.values(schemas).find((one) =>
    kindsOf(one).some((gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind),
  );
  if (schema === undefined) throw new CommandError(`the server publishes no schema for kind ${kind}`);
  return { schemas, schema };
}

function kindsOf(
  schema: Schema,
): readonly { readonly group: string; readonly version: string; readonly kind: string }[] {
  const kinds = (schema as { readonly 'x-kubernetes-group-version-kind'?: unknown })[
    'x-kubernetes-group-version-kind'
  ];
  return Array.isArray(kinds) ? (kinds as ReturnType<typeof kindsOf>) : [];
}

function enumOf(schemas: Schemas, schema: Schema): readonly string[] {
  const values = (resolved(schemas, schema) as { readonly enum?: readonly unknown[] }).enum ?? [];
  return values.map((value) => (value === '' || typeof value !== 'string' ? JSON.stringify(value) : value));
}

function fieldHead(schemas: Schemas, name: string, schema: Schema): readonly string[] {
  const values = enumOf(schemas, schema);
  const list = values.length === 0 ? [''] : ['ENUM:', ...values.map((value) => `    ${value}`)];
  return [`FIELD: ${name} <${typeName(schemas, schema)}>`, ...list, ''];
}

const WIDTH = 76;

function description(schemas: Schemas, schema: Schema): readonly string[] {
  const own = textOf(schemas, schema);
  const element = textOf(schemas, elementOf(schemas, schema));
  const texts = [...new Set([own, element])].filter((text) => text !== '');
  if (texts.length === 0) return ['    <empty>'];
  return texts.flatMap((text) => [...wrap(text, '    ', WIDTH), '    ']);
}

function fieldLines(
  schemas: Schemas,
  fields: Readonly<Record<string, Schema>>,
  required: ReadonlySet<string>,
  recursive: boolean,
  level: number,
  within: readonly string[],
): readonly string[] {
  const indent = '  '.repeat(level);
  return Object.keys(fields)
    .sort()
    .flatMap((name) => {
      const field = fields[name];
      if (field === undefined) return [];
      const values = enumOf(schemas, field);
      const head = [
        `${indent}${name}\t<${typeName(schemas, field)}>${required.has(name) ? ' -required-' : ''}`,
        ...(values.length === 0 ? [] : [`${indent}enum: ${enumText(values)}`]),
      ];
      if (!recursive) {
        const text = textOf(schemas, field);
        return [...head, ...(text === '' ? ['    <no description>'] : wrap(text, '    ', WIDTH)), ''];
      }
      const inner = fieldsOf(schemas, field);
      const reference = referenceOf(elementReference(field)) ?? '';
      // A type within itself has no end.
      if (inner === undefined || (reference !== '' && within.includes(reference))) return head;
      const innerRequired = new Set(resolved(schemas, elementOf(schemas, field)).required);
      return [...head, ...fieldLines(schemas, inner, innerRequired, true, level + 1, [...within, reference])];
    });
}

/** COMPAT: four of them, then dots. */
function enumText(values: readonly string[]): string {
  return values.length > 4 ? `${values.slice(0, 4).join(', ')}, ....` : values.join(', ');
}

function elementReference(schema: Schema): Schema {
  if (referenceOf(schema) !== undefined) return schema;
  if (schema.items !== undefined) return elementReference(schema.items);
  if (typeof schema.additionalProperties === 'object') return elementReference(schema.additionalProperties);
  return schema;
}
