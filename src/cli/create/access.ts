// `create role|clusterrole|rolebinding|clusterrolebinding|serviceaccount|token`.
import { Option, type Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { kinds } from '../../client/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { completeNames, withNamespace, withSession, type HubFlags, type Session } from '../objects/index.ts';
import { objectPrinter, withOutput, type OutputFlags } from '../output/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { CommandError, listOption, NoMatchError, repeatedOption, upstreamCommand } from '../shell/index.ts';
import { keyValues, maker } from './maker.ts';

const GROUP = 'rbac.authorization.k8s.io';
const API_VERSION = `${GROUP}/v1`;

interface RoleFlags {
  readonly verb: readonly string[];
  readonly resource: readonly string[];
  readonly resourceName: readonly string[];
  readonly nonResourceUrl?: readonly string[];
  readonly aggregationRule?: readonly string[];
}

function withRules(command: Command): Command {
  return command
    .addOption(listOption('--verb <list>', 'verb that applies to the resources contained in the rule'))
    .addOption(listOption('--resource <list>', 'resource that the rule applies to'))
    .addOption(
      repeatedOption('--resource-name <name>', 'resource in the white list that the rule applies to'),
    );
}

/** Rules of one API group each, as they are written in a Role. */
async function rulesOf(flags: RoleFlags, session: Session): Promise<readonly object[]> {
  if (flags.verb.length === 0) throw new CommandError('at least one verb must be specified');
  if (flags.resource.length === 0) throw new CommandError('at least one resource must be specified');
  const verbs = flags.verb.includes('*') ? ['*'] : [...new Set(flags.verb)];
  const byGroup = new Map<string, string[]>();
  for (const text of flags.resource) {
    const [type = '', subresource] = text.split('/');
    const { group, resource } =
      type === '*'
        ? { group: '*', resource: '*' }
        : ((await session.mapper.resourceByText(type)) ?? unknownResource(type));
    const name = subresource === undefined ? resource : `${resource}/${subresource}`;
    byGroup.set(group, [...(byGroup.get(group) ?? []), name]);
  }
  // COMPAT: groups in order.
  return [...byGroup]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, resources]) => ({
      apiGroups: [group],
      resources,
      ...(flags.resourceName.length === 0 ? {} : { resourceNames: flags.resourceName }),
      verbs,
    }));
}

function unknownResource(type: string): never {
  throw new NoMatchError(`the server doesn't have a resource type "${type}"`);
}

export function roleMaker(exit: SetExitCode): Command {
  return maker<RoleFlags>(exit, {
    name: 'role',
    what: 'Create a role with single rule',
    examples: '# Who has it can read pods\n%s create role pod-reader --verb=get,list,watch --resource=pods',
    flags: withRules,
    make: async (name, flags, session) => ({
      apiVersion: API_VERSION,
      kind: 'Role',
      metadata: { name },
      rules: await rulesOf(flags, session),
    }),
  });
}

export function clusterRoleMaker(exit: SetExitCode): Command {
  return maker<RoleFlags>(exit, {
    name: 'clusterrole',
    what: 'Create a cluster role',
    examples: `
      # Who has it can read the Clusters
      %s create clusterrole fleet-reader --verb=get,list,watch --resource=clusters

      # Who has it can use the proxy of one member
      %s create clusterrole member1-proxy --verb='*' --resource=clusters/proxy --resource-name=member1`,
    flags: (command) =>
      withRules(command)
        .addOption(listOption('--non-resource-url <list>', 'a partial url that user should have access to'))
        .addOption(
          listOption('--aggregation-rule <list>', 'label selector of the cluster roles that it is made of'),
        ),
    make: async (name, flags, session) => {
      const role = { apiVersion: API_VERSION, kind: 'ClusterRole', metadata: { name } };
      const selectors = flags.aggregationRule ?? [];
      if (selectors.length > 0)
        return {
          ...role,
          aggregationRule: {
            clusterRoleSelectors: [{ matchLabels: keyValues(selectors, 'aggregation rule') }],
          },
          rules: null,
        };
      const urls = flags.nonResourceUrl ?? [];
      if (urls.length === 0) return { ...role, rules: await rulesOf(flags, session) };
      if (flags.resource.length > 0)
        throw new CommandError(
          'invalid verb: resource and nonResourceURL cannot be specified at the same time',
        );
      const odd = flags.verb.find((verb) => !URL_VERBS.includes(verb));
      if (odd !== undefined) throw new CommandError(`invalid verb: '${odd}' for nonResourceURL`);
      return { ...role, rules: [{ nonResourceURLs: urls, verbs: flags.verb }] };
    },
  });
}

const URL_VERBS: readonly string[] = ['get', 'put', 'post', 'head', 'options', 'delete', 'patch', '*'];

interface BindingFlags {
  readonly clusterrole?: string;
  readonly role?: string;
  readonly user: readonly string[];
  readonly group: readonly string[];
  readonly serviceaccount: readonly string[];
}

function withSubjects(command: Command): Command {
  return command
    .option('--clusterrole <name>', 'cluster role that is granted')
    .addOption(repeatedOption('--user <name>', 'users to bind to the role'))
    .addOption(repeatedOption('--group <name>', 'groups to bind to the role'))
    .addOption(repeatedOption('--serviceaccount <namespace:name>', 'service accounts to bind to the role'));
}

