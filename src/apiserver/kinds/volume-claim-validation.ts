// What makes claims of volumes valid, on their own and inside templates. The words and the order are kube-apiserver's.
import type { PersistentVolumeClaimSpec } from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  semanticEqual,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { named, oneOfIfGiven } from './checks.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** Which modes, not whether there are any. */
export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode));
  return [
    ...modes.flatMap((mode) =>
      ACCESS_MODES.includes(mode) ? [] : [fieldError.notSupported(path, mode, ACCESS_MODES)],
    ),
    ...(modes.includes('ReadWriteOncePod') && others
      ? [fieldError.forbidden(path, 'may not use ReadWriteOncePod with other access modes')]
      : []),
  ];
}

export function validateClass(name: string | undefined, path: string): FieldError[] {
  return name === undefined || name === '' ? [] : named(isDns1123Subdomain(name), name, path);
}

type DataSource = NonNullable<PersistentVolumeClaimSpec['dataSourceRef']>;

function validateDataSource(source: DataSource, path: string): FieldError[] {
  const { name, kind, apiGroup = '', namespace = '' } = source;
  const errors: FieldError[] = [];
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  if (kind === '') errors.push(fieldError.required(`${path}.kind`));
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(fieldError.invalid(path, kind, why));
  }
  if (apiGroup !== '') errors.push(...named(isDns1123Subdomain(apiGroup), apiGroup, `${path}.apiGroup`));
  if (namespace !== '') errors.push(...named(isDns1123Label(namespace), namespace, `${path}.namespace`));
  return errors;
}

export function validatePvcSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes = [], selector, dataSource, dataSourceRef } = spec;
  const errors: FieldError[] = [];
  if (accessModes.length === 0) {
    errors.push(fieldError.required(`${path}.accessModes`, 'at least 1 access mode is required'));
  }
  if (selector !== undefined) errors.push(...validateLabelSelector(selector, `${path}.selector`));
  errors.push(...validateAccessModes(accessModes, `${path}.accessModes`));
  const storage = Quantity.tryParse(spec.resources?.requests?.['storage']);
  const at = `${path}.resources[storage]`;
  if (storage === undefined) errors.push(fieldError.required(at));
  else if (storage.sign <= 0) {
    errors.push(fieldError.invalid(at, String(storage), 'must be greater than zero'));
  }
  errors.push(
    ...validateClass(spec.storageClassName, `${path}.storageClassName`),
    ...oneOfIfGiven(spec.volumeMode, ['Block', 'Filesystem'], `${path}.volumeMode`),
  );
  if (dataSource !== undefined) errors.push(...validateDataSource(dataSource, `${path}.dataSource`));
  if (dataSourceRef !== undefined) errors.push(...validateDataSource(dataSourceRef, `${path}.dataSourceRef`));
  if (dataSource !== undefined && dataSourceRef !== undefined) {
    // COMPAT: what is shown is where the field is.
    const refuse = (why: string): void =>
      void errors.push(fieldError.invalid(path, `${path}.dataSource`, why));
    const { namespace = '', ...local } = dataSourceRef;
    if (namespace !== '') refuse('may not be specified when dataSourceRef.namespace is specified');
    else if (!semanticEqual(dataSource, local)) refuse('must match dataSourceRef');
  }
  errors.push(...validateClass(spec.volumeAttributesClassName, `${path}.volumeAttributesClassName`));
  return errors;
}
