// The members' thread answers: requests to members, and commands about them.
import type { KubeObject, WatchEvent } from '../../api/index.ts';
import { ConnectionError, type Transport, type TransportRequest } from '../../client/index.ts';
import { encodeJson } from '../../machinery/index.ts';
import {
  Outbox,
  plainError,
  type Batch,
  type FromThread,
  type Port,
  type RequestMessage,
  type ToThread,
} from './protocol.ts';

export interface Served {
  /** The way to a member; undefined: there is none of that name. */
  transportOf(member: string): Transport | undefined;
  command(command: unknown): Promise<unknown>;
}

/** Answers what comes through the port until the thread ends. */
export function serve(port: Port<Batch<ToThread>, Batch<FromThread>>, served: Served): void {
  const outbox = new Outbox<FromThread>(port);
  const running = new Map<number, Exchange>();
  const run = (id: number, work: (exchange: Exchange) => Promise<FromThread>): void => {
    const exchange = new Exchange(id, outbox, () => running.delete(id));
    running.set(id, exchange);
    void work(exchange)
      .catch((error: unknown): FromThread => ({ kind: 'failed', id, error: plainError(error) }))
      .then((answer) => exchange.finish(answer));
  };
  port.on('message', (batch) => {
    for (const message of batch) {
      const { id } = message;
      switch (message.kind) {
        case 'request':
          run(id, (exchange) => answer(message, exchange, served));
          break;
        case 'command':
          run(id, async () => ({ kind: 'done', id, result: await served.command(message.command) }));
          break;
        case 'abort':
          running.get(id)?.abort();
          break;
        case 'read':
          running.get(id)?.read(message.bytes);
          break;
      }
    }
  });
}

async function answer(message: RequestMessage, exchange: Exchange, served: Served): Promise<FromThread> {
  const { id, member, watch, method, path, query, headers, contentType, body } = message;
  const transport = served.transportOf(member);
  if (transport === undefined)
    throw new ConnectionError('refused', `there is no simulated member "${member}" in this process`);
  const request: TransportRequest = {
    method,
    path,
    ...(query === undefined ? {} : { query }),
    ...(headers === undefined ? {} : { headers }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(body === undefined ? {} : { body: JSON.parse(body) as unknown }),
    signal: exchange.signal,
  };
  if (watch) {
    await transport.watch(request, (event) => exchange.push(event));
    return { kind: 'done', id, result: undefined };
  }
  const response = await transport.send(request);
  return {
    kind: 'answer',
    id,
    status: response.status,
    headers: response.headers,
    body:
      response.body === undefined || typeof response.body === 'string'
        ? response.body
        : encodeJson(response.body),
  };
}

// LIMIT: bytes of a watch that are on their way and have not been read. Small enough for the main thread to do other
// things in between.
const WINDOW_BYTES = 256 * 1024;
// LIMIT: events of a watch that wait for the window, as references. Whoever is this far behind has to watch again.
const WAITING_MAX = 500_000;

const OPEN = Buffer.from('{"type":"');
const OBJECT = Buffer.from('","object":');
const END = Buffer.from('}\n');

/** A request or command under way. */
class Exchange {
  readonly #id: number;
  readonly #outbox: Outbox<FromThread>;
  readonly #onEnd: () => void;
  readonly #abort = new AbortController();
  #waiting: WatchEvent<KubeObject>[] = [];
  #unreadBytes = 0;
  #flushing = false;
  #answer: FromThread | undefined;

  constructor(id: number, outbox: Outbox<FromThread>, onEnd: () => void) {
    this.#id = id;
    this.#outbox = outbox;
    this.#onEnd = onEnd;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(): void {
    this.#waiting = [];
    this.#abort.abort(new Error('nobody waits for the answer'));
  }

  push(event: WatchEvent<KubeObject>): void {
    if (this.signal.aborted) return;
    if (this.#waiting.push(event) > WAITING_MAX) {
      this.abort();
      return;
    }
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** So many bytes have arrived and been read. */
  read(bytes: number): void {
    this.#unreadBytes -= bytes;
    this.#flush();
  }

  /** The answer goes out behind all events. */
  finish(answer: FromThread): void {
    this.#answer = answer;
    this.#flush();
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#unreadBytes < WINDOW_BYTES) {
      const parts: Uint8Array[] = [];
      let count = 0;
      let bytes = 0;
      while (count < this.#waiting.length && bytes < WINDOW_BYTES) {
        const { type, object } = this.#waiting[count++]!;
        const json = encodeJson(object);
        parts.push(OPEN, Buffer.from(type), OBJECT, json, END);
        bytes += OPEN.length + type.length + OBJECT.length + json.length + END.length;
      }
      this.#waiting = this.#waiting.slice(count);
      this.#unreadBytes += bytes;
      this.#outbox.send({ kind: 'events', id: this.#id, lines: Buffer.concat(parts, bytes) });
    }
    if (this.#waiting.length > 0 || this.#answer === undefined) return;
    this.#outbox.send(this.#answer);
    this.#answer = undefined;
    this.#onEnd();
  }
}
