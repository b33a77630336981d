// deployment-replicas-syncer: the replicas of a Deployment whose members scale on their own follow what runs there.
// Off unless named by `--controllers`.
// Reads: Deployments with the label that leaves replicas to the members, their bindings. Writes: spec.replicas.
import { RETAIN_REPLICAS_LABEL, type KubeObject } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { bindingName, decideReplicaSync } from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import type { Controller } from './context.ts';

const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const SETTLE_MS = 1_000;

const replicasOf = (part: unknown): number | undefined =>
  (part as { readonly replicas?: number } | undefined)?.replicas;
const retains = ({ metadata }: KubeObject): boolean => metadata.labels?.[RETAIN_REPLICAS_LABEL] === 'true';

export const deploymentReplicasSyncer: Controller = {
  name: 'deploymentReplicasSyncer',
  async run({ hubClient, informers, clock, logger, metrics, signal }) {
    const informer = informers.informer(deployments);
    const bindings = informers.informer(kinds.resourceBindings);
    await runController({
      name: 'deployment-replicas-syncer',
      sources: [
        informerSource(informer, {
          filter: retains,
          changed: (before, after) =>
            replicasOf(before['spec']) !== replicasOf(after['spec']) ||
            replicasOf(before['status']) !== replicasOf(after['status']),
        }),
        // Only waited for: what changes there shows in the Deployment's status, or in the next look.
        informerSource(bindings, { filter: () => false }),
      ],
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (key, { signal: reconcileSignal }) => {
        const deployment = informer.store.get(key);
        if (deployment === undefined || isBeingDeleted(deployment)) return done;
        const { namespace, name = '' } = deployment.metadata;
        const binding = bindings.store.get({ namespace, name: bindingName(deployment.kind, name) });
        const decision = decideReplicaSync(deployment, binding);
        if (decision.action === 'none') return done;
        if (decision.action === 'wait') return requeueAfter(SETTLE_MS, decision.why);
        const spec = { ...(deployment['spec'] as object), replicas: decision.replicas };
        await hubClient.update(deployments, { ...deployment, spec }, { signal: reconcileSignal });
        return done;
      },
    });
  },
};
