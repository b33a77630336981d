// The simulated members, in their thread: started, added and removed.
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { objectCodec, type KubeconfigContext } from '../../apiserver/index.ts';
import { OperatingError, errorMessage, systemClock, systemRandom, type Logger } from '../../base/index.ts';
import { createFileFetcher, type FileFetcher, type Transport } from '../../client/index.ts';
import { alreadyExists, notFound } from '../../machinery/index.ts';
import { startMember, type FaultAnswer, type Member } from '../../members/index.ts';
import { startPackageOperator, type HelmOptions, type PackageOperator } from '../../packages/index.ts';
import { openFileStorage, type StorageWorker } from '../../storage/index.ts';
import { writeWhole } from '../backup.ts';

export interface MembersOptions {
  readonly members: number;
  readonly dataDirectory: string;
  readonly memberBasePort: number;
  readonly bindAddress: string;
  readonly simulate: 'workloads' | 'none';
  /** Nodes of each member. */
  readonly memberNodes: number;
  /** Whether packages are installed in them. */
  readonly packages: boolean;
  /** What installs their charts. */
  readonly helm: HelmOptions;
  readonly worker: StorageWorker;
  readonly logger: Logger;
}

/** A member as it can be told of in another thread. */
export interface MemberDescription {
  readonly name: string;
  readonly url: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly kubeconfigContext: KubeconfigContext;
  readonly region: string;
  readonly zones: readonly string[];
  readonly provider: string;
}

