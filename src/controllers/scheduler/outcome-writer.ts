// Carries out what a scheduling decision came to: the patch, the status, the events.
// INVARIANT: only the scheduler's own fields of a status are written, whatever others write at the same time.
// INVARIANT: targets are written only over the spec that they were decided for; others take bindings off clusters, or back.
import { SCHEDULED_CONDITION, type JsonObject, type ResourceBindingStatus } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { isConflict, isNotFound, kinds, type Resource } from '../../client/index.ts';
import { StatusError } from '../../machinery/index.ts';
import type { Binding } from '../../propagation/index.ts';
import type { EventRecorder } from '../../runtime/index.ts';
import {
  outcomeOfWriteError,
  type Retry,
  type ScheduleOutcome,
  type SchedulingEvent,
  type WriteError,
} from '../../scheduling/index.ts';
import { templateReference } from '../binding-template.ts';
import type { ControllerContext } from '../context.ts';

// LIMIT: how often a write that met somebody else's is made anew.
const TRIES = 8;
const GONE = { retry: 'forget', written: false, stored: undefined } as const;
const OVERTAKEN = { retry: 'backoff', written: false, stored: undefined } as const;

export interface CarriedOut {
  readonly retry: Retry;
  /** Everything went as decided. */
  readonly written: boolean;
  /** The binding after the patch; undefined: the patch was refused. */
  readonly stored: Binding | undefined;
}

export class OutcomeWriter {
  private readonly context: ControllerContext;
  private readonly recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.context = context;
    // COMPAT: the scheduler's events name it as their source.
    this.recorder = context.recorder.withComponent(context.settings.schedulerName);
  }

  /** @param patched told as soon as the patch is stored or refused */
  async carryOut(
    binding: Binding,
    decided: ScheduleOutcome,
    patched: (stored: Binding | undefined) => void,
  ): Promise<CarriedOut> {
    const { clock } = this.context;
    let outcome = decided;
    let stored: Binding | undefined = binding;
    if (outcome.patch !== undefined) {
      try {
        stored = await this.patch(binding, outcome.patch);
      } catch (error) {
        stored = undefined;
        if (isNotFound(error) || isConflict(error)) {
          patched(undefined);
          return isNotFound(error) ? GONE : OVERTAKEN;
        }
        outcome = outcomeOfWriteError(binding, outcome, writeError(error), clock.now());
      }
    }
    patched(stored);
    if (outcome.status !== undefined) {
      try {
        await this.writeStatus(stored ?? binding, outcome.status);
      } catch (error) {
        if (isNotFound(error)) return GONE;
        throw error;
      }
    }
    this.tell(binding, outcome.events);
    return { retry: outcome.retry, written: outcome === decided, stored };
  }

  /** Throws a conflict when the spec is no longer the one that was decided about; statuses may change meanwhile. */
  private async patch(binding: Binding, change: JsonObject): Promise<Binding> {
    const { hubClient } = this.context;
    const resource = resourceOf(binding);
    const { namespace, name = '', uid, generation } = binding.metadata;
    let { resourceVersion } = binding.metadata;
    for (let tries = 1; ; tries++) {
      const body = { ...change, metadata: { ...(change['metadata'] as object), uid, resourceVersion } };
      try {
        return await hubClient.patch(resource, { namespace, name }, { type: 'merge', body });
      } catch (error) {
        if (!isConflict(error) || tries >= TRIES) throw error;
        const current = await hubClient.get(resource, { namespace, name });
        if (current.metadata.uid !== uid || current.metadata.generation !== generation) throw error;
        resourceVersion = current.metadata.resourceVersion;
      }
    }
  }

  /** Writes our own fields over whatever status is there by now. */
  async writeStatus(binding: Binding, status: ResourceBindingStatus): Promise<void> {
    const { hubClient } = this.context;
    const resource = resourceOf(binding);
    const { namespace, name = '' } = binding.metadata;
    let current = binding;
    for (let tries = 1; ; tries++) {
      try {
        await hubClient.updateStatus(resource, {
          ...current,
          status: overlaid(current.status, status),
        });
        return;
      } catch (error) {
        if (!isConflict(error) || tries >= TRIES) throw error;
        current = await hubClient.get(resource, { namespace, name });
      }
    }
  }

  /** On the binding and on its template. */
  tell(binding: Binding, events: readonly SchedulingEvent[]): void {
    const template = templateReference(binding);
    for (const { type, reason, message } of events) {
      this.recorder.event(binding, type, reason, message);
      this.recorder.event(template, type, reason, message);
    }
  }
}

/** `ours` as far as the scheduler writes it, over `current`. */
function overlaid(
  current: ResourceBindingStatus | undefined,
  ours: ResourceBindingStatus,
): ResourceBindingStatus {
  const isOurs = ({ type }: { readonly type: string }): boolean => type === SCHEDULED_CONDITION;
  const {
    conditions = [],
    schedulerObservedGeneration,
    schedulerObservingAffinityName,
    lastScheduledTime,
  } = ours;
  return {
    ...current,
    conditions: [...(current?.conditions ?? []).filter((one) => !isOurs(one)), ...conditions.filter(isOurs)],
    ...(schedulerObservedGeneration === undefined ? {} : { schedulerObservedGeneration }),
    ...(schedulerObservingAffinityName === undefined ? {} : { schedulerObservingAffinityName }),
    ...(lastScheduledTime === undefined ? {} : { lastScheduledTime }),
  };
}

function resourceOf(binding: Binding): Resource<Binding> {
  return binding.kind === 'ResourceBinding' ? kinds.resourceBindings : kinds.clusterResourceBindings;
}

function writeError(error: unknown): WriteError {
  if (!(error instanceof StatusError)) return { message: errorMessage(error), reason: '', causes: [] };
  const causes = (error.status.details?.causes ?? []).map(({ reason = '' }) => reason);
  return { message: error.message, reason: error.reason, causes };
}
