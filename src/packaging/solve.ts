// What has to be installed for a package, and in which versions. What is there already is never moved: it fits or it is a
// conflict. Of what is missing, the highest version that all who need it accept is taken; when that leads nowhere, the next.
// COMPAT: results are Glasskube's wherever Glasskube finds one; it neither tries a second version nor looks into a second
// repository. Everything that was passed over is told, so that `no` always comes with the reasons.
import type { PackageManifest } from '../api/index.ts';
import { constraintObjection } from './constraint.ts';
import { PackageGraph, edgesOf, problemKey, type Edge, type InstalledPackage, type Vertex } from './graph.ts';
import { packageKey, type PackageId, type PackageKind } from './package-object.ts';
import { newestFirst } from './version.ts';

/** What repositories offer, as far as it has been read. */
export interface Catalogue {
  readonly defaultRepository: string;
  /** By repository, the versions of a package; undefined: not read yet. Empty: nobody has it. */
  offers(name: string): readonly Offer[] | undefined;
  /** Undefined: not read yet. An Error: it cannot be read. */
  manifest(repositoryName: string, name: string, version: string): PackageManifest | Error | undefined;
}

export interface Offer {
  readonly repositoryName: string;
  readonly versions: readonly string[];
}

export interface SolveInput {
  readonly installed: readonly InstalledPackage[];
  readonly target: PackageId & {
    readonly kind: PackageKind;
    readonly version: string;
    readonly repositoryName: string;
    readonly manifest: PackageManifest;
  };
  readonly catalogue: Catalogue;
}

/** Something that must be installed first. */
export interface Requirement extends PackageId {
  readonly kind: PackageKind;
  readonly packageName: string;
  readonly version: string;
  readonly repositoryName: string;
  readonly component: boolean;
  /** Another requirement needs it, not the package itself. */
  readonly transitive: boolean;
}

export interface Conflict {
  /** Who needs it. */
  readonly from: string;
  readonly packageName: string;
  readonly actual: string;
  readonly required: string;
}

export type ResolutionStatus = 'OK' | 'RESOLVABLE' | 'CONFLICT' | 'UNSATISFIABLE' | 'CIRCLE';

export interface Resolution {
  readonly status: ResolutionStatus;
  readonly requirements: readonly Requirement[];
  readonly conflicts: readonly Conflict[];
  /** Packages that nobody needs any more once this is done. */
  readonly pruned: readonly PackageId[];
  /** Why it cannot be done, a sentence each; empty when it can. */
  readonly reasons: readonly string[];
  /** How it was found: edges, candidates, and why they were passed over. */
  readonly explanation: readonly string[];
}

/** What has to be read before there is an answer. */
export interface Wanted {
  readonly offersOf: readonly string[];
  readonly manifests: readonly {
    readonly repositoryName: string;
    readonly name: string;
    readonly version: string;
  }[];
}

export type SolveResult = { readonly resolution: Resolution } | { readonly wanted: Wanted };

// LIMIT: candidates that are looked at; a catalogue that needs more is made to keep solvers busy.
const STEPS_MAX = 5_000;

class Unread extends Error {
  readonly wanted: Wanted;

  constructor(wanted: Partial<Wanted>) {
    super('not read yet');
    this.wanted = { offersOf: [], manifests: [], ...wanted };
  }
}

/** Answers what to do, or what to read first; asked again with more it comes closer, since it always asks for something. */
export function solve(input: SolveInput): SolveResult {
  try {
    return { resolution: new Solver(input).run() };
  } catch (error) {
    if (error instanceof Unread) return { wanted: error.wanted };
    throw error;
  }
}

interface Chosen {
  readonly vertex: Vertex;
  readonly kind: PackageKind;
  readonly component: boolean;
  readonly transitive: boolean;
}

class Solver {
  private readonly input: SolveInput;
  private readonly explanation: string[] = [];
  private readonly reasons: string[] = [];
  private steps = 0;

  constructor(input: SolveInput) {
    this.input = input;
  }

