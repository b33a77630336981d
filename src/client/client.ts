// Typed calls on any resource of a Kubernetes API, over any Transport. Failures come out as machinery's
// StatusError, whichever way they travelled. Objects that come out are frozen and may be shared: build new ones.
import { type KubeList, type KubeObject, type WatchEvent } from '../api/index.ts';
import { assert } from '../base/index.ts';
import type { Status } from '../machinery/index.ts';
import { isExpired, isNotFound, statusErrorFrom } from './errors.ts';
import { objectPath, resourcePath, type ObjectKey, type Resource } from './resource.ts';
import type { Transport, TransportRequest } from './transport.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** E.g. `status`, `scale`, `binding`, `token`. */
  readonly subresource?: string;
}

export interface GetOptions extends CallOptions {
  readonly resourceVersion?: string;
}

export interface Selection {
  /** Absent or empty: all namespaces, or a resource without them. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  readonly signal?: AbortSignal;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly timeoutSeconds?: number;
}

export interface WatchOptions extends Selection {
  readonly signal?: AbortSignal;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'NotOlderThan';
  readonly allowWatchBookmarks?: boolean;
  /** Asks for the current state as ADDED events, closed by a bookmark annotated `k8s.io/initial-events-end`. */
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

export interface CreateOptions extends WriteOptions {
  /** With a subresource: the name of the object it belongs to. */
  readonly name?: string;
  /** Where to create, when the object itself does not say. */
  readonly namespace?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Takes fields that others own instead of failing with a conflict. */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

/** One change to an object. The kinds differ in how lists merge; `apply` owns fields by manager. */
export type Patch =
  /** RFC 6902 operations. */
  | { readonly type: 'json'; readonly body: readonly JsonPatchOperation[] }
  /** RFC 7386. */
  | { readonly type: 'merge'; readonly body: unknown }
  /** By the patch keys of built-in kinds; custom resources refuse it. */
  | { readonly type: 'strategic'; readonly body: unknown }
  /** Server-side apply: the whole intent of this field manager. */
  | { readonly type: 'apply'; readonly body: unknown };

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

const patchTypes: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export interface Client {
  readonly transport: Transport;
  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options?: GetOptions): Promise<T>;
  /** As get, but undefined when there is no such object. */
  find<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options?: GetOptions,
  ): Promise<T | undefined>;
  /** One page. */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<KubeList<T>>;
  /** All pages of `limit` (500) objects as one list, of one revision. */
  listAll<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: CreateOptions): Promise<T>;
  /** Replaces the object; with its resourceVersion in it, only if it is still the stored one. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options?: ApplyOptions,
  ): Promise<T>;
  /** Server-side apply of `object`, the whole intent of the field manager, which must be named. */
  apply<T extends KubeObject>(resource: Resource<T>, object: KubeObject, options?: ApplyOptions): Promise<T>;
  /** Answers the object while it still exists (finalizers, grace), or a Status. */
  delete<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options?: DeleteOptions,
  ): Promise<T | Status>;
  deleteCollection(
    resource: Resource,
    options?: Selection & Omit<DeleteOptions, 'subresource'>,
  ): Promise<void>;
  /**
   * Calls `onEvent` for each event in order until the server or the signal ends the watch, then resolves. Rejects with
   * StatusError when the server refuses the watch or reports an ERROR event (410: list again), and with
   * ConnectionError when the stream breaks.
   */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    onEvent: (event: WatchEvent<T>) => void,
  ): Promise<void>;
  /** For paths that are no resources, e.g. `/version`. Throws StatusError for any status from 400. */
  request(request: TransportRequest): Promise<unknown>;
}

/** Objects in one page of listAll. */
const PAGE_SIZE = 500;

export interface ClientSettings {
  /** Named in managedFields when a call names none. */
  readonly fieldManager?: string;
}

type Query = Readonly<Record<string, string>>;

