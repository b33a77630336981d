export { BoundedMap } from './bounded-map.ts';
export { informerSource, runController } from './controller.ts';
export type {
  ControllerSettings,
  Enqueue,
  InformerSourceOptions,
  Reconcile,
  ReconcileContext,
  Source,
} from './controller.ts';
export { definitionServed, ensureDefinition } from './definitions.ts';
export { createEventRecorder } from './event-recorder.ts';
export type {
  EventPipeline,
  EventRecorder,
  EventRecorderSettings,
  EventType,
  ObjectReferable,
} from './event-recorder.ts';
export { finalizerPhase, finalizerWrite, reconcileFinalizer } from './finalizer.ts';
export type { FinalizerPhase, FinalizerSteps } from './finalizer.ts';
export { Heap, type HeapMember } from './heap.ts';
export { createInformer } from './informer.ts';
export type {
  Informer,
  InformerHandler,
  InformerSelection,
  InformerSettings,
  InformerState,
} from './informer.ts';
export { createInformerSet } from './informer-set.ts';
export type { InformerOptions, InformerSet, InformerSetSettings, InformerUse } from './informer-set.ts';
export { runLeaderElection } from './leader-election.ts';
export type { LeaderElectionSettings } from './leader-election.ts';
export { silentMetrics } from './metrics.ts';
export type { ObserveGauge, QueueMetrics, RuntimeMetrics, Series } from './metrics.ts';
export { TerminalError, done, requeueAfter, retry, settle, terminal } from './outcome.ts';
export type { Outcome, OutcomeName, Settlement } from './outcome.ts';
export { act, reconcileBy } from './plan.ts';
export type {
  ActContext,
  DecideSettings,
  Plan,
  PlannedEvent,
  Preconditions,
  TraceStep,
  Write,
} from './plan.ts';
export { IndexedStore } from './store.ts';
export type { IndexFunction, Store } from './store.ts';
export { PRIORITY_CHANGE, PRIORITY_RESYNC, WorkQueue } from './work-queue.ts';
export type { AddOptions, WorkItem, WorkQueueSettings } from './work-queue.ts';
