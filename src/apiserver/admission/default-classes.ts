// Claims and ingresses that name no class get the one that is marked as the default.
import { deepFreeze, type KubeObject } from '../../api/index.ts';
import { forbidden, type AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

interface ClassRule {
  readonly plugin: string;
  readonly on: { readonly group: string; readonly resource: string };
  readonly classes: { readonly group: string; readonly resource: string };
  readonly mark: string;
  readonly field: string;
  /** Old annotation that names the class too. */
  readonly annotation: string;
}

const RULES: readonly ClassRule[] = [
  {
    plugin: 'DefaultStorageClass',
    on: { group: '', resource: 'persistentvolumeclaims' },
    classes: { group: 'storage.k8s.io', resource: 'storageclasses' },
    mark: 'storageclass.kubernetes.io/is-default-class',
    field: 'storageClassName',
    annotation: 'volume.beta.kubernetes.io/storage-class',
  },
  {
    plugin: 'DefaultIngressClass',
    on: { group: 'networking.k8s.io', resource: 'ingresses' },
    classes: { group: 'networking.k8s.io', resource: 'ingressclasses' },
    mark: 'ingressclass.kubernetes.io/is-default-class',
    field: 'ingressClassName',
    annotation: 'kubernetes.io/ingress.class',
  },
];

/** Of several defaults the newest, and of those of one age the first by name. */
function newest(classes: readonly KubeObject[]): KubeObject | undefined {
  return classes.toSorted((a, b) => {
    const [older, newer] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
    if (older !== newer) return older < newer ? 1 : -1;
    return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
  })[0];
}

function plugin(rule: ClassRule, objects: ObjectAccess): AdmissionPlugin {
  const { on, classes, mark, field, annotation } = rule;
  return {
    name: rule.plugin,
    handles: ({ operation, group, resource, subresource }) =>
      operation === 'CREATE' && group === on.group && resource === on.resource && subresource === '',
    async mutate({ object, name }) {
      const given = object!;
      const spec = (given['spec'] ?? {}) as Readonly<Record<string, unknown>>;
      if (spec[field] !== undefined || given.metadata.annotations?.[annotation] !== undefined) return given;
      const all = await objects.list(classes.group, classes.resource, '');
      const defaults = all.filter(({ metadata }) => metadata.annotations?.[mark] === 'true');
      if (defaults.length > 1 && rule.plugin === 'DefaultIngressClass') {
        throw forbidden(on, name, `${defaults.length} default IngressClasses were found, only 1 allowed`);
      }
      const chosen = newest(defaults);
      if (chosen === undefined) return given;
      return deepFreeze({ ...given, spec: { ...spec, [field]: chosen.metadata.name } });
    },
  };
}

export function defaultClasses(objects: ObjectAccess): readonly AdmissionPlugin[] {
  return RULES.map((rule) => plugin(rule, objects));
}
