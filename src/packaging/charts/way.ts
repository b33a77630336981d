// How the charts of a package get into the cluster: rendered by a `helm` program beside the operator and applied like any
// manifest, or handed to Flux. One answer for each package, with its reason, that does not change by itself.
import { HELM_ANNOTATION, type OwnedResourceReference } from '../../api/index.ts';
import type { AnyPackage } from '../package-object.ts';

export type HelmWay = 'Binary' | 'Flux';
/** What the operator was told: to find out, or to do it one way only. */
export type HelmMode = 'auto' | 'binary' | 'flux';

export interface HelmWayInput {
  readonly package: AnyPackage;
  readonly mode: HelmMode;
  /** The version of the program, e.g. `v4.1.4`, or why there is none. */
  readonly helm: { readonly version: string } | { readonly missing: string };
  /** Kinds of Flux that the cluster does not serve; undefined: it serves all. */
  readonly missingFlux: string | undefined;
}

export type HelmWayResult =
  | { readonly through: HelmWay; readonly why: string }
  /** It cannot be done; says what to do. */
  | { readonly refused: string };

const CALLED: Readonly<Record<HelmWay, string>> = { Binary: 'the helm program', Flux: 'Flux' };

export function decideHelmWay({ package: owner, mode, helm, missingFlux }: HelmWayInput): HelmWayResult {
  const annotated = owner.metadata.annotations?.[HELM_ANNOTATION];
  if (annotated !== undefined && annotated !== 'binary' && annotated !== 'flux')
    return { refused: `annotation ${HELM_ANNOTATION} is "${annotated}"; it may be binary or flux` };
  if (annotated !== undefined && mode !== 'auto' && annotated !== mode)
    return {
      refused: `annotation ${HELM_ANNOTATION} asks for ${annotated}, and the operator runs with --helm ${mode}; remove one of them`,
    };
  const asked = annotated ?? (mode === 'auto' ? undefined : mode);
  const wish = asked === undefined ? undefined : asked === 'binary' ? 'Binary' : 'Flux';
  const by = annotated === undefined ? `--helm ${mode}` : `annotation ${HELM_ANNOTATION}`;
  const before = installedThrough(owner);
  if (before !== undefined && wish !== undefined && before !== wish)
    return {
      refused: `its charts were installed through ${CALLED[before]}, and ${by} asks for ${CALLED[wish]}; neither takes over from the other: uninstall the package first, or leave it as it is with annotation ${HELM_ANNOTATION}: ${before === 'Flux' ? 'flux' : 'binary'}`,
    };
  const through = before ?? wish ?? ('version' in helm ? 'Binary' : 'Flux');
  const why =
    wish !== undefined
      ? `${by} says so`
      : before !== undefined
        ? 'it was installed that way'
        : through === 'Binary'
          ? `helm ${'version' in helm ? helm.version : ''} is there`
          : 'there is no helm program, and the cluster serves Flux';
  if (through === 'Binary' && 'missing' in helm)
    return {
      refused: `it renders charts with helm, and ${helm.missing}; put helm 3 or 4 where the operator runs, or name it with --helm-binary`,
    };
  if (through === 'Flux' && missingFlux !== undefined)
    return {
      refused:
        wish !== undefined || before !== undefined || !('missing' in helm)
          ? `it installs charts through Flux, and the cluster does not serve ${missingFlux}; install Flux's source-controller and helm-controller first`
          : `it has charts, and nothing here installs charts: ${helm.missing}, and the cluster does not serve ${missingFlux}; put helm 3 or 4 where the operator runs, or install Flux's source-controller and helm-controller`,
    };
  return { through, why };
}

function installedThrough({ status }: AnyPackage): HelmWay | undefined {
  if (status?.helm !== undefined) return status.helm.through;
  // Those of before this was written down.
  return (status?.ownedResources ?? []).some(isRelease) ? 'Flux' : undefined;
}

function isRelease({ group, kind }: OwnedResourceReference): boolean {
  return group === 'helm.toolkit.fluxcd.io' && kind === 'HelmRelease';
}
