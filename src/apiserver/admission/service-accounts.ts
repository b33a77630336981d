// Pods run as a service account of their namespace, and find its token and the cluster's CA in a volume.
import type { Container, KubeObject, Pod, PodSpec, ServiceAccount, Volume } from '../../api/index.ts';
import { forbidden, type AdmissionAttributes, type AdmissionPlugin } from '../../machinery/index.ts';
import { deepFreeze } from '../../api/index.ts';
import type { AdmissionEnvironment } from './builtin.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour and a little, so that kubelets can renew at each hour. */
const TOKEN_LIFETIME_SECONDS = 3607;
const MIRROR_POD = 'kubernetes.io/config.mirror';

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_LIFETIME_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}

/** Every container without a mount of its own at the place gets one. */
function withToken(spec: PodSpec, volumeName: string): PodSpec {
  let used = false;
  const mounted = (containers: readonly Container[] | undefined): readonly Container[] | undefined =>
    containers?.map((container) => {
      if ((container.volumeMounts ?? []).some(({ mountPath }) => mountPath === TOKEN_PATH)) return container;
      used = true;
      const mount = { name: volumeName, readOnly: true, mountPath: TOKEN_PATH };
      return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
    });
  const containers = mounted(spec.containers) ?? [];
  const initContainers = mounted(spec.initContainers);
  if (!used) return spec;
  return {
    ...spec,
    containers,
    ...(initContainers === undefined ? {} : { initContainers }),
    volumes: [...(spec.volumes ?? []), tokenVolume(volumeName)],
  };
}

export function serviceAccounts({
  objects,
  suffix,
  podsAreTemplates,
}: AdmissionEnvironment): AdmissionPlugin {
  const accountOf = async (
    attributes: AdmissionAttributes,
    name: string,
  ): Promise<ServiceAccount | undefined> => {
    const found = await objects.get('', 'serviceaccounts', attributes.namespace, name);
    if (found !== undefined) return found as unknown as ServiceAccount;
    if (podsAreTemplates) return undefined;
    const why = `error looking up service account ${attributes.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
    throw forbidden({ group: '', resource: 'pods' }, attributes.name, why);
  };
  return {
    name: 'ServiceAccount',
    handles: ({ operation, group, resource, subresource }) =>
      operation === 'CREATE' && group === '' && resource === 'pods' && subresource === '',
    async mutate(attributes) {
      const object = attributes.object as KubeObject;
      if (object.metadata.annotations?.[MIRROR_POD] !== undefined) return object;
      const given = (object as unknown as Pod).spec!;
      const name = (given.serviceAccountName ?? '') === '' ? 'default' : given.serviceAccountName!;
      const account = await accountOf(attributes, name);
      if (account === undefined) return object;
      let spec: PodSpec = { ...given, serviceAccountName: name, serviceAccount: name };
      const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
      if (mounts) spec = withToken(spec, `kube-api-access-${suffix()}`);
      if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
        spec = { ...spec, imagePullSecrets: account.imagePullSecrets! };
      }
      return deepFreeze({ ...object, spec });
    },
  };
}
