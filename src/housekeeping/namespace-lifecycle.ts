// Empties namespaces that are being deleted, then lets them go.
// Reads: namespaces; everything in a namespace that is being deleted, by discovery; the feed, to notice when something
// of it has gone. Writes: deletes contents; status conditions of the namespace; takes `kubernetes` out of spec.finalizers.
// INVARIANT: a namespace goes only after every listable resource, as discovered after its deletion began, was found empty.
import type { Condition, KubeObject } from '../api/index.ts';
import { errorMessage, formatTime } from '../base/index.ts';
import { isNotFound, type ApiResource, type Client } from '../client/index.ts';
import { StatusError, deepEqual } from '../machinery/index.ts';
import {
  act,
  done,
  informerSource,
  runController,
  type Enqueue,
  type Plan,
  type Source,
  type Write,
} from '../runtime/index.ts';
import { resources, type Namespace } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

const FINALIZER = 'kubernetes';
const CONCURRENCY = 10;
// LIMIT: resources of one namespace emptied at once.
const RESOURCES_AT_ONCE = 8;
// What the feed misses (objects of another server behind this one) is looked at again this often.
const LOOK_AGAIN_MS = 5_000;

/** What is left of one resource after its deletion was asked for. */
export interface Remainder {
  readonly resource: string;
  readonly group: string;
  readonly count: number;
  readonly finalizers: Readonly<Record<string, number>>;
  /** The longest that any of them may take to end, where they say so (pods). */
  readonly gracePeriodSeconds: number;
}

export interface Emptying {
  readonly namespace: Namespace;
  readonly remainders: readonly Remainder[];
  readonly failures: readonly string[];
  /** Undefined: all groups were discovered. */
  readonly discoveryFailure: string | undefined;
}

export function decideNamespace(input: Emptying, nowMs: number): Plan {
  const { namespace, remainders, failures, discoveryFailure } = input;
  const isEmpty = remainders.length === 0 && failures.length === 0 && discoveryFailure === undefined;
  if (isEmpty) return { writes: [finalize(namespace)] };
  const known = namespace.status?.conditions ?? [];
  const conditions = conditionsOf(input, nowMs).map((next) => {
    const old = known.find(({ type }) => type === next.type);
    return old?.status === next.status ? { ...next, lastTransitionTime: old.lastTransitionTime } : next;
  });
  const others = known.filter(({ type }) => !conditions.some((one) => one.type === type));
  const grace = Math.max(0, ...remainders.map(({ gracePeriodSeconds }) => gracePeriodSeconds));
  const afterMs =
    failures.length > 0 ? 1_000 : grace > 0 ? Math.min(grace * 500, LOOK_AGAIN_MS) : LOOK_AGAIN_MS;
  return {
    writes: deepEqual(known, [...others, ...conditions])
      ? []
      : [updateStatus(namespace, [...others, ...conditions])],
    requeue: { afterMs, reason: 'the namespace is not empty yet' },
  };
}

function finalize(namespace: Namespace): Write {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((one) => one !== FINALIZER);
  return {
    verb: 'update',
    resource: resources.namespaces,
    subresource: 'finalize',
    object: { ...namespace, spec: { ...namespace.spec, finalizers } },
  };
}

function updateStatus(namespace: Namespace, conditions: readonly Condition[]): Write {
  return {
    verb: 'update',
    resource: resources.namespaces,
    subresource: 'status',
    object: { ...namespace, status: { ...namespace.status, phase: 'Terminating', conditions } },
  };
}

