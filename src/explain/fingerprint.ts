// By which a plan knows that what it read is still so. Versions that change by themselves (status, room, heartbeats) do
// not count; what a decision is made from does.
import type { Cluster, KubeObject } from '../api/index.ts';
import { fnv1a32 } from '../machinery/index.ts';
import { bindingName, type Binding } from '../propagation/index.ts';
import type { Preview } from './preview.ts';
import { calledOf, referenceOf, templateId, type World } from './world.ts';

/** By object, its version. */
export type Fingerprints = Readonly<Record<string, string>>;

function versionOf({ metadata }: KubeObject): string {
  const { uid = '', generation = 0, labels = {}, deletionTimestamp = '' } = metadata;
  const sorted = Object.keys(labels)
    .sort()
    .map((key) => [key, labels[key]]);
  return `${uid}/${generation}/${fnv1a32(JSON.stringify([sorted, deletionTimestamp]))}`;
}

function clusterVersion(cluster: Cluster): string {
  const { apiEnablements = [], conditions = [] } = cluster.status ?? {};
  const ready = conditions.find(({ type }) => type === 'Ready')?.status ?? '';
  return `${versionOf(cluster)}/${ready}/${fnv1a32(JSON.stringify(apiEnablements))}`;
}

function bindingVersion(binding: Binding): string {
  return `${versionOf(binding)}/${binding.status?.schedulerObservingAffinityName ?? ''}`;
}

/** Of everything that `preview` depends on: all policies, overrides and clusters, and the templates it tells of. */
export function fingerprints(world: World, { moves }: Preview): Fingerprints {
  const found: Record<string, string> = {};
  const note = (object: KubeObject, version: string): void => {
    found[calledOf(object.kind, object.metadata)] = version;
  };
  for (const policy of [
    ...world.policies,
    ...world.clusterPolicies,
    ...world.overridePolicies,
    ...world.clusterOverridePolicies,
  ])
    note(policy, `${policy.metadata.uid ?? ''}/${policy.metadata.resourceVersion ?? ''}`);
  for (const cluster of world.clusters) note(cluster, clusterVersion(cluster));
  const told = new Set(moves.map(({ object }) => templateId(object)));
  const bound = new Set(
    moves.map(({ object }) => `${object.namespace ?? ''}/${bindingName(object.kind, object.name)}`),
  );
  for (const template of world.templates)
    if (told.has(templateId(referenceOf(template)))) note(template, versionOf(template));
  for (const binding of world.bindings)
    if (bound.has(`${binding.metadata.namespace ?? ''}/${binding.metadata.name ?? ''}`))
      note(binding, bindingVersion(binding));
  return found;
}

/** What changed, appeared or went, in order of name. */
export function movedSince(before: Fingerprints, now: Fingerprints): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    const [was, is] = [before[name], now[name]];
    if (was === is) return [];
    return [was === undefined ? `${name} is new` : is === undefined ? `${name} is gone` : `${name} changed`];
  });
}
