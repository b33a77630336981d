// `suspensions`: everything that is suspended, and what happened to the suspension of one object.
import { Command, Option } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { PACKAGES_GROUP, type ClusterPackage, type Package } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { formatYaml, isNotFound, kinds, resource, type Resource } from '../../client/index.ts';
import { suspensionHistory, suspensionNote, type SuspensionEvent } from '../../fleet/index.ts';
import { StatusError, formatAge } from '../../machinery/index.ts';
import {
  isRolloutSuspended,
  isSuspendedBySpec,
  type AnyFleetPackage,
  type AnyPackage,
} from '../../packaging/index.ts';
import { stoppedBy, stoppedText, type Suspendable } from '../../propagation/index.ts';
import { columns } from '../columns.ts';
import { print, type SetExitCode } from '../command.ts';
import { withNamespace, withSession, type HubFlags, type Session } from '../objects/index.ts';
import { fleetPackagesOfKind } from '../package/place.ts';
import { shape } from '../shell/index.ts';
import { targetsOf, titleOfTarget } from './targets.ts';

interface ListFlags extends HubFlags {
  readonly output?: 'json' | 'yaml';
}

interface Row {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly stopped: string;
  readonly since?: string;
  readonly until?: string;
  readonly by?: string;
  readonly reason?: string;
}

export function suspensionsCommand(exit: SetExitCode): Command {
  const command = withNamespace(new Command('suspensions'))
    .description('list what is suspended: policies, bindings, clusters, packages and roll-outs')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml']))
    .action(async (flags: ListFlags) => {
      await withSession(flags, async (session) => showRows(await rowsOf(session), flags.output));
      exit(0);
    })
    .addCommand(historyCommand(exit));
  return shape(command, {
    group: 'Advanced',
    examples: `
      # Everything, in all namespaces
      %s suspensions

      # One namespace
      %s suspensions -n shop

      # What happened to one
      %s suspensions history policy/web -n shop`,
  });
}

function historyCommand(exit: SetExitCode): Command {
  const command = withNamespace(new Command('history'))
    .description('tell what happened to the suspension of an object')
    .argument('<type/name>', 'policy/NAME, binding/NAME, cluster/NAME, package/NAME or rollout/NAME')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml']))
    .action(async (operand: string, flags: ListFlags) => {
      await withSession(flags, async (session) => {
        for (const target of await targetsOf(session, [operand], flags)) {
          const { object } = target;
          const events =
            target.family === 'package'
              ? (target.object.status?.suspensionHistory ?? [])
              : suspensionHistory(object);
          showHistory(titleOfTarget(target), events as readonly SuspensionEvent[], flags.output);
        }
      });
      exit(0);
    });
  return shape(command, { examples: `\n      %s suspensions history cluster/member1` });
}

async function rowsOf(session: Session): Promise<readonly Row[]> {
  const propagation: readonly Resource<Suspendable>[] = [
    kinds.propagationPolicies,
    kinds.clusterPropagationPolicies,
    kinds.resourceBindings,
    kinds.clusterResourceBindings,
    kinds.clusters,
  ];
  const packages: readonly Resource<AnyPackage>[] = [
    resource<Package>({ group: PACKAGES_GROUP, version: 'v1alpha1', resource: 'packages', namespaced: true }),
    resource<ClusterPackage>({
      group: PACKAGES_GROUP,
      version: 'v1alpha1',
      resource: 'clusterpackages',
      namespaced: false,
    }),
  ];
  const lists = await Promise.all([
    ...propagation.map(async (one) => (await listed(session, one)).flatMap(propagationRow)),
    ...packages.map(async (one) => (await listed(session, one)).flatMap(packageRow)),
    ...(['Package', 'ClusterPackage'] as const).map(async (kind) =>
      (await listed(session, fleetPackagesOfKind(kind))).flatMap(rolloutRow),
    ),
  ]);
  return lists
    .flat()
    .filter(
      ({ namespace }) =>
        !session.namespaceGiven || namespace === undefined || namespace === session.namespace,
    );
}

async function listed<T extends KubeObject>({ client }: Session, one: Resource<T>): Promise<readonly T[]> {
  try {
    return (await client.listAll(one)).items;
  } catch (error) {
    // Not served here, or not for this user's eyes.
    if (isNotFound(error)) return [];
    if (!(error instanceof StatusError) || error.code !== 403) throw error;
    process.stderr.write(`navarch: not readable to you, and left out: ${one.resource}\n`);
    return [];
  }
}

function named({
  kind,
  metadata: { namespace, name = '' },
}: KubeObject): Pick<Row, 'kind' | 'namespace' | 'name'> {
  return { kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function propagationRow(object: Suspendable): readonly Row[] {
  const stopped = stoppedBy(object);
  return stopped === undefined
    ? []
    : [{ ...named(object), stopped: stoppedText(stopped), ...suspensionNote(object) }];
}

function rolloutRow(one: AnyFleetPackage): readonly Row[] {
  if (!isRolloutSuspended(one, systemClock.now())) return [];
  return [{ ...named(one), stopped: 'waves', ...suspensionNote(one), ...one.spec.suspension }];
}

function packageRow(one: AnyPackage): readonly Row[] {
  const observed = one.status?.suspension;
  if (!isSuspendedBySpec(one.spec) && observed?.active !== true) return [];
  const [first] = observed?.sources ?? [];
  const {
    reason = first?.reason,
    until = observed?.until,
    mode = observed?.mode,
  } = one.spec.suspension ?? {};
  const by = one.metadata.annotations?.['packages.glasskube.dev/suspended-by'] ?? first?.by;
  const since = one.metadata.annotations?.['packages.glasskube.dev/suspended-at'] ?? observed?.since;
  return [
    {
      ...named(one),
      stopped: mode === 'ChangesOnly' ? 'changes' : 'everything',
      ...(by === undefined ? {} : { by }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      ...(reason === undefined ? {} : { reason }),
    },
  ];
}

function showRows(rows: readonly Row[], output: ListFlags['output']): void {
  if (output !== undefined)
    return print(output === 'json' ? JSON.stringify(rows, null, 2) : formatYaml(rows).trimEnd());
  if (rows.length === 0) return print('Nothing is suspended.');
  const nowMs = systemClock.now();
  const cells = rows.map(
    ({ kind, namespace = '', name, stopped, since, until = '', by = '', reason = '' }) => [
      kind,
      namespace,
      name,
      stopped,
      since === undefined ? '' : formatAge(since, nowMs),
      until,
      by,
      reason,
    ],
  );
  for (const line of columns(['KIND', 'NAMESPACE', 'NAME', 'STOPPED', 'FOR', 'UNTIL', 'BY', 'REASON'], cells))
    print(line);
}

function showHistory(title: string, events: readonly SuspensionEvent[], output: ListFlags['output']): void {
  if (output !== undefined)
    return print(output === 'json' ? JSON.stringify(events, null, 2) : formatYaml(events).trimEnd());
  if (events.length === 0) return print(`${title} was never suspended.`);
  const rows = events.map(({ at, action, by = '', until = '', reason = '' }) => [
    at,
    action,
    by,
    until,
    reason,
  ]);
  for (const line of columns(['TIME', 'ACTION', 'BY', 'UNTIL', 'REASON'], rows)) print(line);
}
