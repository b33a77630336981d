// `package check`: whether a folder is a repository that others can use, for who publishes one.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import type { KubeObject, PackageManifest } from '../../api/index.ts';
import { errorMessage, systemClock } from '../../base/index.ts';
import { createFileFetcher, parseYamlDocuments } from '../../client/index.ts';
import {
  createRepositoryClient,
  fetchChart,
  isUpgrade,
  lintManifest,
  parseVersion,
  releasesOf,
  validateValues,
  type IndexEntry,
  type PackageRepositoryClient,
  type RepositorySeams,
} from '../../packaging/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';

export function checkCommand(exit: SetExitCode): Command {
  const command = new Command('check')
    .description('check a folder that is to be a repository of packages')
    .argument('<folder>', 'the folder with index.yaml, or its address')
    .action(async (folder: string) => {
      const url =
        URL.canParse(folder) && !existsSync(folder) ? folder : pathToFileURL(path.resolve(folder)).href;
      const { problems, packages, versions } = await checkRepository(url);
      if (problems.length > 0) throw new CommandError(problems.join('\nerror: '));
      print(`${packages} packages in ${versions} versions: nothing is wrong`);
      exit(0);
    });
  return shape(command, { examples: '# Before it is published\n%s package check ./packages' });
}

interface Found {
  readonly problems: readonly string[];
  readonly packages: number;
  readonly versions: number;
}

/** All that is wrong with a repository, a line each. */
export async function checkRepository(url: string): Promise<Found> {
  const fetcher = createFileFetcher({ clock: systemClock, mayReadFiles: true });
  const documents = new Map<string, unknown>();
  const seams: RepositorySeams = {
    fetchFile: fetcher.fetchFile,
    parseYaml: (text, from) => {
      const all = parseYamlDocuments(text, from);
      documents.set(from, all[0]);
      return all;
    },
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    nowMs: () => systemClock.now(),
  };
  try {
    const repository = createRepositoryClient({ name: 'here', url }, seams);
    return await new Check(repository, documents, seams).run();
  } catch (error) {
    return { problems: [errorMessage(error)], packages: 0, versions: 0 };
  } finally {
    await fetcher.close();
  }
}

class Check {
  private readonly repository: PackageRepositoryClient;
  /** What files said before they were read leniently, by address. */
  private readonly raw: ReadonlyMap<string, unknown>;
  private readonly seams: RepositorySeams;
  private readonly problems: string[] = [];
  private versions = 0;

  constructor(
    repository: PackageRepositoryClient,
    raw: ReadonlyMap<string, unknown>,
    seams: RepositorySeams,
  ) {
    this.seams = seams;
    this.repository = repository;
    this.raw = raw;
  }

  async run(): Promise<Found> {
    const index = await this.repository.index();
    const names = new Set(index.map(({ name }) => name));
    if (names.size < index.length) this.problems.push('index.yaml: a package is in it twice');
    for (const entry of index) await this.guarded(entry.name, () => this.package(entry, names));
    return { problems: this.problems, packages: index.length, versions: this.versions };
  }

