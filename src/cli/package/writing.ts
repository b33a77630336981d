// Writing what somebody asked for: the package itself, or the FleetPackage that takes it to its clusters; tried with the server
// first where nothing is to be changed.
import type { ValueConfiguration } from '../../api/index.ts';
import type { AnyFleetPackage, AnyPackage } from '../../packaging/index.ts';
import { fleetPackageOf } from './installed.ts';
import { fleetPackagesOfKind, packagesOfKind, type Place } from './place.ts';
import { keyOf } from './waiting.ts';

export interface Change {
  readonly version?: string;
  readonly repositoryName?: string;
  /** All values that it is to have. */
  readonly values?: Readonly<Record<string, ValueConfiguration>>;
}

export interface Changed {
  readonly package: AnyPackage;
  /** It is a roll-out that was changed. */
  readonly fleetPackage: AnyFleetPackage | undefined;
}

/** Changes what is installed, or what is rolled out. Throws StatusError for a conflict with somebody else's change. */
export async function change(
  place: Place,
  one: AnyPackage,
  { version, repositoryName, values }: Change,
  dryRun: boolean,
): Promise<Changed> {
  const fleetPackage = await fleetPackageOf(place, one);
  const before = (fleetPackage?.spec.template ?? one.spec).values ?? {};
  const spec = {
    packageInfo: {
      ...(version === undefined ? {} : { version }),
      ...(repositoryName === undefined ? {} : { repositoryName }),
    },
    ...(values === undefined ? {} : { values: replacing(before, values) }),
  };
  const { resourceVersion = '' } = (fleetPackage ?? one).metadata;
  const metadata = { resourceVersion };
  if (fleetPackage !== undefined) {
    const written = await place.client.patch(
      fleetPackagesOfKind(one.kind),
      keyOf(one),
      { type: 'merge', body: { metadata, spec: { template: spec } } },
      { dryRun },
    );
    return { package: { ...one, spec: written.spec.template }, fleetPackage: written };
  }
  const written = await place.client.patch(
    packagesOfKind(one.kind),
    keyOf(one),
    { type: 'merge', body: { metadata, spec } },
    { dryRun },
  );
  return { package: written, fleetPackage: undefined };
}

/** A merge patch that leaves exactly `after`. */
function replacing(
  before: Readonly<Record<string, ValueConfiguration>>,
  after: Readonly<Record<string, ValueConfiguration>>,
): Readonly<Record<string, unknown>> {
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const set = Object.entries(after).map(([name, { value, valueFrom }]) => [
    name,
    value === undefined
      ? { value: null, valueFrom: { configMapRef: null, secretRef: null, packageRef: null, ...valueFrom } }
      : { value, valueFrom: null },
  ]);
  return Object.fromEntries([...gone.map((name) => [name, null]), ...set]) as Readonly<
    Record<string, unknown>
  >;
}
