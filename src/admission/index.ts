export {
  canonicalCluster,
  canonicalClusterStatus,
  prepareClusterForCreate,
  prepareClusterForUpdate,
  validateCluster,
} from './cluster.ts';
export type { ClusterStrategyOptions } from './cluster.ts';
export type { UndoLedger } from './undo-window.ts';
export type { QuotaLedger } from './federated-resource-quota.ts';
export { admissionRules, type AdmissionOptions } from './rules.ts';
export { asPlugin, type Rule } from './rule.ts';
