export { quotaEnforcementController } from './enforcement.ts';
export { quotaResource } from './quota-works.ts';
export { quotaStatusController } from './status.ts';
export { quotaSyncController } from './sync.ts';
