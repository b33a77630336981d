// What an agent runs beside its member: the same controllers that a hub runs for its push members, and the sign of life.
import { agentFencing } from './agent-fencing.ts';
import { agentState } from './agent-state.ts';
import { clusterLease } from './cluster-lease.ts';
import { clusterStatusController } from './cluster-status/index.ts';
import type { Controller } from './context.ts';
import { executionController } from './execution/index.ts';
import { workStatusController } from './work-status.ts';

export const agentControllers: readonly Controller[] = [
  clusterStatusController,
  clusterLease,
  executionController,
  agentFencing,
  workStatusController,
  agentState,
];
