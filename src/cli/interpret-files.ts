// The files that `interpret` works on: what tells of kinds, and objects of them.
import {
  gvkOf,
  resourceInterpretationKind,
  type JsonObject,
  type KubeObject,
  type ResourceInterpretation,
  type ResourceInterpreterCustomization,
} from '../api/index.ts';
import { OperatingError } from '../base/index.ts';
import { parseYamlDocuments } from '../client/index.ts';
import type { StatusItem } from '../interpreter/index.ts';
import { validateSchema } from '../machinery/index.ts';
import { readObjects, readText } from './objects/index.ts';
import { CommandError } from './shell/index.ts';

/** What tells of kinds: by scripts, or by paths and expressions. */
export type Telling = ResourceInterpreterCustomization | ResourceInterpretation;

/** Something in a file. */
export interface Given {
  /** Its name; where it has none, the file's. */
  readonly source: string;
  /** What it tells; undefined: `complaint` says why it tells nothing. */
  readonly telling: Telling | undefined;
  readonly complaint: string;
}

export async function readTellings(names: readonly string[], recursive: boolean): Promise<readonly Given[]> {
  const objects = await readObjects({ filename: names, recursive });
  return objects.map(({ object, source }) => {
    const named = (object.metadata.name ?? '') === '' ? source : (object.metadata.name ?? source);
    const complaint = complaintOf(object, source);
    return {
      source: named,
      telling: complaint === '' ? (object as unknown as Telling) : undefined,
      complaint,
    };
  });
}

export function isDeclared(telling: Telling): telling is ResourceInterpretation {
  return telling.kind === 'ResourceInterpretation';
}

/** COMPAT: in upstream's words (karmadactl interpret). */
function complaintOf(object: KubeObject, file: string): string {
  if (object.kind === 'ResourceInterpretation') {
    checkDeclaration(object as unknown as JsonObject, file);
    return '';
  }
  if (object.kind !== 'ResourceInterpreterCustomization') {
    const { group, version, kind } = gvkOf(object);
    return `not a ResourceInterpreterCustomization, got ${group}/${version}, Kind=${kind}`;
  }
  const { target, customizations } = (object['spec'] ?? {}) as Partial<
    ResourceInterpreterCustomization['spec']
  >;
  if ((target?.kind ?? '') === '') return 'target.kind no set';
  if ((target?.apiVersion ?? '') === '') return 'target.apiVersion no set';
  return customizations === undefined ? 'customizations no set' : '';
}

/** The control plane checks the form when it is applied; here nobody else does. */
function checkDeclaration(document: JsonObject, file: string): void {
  const [version] = resourceInterpretationKind.versions;
  const [error] = version === undefined ? [] : validateSchema(document, version.schema);
  if (error === undefined) return;
  throw new OperatingError(
    'NOT_A_CUSTOMIZATION',
    `${file} is no whole ResourceInterpretation: ${error.path}: ${error.message}`,
    'correct it, `kubectl explain resourceinterpretation.spec` says what there is',
  );
}

/** @param what as messages call the object */
export async function readObject(file: string | undefined, what: string): Promise<KubeObject | undefined> {
  if (file === undefined || file === '') return undefined;
  const [first, ...more] = await readObjects({ filename: [file] });
  if (more.length > 0)
    throw new CommandError(`fail to get ${what} object: get ${more.length + 1} objects, expect one at most`);
  return first?.object;
}

export async function readItems(file: string | undefined): Promise<readonly StatusItem[]> {
  if (file === undefined || file === '') return [];
  const items = parseYamlDocuments(await readText(file), file) as readonly Partial<StatusItem>[];
  if (items.every(({ clusterName }) => typeof clusterName === 'string'))
    return items as readonly StatusItem[];
  throw new OperatingError(
    'NOT_A_STATUS',
    `--status-file ${file} must hold documents with a clusterName and a status`,
    'write them as in status.aggregatedStatus of a binding',
  );
}
