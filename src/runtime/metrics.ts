// What the machinery of controllers reports about itself. The hub binds it to its registry; names there follow
// workqueue_* and controller_runtime_*. Labels are of bounded number: names of queues, controllers, resources.
import type { OutcomeName } from './outcome.ts';

/** Values of a metric, each with the values of its labels. */
export type Series = readonly (readonly [labels: readonly string[], value: number])[];

/** Shows a gauge to scrapers that is read when somebody asks. */
export type ObserveGauge = (
  name: string,
  help: string,
  read: () => Series,
  labels: readonly string[],
) => void;

export interface QueueMetrics {
  /** After every change of the number of keys that could be worked on now. */
  depth(queue: string, ready: number, waiting: number): void;
  added(queue: string): void;
  retried(queue: string): void;
  /** From being ready to being taken. */
  waited(queue: string, milliseconds: number): void;
  /** From being taken to being done. */
  worked(queue: string, milliseconds: number): void;
  /** A key was turned away because the queue was full. */
  overflowed(queue: string): void;
}

export interface RuntimeMetrics extends QueueMetrics {
  reconciled(controller: string, outcome: OutcomeName, milliseconds: number): void;
  /** The number of reconciles under way. */
  active(controller: string, count: number): void;
  listed(resource: string, items: number, milliseconds: number): void;
  watchEnded(resource: string, why: 'closed' | 'expired' | 'failed'): void;
  leading(lease: string, leader: boolean): void;
  eventDropped(why: 'full' | 'spam' | 'refused' | 'failed'): void;
}

export const silentMetrics: RuntimeMetrics = {
  depth: () => undefined,
  added: () => undefined,
  retried: () => undefined,
  waited: () => undefined,
  worked: () => undefined,
  overflowed: () => undefined,
  reconciled: () => undefined,
  active: () => undefined,
  listed: () => undefined,
  watchEnded: () => undefined,
  leading: () => undefined,
  eventDropped: () => undefined,
};
