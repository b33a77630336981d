// The repositories of the cluster as clients that can be asked, with logins from Secrets. A repository whose address or login
// changes is opened anew; what it said before is forgotten then.
import { PACKAGES_NAMESPACE, type PackageRepository } from '../api/index.ts';
import { kinds, type Client } from '../client/index.ts';
import {
  RepositoryError,
  authorizationOf,
  createRepositoryClient,
  defaultRepository,
  repositoryFor,
  type PackageRepositoryClient,
  type RepositorySeams,
} from '../packaging/index.ts';
import type { Informer } from '../runtime/index.ts';

interface Opened {
  readonly client: PackageRepositoryClient;
  readonly spec: string;
  readonly authorization: string | undefined;
  checkedMs: number;
}

/** How often Secrets are read again. */
const LOGIN_MS = 30_000;

export class RepositoryBook {
  private readonly client: Client;
  private readonly informer: Informer<PackageRepository>;
  private readonly seams: RepositorySeams;
  private readonly opened = new Map<string, Opened>();

  constructor(client: Client, informer: Informer<PackageRepository>, seams: RepositorySeams) {
    this.client = client;
    this.informer = informer;
    this.seams = seams;
  }

  /** In order of name. */
  list(): readonly PackageRepository[] {
    return this.informer.store
      .list()
      .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  }

  get defaultName(): string {
    return defaultRepository(this.list())?.metadata.name ?? '';
  }

  /** The name of the repository that a package means. Throws RepositoryError. */
  nameFor(named: string | undefined): string {
    return repositoryFor(named, this.list());
  }

  /** By its own name, or the default one. Throws RepositoryError. */
  async open(named: string | undefined): Promise<PackageRepositoryClient> {
    const name = this.nameFor(named);
    const repository = this.informer.store.get(name);
    if (repository === undefined) throw new RepositoryError(`there is no repository "${name}"`);
    const spec = JSON.stringify(repository.spec);
    const now = this.seams.nowMs();
    const known = this.opened.get(name);
    if (known !== undefined && known.spec === spec && now - known.checkedMs < LOGIN_MS) return known.client;
    const authorization = await this.authorization(repository);
    if (known !== undefined && known.spec === spec && known.authorization === authorization) {
      known.checkedMs = now;
      return known.client;
    }
    const client = createRepositoryClient({ name, url: repository.spec.url, authorization }, this.seams);
    this.opened.set(name, { client, spec, authorization, checkedMs: now });
    return client;
  }

  /** Every repository that can be opened, and why others cannot. */
  async all(): Promise<{
    readonly clients: readonly PackageRepositoryClient[];
    readonly problems: readonly string[];
  }> {
    const clients: PackageRepositoryClient[] = [];
    const problems: string[] = [];
    for (const { metadata } of this.list()) {
      try {
        clients.push(await this.open(metadata.name));
      } catch (error) {
        if (!(error instanceof RepositoryError)) throw error;
        problems.push(error.message);
      }
    }
    return { clients, problems };
  }

  /** The next question goes to the repository itself. */
  forget(name: string): void {
    if (this.informer.store.get(name) === undefined) this.opened.delete(name);
    else this.opened.get(name)?.client.forget();
  }

  private async authorization({ metadata, spec }: PackageRepository): Promise<string | undefined> {
    const { basic, bearer } = spec.auth ?? {};
    const name = metadata.name ?? '';
    const text = async (
      inline: string | undefined,
      reference: { readonly name: string; readonly key: string } | undefined,
      what: string,
    ): Promise<string> => {
      if (inline !== undefined && inline !== '') return inline;
      if (reference === undefined)
        throw new RepositoryError(`repository "${name}" wants a login, but spec.auth names no ${what}`);
      return this.secretText(name, reference);
    };
    if (basic !== undefined)
      return authorizationOf({
        username: await text(basic.username, basic.usernameSecretRef, 'username'),
        password: await text(basic.password, basic.passwordSecretRef, 'password'),
      });
    if (bearer === undefined) return undefined;
    return authorizationOf({ token: await text(bearer.token, bearer.tokenSecretRef, 'token') });
  }

  private async secretText(
    repository: string,
    { name, key }: { readonly name: string; readonly key: string },
  ): Promise<string> {
    const secret = await this.client.find(kinds.secrets, { namespace: PACKAGES_NAMESPACE, name });
    const data = (secret?.['data'] ?? {}) as Readonly<Record<string, string>>;
    if (secret !== undefined && Object.hasOwn(data, key))
      return Buffer.from(data[key]!, 'base64').toString('utf8');
    throw new RepositoryError(
      `repository "${repository}" takes its login from Secret ${PACKAGES_NAMESPACE}/${name}, which ${secret === undefined ? 'does not exist' : `has no key "${key}"`}; create it, or change spec.auth`,
    );
  }
}
