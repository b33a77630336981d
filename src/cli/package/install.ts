// `package install`: plans, asks, writes the package (and, on a control plane, what takes it to its clusters), and waits.
import { Command, Option } from 'commander';
import {
  AUTO_UPDATE_ANNOTATION,
  PACKAGES_API_VERSION,
  type KubeObject,
  type PackageManifest,
} from '../../api/index.ts';
import { isAlreadyExists, kinds } from '../../client/index.ts';
import type { AnyFleetPackage, AnyPackage, OfferedPackage, PackageKind } from '../../packaging/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { CommandError, nearest, shape } from '../shell/index.ts';
import { filesOf, withCatalogue, type Catalogue } from './catalogue.ts';
import { clustersMeant, decide, decisionLines, objections } from './decisions.ts';
import { ask, canAsk, choose, confirm, progress, say } from './dialogue.ts';
import { checkValuesIn } from './in-clusters.ts';
import { forOutput, titleOf } from './installed.ts';
import { fleetPackagesOfKind, packagesOfKind, withPlace, withPlaceFlags, type Place } from './place.ts';
import { printed, withWholeOutput, type OutputFlags } from './printing.ts';
import {
  affinityOf,
  checkSending,
  fleetPackageFor,
  policyFor,
  withSending,
  type SendingFlags,
} from './sending.ts';
import { completed, configured, configurationText, withValues, type ValueFlags } from './values.ts';
import { keyOf, outcome, untilInstalled, untilRolledOut } from './waiting.ts';
import { completeOffered } from './words.ts';

interface InstallFlags extends ValueFlags, SendingFlags, OutputFlags {
  readonly version?: string;
  readonly repository?: string;
  readonly enableAutoUpdates?: boolean;
  readonly wait?: boolean;
  readonly dryRun?: boolean;
  readonly timeout: string;
}

const EXAMPLES = `
  # The latest version, with what it needs
  %s package install gateway

  # A package that lives in a namespace, under a name of its own, configured
  %s package install cache sessions -n shop --value memory=1gb --yes

  # A value from a Secret
  %s package install whoami --value host=who.example.org --value 'greeting=$SecretRef$shop,texts,hello'

  # In two clusters of a control plane
  %s package install gateway --clusters member1,member2

  # First in one cluster, then in half of them, then in the rest; rolled back when one fails
  %s package install gateway --waves member1,50% --on-failure Rollback`;

/** Flags of commands that change a package and wait for it. */
export function withWaiting(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'do not wait until it is ready')
    .option('--timeout <duration>', 'how long to wait', '5m')
    .option('--dry-run', 'check everything, with the server too, and change nothing');
}

export function installCommand(exit: SetExitCode): Command {
  const command = withWholeOutput(
    withWaiting(withSending(withValues(withPlaceFlags(new Command('install'))))),
  )
    .description('install a package, with everything that it needs')
    .argument('<package>', 'its name in the repositories')
    .argument('[name]', 'what it is called in its namespace; only for packages that live in one')
    .addOption(new Option('-v, --version <version>', 'another version than the latest'))
    .option('--repository <name>', 'the repository to take it from')
    .option('--enable-auto-updates', 'keep it at the latest version from now on')
    .action(async (packageName: string, name: string | undefined, flags: InstallFlags) => {
      if (flags.version !== undefined && flags.enableAutoUpdates === true)
        throw new CommandError('--version and --enable-auto-updates exclude each other');
      if (flags.wait === false && flags.dryRun === true)
        throw new CommandError(
          '--no-wait and --dry-run exclude each other: a dry run has nothing to wait for',
        );
      const timeoutMs = readDuration('timeout', flags.timeout);
      await withPlace(flags, (place) =>
        withCatalogue(place, (catalogue) => install(place, catalogue, packageName, name, flags, timeoutMs)),
      );
      exit(0);
    });
  return shape(command, { complete: completeOffered, examples: EXAMPLES });
}