function selectionQuery(options: ListOptions & WatchOptions): Query {
  const query: Record<string, string> = {};
  if (options.labelSelector !== undefined && options.labelSelector !== '')
    query['labelSelector'] = options.labelSelector;
  if (options.fieldSelector !== undefined && options.fieldSelector !== '')
    query['fieldSelector'] = options.fieldSelector;
  if (options.limit !== undefined) query['limit'] = String(options.limit);
  if (options.continue !== undefined) query['continue'] = options.continue;
  if (options.resourceVersion !== undefined) query['resourceVersion'] = options.resourceVersion;
  if (options.resourceVersionMatch !== undefined)
    query['resourceVersionMatch'] = options.resourceVersionMatch;
  if (options.timeoutSeconds !== undefined) query['timeoutSeconds'] = String(options.timeoutSeconds);
  if (options.allowWatchBookmarks === true) query['allowWatchBookmarks'] = 'true';
  if (options.sendInitialEvents !== undefined) query['sendInitialEvents'] = String(options.sendInitialEvents);
  return query;
}

/** `usual` when nothing is asked for. */
function writeQuery(options: ApplyOptions, usual: Query): Query {
  const { dryRun, fieldManager, fieldValidation, force } = options;
  if (dryRun !== true && (fieldManager ?? fieldValidation ?? force) === undefined) return usual;
  const query: Record<string, string> = { ...usual };
  if (dryRun === true) query['dryRun'] = 'All';
  if (fieldManager !== undefined) query['fieldManager'] = fieldManager;
  if (fieldValidation !== undefined) query['fieldValidation'] = fieldValidation;
  if (force !== undefined) query['force'] = String(force);
  return query;
}

function deleteBody(options: DeleteOptions): unknown {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options;
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
  return Object.keys(body).length === 2 ? undefined : body;
}

/** Absent when there is nothing to say: servers in process take a shorter way then. */
function queryOf(query: Query): { readonly query?: Query } {
  for (const _ in query) return { query };
  return {};
}

function signalOf(options: { readonly signal?: AbortSignal }): { signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}

/**
 * Items of built-in kinds come without apiVersion and kind in lists over the wire; everyone above relies on them.
 */
function completeList<T extends KubeObject>(list: KubeList<T>): KubeList<T> {
  // COMPAT: Go servers send null for an empty list of some kinds.
  const items = (list.items as readonly T[] | null | undefined) ?? [];
  if (items.every((item) => item.kind !== undefined && item.apiVersion !== undefined))
    return list.items === items ? list : { ...list, items };
  const kind = list.kind.replace(/List$/, '');
  const { apiVersion } = list;
  const complete = (item: T): T =>
    item.kind === undefined || item.apiVersion === undefined
      ? Object.freeze({ ...item, apiVersion, kind })
      : item;
  return { ...list, items: Object.freeze(items.map(complete)) };
}

/** Typed and dynamic calls over `transport`. */
export function createClient(transport: Transport, settings: ClientSettings = {}): Client {
  return new TransportClient(transport, settings);
}

class TransportClient implements Client {
  readonly transport: Transport;
  private readonly fieldManager: string | undefined;
  /** Of writes that ask for nothing; frozen, so that servers in process read it once. */
  private readonly usualQuery: Query;

  constructor(transport: Transport, { fieldManager }: ClientSettings) {
    this.transport = transport;
    this.fieldManager = fieldManager;
    this.usualQuery = Object.freeze(fieldManager === undefined ? {} : { fieldManager });
  }

  async request(request: TransportRequest): Promise<unknown> {
    const answer = await this.transport.send(request);
    if (answer.status >= 400) throw statusErrorFrom(answer.status, answer.body, answer.headers);
    return answer.body;
  }

