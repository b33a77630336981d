// INVARIANT: once everything has settled, the replicas of a workload's targets add up to what its template asks for, or,
// where each target has all of them, are that; and at no time are more assigned than were asked for.
import { bindingsOf, findNamed, templateName, wantedReplicasOf, type Binding } from '../objects.ts';
import type { CreateChecker } from './checker.ts';

export const replicaSums: CreateChecker = (world) => ({
  name: 'replica sums are kept',
  atRest: () =>
    bindingsOf(world.hubMirror).flatMap((binding) => {
      const problem = problemOf(binding);
      const template = findNamed(world.hubMirror, templateName(binding));
      const asked =
        template === undefined || binding.spec.replicas === undefined
          ? undefined
          : wantedReplicasOf(template);
      return [
        ...(problem === undefined ? [] : [`${templateName(binding)}: ${problem}`]),
        ...(asked === undefined || template?.kind === 'Job' || asked === binding.spec.replicas
          ? []
          : [
              `${templateName(binding)} asks for ${asked} replicas, its binding for ${binding.spec.replicas}`,
            ]),
      ];
    }),
});

function problemOf({ spec, status, metadata }: Binding): string | undefined {
  const { replicas = 0, clusters = [] } = spec;
  const scheduled = status?.conditions?.find(({ type }) => type === 'Scheduled')?.status === 'True';
  if (replicas === 0 || !scheduled || status?.schedulerObservedGeneration !== metadata.generation)
    return undefined;
  if (spec.placement?.replicaScheduling?.replicaSchedulingType === 'Divided') {
    const sum = clusters.reduce((total, { replicas: share = 0 }) => total + share, 0);
    return sum === replicas ? undefined : `its targets have ${sum} of ${replicas} replicas`;
  }
  const wrong = clusters.find(({ replicas: share }) => share !== replicas);
  return wrong === undefined
    ? undefined
    : `target ${wrong.name} has ${wrong.replicas} of ${replicas} replicas`;
}
