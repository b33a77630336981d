// `why`: why an object is where it is, not where it is not, or not up to date; and what would be if.
import { Command, Option } from 'commander';
import {
  WORK_NAMESPACE_ANNOTATION,
  clusterOfExecutionNamespace,
  type KubeObject,
  type Work,
} from '../api/index.ts';
import { OperatingError, systemClock } from '../base/index.ts';
import {
  createRestMapper,
  formatYaml,
  kinds,
  type ApiResource,
  type Client,
  type RestMapper,
} from '../client/index.ts';
import {
  QUESTIONS,
  parseQuestion,
  policyText,
  referenceOf,
  whatIf,
  whatIfText,
  why,
  whyPolicy,
  whyText,
  type TemplateReference,
} from '../explain/index.ts';
import { connect, withHub, type SetExitCode } from './command.ts';
import { shape } from './shell/index.ts';
import type { Policy } from '../propagation/index.ts';
import { WorldReader, readFleet, readWorldOf } from './world.ts';

interface WhyFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly namespace?: string;
  readonly cluster?: string;
  readonly if?: readonly string[];
  readonly output?: 'json' | 'yaml' | 'wide';
}

const EXAMPLES = `
  # Why a Deployment is where it is, and what is wrong with it
  %s why deployment/web -n shop

  # Why it is not in one cluster, or not up to date there
  %s why deployment/web -n shop --cluster member2

  # The same by its binding or one of its Works
  %s why resourcebinding/web-deployment -n shop
  %s why work/web-5b8f9c6d4 -n karmada-es-member2

  # What a policy selects and holds, and what it does not get
  %s why propagationpolicy/web -n shop

  # What would become of it
  %s why deployment/web -n shop --if "cluster member2 untainted"
  %s why deployment/web -n shop --if "replicas 12" --if "cluster member3 gone"`;

export function whyCommand(exit: SetExitCode): Command {
  const questions = QUESTIONS.map(({ form }) => `  ${form}`).join('\n');
  const command = withHub(new Command('why'))
    .description('say why an object is where it is, and what would change that')
    .argument('<type/name>', 'the object: a template, its binding or one of its Works; or a policy')
    .argument('[name]', 'its name, when the first argument is a type alone')
    .option('-n, --namespace <namespace>', 'its namespace; else that of the kubeconfig, else default')
    .option('-C, --cluster <cluster>', 'tell of this cluster only')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml', 'wide']))
    .addHelpText('after', `\nWhat --if can ask:\n${questions}\n`)
    .action(async (first: string, second: string | undefined, flags: WhyFlags) => {
      await run(first, second, flags);
      exit(0);
    });
  command.addOption(
    new Option('--if <question>', 'what would be if; several add up').argParser(
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    ),
  );
  return shape(command, { group: 'Troubleshooting', examples: EXAMPLES });
}

async function run(first: string, second: string | undefined, flags: WhyFlags): Promise<void> {
  const { client, settings } = await connect(flags.kubeconfig, flags.karmadaContext);
  try {
    const questions = (flags.if ?? []).map((text) => ({ text, change: parseQuestion(text) }));
    const mapper = createRestMapper(client.transport, { clock: systemClock });
    const asked = await find(
      client,
      mapper,
      named(first, second),
      flags.namespace ?? settings.namespace ?? 'default',
    );
    const reader = new WorldReader(client, systemClock);
    if ('policy' in asked) {
      if (questions.length > 0) throw noQuestions(asked.policy);
      await runPolicy(reader, mapper, asked.policy, flags);
      return;
    }
    const view = await readWorldOf(reader, asked.reference, asked.template);
    const left = view.world.works.length > 0;
    if (asked.template === undefined && view.bindingOf(asked.reference) === undefined && !left)
      throw notThere(asked.reference);
    const { unread } = view.world;
    const cluster = flags.cluster ?? asked.cluster;
    if (cluster !== undefined && view.fleet.byName(cluster) === undefined && view.world.clusters.length > 0)
      throw unknownCluster(
        cluster,
        view.fleet.clusters.map(({ name }) => name),
      );
    const answer =
      questions.length > 0
        ? await whatIf(view, asked.reference, questions)
        : await why(view, asked.reference, { cluster });
    if (flags.output === 'json')
      process.stdout.write(`${JSON.stringify({ ...answer, ...unreadPart(unread) }, null, 2)}\n`);
    else if (flags.output === 'yaml') process.stdout.write(formatYaml({ ...answer, ...unreadPart(unread) }));
    else {
      const options = {
        nowMs: systemClock.now(),
        asked: askedText(asked.reference, first, second),
        wide: flags.output === 'wide',
      };
      process.stdout.write('supposed' in answer ? whatIfText(answer) : whyText(answer, options));
      if (unread.length > 0)
        process.stderr.write(`navarch: not readable to you, and left out: ${unread.join(', ')}\n`);
    }
  } finally {
    await client.transport.close();
  }
}