  async get<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: GetOptions = {},
  ): Promise<T> {
    const { resourceVersion } = options;
    return (await this.request({
      method: 'GET',
      path: objectPath(resource, key, options.subresource),
      ...(resourceVersion === undefined ? {} : { query: { resourceVersion } }),
      ...signalOf(options),
    })) as T;
  }

  async find<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options?: GetOptions,
  ): Promise<T | undefined> {
    try {
      return await this.get(resource, key, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    const body = await this.request({
      method: 'GET',
      path: resourcePath(resource, options.namespace),
      ...queryOf(selectionQuery(options as ListOptions & WatchOptions)),
      ...signalOf(options),
    });
    return completeList(body as KubeList<T>);
  }

  async listAll<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions = {},
  ): Promise<KubeList<T>> {
    const limit = options.limit ?? PAGE_SIZE;
    let page = await this.list(resource, { ...options, limit });
    if (!page.metadata.continue) return page;
    // The token alone fixes the revision; naming one beside it is refused.
    const { resourceVersion: _1, resourceVersionMatch: _2, ...following } = options;
    const items = [...page.items];
    while (page.metadata.continue) {
      try {
        page = await this.list(resource, { ...following, limit, continue: page.metadata.continue });
      } catch (error) {
        if (!isExpired(error)) throw error;
        // The revision of the first page is gone: one answer without pages is of one revision again.
        const { limit: _, ...whole } = options;
        return this.list(resource, whole);
      }
      items.push(...page.items);
    }
    const { continue: _3, remainingItemCount: _4, ...metadata } = page.metadata;
    return { ...page, metadata, items };
  }

  async create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: CreateOptions = {},
  ): Promise<T> {
    const namespace = resource.namespaced ? (object.metadata?.namespace ?? options.namespace) : undefined;
    return (await this.request({
      method: 'POST',
      path: resourcePath(resource, namespace, options.name, options.subresource),
      ...queryOf(writeQuery(options, this.usualQuery)),
      body: object,
      ...signalOf(options),
    })) as T;
  }

  async update<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const { name = '', namespace } = object.metadata;
    return (await this.request({
      method: 'PUT',
      path: objectPath(resource, { namespace, name }, options.subresource),
      ...queryOf(writeQuery(options, this.usualQuery)),
      body: object,
      ...signalOf(options),
    })) as T;
  }

  updateStatus<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.update(resource, object, { ...options, subresource: 'status' });
  }

  async patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options: ApplyOptions = {},
  ): Promise<T> {
    return (await this.request({
      method: 'PATCH',
      path: objectPath(resource, key, options.subresource),
      ...queryOf(writeQuery(options, this.usualQuery)),
      body: patch.body,
      contentType: patchTypes[patch.type],
      ...signalOf(options),
    })) as T;
  }

  apply<T extends KubeObject>(
    resource: Resource<T>,
    object: KubeObject,
    options: ApplyOptions = {},
  ): Promise<T> {
    assert(
      (options.fieldManager ?? this.fieldManager) !== undefined,
      'server-side apply needs a field manager',
    );
    const { name = '', namespace } = object.metadata;
    return this.patch(resource, { namespace, name }, { type: 'apply', body: object }, options);
  }

  async delete<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<T | Status> {
    const body = deleteBody(options);
    return (await this.request({
      method: 'DELETE',
      path: objectPath(resource, key, options.subresource),
      ...(body === undefined ? {} : { body }),
      ...signalOf(options),
    })) as T | Status;
  }

  async deleteCollection(
    resource: Resource,
    options: Selection & Omit<DeleteOptions, 'subresource'> = {},
  ): Promise<void> {
    const body = deleteBody(options);
    await this.request({
      method: 'DELETE',
      path: resourcePath(resource, options.namespace),
      ...queryOf(selectionQuery(options)),
      ...(body === undefined ? {} : { body }),
      ...signalOf(options),
    });
  }

  async watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    onEvent: (event: WatchEvent<T>) => void,
  ): Promise<void> {
    const inner = new AbortController();
    const signal =
      options.signal === undefined ? inner.signal : AbortSignal.any([options.signal, inner.signal]);
    let failure: unknown;
    const path = resourcePath(resource, options.namespace);
    const query = selectionQuery(options);
    await this.transport.watch({ method: 'GET', path, query, signal }, (event) => {
      if (failure !== undefined) return;
      if (event.type === 'ERROR') {
        failure = statusErrorFrom(500, event.object);
      } else {
        try {
          onEvent(event as WatchEvent<T>);
          return;
        } catch (error) {
          failure = error;
        }
      }
      inner.abort();
    });
    if (failure !== undefined) throw failure as Error;
  }
}
