// Several repositories as one: who offers a package, which is meant when nobody says, and what cannot be read left out.
import { DEFAULT_REPOSITORY_ANNOTATION, type PackageManifest, type PackageRepository } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { RepositoryError, type FetchedManifest, type PackageRepositoryClient } from './repository-client.ts';
import type { IndexEntry } from './repository.ts';
import { solve, type Catalogue, type Offer, type Resolution, type SolveInput } from './solve.ts';
import { isUpgrade } from './version.ts';

/** A package as all repositories together show it. */
export interface OfferedPackage {
  readonly entry: IndexEntry;
  /** All that have it, by name. */
  readonly repositories: readonly string[];
  /** The highest of all. */
  readonly latestVersion: string | undefined;
}

/** The default repository: the first in order that says so. */
export function defaultRepository(repositories: readonly PackageRepository[]): PackageRepository | undefined {
  return repositories.find(
    ({ metadata }) => metadata.annotations?.[DEFAULT_REPOSITORY_ANNOTATION] === 'true',
  );
}

/** The name of the repository that is meant; throws when nothing says which. */
export function repositoryFor(name: string | undefined, repositories: readonly PackageRepository[]): string {
  if (name !== undefined && name !== '') {
    if (repositories.some(({ metadata }) => metadata.name === name)) return name;
    const known = repositories.map(({ metadata }) => metadata.name).join(', ');
    throw new RepositoryError(
      `there is no repository "${name}"; ${known === '' ? 'add one with navarch package repo add' : `there are ${known}`}`,
    );
  }
  const chosen = defaultRepository(repositories)?.metadata.name;
  if (chosen === undefined)
    throw new RepositoryError(
      'no repository is named and none is the default; name one, or mark one with navarch package repo update NAME --default',
    );
  return chosen;
}

export interface MetaIndex {
  readonly packages: readonly OfferedPackage[];
  /** What could not be read; the rest is there. */
  readonly problems: readonly string[];
}

/** All packages of all repositories, in order of name. */
export async function metaIndex(
  clients: readonly PackageRepositoryClient[],
  defaultName: string,
  signal?: AbortSignal,
): Promise<MetaIndex> {
  const sorted = [...clients].sort((a, b) => (a.name < b.name ? -1 : 1));
  const problems: string[] = [];
  const found = new Map<string, { readonly repository: string; readonly entry: IndexEntry }[]>();
  const read = await Promise.allSettled(sorted.map((client) => client.index(signal)));
  read.forEach((result, at) => {
    if (result.status === 'rejected') {
      problems.push(errorMessage(result.reason));
      return;
    }
    for (const entry of result.value)
      found.set(entry.name, [...(found.get(entry.name) ?? []), { repository: sorted[at]!.name, entry }]);
  });
  const packages = [...found.keys()].sort().map((name) => offered(found.get(name)!, defaultName));
  return { packages, problems };
}

function offered(
  all: readonly { readonly repository: string; readonly entry: IndexEntry }[],
  defaultName: string,
): OfferedPackage {
  // COMPAT: what is shown comes from the first repository that is not the default one.
  const shown = all.find(({ repository }) => repository !== defaultName) ?? all[0]!;
  let latestVersion: string | undefined;
  for (const { entry } of all)
    if (
      entry.latestVersion !== undefined &&
      (latestVersion === undefined || isUpgrade(latestVersion, entry.latestVersion))
    )
      latestVersion = entry.latestVersion;
  return { entry: shown.entry, repositories: all.map(({ repository }) => repository), latestVersion };
}

export interface CatalogueReaders {
  readonly clients: readonly PackageRepositoryClient[];
  readonly defaultRepository: string;
  readonly signal?: AbortSignal;
}

// LIMIT: rounds of reading what a solution turns out to need; each asks for something new.
const ROUNDS_MAX = 2_000;

/** Solves with what repositories say, read as it is needed. What cannot be read stands in the reasons. */
export async function resolveDependencies(
  input: Omit<SolveInput, 'catalogue'>,
  readers: CatalogueReaders,
): Promise<Resolution> {
  const first = await resolveOnce(input, readers);
  if (first.status !== 'UNSATISFIABLE') return first;
  // What was read a while ago may be out of date; nobody is to wait for what has been published meanwhile.
  for (const client of readers.clients) client.forget();
  return resolveOnce(input, readers);
}

async function resolveOnce(
  input: Omit<SolveInput, 'catalogue'>,
  readers: CatalogueReaders,
): Promise<Resolution> {
  const catalogue = new ReadCatalogue(readers);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const result = solve({ ...input, catalogue });
    if ('resolution' in result) return withProblems(result.resolution, catalogue.problems);
    await catalogue.read(result.wanted);
  }
  throw new RepositoryError(
    `the dependencies of ${input.target.name} have more than ${ROUNDS_MAX} candidates`,
  );
}

function withProblems(resolution: Resolution, problems: ReadonlySet<string>): Resolution {
  if (resolution.status !== 'UNSATISFIABLE' || problems.size === 0) return resolution;
  return { ...resolution, reasons: [...resolution.reasons, ...problems] };
}

class ReadCatalogue implements Catalogue {
  readonly defaultRepository: string;
  readonly problems = new Set<string>();
  private readonly readers: CatalogueReaders;
  private readonly known = new Map<string, readonly Offer[]>();
  private readonly manifests = new Map<string, PackageManifest | Error>();

  constructor(readers: CatalogueReaders) {
    this.readers = readers;
    this.defaultRepository = readers.defaultRepository;
  }

  offers(name: string): readonly Offer[] | undefined {
    return this.known.get(name);
  }

  manifest(repositoryName: string, name: string, version: string): PackageManifest | Error | undefined {
    return this.manifests.get(`${repositoryName} ${name} ${version}`);
  }

  async read(wanted: {
    readonly offersOf: readonly string[];
    readonly manifests: readonly {
      readonly repositoryName: string;
      readonly name: string;
      readonly version: string;
    }[];
  }): Promise<void> {
    const { clients, signal } = this.readers;
    for (const name of wanted.offersOf) this.known.set(name, await this.offersOf(name));
    for (const { repositoryName, name, version } of wanted.manifests) {
      const client = clients.find((one) => one.name === repositoryName);
      const read: FetchedManifest | Error | undefined = await client
        ?.manifest(name, version, signal)
        .catch((error: unknown) => {
          if (error instanceof RepositoryError) return error;
          throw error;
        });
      const known =
        read === undefined
          ? new RepositoryError(`there is no repository "${repositoryName}"`)
          : read instanceof Error
            ? read
            : read.manifest;
      this.manifests.set(`${repositoryName} ${name} ${version}`, known);
    }
  }

  /** All repositories whose index lists it; one that cannot be read does not hinder the others. */
  private async offersOf(name: string): Promise<readonly Offer[]> {
    const { clients, signal } = this.readers;
    const found = await Promise.all(
      clients.map(async (client): Promise<readonly Offer[]> => {
        try {
          const index = await client.index(signal);
          if (!index.some((entry) => entry.name === name)) return [];
          const { versions } = await client.versions(name, signal);
          return [{ repositoryName: client.name, versions: versions.map(({ version }) => version) }];
        } catch (error) {
          if (!(error instanceof RepositoryError)) throw error;
          this.problems.add(error.message);
          return [];
        }
      }),
    );
    return found.flat();
  }
}
