// The files that `interpret` works on: what tells of kinds, and objects of them.
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  resourceInterpretationKind,
  type JsonObject,
  type KubeObject,
  type ResourceInterpretation,
  type ResourceInterpreterCustomization,
} from '../api/index.ts';
import { OperatingError, errorMessage } from '../base/index.ts';
import { parseYamlDocuments } from '../client/index.ts';
import type { StatusItem } from '../interpreter/index.ts';
import { validateSchema } from '../machinery/index.ts';

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): OperatingError {
  return new OperatingError(
    'FILE_UNREADABLE',
    `cannot read ${file}: ${errorMessage(cause)}`,
    'name another file',
    {
      cause,
    },
  );
}

/** The files that a name stands for: itself, or those of a directory. */
async function filesOf(name: string, recursive: boolean): Promise<readonly string[]> {
  if (name === '-') return [name];
  try {
    if (!(await stat(name)).isDirectory()) return [name];
    const found = await readdir(name, { recursive });
    return found
      .filter((file) => /\.(ya?ml|json)$/.test(file))
      .sort()
      .map((file) => path.join(name, file));
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

/** What tells of kinds: by scripts, or by paths and expressions. */
export type Telling = ResourceInterpreterCustomization | ResourceInterpretation;

export async function readTellings(
  names: readonly string[],
  recursive: boolean,
): Promise<readonly Telling[]> {
  const tellings: Telling[] = [];
  for (const name of names) {
    for (const file of await filesOf(name, recursive)) {
      for (const document of parseYamlDocuments(await readText(file), file)) {
        tellings.push(tellingOf(document, file));
      }
    }
  }
  return tellings;
}

export function isDeclared(telling: Telling): telling is ResourceInterpretation {
  return telling.kind === 'ResourceInterpretation';
}

function tellingOf(document: unknown, file: string): Telling {
  const { kind, spec, metadata } = (document ?? {}) as Partial<ResourceInterpreterCustomization>;
  if ((kind as string) === 'ResourceInterpretation') return declarationOf(document as JsonObject, file);
  const whole = kind === 'ResourceInterpreterCustomization' && metadata !== undefined;
  if (whole && spec?.target !== undefined && spec.customizations !== undefined) {
    return document as ResourceInterpreterCustomization;
  }
  throw new OperatingError(
    'NOT_A_CUSTOMIZATION',
    `${file} holds something else than a whole ResourceInterpreterCustomization or ResourceInterpretation`,
    'give it spec.target and spec.customizations, or leave it out',
  );
}

/** The control plane checks the form when it is applied; here nobody else does. */
function declarationOf(document: JsonObject, file: string): ResourceInterpretation {
  const [version] = resourceInterpretationKind.versions;
  const [error] = version === undefined ? [] : validateSchema(document, version.schema);
  if (error === undefined) return { metadata: {}, ...document } as unknown as ResourceInterpretation;
  throw new OperatingError(
    'NOT_A_CUSTOMIZATION',
    `${file} is no whole ResourceInterpretation: ${error.path}: ${error.message}`,
    'correct it, `kubectl explain resourceinterpretation.spec` says what there is',
  );
}

export async function readObject(file: string | undefined, flag: string): Promise<KubeObject | undefined> {
  if (file === undefined) return undefined;
  const documents = parseYamlDocuments(await readText(file), file);
  const [object] = documents as readonly JsonObject[];
  if (
    documents.length === 1 &&
    typeof object?.['apiVersion'] === 'string' &&
    typeof object['kind'] === 'string'
  ) {
    return { metadata: {}, ...object } as unknown as KubeObject;
  }
  throw new OperatingError(
    'NOT_AN_OBJECT',
    `--${flag} ${file} is not one object`,
    'name a file with one object',
  );
}

export async function readItems(file: string): Promise<readonly StatusItem[]> {
  const items = parseYamlDocuments(await readText(file), file) as readonly Partial<StatusItem>[];
  if (items.every(({ clusterName }) => typeof clusterName === 'string'))
    return items as readonly StatusItem[];
  throw new OperatingError(
    'NOT_A_STATUS',
    `--status-file ${file} must hold documents with a clusterName and a status`,
    'write them as in status.aggregatedStatus of a binding',
  );
}