  run(): Resolution {
    const { installed, target } = this.input;
    const graph = PackageGraph.of(installed);
    const before = new Set(graph.problems().map(problemKey));
    const known = graph.get(target);
    const root: Vertex = {
      name: target.name,
      namespace: target.namespace,
      packageName: target.manifest.name,
      version: target.version,
      repositoryName: target.repositoryName,
      manual: known?.version === undefined ? false : known.manual,
      edges: edgesOf(target.manifest, target),
    };
    graph.put(root);
    const circle = graph.circleThrough(target);
    if (circle !== undefined) return this.circle(circle);
    const conflicts = this.conflictsOf(graph, before);
    if (conflicts.length > 0) return this.result('CONFLICT', { conflicts });
    const chosen = this.choose(graph, root, [root], []);
    if (chosen === undefined) return this.result('UNSATISFIABLE', {});
    for (const { vertex } of chosen) graph.put(vertex);
    const requirements = chosen
      .map(({ vertex, ...rest }) => requirementOf(vertex, rest))
      .sort((a, b) => (packageKey(a) < packageKey(b) ? -1 : 1));
    const wanted = new Set([packageKey(target), ...requirements.map(packageKey)]);
    const pruned = graph.prune().filter((id) => !wanted.has(packageKey(id)));
    const status = requirements.length === 0 ? 'OK' : 'RESOLVABLE';
    return this.result(status, { requirements, pruned, reasons: [] });
  }

  private result(status: ResolutionStatus, found: Partial<Resolution>): Resolution {
    return {
      status,
      requirements: [],
      conflicts: [],
      pruned: [],
      reasons: [...new Set(this.reasons)],
      explanation: this.explanation,
      ...found,
    };
  }

  private circle(names: readonly string[]): Resolution {
    this.reasons.push(
      `${names.join(' -> ')} is a circle: none of them could ever be installed first; a version of one of them that does not need the next would break it`,
    );
    return this.result('CIRCLE', {});
  }

  /** What is installed and does not fit; problems that were there before are not this package's. */
  private conflictsOf(graph: PackageGraph, before: ReadonlySet<string>): readonly Conflict[] {
    return graph.problems().flatMap((problem) => {
      const { from, edge, actual, message } = problem;
      if (actual === undefined || before.has(problemKey(problem))) return [];
      this.reasons.push(`${message}; ${wayOut(from, edge, this.input.target)}`);
      return [{ from: packageKey(from), packageName: edge.packageName, actual, required: edge.range ?? '' }];
    });
  }

  /** Fills in what `open` needs, one missing package at a time. Undefined: it cannot be done. */
  private choose(
    graph: PackageGraph,
    root: Vertex,
    open: readonly Vertex[],
    chosen: readonly Chosen[],
  ): readonly Chosen[] | undefined {
    const [next, from] = firstMissing(graph, open);
    if (next === undefined || from === undefined) return chosen;
    if (next.component && next.to.namespace === '') {
      this.reasons.push(
        `${packageKey(from)} has component ${next.packageName}, and its manifest no defaultNamespace to install it in`,
      );
      return undefined;
    }
    const offer = this.offerFor(next, from);
    if (offer === undefined) return undefined;
    const { catalogue } = this.input;
    const tried: string[] = [];
    for (const version of newestFirst(offer.versions)) {
      if (++this.steps > STEPS_MAX) {
        this.reasons.push(
          `more than ${STEPS_MAX} candidates would have to be looked at; name versions more closely`,
        );
        return undefined;
      }
      const objection = this.objection(graph, next, version);
      if (objection !== undefined) {
        tried.push(objection);
        continue;
      }
      const manifest = catalogue.manifest(offer.repositoryName, next.packageName, version);
      if (manifest === undefined)
        throw new Unread({
          manifests: [{ repositoryName: offer.repositoryName, name: next.packageName, version }],
        });
      if (manifest instanceof Error) {
        tried.push(`${version}: ${manifest.message}`);
        continue;
      }
      const vertex: Vertex = {
        ...next.to,
        packageName: next.packageName,
        version,
        repositoryName: offer.repositoryName,
        manual: false,
        edges: edgesOf(manifest, next.to),
      };
      const trial = graph.copy();
      trial.put(vertex);
      const clash = trial
        .problems()
        .find(({ from: one, actual }) => actual !== undefined && packageKey(one) === packageKey(vertex));
      if (clash !== undefined) {
        tried.push(`${version}: ${clash.message}`);
        continue;
      }
      const circle = trial.circleThrough(vertex);
      if (circle !== undefined) {
        tried.push(`${version}: ${circle.join(' -> ')} is a circle`);
        continue;
      }
      const done = this.choose(
        trial,
        root,
        [...open, vertex],
        [
          ...chosen,
          {
            vertex,
            kind: next.component ? 'Package' : 'ClusterPackage',
            component: next.component,
            transitive: packageKey(from) !== packageKey(root),
          },
        ],
      );
      if (done !== undefined) {
        this.explanation.push(
          `${packageKey(next.to)}: ${version} from ${offer.repositoryName}, needed by ${packageKey(from)}${next.range === undefined ? '' : ` "${next.range}"`}${this.whyFrom(offer, next, from)}${tried.length === 0 ? '' : `; passed over: ${tried.join(', ')}`}`,
        );
        return done;
      }
      tried.push(`${version}: what it needs cannot be had`);
    }
    this.reasons.push(nothingFits(graph, next, from, offer, tried));
    return undefined;
  }