/** COMPAT: types, reasons and messages are upstream's; `kubectl describe` and tools show them. */
function conditionsOf({ remainders, failures, discoveryFailure }: Emptying, nowMs: number): Condition[] {
  const left = remainders
    .map(({ resource, group, count }) => `${resource}.${group} has ${count} resource instances`)
    .sort();
  const finalizers = new Map<string, number>();
  for (const one of remainders) {
    for (const [name, count] of Object.entries(one.finalizers)) {
      finalizers.set(name, (finalizers.get(name) ?? 0) + count);
    }
  }
  const held = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  const condition = (
    type: string,
    bad: boolean,
    [badReason, badMessage]: readonly [string, string],
    [goodReason, goodMessage]: readonly [string, string],
  ): Condition => ({
    type,
    status: bad ? 'True' : 'False',
    lastTransitionTime: formatTime(nowMs),
    reason: bad ? badReason : goodReason,
    message: bad ? badMessage : goodMessage,
  });
  return [
    condition(
      'NamespaceDeletionDiscoveryFailure',
      discoveryFailure !== undefined,
      [
        'DiscoveryFailed',
        `Discovery failed for some groups, ${discoveryFailure === undefined ? 0 : 1} failing: ${discoveryFailure ?? ''}`,
      ],
      ['ResourcesDiscovered', 'All resources successfully discovered'],
    ),
    condition(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      ['', ''],
      ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ),
    condition(
      'NamespaceDeletionContentFailure',
      failures.length > 0,
      [
        'ContentDeletionFailed',
        `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
      ],
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    condition(
      'NamespaceContentRemaining',
      left.length > 0,
      ['SomeResourcesRemain', `Some resources are remaining: ${left.join(', ')}`],
      ['ContentRemoved', 'All content successfully removed'],
    ),
    condition(
      'NamespaceFinalizersRemaining',
      held.length > 0,
      ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${held.join(', ')}`],
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ];
}

// ---- wiring

export async function runNamespaceLifecycle(settings: HousekeepingSettings): Promise<void> {
  const { client, informers, clock } = settings;
  const namespaces = informers.informer(resources.namespaces);
  const isEnding = ({ metadata, spec }: Namespace): boolean =>
    metadata.deletionTimestamp !== undefined && spec?.finalizers?.includes(FINALIZER) === true;
  await runController({
    ...settings,
    name: 'namespace-lifecycle',
    sources: [
      informerSource(namespaces, {
        filter: isEnding,
        // Our own conditions are no news.
        changed: (old, object) => isEnding(old) !== isEnding(object),
      }),
      removals(settings, (name) => {
        const namespace = namespaces.store.get(name);
        return namespace !== undefined && isEnding(namespace);
      }),
    ],
    async reconcile(key, context) {
      const known = namespaces.store.get(key);
      if (known === undefined || !isEnding(known)) return done;
      const emptied = await empty(settings, key, context.signal);
      // Its status may have been written since the informer heard of it.
      const namespace = await client.find(resources.namespaces, { name: key }, context);
      if (namespace === undefined || !isEnding(namespace)) return done;
      return act(decideNamespace({ namespace, ...emptied }, clock.now()), { client, signal: context.signal });
    },
    concurrency: CONCURRENCY,
  });
}

/** The namespaces out of which something has just gone. */
function removals({ feed, signal }: HousekeepingSettings, isEnding: (name: string) => boolean): Source {
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  return {
    synced,
    start(enqueue: Enqueue) {
      const stop = new AbortController();
      const handler = {
        put: () => undefined,
        removed({ metadata }: KubeObject): void {
          const namespace = metadata?.namespace;
          if (namespace !== undefined && isEnding(namespace)) enqueue(namespace, { reason: 'contents gone' });
        },
      };
      feed.follow(handler, AbortSignal.any([signal, stop.signal])).then(resolve, reject);
      return () => stop.abort(new Error('the controller ended'));
    },
  };
}

/** Asks for the deletion of everything in the namespace, and looks what is left. */
async function empty(
  { client, mapper, logger }: HousekeepingSettings,
  namespace: string,
  signal: AbortSignal,
): Promise<Pick<Emptying, 'remainders' | 'failures' | 'discoveryFailure'>> {
  let discoveryFailure: string | undefined;
  try {
    await mapper.refresh();
  } catch (error) {
    discoveryFailure = errorMessage(error);
  }
  const found = (await mapper.resources()).filter(
    ({ namespaced, preferred, verbs }) =>
      namespaced && preferred && verbs.includes('list') && verbs.includes('delete'),
  );
  const remainders: Remainder[] = [];
  const failures: string[] = [];
  const queue = [...found];
  const work = async (): Promise<void> => {
    for (let resource = queue.shift(); resource !== undefined; resource = queue.shift()) {
      try {
        const left = await emptyResource(client, resource, namespace, signal);
        if (left !== undefined) remainders.push(left);
      } catch (error) {
        logger.warn('contents of a namespace could not be deleted', {
          namespace,
          resource: resource.resource,
          error: errorMessage(error),
        });
        failures.push(errorMessage(error));
      }
    }
  };
  await Promise.all(Array.from({ length: RESOURCES_AT_ONCE }, work));
  return { remainders, failures, discoveryFailure };
}

async function emptyResource(
  client: Client,
  resource: ApiResource,
  namespace: string,
  signal: AbortSignal,
): Promise<Remainder | undefined> {
  // Most resources have nothing in most namespaces.
  const before = await listOrGone(client, resource, namespace, signal);
  if (before.length === 0) return undefined;
  const waiting = before.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (waiting.length > 0) await deleteAll(client, resource, namespace, before, signal);
  const left = waiting.length === 0 ? before : await listOrGone(client, resource, namespace, signal);
  return left.length === 0 ? undefined : remainderOf(resource, left);
}

async function deleteAll(
  client: Client,
  resource: ApiResource,
  namespace: string,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  const options = { propagationPolicy: 'Background' as const, signal };
  if (resource.verbs.includes('deletecollection')) {
    await client.deleteCollection(resource, { namespace, ...options });
    return;
  }
  for (const { metadata } of objects) {
    try {
      await client.delete(resource, { namespace, name: metadata.name ?? '' }, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** A kind whose definition has just gone has nothing left. */
async function listOrGone(
  client: Client,
  resource: ApiResource,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  try {
    return (await client.listAll(resource, { namespace, signal })).items;
  } catch (error) {
    if (isNotFound(error) || (error instanceof StatusError && error.code === 405)) return [];
    throw error;
  }
}

function remainderOf({ resource, group }: ApiResource, objects: readonly KubeObject[]): Remainder {
  const finalizers: Record<string, number> = Object.create(null) as Record<string, number>;
  let gracePeriodSeconds = 0;
  for (const { metadata } of objects) {
    for (const name of metadata.finalizers ?? []) finalizers[name] = (finalizers[name] ?? 0) + 1;
    gracePeriodSeconds = Math.max(gracePeriodSeconds, metadata.deletionGracePeriodSeconds ?? 0);
  }
  return { resource, group, count: objects.length, finalizers, gracePeriodSeconds };
}
