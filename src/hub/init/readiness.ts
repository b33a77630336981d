// Waits until the control plane that was put into a host cluster is ready there.
import { OperatingError, sleep, systemClock } from '../../base/index.ts';
import { connect } from '../../cli/index.ts';
import { resource } from '../../client/index.ts';
import { NAME } from './deployment.ts';
import type { InitSettings } from './settings.ts';

const STATEFUL_SETS = resource({ group: 'apps', version: 'v1', resource: 'statefulsets', namespaced: true });
const POLL_MS = 500;

/** Rejects with READY_TIMEOUT, which names where to look. */
export async function untilReady(
  host: { readonly kubeconfig: string; readonly context?: string },
  { namespace, readyTimeoutMs }: Pick<InitSettings, 'namespace' | 'readyTimeoutMs'>,
): Promise<void> {
  const { client } = await connect(host.kubeconfig, host.context);
  const deadlineMs = systemClock.now() + readyTimeoutMs;
  try {
    for (;;) {
      const found = await client.find(STATEFUL_SETS, { namespace, name: NAME });
      const status = (found?.['status'] ?? {}) as {
        readonly readyReplicas?: number;
        readonly observedGeneration?: number;
      };
      const current = (status.observedGeneration ?? 0) >= (found?.metadata.generation ?? 0);
      if (current && (status.readyReplicas ?? 0) > 0) return;
      if (systemClock.now() > deadlineMs)
        throw new OperatingError(
          'READY_TIMEOUT',
          `the control plane is not ready in the host cluster after ${readyTimeoutMs / 1000} s`,
          `look with "kubectl describe pod ${NAME}-0 -n ${namespace}" and "kubectl logs ${NAME}-0 -n ${namespace}" there; init may be run again`,
        );
      await sleep(systemClock, POLL_MS);
    }
  } finally {
    await client.transport.close();
  }
}
