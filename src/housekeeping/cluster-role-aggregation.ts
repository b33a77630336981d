// Cluster roles with an aggregationRule have the rules of all roles that it selects.
// Reads: cluster roles. Writes: rules of those that aggregate.
import { isNotFound } from '../client/index.ts';
import { deepEqual, labelSelectorFor } from '../machinery/index.ts';
import { act, done, informerSource, runController, type Plan } from '../runtime/index.ts';
import { resources, type ClusterRole, type PolicyRule } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

export interface AggregationInput {
  readonly role: ClusterRole;
  /** All cluster roles. */
  readonly roles: readonly ClusterRole[];
}

export function decideAggregation({ role, roles }: AggregationInput): Plan {
  const { clusterRoleSelectors = [] } = role.aggregationRule ?? {};
  if (clusterRoleSelectors.length === 0) return {};
  const name = role.metadata.name ?? '';
  const rules: PolicyRule[] = [];
  const taken = new Set<string>([name]);
  // COMPAT: selector by selector, and by name within each, as upstream; the result does not depend on timing.
  const ordered = [...roles].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  for (const selector of clusterRoleSelectors.map(labelSelectorFor)) {
    for (const one of ordered) {
      const oneName = one.metadata.name ?? '';
      if (taken.has(oneName) || !selector.matches(one.metadata.labels ?? {})) continue;
      taken.add(oneName);
      for (const rule of one.rules ?? []) {
        if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule);
      }
    }
  }
  if (deepEqual(role.rules ?? [], rules)) return {};
  const { uid = '', resourceVersion = '' } = role.metadata;
  return {
    writes: [
      {
        verb: 'patch',
        resource: resources.clusterRoles,
        key: { name },
        patch: { type: 'merge', body: { rules } },
        preconditions: { uid, resourceVersion },
      },
    ],
  };
}

export async function runClusterRoleAggregation(settings: HousekeepingSettings): Promise<void> {
  const { client, informers } = settings;
  const roles = informers.informer(resources.clusterRoles);
  const aggregating = (): string[] =>
    roles.store
      .list()
      .filter(({ aggregationRule }) => aggregationRule !== undefined)
      .map(({ metadata }) => metadata.name ?? '');
  await runController({
    ...settings,
    name: 'clusterrole-aggregation',
    sources: [
      informerSource(roles, {
        map: aggregating,
        changed: (old, role) =>
          !deepEqual(old.rules, role.rules) ||
          !deepEqual(old.metadata.labels, role.metadata.labels) ||
          !deepEqual(old.aggregationRule, role.aggregationRule),
      }),
    ],
    async reconcile(key, { signal }) {
      const role = roles.store.get(key);
      if (role === undefined || role.metadata.deletionTimestamp !== undefined) return done;
      try {
        return await act(decideAggregation({ role, roles: roles.store.list() }), { client, signal });
      } catch (error) {
        if (isNotFound(error)) return done;
        throw error;
      }
    },
  });
}
