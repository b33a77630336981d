// The hash of a package's spec on pod templates, byte for byte Glasskube's: taking over its installations must not
// restart their workloads. Whether a package is suspended does not count, nor what else we add.
import type { PackageSpec, ValueConfiguration } from '../api/index.ts';
import { goJson } from '../machinery/index.ts';

/** The text that is hashed: Go's JSON of the spec and a line feed. */
export function specHashText({ packageInfo, values = {} }: PackageSpec): string {
  const { name, version, repositoryName = '' } = packageInfo;
  const names = Object.keys(values).sort();
  const spec = {
    packageInfo: { name, version, ...(repositoryName === '' ? {} : { repositoryName }) },
    ...(names.length === 0
      ? {}
      : { values: Object.fromEntries(names.map((key) => [key, inGoOrder(values[key]!)])) }),
    suspend: false,
  };
  return `${goJson(spec)}\n`;
}

function inGoOrder({ value, valueFrom }: ValueConfiguration): object {
  if (valueFrom === undefined) return { value };
  const { configMapRef, secretRef, packageRef } = valueFrom;
  const key = (reference: NonNullable<typeof secretRef>): object => {
    const { name, namespace = '', key: which } = reference;
    return { name, ...(namespace === '' ? {} : { namespace }), key: which };
  };
  return {
    ...(value === undefined ? {} : { value }),
    valueFrom: {
      ...(configMapRef === undefined ? {} : { configMapRef: key(configMapRef) }),
      ...(secretRef === undefined ? {} : { secretRef: key(secretRef) }),
      ...(packageRef === undefined ? {} : { packageRef: { name: packageRef.name, value: packageRef.value } }),
    },
  };
}
