// The two pure steps of a reconcile: from what was read to the objects that are wanted, and from those and what is there to
// the steps that lead from one to the other.
import {
  PACKAGE_MANAGED_LABEL,
  PACKAGE_MANAGED_VALUE,
  PACKAGES_GROUP,
  INSTALLED_AS_DEPENDENCY_ANNOTATION,
  PACKAGES_API_VERSION,
  RECONCILE_ANNOTATION,
  type KubeObject,
  type OwnedResourceReference,
  type PackageManifest,
  type ValueConfiguration,
} from '../api/index.ts';
import { deepEqual, isBeingDeleted, ownerReference } from '../machinery/index.ts';
import type { PackageCharts } from './charts/package-charts.ts';
import { edgesOf, scopeComplaint } from './graph.ts';
import { helmComplaint } from './manifest.ts';
import {
  packageId,
  packageKey,
  packageReference,
  type AnyPackage,
  type PackageId,
} from './package-object.ts';
import { PatchError, transformationPatches, valuePatches } from './patches.ts';
import type { PackagePlan, PackageReason, PackageStep, PackageVerdict } from './plan.ts';
import {
  RenderError,
  missingFlux,
  renderPackage,
  resourceKey,
  resourceReference,
  type KindLookup,
  type ManifestFile,
  type RenderedObject,
} from './render.ts';
import type { Requirement, Resolution } from './solve.ts';
import { validateValues, type ResolvedValues } from './values.ts';

export interface PrepareInput {
  readonly package: AnyPackage;
  readonly manifest: PackageManifest;
  readonly files: readonly ManifestFile[];
  /** Its charts; undefined: it has none, or they go through Flux. */
  readonly charts?: PackageCharts | undefined;
  readonly values: ResolvedValues;
  /** What transformation number `index` reads, where it is not the package itself. */
  readonly transformationSource: (index: number) => KubeObject | undefined;
  readonly resolution: Resolution;
  /** All packages of the cluster. */
  readonly packages: readonly AnyPackage[];
  readonly isNamespaced: KindLookup;
  readonly specHash: string;
}

export interface Prepared {
  readonly package: AnyPackage;
  readonly manifest: PackageManifest;
  readonly resolution: Resolution;
  readonly rendered: readonly RenderedObject[];
  /** How its charts are installed, where it has any. */
  readonly charts?: Exclude<PackageCharts, { readonly refused: string }> | undefined;
  /** What is needed directly and is not ready. */
  readonly waitingFor: readonly Dependency[];
  /** Packages that it needs and that are there. */
  readonly needed: readonly AnyPackage[];
}

export interface Dependency {
  readonly id: PackageId;
  readonly state: 'Missing' | 'Failed' | 'Waiting';
  readonly message: string;
}

function failed(reason: PackageReason, message: string): PackageVerdict {
  return { state: 'Failed', reason, message };
}

/** The objects of a package, or why there can be none. Nothing is written before this has succeeded. */
export function preparePackage(input: PrepareInput): Prepared | PackageVerdict {
  const { package: owner, manifest, resolution, values } = input;
  if (manifest.kustomize !== undefined)
    return failed(
      'UnsupportedFormat',
      `package "${manifest.name}" is made with kustomize, which is not supported`,
    );
  const scope = scopeComplaint(owner.kind, manifest) ?? packageComplaint(owner);
  if (scope !== undefined) return failed('InstallationFailed', scope);
  const chart = helmComplaint(manifest);
  if (chart !== undefined)
    return failed('UnsupportedFormat', `the charts of package "${manifest.name}": ${chart}`);
  if (resolution.reasons.length > 0) return failed('InstallationFailed', resolution.reasons.join('. '));
  const problems = [
    ...values.problems,
    ...validateValues(manifest, values.values, unresolved(owner, values)),
  ];
  if (problems.length > 0) return failed('ValueConfigurationInvalid', problems.join('; '));
  const needed = neededPackages(owner, manifest, input.packages);
  const waitingFor = waited(owner, manifest, input.packages);
  // What a dependency brings is served once it is ready; until then everything else is checked.
  const early: KindLookup = (apiVersion, kind) =>
    input.isNamespaced(apiVersion, kind) ?? (waitingFor.length > 0 ? true : undefined);
  const { charts } = input;
  if (charts !== undefined && 'refused' in charts) return failed(charts.reason, charts.refused);
  const flux = charts?.through === 'Binary' ? undefined : missingFlux(manifest, early);
  if (flux !== undefined)
    return failed(
      'HelmUnavailable',
      `package "${manifest.name}" installs charts through Flux, and the cluster does not serve ${flux}; install Flux's source-controller and helm-controller first`,
    );
  try {
    const patches = [
      ...valuePatches(manifest, values.values),
      ...transformationPatches(manifest, (index) =>
        manifest.transformations?.[index]?.source.resource === undefined
          ? owner
          : input.transformationSource(index),
      ),
    ];
    const rendered = renderPackage({ ...input, charts, patches, isNamespaced: early });
    return { package: owner, manifest, resolution, rendered, waitingFor, needed, charts };
  } catch (error) {
    if (error instanceof RenderError || error instanceof PatchError)
      return failed('InstallationFailed', error.message);
    throw error;
  }
}

