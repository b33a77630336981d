// Packages as their webhooks see them: what the object alone can tell. Repositories are not asked, so that a package can be
// written, suspended above all, while its repository is away; what they would say is said by the operator, as a condition.
import { PACKAGES_GROUP, type KubeObject } from '../api/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { packageComplaint, type AnyPackage } from '../packaging/index.ts';
import type { Rule } from './rule.ts';

/** COMPAT: names of Glasskube's webhooks. */
export const packageRules: readonly Rule[] = [
  packageRule('vpackage.kb.io', 'packages'),
  packageRule('vclusterpackage.kb.io', 'clusterpackages'),
];

function packageRule(webhook: string, resource: string): Rule {
  return {
    webhook,
    group: PACKAGES_GROUP,
    resource,
    validateOn: ['CREATE', 'UPDATE'],
    validate: ({ object }) => packageRefusal(object),
  };
}

function packageRefusal(object: KubeObject | undefined): string | undefined {
  // Finalizers of what is on its way out are taken off whatever its spec says.
  return object === undefined || isBeingDeleted(object) ? undefined : packageComplaint(object as AnyPackage);
}
