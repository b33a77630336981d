// The template as one cluster gets it: with the replicas, the components or the completions that fell to it.
import type { KubeObject, ResourceBindingSpec, TargetCluster } from '../api/index.ts';
import { isWorkload } from '../fleet/index.ts';
import { withComponentShares, type Interpreter } from '../interpreter/index.ts';

/**
 * Throws when the share cannot be written.
 * @param completions of a Job, by cluster; those that get none may be missing; undefined: they are not divided
 */
export async function withShare(
  interpreter: Interpreter,
  template: KubeObject,
  spec: ResourceBindingSpec,
  { name, replicas = 0, components = [] }: TargetCluster,
  completions: ReadonlyMap<string, number> | undefined,
): Promise<KubeObject> {
  let revised = template;
  // What has components is given no replicas as a whole; upstream would scale it to none.
  if ((spec.components ?? []).length > 0)
    revised = await withComponentShares(interpreter, template, components);
  else if (isWorkload(spec)) revised = (await interpreter.revise(template, replicas)) ?? template;
  if (completions === undefined) return revised;
  // None at all is a Job that has ended at once, where there are fewer to do than clusters.
  const share = completions.get(name) ?? 0;
  return { ...revised, spec: { ...(revised['spec'] as object), completions: share } };
}
