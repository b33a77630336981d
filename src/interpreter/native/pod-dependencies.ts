// What a pod template refers to by name: ConfigMaps, Secrets, its service account, volume claims.
import type { JsonObject } from '../../api/index.ts';
import type { Dependency } from '../interpreter.ts';
import { listAt, objectAt, textAt } from './read.ts';

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

/** In order of kind, then of appearance; each once. `namespace` is the template's. */
export function podDependencies(podSpec: JsonObject, namespace: string): readonly Dependency[] {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const claims = new Set<string>();
  for (const { name } of listAt(podSpec, 'imagePullSecrets')) if (typeof name === 'string') secrets.add(name);
  const containers = [
    ...listAt(podSpec, 'initContainers'),
    ...listAt(podSpec, 'containers'),
    ...listAt(podSpec, 'ephemeralContainers'),
  ];
  for (const container of containers) {
    for (const source of listAt(container, 'envFrom')) {
      configMaps.add(textAt(source, 'configMapRef', 'name'));
      secrets.add(textAt(source, 'secretRef', 'name'));
    }
    for (const variable of listAt(container, 'env')) {
      configMaps.add(textAt(variable, 'valueFrom', 'configMapKeyRef', 'name'));
      secrets.add(textAt(variable, 'valueFrom', 'secretKeyRef', 'name'));
    }
  }
  for (const volume of listAt(podSpec, 'volumes')) {
    configMaps.add(textAt(volume, 'configMap', 'name'));
    claims.add(textAt(volume, 'persistentVolumeClaim', 'claimName'));
    for (const path of SECRET_VOLUMES) secrets.add(textAt(volume, ...path));
    for (const source of listAt(objectAt(volume, 'projected'), 'sources')) {
      configMaps.add(textAt(source, 'configMap', 'name'));
      secrets.add(textAt(source, 'secret', 'name'));
    }
  }
  const account = textAt(podSpec, 'serviceAccountName');
  const of = (kind: string, names: Iterable<string>): Dependency[] =>
    [...names].filter((name) => name !== '').map((name) => ({ apiVersion: 'v1', kind, namespace, name }));
  return [
    ...of('ConfigMap', configMaps),
    ...of('Secret', secrets),
    ...of('ServiceAccount', account === 'default' ? [] : [account]),
    ...of('PersistentVolumeClaim', claims),
  ];
}
