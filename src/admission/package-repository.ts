// Repositories that packages come from are not deleted: what is installed could neither be compared nor put right any more.
import {
  DEFAULT_REPOSITORY_ANNOTATION,
  PACKAGES_GROUP,
  type KubeObject,
  type PackageRepository,
} from '../api/index.ts';
import { packageId, packageKey, type AnyPackage } from '../packaging/index.ts';
import type { Rule } from './rule.ts';

// LIMIT: packages that a refusal names.
const NAMED_MAX = 5;

/** COMPAT: the name of Glasskube's webhook. A new address is let pass: the files of a version must be the same there. */
export function packageRepositoryRule(packages: () => Promise<readonly AnyPackage[]>): Rule {
  return {
    webhook: 'vpackagerepository.kb.io',
    group: PACKAGES_GROUP,
    resource: 'packagerepositories',
    validateOn: ['DELETE'],
    validate: async ({ oldObject }) =>
      oldObject === undefined ? undefined : repositoryRefusal(oldObject, await packages()),
  };
}

function repositoryRefusal(object: KubeObject, packages: readonly AnyPackage[]): string | undefined {
  const { metadata } = object as PackageRepository;
  const isDefault = metadata.annotations?.[DEFAULT_REPOSITORY_ANNOTATION] === 'true';
  const using = packages.filter(({ spec }) => {
    const { repositoryName = '' } = spec.packageInfo;
    return repositoryName === '' ? isDefault : repositoryName === metadata.name;
  });
  if (using.length === 0) return undefined;
  const named = using.slice(0, NAMED_MAX).map((one) => `${one.kind} ${packageKey(packageId(one))}`);
  const more = using.length > NAMED_MAX ? ` and ${using.length - NAMED_MAX} more` : '';
  return `${named.join(', ')}${more} come from the repository "${metadata.name ?? ''}"; uninstall them, or let them name another repository first`;
}