  private async guarded(where: string, check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      this.problems.push(`${where}: ${errorMessage(error)}`);
    }
  }

  private async package(entry: IndexEntry, names: ReadonlySet<string>): Promise<void> {
    const { name } = entry;
    const { latestVersion, versions } = await this.repository.versions(name);
    const all = versions.map(({ version }) => version);
    if (!all.includes(latestVersion))
      this.problems.push(`${name}/versions.yaml: latestVersion ${latestVersion} is none of its versions`);
    if (entry.latestVersion !== latestVersion)
      this.problems.push(`${name}: index.yaml and versions.yaml name different latest versions`);
    for (const version of all) {
      if (parseVersion(version) === undefined)
        this.problems.push(`${name}/versions.yaml: ${version} is no version`);
      if (isUpgrade(latestVersion, version))
        this.problems.push(
          `${name}/versions.yaml: ${version} is higher than latestVersion ${latestVersion}; dependants would get it, and nobody else`,
        );
      await this.guarded(`${name}/${version}`, () => this.version(entry, version, names));
    }
  }

  private async version(entry: IndexEntry, version: string, names: ReadonlySet<string>): Promise<void> {
    const where = `${entry.name}/${version}`;
    this.versions++;
    const { url, manifest, sha256, declaredSha256 } = await this.repository.manifest(entry.name, version);
    if (declaredSha256 !== undefined && declaredSha256 !== sha256)
      this.problems.push(`${where}/package.yaml: its SHA-256 is ${sha256}, and not what versions.yaml says`);
    for (const why of lintManifest(this.raw.get(url))) this.problems.push(`${where}/package.yaml: ${why}`);
    if ((manifest.scope ?? 'Cluster') !== (entry.scope ?? 'Cluster'))
      this.problems.push(`${where}: its scope is not that of index.yaml`);
    await this.needs(where, manifest, names);
    this.defaults(where, manifest);
    await this.files(where, url, manifest);
    await this.charts(where, url, manifest);
  }

  /** What others bring along is installed without anybody who could be asked for values. */
  private async needs(where: string, manifest: PackageManifest, names: ReadonlySet<string>): Promise<void> {
    const { dependencies = [], components = [] } = manifest;
    const given = [
      ...dependencies.map(({ name }) => ({ name, set: [] as readonly string[] })),
      ...components.map(({ name, values = {} }) => ({ name, set: Object.keys(values) })),
    ];
    for (const { name, set } of given) {
      if (!names.has(name)) {
        this.problems.push(`${where}: needs ${name}, which is not in this repository`);
        continue;
      }
      const { latestVersion } = await this.repository.versions(name);
      const needed = await this.repository.manifest(name, latestVersion);
      const open = Object.entries(needed.manifest.valueDefinitions ?? {})
        .filter(([value, { constraints }]) => constraints?.required === true && !set.includes(value))
        .map(([value]) => value);
      if (open.length > 0)
        this.problems.push(
          `${where}: needs ${name}, which requires ${open.join(', ')}, and nobody sets that`,
        );
    }
  }

  private defaults(where: string, manifest: PackageManifest): void {
    const definitions = Object.entries(manifest.valueDefinitions ?? {});
    const values = definitions.flatMap(([name, { defaultValue }]) =>
      defaultValue === undefined ? [] : [[name, defaultValue] as const],
    );
    const open = new Set(definitions.map(([name]) => name));
    for (const why of validateValues(manifest, Object.fromEntries(values), open))
      this.problems.push(`${where}: default of ${why}`);
  }

  /** Those that come with the repository; of others, others take care. */
  private async charts(where: string, resolvedUrl: string, manifest: PackageManifest): Promise<void> {
    const { repositoryUrl = '' } = manifest.helm ?? {};
    if (manifest.helm === undefined || URL.canParse(repositoryUrl)) return;
    const place = { repositoryUrl, resolvedUrl, repository: this.repository };
    for (const release of releasesOf(manifest)) {
      const { sha256 } = await fetchChart(place, release, this.seams);
      if (release.sha256 !== undefined && release.sha256.toLowerCase() !== sha256)
        this.problems.push(
          `${where}: the SHA-256 of chart ${release.chartName} is ${sha256}, and not what package.yaml says`,
        );
    }
  }

  private async files(where: string, url: string, manifest: PackageManifest): Promise<void> {
    const objects: KubeObject[] = [];
    for (const file of manifest.manifests ?? []) {
      const { documents, sha256 } = await this.repository.documents(url, file.url);
      if (file.sha256 !== undefined && file.sha256.toLowerCase() !== sha256)
        this.problems.push(
          `${where}: the SHA-256 of ${file.url} is ${sha256}, and not what package.yaml says`,
        );
      for (const [index, document] of documents.entries()) {
        const one = document as Partial<KubeObject> | null;
        if (one?.apiVersion === undefined || one.kind === undefined || one.metadata?.name === undefined)
          this.problems.push(
            `${where}: document ${index + 1} of ${file.url} is no object with apiVersion, kind and name`,
          );
        else objects.push(one as KubeObject);
      }
    }
    const named = (target: {
      readonly resource?: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
    }): boolean =>
      target.resource === undefined ||
      objects.some(
        ({ apiVersion, kind, metadata }) =>
          apiVersion === (target.resource?.apiGroup ?? 'v1') &&
          kind === target.resource?.kind &&
          metadata.name === target.resource.name,
      );
    const targets = [
      ...Object.entries(manifest.valueDefinitions ?? {}).flatMap(([name, one]) =>
        one.targets.map((target) => [`value ${name}`, target] as const),
      ),
      ...(manifest.transformations ?? []).flatMap((one, index) =>
        one.targets.map((target) => [`transformation ${index + 1}`, target] as const),
      ),
    ];
    for (const [what, target] of targets)
      if (!named(target))
        this.problems.push(
          `${where}: ${what} is for ${target.resource?.kind} ${target.resource?.name}, which is in none of its files`,
        );
  }
}
