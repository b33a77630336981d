// What can be installed: the repositories that the cluster names, read from here with the logins that it keeps.
import { createHash } from 'node:crypto';
import { PACKAGES_NAMESPACE, type PackageRepository } from '../../api/index.ts';
import { OperatingError, errorMessage, systemClock } from '../../base/index.ts';
import {
  createFileFetcher,
  isForbidden,
  kinds,
  parseYamlDocuments,
  type Client,
} from '../../client/index.ts';
import {
  RepositoryError,
  authorizationOf,
  createRepositoryClient,
  defaultRepository,
  metaIndex,
  repositoryFor,
  type FetchedManifest,
  type ManifestFile,
  type MetaIndex,
  type OfferedPackage,
  type PackageRepositoryClient,
  type RepositorySeams,
} from '../../packaging/index.ts';
import { CommandError, nearest } from '../shell/index.ts';
import { say } from './dialogue.ts';
import { packageRepositories, type Place } from './place.ts';

export interface Catalogue {
  readonly repositories: readonly PackageRepository[];
  readonly clients: readonly PackageRepositoryClient[];
  /** Repositories that cannot be opened. */
  readonly problems: readonly string[];
  /** Empty: none is the default. */
  readonly defaultName: string;
  /** How everything is read. */
  readonly seams: RepositorySeams;
  /** All packages of all repositories; those that cannot be read are told once, and left out. */
  index(): Promise<MetaIndex>;
  /** Throws CommandError, with the names that were meant, for a package that nobody offers. */
  offered(name: string): Promise<OfferedPackage>;
  /** Throws CommandError for a repository that there is not, or that cannot be opened. */
  client(repositoryName: string | undefined): PackageRepositoryClient;
}

/** Opens all repositories for the time of `run`. */
export async function withCatalogue<T>(
  { client }: Pick<Place, 'client'>,
  run: (catalogue: Catalogue) => Promise<T>,
): Promise<T> {
  const fetcher = createFileFetcher({ clock: systemClock, mayReadFiles: true });
  const seams: RepositorySeams = {
    fetchFile: fetcher.fetchFile,
    parseYaml: parseYamlDocuments,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    nowMs: () => systemClock.now(),
  };
  try {
    return await run(await openCatalogue(client, seams));
  } catch (error) {
    if (error instanceof RepositoryError) throw new CommandError(error.message);
    throw error;
  } finally {
    await fetcher.close();
  }
}

