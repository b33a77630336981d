// The agent of one pull member, over the seams it is given: what runs beside a member that the hub cannot reach.
import { createClient, type Transport } from '../client/index.ts';
import { agentControllers, type ControllerSettings, type MemberEndpoint } from '../controllers/index.ts';
import type { Clock, Logger, Random } from '../base/index.ts';
import { startControllers } from './controller-process.ts';

export interface AgentOptions {
  /** Name of its Cluster on the hub. */
  readonly cluster: string;
  readonly hubTransport: Transport;
  /** A new way to the member each time; closed by who uses it. */
  readonly openMember: () => Transport;
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Runs until it is closed; the hub's transport belongs to the caller. */
export function startAgent(options: AgentOptions): { close(): Promise<void> } {
  const { cluster, hubTransport, openMember } = options;
  const member: MemberEndpoint = {
    cluster,
    server: '',
    certificateAuthority: undefined,
    insecureSkipTlsVerify: false,
    bearerToken: () => '',
    proxyUrl: undefined,
    proxyHeaders: {},
  };
  return startControllers({
    ...options,
    charge: { role: 'agent', cluster },
    controllers: agentControllers,
    hubClient: createClient(hubTransport, { fieldManager: 'karmada' }),
    // It stands beside the member and has its own way in, whatever the Cluster says.
    endpoints: () => ({ source: () => undefined, of: () => member }),
    openMember,
    component: 'karmada-agent',
  });
}