/** What is wrong with a package, as far as it alone can tell; undefined: nothing. */
export function packageComplaint(owner: AnyPackage): string | undefined {
  const { name, version } = owner.spec.packageInfo;
  for (const [field, text] of [
    ['name', name],
    ['version', version],
  ] as const) {
    if (text.trim() === '') return `spec.packageInfo.${field} is empty`;
    // They become parts of an address.
    if (text === '.' || text === '..' || text.includes('/'))
      return `spec.packageInfo.${field} cannot be "${text}"`;
  }
  if (owner.kind === 'Package' || owner.metadata.name === name) return undefined;
  return `a ClusterPackage is called like its package: name it "${name}" instead of "${owner.metadata.name ?? ''}"`;
}

/** Values that are set but not known: they are complained of once. */
function unresolved({ spec }: AnyPackage, { values }: ResolvedValues): ReadonlySet<string> {
  return new Set(Object.keys(spec.values ?? {}).filter((name) => !Object.hasOwn(values, name)));
}

export function isPrepared(result: Prepared | PackageVerdict): result is Prepared {
  return 'rendered' in result;
}

function find(packages: readonly AnyPackage[], id: PackageId): AnyPackage | undefined {
  return packages.find((one) => packageKey(packageId(one)) === packageKey(id));
}

function neededPackages(
  owner: AnyPackage,
  manifest: PackageManifest,
  packages: readonly AnyPackage[],
): readonly AnyPackage[] {
  return edgesOf(manifest, packageId(owner)).flatMap(({ to }) => find(packages, to) ?? []);
}

function waited(
  owner: AnyPackage,
  manifest: PackageManifest,
  packages: readonly AnyPackage[],
): readonly Dependency[] {
  return edgesOf(manifest, packageId(owner)).flatMap(({ to: id }): readonly Dependency[] => {
    const there = find(packages, id);
    if (there === undefined || isBeingDeleted(there))
      return [{ id, state: 'Missing', message: there === undefined ? 'being created' : 'being uninstalled' }];
    const condition = (type: string): { readonly status: string; readonly message: string } | undefined =>
      there.status?.conditions?.find((one) => one.type === type);
    const failure = condition('Failed');
    if (failure?.status === 'True') return [{ id, state: 'Failed', message: failure.message }];
    const ready = condition('Ready');
    return ready?.status === 'True'
      ? []
      : [{ id, state: 'Waiting', message: ready?.message ?? 'not installed yet' }];
  });
}

// ---- from the objects to the steps

export interface PlanInput {
  readonly prepared: Prepared;
  /** What is in the cluster, by resourceKey; absent: nothing of that name. */
  readonly live: ReadonlyMap<string, KubeObject>;
  /** Objects in `status.ownedResources` that are not wanted any more, as they are in the cluster. */
  readonly leftovers: ReadonlyMap<string, KubeObject>;
}

