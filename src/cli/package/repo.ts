// `package repo`: where packages come from. On a control plane repositories are sent to all members by one policy.
import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import {
  DEFAULT_REPOSITORY_ANNOTATION,
  PACKAGES_API_VERSION,
  PACKAGES_NAMESPACE,
  type KubeObject,
  type PackageRepository,
} from '../../api/index.ts';
import { isNotFound, kinds, type Client } from '../../client/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { repositoryAddressProblem } from '../../packaging/index.ts';
import { CommandError, nearest, shape } from '../shell/index.ts';
import { ask, confirm, say } from './dialogue.ts';
import { allInstalled, titleOf } from './installed.ts';
import { packageRepositories, withPlace, withPlaceFlags, type PackageFlags, type Place } from './place.ts';
import { printTable, printed, withOutput, type OutputFlags } from './printing.ts';
import { completeRepositories } from './words.ts';

type AuthKind = 'none' | 'basic' | 'bearer';

interface RepoFlags extends PackageFlags, OutputFlags {
  readonly default?: boolean;
  readonly auth?: AuthKind;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  readonly url?: string;
}

export function repoCommand(exit: SetExitCode): Command {
  const command = new Command('repo').alias('repository').description('where packages come from');
  for (const sub of [
    listRepositories(exit),
    addRepository(exit),
    updateRepository(exit),
    deleteRepository(exit),
  ])
    command.addCommand(sub);
  return shape(command, {});
}

function withLogin(command: Command): Command {
  return command
    .option('--default', 'packages that name no repository come from this one')
    .addOption(new Option('--auth <kind>', 'how to log in').choices(['none', 'basic', 'bearer']))
    .option('--username <name>', 'for --auth basic')
    .option('--password <text>', 'for --auth basic; asked for when it is not given')
    .option('--token <text>', 'for --auth bearer; asked for when it is not given');
}

function listRepositories(exit: SetExitCode): Command {
  const command = withOutput(withPlaceFlags(new Command('list').alias('ls')))
    .description('list the repositories')
    .action(async (flags: RepoFlags) => {
      await withPlace(flags, async ({ client, onHub }) => {
        const { items } = await client.listAll(packageRepositories);
        if (printed(items, flags)) return;
        if (items.length === 0) return say('There are no repositories.');
        const ready = (one: PackageRepository): NonNullable<PackageRepository['status']>['conditions'] =>
          one.status?.conditions?.filter(({ type }) => type === 'Ready');
        printTable(items, [
          ['NAME', ({ metadata }) => metadata.name ?? ''],
          ['URL', ({ spec }) => spec.url],
          ['DEFAULT', (one) => (isDefault(one) ? 'Yes' : 'No')],
          ['AUTHENTICATION', ({ spec }) => authOf(spec)],
          ['PACKAGES', ({ status }) => String(status?.packages ?? ''), flags.output === 'wide'],
          ['STATUS', (one) => statusWord(ready(one)?.[0]?.status)],
          ['MESSAGE', (one) => messageOf(ready(one)?.[0], onHub)],
        ]);
      });
      exit(0);
    });
  return shape(command, { examples: '# All repositories\n%s package repo list' });
}

function messageOf(
  ready: { readonly status: string; readonly message: string } | undefined,
  onHub: boolean,
): string {
  if (ready === undefined) return onHub ? 'not reported by members yet' : '';
  // Of all members the same, when nothing is wrong.
  return onHub && ready.status === 'True' ? '' : ready.message;
}

function statusWord(status: string | undefined): string {
  return status === 'True' ? 'Ready' : status === 'False' ? 'Failed' : 'Pending';
}

function isDefault({ metadata }: PackageRepository): boolean {
  return metadata.annotations?.[DEFAULT_REPOSITORY_ANNOTATION] === 'true';
}

function authOf({ auth }: PackageRepository['spec']): AuthKind {
  return auth?.basic !== undefined ? 'basic' : auth?.bearer !== undefined ? 'bearer' : 'none';
}

