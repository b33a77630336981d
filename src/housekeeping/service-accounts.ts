// Every namespace has a service account `default`, for pods that name none.
// Reads: namespaces, service accounts of that name. Writes: creates them.
import type { KubeObject } from '../api/index.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../client/index.ts';
import { act, done, informerSource, runController, type Plan } from '../runtime/index.ts';
import { resources, type Namespace } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

const NAME = 'default';

export interface DefaultAccountInput {
  readonly namespace: Namespace;
  readonly account: KubeObject | undefined;
}

export function decideDefaultAccount({ namespace, account }: DefaultAccountInput): Plan {
  if (account !== undefined || namespace.metadata.deletionTimestamp !== undefined) return {};
  const metadata = { name: NAME, namespace: namespace.metadata.name ?? '' };
  return {
    writes: [
      {
        verb: 'create',
        resource: resources.serviceAccounts,
        object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      },
    ],
  };
}

export async function runServiceAccounts(settings: HousekeepingSettings): Promise<void> {
  const { client, informers } = settings;
  const namespaces = informers.informer(resources.namespaces);
  const accounts = informers.informer(resources.serviceAccounts, { fieldSelector: `metadata.name=${NAME}` });
  await runController({
    ...settings,
    name: 'serviceaccount',
    concurrency: 8,
    sources: [
      informerSource(namespaces, { changed: () => false }),
      informerSource(accounts, { map: ({ metadata }) => metadata.namespace, changed: () => false }),
    ],
    async reconcile(key, { signal }) {
      const namespace = namespaces.store.get(key);
      if (namespace === undefined) return done;
      const account = accounts.store.get({ namespace: key, name: NAME });
      try {
        return await act(decideDefaultAccount({ namespace, account }), { client, signal });
      } catch (error) {
        // Others were faster, with the account or with the end of the namespace.
        if (isAlreadyExists(error) || isNotFound(error) || isNamespaceTerminating(error)) return done;
        throw error;
      }
    },
  });
}
