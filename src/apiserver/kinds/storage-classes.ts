// storage.k8s.io: StorageClass and VolumeAttributesClass. The words and the order are kube-apiserver's.
import type { KubeObject, StorageClass } from '../../api/index.ts';
import {
  byteLength,
  fieldError,
  isQualifiedName,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { immutable, named, oneOf } from './checks.ts';
import * as printers from '../table/printers.ts';

// LIMIT: as upstream.
const PARAMETERS_MAX = 512;
const PARAMETER_BYTES_MAX = 256 * 1024;

type Topologies = NonNullable<StorageClass['allowedTopologies']>;
type TopologyTerm = Topologies[number];

/** COMPAT: it is checked, and shown, in lower case. */
function validateProvisioner(provisioner: string, path: string): FieldError[] {
  if (provisioner === '') return [fieldError.required(path)];
  const name = provisioner.toLowerCase();
  return named(isQualifiedName(name), name, path);
}

function validateParameters(parameters: Readonly<Record<string, string>>, path: string): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > PARAMETERS_MAX) return [fieldError.tooLong(path, PARAMETERS_MAX)];
  const bytes = entries.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  return [
    ...entries.flatMap(([key]) =>
      key === '' ? [fieldError.invalid(path, key, 'field can not be empty.')] : [],
    ),
    ...(bytes > PARAMETER_BYTES_MAX ? [fieldError.tooLong(path, PARAMETER_BYTES_MAX)] : []),
  ];
}

function validateTopologyTerm({ matchLabelExpressions = [] }: TopologyTerm, path: string): FieldError[] {
  const keys = new Set<string>();
  return matchLabelExpressions.flatMap((expression, i) => {
    const { key = '', values = [] } = expression as Partial<typeof expression>;
    const at = `${path}.matchLabelExpressions[${i}]`;
    const errors = values.length === 0 ? [fieldError.required(`${at}.values`)] : [];
    for (const [j, value] of values.entries()) {
      if (values.indexOf(value) < j) errors.push(fieldError.duplicate(`${at}.values[${j}]`, value));
    }
    errors.push(...named(isQualifiedName(key), key, `${at}.key`));
    if (keys.has(key)) errors.push(fieldError.duplicate(`${at}.key`, key));
    keys.add(key);
    return errors;
  });
}

/** What a term admits, whatever the order in which it says so. */
function admittedBy({ matchLabelExpressions = [] }: TopologyTerm): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    matchLabelExpressions.map((expression) => {
      const { key = '', values = [] } = expression as Partial<typeof expression>;
      return [key, [...new Set(values)].toSorted()];
    }),
  );
}

function validateTopologies(topologies: Topologies): FieldError[] {
  // COMPAT: upstream starts with as many empty terms as there are terms, and compares with those too.
  const seen: Readonly<Record<string, unknown>>[] = topologies.map(() => ({}));
  return topologies.flatMap((term, i) => {
    const path = `allowedTopologies[${i}]`;
    const errors = validateTopologyTerm(term, path);
    const admitted = admittedBy(term);
    for (const other of seen) {
      if (semanticEqual(other, admitted)) {
        errors.push(fieldError.duplicate(`${path}.matchLabelExpressions`, ''));
      }
    }
    seen.push(admitted);
    return errors;
  });
}

function validateStorageClass(object: KubeObject): FieldError[] {
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies } =
    object as unknown as StorageClass;
  const modes = ['Immediate', 'WaitForFirstConsumer'];
  return [
    ...validateProvisioner(provisioner ?? '', 'provisioner'),
    ...validateParameters(parameters ?? {}, 'parameters'),
    ...oneOf(reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy'),
    ...(volumeBindingMode === undefined || modes.includes(volumeBindingMode)
      ? []
      : [fieldError.notSupported('volumeBindingMode', volumeBindingMode, modes)]),
    ...validateTopologies(allowedTopologies ?? []),
  ];
}

/** COMPAT: what was said of a class stays said, and the refusal shows the new value. */
function unchanged(next: KubeObject, old: KubeObject, fields: readonly string[]): FieldError[] {
  return fields.flatMap((field) => immutable(next[field], old[field], field));
}

export const storageClass: BuiltinKind = {
  defaults: (object) => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  strategy: {
    returnsDeleted: true,
    validate: validateStorageClass,
    validateUpdate: (next, old) => [
      ...validateStorageClass(next),
      ...unchanged(next, old, ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode']),
    ],
  },
  printer: printers.storageClasses,
};

// ---- VolumeAttributesClass

function validateAttributesClass(object: KubeObject): FieldError[] {
  const { driverName = '', parameters = {} } = object as unknown as {
    readonly driverName?: string;
    readonly parameters?: Readonly<Record<string, string>>;
  };
  const why = 'must contain at least one key/value pair';
  return [
    ...validateProvisioner(driverName, 'driverName'),
    ...validateParameters(parameters, 'parameters'),
    ...(Object.keys(parameters).length === 0 ? [fieldError.required('parameters', why)] : []),
  ];
}

export const volumeAttributesClass: BuiltinKind = {
  strategy: {
    returnsDeleted: true,
    validate: validateAttributesClass,
    validateUpdate: (next, old) => [
      ...validateAttributesClass(next),
      ...unchanged(next, old, ['driverName', 'parameters']),
    ],
  },
  printer: printers.volumeAttributesClasses,
};