/** From the policy's side: what it selects and holds. */
async function runPolicy(
  reader: WorldReader,
  mapper: RestMapper,
  policy: Policy,
  { output }: WhyFlags,
): Promise<void> {
  const view = await readFleet(reader, mapper, ({ bindings }) => [
    ...policy.spec.resourceSelectors,
    ...bindings.map(({ spec }) => spec.resource),
  ]);
  const { namespace = '', name = '' } = policy.metadata;
  const answer = whyPolicy(view, view.policy(policy.kind, namespace, name) ?? policy);
  if (output === 'json') process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else if (output === 'yaml') process.stdout.write(formatYaml(answer));
  else process.stdout.write(policyText(answer, { wide: output === 'wide' }));
  const { unread } = view.world;
  if (unread.length > 0)
    process.stderr.write(`navarch: not readable to you, and left out: ${unread.join(', ')}\n`);
}

function noQuestions({ kind }: Policy): OperatingError {
  return new OperatingError(
    'BAD_FLAG',
    `--if asks about an object, and this is a ${kind}`,
    'show what an edit of the policy would move with navarch plan -f FILE',
  );
}

function unreadPart(unread: readonly string[]): { readonly unread?: readonly string[] } {
  return unread.length === 0 ? {} : { unread };
}

interface Named {
  readonly type: string;
  readonly name: string;
}

/** `deployment/web`, or `deployment web`. */
function named(first: string, second: string | undefined): Named {
  const slash = first.indexOf('/');
  const [type, name] =
    second === undefined ? [first.slice(0, Math.max(slash, 0)), first.slice(slash + 1)] : [first, second];
  if (type === '' || name === '' || (second !== undefined && slash >= 0) || name.includes('/')) {
    throw new OperatingError(
      'BAD_ARGUMENT',
      `"${[first, second].filter((one) => one !== undefined).join(' ')}" names no object`,
      'write TYPE/NAME, for instance deployment/web',
    );
  }
  return { type, name };
}

interface Asked {
  readonly reference: TemplateReference;
  /** Undefined: gone, or never there. */
  readonly template: KubeObject | undefined;
  /** The cluster that a Work is for. */
  readonly cluster?: string;
}

async function find(
  client: Client,
  mapper: RestMapper,
  { type, name }: Named,
  namespace: string,
): Promise<Asked | { readonly policy: Policy }> {
  const found = await mapper.resourceByText(type);
  if (found === undefined) {
    throw new OperatingError(
      'UNKNOWN_TYPE',
      `the control plane has no resource "${type}"`,
      'see kubectl api-resources for what it has',
    );
  }
  const kind = `${found.group}/${found.kind}`;
  const key = found.namespaced ? { namespace, name } : { name };
  if (kind === 'work.karmada.io/ResourceBinding' || kind === 'work.karmada.io/ClusterResourceBinding') {
    const bindings = found.namespaced ? kinds.resourceBindings : kinds.clusterResourceBindings;
    const binding = await client.get(bindings as typeof kinds.resourceBindings, key);
    return templateOf(client, mapper, binding.spec.resource);
  }
  if (kind === 'work.karmada.io/Work') return behindWork(client, mapper, await client.get(kinds.works, key));
  if (kind === 'policy.karmada.io/PropagationPolicy')
    return { policy: await client.get(kinds.propagationPolicies, key) };
  if (kind === 'policy.karmada.io/ClusterPropagationPolicy')
    return { policy: await client.get(kinds.clusterPropagationPolicies, key) };
  if (found.group.endsWith('.karmada.io')) {
    throw new OperatingError(
      'BAD_TYPE',
      `${found.kind} is no template, policy, binding or Work`,
      'ask about an object that is propagated, for instance deployment/web',
    );
  }
  return templateOf(client, mapper, { ...apiOf(found), ...key });
}

function apiOf({ group, version, kind }: ApiResource): {
  readonly apiVersion: string;
  readonly kind: string;
} {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
}

async function templateOf(client: Client, mapper: RestMapper, reference: TemplateReference): Promise<Asked> {
  const { apiVersion, kind, namespace, name } = reference;
  const resource = await mapper.resourceForObject({ apiVersion, kind });
  const template = resource === undefined ? undefined : await client.find(resource, { namespace, name });
  return {
    reference:
      template === undefined
        ? { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
        : referenceOf(template),
    template,
  };
}

/** A Work leads to what it was made of, and to the one cluster it is for. */
async function behindWork(client: Client, mapper: RestMapper, work: Work): Promise<Asked> {
  const [manifest] = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  const cluster = clusterOfExecutionNamespace(work.metadata.namespace ?? '');
  if (manifest === undefined || manifest.metadata.annotations?.[WORK_NAMESPACE_ANNOTATION] === undefined) {
    throw new OperatingError('EMPTY_WORK', 'the Work holds no object of a template', 'name another Work');
  }
  const asked = await templateOf(client, mapper, referenceOf(manifest));
  return { ...asked, ...(cluster === undefined ? {} : { cluster }) };
}

function notThere({ kind, namespace, name }: TemplateReference): OperatingError {
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
  return new OperatingError(
    'NO_SUCH_OBJECT',
    `there is no ${kind} ${name}${where}, and no binding of one`,
    'check the name, and the namespace with -n',
  );
}

function unknownCluster(name: string, known: readonly string[]): OperatingError {
  return new OperatingError(
    'UNKNOWN_CLUSTER',
    `there is no cluster "${name}"`,
    `name one of ${known.join(', ')}`,
  );
}

/** How the object was named, so that the command can be repeated. */
function askedText({ namespace }: TemplateReference, first: string, second: string | undefined): string {
  const object = second === undefined ? first : `${first} ${second}`;
  return namespace === undefined ? object : `${object} -n ${namespace}`;
}