  /** Why the version will not do for those who need the package. */
  private objection(graph: PackageGraph, edge: Edge, version: string): string | undefined {
    for (const { vertex, edge: wanted } of graph.dependants(edge.to)) {
      const why = constraintObjection(wanted.range, version);
      if (why !== undefined) return `${why}, which ${packageKey(vertex)} wants`;
    }
    return undefined;
  }

  /** Where several have the package: why this repository. */
  private whyFrom({ repositoryName }: Offer, edge: Edge, from: Vertex): string {
    const all = (this.input.catalogue.offers(edge.packageName) ?? []).map((one) => one.repositoryName).sort();
    if (all.length < 2) return '';
    const why =
      edge.repositoryName === repositoryName
        ? 'it is named'
        : from.repositoryName === repositoryName
          ? `${packageKey(from)} is from there`
          : this.input.catalogue.defaultRepository === repositoryName
            ? 'it is the default'
            : 'it is the first by name';
    return `; ${all.join(' and ')} have it, and of these ${repositoryName} since ${why}`;
  }

  private offerFor(edge: Edge, from: Vertex): Offer | undefined {
    const { catalogue } = this.input;
    const offers = catalogue.offers(edge.packageName);
    if (offers === undefined) throw new Unread({ offersOf: [edge.packageName] });
    if (offers.length === 0) {
      this.reasons.push(
        `${packageKey(from)} needs ${edge.packageName}${edge.range === undefined ? '' : ` "${edge.range}"`}, and no repository has it; add a repository that does, or install ${edge.packageName} by hand`,
      );
      return undefined;
    }
    const find = (name: string): Offer | undefined =>
      offers.find(({ repositoryName }) => repositoryName === name);
    if (edge.repositoryName !== undefined) {
      const named = find(edge.repositoryName);
      if (named === undefined)
        this.reasons.push(
          `${packageKey(from)} needs ${edge.packageName} from repository ${edge.repositoryName}, which does not have it`,
        );
      return named;
    }
    const byName = [...offers].sort((a, b) => (a.repositoryName < b.repositoryName ? -1 : 1));
    return find(from.repositoryName) ?? find(catalogue.defaultRepository) ?? byName[0];
  }
}

function requirementOf(vertex: Vertex, rest: Omit<Chosen, 'vertex'>): Requirement {
  const { name, namespace, packageName, version = '', repositoryName } = vertex;
  return { name, namespace, packageName, version, repositoryName, ...rest };
}

/** Breadth first, so that what is needed directly is chosen before what that needs. */
function firstMissing(graph: PackageGraph, open: readonly Vertex[]): readonly [Edge?, Vertex?] {
  for (const vertex of open)
    for (const edge of vertex.edges) if (graph.get(edge.to)?.version === undefined) return [edge, vertex];
  return [];
}

function nothingFits(
  graph: PackageGraph,
  edge: Edge,
  from: Vertex,
  offer: Offer,
  tried: readonly string[],
): string {
  const wanted = graph
    .dependants(edge.to)
    .map(
      ({ vertex, edge: one }) =>
        `${packageKey(vertex)} wants ${one.range === undefined ? 'any' : `"${one.range}"`}`,
    );
  const shown = tried.slice(0, 5);
  const more = tried.length > shown.length ? ` and ${tried.length - shown.length} more` : '';
  const all = tried.length === 0 ? 'it has no versions' : `${shown.join('; ')}${more}`;
  return `no version of ${edge.packageName} in repository ${offer.repositoryName} will do for ${packageKey(from)} (${wanted.join(', ')}): ${all}; publish one that does, or change what is wanted`;
}

function wayOut(from: Vertex, edge: Edge, target: PackageId): string {
  const name = packageKey(edge.to);
  if (packageKey(edge.to) === packageKey(target))
    return `choose a version that ${packageKey(from)} accepts, or update ${packageKey(from)} first`;
  return `update ${name} to a version in "${edge.range ?? ''}", or choose another version of ${packageKey(from)}`;
}
