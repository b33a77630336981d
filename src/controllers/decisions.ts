// Keeps what the detector and the scheduler decided, as SchedulingDecisions beside the bindings.
// Reads and writes: SchedulingDecision, ClusterSchedulingDecision.
// INVARIANT: failing to keep a decision never fails or delays the decision itself; a decision that says the same as the
// kept one is not written.
import type {
  ClusterSchedulingDecision,
  KubeObject,
  PolicyDecision,
  SchedulingDecision,
} from '../api/index.ts';
import { errorMessage, formatTime } from '../base/index.ts';
import {
  isAlreadyExists,
  isConflict,
  isNamespaceTerminating,
  isNotFound,
  keyOf,
  resource,
  type Resource,
} from '../client/index.ts';
import { deepEqual, fnv1a32, ownerReference } from '../machinery/index.ts';
import { policyTrace, type Binding, type Contest } from '../propagation/index.ts';
import { BoundedMap } from '../runtime/index.ts';
import {
  formerPlacements,
  traceEssence,
  traceOf,
  type ScheduleInput,
  type ScheduleResult,
} from '../scheduling/index.ts';
import type { ControllerContext } from './context.ts';

type Decision = SchedulingDecision | ClusterSchedulingDecision;
type Parts = Pick<Decision, 'policy' | 'schedule'>;

const decisions = resource<Decision>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'schedulingdecisions',
  namespaced: true,
});
const clusterDecisions = resource<Decision>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'clusterschedulingdecisions',
  namespaced: false,
});

// LIMIT: decisions whose essence is remembered, so that most looks that change nothing cost no read.
const REMEMBERED = 20_000;
// LIMIT: contests of bindings that are being created and not scheduled yet.
const CONTESTS = 20_000;
// LIMIT: how often a write that met somebody else's is made anew.
const TRIES = 4;

const logs = new WeakMap<ControllerContext, DecisionLog>();

export class DecisionLog {
  private readonly context: ControllerContext;
  private readonly essences = new BoundedMap<string, string>(REMEMBERED);
  private readonly contests = new BoundedMap<string, PolicyDecision>(CONTESTS);

  private constructor(context: ControllerContext) {
    this.context = context;
  }

  /** The one that the controllers of a context share. */
  static of(context: ControllerContext): DecisionLog {
    let log = logs.get(context);
    if (log === undefined) logs.set(context, (log = new DecisionLog(context)));
    return log;
  }

  /** Which policy won a template. What is not scheduled yet keeps it until it is. */
  async chosen(binding: Binding, contest: Contest, created: boolean): Promise<void> {
    const policy = policyTrace(contest, formatTime(this.context.clock.now()));
    if (policy === undefined) return;
    if (created) this.contests.set(keyFor(binding), policy);
    else await this.keep(binding, { policy });
  }

  /** @param binding as it is after the decision was written */
  async scheduled(
    binding: Binding,
    input: ScheduleInput,
    result: ScheduleResult,
    trigger: string,
  ): Promise<void> {
    const key = keyFor(binding);
    const trace = traceOf(input, result);
    const essence = digestOf(traceEssence(trace));
    const policy = this.contests.get(key);
    if (policy === undefined && this.essences.get(key) === essence) return;
    this.contests.delete(key);
    const { metadata } = input.binding;
    const schedule = {
      time: formatTime(this.context.clock.now()),
      trigger,
      ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
      ...trace,
    };
    // A contest that is remembered is that of a binding just made, which has no decision yet.
    await this.keep(binding, { schedule, ...(policy === undefined ? {} : { policy }) }, policy !== undefined);
    this.essences.set(key, essence);
  }

  /** The binding is gone, and its decision goes with it. */
  forget(binding: Binding): void {
    this.essences.delete(keyFor(binding));
    this.contests.delete(keyFor(binding));
  }

  private async keep(binding: Binding, parts: Parts, isFirst = false): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.write(binding, parts, isFirst && tries === 1);
        return;
      } catch (error) {
        // The binding goes, and with it the question.
        if (isNotFound(error) || isNamespaceTerminating(error)) return;
        if ((isConflict(error) || isAlreadyExists(error)) && tries < TRIES) continue;
        this.context.logger.warn('A scheduling decision cannot be kept', {
          binding: keyOf(binding),
          error: errorMessage(error),
        });
        return;
      }
    }
  }

  private async write(binding: Binding, parts: Parts, isFirst: boolean): Promise<void> {
    const { hubClient } = this.context;
    const target: Resource<Decision> = binding.kind === 'ResourceBinding' ? decisions : clusterDecisions;
    const { namespace, name = '', uid = '' } = binding.metadata;
    const existing = isFirst ? undefined : await hubClient.find(target, { namespace, name });
    const owner = ownerReference(binding);
    if (existing === undefined) {
      await hubClient.create(target, {
        apiVersion: 'navarch.io/v1alpha1',
        kind: binding.kind === 'ResourceBinding' ? 'SchedulingDecision' : 'ClusterSchedulingDecision',
        metadata: { name, ...(namespace === undefined ? {} : { namespace }), ownerReferences: [owner] },
        ...parts,
      });
      return;
    }
    // What is kept of an earlier binding of that name says nothing about this one.
    const same = existing.metadata.ownerReferences?.some((reference) => reference.uid === uid) === true;
    if (same && isKept(existing, parts)) return;
    const { policy: _policy, schedule: _schedule, former: _former, ...bare } = existing;
    const former = same ? formerPlacements(existing.schedule, existing.former, parts.schedule) : undefined;
    await hubClient.update(target, {
      ...(same ? existing : { ...bare, metadata: { ...existing.metadata, ownerReferences: [owner] } }),
      ...parts,
      ...(former === undefined ? {} : { former }),
    });
  }
}

/** Short, since it is remembered for many bindings; a collision leaves an older story in place until the next change. */
function digestOf(essence: string): string {
  return `${essence.length}-${fnv1a32(essence)}`;
}

function isKept(existing: Decision, { policy, schedule }: Parts): boolean {
  const samePolicy =
    policy === undefined || deepEqual({ ...existing.policy, time: '' }, { ...policy, time: '' });
  const sameSchedule =
    schedule === undefined ||
    (existing.schedule !== undefined && traceEssence(existing.schedule) === traceEssence(schedule));
  return samePolicy && sameSchedule;
}

function keyFor(binding: KubeObject): string {
  return `${binding.kind}|${keyOf(binding)}`;
}
