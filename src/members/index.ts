export type { FaultAnswer, FaultRequest } from './faults/fault-requests.ts';
export type { ActiveFault, Faults, PodSelection } from './faults/faults.ts';
export type { KubeletSettings } from './kubelet/behaviour.ts';
export { startMember, type Member, type MemberOptions } from './member.ts';
export type { NodePool } from './nodes/node-pool.ts';
export type { NodeSettings } from './nodes/node-loops.ts';
