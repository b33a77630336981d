// `promote`: brings objects that run in a member under the hub, without touching what runs.
import { Option, type Command } from 'commander';
import { kinds, type Client } from '../../client/index.ts';
import { OperatingError } from '../../base/index.ts';
import {
  decideMigration,
  keptOriginal,
  promotedPolicy,
  promotedTemplate,
  type MigrationPlan,
} from '../../propagation/index.ts';
import type { Migration } from '../../api/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { openSession, withNamespace, withSession, type HubFlags, type Session } from '../objects/index.ts';
import { CommandError, onByDefault, upstreamCommand } from '../shell/index.ts';
import { gather } from './gather.ts';
import { Journal, isSameObject, migrations } from './journal.ts';
import { nameText, printDocuments, printPlan, resourceText, tellStep, warn } from './report.ts';
import { carryOut, takeBack } from './run.ts';
import { digestOf, type MigrationContext } from './steps.ts';

export interface PromoteFlags extends HubFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly autoCreatePolicy: boolean;
  readonly policyName?: string;
  readonly output?: string;
  readonly cluster?: string;
  readonly clusterKubeconfig?: string;
  readonly clusterContext?: string;
  readonly dependencies?: boolean;
  readonly dryRun?: boolean;
  readonly plan?: boolean;
  readonly yes?: boolean;
  readonly timeout: string;
  readonly resume?: string;
  readonly rollback?: string;
}

/** `--resume` and `--rollback` without a name. */
const THE_ONE = 'the-one-that-is-open';

const EXAMPLES = `
  # Promote deployment(default/nginx) from cluster1 to the control plane
  %s promote deployment nginx -n default -C cluster1

  # The same with the ConfigMaps, Secrets and volumes that it needs
  %s promote deployment nginx -n default -C cluster1 --dependencies

  # Look at the plan for a whole application first, then carry it out
  %s promote deployments,services,configmaps -l app=shop -n shop -C cluster1 --plan
  %s promote deployments,services,configmaps -l app=shop -n shop -C cluster1 --yes

  # Print the template and the policy, and make nothing
  %s promote deployment nginx -n default -C cluster1 -o yaml

  # Finish what was interrupted, or go back to how it was before
  %s promote --resume
  %s promote --rollback`;

export function promoteCommand(exit: SetExitCode): Command {
  return withNamespace(upstreamCommand('promote', { group: 'Advanced', examples: EXAMPLES }))
    .description('Promote resources from legacy clusters to the control plane, without restarting what runs')
    .argument('[operands...]', 'type and name, or types with a selector')
    .option('-A, --all-namespaces', 'with --selector: in all namespaces of the member')
    .option('-l, --selector <selector>', 'promote all objects of the types with these labels')
    .addOption(
      onByDefault('auto-create-policy', 'make a policy that propagates the objects to their cluster'),
    )
    .option('--policy-name <name>', 'name of that policy; generated if absent')
    .option('-o, --output <format>', 'print template and policy as json or yaml, and make nothing')
    .option('-C, --cluster <name>', 'the member that the objects are in')
    .option('--cluster-kubeconfig <file>', "kubeconfig of the member; else the control plane's proxy is used")
    .option('--cluster-context <name>', 'context of the member in that file; else the name of the cluster')
    .option('-d, --dependencies', 'promote what the objects need, too; also --deps')
    .option('--deps', 'the same as --dependencies')
    .option('--dry-run', 'check whether it could be done, and make nothing')
    .option('--plan', 'print what would be done and what stands against it, and make nothing')
    .option('-y, --yes', 'carry out the plan for a selection')
    .option('--timeout <duration>', 'how long each step may take to show effect', '1m')
    .addOption(new Option('--resume [migration]', 'finish a promotion that was interrupted').preset(THE_ONE))
    .addOption(
      new Option('--rollback [migration]', 'take back a promotion that was interrupted').preset(THE_ONE),
    )
    .action(async (operands: readonly string[], flags: PromoteFlags & { readonly deps?: boolean }) => {
      const dependencies = flags.dependencies === true || flags.deps === true;
      await withSession(flags, async (hub) => {
        if (flags.resume !== undefined || flags.rollback !== undefined) await finish(hub, flags);
        else await promote(hub, operands, { ...flags, dependencies });
      });
      exit(0);
    });
}

