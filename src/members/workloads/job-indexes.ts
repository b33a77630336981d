// Sets of completion indexes as Jobs write them: `1,3-5,7`, ascending, ranges from three on joined with a dash.

/** The indexes in `text` below `limit`, ascending. Malformed parts are left out. */
export function parseIndexes(text: string | undefined, limit: number): number[] {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Math.min(match[2] === undefined ? first : Number(match[2]), limit - 1);
    for (let index = first; index <= last; index++) indexes.add(index);
  }
  return [...indexes].sort((a, b) => a - b);
}

export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (end + 1 < sorted.length && sorted[end + 1] === sorted[end]! + 1) end++;
    if (end === i) parts.push(String(sorted[i]));
    // COMPAT: two neighbours are written one by one.
    else if (end === i + 1) parts.push(String(sorted[i]), String(sorted[end]));
    else parts.push(`${sorted[i]}-${sorted[end]}`);
    i = end + 1;
  }
  return parts.join(',');
}
