// A member with the operator in it and a repository in memory, on time that moves only when a test lets it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ClusterPackage, Condition, KubeObject, Package, PackageSpec } from '../../api/index.ts';
import { silentLogger } from '../../base/index.ts';
import {
  createClient,
  kinds,
  type Client,
  type Transport,
  type TransportRequest,
} from '../../client/index.ts';
import { startTestMember, type StartedMember } from '../../members/testing/started.ts';
import type { AnyPackage, FetchFile } from '../../packaging/index.ts';
import { testRandom } from '../../runtime/testing/world.ts';
import {
  startPackageOperator,
  type HelmOptions,
  type PackageOperator,
  type PackageSettings,
} from '../index.ts';
import { resourceOf } from '../resources.ts';

/** Files by address; a status instead of a text is what the server answers. */
export type Files = Map<string, string | number>;

export const REPOSITORY = 'http://repository.test/packages';

/** A package.yaml and its files, and what index and versions say about them. */
export class TestRepository {
  readonly files: Files = new Map();
  readonly asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
  private readonly versions = new Map<string, string[]>();
  private readonly url: string;

  constructor(url: string = REPOSITORY) {
    this.url = url;
    this.index();
  }

  /** Publishes a version; the last one is the latest. */
  publish(
    name: string,
    version: string,
    manifest: object,
    files: Readonly<Record<string, readonly object[]>> = {},
  ): void {
    const versions = this.versions.get(name) ?? [];
    if (!versions.includes(version)) versions.push(version);
    this.versions.set(name, versions);
    this.files.set(`${this.url}/${name}/${version}/package.yaml`, JSON.stringify({ name, ...manifest }));
    for (const [file, documents] of Object.entries(files))
      this.files.set(
        `${this.url}/${name}/${version}/${file}`,
        documents.map((document) => JSON.stringify(document)).join('\n---\n'),
      );
    this.files.set(
      `${this.url}/${name}/versions.yaml`,
      JSON.stringify({ latestVersion: version, versions: versions.map((one) => ({ version: one })) }),
    );
    this.index();
  }

  sha256(name: string, version: string, file: string): string {
    const text = this.files.get(`${this.url}/${name}/${version}/${file}`);
    return createHash('sha256').update(String(text)).digest('hex');
  }

  private index(): void {
    const packages = [...this.versions].map(([name, versions]) => ({ name, latestVersion: versions.at(-1) }));
    this.files.set(`${this.url}/index.yaml`, JSON.stringify({ packages }));
  }
}

export interface PackageWorld extends AsyncDisposable {
  readonly client: Client;
  readonly repository: TestRepository;
  /** Writes of the operator, as `METHOD path`. */
  readonly writes: string[];
  readonly started: StartedMember;
  readonly fetchFile: FetchFile;
  until(what: string, condition: () => boolean | Promise<boolean>, limitMs?: number): Promise<void>;
  /** What the operator watches, as `path selector`, in order. */
  watches(): readonly string[];
  /** The operator hears nothing more of this resource until what is answered is called. */
  keepFrom(resource: string): () => void;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Stops the operator; what is answered starts another one. */
  halt(): Promise<() => Promise<void>>;
  /** Stops the operator and starts another one. */
  restart(): Promise<void>;
}

export async function packageWorld(
  settings: Partial<PackageSettings> = {},
  options: { readonly withRepository?: boolean; readonly helm?: HelmOptions } = {},
): Promise<PackageWorld> {
  const started = await startTestMember({ port: 'none' });
  const repository = new TestRepository();
  const writes: string[] = [];
  const fetchFile: FetchFile = ({ url, headers }) => {
    repository.asked.push({ url, authorization: headers['authorization'] });
    const file = repository.files.get(url);
    if (typeof file === 'string')
      return Promise.resolve({
        status: 200,
        contentType: 'text/yaml',
        bytes: new TextEncoder().encode(file),
      });
    return Promise.resolve({ status: file ?? 404, contentType: undefined, bytes: new Uint8Array() });
  };
  const kept = new Map<string, (() => void)[]>();
  const open: string[] = [];
  const transport = recording(started.member.inside, writes, kept, open);
  const begin = (): PackageOperator =>
    startPackageOperator({
      transport,
      fetchFile,
      clock: started.clock,
      random: testRandom(),
      logger: silentLogger,
      settings,
      ...(options.helm === undefined ? {} : { helm: options.helm }),
    });
  let operator = begin();
  const settled = async (): Promise<void> => {
    let state: unknown = 'pending';
    operator.ready.then(
      () => (state = 'ready'),
      (error: unknown) => (state = error),
    );
    await started.until('the operator runs', () => state !== 'pending');
    assert.equal(state, 'ready');
  };
  await settled();
  const client = createClient(started.member.inside, { fieldManager: 'test' });
  if (options.withRepository !== false)
    await client.create(kinds.packageRepositories, {
      apiVersion: 'packages.glasskube.dev/v1alpha1',
      kind: 'PackageRepository',
      metadata: { name: 'main', annotations: { 'packages.glasskube.dev/default-repository': 'true' } },
      spec: { url: REPOSITORY },
    });
  const stop = async (): Promise<void> => {
    const closed = operator.close();
    for (let running = true; running;)
      await Promise.race([closed.then(() => (running = false)), started.clock.advance(200)]);
  };
  const halt = async (): Promise<() => Promise<void>> => {
    await stop();
    return async () => {
      operator = begin();
      await settled();
    };
  };
  return {
    client,
    repository,
    writes,
    started,
    fetchFile,
    watches: () => open.toSorted(),
    keepFrom(resource) {
      kept.set(resource, []);
      return () => {
        const events = kept.get(resource) ?? [];
        kept.delete(resource);
        for (const tell of events) tell();
      };
    },
    until: (what, condition, limitMs) => started.until(what, condition, limitMs),
    async pass(ms) {
      for (let left = ms; left > 0; left -= 100) await started.clock.advance(Math.min(left, 100));
    },
    halt,
    async restart() {
      const start = await halt();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await started[Symbol.asyncDispose]();
    },
  };
}

