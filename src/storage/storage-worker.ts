// The main thread's side of the storage thread: calls and their answers.
import { Worker } from 'node:worker_threads';
import { OperatingError } from '../base/index.ts';
import { operatingError } from './worker-protocol.ts';
import type { Reply, StoreRequest, StoreResult } from './worker-protocol.ts';

interface Waiting {
  readonly resolve: (result: StoreResult<StoreRequest['type']>) => void;
  readonly reject: (error: OperatingError) => void;
}

/** A thread that writes files for one or several stores. Does not keep the process alive while it has nothing to do. */
export class StorageWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #stores = 0;
  #ended: OperatingError | undefined;

  constructor() {
    // In the bundle this file is dist/navarch.mjs, and the thread's file has been built beside it.
    const file = import.meta.url.endsWith('.ts')
      ? new URL('./worker.ts', import.meta.url)
      : new URL('./storage-worker.mjs', import.meta.url);
    // Node.js 22 calls node:sqlite experimental on standard error; what we use of it has not changed since.
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    this.#worker = new Worker(file, { name: 'storage', execArgv });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#answered(reply));
    this.#worker.on('error', (error) => this.#end(`the storage thread failed: ${error.message}`, error));
    this.#worker.on('exit', () => this.#end('the storage thread has ended'));
  }

  /** A number for a store that is about to be opened. */
  newStore(): number {
    return ++this.#stores;
  }

  /** Calls are carried out in order. Rejects with an OperatingError. */
  call<R extends StoreRequest>(
    store: number,
    request: R,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<StoreResult<R['type']>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const call = ++this.#calls;
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(call, { resolve: resolve as Waiting['resolve'], reject });
      this.#worker.postMessage({ call, store, request }, transfer);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #answered(reply: Reply): void {
    const waiting = this.#waiting.get(reply.call);
    this.#waiting.delete(reply.call);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (reply.ok) waiting?.resolve(reply.result);
    else waiting?.reject(operatingError(reply.error));
  }

  #end(message: string, cause?: Error): void {
    this.#ended ??= new OperatingError(
      'STORE_FAILED',
      message,
      'start again; no acknowledged write is lost',
      { cause },
    );
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }
}