export function planPackage({ prepared, live, leftovers }: PlanInput): PackagePlan {
  const { package: owner, resolution, rendered, manifest } = prepared;
  const references = rendered.map(({ object }) => resourceReference(object));
  const wanted = new Set(references.map(resourceKey));
  const before = owner.status?.ownedResources ?? [];
  const gone = before.filter((reference) => !wanted.has(resourceKey(reference)));
  const owned = [...references, ...gone.filter((reference) => leftovers.has(resourceKey(reference)))];
  const taken = rendered.flatMap(({ object }) => takenBy(owner, object, live) ?? []);
  const all = { rendered: rendered.map(({ object }) => object), owned, explanation: resolution.explanation };
  if (taken.length > 0) return { ...all, steps: [], verdict: failed('InstallationFailed', taken.join('; ')) };
  const steps: PackageStep[] = [
    ...resolution.requirements.map((requirement) => creationOf(requirement, owner, manifest)),
    ...componentSteps(prepared),
  ];
  const late = prepared.waitingFor;
  if (late.length > 0) return { ...all, steps, verdict: waitingVerdict(late) };
  for (const { object, stage, implied } of rendered) {
    const there = live.get(resourceKey(resourceReference(object)));
    if (there?.metadata.annotations?.[RECONCILE_ANNOTATION] === 'disabled') continue;
    const ours = there === undefined || isManaged(there);
    // A namespace that is only implied and there already stays as it is.
    if (!ours && implied) continue;
    steps.push({
      do: 'Apply',
      object: ours ? ownedBy(owner, object, there) : unmanaged(object),
      stage,
      owned: ours,
    });
  }
  for (const reference of gone) {
    const there = leftovers.get(resourceKey(reference));
    if (there !== undefined && isOwned(owner, there)) steps.push({ do: 'Prune', reference });
  }
  return { ...all, steps, verdict: { state: 'Ready', reason: 'InstallationSucceeded', message: '' } };
}

function waitingVerdict(late: readonly Dependency[]): PackageVerdict {
  const broken = late.filter(({ state }) => state === 'Failed');
  if (broken.length > 0)
    return failed(
      'InstallationFailed',
      broken.map(({ id, message }) => `it needs ${packageKey(id)}, which failed: ${message}`).join('; '),
    );
  return {
    state: 'Unknown',
    reason: 'Pending',
    message: `waiting for ${late.map(({ id, message }) => `${packageKey(id)} (${message})`).join(', ')}`,
  };
}

export function isManaged({ metadata }: KubeObject): boolean {
  return metadata.labels?.[PACKAGE_MANAGED_LABEL] === PACKAGE_MANAGED_VALUE;
}

/** Whether the object is of this package, by label and owner reference. */
export function isOwned(owner: AnyPackage, object: KubeObject): boolean {
  return (
    isManaged(object) && (object.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.metadata.uid)
  );
}

// Several packages may want these, and each can do with what another made of it.
const SHARED: ReadonlySet<string> = new Set(['Namespace', 'CustomResourceDefinition']);

/** Why the object cannot be had, since another package has it. */
function takenBy(
  owner: AnyPackage,
  object: KubeObject,
  live: ReadonlyMap<string, KubeObject>,
): string | undefined {
  const there = live.get(resourceKey(resourceReference(object)));
  if (there === undefined || SHARED.has(object.kind)) return undefined;
  const others = packageOwners(there).filter(({ uid }) => uid !== owner.metadata.uid);
  const [other] = others;
  if (other === undefined) return undefined;
  const { kind, metadata } = object;
  const place = metadata.namespace === undefined ? '' : `${metadata.namespace}/`;
  return `${kind} ${place}${metadata.name ?? ''} belongs to ${other.kind} "${other.name}" already; uninstall that one, or rename one of them`;
}

function packageOwners({ metadata }: KubeObject): NonNullable<KubeObject['metadata']['ownerReferences']> {
  return (metadata.ownerReferences ?? []).filter(({ apiVersion }) =>
    apiVersion.startsWith(`${PACKAGES_GROUP}/`),
  );
}

