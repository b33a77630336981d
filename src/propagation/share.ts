// The template as one cluster gets it: with the replicas, the components or the completions that fell to it.
import type { KubeObject, ResourceBindingSpec, TargetCluster } from '../api/index.ts';
import { isWorkload } from '../fleet/index.ts';
import { withComponentShares, type Interpreter } from '../interpreter/index.ts';

/**
 * Throws when the share cannot be written.
 * @param completions of a Job, by cluster; undefined: they are not divided
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
  const share = completions.get(name);
  if (share === undefined)
    throw new Error(`no completions of job ${template.metadata.name} fall to cluster ${name}`);
  return { ...revised, spec: { ...(revised['spec'] as object), completions: share } };
}
