// State of a workload that lies in objects beside it, found by StatePreservationRules.
import type {
  ClusterState,
  KubeObject,
  PreservedPiece,
  ResourceBindingSpec,
  StatePreservationRule,
  StateValue,
} from '../api/index.ts';
import { compileJsonPath, isLabelValue } from '../machinery/index.ts';

/** The objects of a kind in the member, in one namespace; undefined: they cannot be known now. */
export type RelatedObjects = (apiVersion: string, kind: string) => readonly KubeObject[] | undefined;

/** Whether the rule, which lies in the namespace of the workload, speaks of it. */
export function ruleMeans(
  { metadata, spec }: StatePreservationRule,
  { apiVersion, kind, namespace, name }: ResourceBindingSpec['resource'],
): boolean {
  const { workload } = spec;
  return (
    metadata.namespace === namespace &&
    workload.apiVersion === apiVersion &&
    workload.kind === kind &&
    (workload.name === undefined || workload.name === name)
  );
}

/** A piece as it was found, or why it was not. */
export type FoundPiece = Pick<StateValue, 'value' | 'source'> | string;

/** What is needed to look for a piece. */
export type SoughtPiece = Pick<PreservedPiece, 'from' | 'jsonPath'>;

/**
 * Each of the pieces in one cluster.
 * @param workload metadata and spec of the template, status of the copy in the cluster
 */
export function findPieces(
  pieces: readonly SoughtPiece[],
  workload: KubeObject,
  related: RelatedObjects,
): readonly FoundPiece[] {
  return pieces.map((piece) => findPiece(piece, workload, related));
}

/** What is known of one cluster, when `found` is what is there of the pieces, in their order. */
export function stateOf(
  pieces: readonly PreservedPiece[],
  found: readonly FoundPiece[],
): Pick<ClusterState, 'values' | 'missing' | 'requiredMissing'> {
  const values: StateValue[] = [];
  const missing: string[] = [];
  let requiredMissing = false;
  for (const [index, piece] of pieces.entries()) {
    const one = injectable(piece, found[index] ?? `${piece.from.kind} has not been looked for`);
    if (typeof one !== 'string') {
      values.push({ ...one, ...piece.to });
      continue;
    }
    missing.push(one);
    if (piece.required === true) requiredMissing = true;
  }
  return {
    ...(values.length === 0 ? {} : { values }),
    ...(missing.length === 0 ? {} : { missing }),
    ...(requiredMissing ? { requiredMissing } : {}),
  };
}

function injectable({ jsonPath, to }: PreservedPiece, found: FoundPiece): FoundPiece {
  if (typeof found === 'string' || to.label === undefined) return found;
  const [complaint] = isLabelValue(found.value);
  return complaint === undefined ? found : `what is at ${jsonPath} cannot be a label: ${complaint}`;
}

/** The piece, or why there is none. */
function findPiece(
  { from, jsonPath }: SoughtPiece,
  workload: KubeObject,
  related: RelatedObjects,
): FoundPiece {
  const objects = related(from.apiVersion, from.kind);
  if (objects === undefined) return `objects of kind ${from.kind} cannot be read`;
  const matches = matcherOf(from, workload);
  if (typeof matches === 'string') return matches;
  const latest = objects
    .filter(matches)
    .filter((object) => (from.conditions ?? []).every((one) => printed(one.jsonPath, object) === one.equals))
    .map((object): [string, KubeObject] => [orderOf(from, object), object])
    .sort(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0))[0]?.[1];
  if (latest === undefined) return `no ${from.kind} of the workload is there that counts`;
  const value = printed(jsonPath, latest);
  if (value === undefined || value === '')
    return `${from.kind} ${latest.metadata.name} has nothing at ${jsonPath}`;
  return { value, source: `${from.kind}/${latest.metadata.name ?? ''}` };
}

function matcherOf(
  { name, matchLabels, kind }: PreservedPiece['from'],
  workload: KubeObject,
): ((object: KubeObject) => boolean) | string {
  if (name !== undefined) {
    const wanted = printed(name, workload);
    if (wanted === undefined || wanted === '') return `the workload names no ${kind} at ${name}`;
    return ({ metadata }) => metadata.name === wanted;
  }
  const labels = Object.entries(matchLabels ?? {}).map(
    ([key, template]): readonly [string, string | undefined] => [key, printed(template, workload)],
  );
  const unknown = labels.find(([, value]) => value === undefined);
  if (unknown !== undefined) return `the workload has nothing for label ${unknown[0]}`;
  return ({ metadata }) => labels.every(([key, value]) => metadata.labels?.[key] === value);
}

function orderOf({ latestBy }: PreservedPiece['from'], object: KubeObject): string {
  const { creationTimestamp = '', name = '' } = object.metadata;
  return latestBy === undefined ? `${creationTimestamp} ${name}` : (printed(latestBy, object) ?? '');
}

function printed(template: string, object: KubeObject): string | undefined {
  try {
    return compileJsonPath(template).print(object);
  } catch {
    return undefined;
  }
}
