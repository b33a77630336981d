// The main thread's side of the members' thread: transports to members, and commands about them.
import {
  ConnectionError,
  EventLines,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '../../client/index.ts';
import { freezeDecoded } from '../../machinery/index.ts';
import {
  Outbox,
  errorOf,
  type Batch,
  type FromThread,
  type Headers,
  type Port,
  type ToThread,
} from './protocol.ts';

type Settled = Extract<FromThread, { kind: 'answer' | 'done' }>;

interface Waiting {
  readonly lines?: EventLines;
  readonly resolve: (answer: Settled) => void;
  readonly reject: (error: Error) => void;
}

export class ThreadClient {
  readonly #outbox: Outbox<ToThread>;
  readonly #waiting = new Map<number, Waiting>();
  #ids = 0;
  #ended: Error | undefined;

  constructor(port: Port<Batch<FromThread>, Batch<ToThread>>) {
    this.#outbox = new Outbox(port);
    port.on('message', (batch) => {
      for (const message of batch) this.#take(message);
    });
  }

  /** Commands are objects that can be cloned, and so are their results. */
  async command(command: unknown): Promise<unknown> {
    const answer = await this.#ask((id) => ({ kind: 'command', id, command }));
    return answer.kind === 'done' ? answer.result : undefined;
  }

  /** A way to a member. Closing it ends what came through it. */
  transport(member: string): Transport {
    const closing = new AbortController();
    const ask = (request: TransportRequest, lines?: EventLines): Promise<Settled> => {
      closing.signal.throwIfAborted();
      request.signal?.throwIfAborted();
      const signals = request.signal === undefined ? [closing.signal] : [closing.signal, request.signal];
      return this.#ask((id) => requestMessage(id, member, request, lines !== undefined), signals, lines);
    };
    return {
      async send(request) {
        const answer = await ask(request);
        if (answer.kind !== 'answer')
          throw new ConnectionError('protocol', 'the answer to a request is none');
        return responseOf(answer);
      },
      async watch(request, onEvent) {
        try {
          await ask(request, new EventLines(onEvent));
        } catch (error) {
          if (request.signal?.aborted !== true) throw error;
        }
      },
      close: () => {
        closing.abort(new ConnectionError('closed', 'the connection has been closed'));
        return Promise.resolve();
      },
    };
  }

  /** The thread answers no more: everything under way fails, and what comes. */
  end(error: Error): void {
    this.#ended ??= error;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }

  #ask(
    messageOf: (id: number) => ToThread,
    signals: readonly AbortSignal[] = [],
    lines?: EventLines,
  ): Promise<Settled> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(id);
        for (const signal of signals) signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        settle();
        this.#outbox.send({ kind: 'abort', id });
        reject(signals.find(({ aborted }) => aborted)?.reason as Error);
      };
      for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, {
        ...(lines === undefined ? {} : { lines }),
        resolve(answer) {
          settle();
          resolve(answer);
        },
        reject(error) {
          settle();
          reject(error);
        },
      });
      this.#outbox.send(messageOf(id));
    });
  }

  #take(message: FromThread): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    switch (message.kind) {
      case 'events': {
        const { id, lines } = message;
        try {
          waiting.lines?.push(Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength));
        } catch (error) {
          this.#outbox.send({ kind: 'abort', id });
          waiting.reject(error as Error);
          return;
        }
        this.#outbox.send({ kind: 'read', id, bytes: lines.byteLength });
        return;
      }
      case 'failed':
        waiting.reject(errorOf(message.error));
        return;
      default:
        waiting.resolve(message);
    }
  }
}

function requestMessage(id: number, member: string, request: TransportRequest, watch: boolean): ToThread {
  const { method, path, query, headers, contentType, body } = request;
  return {
    kind: 'request',
    id,
    member,
    watch,
    method,
    path,
    query,
    headers,
    contentType,
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

function responseOf({
  status,
  headers,
  body,
}: {
  readonly status: number;
  readonly headers: Headers | undefined;
  readonly body: Uint8Array | string | undefined;
}): TransportResponse {
  const text =
    typeof body === 'object' ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : undefined;
  return {
    status,
    body: text === undefined ? body : freezeDecoded(JSON.parse(text.toString('utf8')) as unknown),
    ...(headers === undefined ? {} : { headers }),
  };
}
