// Several installations of one package in a namespace: every object is renamed `<instance>-<name>`, references between the
// objects follow, and labels keep their selectors apart. What is not in the package keeps its name.
// COMPAT: as kustomize does it with namePrefix and labels that include selectors and templates.
import {
  PACKAGE_INSTANCE_LABEL,
  PACKAGE_LABEL,
  type KubeObject,
  type ManifestObjectReference,
} from '../api/index.ts';
import { parseApiVersion } from '../api/index.ts';
import { editAt, pathOf } from './edit-at.ts';

export interface PrefixOptions {
  /** Of the Package. */
  readonly instance: string;
  /** Of the manifest. */
  readonly packageName: string;
  /** Objects that others create under the prefix. */
  readonly transitiveResources?: readonly ManifestObjectReference[];
}

// COMPAT: kustomize leaves their names alone, since others go by them.
const UNPREFIXED: ReadonlySet<string> = new Set(['Namespace', 'CustomResourceDefinition', 'APIService']);

/** Where pods are described, by kind. */
const POD_SPECS: Readonly<Record<string, string>> = {
  Pod: 'spec',
  Deployment: 'spec.template.spec',
  ReplicaSet: 'spec.template.spec',
  StatefulSet: 'spec.template.spec',
  DaemonSet: 'spec.template.spec',
  ReplicationController: 'spec.template.spec',
  Job: 'spec.template.spec',
  CronJob: 'spec.jobTemplate.spec.template.spec',
};

interface ReferenceField {
  /** In which kind it is; `*`: in every description of pods, below which `path` is. */
  readonly in: string;
  /** Of the name. */
  readonly path: string;
  /** What it names. */
  readonly kind: string;
}

const CONTAINERS = ['containers[]', 'initContainers[]', 'ephemeralContainers[]'];
const inContainers = (path: string, kind: string): readonly ReferenceField[] =>
  CONTAINERS.map((containers) => ({ in: '*', path: `${containers}.${path}`, kind }));

const REFERENCES: readonly ReferenceField[] = [
  ...inContainers('env[].valueFrom.configMapKeyRef.name', 'ConfigMap'),
  ...inContainers('envFrom[].configMapRef.name', 'ConfigMap'),
  ...inContainers('env[].valueFrom.secretKeyRef.name', 'Secret'),
  ...inContainers('envFrom[].secretRef.name', 'Secret'),
  { in: '*', path: 'volumes[].configMap.name', kind: 'ConfigMap' },
  { in: '*', path: 'volumes[].projected.sources[].configMap.name', kind: 'ConfigMap' },
  { in: '*', path: 'volumes[].secret.secretName', kind: 'Secret' },
  { in: '*', path: 'volumes[].projected.sources[].secret.name', kind: 'Secret' },
  { in: '*', path: 'volumes[].csi.nodePublishSecretRef.name', kind: 'Secret' },
  { in: '*', path: 'volumes[].persistentVolumeClaim.claimName', kind: 'PersistentVolumeClaim' },
  { in: '*', path: 'imagePullSecrets[].name', kind: 'Secret' },
  { in: '*', path: 'serviceAccountName', kind: 'ServiceAccount' },
  { in: '*', path: 'serviceAccount', kind: 'ServiceAccount' },
  { in: 'ServiceAccount', path: 'secrets[].name', kind: 'Secret' },
  { in: 'ServiceAccount', path: 'imagePullSecrets[].name', kind: 'Secret' },
  { in: 'StatefulSet', path: 'spec.serviceName', kind: 'Service' },
  { in: 'Ingress', path: 'spec.rules[].http.paths[].backend.service.name', kind: 'Service' },
  { in: 'Ingress', path: 'spec.defaultBackend.service.name', kind: 'Service' },
  { in: 'Ingress', path: 'spec.rules[].http.paths[].backend.serviceName', kind: 'Service' },
  { in: 'Ingress', path: 'spec.tls[].secretName', kind: 'Secret' },
  { in: 'HTTPRoute', path: 'spec.rules[].backendRefs[].name', kind: 'Service' },
  { in: 'Role', path: 'rules[].resourceNames[]', kind: 'ConfigMap' },
  { in: 'Role', path: 'rules[].resourceNames[]', kind: 'Secret' },
];

/** Lists and fields whose entries say the kind themselves. */
const TYPED_REFERENCES: readonly { readonly in: string; readonly path: string }[] = [
  { in: 'RoleBinding', path: 'roleRef' },
  { in: 'RoleBinding', path: 'subjects[]' },
  { in: 'HorizontalPodAutoscaler', path: 'spec.scaleTargetRef' },
  { in: 'VerticalPodAutoscaler', path: 'spec.targetRef' },
  { in: 'ScaledObject', path: 'spec.scaleTargetRef' },
  { in: 'Certificate', path: 'spec.issuerRef' },
];

interface LabelField {
  readonly in: string;
  readonly path: string;
  /** Whether the labels are put there when there are none. */
  readonly create: boolean;
}

