// Who may do what with packages, besides the operator, which may do everything: editors, viewers, and people who may suspend and
// resume and nothing else.
import { PACKAGES_GROUP, type KubeObject } from '../api/index.ts';

const VIEW = ['get', 'list', 'watch'];
const EDIT = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const SUSPEND = ['suspend', 'resume'];

function role(name: string, rules: readonly object[]): KubeObject {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

function rule(resources: readonly string[], verbs: readonly string[]): object {
  return { apiGroups: [PACKAGES_GROUP], resources, verbs };
}

export function packageRoles(): readonly KubeObject[] {
  const pairs = ['package', 'clusterpackage', 'packageinfo', 'packagerepository'].flatMap((one) => {
    const plural = one.endsWith('y') ? `${one.slice(0, -1)}ies` : `${one}s`;
    const isPackage = one === 'package' || one === 'clusterpackage';
    return [
      role(`glasskube-${one}-editor-role`, [
        rule([plural], [...EDIT, ...(isPackage ? SUSPEND : [])]),
        rule([`${plural}/status`], ['get']),
      ]),
      role(`glasskube-${one}-viewer-role`, [rule([plural], VIEW), rule([`${plural}/status`], ['get'])]),
    ];
  });
  const packages = ['packages', 'clusterpackages'];
  return [
    ...pairs,
    role('package-suspender-role', [
      rule(packages, [...VIEW, ...SUSPEND]),
      rule(['packagesuspensions', 'clusterpackagesuspensions'], [...VIEW, ...SUSPEND]),
    ]),
  ];
}
