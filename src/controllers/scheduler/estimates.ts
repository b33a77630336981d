// What the accurate estimators are asked about a binding (scheduling.md §8.3, §11).
import { deepEqual } from '../../machinery/index.ts';
import type { Binding } from '../../propagation/index.ts';
import { estimatesSets, type EstimatorAnswers, type ScheduleInput } from '../../scheduling/index.ts';
import type { ControllerContext } from '../context.ts';
import { Estimators } from '../estimators.ts';

/** The answers of those of `clusters` that have an estimator and got to say something. */
export function estimateFor(
  context: ControllerContext,
  input: ScheduleInput,
  clusters: readonly string[],
): Promise<EstimatorAnswers> {
  const { spec } = input.binding;
  const { kind, namespace = '', name } = spec.resource;
  const { components = [], replicaRequirements } = spec;
  const sets = estimatesSets(input);
  return Estimators.of(context).ask(
    clusters,
    `kind=${kind}, name=${namespace}/${name}`,
    (estimator, cluster, call) => {
      const assumed = input.assumed?.get(cluster) ?? [];
      return sets
        ? estimator.maxComponentSets({ components, namespace, assumed }, call)
        : estimator.maxReplicas({ requirements: replicaRequirements, assumed }, call);
    },
  );
}

/** Whether an answer to a question about one is an answer about the other. */
export function sameQuestion({ spec: a }: Binding, { spec: b }: Binding): boolean {
  return (
    a === b ||
    (deepEqual(a.replicaRequirements, b.replicaRequirements) &&
      deepEqual(a.components, b.components) &&
      deepEqual(a.placement, b.placement) &&
      ((a.replicas ?? 0) === 0) === ((b.replicas ?? 0) === 0))
  );
}
