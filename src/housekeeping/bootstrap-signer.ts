// Signs kube-public/cluster-info with each bootstrap token, so that who has a token can trust the certificate authority
// in it before having a connection to trust. Reads: that config map, secrets of type bootstrap.kubernetes.io/token.
// Writes: `jws-kubeconfig-ID` of the config map.
import { createHmac } from 'node:crypto';
import { isConflict, isNotFound } from '../client/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { act, done, informerSource, runController, type Plan } from '../runtime/index.ts';
import { resources, type ConfigMap, type Secret } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

const TYPE = 'bootstrap.kubernetes.io/token';
const NAMESPACE = 'kube-public';
const NAME = 'cluster-info';
const CONTENT = 'kubeconfig';
const PREFIX = 'jws-kubeconfig-';

export function decideSignatures(configMap: ConfigMap, secrets: readonly Secret[], nowMs: number): Plan {
  const content = configMap.data?.[CONTENT];
  const others = Object.entries(configMap.data ?? {}).filter(([key]) => !key.startsWith(PREFIX));
  const signatures =
    content === undefined ? [] : secrets.flatMap((secret) => signature(secret, content, nowMs));
  const data = Object.fromEntries([...others, ...signatures]);
  if (deepEqual(data, configMap.data ?? {})) return {};
  return { writes: [{ verb: 'update', resource: resources.configMaps, object: { ...configMap, data } }] };
}

function signature(secret: Secret, content: string, nowMs: number): [string, string][] {
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString();
  const id = field('token-id');
  const key = field('token-secret');
  if (secret.metadata.name !== `bootstrap-token-${id}` || id === '' || key === '') return [];
  if (field('usage-bootstrap-signing') !== 'true') return [];
  const expiration = field('expiration');
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) return [];
  return [[`${PREFIX}${id}`, detachedSignature(content, id, key)]];
}

/** A JSON web signature without its content: HS256 under the secret half of the token, named by the public half. */
function detachedSignature(content: string, tokenId: string, tokenSecret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: tokenId })).toString('base64url');
  const payload = Buffer.from(content).toString('base64url');
  const mac = createHmac('sha256', tokenSecret).update(`${header}.${payload}`).digest('base64url');
  return `${header}..${mac}`;
}

export async function runBootstrapSigner(settings: HousekeepingSettings): Promise<void> {
  const { client, informers, clock } = settings;
  const configMaps = informers.informer(resources.configMaps, {
    namespace: NAMESPACE,
    fieldSelector: `metadata.name=${NAME}`,
  });
  const secrets = informers.informer(resources.secrets, {
    namespace: 'kube-system',
    fieldSelector: `type=${TYPE}`,
  });
  await runController({
    ...settings,
    name: 'bootstrap-signer',
    sources: [informerSource(configMaps), informerSource(secrets, { map: () => `${NAMESPACE}/${NAME}` })],
    async reconcile(key, { signal }) {
      const configMap = configMaps.store.get(key);
      if (configMap === undefined) return done;
      try {
        return await act(decideSignatures(configMap, secrets.store.list(), clock.now()), { client, signal });
      } catch (error) {
        if (isNotFound(error)) return done;
        if (isConflict(error)) return { kind: 'retry', error };
        throw error;
      }
    },
  });
}
