// Writing what somebody asked for: the package itself, or the FleetPackage that takes it to its clusters; tried with the server
// first where nothing is to be changed.
import type { ValueConfiguration } from '../../api/index.ts';
import { isConflict } from '../../client/index.ts';
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

// LIMIT: the status changes while a package works; each time the write is tried again with what is there then.
const TRIES = 10;

/**
 * Changes what is installed, or what is rolled out. Throws StatusError for a conflict: somebody else changed what was looked
 * at before.
 */
export async function change(
  place: Place,
  one: AnyPackage,
  wanted: Change,
  dryRun: boolean,
): Promise<Changed> {
  const seen = (await fleetPackageOf(place, one)) ?? one;
  let current: AnyPackage | AnyFleetPackage = seen;
  for (let tries = 1; ; tries++) {
    try {
      return await write(place, one, current, wanted, dryRun);
    } catch (error) {
      if (!isConflict(error) || tries >= TRIES) throw error;
      current =
        seen === one
          ? await place.client.get(packagesOfKind(one.kind), keyOf(one))
          : await place.client.get(fleetPackagesOfKind(one.kind), keyOf(one));
      if (current.metadata.generation !== seen.metadata.generation) throw error;
    }
  }
}

async function write(
  { client }: Place,
  one: AnyPackage,
  current: AnyPackage | AnyFleetPackage,
  { version, repositoryName, values }: Change,
  dryRun: boolean,
): Promise<Changed> {
  const before = ('template' in current.spec ? current.spec.template : current.spec).values ?? {};
  const spec = {
    packageInfo: {
      ...(version === undefined ? {} : { version }),
      ...(repositoryName === undefined ? {} : { repositoryName }),
    },
    ...(values === undefined ? {} : { values: replacing(before, values) }),
  };
  const metadata = { resourceVersion: current.metadata.resourceVersion ?? '' };
  if ('template' in current.spec) {
    const body = { metadata, spec: { template: spec } };
    const fleetPackage = await client.patch(
      fleetPackagesOfKind(one.kind),
      keyOf(one),
      { type: 'merge', body },
      { dryRun },
    );
    return { package: { ...one, spec: fleetPackage.spec.template }, fleetPackage };
  }
  const body = { metadata, spec };
  const changed = await client.patch(
    packagesOfKind(one.kind),
    keyOf(one),
    { type: 'merge', body },
    { dryRun },
  );
  return { package: changed, fleetPackage: undefined };
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
