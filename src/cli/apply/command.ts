// `apply`: declares objects, as `kubectl apply` does on the client's side or, with --server-side, on the server's. With
// --cluster or --all-clusters each object is followed by a policy that sends it there.
import type { Command } from 'commander';
import {
  builtinSchema,
  definitionFor,
  gvkOf,
  resolveRef,
  type GroupVersionKind,
  type JsonObject,
  type KubeObject,
} from '../../api/index.ts';
import { isConflict, isNotFound, type ApiResource } from '../../client/index.ts';
import { mergePatchBetween, planFor, threeWayMerge } from '../../machinery/index.ts';
import { promotedPolicyName } from '../../propagation/index.ts';
import type { SetExitCode } from '../command.ts';
import {
  changeEach,
  clusterNames,
  filesGiven,
  keyOf,
  locate,
  readDryRun,
  readObjects,
  selectedObjects,
  tell,
  withDryRun,
  withFiles,
  withNamespace,
  withSession,
  withSource,
  type DryRun,
  type FileFlags,
  type HubFlags,
  type Located,
  type Session,
} from '../objects/index.ts';
import { listOf, objectPrinter, withOutput, type ObjectPrinter, type OutputFlags } from '../output/index.ts';
import { fieldValidation, withValidation } from '../validation.ts';
import {
  canBeReplaced,
  NOT_REPLACING,
  readReplacing,
  replace,
  withReplacing,
  type ReplaceFlags,
  type Replacing,
} from './replace.ts';
import { LAST_APPLIED, withDeclaration } from './declaration.ts';
import { editLastAppliedCommand, setLastAppliedCommand, viewLastAppliedCommand } from './last-applied.ts';
import { PRUNED_BY_DEFAULT, prune, readAllowlist } from './prune.ts';
import {
  CommandError,
  listOption,
  onByDefault,
  programName,
  throwAll,
  upstreamCommand,
} from '../shell/index.ts';

interface ApplyFlags extends HubFlags, FileFlags, OutputFlags {
  readonly allClusters?: boolean;
  readonly cluster: readonly string[];
  readonly selector?: string;
  readonly serverSide?: boolean;
  readonly forceConflicts?: boolean;
  readonly fieldManager?: string;
  readonly overwrite: boolean;
  readonly validate: string;
  readonly dryRun: string;
  readonly prune?: boolean;
  readonly all?: boolean;
  readonly pruneAllowlist: readonly string[];
  readonly subresource?: string;
  readonly replacing: Replacing;
}

const EXAMPLES = `
  # Declare objects of the control plane; policies decide where they go
  %s apply -f web.yaml

  # Declare objects and send them to two members
  %s apply -f web.yaml --cluster member1,member2

  # Declare objects and send them to all members
  %s apply -f ./manifests -R --all-clusters

  # From standard input, on the server's side
  cat web.yaml | %s apply -f - --server-side`;

/** LIMIT: writes that meet another writer are decided anew this often. */
const ATTEMPTS_MAX = 5;

/** Declares objects one after the other, and says what became of each. */
export async function applyObjects(
  host: { readonly kubeconfig?: string; readonly context?: string },
  objects: readonly KubeObject[],
): Promise<void> {
  const flags: ApplyFlags = {
    ...(host.kubeconfig === undefined ? {} : { kubeconfig: host.kubeconfig }),
    ...(host.context === undefined ? {} : { karmadaContext: host.context }),
    filename: [],
    cluster: [],
    pruneAllowlist: [],
    replacing: NOT_REPLACING,
    overwrite: true,
    validate: 'strict',
    dryRun: 'none',
  };
  await withSession(
    flags,
    async (session) => {
      const run: Run = { session, flags, dryRun: 'none', printer: undefined, shown: [] };
      for (const object of objects) await applyOne(run, await locate(session, object, ''));
    },
    { fieldManager: 'kubectl-client-side-apply' },
  );
}

