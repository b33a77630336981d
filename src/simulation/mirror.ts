// All objects of one store, kept up to date as it changes: what checkers and people look at. It sees the store itself,
// behind networks and API servers, so it is the truth of its cluster.
import type { KubeObject } from '../api/index.ts';
import type { Change, Storage } from '../storage/index.ts';

/** Group and plural as in a store's keys: `apps/deployments`, `core/pods`, `work.karmada.io/works`. */
export type ResourceName = string;

export interface MirroredChange {
  readonly resource: ResourceName;
  readonly before: KubeObject | undefined;
  /** Undefined: it was deleted. */
  readonly after: KubeObject | undefined;
}

const ROOT = '/registry/';

export class Mirror {
  private readonly objects = new Map<ResourceName, Map<string, KubeObject>>();
  private readonly onChange: (change: MirroredChange) => void;
  private abort = new AbortController();

  constructor(onChange: (change: MirroredChange) => void = () => undefined) {
    this.onChange = onChange;
  }

  /** Follows this store from now on instead of any other. What has come or gone in between is a change too. */
  async follow(storage: Storage<KubeObject>): Promise<void> {
    this.abort.abort();
    const abort = new AbortController();
    this.abort = abort;
    const { entries, revision } = await storage.list(ROOT);
    if (abort.signal.aborted) return;
    const present = new Set(entries.map(({ key }) => key));
    for (const [resource, objects] of this.objects) {
      for (const [path, before] of objects) {
        if (!present.has(ROOT + path)) this.put(resource, path, before, undefined);
      }
    }
    for (const { key, value } of entries) this.take(key, value);
    await storage.watch(ROOT, revision, (changes) => this.apply(changes), abort.signal);
  }

  stop(): void {
    this.abort.abort();
  }

  list(resource: ResourceName): readonly KubeObject[] {
    return [...(this.objects.get(resource)?.values() ?? [])];
  }

  get(resource: ResourceName, namespace: string, name: string): KubeObject | undefined {
    const path = namespace === '' ? `${resource}/${name}` : `${resource}/${namespace}/${name}`;
    return this.objects.get(resource)?.get(path);
  }

  resources(): readonly ResourceName[] {
    return [...this.objects.keys()];
  }

  private apply(changes: readonly Change<KubeObject>[]): void {
    for (const change of changes) {
      this.take(change.entry.key, change.type === 'put' ? change.entry.value : undefined);
    }
  }

  private take(key: string, after: KubeObject | undefined): void {
    const path = key.slice(ROOT.length);
    const resource = resourceOf(path);
    const before = this.objects.get(resource)?.get(path);
    if (before === after || (after !== undefined && sameVersion(before, after))) return;
    this.put(resource, path, before, after);
  }

  private put(
    resource: ResourceName,
    path: string,
    before: KubeObject | undefined,
    after: KubeObject | undefined,
  ): void {
    let objects = this.objects.get(resource);
    if (objects === undefined) this.objects.set(resource, (objects = new Map()));
    if (after === undefined) objects.delete(path);
    else objects.set(path, after);
    this.onChange({ resource, before, after });
  }
}

function sameVersion(before: KubeObject | undefined, after: KubeObject): boolean {
  return (
    before !== undefined &&
    before.metadata.uid === after.metadata.uid &&
    before.metadata.resourceVersion === after.metadata.resourceVersion
  );
}

/** A key is group, plural, the namespace if the object has one, and the name. */
function resourceOf(path: string): ResourceName {
  return path.slice(0, path.indexOf('/', path.indexOf('/') + 1));
}