const WORKLOADS = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'];
const LABELS: readonly LabelField[] = [
  { in: 'Service', path: 'spec.selector', create: true },
  { in: 'ReplicationController', path: 'spec.selector', create: true },
  { in: 'ReplicationController', path: 'spec.template.metadata.labels', create: true },
  ...WORKLOADS.flatMap((kind) => [
    { in: kind, path: 'spec.selector.matchLabels', create: true },
    { in: kind, path: 'spec.template.metadata.labels', create: true },
  ]),
  { in: 'StatefulSet', path: 'spec.volumeClaimTemplates[].metadata.labels', create: true },
  { in: 'Job', path: 'spec.selector.matchLabels', create: false },
  { in: 'Job', path: 'spec.template.metadata.labels', create: true },
  { in: 'CronJob', path: 'spec.jobTemplate.spec.selector.matchLabels', create: false },
  { in: 'CronJob', path: 'spec.jobTemplate.metadata.labels', create: true },
  { in: 'CronJob', path: 'spec.jobTemplate.spec.template.metadata.labels', create: true },
  { in: 'PodDisruptionBudget', path: 'spec.selector.matchLabels', create: false },
  { in: 'NetworkPolicy', path: 'spec.podSelector.matchLabels', create: false },
  { in: 'NetworkPolicy', path: 'spec.ingress[].from[].podSelector.matchLabels', create: false },
  { in: 'NetworkPolicy', path: 'spec.egress[].to[].podSelector.matchLabels', create: false },
  ...WORKLOADS.flatMap((kind) =>
    [
      'topologySpreadConstraints[].labelSelector.matchLabels',
      ...['podAffinity', 'podAntiAffinity'].flatMap((affinity) => [
        `affinity.${affinity}.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.labelSelector.matchLabels`,
        `affinity.${affinity}.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector.matchLabels`,
      ]),
    ].map((path) => ({ in: kind, path: `spec.template.spec.${path}`, create: false })),
  ),
  { in: 'Keycloak', path: 'spec.unsupported.podTemplate.metadata.labels', create: true },
];

type Edit = (value: unknown) => unknown;

function edited(object: KubeObject, path: string, edit: Edit, create = false): KubeObject {
  return editAt(object, pathOf(path), edit, create) as KubeObject;
}

/** The objects under their names in the cluster, with references and labels. */
export function prefixObjects(objects: readonly KubeObject[], options: PrefixOptions): readonly KubeObject[] {
  const { instance, packageName, transitiveResources = [] } = options;
  const renamed = new Set(
    [...objects.map(({ kind, metadata }) => ({ kind, name: metadata.name ?? '' })), ...transitiveResources]
      .filter(({ kind }) => !UNPREFIXED.has(kind))
      .map(({ kind, name }) => `${kind}/${name}`),
  );
  const naming =
    (kind: string): Edit =>
    (name) =>
      typeof name === 'string' && renamed.has(`${kind}/${name}`) ? `${instance}-${name}` : name;
  const labels = { [PACKAGE_LABEL]: packageName, [PACKAGE_INSTANCE_LABEL]: instance };
  return objects.map((object) => labelled(referring(renamedObject(object, naming), naming), labels));
}

function renamedObject(object: KubeObject, naming: (kind: string) => Edit): KubeObject {
  return UNPREFIXED.has(object.kind) ? object : edited(object, 'metadata.name', naming(object.kind));
}

function referring(object: KubeObject, naming: (kind: string) => Edit): KubeObject {
  const podSpec = Object.hasOwn(POD_SPECS, object.kind) ? POD_SPECS[object.kind] : undefined;
  let result = object;
  for (const { in: where, path, kind } of REFERENCES) {
    if (where === '*' ? podSpec !== undefined : where === object.kind)
      result = edited(
        result,
        where === '*' ? `${podSpec!}.${path}` : path,
        once(naming(kind), object, where, kind),
      );
  }
  for (const { in: where, path } of TYPED_REFERENCES) {
    if (where !== object.kind) continue;
    result = edited(result, path, (reference) => {
      const { kind, name } = (reference ?? {}) as { readonly kind?: unknown; readonly name?: unknown };
      if (typeof kind !== 'string') return reference;
      const after = naming(kind)(name);
      return after === name ? reference : { ...(reference as object), name: after };
    });
  }
  return result;
}

/** `resourceNames` are looked at for more than one kind: what has been renamed is not renamed again. */
function once(edit: Edit, object: KubeObject, where: string, kind: string): Edit {
  if (where !== 'Role' || kind === 'ConfigMap') return edit;
  const original = new Set(
    (
      (object as { readonly rules?: readonly { readonly resourceNames?: readonly string[] }[] }).rules ?? []
    ).flatMap(({ resourceNames = [] }) => resourceNames),
  );
  return (name) => (typeof name === 'string' && original.has(name) ? edit(name) : name);
}

function labelled(object: KubeObject, labels: Readonly<Record<string, string>>): KubeObject {
  const put: Edit = (before) => ({ ...(before as object | undefined), ...labels });
  let result = edited(object, 'metadata.labels', put, true);
  for (const { in: where, path, create } of LABELS) {
    if (where !== object.kind) continue;
    // COMPAT: Keycloak has that field in this version only.
    if (where === 'Keycloak' && parseApiVersion(object.apiVersion).group !== 'k8s.keycloak.org') continue;
    result = edited(result, path, put, create);
  }
  return result;
}
