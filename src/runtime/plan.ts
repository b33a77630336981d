// Decisions as data: `gather` reads, `decide` (pure) makes a plan, `act` carries it out. The plan is all that a
// decision may do to the world, so it can be shown, tested and dry-run instead of carried out.
import type { KubeObject } from '../api/index.ts';
import type { Client, DeleteOptions, ObjectKey, Patch, Resource } from '../client/index.ts';
import { StatusError, conflict } from '../machinery/index.ts';
import type { ReconcileContext, Reconcile } from './controller.ts';
import type { EventRecorder, EventType, ObjectReferable } from './event-recorder.ts';
import { done, requeueAfter, type Outcome } from './outcome.ts';

/** What must still be true of the stored object; otherwise the write fails with a conflict and nothing happens. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export type Write =
  | {
      readonly verb: 'create';
      readonly resource: Resource;
      readonly object: KubeObject;
      readonly namespace?: string;
    }
  /** The whole object; with a resourceVersion in it, only if that is still the stored one. */
  | {
      readonly verb: 'update';
      readonly resource: Resource;
      readonly object: KubeObject;
      readonly subresource?: string;
    }
  | {
      readonly verb: 'patch';
      readonly resource: Resource;
      readonly key: ObjectKey;
      readonly patch: Exclude<Patch, { readonly type: 'json' }>;
      readonly subresource?: string;
      readonly preconditions?: Preconditions;
      /** Only for `apply` patches. */
      readonly fieldManager?: string;
      readonly force?: boolean;
    }
  | {
      readonly verb: 'delete';
      readonly resource: Resource;
      readonly key: ObjectKey;
      readonly preconditions?: Preconditions;
      readonly propagationPolicy?: NonNullable<DeleteOptions['propagationPolicy']>;
      readonly gracePeriodSeconds?: number;
    };

export interface PlannedEvent {
  readonly object: ObjectReferable;
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
}

/** One step of the reasoning: what was concluded, and from what. */
export interface TraceStep {
  readonly step: string;
  readonly because: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Plan {
  /** Carried out in order; the first failure ends the plan. */
  readonly writes?: readonly Write[];
  /** Recorded after all writes have succeeded. */
  readonly events?: readonly PlannedEvent[];
  /** Recorded instead when a write has failed, with the error's message at the end. */
  readonly failureEvents?: readonly PlannedEvent[];
  readonly requeue?: { readonly afterMs: number; readonly reason: string };
  readonly trace?: readonly TraceStep[];
}

export interface ActContext {
  readonly client: Client;
  readonly recorder?: EventRecorder;
  readonly signal?: AbortSignal;
}

/** Merges what must still hold into a patch body: the API server takes it as the patch's precondition. */
function withPreconditions(body: unknown, preconditions: Preconditions | undefined): unknown {
  if (preconditions === undefined) return body;
  const object = body as { readonly metadata?: Readonly<Record<string, unknown>> };
  return { ...object, metadata: { ...object.metadata, ...preconditions } };
}

async function patch(
  one: Extract<Write, { readonly verb: 'patch' }>,
  client: Client,
  call: { readonly signal?: AbortSignal },
): Promise<void> {
  const { resource, key, subresource, fieldManager, force } = one;
  const body = withPreconditions(one.patch.body, one.preconditions);
  const options = {
    ...call,
    ...(subresource === undefined ? {} : { subresource }),
    ...(fieldManager === undefined ? {} : { fieldManager }),
    ...(force === undefined ? {} : { force }),
  };
  try {
    await client.patch(resource, key, { type: one.patch.type, body }, options);
  } catch (error) {
    // API servers call another uid in a patch an attempt to change it. What it means is that the object that was
    // decided about is gone and another has its name: gather anew, as with any conflict.
    if (one.preconditions?.uid !== undefined && isAboutUid(error))
      throw conflict(resource, key.name, `it is no longer the object with the uid ${one.preconditions.uid}`);
    throw error;
  }
}

function isAboutUid(error: unknown): boolean {
  if (!(error instanceof StatusError) || error.reason !== 'Invalid') return false;
  return error.status.details?.causes?.some(({ field }) => field === 'metadata.uid') ?? false;
}

async function write(one: Write, client: Client, signal: AbortSignal | undefined): Promise<void> {
  const call = signal === undefined ? {} : { signal };
  switch (one.verb) {
    case 'create': {
      const { namespace } = one;
      await client.create(one.resource, one.object, {
        ...call,
        ...(namespace === undefined ? {} : { namespace }),
      });
      return;
    }
    case 'update': {
      const { subresource } = one;
      await client.update(one.resource, one.object, {
        ...call,
        ...(subresource === undefined ? {} : { subresource }),
      });
      return;
    }
    case 'patch':
      await patch(one, client, call);
      return;
    case 'delete': {
      const { preconditions, propagationPolicy, gracePeriodSeconds } = one;
      await client.delete(one.resource, one.key, {
        ...call,
        ...(preconditions === undefined ? {} : { preconditions }),
        ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      });
    }
  }
}

/** Carries out a plan. Throws what the first failed write threw; the writes before it stay done. */
export async function act(plan: Plan, context: ActContext): Promise<Outcome> {
  const { client, recorder, signal } = context;
  try {
    for (const one of plan.writes ?? []) await write(one, client, signal);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    for (const { object, type, reason, message } of plan.failureEvents ?? [])
      recorder?.event(object, type, reason, `${message}${text}`);
    throw error;
  }
  for (const { object, type, reason, message } of plan.events ?? [])
    recorder?.event(object, type, reason, message);
  return plan.requeue === undefined ? done : requeueAfter(plan.requeue.afterMs, plan.requeue.reason);
}

export interface DecideSettings<Input> extends ActContext {
  /** Reads all that the decision needs, from caches where they suffice. Undefined: there is nothing to decide. */
  gather(key: string, context: ReconcileContext): Input | undefined | Promise<Input | undefined>;
  /** Pure: the same input and time give the same plan. */
  decide(input: Input, nowMs: number): Plan;
  readonly nowMs: () => number;
  /** Sees every plan before it is carried out, for explanations. */
  readonly onPlan?: (key: string, plan: Plan) => void;
}

/** A reconcile in the shape of gather, decide, act. */
export function reconcileBy<Input>(settings: DecideSettings<Input>): Reconcile {
  return async (key, context) => {
    const input = await settings.gather(key, context);
    if (input === undefined) return done;
    const plan = settings.decide(input, settings.nowMs());
    settings.onPlan?.(key, plan);
    return act(plan, { ...settings, signal: context.signal });
  };
}