async function install(
  place: Place,
  catalogue: Catalogue,
  packageName: string,
  name: string | undefined,
  flags: InstallFlags,
  timeoutMs: number,
): Promise<void> {
  await checkSending(place, flags);
  const { repositoryName, version, manifest } = await wanted(catalogue, packageName, flags);
  const kind: PackageKind = manifest.scope === 'Namespaced' ? 'Package' : 'ClusterPackage';
  const called = await nameFor(kind, packageName, name, flags, place);
  const values = await completed(manifest, flags, configured(manifest, flags, {}));
  const one = packageOf(kind, called, { packageName, version, repositoryName }, values, flags, place);
  await refuseInstalled(place, one);
  const fleetPackage = fleetPackageFor(one, flags);
  const clusters = place.onHub ? await clustersMeant(place, affinityOf(flags)) : [];
  await checkValuesIn(place, catalogue, one, clusters);
  const decisions = await decide(place, catalogue, one, manifest, clusters);
  const lines = [
    `Installs ${titleOf(one)}: ${packageName} ${version} from ${repositoryName}`,
    ...Object.entries(values).map(([key, value]) => `  with ${key} = ${configurationText(value)}`),
    ...(place.onHub
      ? [
          `  in ${clusters.length === 0 ? 'no cluster yet' : clusters.join(', ')}${flags.waves.length === 0 ? '' : `, in waves: ${flags.waves.join(', then ')}`}`,
        ]
      : []),
    ...decisionLines(decisions, false).map((line) => `  ${line}`),
  ];
  const against = objections(decisions);
  if (against.length > 0)
    throw new CommandError(`${titleOf(one)} cannot be installed: ${against.join('\nerror: ')}`);
  for (const line of lines) progress(flags, line);
  if (flags.dryRun !== true) await confirm(flags, 'Go on?');
  await write(place, one, fleetPackage, flags);
  if (flags.dryRun === true) {
    if (!printed([forOutput(one, true), ...(fleetPackage === undefined ? [] : [fleetPackage])], flags))
      print(`${titleOf(one)} would be installed (dry run)`);
    return;
  }
  const end =
    flags.wait === false
      ? undefined
      : fleetPackage !== undefined
        ? await untilRolledOut(place, one, flags, timeoutMs)
        : place.onHub && clusters.length === 0
          ? undefined
          : await untilInstalled(place, one, flags, timeoutMs);
  const now = await place.client.find(packagesOfKind(kind), keyOf(one));
  if (!printed([forOutput(now ?? one, flags.showAll === true)], flags))
    print(outcome(titleOf(one), flags.wait === false ? 'created' : 'installed', end));
}

export interface Wanted {
  readonly repositoryName: string;
  readonly version: string;
  readonly manifest: PackageManifest;
}

/** What is meant by a name, and perhaps a version and a repository. Throws CommandError. */
export async function wanted(
  catalogue: Catalogue,
  packageName: string,
  flags: Pick<InstallFlags, 'version' | 'repository' | 'nonInteractive' | 'progress'>,
): Promise<Wanted> {
  const offered = await catalogue.offered(packageName);
  const repositoryName = await repositoryOf(offered, flags);
  const repository = catalogue.client(repositoryName);
  const { latestVersion, versions } = await repository.versions(packageName);
  const all = versions.map(({ version }) => version);
  const version = flags.version === undefined ? latestVersion : versionOf(flags.version, all, packageName);
  const found = await repository.manifest(packageName, version);
  // What the operators would refuse is refused before anything is written.
  await filesOf(repository, found, version);
  return { repositoryName, version, manifest: found.manifest };
}

/** A missing `v` is added, and a missing package revision where there is just one. */
function versionOf(text: string, all: readonly string[], packageName: string): string {
  const spelled = [text, `v${text}`];
  const exact = all.find((one) => spelled.includes(one));
  if (exact !== undefined) return exact;
  const revisions = all.filter((one) => spelled.includes(one.split('+')[0] ?? ''));
  const latest = revisions.at(-1);
  if (latest !== undefined) return latest;
  const near = nearest(text, all);
  const known = near.length > 0 ? near : all.slice(-5);
  throw new CommandError(
    `package "${packageName}" has no version ${text}; it has ${known.join(', ')}${known.length < all.length ? ' and others' : ''}`,
  );
}