function recording(
  transport: Transport,
  writes: string[],
  kept: ReadonlyMap<string, (() => void)[]>,
  open: string[],
): Transport {
  return {
    send(request: TransportRequest) {
      // What is only tried changes nothing.
      const isTried = request.query?.['dryRun'] === 'All';
      if (request.method !== 'GET' && !isTried) writes.push(`${request.method} ${request.path}`);
      return transport.send(request);
    },
    watch: (request, onEvent) => {
      const resource = request.path.split('/').at(-1) ?? '';
      const name = `${request.path} ${String(request.query?.['fieldSelector'] ?? '')}`;
      open.push(name);
      const watching = transport.watch(request, (event) => {
        const waiting = kept.get(resource);
        if (waiting === undefined) onEvent(event);
        else waiting.push(() => onEvent(event));
      });
      return watching.finally(() => open.splice(open.indexOf(name), 1));
    },
    close: () => Promise.resolve(),
  };
}

export function clusterPackage(
  name: string,
  version: string,
  spec: Partial<PackageSpec> = {},
): ClusterPackage {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'ClusterPackage',
    metadata: { name },
    spec: { ...spec, packageInfo: { name, version, ...spec.packageInfo } },
  };
}

export function namespacedPackage(
  namespace: string,
  name: string,
  packageName: string,
  version: string,
  spec: Partial<PackageSpec> = {},
): Package {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'Package',
    metadata: { name, namespace },
    spec: { ...spec, packageInfo: { name: packageName, version, ...spec.packageInfo } },
  };
}

export async function create(world: PackageWorld, one: AnyPackage): Promise<void> {
  await world.client.create(resourceOf(one.kind), one);
}

export async function read(world: PackageWorld, one: AnyPackage): Promise<AnyPackage | undefined> {
  const { name = '', namespace } = one.metadata;
  return world.client.find(resourceOf(one.kind), { name, namespace });
}

export function conditionOf(one: AnyPackage | undefined, type: string): Condition | undefined {
  return one?.status?.conditions?.find((condition) => condition.type === type);
}

/** Waits until the package is ready in its version. */
export async function installed(world: PackageWorld, one: AnyPackage, version?: string): Promise<void> {
  await world.until(`${one.metadata.name ?? ''} is installed`, async () => {
    const now = await read(world, one);
    return (
      conditionOf(now, 'Ready')?.status === 'True' &&
      now?.status?.version === (version ?? one.spec.packageInfo.version) &&
      now.status.observedGeneration === now.metadata.generation
    );
  });
}

/** Waits until the package has failed, and answers why. */
export async function failure(world: PackageWorld, one: AnyPackage): Promise<string> {
  let message = '';
  await world.until(`${one.metadata.name ?? ''} has failed`, async () => {
    const failed = conditionOf(await read(world, one), 'Failed');
    message = `${failed?.reason ?? ''}: ${failed?.message ?? ''}`;
    return failed?.status === 'True';
  });
  return message;
}

export async function remove(world: PackageWorld, one: AnyPackage): Promise<void> {
  const { name = '', namespace } = one.metadata;
  await world.client.delete(resourceOf(one.kind), { name, namespace });
  await world.until(`${name} is uninstalled`, async () => (await read(world, one)) === undefined);
}

/** `Kind namespace/name` of everything that carries the label of packages. */
export async function managed({ client }: PackageWorld): Promise<readonly string[]> {
  const found: string[] = [];
  const selector = { labelSelector: 'app.kubernetes.io/managed-by=glasskube' };
  for (const resource of [
    kinds.namespaces,
    kinds.configMaps,
    kinds.services,
    kinds.customResourceDefinitions,
    { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true },
  ]) {
    const { items } = await client.list<KubeObject>(resource, selector);
    for (const { kind, metadata } of items)
      found.push(
        `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name ?? ''}`,
      );
  }
  return found.sort();
}
