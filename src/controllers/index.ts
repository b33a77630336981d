export { quotaResource } from './federated-resource-quota/index.ts';
export type { OpenEstimator } from './estimators.ts';
export { hubControllers, runControllers } from './hub-controllers.ts';
export { agentControllers } from './agent-controllers.ts';
export type { Charge } from './charge.ts';
export type { Controller, ControllerContext } from './context.ts';
export {
  customizationResource,
  followInterpretation,
  interpretationResource,
} from './interpreter-customizations.ts';
export {
  MemberConnections,
  secretEndpoints,
  secretResource,
  type MemberEndpoint,
  type MemberEndpoints,
  type OpenMember,
} from './member-connections.ts';
export { silentDispatchMetrics, type DispatchMetrics } from './dispatch-metrics.ts';
export { silentSchedulingMetrics, type SchedulingMetrics } from './scheduling-metrics.ts';
export { deletedObjects } from './undo-window.ts';
export { controllerEnabled, defaultControllerSettings, type ControllerSettings } from './settings.ts';
export { InterpretationChanges } from './interpretation-changes.ts';
