// `package open`: leads ports of this machine to the entrypoints of a package, until it is told to stop.
import { spawn } from 'node:child_process';
import { Command } from 'commander';
import type { KubeObject, PackageManifest } from '../../api/index.ts';
import { kinds } from '../../client/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { CommandError, nearest, shape } from '../shell/index.ts';
import { forwardPort, type ForwardedPort } from '../streams/port-forward.ts';
import { withCatalogue } from './catalogue.ts';
import { say } from './dialogue.ts';
import { findInstalled, titleOf } from './installed.ts';
import { withKind, withPlace, withPlaceFlags, type PackageFlags, type Place } from './place.ts';
import { completeInstalled } from './words.ts';

interface OpenFlags extends PackageFlags {
  readonly host: string;
  readonly port?: string;
  readonly browser?: boolean;
}

type Entrypoint = NonNullable<PackageManifest['entrypoints']>[number];

export function openCommand(exit: SetExitCode): Command {
  const command = withKind(withPlaceFlags(new Command('open')))
    .description('open the entrypoints of an installed package on this machine')
    .argument('<name>', 'the package')
    .argument('[entrypoint]', 'one of its entrypoints; without it, all')
    .option('--host <name>', 'address of this machine to listen on', 'localhost')
    .option('--port <port>', 'port of this machine, for one entrypoint')
    .option('--no-browser', 'do not start a browser')
    .action(async (name: string, entrypoint: string | undefined, flags: OpenFlags) => {
      await withPlace(flags, async (place) => {
        const one = await findInstalled(place, name, flags);
        if (place.onHub) refuseOnHub(one);
        const manifest = await manifestOf(place, one);
        const chosen = entrypointsOf(manifest, entrypoint, flags);
        const forwarded: ForwardedPort[] = [];
        try {
          for (const each of chosen) forwarded.push(await open(place, one, manifest, each, flags));
          say('Ctrl-C ends this.');
          await stopRequested();
        } finally {
          await Promise.all(forwarded.map((port) => port.close()));
        }
      });
      exit(0);
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # In a member of the control plane
      %s package open whoami -C member1

      # On another port
      %s package open whoami web -C member1 --port 9000`,
  });
}

function refuseOnHub(one: AnyPackage): never {
  const clusters = one.status?.clusters?.map(({ name }) => name) ?? [];
  throw new CommandError(
    `${titleOf(one)} runs in members; name one with -C${clusters.length === 0 ? '' : `: ${clusters.join(', ')}`}`,
  );
}

function manifestOf(place: Place, { spec }: AnyPackage): Promise<PackageManifest> {
  const { name, version, repositoryName } = spec.packageInfo;
  return withCatalogue(place, async (catalogue) => {
    const { manifest } = await catalogue.client(repositoryName).manifest(name, version);
    return manifest;
  });
}

function entrypointsOf(
  { name: packageName, entrypoints = [] }: PackageManifest,
  wanted: string | undefined,
  { port }: OpenFlags,
): readonly Entrypoint[] {
  if (entrypoints.length === 0) throw new CommandError(`package "${packageName}" has no entrypoints`);
  const names = entrypoints.map(({ name, serviceName }) => name ?? serviceName);
  const chosen = entrypoints.filter((_, index) => wanted === undefined || names[index] === wanted);
  if (chosen.length === 0) {
    const near = nearest(wanted ?? '', names);
    throw new CommandError(
      `package "${packageName}" has no entrypoint "${wanted ?? ''}"; ${near.length > 0 ? `did you mean ${near.join(' or ')}?` : `it has ${names.join(', ')}`}`,
    );
  }
  if (port !== undefined && chosen.length > 1)
    throw new CommandError(`--port is for one entrypoint; name one of ${names.join(', ')}`);
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    throw new CommandError(`--port must be a port, not "${port}"`);
  return chosen;
}

async function open(
  place: Place,
  one: AnyPackage,
  manifest: PackageManifest,
  entrypoint: Entrypoint,
  flags: OpenFlags,
): Promise<ForwardedPort> {
  const namespace = one.metadata.namespace ?? manifest.defaultNamespace ?? 'default';
  const service = await serviceOf(place, one, manifest, entrypoint, namespace);
  const { pod, port } = await podBehind(place, service, entrypoint.port, namespace);
  const local = Number(flags.port ?? entrypoint.localPort ?? entrypoint.port);
  const target = { settings: place.session.settings, namespace, pod, port };
  const forwarded = await forwardPort(flags.host, local, target, (text) =>
    say(`${entrypoint.serviceName}: ${text}`),
  );
  const { scheme } = entrypoint;
  const address = `${flags.host}:${forwarded.port}`;
  const url = scheme === 'http' || scheme === 'https' ? `${scheme}://${address}` : undefined;
  print(
    `${entrypoint.name ?? entrypoint.serviceName}: ${url ?? address} leads to port ${port} of pod ${namespace}/${pod}`,
  );
  if (url !== undefined && flags.browser !== false && process.stdout.isTTY) browse(url);
  return forwarded;
}

/** The Service by its own name, or by those that charts and namespaced packages give it. */
async function serviceOf(
  { client }: Place,
  one: AnyPackage,
  manifest: PackageManifest,
  { serviceName }: Entrypoint,
  namespace: string,
): Promise<KubeObject> {
  const { name = '' } = one.metadata;
  const candidates = [
    ...(one.kind === 'Package' ? [`${name}-${serviceName}`] : []),
    serviceName,
    `${name}-${serviceName}`,
    `${name}-${manifest.name}-${serviceName}`,
    `${name}-${manifest.name}`,
  ];
  for (const candidate of candidates) {
    const found = await client.find(kinds.services, { namespace, name: candidate });
    if (found !== undefined) return found;
  }
  throw new CommandError(
    `${titleOf(one)} has no service ${serviceName} in namespace ${namespace}; is it ready?`,
  );
}

interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[];
}

interface PodFields {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function podBehind(
  { client }: Place,
  service: KubeObject,
  port: number,
  namespace: string,
): Promise<{ readonly pod: string; readonly port: number }> {
  const { selector = {}, ports = [] } = (service['spec'] ?? {}) as ServiceSpec;
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const { items } = await client.listAll(kinds.pods, { namespace, labelSelector });
  const ready = items.find((pod) =>
    (pod as PodFields).status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
  const called = service.metadata.name ?? '';
  if (ready === undefined) throw new CommandError(`no pod behind service ${namespace}/${called} is ready`);
  const targetPort = ports.find((one) => one.port === port)?.targetPort ?? port;
  const number =
    typeof targetPort === 'number'
      ? targetPort
      : (ready as PodFields).spec?.containers
          ?.flatMap((container) => container.ports ?? [])
          .find(({ name }) => name === targetPort)?.containerPort;
  if (number === undefined)
    throw new CommandError(
      `port ${targetPort} of service ${namespace}/${called} is none of pod ${ready.metadata.name ?? ''}`,
    );
  return { pod: ready.metadata.name ?? '', port: number };
}

function browse(url: string): void {
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url];
  const child = spawn(program ?? '', args, { stdio: 'ignore', detached: true });
  child.on('error', () => say(`open ${url} in a browser`));
  child.unref();
}

function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