export function applyCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('apply', { group: 'Advanced', examples: EXAMPLES });
  withValidation(
    withDryRun(withOutput(withFiles(withNamespace(command), 'that contains the configuration to apply.'))),
  );
  command
    .description(
      'Apply a configuration to a resource by file name or stdin, and propagate it into member clusters',
    )
    .option('--all-clusters', 'propagate the objects to all member clusters')
    .addOption(listOption('-C, --cluster <names>', 'member clusters to propagate the objects to'))
    .option('-l, --selector <selector>', 'only objects of the files with these labels')
    .option('--server-side', 'apply runs in the server instead of the client')
    .option('--force-conflicts', 'with --server-side: take fields that others own')
    .option(
      '--field-manager <name>',
      'name of the manager used to track field ownership (default kubectl-client-side-apply, with --server-side kubectl)',
    )
    .addOption(
      onByDefault(
        'overwrite',
        'resolve conflicts between what was changed and what is declared by the latter',
      ),
    )
    .option('--prune', 'delete what was applied before, is selected, and is no longer declared')
    .option('--all', 'with --prune: select everything that was applied in the namespaces of the objects')
    .addOption(
      listOption(
        '--prune-allowlist <group/version/kind>',
        `with --prune: kinds to look at, instead of ${PRUNED_BY_DEFAULT.map(({ kind }) => kind).join(', ')}`,
      ),
    )
    .option('--subresource <name>', 'with --server-side: apply this subresource of the objects')
    .option(
      '--openapi-patch [bool]',
      'accepted; what the server does not know is merged by what is known here',
    );
  withReplacing(command).action(async (given: Omit<ApplyFlags, 'replacing'> & ReplaceFlags) => {
    const flags: ApplyFlags = { ...given, replacing: readReplacing(given) };
    await withSession(flags, (session) => applyAll(session, flags), {
      fieldManager:
        flags.fieldManager ?? (flags.serverSide === true ? 'kubectl' : 'kubectl-client-side-apply'),
    });
    exit(0);
  });
  for (const one of [viewLastAppliedCommand(exit), editLastAppliedCommand(exit), setLastAppliedCommand(exit)])
    command.addCommand(one);
  return command;
}

interface Run {
  readonly session: Session;
  readonly flags: ApplyFlags;
  readonly dryRun: DryRun;
  readonly printer: ObjectPrinter | undefined;
  readonly shown: KubeObject[];
}

async function applyAll(session: Session, flags: ApplyFlags): Promise<void> {
  const allowlist = await readAllowlist(session.mapper, flags);
  if (flags.subresource !== undefined && flags.serverSide !== true)
    throw new CommandError('--subresource can only be specified for --server-side');
  if (flags.forceConflicts === true && flags.serverSide !== true)
    throw new CommandError('--force-conflicts only works with --server-side');
  const dryRun = readDryRun(flags.dryRun);
  if (flags.serverSide === true && dryRun === 'client')
    throw new CommandError(
      "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
    );
  await checkClusters(session, flags);
  const printer = await objectPrinter(flags, false);
  if (!filesGiven(flags)) throw new CommandError('must specify one of -f and -k');
  fieldValidation(flags.validate);
  const wanted = selectedObjects(await readObjects(flags), flags.selector);
  // What is to be pruned may be all that there was.
  if (wanted.length === 0 && flags.prune !== true) throw new CommandError('no objects passed to apply');
  const run: Run = { session, flags, dryRun, printer, shown: [] };
  const seen: Located[] = [];
  const errors = await changeEach(wanted, async ({ object, source }) => {
    const located = await locate(session, object, source);
    seen.push(located);
    await applyOne(run, located);
    const policy = policyFor(located, flags);
    if (policy !== undefined)
      await applyOne(run, await locate({ ...session, namespaceGiven: false }, policy, ''));
  });
  // What could not be read or written may be what is looked for.
  if (allowlist !== undefined && errors.length === 0)
    await prune({ session, selector: flags.selector, dryRun, printer, allowlist }, seen);
  const [only] = run.shown;
  if (printer !== undefined && only !== undefined && flags.output !== 'name')
    process.stdout.write(printer(run.shown.length === 1 ? only : listOf(run.shown)));
  throwAll(errors);
}

async function checkClusters(session: Session, { allClusters, cluster }: ApplyFlags): Promise<void> {
  if (allClusters === true && cluster.length > 0)
    throw new CommandError('--all-clusters and --cluster cannot be used together');
  if (cluster.length === 0) return;
  const known = new Set(await clusterNames(session));
  for (const name of cluster) if (!known.has(name)) throw new CommandError(`cluster ${name} does not exist`);
}

/** What sends an object to the clusters named; undefined: nobody asked. */
function policyFor(
  { object, namespace }: Located,
  { allClusters, cluster }: ApplyFlags,
): KubeObject | undefined {
  if (allClusters !== true && cluster.length === 0) return undefined;
  const { name = '' } = object.metadata;
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: namespace === undefined ? 'ClusterPropagationPolicy' : 'PropagationPolicy',
    metadata: {
      name: promotedPolicyName(namespace ?? '', name, gvkOf(object)),
      ...(namespace === undefined ? {} : { namespace }),
    },
    spec: {
      resourceSelectors: [
        {
          apiVersion: object.apiVersion,
          kind: object.kind,
          name,
          ...(namespace === undefined ? {} : { namespace }),
        },
      ],
      placement: { clusterAffinity: allClusters === true ? {} : { clusterNames: cluster } },
    },
  };
}

async function applyOne(run: Run, located: Located): Promise<void> {
  if ((located.object.metadata.name ?? '') === '') {
    const generated = located.object.metadata.generateName;
    throw new CommandError(
      generated === undefined
        ? `error when applying "${located.source}": resource name may not be empty`
        : `from ${generated}: cannot use generate name with apply`,
    );
  }
  try {
    const { object, operation } =
      run.flags.serverSide === true ? await onServer(run, located) : await onClient(run, located);
    run.shown.push(object);
    if (run.printer === undefined || run.flags.output === 'name')
      tell(object, operation, run.dryRun, run.printer);
  } catch (error) {
    if (isConflict(error) && run.flags.serverSide === true) throw explainConflict(error);
    throw error;
  }
}

