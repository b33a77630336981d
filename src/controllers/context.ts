// What every controller of the hub is given. Nothing here is a global: a process may run several hubs.
import type { Clock, Logger, Random } from '../base/index.ts';
import type { Client, RestMapper } from '../client/index.ts';
import type { Interpreter } from '../interpreter/index.ts';
import type { EventRecorder, InformerSet, ObserveGauge, RuntimeMetrics } from '../runtime/index.ts';
import type { Charge } from './charge.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { OpenEstimator } from './estimators.ts';
import type { InterpretationChanges } from './interpretation-changes.ts';
import type { MemberConnections } from './member-connections.ts';
import type { SchedulingMetrics } from './scheduling-metrics.ts';
import type { ControllerSettings } from './settings.ts';

export interface ControllerContext {
  /** Whose members this process acts in. */
  readonly charge: Charge;
  readonly hubClient: Client;
  /** Of the hub's resources. */
  readonly informers: InformerSet;
  /** Of the hub's API. */
  readonly mapper: RestMapper;
  readonly interpreter: Interpreter;
  /** What it says of some kinds has changed. */
  readonly interpretationChanges: InterpretationChanges;
  readonly members: MemberConnections;
  /** How estimators are reached that stand beside members. */
  readonly openEstimator: OpenEstimator;
  readonly recorder: EventRecorder;
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  readonly scheduling: SchedulingMetrics;
  readonly dispatch: DispatchMetrics;
  /** Shows a gauge to scrapers; absent where nobody scrapes. */
  readonly observe?: ObserveGauge | undefined;
  /** Stops the controllers. */
  readonly signal: AbortSignal;
}

/** A controller: runs until the context's signal aborts, rejects only when it can never start. */
export interface Controller {
  /** As `--controllers` names it. */
  readonly name: string;
  run(context: ControllerContext): Promise<void>;
}
