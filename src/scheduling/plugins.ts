// Which of the scheduler's plugins run: the flag `--plugins`.
import type { FilterName } from './verdict.ts';

export type PluginName = Exclude<FilterName, 'ClusterSuspension'> | 'ClusterLocality';

/** All of them; the two for workload groups also need their gate. */
export const PLUGINS: readonly PluginName[] = [
  'APIEnablement',
  'ClusterAffinity',
  'ClusterEviction',
  'ClusterLocality',
  'SpreadConstraint',
  'TaintToleration',
  'WorkloadAffinity',
  'WorkloadAntiAffinity',
];

/**
 * `*` stands for all and counts first, wherever it stands; `-name` takes away what was named before it.
 * `unknown`: names of no plugin, which do nothing.
 */
export function enabledPlugins(names: readonly string[]): {
  readonly plugins: ReadonlySet<PluginName>;
  readonly unknown: readonly string[];
} {
  const known = (name: string): PluginName | undefined => PLUGINS.find((one) => one === name);
  const plugins = new Set<PluginName>(names.includes('*') ? PLUGINS : []);
  const unknown: string[] = [];
  for (const name of names) {
    if (name === '*') continue;
    const off = name.startsWith('-');
    const plugin = known(off ? name.slice(1) : name);
    if (plugin === undefined) unknown.push(name);
    else if (off) plugins.delete(plugin);
    else plugins.add(plugin);
  }
  return { plugins, unknown };
}
