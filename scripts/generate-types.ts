// TypeScript types for the built-in kinds, from their schemas. What a schema requires is required, all else is
// optional; everything is readonly because objects are shared and frozen.
import type { Schema } from '../src/api/schema.ts';

const PREFIX = '#/components/schemas/';

/** What these types are in JSON, where the schema alone would give something wider or nothing. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'string | number',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'string | number',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': 'ObjectMeta',
  'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta': 'ListMeta',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Condition': 'Condition',
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference': 'OwnerReference',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'JsonObject',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'JsonObject',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'JsonValue',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps': 'Schema',
};

/** Kinds that our controllers, admission and simulated members handle; their parts come along. */
const ROOTS: readonly string[] = [
  ...[
    'Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod',
    'PodTemplate PodTemplateSpec ReplicationController ResourceQuota Secret Service ServiceAccount Toleration Taint',
  ].flatMap((names) => names.split(' ').map((name) => `io.k8s.api.core.v1.${name}`)),
  ...'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet'
    .split(' ')
    .map((name) => `io.k8s.api.apps.v1.${name}`),
  ...'CronJob Job'.split(' ').map((name) => `io.k8s.api.batch.v1.${name}`),
  'io.k8s.api.autoscaling.v1.Scale',
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  'io.k8s.api.coordination.v1.Lease',
  'io.k8s.api.discovery.v1.EndpointSlice',
  ...'Ingress IngressClass IPAddress NetworkPolicy ServiceCIDR'
    .split(' ')
    .map((name) => `io.k8s.api.networking.v1.${name}`),
  'io.k8s.api.node.v1.RuntimeClass',
  ...'Eviction PodDisruptionBudget'.split(' ').map((name) => `io.k8s.api.policy.v1.${name}`),
  ...'ClusterRole ClusterRoleBinding Role RoleBinding'.split(' ').map((name) => `io.k8s.api.rbac.v1.${name}`),
  'io.k8s.api.scheduling.v1.PriorityClass',
  ...'DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice'
    .split(' ')
    .map((name) => `io.k8s.api.resource.v1.${name}`),
  ...'CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment'
    .split(' ')
    .map((name) => `io.k8s.api.storage.v1.${name}`),
  ...'TokenRequest TokenReview SelfSubjectReview'
    .split(' ')
    .map((name) => `io.k8s.api.authentication.v1.${name}`),
  ...'LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview'
    .split(' ')
    .map((name) => `io.k8s.api.authorization.v1.${name}`),
  'io.k8s.api.certificates.v1.CertificateSigningRequest',
  ...'MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration'
    .split(' ')
    .map((name) => `io.k8s.api.admissionregistration.v1.${name}`),
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  ...'LabelSelector DeleteOptions'.split(' ').map((name) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`),
];

/** Of two types called the same, the one that keeps the plain name; the others get their group in front. */
const PLAIN_NAME_ORDER = ['core.v1', 'meta.v1', 'apps.v1', 'rbac.v1', 'batch.v1', 'discovery.v1'];

function reachable(schemas: Readonly<Record<string, Schema>>): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name) || WELL_KNOWN[name] !== undefined) return;
    const schema = schemas[name];
    if (schema === undefined) throw new Error(`no schema called ${name}`);
    found.add(name);
    // The type of a value has its references at any depth of one definition: a text search finds them all.
    for (const [, inner] of JSON.stringify(schema).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      visit(inner ?? '');
    }
  };
  for (const name of ROOTS) visit(name);
  return [...found].sort();
}

function typeNames(definitions: readonly string[]): Map<string, string> {
  const rank = (definition: string): number => {
    const index = PLAIN_NAME_ORDER.findIndex((part) => definition.includes(`.${part}.`));
    return index < 0 ? PLAIN_NAME_ORDER.length : index;
  };
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const definition of [...definitions].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
    const parts = definition.split('.');
    const [group = '', version = '', kind = ''] = parts.slice(-3);
    const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
    const candidates = [kind, capital(group) + kind, capital(group) + capital(version) + kind];
    const name = candidates.find((candidate) => !taken.has(candidate)) ?? '';
    taken.add(name);
    names.set(definition, name);
  }
  return names;
}

/** Builds the text of kubernetes-types.ts. */
export function kubernetesTypes(table: Readonly<Record<string, unknown>>): string {
  const schemas = table as Readonly<Record<string, Schema>>;
  const definitions = reachable(schemas);
  const names = typeNames(definitions);

  const typeOf = (schema: Schema): string => {
    const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
    if (reference !== undefined) {
      const name = reference.slice(PREFIX.length);
      return WELL_KNOWN[name] ?? names.get(name) ?? 'JsonValue';
    }
    if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
    if (schema.type === 'integer' || schema.type === 'number') return 'number';
    if (schema.type === 'string' || schema.type === 'boolean') return schema.type;
    if (schema.type === 'array') {
      const item = typeOf(schema.items ?? {});
      return `readonly ${/[| ]/.test(item) ? `(${item})` : item}[]`;
    }
    if (schema.additionalProperties !== undefined && typeof schema.additionalProperties === 'object') {
      return `Readonly<Record<string, ${typeOf(schema.additionalProperties)}>>`;
    }
    return schema.type === 'object' ? 'JsonObject' : 'JsonValue';
  };

  const declaration = (definition: string): string => {
    const schema = schemas[definition] ?? {};
    const name = names.get(definition) ?? '';
    if (schema.properties === undefined) return `export type ${name} = ${typeOf(schema)};`;
    const kinds = schema['x-kubernetes-group-version-kind' as keyof Schema] as
      | readonly { group: string; version: string; kind: string }[]
      | undefined;
    const kind = kinds?.length === 1 && schema.properties['metadata'] !== undefined ? kinds[0] : undefined;
    const lines = Object.keys(schema.properties).map((property) => {
      const field = schema.properties?.[property] ?? {};
      const key = /^[A-Za-z_]\w*$/.test(property) ? property : JSON.stringify(property);
      if (kind !== undefined && property === 'apiVersion') {
        return `  readonly apiVersion: '${kind.group === '' ? '' : `${kind.group}/`}${kind.version}';`;
      }
      if (kind !== undefined && property === 'kind') return `  readonly kind: '${kind.kind}';`;
      if (kind !== undefined && property === 'metadata') return '  readonly metadata: ObjectMeta;';
      const optional = schema.required?.includes(property) === true ? '' : '?';
      return `  readonly ${key}${optional}: ${typeOf(field)};`;
    });
    // Not interfaces: only type aliases are assignable to KubeObject and JsonObject with their open keys.
    return `/** ${definition} */\nexport type ${name} = {\n${lines.join('\n')}\n};`;
  };

  const body = definitions.map((definition) => `${declaration(definition)}\n`).join('\n');
  const used = (candidates: string): string =>
    candidates
      .split(' ')
      .filter((name) => new RegExp(`[ (]${name}\\b`).test(body) && !body.includes(`export type ${name} =`))
      .join(', ');
  return [
    '// Generated by scripts/generate.ts; do not edit.',
    '// The built-in kinds that our code handles, as TypeScript types.',
    `import type { ${used('Condition JsonObject JsonValue ListMeta ObjectMeta OwnerReference')} } from '../object.ts';`,
    `import type { Schema } from '../schema.ts';`,
    '',
    body,
  ].join('\n');
}