function checkFlags(operands: readonly string[], flags: PromoteFlags): string {
  if (flags.selector === undefined && operands.length !== 2)
    throw new CommandError('incorrect command format, please use correct command format');
  if (flags.selector !== undefined && operands.length !== 1)
    throw new CommandError('with --selector, name the types only, separated by commas');
  const { cluster = '', output } = flags;
  if (cluster === '') throw new CommandError('the cluster cannot be empty');
  if (output !== undefined && output !== '' && output !== 'json' && output !== 'yaml')
    throw new CommandError('invalid output format: supported formats are json and yaml');
  if (flags.policyName !== undefined && flags.selector !== undefined)
    throw new CommandError('--policy-name goes with one object, not with --selector');
  return cluster;
}

export async function openMember(hub: Session, cluster: string, flags: PromoteFlags): Promise<Session> {
  if (flags.clusterKubeconfig === undefined) return hub.member(cluster);
  const session = await openSession({
    kubeconfig: flags.clusterKubeconfig,
    karmadaContext: flags.clusterContext ?? cluster,
  });
  return { ...session, cluster };
}

/** Where tests come in between. */
export interface PromoteHooks {
  /** Called before each step; what it throws is that step's failure. */
  readonly before?: MigrationContext['before'];
  /** The way to the control plane as the command is to have it. */
  readonly session?: (hub: Session) => Session;
}

/** The command as a function. */
export async function promoteSelection(
  operands: readonly string[],
  flags: PromoteFlags,
  hooks: PromoteHooks = {},
): Promise<void> {
  await withSession(flags, (hub) => promote(hooks.session?.(hub) ?? hub, operands, flags, hooks.before));
}

async function promote(
  hub: Session,
  operands: readonly string[],
  flags: PromoteFlags,
  before?: MigrationContext['before'],
): Promise<void> {
  const cluster = checkFlags(operands, flags);
  const timeoutMs = readDuration('timeout', flags.timeout);
  const member = await openMember(hub, cluster, flags);
  try {
    const { subjects, notes } = await gather(hub, member, {
      operands,
      namespace: hub.namespace,
      allNamespaces: flags.allNamespaces === true,
      selector: flags.selector,
      dependencies: flags.dependencies === true,
    });
    const plan = await decide(hub, cluster, flags, subjects);
    if ((flags.output ?? '') !== '') return printOnly(plan, cluster, flags);
    const one = flags.selector === undefined;
    if (flags.plan === true || (!one && flags.yes !== true)) {
      printPlan(plan, cluster);
      if (flags.plan !== true && plan.problems.length === 0) print('Add --yes to carry it out.');
      return;
    }
    const selected = plan.present.find(({ role }) => role === 'Selected');
    if (one && selected !== undefined) {
      const { namespace, name = '' } = selected.object.metadata;
      const called = `${await resourceText(hub, selected.object)}${nameText(namespace, name)}`;
      return warn(
        `Resource ${called} already exist in karmada control plane, you can edit PropagationPolicy and OverridePolicy to propagate it`,
      );
    }
    refuse(plan);
    if (flags.dryRun === true) return;
    for (const note of notes) print(note);
    await carryOutPlan(hub, member, plan, timeoutMs, before);
  } finally {
    if (flags.clusterKubeconfig !== undefined) await member.close();
  }
}

async function decide(
  hub: Session,
  cluster: string,
  flags: PromoteFlags,
  subjects: MigrationPlan['subjects'],
): Promise<MigrationPlan> {
  const [namespaces, policies, clusterPolicies] = await Promise.all([
    hub.client.listAll(kinds.namespaces),
    hub.client.listAll(kinds.propagationPolicies),
    hub.client.listAll(kinds.clusterPropagationPolicies),
  ]);
  const taken = new Set(
    [...policies.items, ...clusterPolicies.items].map(
      ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    ),
  );
  return decideMigration({
    cluster,
    subjects,
    dependencies: flags.dependencies === true,
    autoCreatePolicy: flags.autoCreatePolicy,
    policyName: flags.policyName,
    namespaces: new Set(namespaces.items.map(({ metadata }) => metadata.name ?? '')),
    hasPolicy: (namespace, name) => taken.has(`${namespace}/${name}`),
  });
}

function refuse({ problems }: MigrationPlan): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new CommandError(problems.map(({ message }) => message).join('\n'));
}

function printOnly(plan: MigrationPlan, cluster: string, flags: PromoteFlags): void {
  const subjects = [...plan.subjects, ...plan.present.filter(({ role }) => role === 'Selected')];
  const templates = subjects.map(({ object }) => promotedTemplate(object));
  const policies = !flags.autoCreatePolicy
    ? []
    : subjects
        .filter(({ role }) => role === 'Selected')
        .map(({ object }) =>
          promotedPolicy(object, {
            cluster,
            name: flags.policyName,
            propagateDeps: flags.dependencies === true,
          }),
        );
  printDocuments([...templates, ...policies], flags.output ?? '');
}

