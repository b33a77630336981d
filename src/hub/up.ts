// `navarch up`: a hub and its simulated members in this process, until it is told to stop.
import { access, constants, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { applySample, followSample } from '../cli/index.ts';
import {
  kubeconfigYaml,
  type AccessOptions,
  type KubeconfigContext,
  type PathHandler,
} from '../apiserver/index.ts';
import {
  OperatingError,
  defaultFeatureGates,
  errorMessage,
  sleep,
  systemClock,
  type Logger,
  gatesWithoutEffect,
} from '../base/index.ts';
import { createHttpsTransport, kinds, type Client, type Transport } from '../client/index.ts';
import type { ControllerSettings, MemberEndpoint } from '../controllers/index.ts';
import { StorageWorker } from '../storage/index.ts';
import { readAccessFlags } from './access-flags.ts';
import { settingsFrom } from './flags.ts';
import { startHub, type Hub } from './hub.ts';
import { createLogger } from './logger.ts';
import { closeParts, stopOnSignals, type Part } from './signals.ts';
import { startLocalMembers, type LocalMembers } from './local-members.ts';
import { joinMember, memberAdmin } from './member-admin.ts';
import type { HelmOptions } from '../packages/index.ts';
import { catalogueUrl, offerCatalogue } from './package-catalogue.ts';

export interface UpOptions {
  readonly members: number;
  readonly dataDirectory: string;
  readonly port: number;
  readonly memberBasePort: number;
  readonly bindAddress: string;
  /** `host:port`; absent: where it listens. */
  readonly advertiseAddress: string | undefined;
  readonly certHosts: readonly string[];
  readonly simulate: 'workloads' | 'none';
  readonly memberNodes: number;
  readonly packages: boolean;
  /** What installs their charts. */
  readonly helm: { readonly mode: HelmOptions['mode']; readonly binary: string };
  /** Where the packages come from that are offered at the start; undefined: nowhere. */
  readonly catalogue: string | undefined;
  readonly sample: boolean;
  readonly allowNoExecuteTaintPolicy: boolean;
  readonly acceptLegacySpellings: boolean;
  readonly disabledAdmission: readonly string[];
  readonly logLevel: string;
  readonly settings: ControllerSettings;
  readonly access: AccessOptions;
}

const READY_WAIT_MS = 60_000;
const SAMPLE_WAIT_MS = 120_000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs until SIGINT or SIGTERM; resolves with the exit code. Throws OperatingError when it cannot start. */
export async function up(flags: Record<string, unknown>): Promise<number> {
  const startedMs = performance.now();
  const options = await readOptions(flags);
  await prepareDirectory(options.dataDirectory);
  const stop = stopOnSignals();
  const logger = createLogger(options.logLevel);
  const worker = new StorageWorker();
  const parts: Part[] = [{ name: 'storage thread', close: () => worker.close() }];
  try {
    const running = await start(options, logger, worker, parts, stop.signal);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
    print(
      `Ready in ${seconds} s: ${running.hub.url}, ${running.members.list.length} member clusters, kubeconfig ${relative(path.join(options.dataDirectory, 'kubeconfig'))}`,
    );
    if (options.sample) await showSample(running.hub.hubClient, options, stop.signal);
    await stop.requested;
    print('Stopping ...');
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    throw error;
  } finally {
    await closeParts(parts, logger);
  }
}

interface Running {
  readonly hub: Hub;
  readonly members: LocalMembers;
}

async function start(
  options: UpOptions,
  logger: Logger,
  worker: StorageWorker,
  parts: Part[],
  signal: AbortSignal,
): Promise<Running> {
  const { gates } = options.settings;
  for (const name of gatesWithoutEffect(gates))
    process.stderr.write(`navarch: feature gate ${name}=${gates[name]} has no effect in this release\n`);
  print(
    `Starting ${options.members} members and the control plane in ${relative(options.dataDirectory)} ...`,
  );
  const members = await startLocalMembers({
    members: options.members,
    dataDirectory: options.dataDirectory,
    memberBasePort: options.memberBasePort,
    bindAddress: options.bindAddress,
    simulate: options.simulate,
    memberNodes: options.memberNodes,
    packages: options.packages,
    helm: options.helm,
    logLevel: options.logLevel,
  });
  parts.push({ name: 'members', close: () => members.close() });
  // It needs the hub, which needs to know it.
  const admin: { handler?: PathHandler } = {};
  const hub = await startHub({
    dataDirectory: options.dataDirectory,
    bindAddress: options.bindAddress,
    advertiseAddress: options.advertiseAddress,
    certHosts: options.certHosts,
    port: options.port,
    settings: options.settings,
    allowNoExecuteTaintPolicy: options.allowNoExecuteTaintPolicy,
    acceptLegacySpellings: options.acceptLegacySpellings,
    disabledAdmission: options.disabledAdmission,
    access: options.access,
    worker,
    logger,
    openMember: (endpoint) => members.transportFor(endpoint.server) ?? remoteTransport(endpoint),
    pathHandlers: [members.faultHandler, (request, info) => admin.handler?.(request, info)],
  });
  parts.push({ name: 'control plane', close: () => hub.close() });
  admin.handler = memberAdmin({
    members,
    hubClient: hub.hubClient,
    onChange: () => writeKubeconfigs(options, hub, members),
    signal,
  });
  await writeKubeconfigs(options, hub, members);
  await Promise.all(
    members.list.map((member) => joinMember(hub.hubClient, member, members.transportTo(member.name), signal)),
  );
  hub.startControllers();
  if (options.packages && options.catalogue !== undefined)
    await offerCatalogue(hub.hubClient, options.catalogue, signal);
  await waitUntilReady(hub.hubClient, members.names, signal);
  return { hub, members };
}

function remoteTransport(endpoint: MemberEndpoint): Transport {
  const { server, certificateAuthority, insecureSkipTlsVerify, proxyUrl, proxyHeaders, bearerToken } =
    endpoint;
  return createHttpsTransport({
    server,
    ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
    insecureSkipTlsVerify,
    ...(proxyUrl === undefined ? {} : { proxyUrl, proxyHeaders }),
    credentials: { get: () => Promise.resolve({ token: bearerToken() }), invalidate: () => undefined },
    userAgent: 'karmada-controller-manager',
    // Upstream's timeout of calls to members.
    timeoutMs: 32_000,
    clock: systemClock,
  });
}

async function waitUntilReady(
  hubClient: Client,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = systemClock.now() + READY_WAIT_MS;
  for (const name of names) {
    for (let delayMs = 5; ; delayMs = Math.min(delayMs * 2, 200)) {
      const cluster = await hubClient.get(kinds.clusters, { name }, { signal });
      const ready =
        cluster.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ===
        true;
      const repelled = (cluster.spec.taints ?? []).some(({ key }) => key === 'cluster.karmada.io/not-ready');
      if (ready && !repelled) break;
      if (systemClock.now() > deadlineMs) {
        throw new OperatingError(
          'MEMBER_NOT_READY',
          `member ${name} is not ready after ${READY_WAIT_MS / 1000} s`,
          'run again with --log-level info and look for what concerns it',
        );
      }
      await sleep(systemClock, delayMs, signal);
    }
  }
}

async function writeKubeconfigs(options: UpOptions, hub: Hub, members: LocalMembers): Promise<void> {
  const { dataDirectory } = options;
  const contexts: KubeconfigContext[] = [
    {
      contextName: 'karmada-apiserver',
      server: hub.url,
      certificateAuthority: hub.certificates.authority.certificate,
      credentials: hub.certificates.admin,
    },
    ...members.list.map(({ kubeconfigContext }) => kubeconfigContext),
  ];
  const memberDirectory = path.join(dataDirectory, 'members');
  await mkdir(memberDirectory, { recursive: true });
  const control = path.join(dataDirectory, 'kubeconfig');
  await writePrivately(control, kubeconfigYaml(contexts));
  const files: Record<string, string> = {};
  for (const member of members.list) {
    const file = path.join(memberDirectory, `${member.name}.kubeconfig`);
    await writePrivately(file, kubeconfigYaml([member.kubeconfigContext]));
    files[member.name] = file;
  }
  const { gates } = options.settings;
  const on = Object.entries(gates).filter(
    ([name, value]) => value && !defaultFeatureGates[name as keyof typeof gates],
  );
  const fleet = {
    control,
    members: files,
    gates: on.map(([name]) => name),
    karmadactl: [process.execPath, process.argv[1] ?? ''],
  };
  await writePrivately(path.join(dataDirectory, 'fleet.json'), `${JSON.stringify(fleet, null, 2)}\n`);
}

/** Whole or not at all, and for its owner only. */
async function writePrivately(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}

async function showSample(hubClient: Client, options: UpOptions, signal: AbortSignal): Promise<void> {
  print('');
  print(
    'Applying the sample: a Deployment of 6 replicas, divided over all members, with another registry in member2',
  );
  await applySample(hubClient, signal);
  const arrived = await followSample({
    hubClient,
    clock: systemClock,
    print,
    signal,
    timeoutMs: SAMPLE_WAIT_MS,
  });
  if (signal.aborted) return;
  const kubeconfig = relative(path.join(options.dataDirectory, 'kubeconfig'));
  print('');
  print(
    arrived
      ? 'The sample runs in all members. Look further, in another terminal:'
      : 'The sample is not ready yet. Look at it, in another terminal:',
  );
  print(`  kubectl --kubeconfig ${kubeconfig} get clusters -o wide`);
  print(`  kubectl --kubeconfig ${kubeconfig} get deployments,resourcebindings,works -A`);
  print(`  kubectl --kubeconfig ${kubeconfig} --context member2 get pods -n demo -o wide`);
  print(`  kubectl --kubeconfig ${kubeconfig} scale deployment hello -n demo --replicas 9`);
  print('Ctrl-C stops everything; the same command brings it back as it was.');
}

function relative(file: string): string {
  const short = path.relative(process.cwd(), file);
  return short === '' ? '.' : short.startsWith('..') ? file : short;
}

async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.W_OK);
  } catch (error) {
    throw new OperatingError(
      'DIRECTORY_UNWRITABLE',
      `the data directory ${directory} cannot be written: ${errorMessage(error)}`,
      'name another one with --data-dir, or mend its permissions',
      { cause: error },
    );
  }
}

