// Bootstrap tokens end with their time. Reads and deletes: secrets of type bootstrap.kubernetes.io/token.
import { isNotFound } from '../client/index.ts';
import { act, done, informerSource, runController, type Plan } from '../runtime/index.ts';
import { resources, type Secret } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

const TYPE = 'bootstrap.kubernetes.io/token';
const NAMESPACE = 'kube-system';

export function decideBootstrapToken(secret: Secret, nowMs: number): Plan {
  const encoded = secret.data?.['expiration'];
  if (encoded === undefined) return {};
  const expiresMs = Date.parse(Buffer.from(encoded, 'base64').toString());
  // COMPAT: a time that cannot be read counts as passed: nobody can log in with such a token either.
  if (expiresMs > nowMs) return { requeue: { afterMs: expiresMs - nowMs, reason: 'not expired yet' } };
  const { name = '', namespace, uid = '', resourceVersion = '' } = secret.metadata;
  return {
    writes: [
      {
        verb: 'delete',
        resource: resources.secrets,
        key: { name, namespace },
        preconditions: { uid, resourceVersion },
      },
    ],
  };
}

export async function runBootstrapTokenCleaner(settings: HousekeepingSettings): Promise<void> {
  const { client, informers, clock } = settings;
  const secrets = informers.informer(resources.secrets, {
    namespace: NAMESPACE,
    fieldSelector: `type=${TYPE}`,
  });
  await runController({
    ...settings,
    name: 'token-cleaner',
    sources: [informerSource(secrets)],
    async reconcile(key, { signal }) {
      const secret = secrets.store.get(key);
      if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return done;
      try {
        return await act(decideBootstrapToken(secret, clock.now()), { client, signal });
      } catch (error) {
        if (isNotFound(error)) return done;
        throw error;
      }
    },
  });
}
