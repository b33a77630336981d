export { believe, readyFromProbe } from './probe.ts';
export type { ObservedReady, ProbeMemory, ProbeResult, Thresholds } from './probe.ts';
export { NOT_READY_TAINT, UNREACHABLE_TAINT, taintsForReadiness, type Taint } from './taints.ts';