async function repositoryOf(
  { entry, repositories }: OfferedPackage,
  flags: Pick<InstallFlags, 'repository' | 'nonInteractive' | 'progress'>,
): Promise<string> {
  const { repository } = flags;
  if (repository !== undefined) {
    if (repositories.includes(repository)) return repository;
    throw new CommandError(
      `repository "${repository}" does not offer package "${entry.name}"; ${repositories.join(', ')} ${repositories.length === 1 ? 'does' : 'do'}`,
    );
  }
  const [only = ''] = repositories;
  if (repositories.length === 1) return only;
  return choose(
    flags,
    `Package "${entry.name}" is in several repositories`,
    repositories,
    'say which with --repository',
  );
}

async function nameFor(
  kind: PackageKind,
  packageName: string,
  name: string | undefined,
  flags: InstallFlags,
  { session }: Place,
): Promise<string> {
  if (kind === 'Package') {
    if (name !== undefined) return name;
    if (flags.yes === true || !canAsk(flags)) return packageName;
    const answer = await ask(flags, `Name in namespace ${session.namespace} [${packageName}]:`, 'name it');
    return answer === '' ? packageName : answer;
  }
  if (name !== undefined && name !== packageName)
    throw new CommandError(
      `package "${packageName}" is installed once in the cluster, under its own name; leave out "${name}"`,
    );
  if (session.namespaceGiven)
    throw new CommandError(
      `package "${packageName}" is installed once in the cluster, and not in a namespace; leave out -n`,
    );
  return packageName;
}

/** The package as it is written. */
export function packageOf(
  kind: PackageKind,
  name: string,
  {
    packageName,
    version,
    repositoryName,
  }: { readonly packageName: string; readonly version: string; readonly repositoryName: string },
  values: AnyPackage['spec']['values'],
  flags: { readonly enableAutoUpdates?: boolean },
  { session }: Place,
): AnyPackage {
  return {
    apiVersion: PACKAGES_API_VERSION,
    kind,
    metadata: {
      name,
      ...(kind === 'Package' ? { namespace: session.namespace } : {}),
      ...(flags.enableAutoUpdates === true ? { annotations: { [AUTO_UPDATE_ANNOTATION]: 'true' } } : {}),
    },
    spec: {
      packageInfo: { name: packageName, version, repositoryName },
      ...(values === undefined || Object.keys(values).length === 0 ? {} : { values }),
    },
  };
}

async function refuseInstalled({ client }: Place, one: AnyPackage): Promise<void> {
  const known = await client.find(packagesOfKind(one.kind), keyOf(one));
  if (known === undefined) return;
  if (known.metadata.deletionTimestamp !== undefined)
    throw new CommandError(`${titleOf(one)} is being uninstalled; try again when it is gone`);
  throw new CommandError(
    `${titleOf(one)} is installed already, as ${known.spec.packageInfo.name} ${known.spec.packageInfo.version}; use "package update" for another version, "package configure" for other values${one.kind === 'Package' ? ', or give this one another name' : ''}`,
  );
}

async function write(
  place: Place,
  one: AnyPackage,
  fleetPackage: KubeObject | undefined,
  flags: InstallFlags,
): Promise<void> {
  const { client, onHub } = place;
  const dryRun = flags.dryRun === true;
  if (one.kind === 'Package' && place.session.namespaceGiven) await ensureNamespace(place, dryRun);
  if (fleetPackage !== undefined) {
    await client.create(fleetPackagesOfKind(one.kind), fleetPackage as AnyFleetPackage, { dryRun });
    return;
  }
  const sending = onHub ? policyFor(one, flags) : undefined;
  if (sending !== undefined) await client.apply(sending.resource, sending.object, { dryRun });
  await client.create(packagesOfKind(one.kind), one, { dryRun });
}

async function ensureNamespace({ client, session }: Place, dryRun: boolean): Promise<void> {
  const name = session.namespace;
  if ((await client.find(kinds.namespaces, { name })) !== undefined) return;
  if (dryRun) return say(`namespace/${name} would be created`);
  try {
    await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    say(`namespace/${name} created`);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
