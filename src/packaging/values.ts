// Values that users set: where they come from, and whether they are what the manifest asks for.
import type { PackageManifest, ValueConfiguration, ValueDefinition } from '../api/index.ts';
import { PatternError, byteLength, compilePattern } from '../machinery/index.ts';

/** Values as texts, by name. */
export type Values = Readonly<Record<string, string>>;

/** Something that has to be read before a value is known. */
export type ValueReference =
  | {
      readonly kind: 'ConfigMap' | 'Secret';
      readonly namespace: string;
      readonly name: string;
      readonly key: string;
    }
  | { readonly kind: 'ClusterPackage'; readonly name: string; readonly value: string };

/** How the objects that values refer to are read. Undefined: there is none. */
export interface ValueSources {
  /** Text of the key; undefined: there is no such object or key, `missing` says which. */
  data(kind: 'ConfigMap' | 'Secret', namespace: string, name: string, key: string): Lookup;
  /** The configuration of a ClusterPackage. */
  packageValues(name: string): Readonly<Record<string, ValueConfiguration>> | undefined;
}

export type Lookup = { readonly text: string } | { readonly missing: string };

export interface ResolvedValues {
  readonly values: Values;
  /** A line for each value that cannot be resolved or is not valid. */
  readonly problems: readonly string[];
}

// LIMIT: packages that take a value from each other in a row.
const CHAIN_MAX = 16;

/** What is read for a value; the namespace is the package's where none is named. */
export function referenceOf(
  configuration: ValueConfiguration,
  namespace: string,
): ValueReference | undefined {
  const { configMapRef, secretRef, packageRef } = configuration.valueFrom ?? {};
  const place = (kind: 'ConfigMap' | 'Secret', ref: NonNullable<typeof secretRef>): ValueReference => ({
    kind,
    namespace: ref.namespace === undefined || ref.namespace === '' ? namespace : ref.namespace,
    name: ref.name,
    key: ref.key,
  });
  if (configMapRef !== undefined) return place('ConfigMap', configMapRef);
  if (secretRef !== undefined) return place('Secret', secretRef);
  return packageRef === undefined ? undefined : { kind: 'ClusterPackage', ...packageRef };
}

/** Everything that has to be read to know the values, through packages that refer to packages. */
export function valueReferences(
  configured: Readonly<Record<string, ValueConfiguration>>,
  namespace: string,
  packageValues: ValueSources['packageValues'],
): readonly Exclude<ValueReference, { readonly kind: 'ClusterPackage' }>[] {
  const found: Exclude<ValueReference, { readonly kind: 'ClusterPackage' }>[] = [];
  const visit = (configuration: ValueConfiguration, from: string, depth: number): void => {
    const reference = referenceOf(configuration, from);
    if (reference === undefined || depth > CHAIN_MAX) return;
    if (reference.kind !== 'ClusterPackage') {
      found.push(reference);
      return;
    }
    const next = own(packageValues(reference.name), reference.value);
    if (next !== undefined) visit(next, '', depth + 1);
  };
  for (const configuration of Object.values(configured)) visit(configuration, namespace, 0);
  return found;
}

function own<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Every value as a text; all that cannot be resolved is told. */
export function resolveValues(
  configured: Readonly<Record<string, ValueConfiguration>>,
  namespace: string,
  sources: ValueSources,
): ResolvedValues {
  const values: [string, string][] = [];
  const problems: string[] = [];
  for (const name of Object.keys(configured).sort()) {
    const found = resolveOne(configured[name]!, namespace, sources, []);
    if ('text' in found) values.push([name, found.text]);
    else problems.push(`value "${name}": ${found.missing}`);
  }
  return { values: Object.fromEntries(values), problems };
}

