export { agentApproval } from './agent-approval.ts';
export { startAgent, type AgentOptions } from './agent.ts';
export { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
