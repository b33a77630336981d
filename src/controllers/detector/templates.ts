// Follows every kind of object that can be a template: finds the kinds by discovery, keeps one informer each, and
// turns their events into keys.
// Reads: discovery, CustomResourceDefinitions, all propagatable resources. Writes: nothing.
import { formatApiVersion, gvkOf, type KubeObject } from '../../api/index.ts';
import { every, type Cancel } from '../../base/index.ts';
import { kinds, type ApiResource } from '../../client/index.ts';
import { selectorFault, type Eligibility, type Policy } from '../../propagation/index.ts';
import { PRIORITY_CHANGE, type InformerUse } from '../../runtime/index.ts';
import type { ControllerContext } from '../context.ts';
import type { Concerns } from '../interpretation-changes.ts';

export type TemplateKey = `${string}|${string}|${string}|${string}`;

export function templateKey(reference: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}): TemplateKey {
  return `${reference.apiVersion}|${reference.kind}|${reference.namespace ?? ''}|${reference.name}`;
}

export function templateKeyOf({ apiVersion, kind, metadata }: KubeObject): TemplateKey {
  return templateKey({ apiVersion, kind, namespace: metadata.namespace, name: metadata.name ?? '' });
}

export function parseTemplateKey(key: string): {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
} {
  const [apiVersion = '', kind = '', namespace = '', name = ''] = key.split('|');
  return { apiVersion, kind, namespace, name };
}

export interface TemplateEvents {
  /** @param priority of the queue: what is known from the start steps aside for changes */
  appeared(template: KubeObject, initial: boolean, priority: number): void;
  changed(before: KubeObject, after: KubeObject): void;
  vanished(template: KubeObject): void;
}

// CRD events bring new kinds at once; this catches APIs that come without one (aggregated servers).
const DISCOVERY_PERIOD_MS = 30_000;

interface Followed {
  readonly resource: ApiResource;
  readonly use: InformerUse;
  readonly unsubscribe: Cancel;
}

export class TemplateInformers {
  private readonly context: ControllerContext;
  private readonly eligibility: Eligibility;
  private readonly events: TemplateEvents;
  /** By apiVersion and kind. */
  private readonly followed = new Map<string, Followed>();
  private served: readonly ApiResource[] = [];
  private refreshing: Promise<void> | undefined;
  private again = false;

  constructor(context: ControllerContext, eligibility: Eligibility, events: TemplateEvents) {
    this.context = context;
    this.eligibility = eligibility;
    this.events = events;
  }

  /** Follows what is there; resolves when all of it is known. Then keeps up until the signal aborts. */
  async start(): Promise<void> {
    const { clock, signal, informers } = this.context;
    await this.refresh();
    await Promise.all([...this.followed.values()].map(({ use }) => use.informer.synced));
    const stopTimer = every(clock, DISCOVERY_PERIOD_MS, () => void this.refresh());
    const crds = informers.informer(kinds.customResourceDefinitions);
    const refresh = (): void => void this.refresh();
    const unsubscribe = crds.subscribe({ added: refresh, updated: refresh, deleted: refresh });
    signal.addEventListener('abort', () => {
      stopTimer();
      unsubscribe();
      for (const one of this.followed.values()) this.unfollow(one);
    });
  }

  resource(apiVersion: string, kind: string): ApiResource | undefined {
    return this.followed.get(`${apiVersion}|${kind}`)?.resource;
  }

  get(reference: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string | undefined;
    readonly name: string;
  }): KubeObject | undefined {
    const { apiVersion, kind, namespace, name } = reference;
    return this.followed.get(`${apiVersion}|${kind}`)?.use.informer.store.get({ namespace, name });
  }

  /** Why selectors of a policy mean nothing, as far as kinds and namespaces are concerned. */
  selectorFaults({ metadata, spec }: Policy): readonly string[] {
    return spec.resourceSelectors.flatMap(
      (selector) => selectorFault(selector, metadata.namespace, this.served, this.eligibility) ?? [],
    );
  }

  /** All known templates of a kind; of all namespaces without one. */
  list(apiVersion: string, kind: string, namespace: string): readonly KubeObject[] {
    return this.followed.get(`${apiVersion}|${kind}`)?.use.informer.store.list(namespace) ?? [];
  }

  /** All known templates of kinds that are meant. */
  all(concerns: Concerns): readonly KubeObject[] {
    return [...this.followed.values()]
      .filter(({ resource }) => concerns({ apiVersion: formatApiVersion(resource), kind: resource.kind }))
      .flatMap(({ use }) => use.informer.store.list());
  }

  /** Asks discovery now. Calls while one is under way are answered by one more after it. */
  refresh(): Promise<void> {
    if (this.refreshing !== undefined) {
      this.again = true;
      return this.refreshing;
    }
    this.refreshing = this.discover().finally(() => {
      this.refreshing = undefined;
      if (!this.again) return;
      this.again = false;
      void this.refresh();
    });
    return this.refreshing;
  }

  private async discover(): Promise<void> {
    const { mapper, logger, signal } = this.context;
    try {
      await mapper.refresh();
      const wanted = new Map<string, ApiResource>();
      this.served = await mapper.resources();
      for (const resource of this.served) {
        const { group, version, kind, verbs, preferred } = resource;
        // COMPAT: a template exists only in its preferred version, and selectors compare versions literally.
        if (!preferred || this.eligibility.skipsKind({ group, version, kind })) continue;
        if (!['delete', 'list', 'watch'].every((verb) => verbs.includes(verb))) continue;
        wanted.set(`${formatApiVersion(resource)}|${kind}`, resource);
      }
      if (signal.aborted) return;
      for (const [name, resource] of wanted) if (!this.followed.has(name)) this.follow(name, resource);
      for (const [name, one] of this.followed) {
        if (wanted.has(name)) continue;
        this.followed.delete(name);
        this.unfollow(one);
      }
    } catch (error) {
      if (!signal.aborted) logger.warn('Discovering the kinds of templates failed', { error });
    }
  }

  private follow(name: string, resource: ApiResource): void {
    const use = this.context.informers.use(resource);
    const concerns = (object: KubeObject): boolean => {
      const { namespace = '', name: objectName = '' } = object.metadata;
      return this.eligibility.refusal(gvkOf(object), namespace, objectName) === undefined;
    };
    const { events } = this;
    const unsubscribe = use.informer.subscribe({
      added(object, initial) {
        if (concerns(object))
          events.appeared(object, initial, initial ? use.informer.initialPriority : PRIORITY_CHANGE);
      },
      updated(before, after) {
        if (concerns(after)) events.changed(before, after);
      },
      deleted(object) {
        if (concerns(object)) events.vanished(object);
      },
    });
    this.followed.set(name, { resource, use, unsubscribe });
  }

  private unfollow({ use, unsubscribe }: Followed): void {
    unsubscribe();
    use.release();
  }
}
