// What the controllers of FederatedResourceQuotas share: how a quota and the Works of its fixed shares are found.
import {
  FEDERATED_RESOURCE_QUOTA_NAMESPACE_LABEL,
  FEDERATED_RESOURCE_QUOTA_NAME_LABEL,
  type FederatedResourceQuota,
  type Work,
} from '../../api/index.ts';
import { kinds, resource } from '../../client/index.ts';
import type { Informer } from '../../runtime/index.ts';
import type { ControllerContext } from '../context.ts';

export const quotaResource = resource<FederatedResourceQuota>({
  group: 'policy.karmada.io',
  version: 'v1alpha1',
  resource: 'federatedresourcequotas',
  namespaced: true,
});

/** Works by the key of the quota they are of. */
export const WORKS_BY_QUOTA = 'federated resource quota';

export function quotaKeyOf({ metadata }: Work): string | undefined {
  const namespace = metadata.labels?.[FEDERATED_RESOURCE_QUOTA_NAMESPACE_LABEL] ?? '';
  const name = metadata.labels?.[FEDERATED_RESOURCE_QUOTA_NAME_LABEL] ?? '';
  return namespace === '' || name === '' ? undefined : `${namespace}/${name}`;
}

export function worksOfQuotas({ informers }: ControllerContext): Informer<Work> {
  return informers.informer(kinds.works, { indexes: { [WORKS_BY_QUOTA]: quotaKeys } });
}

function quotaKeys(work: Work): readonly string[] {
  const key = quotaKeyOf(work);
  return key === undefined ? [] : [key];
}
