// Follows the APIServices: registers those of what this server serves itself, checks and describes the servers behind
// the others, says in each one's status whether it is available, and hands requests on.
//
// Several servers over one storage may do this side by side: every write expects the revision that was read.
import type { APIService, KubeObject } from '../../api/index.ts';
import { errorMessage, type Cancel, type Clock, type Logger, type Random } from '../../base/index.ts';
import { goQuote } from '../../machinery/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { MetricsRegistry } from '../metrics.ts';
import type { ObjectAccess } from '../object-access.ts';
import { objectFeed } from '../object-feed.ts';
import { UpstreamConnections } from '../proxy/upstream.ts';
import type { ResourceRegistry } from '../registry.ts';
import { storageRootOf } from '../resource.ts';
import type { KeyPair } from '../security/certificates.ts';
import type { InProcessTransport } from '../transport.ts';
import {
  API_SERVICES,
  GROUP,
  LOCAL,
  defaultPriority,
  localApiService,
  nameOf,
  priorityOf,
  registrationStep,
  serviceOf,
  withAvailability,
  type Availability,
  type LocalVersion,
  type Priority,
} from './api-service.ts';
import { RemoteService, type RemoteEnvironment } from './remote-service.ts';

export interface AggregatorOptions {
  readonly storage: Storage<KubeObject>;
  readonly objects: ObjectAccess;
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry | undefined;
  /** The server itself, as a user who may write APIServices. */
  readonly transport: InProcessTransport;
  /** Who we are to other API servers. */
  readonly certificate: KeyPair;
}

/** What discovery and OpenAPI show besides the server's own resources. */
export interface AggregatedApis {
  /** Moves with every change. */
  readonly generation: number;
  remotes(): readonly RemoteService[];
  priority(group: string, version: string, custom: boolean): Priority;
}

const ROOT = storageRootOf(GROUP, API_SERVICES);
const PATH = `/apis/${GROUP}/v1/${API_SERVICES}`;
// COMPAT: upstream looks at every server again this often, and sooner at one that failed, up to this.
const CHECK_PERIOD_MS = 30_000;
const FIRST_RETRY_MS = 500;
const RETRY_MS = 1000;
/** LIMIT: APIServices written at once. */
const WRITES_AT_ONCE = 16;

