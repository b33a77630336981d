// How descriptions are written: lines with tabs that line up in the end, and blocks of labels, events and unknown fields.
import type { JsonValue, KubeObject } from '../../api/index.ts';
import { formatShortDuration, goValue } from '../../machinery/index.ts';
import { alignTabs, DESCRIPTION } from '../output/index.ts';

/** Collects lines; a level is two spaces. */
export class Description {
  private text = '';

  line(level: number, text: string): void {
    this.text += `${'  '.repeat(level)}${text}\n`;
  }

  field(level: number, name: string, value: string | number | boolean): void {
    this.line(level, `${name}:\t${value}`);
  }

  /** `name: first`, the others below it. */
  block(name: string, values: readonly string[], level = 0): void {
    const [first = '<none>', ...rest] = values;
    this.line(level, `${name}:\t${first}`);
    for (const one of rest) this.line(level, ` \t${one}`.slice(1));
  }

  finish(): string {
    return alignTabs(this.text, DESCRIPTION);
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** A field of an object whose kind is known only by its name; undefined on any way that is not there. */
export function at(object: unknown, ...path: readonly (string | number)[]): unknown {
  let value = object;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

export function textAt(object: unknown, ...path: readonly (string | number)[]): string {
  const value = at(object, ...path);
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : goValue(value);
}

export function listAt(object: unknown, ...path: readonly (string | number)[]): readonly Fields[] {
  const value = at(object, ...path);
  return Array.isArray(value) ? (value as Fields[]) : [];
}

export function mapAt(
  object: unknown,
  ...path: readonly (string | number)[]
): Readonly<Record<string, unknown>> {
  const value = at(object, ...path);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** `a=b` each, in order. */
export function pairs(map: Fields, sign = '='): readonly string[] {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}${sign}${textAt(map, key)}`);
}

export function selectorText(selector: unknown): string {
  const expressions = listAt(selector, 'matchExpressions').map((one) => {
    const values = (at(one, 'values') as readonly string[] | undefined) ?? [];
    const key = textAt(one, 'key');
    const operator = textAt(one, 'operator');
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`;
  });
  const all = [...pairs(mapAt(selector, 'matchLabels')), ...expressions].sort();
  return all.length === 0 ? '<none>' : all.join(',');
}

/** Labels, one a line. */
export function labels(out: Description, object: KubeObject, level = 0, name = 'Labels'): void {
  out.block(name, pairs(object.metadata?.labels ?? {}), level);
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** COMPAT: longer values stand on a line of their own, and are cut. */
const ANNOTATION_MAX = 140;

export function annotations(out: Description, object: KubeObject, level = 0): void {
  const { [LAST_APPLIED]: _, ...shown } = object.metadata?.annotations ?? {};
  const texts = Object.keys(shown)
    .sort()
    .map((key) => {
      const value = (shown[key] ?? '').replace(/\n+$/, '');
      if (value.length + key.length + 2 <= ANNOTATION_MAX && !value.includes('\n')) return `${key}: ${value}`;
      return [`${key}:`, ...value.split('\n').map((line) => `  ${shortened(line, ANNOTATION_MAX - 2)}`)].join(
        '\n',
      );
    })
    .flatMap((text) => text.split('\n'));
  out.block('Annotations', texts, level);
}

function shortened(line: string, length: number): string {
  return line.length > length ? `${line.slice(0, length)}...` : line;
}

/** `Sat, 28 Nov 2026 14:55:19 +0000`. */
export function longTime(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '<unset>' : date.toUTCString().replace('GMT', '+0000');
}

// ---- events

export function describeEvents(out: Description, events: readonly KubeObject[], nowMs: number): void {
  if (events.length === 0) {
    out.line(0, 'Events:\t<none>');
    return;
  }
  out.line(0, 'Events:\n  Type\tReason\tAge\tFrom\tMessage');
  out.line(1, '----\t------\t----\t----\t-------');
  const timeOf = (event: KubeObject): string =>
    textAt(event, 'lastTimestamp') ||
    textAt(event, 'series', 'lastObservedTime') ||
    textAt(event, 'eventTime') ||
    textAt(event, 'firstTimestamp');
  const sorted = [...events].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
  for (const event of sorted) {
    const first = textAt(event, 'firstTimestamp') || textAt(event, 'eventTime');
    const age = (time: string): string =>
      time === '' ? '<unknown>' : formatShortDuration(nowMs - Date.parse(time));
    const count = Number(at(event, 'series', 'count') ?? at(event, 'count') ?? 1);
    const interval =
      count > 1
        ? `${age(timeOf(event))} (x${count} over ${age(first)})`
        : age(first === '' ? timeOf(event) : first);
    const from =
      textAt(event, 'source', 'component') ||
      textAt(event, 'reportingComponent') ||
      textAt(event, 'reportingController');
    const host = textAt(event, 'source', 'host');
    const source =
      host === '' || textAt(event, 'source', 'component') === 'kubelet' ? from : `${from}, ${host}`;
    out.line(
      1,
      [
        textAt(event, 'type'),
        textAt(event, 'reason'),
        interval,
        source,
        textAt(event, 'message').trim(),
      ].join('\t'),
    );
  }
}

// ---- fields that nobody knows

const SKIPPED = new Set([
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
]);

/** Every field of an object, named in words. */
export function unknownFields(out: Description, fields: Fields, level = 0, path = ''): void {
  for (const key of Object.keys(fields).sort()) {
    const value = fields[key] as JsonValue | undefined;
    const place = `${path}.${key}`;
    if (value === undefined || SKIPPED.has(place)) continue;
    const name = fieldName(key);
    if (Array.isArray(value)) {
      out.line(level, `${name}:`);
      for (const item of value as readonly JsonValue[]) {
        if (typeof item === 'object' && item !== null && !Array.isArray(item))
          unknownFields(out, item as Fields, level + 1, place);
        else out.line(level + 1, goValue(item));
      }
    } else if (typeof value === 'object' && value !== null) {
      out.line(level, `${name}:`);
      unknownFields(out, value as Fields, level + 1, place);
    } else {
      out.line(level, `${name}:\t${goValue(value)}`);
    }
  }
}

const ACRONYMS = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** `creationTimestamp` as `Creation Timestamp`; names that are no words stay. */
function fieldName(key: string): string {
  if (!/^[\p{L}-]+$/u.test(key)) return key;
  const parts = key.match(/\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}+|-/gu) ?? [key];
  return parts
    .map((part) =>
      ACRONYMS.has(part.toUpperCase()) ? part.toUpperCase() : part.charAt(0).toUpperCase() + part.slice(1),
    )
    .join(' ');
}
