// What every controller of this room is given.
import type { Clock, Logger } from '../base/index.ts';
import type { Client, RestMapper } from '../client/index.ts';
import type { InformerSet, RuntimeMetrics } from '../runtime/index.ts';
import type { ObjectFeed } from './object-feed.ts';

export interface HousekeepingSettings {
  /** As a member of system:masters. */
  readonly client: Client;
  readonly mapper: RestMapper;
  readonly informers: InformerSet;
  readonly feed: ObjectFeed;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: RuntimeMetrics;
  /** Ends the controllers. */
  readonly signal: AbortSignal;
}