function explainConflict(error: Error): CommandError {
  return new CommandError(
    `${error.message}\nPlease review the fields above--they currently have other managers. Here\nare the ways you can resolve this warning:\n* If you intend to manage all of these fields, please re-run the apply\n  command with the \`--force-conflicts\` flag.\n* If you do not intend to manage all of the fields, please edit your\n  manifest to remove references to the fields that should keep their\n  current managers.\n* You may co-own fields by updating your manifest to match the existing\n  value; in this case, you'll become the manager if the other manager(s)\n  stop managing the field (remove it from their configuration).`,
  );
}

interface Applied {
  readonly object: KubeObject;
  readonly operation: string;
}

async function onServer(
  { session, flags, dryRun }: Run,
  { object, resource, namespace }: Located,
): Promise<Applied> {
  const key = keyOf({ namespace, name: object.metadata.name ?? '' });
  const result = await session.client.patch<KubeObject>(
    resource,
    key,
    { type: 'apply', body: object },
    {
      ...(flags.subresource === undefined ? {} : { subresource: flags.subresource }),
      force: flags.forceConflicts === true,
      dryRun: dryRun === 'server',
      fieldValidation: fieldValidation(flags.validate),
    },
  );
  return { object: result, operation: 'serverside-applied' };
}

async function onClient(run: Run, located: Located): Promise<Applied> {
  const { session, flags, dryRun } = run;
  const { object, resource, namespace } = located;
  const declared = withDeclaration(object);
  const key = keyOf({ namespace, name: object.metadata.name ?? '' });
  for (let attempt = 1; ; attempt++) {
    const current = await session.client.get<KubeObject>(resource, key).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (current === undefined) {
      if (dryRun === 'client') return { object: declared, operation: 'created' };
      const made = await session.client
        .create(resource, declared, {
          dryRun: dryRun === 'server',
          fieldValidation: fieldValidation(flags.validate),
        })
        .catch((error: unknown) => {
          throw withSource('creating', located.source, error);
        });
      return { object: made, operation: 'created' };
    }
    try {
      return await change(run, resource, current, declared);
    } catch (error) {
      const last = !isConflict(error) || attempt >= ATTEMPTS_MAX;
      if (last && flags.replacing.force && canBeReplaced(error))
        return {
          object: await replace(session, resource, current, declared, flags.replacing),
          operation: 'configured',
        };
      if (last) throw withSource('applying patch', located.source, error);
    }
  }
}

async function change(
  { session, flags, dryRun }: Run,
  resource: ApiResource,
  current: KubeObject,
  declared: KubeObject,
): Promise<Applied> {
  const target = declaredTarget(resource, current, declared);
  const difference = mergePatchBetween(current, target);
  // COMPAT: a client's dry run does not say that nothing would change.
  if (dryRun === 'client') return { object: target, operation: 'configured' };
  if (difference === undefined) return { object: current, operation: 'unchanged' };
  // The lists in it are whole lists, worked out from this very version: another one must be looked at anew.
  const { metadata, ...rest } = difference as { readonly metadata?: object };
  const body = { ...rest, metadata: { ...metadata, resourceVersion: current.metadata.resourceVersion } };
  const patched = await session.client.patch<KubeObject>(
    resource,
    keyOf({ namespace: current.metadata.namespace, name: current.metadata.name ?? '' }),
    { type: 'merge', body },
    { dryRun: dryRun === 'server', fieldValidation: fieldValidation(flags.validate) },
  );
  return { object: patched, operation: 'configured' };
}

/** What the object becomes by what is declared now and was before. */
export function declaredTarget(resource: ApiResource, current: KubeObject, declared: KubeObject): KubeObject {
  const text = current.metadata.annotations?.[LAST_APPLIED];
  const called = programName();
  if (text === undefined)
    process.stderr.write(
      `Warning: resource ${resource.resource}/${current.metadata.name ?? ''} is missing the ${LAST_APPLIED} annotation which is required by ${called} apply. ${called} apply should only be used on resources created declaratively by either ${called} create --save-config or ${called} apply. The missing annotation will be patched automatically.\n`,
    );
  const original = text === undefined ? {} : (JSON.parse(text) as JsonObject);
  const plan = planOf(gvkOf(current));
  return threeWayMerge(
    original,
    declared as unknown as JsonObject,
    current as unknown as JsonObject,
    plan,
  ) as unknown as KubeObject;
}

function planOf(kind: GroupVersionKind): ReturnType<typeof planFor> | undefined {
  const name = definitionFor(kind);
  const schema = name === undefined ? undefined : builtinSchema(name);
  return schema === undefined ? undefined : planFor(schema, resolveRef);
}
