// What a Work and the template it is made of are told of its execution in one cluster, in upstream's words.
import {
  CONTESTED_CONDITION,
  DISPATCHING_CONDITION,
  TEMPLATE_UID_ANNOTATION,
  type Condition,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { keyOf } from '../../client/index.ts';
import { goAggregate } from '../../machinery/index.ts';
import type { EventRecorder } from '../../runtime/index.ts';

export class ExecutionEvents {
  private readonly recorder: EventRecorder;
  private readonly cluster: string;

  constructor(recorder: EventRecorder, cluster: string) {
    this.recorder = recorder.withComponent('execution-controller');
    this.cluster = cluster;
  }

  /** @param errors one for each manifest that could not be applied */
  synced(work: Work, errors: readonly unknown[]): void {
    const called = `work(${keyOf(work)}) to cluster(${this.cluster})`;
    if (errors.length === 0) {
      this.recorder.event(work, 'Normal', 'SyncSucceed', `Sync ${called} successful.`);
      return;
    }
    const why = goAggregate(errors.map(errorMessage));
    this.recorder.event(work, 'Warning', 'SyncFailed', `Failed to sync ${called}, err: ${why}`);
  }

  /** The template hears of each cluster; by its uid, since the manifest has another in the member. */
  applied(manifest: KubeObject, error?: unknown): void {
    const { apiVersion, kind, metadata } = manifest;
    const { namespace, name = '', annotations } = metadata;
    const uid = annotations?.[TEMPLATE_UID_ANNOTATION];
    if (uid === undefined || uid === '') return;
    const template = {
      apiVersion,
      kind,
      metadata: { name, uid, ...(namespace === undefined ? {} : { namespace }) },
    };
    if (error === undefined) {
      const text = `Successfully applied resource(${namespace ?? ''}/${name}) to cluster ${this.cluster}`;
      this.recorder.event(template, 'Normal', 'SyncSucceed', text);
      return;
    }
    const what = `Failed to create or update resource(${keyOf(template)}) in member cluster(${this.cluster})`;
    this.recorder.event(template, 'Warning', 'SyncFailed', `${what}: ${errorMessage(error)}`);
  }

  /** Of what has turned: whether the Work is dispatched, and whether somebody else writes the same. */
  turned(work: Work, before: readonly Condition[], after: readonly Condition[]): void {
    for (const { type, status, reason, message } of after) {
      if (before.find((one) => one.type === type)?.status === status) continue;
      if (type === DISPATCHING_CONDITION) this.recorder.event(work, 'Normal', 'WorkDispatching', message);
      if (type === CONTESTED_CONDITION)
        this.recorder.event(work, status === 'True' ? 'Warning' : 'Normal', reason, message);
    }
  }
}
