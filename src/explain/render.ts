// The manifests that a binding sends to its clusters.
import type { Cluster, KubeObject, TargetCluster } from '../api/index.ts';
import {
  applyOverrides,
  divideCompletions,
  renderTargets,
  renderWork,
  withShare,
  type Binding,
} from '../propagation/index.ts';
import type { WorldView } from './world.ts';

export type Rendered =
  | { readonly ok: true; readonly manifest: KubeObject; readonly overrides: readonly string[] }
  | { readonly ok: false; readonly error: string };

/** By cluster, what its Work would hold. */
export async function renderBinding(
  view: WorldView,
  binding: Binding,
  template: KubeObject,
): Promise<ReadonlyMap<string, Rendered>> {
  const targets = renderTargets(binding.spec);
  const completions = divideCompletions(template, binding.spec, targets);
  const rendered = new Map<string, Rendered>();
  for (const target of targets) {
    const cluster = view.fleet.byName(target.name)?.cluster;
    if (cluster === undefined) continue;
    rendered.set(target.name, await renderFor(view, binding, template, target, cluster, completions));
  }
  return rendered;
}

async function renderFor(
  view: WorldView,
  binding: Binding,
  template: KubeObject,
  target: TargetCluster,
  cluster: Cluster,
  completions: ReadonlyMap<string, number> | undefined,
): Promise<Rendered> {
  let revised = template;
  try {
    revised = await withShare(view.interpreter, template, binding.spec, target, completions);
  } catch (error) {
    return {
      ok: false,
      error: `its replicas cannot be set: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  const result = applyOverrides({
    manifest: revised,
    cluster,
    clusterPolicies: view.world.clusterOverridePolicies,
    policies: view.overridesFor(template.metadata.namespace),
  });
  if (!result.ok) return { ok: false, error: `override policy ${result.policy}: ${result.error}` };
  const { manifest, annotations } = result;
  const work = renderWork({ binding, template, cluster: target.name, overridden: { manifest, annotations } });
  const [sent] = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  return {
    ok: true,
    manifest: sent ?? manifest,
    overrides: [...new Set(result.applied.map(({ policy }) => policy))],
  };
}