async function carryOutPlan(
  hub: Session,
  member: Session,
  plan: MigrationPlan,
  timeoutMs: number,
  before: MigrationContext['before'],
): Promise<void> {
  const spec: Migration['spec'] = {
    cluster: member.cluster ?? '',
    items: plan.subjects.map(({ object, role }) => ({
      apiVersion: object.apiVersion,
      kind: object.kind,
      ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
      name: object.metadata.name ?? '',
      role,
      before: JSON.stringify(keptOriginal(object)),
      digest: digestOf(object),
    })),
    policies: plan.policies.map((policy) => JSON.stringify(policy)),
  };
  await forgetOldest(hub.client);
  const journal = await Journal.begin(hub.client, spec, plan.steps);
  const context = contextFor(hub, member, journal, timeoutMs);
  await carryOut(before === undefined ? context : { ...context, before });
  for (const { role, kind, apiVersion, namespace, name } of spec.items)
    if (role === 'Selected')
      print(
        `Resource ${await resourceText(hub, { apiVersion, kind })}${nameText(namespace, name)} is promoted successfully`,
      );
}

export function contextFor(
  hub: Session,
  member: Session,
  journal: Journal,
  timeoutMs: number,
): MigrationContext {
  const { items } = journal.migration.spec;
  return {
    hub,
    member,
    journal,
    timeoutMs,
    signal: new AbortController().signal,
    done: (step, how) =>
      tellStep(hub, step, how, items.find((item) => isSameObject(item, step))?.role ?? '', hub.namespace),
  };
}

/** `--resume` and `--rollback`. */
async function finish(hub: Session, flags: PromoteFlags): Promise<void> {
  if (flags.resume !== undefined && flags.rollback !== undefined)
    throw new CommandError('--resume and --rollback exclude each other');
  const named = flags.resume ?? flags.rollback ?? THE_ONE;
  const journal = await Journal.open(hub.client, named === THE_ONE ? await openOne(hub) : named);
  const { phase } = journal.migration.status ?? {};
  if (phase === 'Done' || phase === 'RolledBack')
    throw new OperatingError(
      'MIGRATION_OVER',
      `migration ${journal.name} is over (${phase})`,
      phase === 'Done' ? `run "navarch rollback ${journal.name}" to take it back` : 'promote again',
    );
  if (flags.resume !== undefined && phase === 'RollingBack')
    throw new OperatingError(
      'MIGRATION_GOING_BACK',
      `migration ${journal.name} is being taken back already`,
      `run "navarch promote --rollback ${journal.name}" to finish that`,
    );
  if (flags.resume !== undefined && journal.steps.length === 0)
    throw new OperatingError(
      'MIGRATION_NOT_BEGUN',
      `migration ${journal.name} was interrupted before its first step, and nothing has been done`,
      `run "navarch promote --rollback ${journal.name}", then promote again`,
    );
  const member = await openMember(hub, journal.migration.spec.cluster, flags);
  try {
    const context = contextFor(hub, member, journal, readDuration('timeout', flags.timeout));
    if (flags.resume !== undefined) await carryOut(context);
    else await takeBack(context, 'asked for by --rollback');
    print(`Migration ${journal.name} is ${flags.resume !== undefined ? 'finished' : 'rolled back'}`);
  } finally {
    if (flags.clusterKubeconfig !== undefined) await member.close();
  }
}

async function openOne({ client }: Session): Promise<string> {
  const open = (await client.listAll(migrations)).items.filter(
    ({ status }) => status?.phase !== 'Done' && status?.phase !== 'RolledBack',
  );
  const [one, ...others] = open;
  if (one === undefined) throw new CommandError('there is no promotion that was interrupted');
  if (others.length > 0)
    throw new CommandError(
      `several promotions were interrupted, name one: ${open.map(({ metadata }) => metadata.name).join(', ')}`,
    );
  return one.metadata.name ?? '';
}

// LIMIT: journals that are over; each may hold as much as the objects that it moved.
const KEPT_MAX = 100;

async function forgetOldest(client: Client): Promise<void> {
  const over = (await client.listAll(migrations)).items
    .filter(({ status }) => status?.phase === 'Done' || status?.phase === 'RolledBack')
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1));
  for (const { metadata } of over.slice(0, Math.max(0, over.length - KEPT_MAX + 1)))
    await (await Journal.open(client, metadata.name ?? '')).forget();
}
