// The operator of packages in one cluster: everything that makes Package objects true there, over the seams it is given.
import { createHash } from 'node:crypto';
import { HELM_NOTICE, PACKAGES_NAMESPACE, packageCrds, type KubeObject } from '../api/index.ts';
import { errorMessage, type Clock, type Logger, type Random } from '../base/index.ts';
import {
  createClient,
  createRestMapper,
  kinds,
  parseYamlDocuments,
  type Transport,
} from '../client/index.ts';
import { deepEqual } from '../machinery/index.ts';
import {
  ChartRenderer,
  packageRoles,
  type FetchFile,
  type HelmMode,
  type HelmProgram,
  type HelmSetting,
  type RepositorySeams,
} from '../packaging/index.ts';
import {
  createEventRecorder,
  createInformerSet,
  definitionServed,
  ensureDefinition,
  type ObserveGauge,
} from '../runtime/index.ts';
import { runAutoUpdate } from './auto-update.ts';
import { openCaches, type PackageContext } from './context.ts';
import { FileShelf } from './file-shelf.ts';
import { showPackages } from './metrics.ts';
import { OwnedObjects } from './owned-objects.ts';
import { runPackageController } from './package-controller/index.ts';
import { runPackageInfoController } from './package-info-controller.ts';
import { ReferencedObjects } from './referenced-objects.ts';
import { RepositoryBook } from './repository-book.ts';
import { runRepositoryController } from './repository-controller.ts';
import { runSuspensionPolicyControllers } from './suspension-policies.ts';
import { defaultPackageSettings, type PackageSettings } from './settings.ts';

export interface HelmOptions {
  readonly mode: HelmMode;
  /** The program, or why there is none. */
  readonly program: HelmProgram | { readonly missing: string };
}

export interface PackageOperatorOptions {
  /** Stays open when the operator stops: it belongs to the caller. */
  readonly transport: Transport;
  readonly fetchFile: FetchFile;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings?: Partial<PackageSettings>;
  /** Absent: there is no helm program, and charts go through Flux. */
  readonly helm?: HelmOptions;
  /** Shows a gauge to scrapers; absent where nobody scrapes. */
  readonly observe?: ObserveGauge;
}

export interface PackageOperator {
  /** Resolves when the kinds are served and the controllers run; rejects when that failed, or when closed before. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Where repositories keep their Secrets. */
const NAMESPACE: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: PACKAGES_NAMESPACE } };
/** Who writes what the operator itself needs. */
const MANAGER = 'navarch-package-operator';

export function startPackageOperator(options: PackageOperatorOptions): PackageOperator {
  const stop = new AbortController();
  const tasks: Promise<unknown>[] = [];
  const closers: (() => Promise<void>)[] = [];
  const ready = start(options, stop.signal, tasks, closers);
  ready.catch((error: unknown) => {
    if (!stop.signal.aborted)
      options.logger.error('The package operator could not start', { error: errorMessage(error) });
  });
  return {
    ready,
    async close() {
      stop.abort(new Error('the package operator is being stopped'));
      await ready.catch(() => undefined);
      await Promise.all(tasks);
      for (const close of closers.toReversed()) await close();
    },
  };
}

async function start(
  { transport, fetchFile, clock, random, logger, settings, helm, observe }: PackageOperatorOptions,
  signal: AbortSignal,
  tasks: Promise<unknown>[],
  closers: (() => Promise<void>)[],
): Promise<void> {
  const client = createClient(transport, { fieldManager: MANAGER });
  const mapper = createRestMapper(transport, { clock });
  await install(client, mapper, clock, signal);
  const informers = createInformerSet({ client, clock, random, logger });
  closers.push(() => informers.close());
  const caches = openCaches(informers);
  if (observe !== undefined) showPackages(observe, caches, clock);
  const pipeline = createEventRecorder({ client, clock, component: 'package-controller', logger });
  closers.push(() => pipeline.close());
  const seams: RepositorySeams = {
    fetchFile,
    parseYaml: parseYamlDocuments,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    nowMs: () => clock.now(),
  };
  const context: PackageContext = {
    client,
    mapper,
    caches,
    owned: new OwnedObjects(client, informers),
    referenced: new ReferencedObjects(informers),
    repositories: new RepositoryBook(client, caches.repositories, seams),
    files: new FileShelf(),
    seams,
    helm: helmSetting(helm, seams),
    recorder: pipeline,
    clock,
    random,
    logger,
    settings: { ...defaultPackageSettings, ...settings },
    signal,
  };
  await tellHelm(client, helm, signal);
  signal.throwIfAborted();
  // All of them: who needs whom, and who is suspended, is only known when everything is.
  await informers.synced();
  tasks.push(
    runRepositoryController(context),
    runPackageInfoController(context),
    runPackageController(context, 'ClusterPackage'),
    runPackageController(context, 'Package'),
    runAutoUpdate(context, 'ClusterPackage'),
    runAutoUpdate(context, 'Package'),
    runSuspensionPolicyControllers(context),
  );
}

function helmSetting(helm: HelmOptions | undefined, seams: RepositorySeams): HelmSetting {
  if (helm === undefined) return { mode: 'auto', renderer: { missing: 'there is no helm program here' } };
  const { mode, program } = helm;
  return { mode, renderer: 'missing' in program ? program : new ChartRenderer(program, seams) };
}

/** For who plans packages elsewhere, and could not know. */
async function tellHelm(
  client: ReturnType<typeof createClient>,
  helm: HelmOptions | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { mode, program } = helm ?? { mode: 'auto', program: { missing: 'there is no helm program there' } };
  const data = {
    mode,
    ...('missing' in program ? { missing: program.missing } : { version: program.version }),
  };
  const { namespace, name } = HELM_NOTICE;
  const told = await client.find(kinds.configMaps, { namespace, name }, { signal });
  if (told !== undefined && deepEqual(told['data'], data)) return;
  const notice = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
  await client.apply<KubeObject>(kinds.configMaps, notice, { force: true, signal });
}

/** The kinds, the namespace and the roles that the operator brings along. */
async function install(
  client: ReturnType<typeof createClient>,
  mapper: ReturnType<typeof createRestMapper>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const crds = packageCrds();
  for (const crd of crds) {
    await ensureDefinition(client, crd);
    signal.throwIfAborted();
  }
  for (const { metadata } of crds) await definitionServed(client, metadata.name ?? '', clock, signal);
  await mapper.refresh();
  await client.apply<KubeObject>(kinds.namespaces, NAMESPACE, { force: true, signal });
  for (const role of packageRoles())
    await client.apply<KubeObject>(kinds.clusterRoles, role, { force: true, signal });
}
