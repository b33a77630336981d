// What a pod template refers to by name: ConfigMaps, Secrets, its service account, volume claims.
import type { JsonObject } from '../../api/index.ts';
import type { Dependency } from '../interpreter.ts';
import { listAt, objectAt, textAt, valueAt } from './read.ts';

/** Where a volume source names its Secret, and under which key. */
const SECRET_VOLUMES: readonly (readonly string[])[] = [
  ['secret', 'secretName'],
  ['azureFile', 'secretName'],
  ['cephfs', 'secretRef', 'name'],
  ['cinder', 'secretRef', 'name'],
  ['flexVolume', 'secretRef', 'name'],
  ['rbd', 'secretRef', 'name'],
  ['scaleIO', 'secretRef', 'name'],
  ['iscsi', 'secretRef', 'name'],
  ['storageos', 'secretRef', 'name'],
  ['csi', 'nodePublishSecretRef', 'name'],
];

/** Names with whether a pod can do without: one that anything insists on is not optional. */
type Named = Map<string, boolean>;

function note(names: Named, source: unknown, ...path: readonly string[]): void {
  const name = textAt(source, ...path);
  if (name === '') return;
  const optional = valueAt(source, ...path.slice(0, -1), 'optional') === true;
  names.set(name, optional && names.get(name) !== false);
}

/** In order of kind, then of appearance; each once. `namespace` is the template's. */
export function podDependencies(podSpec: JsonObject, namespace: string): readonly Dependency[] {
  const configMaps: Named = new Map();
  const secrets: Named = new Map();
  const claims: Named = new Map();
  for (const secret of listAt(podSpec, 'imagePullSecrets')) note(secrets, secret, 'name');
  const containers = [
    ...listAt(podSpec, 'initContainers'),
    ...listAt(podSpec, 'containers'),
    ...listAt(podSpec, 'ephemeralContainers'),
  ];
  for (const container of containers) {
    for (const source of listAt(container, 'envFrom')) {
      note(configMaps, source, 'configMapRef', 'name');
      note(secrets, source, 'secretRef', 'name');
    }
    for (const variable of listAt(container, 'env')) {
      note(configMaps, variable, 'valueFrom', 'configMapKeyRef', 'name');
      note(secrets, variable, 'valueFrom', 'secretKeyRef', 'name');
    }
  }
  for (const volume of listAt(podSpec, 'volumes')) {
    note(configMaps, volume, 'configMap', 'name');
    note(claims, volume, 'persistentVolumeClaim', 'claimName');
    for (const path of SECRET_VOLUMES) note(secrets, volume, ...path);
    for (const source of listAt(objectAt(volume, 'projected'), 'sources')) {
      note(configMaps, source, 'configMap', 'name');
      note(secrets, source, 'secret', 'name');
    }
  }
  const accounts: Named = new Map();
  if (textAt(podSpec, 'serviceAccountName') !== 'default') note(accounts, podSpec, 'serviceAccountName');
  const of = (kind: string, names: Named): Dependency[] =>
    [...names].map(([name, optional]) => ({
      apiVersion: 'v1',
      kind,
      namespace,
      name,
      ...(optional ? { optional } : {}),
    }));
  return [
    ...of('ConfigMap', configMaps),
    ...of('Secret', secrets),
    ...of('ServiceAccount', accounts),
    ...of('PersistentVolumeClaim', claims),
  ];
}
