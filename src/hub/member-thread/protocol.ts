// What the main thread and the members' thread say to each other. Objects cross as JSON: cloning them value by value costs
// more than writing and reading their text, and the bytes of what a member sends are at hand already.
import { OperatingError, errorMessage } from '../../base/index.ts';
import { ConnectionError, type ConnectionFailure, type TransportRequest } from '../../client/index.ts';
import { StatusError, type StatusDetails } from '../../machinery/index.ts';

export type Method = TransportRequest['method'];
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request to a member. */
export interface RequestMessage {
  readonly kind: 'request';
  readonly id: number;
  readonly member: string;
  readonly watch: boolean;
  readonly method: Method;
  readonly path: string;
  readonly query: TransportRequest['query'];
  readonly headers: TransportRequest['headers'];
  readonly contentType: string | undefined;
  /** JSON. */
  readonly body: string | undefined;
}

export type ToThread =
  | RequestMessage
  /** Nobody waits for the answer to `id` any more. */
  | { readonly kind: 'abort'; readonly id: number }
  /** So many bytes of the events of watch `id` have been read. */
  | { readonly kind: 'read'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'command'; readonly id: number; readonly command: unknown };

export type FromThread =
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly status: number;
      readonly headers: Headers | undefined;
      /** JSON as bytes, text as text. */
      readonly body: Uint8Array | string | undefined;
    }
  /** Whole events of a watch, a line of JSON each. */
  | { readonly kind: 'events'; readonly id: number; readonly lines: Uint8Array }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError };

interface Postbox<Out> {
  postMessage(message: Out): void;
}

/** What is said in one turn of the event loop travels together. */
export type Batch<T> = readonly T[];

/** What both ends need of a MessagePort, a Worker and parentPort. */
export interface Port<In, Out> extends Postbox<Out> {
  on(event: 'message', listener: (message: In) => void): unknown;
}

/** An error as it crosses threads, which would make a plain Error of it. */
export type PlainError =
  | {
      readonly class: 'status';
      readonly code: number;
      readonly reason: string;
      readonly message: string;
      readonly details: StatusDetails | undefined;
    }
  | { readonly class: 'connection'; readonly failure: ConnectionFailure; readonly message: string }
  | {
      readonly class: 'operating';
      readonly code: string;
      readonly message: string;
      readonly nextStep: string;
    }
  | { readonly class: 'other'; readonly message: string };

export function plainError(error: unknown): PlainError {
  if (error instanceof StatusError) {
    const { code, reason = '', message = '', details } = error.status;
    return { class: 'status', code: code ?? 500, reason, message, details };
  }
  const message = errorMessage(error);
  if (error instanceof ConnectionError) return { class: 'connection', failure: error.kind, message };
  if (error instanceof OperatingError) {
    const { code, nextStep } = error;
    return { class: 'operating', code, message, nextStep };
  }
  return { class: 'other', message };
}

export function errorOf(error: PlainError): Error {
  switch (error.class) {
    case 'status':
      return new StatusError(error.code, error.reason, error.message, error.details);
    case 'connection':
      return new ConnectionError(error.failure, error.message);
    case 'operating':
      return new OperatingError(error.code, error.message, error.nextStep);
    case 'other':
      return new Error(error.message);
  }
}

/** Gathers what is said in one turn, so that a burst costs one message instead of hundreds. */
export class Outbox<T> {
  readonly #port: Postbox<Batch<T>>;
  #waiting: T[] = [];

  constructor(port: Postbox<Batch<T>>) {
    this.#port = port;
  }

  send(message: T): void {
    if (this.#waiting.push(message) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    this.#port.postMessage(batch);
  }
}