async function openCatalogue(client: Client, seams: RepositorySeams): Promise<Catalogue> {
  const problems: string[] = [];
  const repositories = (await repositoriesOf(client, problems)).toSorted((a, b) =>
    (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1,
  );
  const clients: PackageRepositoryClient[] = [];
  for (const repository of repositories) {
    const { name = '' } = repository.metadata;
    try {
      const authorization = await loginOf(client, repository);
      clients.push(createRepositoryClient({ name, url: repository.spec.url, authorization }, seams));
    } catch (error) {
      if (!(error instanceof RepositoryError) && !isForbidden(error)) throw error;
      problems.push(`repository "${name}" is left out: ${errorMessage(error)}`);
    }
  }
  return new OpenCatalogue(repositories, clients, problems, seams);
}

/** Who may only suspend and resume packages need not know where they come from. */
async function repositoriesOf(client: Client, problems: string[]): Promise<readonly PackageRepository[]> {
  try {
    return (await client.listAll(packageRepositories)).items;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    problems.push(`repositories are not readable to you: ${errorMessage(error)}`);
    return [];
  }
}

class OpenCatalogue implements Catalogue {
  readonly repositories: readonly PackageRepository[];
  readonly clients: readonly PackageRepositoryClient[];
  readonly problems: readonly string[];
  readonly defaultName: string;
  readonly seams: RepositorySeams;
  private known: Promise<MetaIndex> | undefined;

  constructor(
    repositories: readonly PackageRepository[],
    clients: readonly PackageRepositoryClient[],
    problems: readonly string[],
    seams: RepositorySeams,
  ) {
    this.repositories = repositories;
    this.clients = clients;
    this.problems = problems;
    this.seams = seams;
    this.defaultName = defaultRepository(repositories)?.metadata.name ?? '';
  }

  index(): Promise<MetaIndex> {
    this.known ??= this.read();
    return this.known;
  }

  private async read(): Promise<MetaIndex> {
    const found = await metaIndex(this.clients, this.defaultName);
    const problems = [...this.problems, ...found.problems];
    for (const problem of problems) say(`Warning: ${problem}`);
    return { packages: found.packages, problems };
  }

  async offered(name: string): Promise<OfferedPackage> {
    if (this.repositories.length === 0 && this.problems.length > 0)
      throw new CommandError(this.problems.join('\n'));
    if (this.repositories.length === 0)
      throw new OperatingError(
        'NO_REPOSITORY',
        'there are no repositories to take packages from',
        'add one with "navarch package repo add NAME URL --default"',
      );
    const { packages, problems } = await this.index();
    const found = packages.find(({ entry }) => entry.name === name);
    if (found !== undefined) return found;
    const near = nearest(
      name,
      packages.map(({ entry }) => entry.name),
    );
    const hint = near.length === 0 ? '' : `\nDid you mean this?\n${near.map((one) => `\t${one}`).join('\n')}`;
    const unread = problems.length === 0 ? '' : ', as far as they can be read';
    throw new CommandError(`no package "${name}" is in the repositories${unread}${hint}`);
  }

  client(repositoryName: string | undefined): PackageRepositoryClient {
    if (this.repositories.length === 0 && this.problems.length > 0)
      throw new CommandError(this.problems.join('\n'));
    const name = repositoryFor(repositoryName, this.repositories);
    const found = this.clients.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new CommandError(this.problems.join('\n'));
  }
}

async function loginOf(client: Client, { metadata, spec }: PackageRepository): Promise<string | undefined> {
  const { basic, bearer } = spec.auth ?? {};
  const text = async (
    inline: string | undefined,
    reference: { readonly name: string; readonly key: string } | undefined,
    what: string,
  ): Promise<string> => {
    if (inline !== undefined && inline !== '') return inline;
    if (reference === undefined)
      throw new RepositoryError(
        `repository "${metadata.name}" wants a login, but spec.auth names no ${what}`,
      );
    const where = { namespace: PACKAGES_NAMESPACE, name: reference.name };
    const data = (await client.find(kinds.secrets, where))?.['data'] as
      | Readonly<Record<string, string>>
      | undefined;
    if (data !== undefined && Object.hasOwn(data, reference.key))
      return Buffer.from(data[reference.key] ?? '', 'base64').toString('utf8');
    throw new RepositoryError(
      `repository "${metadata.name}" takes its login from key ${reference.key} of Secret ${PACKAGES_NAMESPACE}/${reference.name}, which does not exist`,
    );
  };
  if (basic !== undefined)
    return authorizationOf({
      username: await text(basic.username, basic.usernameSecretRef, 'username'),
      password: await text(basic.password, basic.passwordSecretRef, 'password'),
    });
  if (bearer === undefined) return undefined;
  return authorizationOf({ token: await text(bearer.token, bearer.tokenSecretRef, 'token') });
}

/** The files of a package, none of which is another than its repository declares. Throws CommandError and RepositoryError. */
export async function filesOf(
  repository: PackageRepositoryClient,
  { url, manifest, sha256, declaredSha256 }: FetchedManifest,
  version: string,
): Promise<readonly ManifestFile[]> {
  const check = (file: string, actual: string, declared: string | undefined): void => {
    if (declared === undefined || declared.toLowerCase() === actual) return;
    throw new CommandError(
      `${file} of package "${manifest.name}" ${version} is not what repository "${repository.name}" declares: its SHA-256 is ${actual}, and should be ${declared}; have the repository put right, or take another version`,
    );
  };
  check('package.yaml', sha256, declaredSha256);
  return Promise.all(
    (manifest.manifests ?? []).map(async (file): Promise<ManifestFile> => {
      const found = await repository.documents(url, file.url);
      check(file.url, found.sha256, file.sha256);
      return { manifest: file, documents: found.documents };
    }),
  );
}
