// The shapes that the parts of the API server hand to each other. A request passes, in this order:
// listener (sockets, bytes) -> authenticate -> impersonate -> authorize -> dispatch (verbs) -> listener.
// In-process callers enter after authentication, with objects in place of bytes.
import type { X509Certificate } from 'node:crypto';
import type { WatchEvent } from '../api/index.ts';
import type { Annotate, UserInfo } from '../machinery/index.ts';
import type { UpgradedConnection } from './listen/exchange.ts';

/** What a path means: `k8s.io/apiserver`'s RequestInfo. */
export interface RequestInfo {
  readonly isResource: boolean;
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection; for other paths the method in lower case. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** What follows `name/subresource`, for proxies. */
  readonly rest: string;
}

export interface ApiRequest {
  readonly method: string;
  /** Absolute path as it was sent, without the query; segments may be percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: RequestBody | undefined;
  /** What the client wants its connection turned into, in lower case (`websocket`, `spdy/3.1`). */
  readonly upgrade?: string;
  readonly user: UserInfo;
  readonly signal: AbortSignal;
  /** Where it came from; absent: from inside the process. */
  readonly origin?: RequestOrigin;
  /** Notes something for the audit log; absent: nobody keeps one about this request. */
  readonly annotate?: Annotate;
}

export interface RequestOrigin {
  /** What the answer and the audit log name this request by. */
  readonly auditId: string;
  /** The peer's IP address. */
  readonly address: string;
}

export type RequestBody =
  /**
   * From a socket, as they came. `decode` gives the JSON value of what is not JSON; throws a 400 StatusError.
   * `repeated` tells which keys of a YAML text are given twice: `line 4: key "a" already set in map`.
   */
  | {
      readonly bytes: Uint8Array;
      readonly decode?: () => unknown;
      readonly repeated?: () => readonly string[];
    }
  /** From inside the process; not to be changed by anyone. */
  | { readonly json: unknown };

/** Takes the bytes of an answer that comes in parts. Resolves when there is room for more; rejects when the reader left. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

export type ApiResponse =
  /** A JSON body. `object` is frozen; its bytes are encoded once and shared (machinery's encodeJson). */
  | {
      readonly kind: 'object';
      readonly status: number;
      readonly object: unknown;
      /** The JSON bytes, where they are not simply those of `object` (see response-bytes.ts). */
      encode?(): Uint8Array;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
    }
  | {
      readonly kind: 'bytes';
      readonly status: number;
      readonly contentType: string;
      readonly bytes: Uint8Array;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
    }
  | {
      readonly kind: 'watch';
      /** What each event's frame is made of: JSON unless it says otherwise. */
      readonly contentType: string;
      /** The bytes of one event, where they are not a line of JSON. */
      frame?(event: WatchEvent): Uint8Array;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      /** Told of every event that went out, with its size as it went. */
      onSent?(bytes: number): void;
      /** Delivers batches of events in order until the signal aborts or the server ends the watch. */
      run(onEvents: (events: readonly WatchEvent[]) => void, signal: AbortSignal): Promise<void>;
    }
  /** A body that comes in parts: logs, and what another server answers. */
  | {
      readonly kind: 'stream';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      /** Writes the body until it ends or the signal aborts. A rejection cuts the answer off. */
      run(write: WriteBytes, signal: AbortSignal): Promise<void>;
    }
  /** Takes over the connection of a request with `upgrade`, and answers on it. */
  | {
      readonly kind: 'upgrade';
      run(connection: UpgradedConnection, signal: AbortSignal): Promise<void>;
    };

/** Who sent a request. Undefined: these credentials are not of my kind, ask the next; an invalid one throws 401. */
export interface Authenticator {
  authenticate(credentials: {
    readonly headers: ApiRequest['headers'];
    /** The peer's verified client certificate. */
    readonly certificate:
      | {
          readonly commonName: string;
          readonly organizations: readonly string[];
          /** SHA-256 of its DER form, in lower-case hexadecimal. */
          readonly fingerprint?: string;
          /** Whether one of these authorities has signed it; absent: it is not known. */
          readonly signedBy?: (authorities: readonly X509Certificate[]) => boolean;
        }
      | undefined;
    /** What is asked for, without the query; who may ask without credentials can depend on it. */
    readonly path?: string;
  }): Promise<UserInfo | undefined>;
}

export type Verdict =
  | { readonly allowed: true; readonly reason: string }
  | { readonly allowed: false; readonly reason: string };

export interface Authorizer {
  authorize(user: UserInfo, info: RequestInfo): Verdict;
}
