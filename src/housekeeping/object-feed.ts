// Every object of the API server and every change, whatever the kind. The API server brings it (structurally its own
// feed, which may not be imported from here).
import type { KubeObject } from '../api/index.ts';

export interface FeedHandler {
  /**
   * All that there is. Called first, and again when changes were missed; what was known before counts no more.
   * Absent: only changes from now on are of interest.
   */
  start?(objects: readonly KubeObject[]): void;
  /** A new object, or a new version of one. */
  put(object: KubeObject): void;
  /** With the last version. */
  removed(object: KubeObject): void;
}

export interface ObjectFeed {
  /** Resolves when `start` has been called; changes go on until the signal aborts. */
  follow(handler: FeedHandler, signal: AbortSignal): Promise<void>;
}
