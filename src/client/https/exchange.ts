// One request and its answer on the wire, whatever the version of HTTP below.
import type { Cancel } from '../../base/index.ts';

export type WireHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WireRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case, without pseudo headers. */
  readonly headers: WireHeaders;
  readonly body: Uint8Array | undefined;
  /** A watch holds its stream for long. */
  readonly watch: boolean;
}

/**
 * Hears of the answer: `head` once, `data` any number of times, then `end` or `fail`; `fail` may come at any time
 * before the end. Nothing comes after `end`, `fail`, or after the exchange was cancelled.
 */
export interface AnswerSink {
  head(status: number, headers: WireHeaders): void;
  data(chunk: Buffer): void;
  end(): void;
  fail(error: Error): void;
}

export interface Connection {
  /** Sends `request`. The result gives it up: the server is told, and the sink hears nothing more. */
  exchange(request: WireRequest, sink: AnswerSink): Cancel;
  /** Breaks everything under way with `reason`. */
  close(reason: Error): void;
}