function addRepository(exit: SetExitCode): Command {
  const command = withLogin(withPlaceFlags(new Command('add')))
    .description('add a repository')
    .argument('<name>', 'what it is called')
    .argument('<url>', 'http, https, file, oci or oci-layout address that index.yaml is below')
    .action(async (name: string, url: string, flags: RepoFlags) => {
      await withPlace(flags, async (place) => {
        const login = await readLogin(flags);
        const auth = login === undefined ? undefined : await keepLogin(place.client, name, login);
        await movingDefault(place.client, name, flags.default === true, async () => {
          await place.client.create(packageRepositories, {
            apiVersion: PACKAGES_API_VERSION,
            kind: 'PackageRepository',
            metadata: {
              name,
              ...(flags.default === true ? { annotations: { [DEFAULT_REPOSITORY_ANNOTATION]: 'true' } } : {}),
            },
            spec: { url: checkedUrl(url), ...(auth === undefined ? {} : { auth }) },
          });
        });
        if (place.onHub) await sendRepositories(place.client);
        print(`packagerepository/${name} added${flags.default === true ? ' as the default' : ''}`);
      });
      exit(0);
    });
  return shape(command, {
    examples: `
      # A repository on the network
      %s package repo add team https://packages.example.org/team

      # A folder, as the default
      %s package repo add local file:///srv/packages --default

      # One that wants a login
      %s package repo add vendor https://packages.example.org --auth bearer`,
  });
}

function checkedUrl(url: string): string {
  const problem = repositoryAddressProblem(url);
  if (problem === undefined) return url;
  throw new CommandError(problem);
}

function updateRepository(exit: SetExitCode): Command {
  const command = withLogin(withPlaceFlags(new Command('update')))
    .description('change a repository; what is not named stays')
    .argument('<name>', 'the repository')
    .option('--url <url>', 'its new address')
    .action(async (name: string, flags: RepoFlags) => {
      await withPlace(flags, async ({ client }) => {
        await findRepository(client, name);
        const login = await readLogin(flags);
        const auth = login === undefined ? undefined : await keepLogin(client, name, login);
        const spec = {
          ...(flags.url === undefined ? {} : { url: checkedUrl(flags.url) }),
          ...(auth !== undefined
            ? { auth: { basic: null, bearer: null, ...auth } }
            : flags.auth === 'none'
              ? { auth: null }
              : {}),
        };
        const annotations = flags.default === true ? { [DEFAULT_REPOSITORY_ANNOTATION]: 'true' } : {};
        await movingDefault(client, name, flags.default === true, async () => {
          await client.patch(
            packageRepositories,
            { name },
            { type: 'merge', body: { metadata: { annotations }, spec } },
          );
        });
        if (flags.auth !== undefined || login !== undefined)
          await forgetLogins(client, name, await client.get(packageRepositories, { name }));
        print(`packagerepository/${name} updated`);
      });
      exit(0);
    });
  return shape(command, {
    complete: completeRepositories,
    examples: `
      # Another address, with the login that it has
      %s package repo update team --url https://mirror.example.org/team

      # Without a login
      %s package repo update team --auth none`,
  });
}

function deleteRepository(exit: SetExitCode): Command {
  const command = withPlaceFlags(new Command('delete').alias('remove').alias('rm'))
    .description('remove a repository that nothing is installed from')
    .argument('<name>', 'the repository')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, flags: PackageFlags) => {
      await withPlace(flags, async (place) => {
        const known = await findRepository(place.client, name);
        const users = await usersOf(place, known);
        if (users.length > 0)
          throw new CommandError(
            `repository "${name}" is used by ${users.slice(0, 5).join(', ')}${users.length > 5 ? ` and ${users.length - 5} more` : ''}; uninstall them, or take them from another repository first`,
          );
        await confirm(flags, `Remove repository "${name}" (${known.spec.url})?`);
        await place.client.delete(packageRepositories, { name });
        await forgetLogins(place.client, name);
        print(`packagerepository/${name} deleted`);
      });
      exit(0);
    });
  return shape(command, {
    complete: completeRepositories,
    examples: '# Remove one\n%s package repo delete team',
  });
}

async function usersOf(place: Place, repository: PackageRepository): Promise<readonly string[]> {
  const { name = '' } = repository.metadata;
  return (await allInstalled(place))
    .filter(({ spec }) => {
      const { repositoryName = '' } = spec.packageInfo;
      return repositoryName === name || (repositoryName === '' && isDefault(repository));
    })
    .map(titleOf);
}

async function findRepository(client: Client, name: string): Promise<PackageRepository> {
  const { items } = await client.listAll(packageRepositories);
  const names = items.map(({ metadata }) => metadata.name ?? '');
  const found = items.find(({ metadata }) => metadata.name === name);
  if (found !== undefined) return found;
  const near = nearest(name, names);
  throw new CommandError(
    `there is no repository "${name}"${near.length === 0 ? '' : `\nDid you mean this?\n${near.map((one) => `\t${one}`).join('\n')}`}`,
  );
}

