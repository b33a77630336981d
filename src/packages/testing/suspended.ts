// A package in two versions, installed in the first, and how tests suspend it, resume it and look at what was written.
import type { PackageSpec } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { kinds } from '../../client/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { resourceOf } from '../resources.ts';
import {
  clusterPackage,
  conditionOf,
  create,
  installed,
  packageWorld,
  read,
  type PackageWorld,
} from './world.ts';

export const P = 'packages.glasskube.dev';
export const place = { namespace: 'n', name: 'settings' };
export const one = clusterPackage('app', 'v1.0.0');
export const MINUTE = 60_000;

export const configMap = (name: string, data: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

/** `app` in two versions, installed in the first. */
export async function worldWithApp(): Promise<PackageWorld> {
  const world = await packageWorld();
  for (const [version, level] of [
    ['v1.0.0', '1'],
    ['v1.1.0', '2'],
  ] as const)
    world.repository.publish(
      'app',
      version,
      { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
      { 'a.yaml': [configMap('settings', { level, mode: 'ours' }), configMap('other', { a: '1' })] },
    );
  await create(world, one);
  await installed(world, one);
  return world;
}

export async function patch(world: PackageWorld, body: object, which: AnyPackage = one): Promise<void> {
  const { name = '', namespace } = which.metadata;
  await world.client.patch(resourceOf(which.kind), { name, namespace }, { type: 'merge', body });
}

export async function suspend(
  world: PackageWorld,
  suspension: PackageSpec['suspension'] = {},
  which = one as AnyPackage,
): Promise<void> {
  await patch(world, { spec: { suspend: true, suspension } }, which);
  await world.until(
    'it says that it is suspended',
    async () => conditionOf(await read(world, which), 'Suspended')?.status === 'True',
  );
}

export async function resume(world: PackageWorld, annotations: Record<string, string> = {}): Promise<void> {
  await patch(world, { metadata: { annotations }, spec: { suspend: null, suspension: null } });
}

export async function dataOf(
  world: PackageWorld,
  name = 'settings',
): Promise<Record<string, string> | undefined> {
  return (await world.client.find(kinds.configMaps, { namespace: 'n', name }))?.['data'] as
    | Record<string, string>
    | undefined;
}

/** Writes that are not into the package's own status, events, or what is kept beside it. */
export function writesToObjects({ writes }: PackageWorld): readonly string[] {
  return writes.filter(
    (write) =>
      !/\/events|\/leases|\/status$|packagerepositories|packageinfos|clusterroles|glasskube-system$/.test(
        write,
      ),
  );
}

export const inFuture = (world: PackageWorld, ms: number): string =>
  formatTime(world.started.clock.now() + ms);
