// The packages of a cluster and what they need of each other. ClusterPackages are known by their name in the repository and
// shared; components are Packages of one parent alone.
import type { PackageManifest } from '../api/index.ts';
import { constraintObjection } from './constraint.ts';
import { scopeOf } from './manifest.ts';
import { packageKey, type PackageId, type PackageKind } from './package-object.ts';

/** An installed package, as far as dependencies go. */
export interface InstalledPackage extends PackageId {
  readonly kind: PackageKind;
  /** In the repository. */
  readonly packageName: string;
  readonly version: string;
  readonly repositoryName: string;
  /** Somebody wanted it for its own sake. */
  readonly manual: boolean;
  /** Undefined: not known yet, so nothing is known of what it needs. */
  readonly manifest: PackageManifest | undefined;
}

export interface Edge {
  readonly to: PackageId;
  /** What it is called in the repository. */
  readonly packageName: string;
  /** Undefined: any version. */
  readonly range: string | undefined;
  readonly component: boolean;
  /** Where the manifest wants it taken from. */
  readonly repositoryName: string | undefined;
}

export interface Vertex extends PackageId {
  readonly packageName: string;
  /** Undefined: needed, but not installed. */
  readonly version: string | undefined;
  readonly repositoryName: string;
  readonly manual: boolean;
  readonly edges: readonly Edge[];
}

/** Why an edge does not hold. */
export interface EdgeProblem {
  readonly from: Vertex;
  readonly edge: Edge;
  /** The version that is there; undefined: none. */
  readonly actual: string | undefined;
  readonly message: string;
}

/** What a package of this manifest needs. */
export function edgesOf(manifest: PackageManifest, owner: PackageId): readonly Edge[] {
  const range = (text: string | undefined): string | undefined =>
    text === undefined || text.trim() === '' ? undefined : text;
  const repository = (name: string | undefined): string | undefined => (name === '' ? undefined : name);
  const namespace = owner.namespace === '' ? (manifest.defaultNamespace ?? '') : owner.namespace;
  return [
    ...(manifest.dependencies ?? []).map(({ name, version, repositoryName }) => ({
      to: { name, namespace: '' },
      packageName: name,
      range: range(version),
      component: false,
      repositoryName: repository(repositoryName),
    })),
    ...(manifest.components ?? []).map(({ name, installedName = '', version, repositoryName }) => ({
      to: { name: `${owner.name}-${installedName === '' ? name : installedName}`, namespace },
      packageName: name,
      range: range(version),
      component: true,
      repositoryName: repository(repositoryName),
    })),
  ];
}

export class PackageGraph {
  private readonly vertices = new Map<string, Vertex>();

  constructor(vertices: Iterable<Vertex> = []) {
    for (const vertex of vertices) this.put(vertex);
  }

  static of(installed: Iterable<InstalledPackage>): PackageGraph {
    return new PackageGraph(
      [...installed].map((one) => ({
        ...one,
        edges: one.manifest === undefined ? [] : edgesOf(one.manifest, one),
      })),
    );
  }

  copy(): PackageGraph {
    return new PackageGraph(this.vertices.values());
  }

  get(id: PackageId): Vertex | undefined {
    return this.vertices.get(packageKey(id));
  }

  /** Replaces the vertex with all that it needs. */
  put(vertex: Vertex): void {
    this.vertices.set(packageKey(vertex), vertex);
  }

  /** It is not installed any more; who needs it still does. */
  remove(id: PackageId): void {
    const vertex = this.get(id);
    if (vertex !== undefined) this.put({ ...vertex, version: undefined, manual: false, edges: [] });
  }

  /** In order of their keys, so that results do not depend on the order in which packages were listed. */
  sorted(): readonly Vertex[] {
    return [...this.vertices.keys()].sort().map((key) => this.vertices.get(key)!);
  }

  /** Installed packages that need this one, with the edge. */
  dependants(id: PackageId): readonly { readonly vertex: Vertex; readonly edge: Edge }[] {
    const key = packageKey(id);
    return this.sorted()
      .filter(({ version }) => version !== undefined)
      .flatMap((vertex) =>
        vertex.edges.filter(({ to }) => packageKey(to) === key).map((edge) => ({ vertex, edge })),
      );
  }

  problems(): readonly EdgeProblem[] {
    return this.sorted().flatMap((from) =>
      from.edges.flatMap((edge): EdgeProblem[] => {
        const actual = this.get(edge.to)?.version;
        const name = packageKey(edge.to);
        if (actual === undefined)
          return [
            { from, edge, actual, message: `${packageKey(from)} needs ${name}, which is not installed` },
          ];
        const why = constraintObjection(edge.range, actual);
        return why === undefined
          ? []
          : [
              {
                from,
                edge,
                actual,
                message: `${packageKey(from)} needs ${name} "${edge.range ?? ''}", but ${why}`,
              },
            ];
      }),
    );
  }

  /** Takes away what nobody wanted for its own sake and nobody needs any more, and answers it. */
  prune(): readonly PackageId[] {
    const gone: PackageId[] = [];
    for (;;) {
      const next = this.sorted().filter(
        (vertex) => vertex.version !== undefined && !vertex.manual && this.dependants(vertex).length === 0,
      );
      if (next.length === 0) return gone.sort((a, b) => (packageKey(a) < packageKey(b) ? -1 : 1));
      for (const { name, namespace } of next) {
        gone.push({ name, namespace });
        this.remove({ name, namespace });
      }
    }
  }

  /** A circle that leads through this package, by name; undefined: there is none. */
  circleThrough(id: PackageId): readonly string[] | undefined {
    const start = packageKey(id);
    const seen = new Set<string>();
    const walk = (key: string, trail: readonly string[]): readonly string[] | undefined => {
      for (const { to } of this.vertices.get(key)?.edges ?? []) {
        const next = packageKey(to);
        if (next === start) return [...trail, next];
        if (seen.has(next)) continue;
        seen.add(next);
        const found = walk(next, [...trail, next]);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return walk(start, [start]);
  }
}

export function problemKey({ from, edge }: EdgeProblem): string {
  return `${packageKey(from)} -> ${packageKey(edge.to)}`;
}

/** Why a manifest cannot be installed as this kind; undefined: it can. */
export function scopeComplaint(kind: PackageKind, manifest: PackageManifest): string | undefined {
  const scope = scopeOf(manifest);
  if (kind === 'Package' && scope === 'Cluster')
    return `package "${manifest.name}" is installed once for the cluster; make a ClusterPackage of it`;
  if (kind === 'ClusterPackage' && scope === 'Namespaced')
    return `package "${manifest.name}" is installed into a namespace; make a Package of it`;
  return undefined;
}

/** What may not be uninstalled, and why; empty: it may. `pruned` goes with it. */
export function uninstallPlan(
  installed: readonly InstalledPackage[],
  id: PackageId,
): { readonly refusals: readonly string[]; readonly pruned: readonly PackageId[] } {
  const graph = PackageGraph.of(installed);
  const before = new Set(graph.problems().map(problemKey));
  graph.remove(id);
  const pruned = graph.prune();
  const refusals = graph
    .problems()
    .filter((problem) => !before.has(problemKey(problem)))
    .map(({ message }) => message);
  return { refusals, pruned };
}
