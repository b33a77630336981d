// GET of a collection: selectors, pages at one revision, and resourceVersion with its meanings.
import type { KubeObject } from '../../api/index.ts';
import { StatusError, badRequest } from '../../machinery/index.ts';
import { CompactedError, FutureRevisionError, type Entry, type ListResult } from '../../storage/index.ts';
import { keyOf, prefixOf, type ResourceCall } from '../call.ts';
import type { ApiResponse } from '../contract.ts';
import { parseListQuery, type ListQuery } from '../options.ts';
import { presentList } from '../presentation.ts';
import { decodeContinue, encodeContinue, listRevision, refuseTooLarge } from '../resource-version.ts';
import { refuseOtherName, selectionOf, type Selection } from '../selection.ts';

// LIMIT: how many entries one read of the storage looks through when a selector leaves most of them out.
const SCAN_CHUNK = 10_000;

export interface ListPage {
  /** Of the storage version. */
  readonly objects: readonly KubeObject[];
  readonly revision: number;
  readonly continueToken: string;
  /** Undefined where a selector makes it unknown, or nothing remains. */
  readonly remaining: number | undefined;
}

export async function list(call: ResourceCall): Promise<ApiResponse> {
  const query = parseListQuery(call.request.query, false);
  refuseOtherName(call, query);
  const page = await listPage(call, query);
  const objects = await call.view.fromStorageAll(page.objects);
  return presentList(call, objects, page);
}

export async function listPage(call: ResourceCall, query: ListQuery): Promise<ListPage> {
  const selection = selectionOf(call.served.definition, query.labelSelector, query.fieldSelector);
  const { revision, after } = await whereFrom(call, query);
  const single = query.continueToken === '' ? singleKey(call, query) : undefined;
  if (single !== undefined && revision === undefined) return listOne(call, single, selection);
  const prefix = prefixOf(call);
  try {
    return await collect(call, prefix, limitOf(query), revision, after, selection);
  } catch (error) {
    if (error instanceof CompactedError) throw tooOld(query);
    if (error instanceof FutureRevisionError) refuseTooLarge(revision ?? 0, error.currentRevision);
    throw error;
  }
}

/** COMPAT: who asks for any state gets all of it at once, as from kube-apiserver's cache. */
function limitOf({ limit, continueToken, resourceVersion, resourceVersionMatch }: ListQuery): number {
  return continueToken === '' && resourceVersion === '0' && resourceVersionMatch !== 'Exact' ? 0 : limit;
}

/** The key of the only object that can match, when the request names one. */
function singleKey(call: ResourceCall, { fieldSelector }: ListQuery): string | undefined {
  const name = fieldSelector.exactValue('metadata.name');
  if (name === undefined || name === '' || name.includes('/')) return undefined;
  if (!call.served.definition.namespaced || call.info.namespace !== '') return keyOf(call, name);
  return undefined;
}

async function listOne(call: ResourceCall, key: string, selection: Selection): Promise<ListPage> {
  const [entry, revision] = await Promise.all([
    call.core.storage.get(key),
    call.core.storage.currentRevision(),
  ]);
  const objects = entry !== undefined && selection.matches(entry.value) ? [entry.value] : [];
  return {
    objects,
    revision: Math.max(revision, entry?.revision ?? 0),
    continueToken: '',
    remaining: undefined,
  };
}

async function whereFrom(
  call: ResourceCall,
  query: ListQuery,
): Promise<{ revision: number | undefined; after: string | undefined }> {
  const asked = listRevision(query.resourceVersion);
  if (query.continueToken !== '') {
    if (asked !== 0) {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const token = decodeContinue(query.continueToken);
    return { revision: token.revision > 0 ? token.revision : undefined, after: token.after };
  }
  if (asked === 0) return { revision: undefined, after: undefined };
  refuseTooLarge(asked, await call.core.storage.currentRevision());
  const exact =
    query.resourceVersionMatch === 'Exact' || (query.resourceVersionMatch === '' && query.limit > 0);
  return { revision: exact ? asked : undefined, after: undefined };
}

async function collect(
  call: ResourceCall,
  prefix: string,
  limit: number,
  asked: number | undefined,
  after: string | undefined,
  selection: Selection,
): Promise<ListPage> {
  const objects: KubeObject[] = [];
  let startAfter = after === undefined ? undefined : prefix + after;
  let revision = asked;
  for (;;) {
    const chunk = limit === 0 ? 0 : selection.all ? limit : SCAN_CHUNK;
    const result = await call.core.storage.list(prefix, {
      ...(chunk === 0 ? {} : { limit: chunk }),
      ...(startAfter === undefined ? {} : { startAfter }),
      ...(revision === undefined ? {} : { revision }),
    });
    revision = result.revision;
    const last = take(objects, result.entries, limit, selection);
    const cut = last < result.entries.length || result.remaining > 0;
    if (limit > 0 && objects.length >= limit && cut) {
      return pageThatGoesOn(objects, result, last, prefix, selection);
    }
    if (result.remaining === 0) return { objects, revision, continueToken: '', remaining: undefined };
    startAfter = result.entries.at(-1)?.key ?? startAfter;
  }
}

/** Adds what matches up to the limit; returns how many entries were looked at. */
function take(
  into: KubeObject[],
  entries: readonly Entry<KubeObject>[],
  limit: number,
  selection: Selection,
): number {
  for (let i = 0; i < entries.length; i++) {
    if (limit > 0 && into.length >= limit) return i;
    const { value } = entries[i]!;
    if (selection.matches(value)) into.push(value);
  }
  return entries.length;
}

function pageThatGoesOn(
  objects: readonly KubeObject[],
  result: ListResult<KubeObject>,
  looked: number,
  prefix: string,
  selection: Selection,
): ListPage {
  const { revision } = result;
  const lastKey = result.entries[looked - 1]!.key;
  return {
    objects,
    revision,
    continueToken: encodeContinue({ revision, after: lastKey.slice(prefix.length) }),
    remaining: selection.all ? result.remaining + result.entries.length - looked : undefined,
  };
}

/** A 410; where a page was asked for, with a token that goes on at the same place in the latest state. */
function tooOld(query: ListQuery): StatusError {
  if (query.continueToken === '') {
    const message = `The resourceVersion for the provided list is too old.`;
    return new StatusError(410, 'Expired', message);
  }
  const { after } = decodeContinue(query.continueToken);
  const fresh = encodeContinue({ revision: -1, after });
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';
  const error = new StatusError(410, 'Expired', message);
  (error.status as { metadata: Record<string, unknown> }).metadata = { continue: fresh };
  return error;
}
