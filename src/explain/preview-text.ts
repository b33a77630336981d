// A preview as a person reads it: what was edited, what moves, what clusters gain and lose, how manifests differ, and the
// risks last, where the eye rests.
import type { JsonValue, TargetCluster } from '../api/index.ts';
import { listText, plural, unstopped } from './finding.ts';
import type { FieldChange } from './manifest-diff.ts';
import type { ManifestChange, PlannedMove, Preview } from './preview.ts';
import { objectCalled } from './why.ts';

export interface PreviewTextOptions {
  /** Everything, where a screen would not hold it. */
  readonly wide: boolean;
}

// LIMIT: of one list on a screen; `-o wide` shows all.
const MOVES_MAX = 20;
const CHANGES_MAX = 8;
const VALUE_MAX = 60;

export function previewText(preview: Preview, { wide }: PreviewTextOptions): string {
  const { edits, moves, unchanged, clusters, risks, notes } = preview;
  const lines: string[] = [];
  if (edits.length > 0) {
    lines.push('EDITS');
    for (const { verb, object, changes } of edits) {
      const nothing = verb === 'change' && changes.length === 0 ? '  (no difference)' : '';
      lines.push(`  ${verb.padEnd(7)} ${object}${nothing}`, ...fieldLines(changes, wide, '            '));
    }
    lines.push('');
  }
  if (moves.length === 0) {
    lines.push(`Nothing would move or differ in the clusters; ${plural(unchanged, 'object')} looked at.`);
  } else {
    lines.push(`OBJECTS  (${moves.length} of ${moves.length + unchanged} looked at)`);
    for (const move of wide ? moves : moves.slice(0, MOVES_MAX)) lines.push(...moveLines(move, wide));
    if (!wide && moves.length > MOVES_MAX)
      lines.push(`  and ${moves.length - MOVES_MAX} more; -o wide shows all`);
  }
  if (clusters.length > 0) {
    const width = Math.max(...clusters.map(({ cluster }) => cluster.length));
    lines.push('', 'CLUSTERS');
    for (const { cluster, objects, replicas, gains, losses } of clusters) {
      const counts = `objects ${objects.before} → ${objects.after}, replicas ${replicas.before} → ${replicas.after}`;
      const parts = [
        ...(gains.length === 0 ? [] : [`gains ${listText(gains, 3)}`]),
        ...(losses.length === 0 ? [] : [`loses ${listText(losses, 3)}`]),
      ];
      lines.push(`  ${cluster.padEnd(width)}  ${counts}; ${parts.join('; ')}`);
    }
  }
  if (risks.length > 0) {
    lines.push('', 'RISKS');
    const width = Math.max(...risks.map(({ code }) => code.length));
    for (const { code, says } of wide ? risks : risks.slice(0, MOVES_MAX))
      lines.push(`  ! ${code.padEnd(width)}  ${says}`);
    if (!wide && risks.length > MOVES_MAX) lines.push(`  and ${risks.length - MOVES_MAX} more`);
  }
  if (notes.length > 0) lines.push('', ...notes.map((note) => `Note: ${note}.`));
  return `${lines.join('\n')}\n`;
}

function moveLines(move: PlannedMove, wide: boolean): readonly string[] {
  const { object, policyBefore, policyAfter, before, after, leaving, failure, notes, manifests } = move;
  const lines = [`  ${objectCalled(object)}  ${shiftText(before, after)}`];
  if (policyBefore !== policyAfter)
    lines.push(`      policy: ${policyBefore ?? 'none'} → ${policyAfter ?? 'none'}`);
  if (leaving.length > 0)
    lines.push(`      the copy in ${listText(leaving)} stays until what replaces it is healthy`);
  if (failure !== undefined) lines.push(`      cannot be done: ${unstopped(failure)}`);
  for (const note of notes) lines.push(`      ${note}`);
  for (const group of grouped(manifests)) {
    const restarts = group.restartsPods ? ', pods are replaced' : '';
    lines.push(
      `      manifest in ${listText(group.clusters)}${restarts}:`,
      ...fieldLines(group.changes, wide, '        '),
    );
  }
  return lines;
}

/** Clusters whose manifests differ alike are told of together. */
function grouped(
  manifests: readonly ManifestChange[],
): readonly (Omit<ManifestChange, 'cluster'> & { readonly clusters: readonly string[] })[] {
  return [...Map.groupBy(manifests, ({ changes }) => JSON.stringify(changes)).values()].flatMap((alike) => {
    const [first] = alike;
    return first === undefined ? [] : [{ ...first, clusters: alike.map(({ cluster }) => cluster) }];
  });
}

/** `member1 4 → 3, member2 2 → none`; clusters that stay as they are come last, in brackets. */
function shiftText(before: readonly TargetCluster[], after: readonly TargetCluster[]): string {
  const [was, is] = [
    new Map(before.map((one) => [one.name, one])),
    new Map(after.map((one) => [one.name, one])),
  ];
  const names = [...new Set([...was.keys(), ...is.keys()])].sort();
  const count = (target: TargetCluster | undefined): string =>
    target === undefined ? 'none' : target.replicas === undefined ? 'there' : String(target.replicas);
  const moved = names.filter((name) => count(was.get(name)) !== count(is.get(name)));
  const stays = names.filter((name) => count(was.get(name)) === count(is.get(name)));
  const rest = stays.map((name) => `${name} ${count(is.get(name))}`).join(', ');
  if (moved.length === 0) return rest === '' ? 'in no cluster' : `stays in ${rest}`;
  const text = moved.map((name) => `${name} ${count(was.get(name))} → ${count(is.get(name))}`).join(', ');
  return rest === '' ? text : `${text} (stays: ${rest})`;
}

function fieldLines(changes: readonly FieldChange[], wide: boolean, indent: string): readonly string[] {
  const shown = wide ? changes : changes.slice(0, CHANGES_MAX);
  const lines = shown.map(
    (change) =>
      `${indent}${change.path}: ${valueText(change.before, wide)} → ${valueText(change.after, wide)}`,
  );
  return changes.length > shown.length
    ? [...lines, `${indent}and ${changes.length - shown.length} more`]
    : lines;
}

function valueText(value: JsonValue | undefined, wide: boolean): string {
  if (value === undefined) return 'none';
  const text = JSON.stringify(value);
  return wide || text.length <= VALUE_MAX ? text : `${text.slice(0, VALUE_MAX - 1)}…`;
}