export interface Members {
  /** In order of their ports; changes as members come and go. */
  readonly list: readonly MemberDescription[];
  /** As an administrator. */
  transportOf(name: string): Transport | undefined;
  /** Faults as JSON. Throws StatusError 404 where there is no such member. */
  fault(name: string, fault: unknown): Promise<FaultAnswer>;
  /** Starts one more, which comes back at the next start. Throws StatusError 409 for a name that is taken. */
  add(wanted: WantedMember): Promise<void>;
  /** Stops one and forgets what it held. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/** A member to start. */
export interface WantedMember {
  readonly name: string;
  readonly nodes?: number;
  readonly region?: string;
  readonly zones?: readonly string[];
  readonly provider?: string;
}

/** What is kept of members that were added while running. */
interface KeptMember extends WantedMember {
  readonly port: number;
}

// So that region, zone and provider of clusters have something to tell apart.
const REGIONS = ['europe', 'america', 'asia'];
/** LIMIT: ports tried for one more member. */
const PORTS_TRIED = 100;

interface Started {
  readonly member: Member;
  readonly description: MemberDescription;
  close(): Promise<void>;
}

export async function startMembers(options: MembersOptions): Promise<Members> {
  const started = new Map<string, Started>();
  const fetcher = createFileFetcher({ clock: systemClock, mayReadFiles: true });
  const close = async (): Promise<void> => {
    await Promise.all([...started.values()].map((one) => one.close()));
    await fetcher.close();
  };
  const start = async (wanted: KeptMember): Promise<Started> => {
    const one = await startOne(options, wanted, fetcher);
    started.set(wanted.name, one);
    return one;
  };
  let kept = await readKept(options.dataDirectory);
  try {
    const wanted = [
      ...Array.from({ length: options.members }, (_, index) => numbered(options, index)),
      ...kept,
    ];
    await Promise.all(wanted.map(start));
    await Promise.all([...started.values()].map(({ member }) => member.ready));
  } catch (error) {
    await close();
    throw error;
  }
  const sorted = (): readonly Started[] =>
    [...started.values()].sort((a, b) => a.member.port - b.member.port);
  return {
    get list() {
      return sorted().map(({ description }) => description);
    },
    transportOf: (name) => started.get(name)?.member.transport,
    async fault(name, fault) {
      const one = started.get(name);
      if (one === undefined) throw notFound({ group: '', resource: 'simulated members' }, name);
      return one.member.handleFault(fault);
    },
    async add(wanted) {
      if (started.has(wanted.name))
        throw alreadyExists({ group: '', resource: 'simulated members' }, wanted.name);
      const one = await onFreePort(sorted(), options, (port) => start({ ...wanted, port }));
      await one.member.ready;
      kept = [...kept, { ...wanted, port: one.member.port }];
      await writeKept(options.dataDirectory, kept);
    },
    async remove(name) {
      const one = started.get(name);
      if (one === undefined) throw notFound({ group: '', resource: 'simulated members' }, name);
      started.delete(name);
      kept = kept.filter((other) => other.name !== name);
      await writeKept(options.dataDirectory, kept);
      await one.close();
      await rm(path.join(options.dataDirectory, 'members', name), { recursive: true, force: true });
      await rm(path.join(options.dataDirectory, 'members', `${name}.kubeconfig`), { force: true });
    },
    close,
  };
}

/** `member1`, `member2`, ... on ports in a row. */
function numbered(options: MembersOptions, index: number): KeptMember {
  const region = REGIONS[index % REGIONS.length] ?? '';
  return {
    name: `member${index + 1}`,
    port: options.memberBasePort + index,
    region,
    zones: [`${region}-${1 + Math.floor(index / REGIONS.length)}`],
    provider: 'simulation',
  };
}

async function onFreePort(
  running: readonly Started[],
  { memberBasePort }: MembersOptions,
  start: (port: number) => Promise<Started>,
): Promise<Started> {
  const taken = new Set(running.map(({ member }) => member.port));
  for (let port = memberBasePort, tries = 0; ; port++) {
    if (taken.has(port)) continue;
    try {
      return await start(port);
    } catch (error) {
      const free = !(error instanceof OperatingError) || error.code !== 'PORT_TAKEN' || port >= 65_535;
      if (free || ++tries >= PORTS_TRIED) throw error;
    }
  }
}

function keptFile(dataDirectory: string): string {
  return path.join(dataDirectory, 'members', 'added.json');
}

async function readKept(dataDirectory: string): Promise<readonly KeptMember[]> {
  try {
    return JSON.parse(await readFile(keptFile(dataDirectory), 'utf8')) as readonly KeptMember[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new OperatingError(
      'MEMBERS_UNREADABLE',
      `${keptFile(dataDirectory)} cannot be read: ${errorMessage(error)}`,
      'mend it, or remove it to start without the members that were added',
      { cause: error },
    );
  }
}

async function writeKept(dataDirectory: string, kept: readonly KeptMember[]): Promise<void> {
  const file = keptFile(dataDirectory);
  await mkdir(path.dirname(file), { recursive: true });
  await writeWhole(file, Buffer.from(`${JSON.stringify(kept, undefined, 2)}\n`));
}

async function startOne(options: MembersOptions, wanted: KeptMember, fetcher: FileFetcher): Promise<Started> {
  const { name, port } = wanted;
  const directory = path.join(options.dataDirectory, 'members', name);
  // Survives the end of the process, however it comes; a simulated cluster need not survive the loss of power.
  const storage = await openFileStorage({
    directory: path.join(directory, 'store'),
    codec: objectCodec,
    durability: 'process',
    worker: options.worker,
  });
  try {
    const member = await startMember({
      name,
      storage,
      clock: systemClock,
      random: systemRandom,
      logger: options.logger,
      host: options.bindAddress,
      port,
      simulate: options.simulate,
      nodes: { count: wanted.nodes ?? options.memberNodes },
      certificatesDirectory: path.join(directory, 'pki'),
    });
    const operator = options.packages ? operatorOf(member, options, fetcher) : undefined;
    return {
      member,
      description: describe(member, wanted),
      async close() {
        await operator?.close();
        await member.close();
        await storage.close();
      },
    };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Beside the member's own controllers, so that faults of the network do not keep it from working. */
function operatorOf(
  { name, inside, metrics }: Member,
  { logger, helm }: MembersOptions,
  { fetchFile }: FileFetcher,
): PackageOperator {
  return startPackageOperator({
    transport: inside,
    fetchFile,
    clock: systemClock,
    random: systemRandom,
    logger: logger.with({ member: name }),
    helm,
    observe: (...gauge) => metrics.observed(...gauge),
  });
}

function describe(member: Member, wanted: WantedMember): MemberDescription {
  const { name, url, kubeconfigContext } = member;
  return {
    name,
    url,
    certificateAuthority: kubeconfigContext.certificateAuthority,
    kubeconfigContext,
    region: wanted.region ?? '',
    zones: wanted.zones ?? [],
    provider: wanted.provider ?? 'simulation',
  };
}