export class Aggregator implements AggregatedApis {
  readonly #options: AggregatorOptions;
  readonly #stopping = new AbortController();
  readonly #connections: UpstreamConnections;
  readonly #environment: RemoteEnvironment;
  readonly #known = new Map<string, APIService>();
  readonly #remotes = new Map<string, RemoteService>();
  readonly #dirty = new Set<string>();
  /** When a remote server is looked at again. */
  readonly #timers = new Map<string, Cancel>();
  readonly #failures = new Map<string, number>();
  readonly #checking = new Set<string>();
  /** What changed while it was being checked. */
  readonly #again = new Set<string>();
  readonly #work = new Set<Promise<void>>();
  #starting = true;
  #generation = 0;
  #scheduled = false;

  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#connections = new UpstreamConnections(options.clock);
    const { objects, certificate, clock, random } = options;
    const closing = this.#stopping.signal;
    this.#environment = { objects, certificate, clock, random, connections: this.#connections, closing };
    options.metrics?.observed(
      'aggregator_unavailable_apiservice',
      'Gauge of APIServices which are marked as unavailable broken down by APIService name.',
      () =>
        [...this.#remotes.values()].map((one) => [
          [one.apiService.metadata.name ?? ''],
          one.available ? 0 : 1,
        ]),
      ['name'],
    );
  }

  get generation(): number {
    return this.#generation;
  }

  remotes(): readonly RemoteService[] {
    return [...this.#remotes.values()];
  }

  priority(group: string, version: string, custom: boolean): Priority {
    const known = this.#known.get(nameOf({ group, version }));
    return known === undefined ? defaultPriority(group, version, custom) : priorityOf(known);
  }

  /** Resolves when the APIServices have been read; the first writes may still be under way. */
  async start(): Promise<void> {
    const { storage, clock, logger, registry } = this.#options;
    const { signal } = this.#stopping;
    await objectFeed({ storage, clock, logger, prefix: ROOT }).follow(
      {
        start: (objects) => this.#relist(objects as readonly APIService[]),
        put: (object) => this.#learn(object as APIService),
        removed: ({ metadata }) => this.#forget(metadata.name ?? ''),
      },
      signal,
    );
    for (const local of this.#locals().values()) this.#dirty.add(nameOf(local));
    const stopListening = registry.onChange(() => this.#registryChanged());
    signal.addEventListener('abort', stopListening, { once: true });
    await this.#followServices(signal);
    this.#run(this.#pump().finally(() => this.#started()));
  }

  #started(): void {
    this.#starting = false;
    for (const name of this.#dirty) this.#mark(name);
  }

  /** Answers what a remote server is responsible for; undefined: nothing of that kind. */
  respond(request: ApiRequest): Promise<ApiResponse> | undefined {
    if (this.#remotes.size === 0) return undefined;
    const [, document, group, version] =
      /^(\/openapi\/v3)?\/apis\/([^/]+)\/([^/]+)(?:\/|$)/.exec(request.path) ?? [];
    if (group === undefined || version === undefined) return undefined;
    const remote = this.#remotes.get(nameOf({ group, version }));
    if (document === undefined) return remote?.forward(request, request.path);
    return remote?.description?.openApiV3 === undefined ? undefined : remote.forward(request, request.path);
  }

  async close(): Promise<void> {
    this.#stopping.abort(new Error('the API server is closing'));
    for (const cancel of this.#timers.values()) cancel();
    this.#connections.close();
    await Promise.allSettled(this.#work);
  }

  // ---- what there is

  #relist(objects: readonly APIService[]): void {
    const names = new Set(objects.map(({ metadata }) => metadata.name ?? ''));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#forget(name);
    for (const object of objects) this.#learn(object);
  }

  #learn(service: APIService): void {
    const { name = '' } = service.metadata;
    const before = this.#known.get(name);
    this.#known.set(name, service);
    const remote = this.#remotes.get(name);
    const changed = JSON.stringify(before?.spec) !== JSON.stringify(service.spec);
    if (serviceOf(service) === undefined) {
      if (remote !== undefined) this.#drop(name);
    } else if (remote === undefined || changed) {
      this.#remotes.set(name, new RemoteService(service, this.#environment));
    } else {
      this.#remotes.set(name, remote.continuedBy(service));
    }
    // A change of the status alone is most likely our own.
    if (!changed) return;
    this.#generation++;
    this.#mark(name);
  }

  #forget(name: string): void {
    if (!this.#known.delete(name)) return;
    this.#drop(name);
    this.#generation++;
    // It comes back if it was one of ours and the resource is still there.
    this.#mark(name);
  }

  #drop(name: string): void {
    this.#remotes.delete(name);
    this.#timers.get(name)?.();
    this.#timers.delete(name);
    this.#failures.delete(name);
  }

  /** What this server serves itself, by the name of its APIService. */
  #locals(): ReadonlyMap<string, LocalVersion> {
    const found = new Map<string, LocalVersion>();
    for (const { group, versions, custom } of this.#options.registry.definitions()) {
      if (group === GROUP) continue;
      const managed = custom === true ? 'true' : 'onstart';
      for (const { name: version, served } of versions) {
        if (served) found.set(nameOf({ group, version }), { group, version, managed });
      }
    }
    return found;
  }

  #registryChanged(): void {
    const locals = this.#locals();
    for (const name of locals.keys()) if (!this.#known.has(name)) this.#mark(name);
    for (const [name, service] of this.#known) {
      if (serviceOf(service) === undefined && !locals.has(name)) this.#mark(name);
    }
  }

  /** Services and endpoints that APIServices point to: a change may make one available, or the other way round. */
  async #followServices(signal: AbortSignal): Promise<void> {
    const { storage, clock, logger } = this.#options;
    const changed = ({ metadata }: KubeObject, service = metadata.name): void => {
      for (const [name, { reference }] of this.#remotes) {
        if (reference.namespace === metadata.namespace && reference.name === service) this.#mark(name);
      }
    };
    const ofSlice = (slice: KubeObject): void =>
      changed(slice, slice.metadata.labels?.['kubernetes.io/service-name']);
    const follow = (prefix: string, tell: (object: KubeObject) => void): Promise<void> =>
      objectFeed({ storage, clock, logger, prefix }).follow({ put: tell, removed: tell }, signal);
    await Promise.all([
      follow(storageRootOf('', 'services'), (object) => changed(object)),
      follow(storageRootOf('', 'endpoints'), (object) => changed(object)),
      follow(storageRootOf('discovery.k8s.io', 'endpointslices'), ofSlice),
    ]);
  }

  // ---- what follows from it

  #mark(name: string): void {
    this.#dirty.add(name);
    if (this.#starting || this.#scheduled || this.#stopping.signal.aborted) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#run(this.#pump());
    });
  }

  #run(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  async #pump(): Promise<void> {
    const locals = this.#locals();
    const names = [...this.#dirty];
    this.#dirty.clear();
    for (let i = 0; i < names.length; i += WRITES_AT_ONCE) {
      await Promise.all(names.slice(i, i + WRITES_AT_ONCE).map((name) => this.#sync(name, locals.get(name))));
    }
  }

  async #sync(name: string, local: LocalVersion | undefined): Promise<void> {
    const { logger, clock } = this.#options;
    try {
      await this.#register(name, local);
      const service = this.#known.get(name);
      if (service === undefined) return;
      if (serviceOf(service) === undefined) await this.#report(service, LOCAL);
      else this.#run(this.#check(name));
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      logger.warn('an APIService could not be written, trying again', { name, error: errorMessage(error) });
      this.#timers.get(name)?.();
      this.#timers.set(
        name,
        clock.after(RETRY_MS, () => this.#mark(name)),
      );
    }
  }

  async #register(name: string, local: LocalVersion | undefined): Promise<void> {
    const found = this.#known.get(name);
    const wanted = local === undefined ? undefined : localApiService(local);
    switch (registrationStep(found, wanted, this.#starting)) {
      case 'create':
        this.#took(await this.#write('POST', PATH, wanted));
        return;
      case 'update':
        this.#took(await this.#write('PUT', `${PATH}/${name}`, { ...found, spec: wanted?.spec }));
        return;
      case 'delete':
        await this.#write('DELETE', `${PATH}/${name}`, {
          preconditions: { uid: found?.metadata.uid, resourceVersion: found?.metadata.resourceVersion },
        });
        return;
      case 'none':
        return;
    }
  }

  /** The answer to a write comes before the feed tells of it. */
  #took(service: APIService | undefined): void {
    if (service !== undefined) this.#known.set(service.metadata.name ?? '', service);
  }

  async #check(name: string): Promise<void> {
    if (this.#checking.has(name)) {
      this.#again.add(name);
      return;
    }
    const remote = this.#remotes.get(name);
    if (remote === undefined) return;
    this.#checking.add(name);
    const { clock, logger } = this.#options;
    this.#timers.get(name)?.();
    let retryMs = CHECK_PERIOD_MS;
    try {
      const availability = await remote.check();
      const available = availability.status === 'True';
      await this.#describe(name, remote, available);
      const current = this.#remotes.get(name);
      if (this.#stopping.signal.aborted || current?.upstreamKey !== remote.upstreamKey) return;
      await this.#report(current.apiService, availability);
      const failures = available ? 0 : (this.#failures.get(name) ?? 0) + 1;
      this.#failures.set(name, failures);
      if (!available) retryMs = Math.min(CHECK_PERIOD_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      logger.warn('an APIService could not be checked', { name, error: errorMessage(error) });
      retryMs = RETRY_MS;
    } finally {
      this.#checking.delete(name);
    }
    if (!this.#remotes.has(name)) return;
    if (this.#again.delete(name)) {
      this.#mark(name);
      return;
    }
    this.#timers.set(
      name,
      clock.after(retryMs, () => this.#run(this.#check(name))),
    );
  }

  async #describe(name: string, remote: RemoteService, available: boolean): Promise<void> {
    const { stale, description } = remote;
    if (available) await remote.describe();
    else remote.stale = true;
    const current = this.#remotes.get(name);
    if (current === undefined) return;
    current.description = remote.description;
    current.stale = remote.stale;
    if (remote.stale !== stale || remote.description !== description) this.#generation++;
  }

  /** Writes the Available condition, if it says anything new. */
  async #report(service: APIService, availability: Availability): Promise<void> {
    const { name = '', resourceVersion } = service.metadata;
    const conditions = withAvailability(service, availability, this.#options.clock.now());
    if (conditions === undefined) return;
    const patch = { metadata: { resourceVersion }, status: { conditions } };
    const path = `${PATH}/${name}/status`;
    this.#took(await this.#write('PATCH', path, patch, 'application/merge-patch+json'));
  }

  /** Undefined when somebody else was faster: what they wrote comes by the feed. */
  async #write(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body: unknown,
    contentType = 'application/json',
  ): Promise<APIService | undefined> {
    const answer = await this.#options.transport.send({
      method,
      path,
      body,
      contentType,
      signal: this.#stopping.signal,
    });
    if (answer.status < 300) return answer.body as APIService;
    if (answer.status === 409 || answer.status === 404) return undefined;
    const { message = '' } = answer.body as { readonly message?: string };
    throw new Error(`${method} ${goQuote(path)}: ${message}`);
  }
}
