// A rehearsal for people, and for programs.
import { formatTime } from '../../base/index.ts';
import { formatDuration } from '../../machinery/index.ts';
import type { Rehearsed } from './rehearsed.ts';

/** LIMIT: workloads of a table; more are counted. */
const ROWS_MAX = 200;

export function reportLines(found: Rehearsed, title: string): string[] {
  const { clusters, bindings, asOfMs, seed } = found;
  return [
    `Rehearsal on a copy of ${clusters} clusters and ${bindings} bindings, as of ${formatTime(asOfMs)}, seed ${seed}: ${title}`,
    '',
    ...timelineLines(found),
    '',
    ...workloadLines(found),
    ...stuckLines(found),
    ...section('Not as expected:', found.problems),
    ...section('What differs from the real fleet:', found.notes),
  ];
}

function timelineLines({ happenings, startMs }: Rehearsed): string[] {
  const rows = happenings.map(({ atMs, subject, what }) => [since(startMs, atMs), subject, what]);
  return table([['TIME', 'WHAT', ''], ...rows]);
}

function workloadLines({ workloads, evictions }: Rehearsed): string[] {
  const touched = workloads.filter(
    ({ before, during, after, shortMs }) => before !== during || before !== after || shortMs > 0,
  );
  const untouched = workloads.length - touched.length;
  const count = `${touched.length} of ${workloads.length} workloads are touched, ${evictions} evictions`;
  if (touched.length === 0) return [count];
  const rows = touched
    .slice(0, ROWS_MAX)
    .map(({ workload, before, during, after, servingBefore, servingLeast, shortMs }) => [
      workload,
      before,
      during,
      after,
      `${servingLeast} of ${servingBefore}`,
      shortMs === 0 ? '-' : formatDuration(Math.round(shortMs / 1000) * 1000),
    ]);
  return [
    ...table([['WORKLOAD', 'BEFORE', 'DURING', 'AFTER', 'LEAST SERVING', 'SHORT FOR'], ...rows]),
    ...(touched.length > ROWS_MAX ? [`... and ${touched.length - ROWS_MAX} more`] : []),
    `${count}; ${untouched} stay as they are`,
  ];
}

function stuckLines({ stuck }: Rehearsed): string[] {
  const of = (what: string): string[] =>
    stuck
      .filter((one) => one.what === what)
      .map(({ workload, reason, message }) => `${workload}: ${reason}: ${message}`);
  return [
    ...section('Without a place:', of('not placed')),
    ...section('Kept where they are by the guard:', of('held')),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

function since(startMs: number, atMs: number): string {
  return formatDuration(Math.round((atMs - startMs) / 100) * 100);
}

export function reportObject(found: Rehearsed, title: string): object {
  const { happenings, workloads, startMs, endMs, asOfMs, ...rest } = found;
  return {
    title,
    asOf: formatTime(asOfMs),
    seconds: (endMs - startMs) / 1000,
    ...rest,
    timeline: happenings.map(({ atMs, subject, what }) => ({
      atSeconds: (atMs - startMs) / 1000,
      subject,
      what,
    })),
    workloads: workloads.map(({ shortMs, ...row }) => ({ ...row, shortSeconds: shortMs / 1000 })),
  };
}
