// Values that pass one after the other, each as soon as it may: the events of a watch behind a slow or silent network.
// INVARIANT: what comes out is what went in, in order and without gaps; when that cannot be kept, nothing more comes out.

// LIMIT: values that wait. Whoever is further behind than that reads anew.
const WAITING_MAX = 4096;

export interface LaneOptions<T> {
  deliver(value: T): void;
  /** Whether values may pass at once. */
  isOpen(): boolean;
  /** Resolves when a value may pass; rejects when the lane is cut. */
  pass(): Promise<void>;
  /** The lane is cut, or too much waits in it. */
  onBroken(reason: Error): void;
}

export class Lane<T> {
  private readonly options: LaneOptions<T>;
  private tail: Promise<void> = Promise.resolve();
  private waiting = 0;
  private broken = false;

  constructor(options: LaneOptions<T>) {
    this.options = options;
  }

  push(value: T): void {
    if (this.broken) return;
    if (this.waiting === 0 && this.options.isOpen()) {
      this.options.deliver(value);
      return;
    }
    if (this.waiting >= WAITING_MAX) {
      this.break(new Error('too many events wait for the network'));
      return;
    }
    this.waiting++;
    // Waiting begins now for each, so that delays do not add up.
    this.tail = Promise.all([this.tail, this.options.pass()]).then(
      () => {
        this.waiting--;
        if (!this.broken) this.options.deliver(value);
      },
      (error: unknown) => {
        this.waiting--;
        this.break(error as Error);
      },
    );
  }

  private break(reason: Error): void {
    if (this.broken) return;
    this.broken = true;
    this.options.onBroken(reason);
  }
}