function subjectsOf({ user, group, serviceaccount }: BindingFlags): readonly object[] {
  return [
    ...user.map((name) => ({ apiGroup: GROUP, kind: 'User', name })),
    ...group.map((name) => ({ apiGroup: GROUP, kind: 'Group', name })),
    ...serviceaccount.map((text) => {
      const [namespace = '', name = '', ...more] = text.split(':');
      if (namespace === '' || name === '' || more.length > 0)
        throw new CommandError('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name, namespace };
    }),
  ];
}

function bindingOf(kind: string, name: string, flags: BindingFlags): KubeObject {
  if ((flags.clusterrole === undefined) === (flags.role === undefined))
    throw new CommandError(
      kind === 'RoleBinding'
        ? 'exactly one of clusterrole or role must be specified'
        : 'clusterrole must be specified',
    );
  const roleRef =
    flags.role === undefined
      ? { apiGroup: GROUP, kind: 'ClusterRole', name: flags.clusterrole }
      : { apiGroup: GROUP, kind: 'Role', name: flags.role };
  return { apiVersion: API_VERSION, kind, metadata: { name }, roleRef, subjects: subjectsOf(flags) };
}

export function roleBindingMaker(exit: SetExitCode): Command {
  return maker<BindingFlags>(exit, {
    name: 'rolebinding',
    failure: 'rolebinding:',
    what: 'Create a role binding for a particular role or cluster role',
    examples:
      '# Let two users administer a namespace\n%s create rolebinding admin -n shop --clusterrole=admin --user=user1 --user=user2',
    flags: (command) => withSubjects(command).option('--role <name>', 'role that is granted'),
    make: (name, flags) => bindingOf('RoleBinding', name, flags),
  });
}

export function clusterRoleBindingMaker(exit: SetExitCode): Command {
  return maker<BindingFlags>(exit, {
    name: 'clusterrolebinding',
    failure: 'clusterrolebinding:',
    what: 'Create a cluster role binding for a particular cluster role',
    examples:
      '# Let a group read everything\n%s create clusterrolebinding readers --clusterrole=view --group=readers',
    flags: withSubjects,
    make: (name, flags) => bindingOf('ClusterRoleBinding', name, flags),
  });
}

export function serviceAccountMaker(exit: SetExitCode): Command {
  return maker<object>(exit, {
    name: 'serviceaccount',
    failure: 'serviceaccount:',
    aliases: ['sa'],
    what: 'Create a service account with the specified name',
    examples: '# One account\n%s create serviceaccount robot -n shop',
    make: (name) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }),
  });
}

interface TokenFlags extends HubFlags, OutputFlags {
  readonly audience: readonly string[];
  readonly duration?: string;
  readonly boundObjectKind?: string;
  readonly boundObjectName?: string;
  readonly boundObjectUid?: string;
}

export function accountTokenMaker(exit: SetExitCode): Command {
  const command = upstreamCommand('token', {
    examples: '# A token of an account for an hour\n%s create token robot -n shop --duration 1h',
    complete: completeNames('serviceaccounts'),
  });
  return withOutput(withNamespace(command))
    .description('Request a service account token')
    .argument('<account>', 'name of the service account')
    .addOption(repeatedOption('--audience <name>', 'audience of the requested token'))
    .option('--duration <time>', 'requested lifetime of the issued token')
    .addOption(
      new Option('--bound-object-kind <kind>', 'kind of an object to bind the token to').choices([
        'Pod',
        'Secret',
        'Node',
      ]),
    )
    .option('--bound-object-name <name>', 'name of an object to bind the token to')
    .option('--bound-object-uid <uid>', 'uid of an object to bind the token to')
    .action(async (account: string, flags: TokenFlags) => {
      await withSession(flags, (session) => requestToken(session, account, flags));
      exit(0);
    });
}

async function requestToken(session: Session, account: string, flags: TokenFlags): Promise<void> {
  const { boundObjectKind: kind, boundObjectName: name, boundObjectUid: uid } = flags;
  if (kind !== undefined && name === undefined)
    throw new CommandError('--bound-object-name is required if --bound-object-kind is provided');
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: {
      audiences: flags.audience,
      ...(flags.duration === undefined
        ? {}
        : { expirationSeconds: Math.round(readDuration('duration', flags.duration) / 1000) }),
      ...(kind === undefined
        ? {}
        : { boundObjectRef: { apiVersion: 'v1', kind, name, ...(uid === undefined ? {} : { uid }) } }),
    },
  };
  const answer = (await session.client
    .create<KubeObject>(kinds.serviceAccounts, request, {
      subresource: 'token',
      name: account,
      namespace: session.namespace,
    })
    .catch((error: unknown) => {
      if (!(error instanceof StatusError)) throw error;
      throw new CommandError(`failed to create token: ${error.message}`);
    })) as KubeObject & { readonly status?: { readonly token?: string } };
  const printer = await objectPrinter(flags, false);
  if (printer === undefined) print(answer.status?.token ?? '');
  else process.stdout.write(printer(answer));
}
