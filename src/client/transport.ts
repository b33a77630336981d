// How requests reach a Kubernetes API: over HTTPS, or inside the process without encoding anything.
// Everything above (typed calls, informers, controllers) works on this seam alone.
import type { KubeObject, WatchEvent } from '../api/index.ts';

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path without query, segments percent-encoded, e.g. `/apis/apps/v1/namespaces/shop/deployments/web`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. In process it is handed over as it is and must not be changed afterwards. */
  readonly body?: unknown;
  /** Content type of the body; default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** The decoded JSON body, its objects frozen; a string for text; undefined when there is none. */
  readonly body: unknown;
  /** Names in lower case; those that a transport knows of. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface Transport {
  /**
   * Sends one request. Resolves for every answer of the server, whatever its status code.
   * Rejects with ConnectionError when there was no answer, or with the signal's reason.
   */
  send(request: TransportRequest): Promise<TransportResponse>;
  /**
   * Opens a watch (`watch=true` is added) and calls `onEvent` for each event with frozen objects. Resolves when the
   * server or the signal ends the stream. Rejects with StatusError when the server refuses the watch, with
   * ConnectionError when the stream breaks.
   */
  watch(request: TransportRequest, onEvent: (event: WatchEvent<KubeObject>) => void): Promise<void>;
  /** Closes connections. Requests under way are aborted. */
  close(): Promise<void>;
}