function advertised(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined;
  const address = value as string;
  if (URL.canParse(`https://${address}`) && new URL(`https://${address}`).host === address) return address;
  throw new OperatingError(
    'BAD_FLAG',
    `--advertise-address is no address: "${address}"`,
    'write it like 10.0.0.1:5443',
  );
}

async function readOptions(flags: Record<string, unknown>): Promise<UpOptions> {
  const text = (name: string): string => String(flags[name]);
  const integer = (flag: string, name: string, min: number, max: number): number => {
    const value = Number(text(name));
    if (/^\d+$/.test(text(name)) && value >= min && value <= max) return value;
    throw new OperatingError(
      'BAD_FLAG',
      `--${flag} must be a whole number from ${min} to ${max}, not "${text(name)}"`,
      'give another value',
    );
  };
  const { settings, warnings } = await settingsFrom(flags);
  for (const warning of warnings) process.stderr.write(`navarch: ${warning}\n`);
  const members = integer('members', 'members', 0, 500);
  // Members that only store have nothing that packages could run on.
  const packages = text('simulate') !== 'none' && !/^false$/i.test(text('packages'));
  return {
    members,
    dataDirectory: path.resolve(text('dataDir')),
    port: integer('port', 'port', 0, 65_535),
    memberBasePort: integer('member-base-port', 'memberBasePort', 1, 65_535 - members),
    bindAddress: text('bindAddress'),
    advertiseAddress: advertised(flags['advertiseAddress']),
    certHosts: text('certHosts').split(',').filter(Boolean),
    simulate: text('simulate') === 'none' ? 'none' : 'workloads',
    memberNodes: integer('member-nodes', 'memberNodes', 0, 5_000),
    packages,
    helm: {
      mode: packages && members > 0 ? (text('helm') as HelmOptions['mode']) : 'flux',
      binary: text('helmBinary'),
    },
    catalogue: await catalogueUrl(text('packageCatalogue'), members > 0),
    sample: flags['sample'] === true,
    allowNoExecuteTaintPolicy: /^true$/i.test(text('allowNoExecuteTaintPolicy')),
    acceptLegacySpellings: /^true$/i.test(text('acceptLegacySpellings')),
    disabledAdmission: text('disableAdmissionPlugins').split(',').filter(Boolean),
    logLevel: text('logLevel'),
    settings,
    access: await readAccessFlags(flags),
  };
}
