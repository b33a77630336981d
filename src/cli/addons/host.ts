// The host cluster that addons run in.
import type { Client } from '../../client/index.ts';
import { connect } from '../command.ts';

export interface AddonFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly karmadaKubeconfig?: string;
  readonly karmadaContext?: string;
  readonly namespace: string;
  readonly cluster?: string;
  readonly memberKubeconfig?: string;
  readonly memberContext?: string;
  readonly podTimeout: string;
  readonly karmadaSchedulerEstimatorImage: string;
  readonly privateImageRegistry?: string;
  readonly karmadaEstimatorReplicas: string;
  readonly estimatorPriorityClass: string;
}

export async function withHost<T>(flags: AddonFlags, run: (host: Client) => Promise<T>): Promise<T> {
  const { client } = await connect(flags.kubeconfig, flags.context);
  try {
    return await run(client);
  } finally {
    await client.transport.close();
  }
}