/** There is one default: the mark of another one goes first, and comes back when the rest fails. */
async function movingDefault(
  client: Client,
  name: string,
  wanted: boolean,
  write: () => Promise<void>,
): Promise<void> {
  const { items } = wanted ? await client.listAll(packageRepositories) : { items: [] };
  const others = items.filter((one) => isDefault(one) && one.metadata.name !== name);
  const mark = async (value: string | null): Promise<void> => {
    for (const { metadata } of others)
      await client.patch(
        packageRepositories,
        { name: metadata.name ?? '' },
        { type: 'merge', body: { metadata: { annotations: { [DEFAULT_REPOSITORY_ANNOTATION]: value } } } },
      );
  };
  await mark(null);
  try {
    await write();
  } catch (error) {
    await mark('true');
    throw error;
  }
}

type Login = { readonly username: string; readonly password: string } | { readonly token: string };

/** Undefined: nothing about logging in was said. */
async function readLogin(flags: RepoFlags): Promise<Login | undefined> {
  const { username, password, token } = flags;
  if (token !== undefined && (username !== undefined || password !== undefined))
    throw new CommandError('--token and --username or --password exclude each other');
  const said =
    token !== undefined ? 'bearer' : username !== undefined || password !== undefined ? 'basic' : undefined;
  const kind = flags.auth ?? said;
  if (said !== undefined && said !== kind)
    throw new CommandError(
      `--auth ${kind ?? ''} does not go with --${said === 'bearer' ? 'token' : 'username and --password'}`,
    );
  if (kind === undefined || kind === 'none') return undefined;
  if (kind === 'bearer') return { token: token ?? (await ask(flags, 'Token:', 'add --token')) };
  return {
    username: username ?? (await ask(flags, 'User name:', 'add --username')),
    password: password ?? (await ask(flags, 'Password:', 'add --password')),
  };
}

/** On Secrets with logins: the repository they are for. */
const LOGIN_LABEL = 'packages.glasskube.dev/repository';

/**
 * Who may look at repositories need not see how to log in: that is in a Secret beside them. Each login has one of its own, so
 * that whoever reads the repository is told of a new one by the repository itself.
 */
async function keepLogin(
  client: Client,
  name: string,
  login: Login,
): Promise<NonNullable<PackageRepository['spec']['auth']>> {
  const namespace: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: PACKAGES_NAMESPACE },
  };
  await client.apply(kinds.namespaces, namespace);
  const secret = `package-repository-${name}-${randomBytes(4).toString('hex')}`;
  const data = Object.entries(login).map(([key, text]) => [
    key,
    Buffer.from(String(text)).toString('base64'),
  ]);
  await client.create(kinds.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret, namespace: PACKAGES_NAMESPACE, labels: { [LOGIN_LABEL]: name } },
    data: Object.fromEntries(data) as Readonly<Record<string, string>>,
  });
  const ref = (key: string): { readonly name: string; readonly key: string } => ({ name: secret, key });
  return 'token' in login
    ? { bearer: { tokenSecretRef: ref('token') } }
    : { basic: { usernameSecretRef: ref('username'), passwordSecretRef: ref('password') } };
}

/** Removes logins that the repository does not use any more. */
async function forgetLogins(client: Client, name: string, used?: PackageRepository): Promise<void> {
  const { basic, bearer } = used?.spec.auth ?? {};
  const kept = [basic?.usernameSecretRef, basic?.passwordSecretRef, bearer?.tokenSecretRef].map(
    (ref) => ref?.name,
  );
  const { items } = await client.listAll(kinds.secrets, {
    namespace: PACKAGES_NAMESPACE,
    labelSelector: `${LOGIN_LABEL}=${name}`,
  });
  for (const { metadata } of items) {
    if (kept.includes(metadata.name)) continue;
    try {
      await client.delete(kinds.secrets, { namespace: PACKAGES_NAMESPACE, name: metadata.name ?? '' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

const REPOSITORIES_POLICY = 'package-repositories';

/** The one policy by which all repositories go to all members. */
export async function sendRepositories(client: Client, signal?: AbortSignal): Promise<void> {
  const call = signal === undefined ? {} : { signal };
  try {
    await client.get(kinds.clusterPropagationPolicies, { name: REPOSITORIES_POLICY }, call);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const policy: KubeObject = {
      apiVersion: 'policy.karmada.io/v1alpha1',
      kind: 'ClusterPropagationPolicy',
      metadata: { name: REPOSITORIES_POLICY },
      spec: {
        resourceSelectors: [{ apiVersion: PACKAGES_API_VERSION, kind: 'PackageRepository' }],
        propagateDeps: true,
        conflictResolution: 'Overwrite',
        placement: {},
      },
    };
    await client.apply(kinds.clusterPropagationPolicies, policy, call);
  }
}
