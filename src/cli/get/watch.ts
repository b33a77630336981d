// `get -w`: follows one kind in all the clusters asked, and prints a row for each change. A stream that ends is opened
// again where it ended; what was missed meanwhile is told again from a fresh list.
import type { KubeObject, WatchEvent } from '../../api/index.ts';
import { sleep, systemClock } from '../../base/index.ts';
import { isExpired } from '../../client/index.ts';
import { sameResource } from '../objects/index.ts';
import { formatTable, type ObjectPrinter, type ServerTable, type TableColumn } from '../output/index.ts';
import { CommandError, throwAll } from '../shell/index.ts';
import type { GetFlags, Target } from './flags.ts';
import {
  asServerTable,
  fetchFrom,
  named,
  pathOf,
  queryOf,
  requestsFor,
  type FetchRequest,
  type Part,
  type Request,
} from './fetch.ts';
import { columnsFor, rowFor } from './table.ts';
import { TABLE_ACCEPT } from '../output/index.ts';

const RETRY_MS = 1000;

interface Followed {
  readonly target: Target;
  readonly request: Request;
  readonly part: Part;
}

export async function watchTables(
  targets: readonly Target[],
  request: FetchRequest,
  printer: ObjectPrinter | undefined,
): Promise<void> {
  const { flags } = request;
  const asked = await Promise.all(
    targets.map((target) => firstLook(target, { ...request, asTable: printer === undefined })),
  );
  const followed = asked.flatMap(({ found }) => (found === undefined ? [] : [found]));
  const errors = asked.flatMap((one) => one.errors);
  const [first] = followed;
  if (first === undefined) return throwAll(errors);
  // What one cluster cannot tell does not hide what happens in the others.
  for (const { message } of errors) process.stderr.write(`error: ${message}\n`);
  if (followed.some(({ request: one }) => !sameResource(one.resource, first.request.resource)))
    refuseSeveral();
  const sink = new WatchPrinter(first.part, flags, printer);
  if (flags.watchOnly !== true) sink.initial(followed);
  await Promise.all(followed.map((one) => follow(one, request, sink)));
}

async function firstLook(
  target: Target,
  request: FetchRequest,
): Promise<{ readonly found: Followed | undefined; readonly errors: readonly Error[] }> {
  let requests: readonly Request[];
  try {
    requests = await requestsFor(target, request);
  } catch (error) {
    return { found: undefined, errors: [named(target, error)] };
  }
  if (requests.length > 1) refuseSeveral();
  const { parts, errors } = await fetchFrom(target, request);
  const [one] = requests;
  const [part] = parts;
  const found = one === undefined || part === undefined ? undefined : { target, request: one, part };
  return { found, errors };
}

function refuseSeveral(): never {
  throw new CommandError(
    'watch is only supported on individual resources and resource collections - more than 1 resource was found',
  );
}

/** Until the process ends. */
async function follow(
  { target, request, part }: Followed,
  fetch: FetchRequest,
  sink: WatchPrinter,
): Promise<void> {
  let resourceVersion = part.resourceVersion ?? '';
  const name = request.name;
  const path = name === undefined ? pathOf(request) : pathOf({ ...request, name: undefined });
  for (;;) {
    try {
      const query = {
        ...queryOf(request, fetch.flags),
        ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
        resourceVersion,
      };
      const headers = fetch.asTable ? { headers: { accept: TABLE_ACCEPT } } : {};
      await target.session.client.transport.watch({ method: 'GET', path, query, ...headers }, (event) => {
        if (event.type === 'ERROR') return;
        resourceVersion = versionOf(event.object) ?? resourceVersion;
        if (event.type !== 'BOOKMARK') sink.event(target, event);
      });
    } catch (error) {
      process.stderr.write(`${named(target, error).message}; watching again\n`);
      if (isExpired(error)) resourceVersion = '';
      await sleep(systemClock, RETRY_MS);
    }
  }
}

function versionOf(object: KubeObject): string | undefined {
  const table = object as unknown as ServerTable;
  if (table.kind !== 'Table') return object.metadata?.resourceVersion;
  return table.rows?.[0]?.object?.metadata?.resourceVersion ?? table.metadata?.resourceVersion;
}

class WatchPrinter {
  private readonly part: Part;
  private readonly flags: GetFlags;
  private readonly printer: ObjectPrinter | undefined;
  private readonly widths: number[] = [];
  private columns: readonly TableColumn[];
  private headerDone = false;

  constructor(part: Part, flags: GetFlags, printer: ObjectPrinter | undefined) {
    this.part = part;
    this.flags = flags;
    this.printer = printer;
    this.columns = part.columns ?? [];
  }

  initial(followed: readonly Followed[]): void {
    if (this.printer === undefined)
      this.rows(
        'ADDED',
        followed.flatMap(({ target, part }) => (part.rows ?? []).map((row) => rowFor(target.label, row))),
      );
    else
      for (const object of followed.flatMap(({ part }) => part.objects ?? [])) this.object('ADDED', object);
  }

  event(target: Target, event: WatchEvent<KubeObject>): void {
    if (this.printer !== undefined) return this.object(event.type, event.object);
    const table = asServerTable(event.object);
    // Only the first event of a stream tells the columns.
    if ((table.columnDefinitions ?? []).length > 0) this.columns = table.columnDefinitions ?? [];
    this.rows(
      event.type,
      (table.rows ?? []).map((row) => rowFor(target.label, row)),
    );
  }

  private object(type: string, object: KubeObject): void {
    const shown = this.flags.outputWatchEvents === true ? { type, object } : object;
    process.stdout.write(this.printer?.(shown as KubeObject) ?? '');
  }

  private rows(type: string, rows: readonly ReturnType<typeof rowFor>[]): void {
    const events = this.flags.outputWatchEvents === true;
    const columns = columnsFor(this.part, this.columns);
    const text = formatTable(
      events ? [{ name: 'EVENT' }, ...columns] : columns,
      events ? rows.map((row) => ({ ...row, cells: [type, ...row.cells] })) : rows,
      {
        wide: this.flags.output === 'wide',
        noHeaders: this.flags.headers === false || this.headerDone,
        withNamespace: this.flags.allNamespaces === true && this.part.resource.namespaced,
        showLabels: this.flags.showLabels === true,
        labelColumns: this.flags.labelColumns,
      },
      this.widths,
    );
    if (text === '') return;
    this.headerDone = true;
    process.stdout.write(text);
  }
}
