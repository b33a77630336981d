// Every namespace has a ConfigMap `kube-root-ca.crt` by which its pods trust the API server.
// Reads: namespaces, config maps of that name. Writes: creates them and puts their content right.
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../client/index.ts';
import { act, done, informerSource, runController, type Plan } from '../runtime/index.ts';
import { resources, type ConfigMap, type Namespace } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

const NAME = 'kube-root-ca.crt';
const KEY = 'ca.crt';

export interface RootCaInput {
  readonly namespace: Namespace;
  readonly configMap: ConfigMap | undefined;
  /** PEM. */
  readonly certificateAuthority: string;
}

export function decideRootCa({ namespace, configMap, certificateAuthority }: RootCaInput): Plan {
  if (namespace.metadata.deletionTimestamp !== undefined) return {};
  const data = { [KEY]: certificateAuthority };
  if (configMap === undefined) {
    const metadata = { name: NAME, namespace: namespace.metadata.name ?? '' };
    const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    return { writes: [{ verb: 'create', resource: resources.configMaps, object }] };
  }
  const found = configMap.data ?? {};
  if (found[KEY] === certificateAuthority && Object.keys(found).length === 1) return {};
  return { writes: [{ verb: 'update', resource: resources.configMaps, object: { ...configMap, data } }] };
}

export async function runRootCaPublisher(
  settings: HousekeepingSettings & { readonly certificateAuthority: string },
): Promise<void> {
  const { client, informers, certificateAuthority } = settings;
  const namespaces = informers.informer(resources.namespaces);
  const configMaps = informers.informer(resources.configMaps, { fieldSelector: `metadata.name=${NAME}` });
  await runController({
    ...settings,
    name: 'root-ca-certificate-publisher',
    concurrency: 8,
    sources: [
      informerSource(namespaces, { changed: () => false }),
      informerSource(configMaps, { map: ({ metadata }) => metadata.namespace }),
    ],
    async reconcile(key, { signal }) {
      const namespace = namespaces.store.get(key);
      if (namespace === undefined) return done;
      const configMap = configMaps.store.get({ namespace: key, name: NAME });
      try {
        return await act(decideRootCa({ namespace, configMap, certificateAuthority }), { client, signal });
      } catch (error) {
        if (isAlreadyExists(error) || isNotFound(error) || isNamespaceTerminating(error)) return done;
        throw error;
      }
    },
  });
}
