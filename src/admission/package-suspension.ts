// Suspended packages and what suspends several of them: who did it is written here, and whether they may is asked here, by
// verbs of their own (`suspend`, `resume`), as Kubernetes asks `bind` and `escalate` for roles.
import type {
  ClusterPackageSuspension,
  FleetSuspension,
  KubeObject,
  PackageSuspension,
} from '../api/index.ts';
import { PACKAGES_GROUP } from '../api/index.ts';
import { goQuote, type AdmissionAttributes, type UserInfo } from '../machinery/index.ts';
import {
  packageSuspensionProblem,
  policySuspensionProblem,
  stampPackage,
  stampSuspender,
  suspendsItsPackages,
  verbsForNamespace,
  verbsForPackage,
  verbsForPolicy,
  type AnyPackage,
  type SuspensionVerb,
} from '../packaging/index.ts';
import type { Rule } from './rule.ts';

/** What somebody wants to do with one object, or with all of a resource (no name). */
export interface AccessQuestion {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

export interface SuspensionSeams {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly may: (user: UserInfo, question: AccessQuestion) => Promise<boolean>;
}

type Suspender = PackageSuspension | ClusterPackageSuspension | FleetSuspension;

const CREATE_UPDATE = ['CREATE', 'UPDATE'] as const;
const ALWAYS = (): boolean => true;

export function packageSuspensionRules(seams: SuspensionSeams): readonly Rule[] {
  return [
    packageRule('package-suspension.navarch.io', 'packages', seams),
    packageRule('clusterpackage-suspension.navarch.io', 'clusterpackages', seams),
    policyRule('packagesuspension.navarch.io', 'packagesuspensions', seams),
    policyRule('clusterpackagesuspension.navarch.io', 'clusterpackagesuspensions', seams),
    policyRule('fleetsuspension.navarch.io', 'fleetsuspensions', seams),
    namespaceRule(seams),
  ];
}

function packageRule(webhook: string, resource: string, seams: SuspensionSeams): Rule {
  return {
    webhook,
    group: PACKAGES_GROUP,
    resource,
    mutateOn: CREATE_UPDATE,
    validateOn: CREATE_UPDATE,
    mutate: (object, { oldObject, user }) =>
      stampPackage(object as AnyPackage, oldObject as AnyPackage | undefined, {
        user: user.name,
        nowMs: seams.now(),
      }),
    validate: async (attributes) => {
      const next = attributes.object as AnyPackage;
      const old = attributes.oldObject as AnyPackage | undefined;
      const problem = packageSuspensionProblem(next, old, seams.now());
      return problem ?? (await refusal(seams, attributes, attributes, verbsForPackage(next, old)));
    },
  };
}

function policyRule(webhook: string, resource: string, seams: SuspensionSeams): Rule {
  return {
    webhook,
    group: PACKAGES_GROUP,
    resource,
    mutateOn: CREATE_UPDATE,
    validateOn: ['CREATE', 'UPDATE', 'DELETE'],
    mutate: (object, { oldObject, user }) =>
      stampSuspender(object, oldObject, ALWAYS, { user: user.name, nowMs: seams.now() }),
    validate: async (attributes) => {
      const next = attributes.object as Suspender | undefined;
      const old = attributes.oldObject as Suspender | undefined;
      const problem = next === undefined ? undefined : policySuspensionProblem(next, old, seams.now());
      return problem ?? (await refusal(seams, attributes, attributes, verbsForPolicy(next, old)));
    },
  };
}

/** The annotation that suspends the Packages of a namespace: whoever may that for all of them. */
function namespaceRule(seams: SuspensionSeams): Rule {
  return {
    webhook: 'namespace-suspension.navarch.io',
    group: '',
    resource: 'namespaces',
    mutateOn: CREATE_UPDATE,
    validateOn: CREATE_UPDATE,
    mutate: (object, { oldObject, user }): KubeObject =>
      stampSuspender(object, oldObject, suspendsItsPackages, { user: user.name, nowMs: seams.now() }),
    validate: async (attributes) => {
      if (attributes.object === undefined) return undefined;
      const verbs = verbsForNamespace(attributes.object, attributes.oldObject);
      const target = { group: PACKAGES_GROUP, resource: 'packages', namespace: attributes.name, name: '' };
      return refusal(seams, attributes, target, verbs);
    },
  };
}

/** Why not; undefined when the user may do all of it. */
export async function refusal(
  { may }: Pick<SuspensionSeams, 'may'>,
  { user }: Pick<AdmissionAttributes, 'user'>,
  { group, resource, namespace, name }: Omit<AccessQuestion, 'verb'>,
  verbs: readonly SuspensionVerb[],
): Promise<string | undefined> {
  for (const verb of verbs) {
    if (await may(user, { verb, group, resource, namespace, name })) continue;
    const what = name === '' ? `all ${resource}.${group}` : `${resource}.${group} ${goQuote(name)}`;
    const where = namespace === '' ? '' : ` in the namespace ${goQuote(namespace)}`;
    return `user ${goQuote(user.name)} may not ${verb} ${what}${where}: it takes the verb ${goQuote(verb)}, which the role package-suspender-role has`;
  }
  return undefined;
}