function resolveOne(
  configuration: ValueConfiguration,
  namespace: string,
  sources: ValueSources,
  trail: readonly string[],
): Lookup {
  if (configuration.value !== undefined) return { text: configuration.value };
  const reference = referenceOf(configuration, namespace);
  if (reference === undefined) return { missing: 'neither a value nor where to read it' };
  if (reference.kind !== 'ClusterPackage') {
    const { kind, name, key } = reference;
    if (reference.namespace === '')
      return { missing: `the reference to ${kind} "${name}" names no namespace; set one` };
    return sources.data(kind, reference.namespace, name, key);
  }
  const step = `${reference.name}.${reference.value}`;
  if (trail.includes(step))
    return { missing: `packages take it from each other in a circle: ${[...trail, step].join(' -> ')}` };
  if (trail.length >= CHAIN_MAX)
    return { missing: `more than ${CHAIN_MAX} packages take it from each other` };
  const given = sources.packageValues(reference.name);
  if (given === undefined)
    return { missing: `there is no ClusterPackage "${reference.name}" to take it from` };
  const next = own(given, reference.value);
  if (next === undefined)
    return { missing: `ClusterPackage "${reference.name}" sets no value "${reference.value}" to take` };
  return resolveOne(next, '', sources, [...trail, step]);
}

/** What is wrong with values, a line each; values that are references only are not looked at. */
export function validateValues(
  { valueDefinitions = {}, name: called }: PackageManifest,
  values: Values,
  referenced: ReadonlySet<string> = new Set(),
): readonly string[] {
  const problems: string[] = [];
  const known = Object.keys(valueDefinitions).sort();
  for (const name of Object.keys(values).sort()) {
    const definition = own(valueDefinitions, name);
    if (definition === undefined)
      problems.push(
        `value "${name}": package "${called}" has no such value; ${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`}`,
      );
    else problems.push(...complaintsOf(definition, values[name]!).map((why) => `value "${name}": ${why}`));
  }
  for (const name of known) {
    const { constraints } = valueDefinitions[name]!;
    if (constraints?.required === true && !Object.hasOwn(values, name) && !referenced.has(name))
      problems.push(`value "${name}": required`);
  }
  return problems;
}

const INTEGER = /^[+-]?[0-9]+$/;
const BOOLEANS = ['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False'];

function complaintsOf(
  { type, options = [], constraints = {} }: ValueDefinition,
  value: string,
): readonly string[] {
  const { min, max, minLength, maxLength } = constraints;
  switch (type) {
    case 'boolean':
      return BOOLEANS.includes(value) ? [] : [`"${value}" is neither true nor false`];
    case 'options':
      return options.includes(value) ? [] : [`"${value}" is none of ${options.join(', ')}`];
    case 'number': {
      const number = INTEGER.test(value) ? BigInt(value.replace('+', '')) : undefined;
      if (number === undefined || BigInt.asIntN(64, number) !== number)
        return [`"${value}" is no whole number`];
      return [
        ...(min !== undefined && number < BigInt(Math.ceil(min)) ? [`${value} is less than ${min}`] : []),
        ...(max !== undefined && number > BigInt(Math.floor(max)) ? [`${value} is more than ${max}`] : []),
        ...patternComplaint(constraints.pattern, value),
      ];
    }
    case 'text': {
      // COMPAT: bytes, not characters.
      const length = byteLength(value);
      return [
        ...(minLength !== undefined && length < minLength ? [`shorter than ${minLength} bytes`] : []),
        ...(maxLength !== undefined && length > maxLength ? [`longer than ${maxLength} bytes`] : []),
        ...patternComplaint(constraints.pattern, value),
      ];
    }
    default:
      return [`its type "${String(type)}" is unknown to this release`];
  }
}

function patternComplaint(pattern: string | undefined, value: string): readonly string[] {
  if (pattern === undefined || pattern === '') return [];
  try {
    return compilePattern(pattern).test(value) ? [] : [`"${value}" does not match ${pattern}`];
  } catch (error) {
    if (error instanceof PatternError)
      return [`the package's pattern ${pattern} cannot be read: ${error.message}`];
    throw error;
  }
}
