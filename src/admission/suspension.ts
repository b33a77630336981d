// Suspended policies, bindings and clusters: who did it and since when is written here and nowhere else, so that it says
// the truth whatever way the switch was turned.
import type { KubeObject } from '../api/index.ts';
import { stampSuspension, suspensionProblem, type Suspendable } from '../propagation/index.ts';
import type { Rule } from './rule.ts';

const SUSPENDED: readonly (readonly [webhook: string, group: string, resource: string])[] = [
  ['propagationpolicy-suspension.navarch.io', 'policy.karmada.io', 'propagationpolicies'],
  ['clusterpropagationpolicy-suspension.navarch.io', 'policy.karmada.io', 'clusterpropagationpolicies'],
  ['resourcebinding-suspension.navarch.io', 'work.karmada.io', 'resourcebindings'],
  ['clusterresourcebinding-suspension.navarch.io', 'work.karmada.io', 'clusterresourcebindings'],
  ['cluster-suspension.navarch.io', 'cluster.karmada.io', 'clusters'],
];

const CREATE_UPDATE = ['CREATE', 'UPDATE'] as const;

/** @param now milliseconds since the epoch */
export function suspensionRules(now: () => number): readonly Rule[] {
  return SUSPENDED.map(([webhook, group, resource]) => ({
    webhook,
    group,
    resource,
    mutateOn: CREATE_UPDATE,
    validateOn: CREATE_UPDATE,
    mutate: (object, { oldObject, user }): KubeObject =>
      stampSuspension(object as Suspendable, oldObject as Suspendable | undefined, {
        user: user.name,
        nowMs: now(),
      }),
    validate: ({ object, oldObject }) =>
      suspensionProblem(object as Suspendable, oldObject as Suspendable | undefined, now()),
  }));
}
