// The seam through which everything that others publish is read: files by their address.

export interface FetchRequest {
  /** http, https or file. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** The `file:` address of the folder that a file must be in, wherever links lead; absent: any. */
  readonly within?: string;
  /** Bytes as they are sent, though they are said to be packed. */
  readonly asSent?: boolean;
  readonly signal?: AbortSignal;
}

export interface FetchedFile {
  readonly status: number;
  readonly contentType: string | undefined;
  /** By names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Gets a file. Rejects when there is no answer in time, or one that is too large; any status is an answer. */
export type FetchFile = (request: FetchRequest) => Promise<FetchedFile>;
