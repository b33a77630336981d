// `-o`: how objects are printed. What `get`, `create`, `apply` and the others have in common.
import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { parseApiVersion, type KubeObject } from '../../api/index.ts';
import { formatYaml } from '../../client/index.ts';
import { compileJsonPath, compileTemplate, JsonPathError, TemplateError } from '../../machinery/index.ts';
import { fileProblem } from '../file-problem.ts';
import { CommandError, onByDefault } from '../shell/index.ts';
import { formatCustomColumns, parseColumnsFile, parseCustomColumns } from './custom-columns.ts';
import { formatJson } from './json-text.ts';

/** As `-o` and its companions come from the command line. */
export interface OutputFlags {
  readonly output?: string;
  readonly template?: string;
  readonly allowMissingTemplateKeys?: boolean;
  readonly showManagedFields?: boolean;
  readonly headers?: boolean;
}

/** Prints one object, or a list. */
export type ObjectPrinter = (object: KubeObject) => string;

const NAMES = ['custom-columns', 'custom-columns-file', 'go-template', 'go-template-file', 'json', 'jsonpath', 'jsonpath-as-json', 'jsonpath-file', 'name', 'template', 'templatefile', 'wide', 'yaml'] as const; // prettier-ignore
const OBJECT_NAMES = NAMES.filter((name) => name !== 'wide' && !name.startsWith('custom-columns'));

/** The flags of commands that print what they did. */
export function withOutput(command: Command, formats: readonly string[] = OBJECT_NAMES): Command {
  return command
    .option('-o, --output <format>', `output format. One of: (${formats.join(', ')})`)
    .option('--template <text>', 'template text or file, when -o=go-template or -o=go-template-file')
    .addOption(onByDefault('allow-missing-template-keys', 'missing fields are nothing instead of an error'))
    .option('--show-managed-fields', 'keep the managedFields when printing objects in JSON or YAML format');
}

/** The flags of `get`, which has tables. */
export function withTableOutput(command: Command): Command {
  return withOutput(command, NAMES)
    .option('--no-headers', 'do not print headers')
    .addOption(new Option('--server-print [bool]').hideHelp());
}

/**
 * The printer that the flags ask for; undefined: `wide`, or nothing was asked. Throws CommandError in kubectl's words.
 * @param table whether the command has tables, so that `wide` and custom columns are possible
 */
export async function objectPrinter(flags: OutputFlags, table: boolean): Promise<ObjectPrinter | undefined> {
  const text = flags.output ?? '';
  if (text === '' && flags.template === undefined) return undefined;
  if (text === 'wide' && table) return undefined;
  const [, name = '', inline] = /^([^=]*)(?:=([^]*))?$/.exec(text === '' ? 'go-template' : text) ?? [];
  const argument = inline ?? flags.template;
  const print = await makePrinter(name.toLowerCase(), argument, flags, table);
  if (print === undefined) {
    const allowed = table ? NAMES : OBJECT_NAMES;
    throw new CommandError(
      `unable to match a printer suitable for the output format "${text}", allowed formats are: ${allowed.join(',')}`,
    );
  }
  const keepsManaged = flags.showManagedFields === true || !/^(json|yaml)$/.test(name);
  return keepsManaged ? print : (object) => print(withoutManagedFields(object));
}

async function makePrinter(
  name: string,
  argument: string | undefined,
  flags: OutputFlags,
  table: boolean,
): Promise<ObjectPrinter | undefined> {
  const wanted = (what: string): string => {
    if (argument === undefined || argument === '')
      throw new CommandError(`${what} format specified but no ${what} given`);
    return argument;
  };
  const allowMissing = flags.allowMissingTemplateKeys !== false;
  switch (name) {
    case 'json':
      return (object) => formatJson(object);
    case 'yaml': {
      let printed = 0;
      return (object) => `${printed++ > 0 ? '---\n' : ''}${formatYaml(object)}`;
    }
    case 'name':
      return (object) =>
        itemsOf(object)
          .map((one) => `${objectName(one)}\n`)
          .join('');
    case 'jsonpath':
    case 'jsonpath-file':
      return jsonPathPrinter(
        name.endsWith('file') ? await readArgument(wanted('template')) : wanted('template'),
        allowMissing,
      );
    case 'jsonpath-as-json': {
      const path = compile(wanted('template'), allowMissing);
      return (object) =>
        `${JSON.stringify(
          evaluated(wanted('template'), () => path.find(object).flat()),
          undefined,
          4,
        )}\n`;
    }
    case 'go-template':
    case 'template':
    case 'go-template-file':
    case 'templatefile': {
      const source = name.endsWith('file') ? await readArgument(wanted('template')) : wanted('template');
      const template = inCommandWords(() => compileTemplate(source));
      return (object) => inCommandWords(() => template.print(object));
    }
    case 'custom-columns':
    case 'custom-columns-file': {
      if (!table) return undefined;
      const columns = name.endsWith('file')
        ? parseColumnsFile(await readArgument(wanted('custom-columns'), 'template'))
        : parseCustomColumns(argument ?? '');
      return (object) => formatCustomColumns(columns, itemsOf(object), flags.headers === false);
    }
    default:
      return undefined;
  }
}

function inCommandWords<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof TemplateError) throw new CommandError(error.message);
    throw error;
  }
}

async function readArgument(file: string, what = '--template'): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`error reading ${what} ${file}, open ${file}: ${fileProblem(error)}`);
  });
}

function compile(template: string, allowMissingKeys: boolean): ReturnType<typeof compileJsonPath> {
  try {
    return compileJsonPath(template, { allowMissingKeys });
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new CommandError(`error parsing jsonpath ${template}, ${error.message}`);
  }
}

function evaluated<T>(template: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new CommandError(
      `error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${error.message}`,
    );
  }
}

function jsonPathPrinter(template: string, allowMissing: boolean): ObjectPrinter {
  const path = compile(template, allowMissing);
  return (object) => evaluated(template, () => path.print(object));
}

export function itemsOf(object: KubeObject): readonly KubeObject[] {
  const items = object['items'];
  return object.kind.endsWith('List') && Array.isArray(items) ? (items as KubeObject[]) : [object];
}

/** `deployment.apps/web`, `pod/web`. */
export function objectName(object: KubeObject): string {
  const { group } = parseApiVersion(object.apiVersion);
  const kind = object.kind.toLowerCase();
  return `${group === '' ? kind : `${kind}.${group}`}/${object.metadata.name ?? ''}`;
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const items = object['items'];
  if (object.kind.endsWith('List') && Array.isArray(items))
    return { ...object, items: (items as KubeObject[]).map(withoutManagedFields) };
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Several objects as kubectl prints them: a List of no kind in particular. */
export function listOf(items: readonly KubeObject[], resourceVersion = ''): KubeObject {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion }, items };
}