/** With us among its owners, beside other packages that own it too: what is applied names all. */
function ownedBy(owner: AnyPackage, object: KubeObject, there: KubeObject | undefined): KubeObject {
  const others =
    there === undefined ? [] : packageOwners(there).filter(({ uid }) => uid !== owner.metadata.uid);
  const ours = { ...ownerReference(owner), blockOwnerDeletion: true };
  return { ...object, metadata: { ...object.metadata, ownerReferences: [...others, ours] } };
}

/** It was there before us, and stays when we go. */
function unmanaged(object: KubeObject): KubeObject {
  const { [PACKAGE_MANAGED_LABEL]: _, ...labels } = object.metadata.labels ?? {};
  return { ...object, metadata: { ...object.metadata, labels } };
}

type ComponentValues = Readonly<Record<string, { readonly value?: string }>>;

function componentValues(
  values: ComponentValues | undefined,
): Readonly<Record<string, ValueConfiguration>> | undefined {
  if (values === undefined || Object.keys(values).length === 0) return undefined;
  return Object.fromEntries(Object.entries(values).map(([name, { value = '' }]) => [name, { value }]));
}

function valuesFor(
  owner: AnyPackage,
  manifest: PackageManifest,
  id: PackageId,
): Readonly<Record<string, ValueConfiguration>> | undefined {
  const { name } = packageId(owner);
  const component = (manifest.components ?? []).find(
    ({ name: called, installedName = '' }) =>
      `${name}-${installedName === '' ? called : installedName}` === id.name,
  );
  return componentValues(component?.values);
}

function creationOf(requirement: Requirement, owner: AnyPackage, manifest: PackageManifest): PackageStep {
  const { kind, name, namespace, packageName, version, repositoryName, component } = requirement;
  const values = component && !requirement.transitive ? valuesFor(owner, manifest, requirement) : undefined;
  const object = {
    apiVersion: PACKAGES_API_VERSION,
    kind,
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      annotations: { [INSTALLED_AS_DEPENDENCY_ANNOTATION]: 'true' },
    },
    spec: {
      packageInfo: { name: packageName, version, ...(repositoryName === '' ? {} : { repositoryName }) },
      ...(values === undefined ? {} : { values }),
    },
  };
  return { do: 'CreatePackage', kind, object };
}

/** Values of components are the parent's to say; those of shared dependencies are their own. */
function componentSteps({ package: owner, manifest, needed }: Prepared): readonly PackageStep[] {
  const components = new Set(
    edgesOf(manifest, packageId(owner))
      .filter(({ component }) => component)
      .map(({ to }) => packageKey(to)),
  );
  return needed
    .filter((one) => one.kind === 'Package' && components.has(packageKey(packageId(one))))
    .flatMap((one): readonly PackageStep[] => {
      const values = valuesFor(owner, manifest, packageId(one));
      if (deepEqual(one.spec.values ?? {}, values ?? {})) return [];
      const { values: _, ...spec } = one.spec;
      const object = { ...one, spec: { ...spec, ...(values === undefined ? {} : { values }) } };
      return [{ do: 'SetComponentValues', kind: 'Package', object: object as unknown as KubeObject }];
    });
}

/** Everything that the package needs or is about to create, for `status.ownedPackages`. */
export function ownedPackages({
  package: owner,
  needed,
  resolution,
}: Prepared): readonly OwnedResourceReference[] {
  const wanted = new Map<string, OwnedResourceReference>();
  for (const one of needed) {
    const reference = packageReference(one.kind, packageId(one));
    wanted.set(resourceKey(reference), reference);
  }
  for (const { kind, name, namespace } of resolution.requirements) {
    const reference = packageReference(kind, { name, namespace });
    wanted.set(resourceKey(reference), reference);
  }
  for (const reference of owner.status?.ownedPackages ?? [])
    if (!wanted.has(resourceKey(reference))) wanted.set(resourceKey(reference), reference);
  return [...wanted.values()];
}

/** Whether something that it needs is not ready yet; what that brings is not served before. */
export function isWaiting(
  owner: AnyPackage,
  manifest: PackageManifest,
  packages: readonly AnyPackage[],
): boolean {
  return waited(owner, manifest, packages).length > 0;
}
