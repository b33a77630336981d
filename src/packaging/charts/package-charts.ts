// The charts of one package, from what its manifest says to what is applied: which way they go, what they are called, and what
// they render to. Shared by the operator and by who only wants to know.
import type { KubeObject, PackageManifest } from '../../api/index.ts';
import { releasesOf, type PlannedRelease } from '../manifest.ts';
import type { AnyPackage } from '../package-object.ts';
import {
  PatchError,
  patchChartValues,
  transformationPatches,
  valuePatches,
  type ValuePatch,
} from '../patches.ts';
import type { ResolvedValues } from '../values.ts';
import type { ChartRenderer, Pinned, RenderedCharts } from './renderer.ts';
import type { ChartPlace } from './source.ts';
import { ChartError, type Capabilities, type ChartToRender, type RenderedChart } from './template.ts';
import { decideHelmWay, type HelmMode } from './way.ts';

export type PackageCharts =
  | { readonly through: 'Flux'; readonly why: string; readonly repositoryUrl: string }
  | {
      readonly through: 'Binary';
      readonly why: string;
      /** Of helm. */
      readonly version: string;
      readonly charts: readonly RenderedChart[];
      readonly digests: RenderedCharts['digests'];
    }
  | { readonly refused: string; readonly reason: 'HelmUnavailable' | 'InstallationFailed' };

/** What an operator has of helm, and what it was told. */
export interface HelmSetting {
  readonly mode: HelmMode;
  readonly renderer: ChartRenderer | { readonly missing: string };
}

export interface PackageChartsInput {
  readonly package: AnyPackage;
  readonly manifest: PackageManifest;
  readonly values: ResolvedValues;
  readonly transformationSource: (index: number) => KubeObject | undefined;
  readonly helm: HelmSetting;
  /** Kinds of Flux that the cluster does not serve. */
  readonly missingFlux: string | undefined;
  readonly place: ChartPlace;
  readonly capabilities: () => Promise<Capabilities>;
  readonly pinned: Pinned;
  readonly signal?: AbortSignal;
}

/** Undefined: there are none. Throws RepositoryError for charts that cannot be had, and what `pinned` throws. */
export async function packageCharts(input: PackageChartsInput): Promise<PackageCharts | undefined> {
  const { package: owner, manifest, helm, missingFlux, place } = input;
  const releases = releasesOf(manifest);
  if (releases.length === 0) return undefined;
  const { renderer } = helm;
  const way = decideHelmWay({
    package: owner,
    mode: helm.mode,
    helm: 'missing' in renderer ? renderer : { version: renderer.helm.version },
    missingFlux,
  });
  const refused = (why: string): PackageCharts => ({
    refused: `package "${manifest.name}": ${why}`,
    reason: 'HelmUnavailable',
  });
  if ('refused' in way) return refused(way.refused);
  if (way.through === 'Flux') {
    const repositoryUrl = addressForFlux(place);
    if (repositoryUrl === undefined)
      return refused(
        `its charts are at ${place.repositoryUrl}, beside package.yaml in ${place.resolvedUrl}, where Flux cannot read; it takes a helm program where the operator runs`,
      );
    return { through: 'Flux', why: way.why, repositoryUrl };
  }
  if ('missing' in renderer) return refused(renderer.missing);
  const { why } = way;
  const nothing = {
    through: 'Binary',
    why,
    version: renderer.helm.version,
    charts: [],
    digests: [],
  } as const;
  const namespace = chartNamespace(owner, manifest);
  const patches = patchesOf(input);
  // What is wrong with values and namespace is told by who renders the rest.
  if (namespace === '' || patches === undefined) return nothing;
  try {
    const charts = releases.map((release) => toRender(release, owner, manifest, namespace, patches));
    const capabilities = await input.capabilities();
    return {
      ...nothing,
      ...(await renderer.render(charts, place, capabilities, input.pinned, input.signal)),
    };
  } catch (error) {
    if (error instanceof ChartError || error instanceof PatchError)
      return { refused: error.message, reason: 'InstallationFailed' };
    throw error;
  }
}

function patchesOf({
  package: owner,
  manifest,
  values,
  transformationSource,
}: PackageChartsInput): readonly ValuePatch[] | undefined {
  try {
    return [
      ...valuePatches(manifest, values.values),
      ...transformationPatches(manifest, (index) =>
        manifest.transformations?.[index]?.source.resource === undefined
          ? owner
          : transformationSource(index),
      ),
    ];
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

function toRender(
  release: PlannedRelease,
  owner: AnyPackage,
  manifest: PackageManifest,
  namespace: string,
  patches: readonly ValuePatch[],
): ChartToRender {
  const { chartName, chartVersion, sha256, values = {} } = release;
  return {
    release: releaseName(release, owner, manifest),
    namespace,
    chartName,
    chartVersion,
    sha256,
    values: patchChartValues(chartName, values, patches),
  };
}

/** COMPAT: Glasskube's names of HelmReleases; Flux calls releases after them, so both ways make objects of the same names. */
export function releaseName(
  { chartName, several }: PlannedRelease,
  { metadata }: AnyPackage,
  manifest: PackageManifest,
): string {
  const name = `${metadata.name ?? ''}-${manifest.name}`;
  return several ? `${name}-${chartName}` : name;
}

/** Where the charts of a package are installed; empty: nothing says. */
export function chartNamespace(owner: AnyPackage, { defaultNamespace = '' }: PackageManifest): string {
  return owner.kind === 'Package' ? (owner.metadata.namespace ?? '') : defaultNamespace;
}

/** Flux reads over the network, from where it is. */
function addressForFlux({ repositoryUrl, resolvedUrl }: ChartPlace): string | undefined {
  if (URL.canParse(repositoryUrl)) return /^(https?|oci):/i.test(repositoryUrl) ? repositoryUrl : undefined;
  const url = new URL(repositoryUrl, resolvedUrl);
  return /^https?:$/.test(url.protocol) ? url.href : undefined;
}
