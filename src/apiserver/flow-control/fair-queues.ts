// The requests of one priority level: some under way, others waiting in queues of which each gets its turn.
// INVARIANT: as many requests are under way as the limit allows while any wait, and what waits is bounded. The queue
// that has had least is served next, so a flow with many requests delays only itself.
import { dealHand, type PriorityLevel } from './levels.ts';

interface Waiting {
  readonly start: () => void;
}

interface Queue {
  waiting: Waiting[];
  /** How much it has had, in requests; never behind the others by more than it was idle. */
  served: number;
}

/** Why a request is not let in. */
export type Rejection = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled';

export class RejectedError extends Error {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    super(rejection);
    this.rejection = rejection;
  }
}

export class FairQueues {
  executing = 0;
  queued = 0;
  #level: PriorityLevel;
  #limit: number;
  #queues: Queue[] = [];
  #served = 0;

  constructor(level: PriorityLevel, limit: number) {
    this.#level = level;
    this.#limit = limit;
  }

  /** Takes a changed level into force; what waits stays where it is. */
  configure(level: PriorityLevel, limit: number): void {
    this.#level = level;
    this.#limit = limit;
    this.#startWaiting();
  }

  /**
   * Resolves when the request may begin; `done` must be called once when it has ended. Throws a RejectedError.
   * @param signal ends the wait
   */
  async admit(key: string, signal: AbortSignal): Promise<() => void> {
    if (this.executing < this.#limit && this.queued === 0) return this.#begin();
    const { queuing } = this.#level;
    if (queuing === undefined) throw new RejectedError('concurrency-limit');
    const queue = this.#queueFor(key, queuing);
    if (queue.waiting.length >= queuing.queueLengthLimit) throw new RejectedError('queue-full');
    await this.#wait(queue, signal);
    return this.#release();
  }

  /** For those who never wait: they are only counted. */
  beginExempt(): () => void {
    return this.#begin();
  }

  #begin(): () => void {
    this.executing++;
    return this.#release();
  }

  #release(): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.executing--;
      this.#startWaiting();
    };
  }

  /** The shortest queue of the flow's hand. */
  #queueFor(key: string, { queues, handSize }: NonNullable<PriorityLevel['queuing']>): Queue {
    let best: Queue | undefined;
    for (const index of dealHand(key, queues, handSize)) {
      const queue = (this.#queues[index] ??= { waiting: [], served: 0 });
      if (best === undefined || queue.waiting.length < best.waiting.length) best = queue;
    }
    return best!;
  }

  #wait(queue: Queue, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        queue.waiting = queue.waiting.filter((one) => one !== waiting);
        this.queued--;
        reject(signal.reason instanceof RejectedError ? signal.reason : new RejectedError('cancelled'));
      };
      const waiting: Waiting = {
        start: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      if (signal.aborted) {
        reject(new RejectedError('cancelled'));
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      if (queue.waiting.length === 0) queue.served = Math.max(queue.served, this.#served);
      queue.waiting.push(waiting);
      this.queued++;
    });
  }

  #startWaiting(): void {
    while (this.executing < this.#limit && this.queued > 0) {
      let next: Queue | undefined;
      for (const queue of this.#queues) {
        if (queue === undefined || queue.waiting.length === 0) continue;
        if (next === undefined || queue.served < next.served) next = queue;
      }
      const waiting = next?.waiting.shift();
      if (next === undefined || waiting === undefined) return;
      this.#served = next.served;
      next.served++;
      this.queued--;
      this.executing++;
      waiting.start();
    }
  }
}
