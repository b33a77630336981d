export { fleetSnapshot, type ClusterView, type FleetSnapshot } from './fleet-snapshot.ts';
export {
  countNodesByGrade,
  defaultResourceModels,
  standardiseResourceModels,
  validateResourceModels,
  type NodeCapacity,
} from './resource-models.ts';
