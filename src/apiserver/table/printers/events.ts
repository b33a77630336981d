// What `kubectl get` prints of events, whichever group they are read by.
import type { Event, KubeObject } from '../../../api/index.ts';
import { formatAge } from '../../../machinery/index.ts';
import type { Printer } from '../../resource.ts';
import { printer } from '../columns.ts';
import { nameOf } from './fields.ts';

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || (reportingComponent ?? '');
  const host = source?.host || (reportingInstance ?? '');
  return host === '' ? component : `${component}, ${host}`;
}

function eventCells(event: Event, nowMs: number): readonly unknown[] {
  const first = event.firstTimestamp ?? event.eventTime;
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? first;
  const { kind = '', name = '', fieldPath = '' } = event.involvedObject ?? {};
  return [
    formatAge(last, nowMs),
    event.type ?? '',
    event.reason ?? '',
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
    (event.message ?? '').trim(),
    fieldPath,
    sourceText(event),
    formatAge(first, nowMs),
    event.series?.count ?? (event.count || 1),
    nameOf(event),
  ];
}

const EVENT_COLUMNS = 'Last Seen|Type|Reason|Object|Subobject|Source|Message|First Seen|Count|Name';
const EVENT_ORDER = [0, 1, 2, 3, 5, 6, 4, 7, 8, 9];

function eventPrinter(toCore: (object: KubeObject) => Event): Printer {
  const base = printer<KubeObject>(EVENT_COLUMNS, (object, nowMs) => {
    const cells = eventCells(toCore(object), nowMs);
    return EVENT_ORDER.map((index) => cells[index]);
  });
  const wide = new Set(['Subobject', 'Source', 'First Seen', 'Count', 'Name']);
  const columns = base.columns.map((column) => (wide.has(column.name) ? { ...column, priority: 1 } : column));
  return { ...base, columns };
}

export const events: Printer = eventPrinter((object) => object as unknown as Event);

export const newEvents: Printer = eventPrinter(
  (object) =>
    ({
      ...object,
      involvedObject: object['regarding'],
      message: object['note'],
      source: object['deprecatedSource'],
      firstTimestamp: object['deprecatedFirstTimestamp'],
      lastTimestamp: object['deprecatedLastTimestamp'],
      count: object['deprecatedCount'],
      reportingComponent: object['reportingController'],
    }) as unknown as Event,
);
