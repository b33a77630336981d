// `member`: the simulated members of a control plane, at run time.
import { Command } from 'commander';
import type { Cluster, KubeObject } from '../api/index.ts';
import { OperatingError } from '../base/index.ts';
import { kinds } from '../client/index.ts';
import { print, withHub, type SetExitCode } from './command.ts';
import { faultCommand } from './fault.ts';
import { completeNames, withSession, type HubFlags, type Session } from './objects/index.ts';
import { formatTable, listOf, objectPrinter, withTableOutput, type OutputFlags } from './output/index.ts';
import { shape } from './shell/index.ts';

const PATH = '/simulation/members';
/** As its parts are called when printed; no API server stores it. */
const API_VERSION = 'simulation.navarch.io/v1';

interface ListedMember {
  readonly name: string;
  readonly endpoint: string;
  readonly region: string;
  readonly zones: readonly string[];
  readonly provider: string;
  readonly faults: readonly { readonly id: string; readonly description: string }[];
}

const EXAMPLES = `
  # Which members are simulated, and what is wrong with them
  %s member list

  # One more, with five nodes in another region
  %s member add member4 --nodes 5 --region asia

  # Nobody reaches it for two minutes
  %s member fault member4 cut-network --for 2m

  # It leaves
  %s member remove member4`;

export function memberCommand(exit: SetExitCode): Command {
  const command = shape(new Command('member'), { group: 'Control plane', examples: EXAMPLES });
  command
    .summary('List, add, remove and break simulated members')
    .description(
      'List, add, remove and break the simulated members that a control plane runs beside itself.',
    );
  for (const one of [listCommand(exit), addCommand(exit), removeCommand(exit), faultCommand(exit)])
    command.addCommand(one);
  return command;
}

function listCommand(exit: SetExitCode): Command {
  const command = shape(new Command('list'), {
    examples: '# As a table, and as JSON\n%s member list\n%s member list -o json',
  });
  return withTableOutput(withHub(command))
    .aliases(['ls'])
    .description('List the simulated members')
    .action(async (flags: HubFlags & OutputFlags) => {
      await withSession(flags, (session) => list(session, flags));
      exit(0);
    });
}

async function list(session: Session, flags: OutputFlags): Promise<void> {
  const printer = await objectPrinter(flags, true);
  const { members } = (await session.client.request({ method: 'GET', path: PATH })) as {
    readonly members: readonly ListedMember[];
  };
  if (printer !== undefined) {
    process.stdout.write(printer(listOf(members.map(asObject))));
    return;
  }
  if (members.length === 0) return print('No members are simulated. Add one: navarch member add NAME');
  const { items } = await session.client.listAll<Cluster>(kinds.clusters);
  const rows = members.map((member) => ({
    cells: cellsOf(
      member,
      items.find(({ metadata }) => metadata.name === member.name),
    ),
  }));
  const columns = [
    { name: 'Name' },
    { name: 'Ready' },
    { name: 'Version' },
    { name: 'Nodes' },
    { name: 'Region' },
    { name: 'Faults' },
    { name: 'Endpoint', priority: 1 },
    { name: 'Zones', priority: 1 },
    { name: 'Provider', priority: 1 },
  ];
  process.stdout.write(
    formatTable(columns, rows, {
      wide: flags.output === 'wide',
      noHeaders: flags.headers === false,
      withNamespace: false,
      showLabels: false,
      labelColumns: [],
    }),
  );
}

function cellsOf(member: ListedMember, cluster: Cluster | undefined): readonly string[] {
  const { conditions, kubernetesVersion, nodeSummary } = cluster?.status ?? {};
  const ready =
    cluster === undefined
      ? 'not joined'
      : (conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown');
  const nodes = nodeSummary === undefined ? '-' : `${nodeSummary.readyNum ?? 0}/${nodeSummary.totalNum ?? 0}`;
  const faults = member.faults.map(({ description }) => description).join('; ');
  const orNone = (text: string): string => (text === '' ? '<none>' : text);
  return [
    member.name,
    ready,
    kubernetesVersion ?? '',
    nodes,
    orNone(member.region),
    orNone(faults),
    member.endpoint,
    orNone(member.zones.join(',')),
    orNone(member.provider),
  ];
}

function asObject({ name, ...spec }: ListedMember): KubeObject {
  return { apiVersion: API_VERSION, kind: 'Member', metadata: { name }, spec };
}

interface AddFlags extends HubFlags {
  readonly nodes?: string;
  readonly region?: string;
  readonly zones?: string;
  readonly provider?: string;
}

function addCommand(exit: SetExitCode): Command {
  const command = shape(new Command('add'), {
    examples: '# With five nodes\n%s member add member4 --nodes 5 --region asia --zones asia-1',
  });
  return withHub(command)
    .description(
      'Start one more simulated member and join it; it comes back when the control plane is started again',
    )
    .argument('<name>', 'name of the member and of its Cluster')
    .option('--nodes <n>', 'simulated nodes; default as the others')
    .option('--region <name>', 'region it is in')
    .option('--zones <names>', 'zones it is in, separated by commas')
    .option('--provider <name>', 'who provides it', 'simulation')
    .action(async (name: string, flags: AddFlags) => {
      const nodes = flags.nodes === undefined ? undefined : Number(flags.nodes);
      if (nodes !== undefined && !Number.isInteger(nodes))
        throw new OperatingError(
          'BAD_FLAG',
          `--nodes is no whole number: "${flags.nodes ?? ''}"`,
          'write it like 3',
        );
      const body = {
        name,
        provider: flags.provider,
        ...(nodes === undefined ? {} : { nodes }),
        ...(flags.region === undefined ? {} : { region: flags.region }),
        ...(flags.zones === undefined ? {} : { zones: flags.zones.split(',') }),
      };
      await withSession(flags, async (session) => {
        const member = (await session.client.request({ method: 'POST', path: PATH, body })) as ListedMember;
        print(`member ${name} added: ${member.endpoint}`);
      });
      exit(0);
    });
}

function removeCommand(exit: SetExitCode): Command {
  const command = shape(new Command('remove'), {
    examples: '# It leaves as any cluster does, and what it held is gone\n%s member remove member4',
    complete: completeNames('clusters'),
  });
  return withHub(command)
    .aliases(['rm'])
    .description('Unjoin a simulated member, stop it, and forget what it held')
    .argument('<name>', 'name of the member')
    .action(async (name: string, flags: HubFlags) => {
      await withSession(flags, async (session) => {
        await session.client.request({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(name)}` });
        print(`member ${name} removed`);
      });
      exit(0);
    });
}
