// `init`: writes everything that a control plane needs to run somewhere else, certificates included, and puts it into a host
// cluster when one is named. Run again, it keeps the certificates that are there and writes the rest anew.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { fileVault, kubeconfigYaml, openCertificates } from '../../apiserver/index.ts';
import { errorMessage, systemClock, systemRandom } from '../../base/index.ts';
import { CommandError, applyObjects, listOption, upstreamCommand } from '../../cli/index.ts';
import { formatYaml } from '../../client/index.ts';
import { VERSION } from '../version.ts';
import { chartValues, clusterHosts, compose, hostObjects, systemdUnit } from './deployment.ts';
import { untilReady } from './readiness.ts';
import { upstreamFlagWarnings, withUpstreamFlags } from './upstream-flags.ts';
import { hostOf, readSettings, type InitFlags, type InitSettings } from './settings.ts';

type SetExitCode = (code: number) => void;

const EXAMPLES = `
  # Write a deployment for a machine that is reached as 10.0.0.1
  %s init --karmada-apiserver-advertise-address 10.0.0.1

  # And put it into a host cluster
  %s init --karmada-apiserver-advertise-address 10.0.0.1 --kubeconfig ~/.kube/host

  # From the config file of karmadactl
  %s init --config init.yaml`;

interface HostFlags extends InitFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function initCommand(exit: SetExitCode): Command {
  return withUpstreamFlags(upstreamCommand('init', { group: 'Cluster registration', examples: EXAMPLES }))
    .summary('Write a ready deployment of a control plane, or install it into a host cluster')
    .description(
      "Write a ready deployment of a control plane into a directory: certificates, an administrator's kubeconfig, objects for a host cluster, a systemd unit, a compose file and values for the Helm chart. With --kubeconfig it is put into that host cluster too. Nothing that is there is emptied; certificates are kept.",
    )
    .option('-n, --namespace <name>', 'namespace in the host cluster', 'karmada-system')
    .option('--kubeconfig <file>', 'host cluster to install into; without it files are written only')
    .option('--context <name>', 'context of the host cluster in that file')
    .option('--config <file>', 'a KarmadaInitConfig; its values override flags')
    .option('-d, --karmada-data <dir>', 'directory to write to', './navarch-deployment')
    .option('-p, --port <port>', 'node port of the API server in a host cluster', '32443')
    .option('--karmada-apiserver-advertise-address <ip>', 'address by which clients reach the API server')
    .addOption(listOption('--cert-external-ip <list>', 'more addresses in the certificate of the API server'))
    .addOption(listOption('--cert-external-dns <list>', 'more names in the certificate of the API server'))
    .option('--ca-cert-file <file>', 'certificate authority to use, instead of a new one')
    .option('--ca-key-file <file>', 'its key')
    .option(
      '--karmada-pki <dir>',
      'directory of the certificates (default pki/ in the directory to write to)',
    )
    .option('--cert-validity-period <duration>', 'how long new certificates are valid', '8760h')
    .option('--host-cluster-domain <name>', 'DNS domain of the host cluster', 'cluster.local')
    .option('--image <name>', 'image of the control plane', `navarch:${VERSION}`)
    .option('--karmada-apiserver-image <name>', 'the same as --image')
    .option('--karmada-apiserver-replicas <n>', 'one: the store belongs to one process at a time', '1')
    .option('--private-image-registry <host>', 'registry to put in front of the image')
    .addOption(
      new Option('--image-pull-policy <policy>', 'when images are pulled')
        .choices(['Always', 'IfNotPresent', 'Never'])
        .default('IfNotPresent'),
    )
    .addOption(listOption('--image-pull-secrets <list>', 'secrets for pulling images'))
    .option('--etcd-storage-mode <mode>', 'where the store is kept: hostPath, emptyDir or PVC', 'hostPath')
    .option('--etcd-data <dir>', 'directory on the node, with hostPath', '/var/lib/navarch')
    .option('--etcd-replicas <n>', 'one: the store belongs to one process at a time', '1')
    .option(
      '--etcd-node-selector-labels <labels>',
      'labels of the nodes that it may run on, as key=value,key=value',
    )
    .option('--etcd-pvc-size <size>', 'size of the volume, with PVC', '5Gi')
    .option('--storage-classes-name <name>', 'storage class, with PVC')
    .addOption(
      listOption('--karmada-apiserver-extra-args <list>', 'more arguments of "navarch up", as --key=value'),
    )
    .option(
      '--wait-component-ready-timeout <seconds>',
      'how long to wait until it is ready in the host cluster; 0: not at all',
      '120',
    )
    .option('--karmada-apiserver-priority-class <name>', 'priority class', 'system-node-critical')
    .action(async (flags: HostFlags) => {
      await init(flags);
      exit(0);
    });
}

async function init(flags: HostFlags): Promise<void> {
  const configText = flags.config === undefined ? undefined : await read(flags.config);
  const { settings, warnings } = readSettings(flags, configText);
  for (const warning of [...upstreamFlagWarnings({ ...flags }), ...warnings])
    process.stderr.write(`Warning: ${warning}\n`);
  const { directory } = settings;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { pki, kubeconfig } = await certificates(settings);
  const objects = hostObjects(settings, pki, kubeconfig);
  const files: Readonly<Record<string, string>> = {
    'karmada-apiserver.config': kubeconfig,
    'host-cluster.yaml': objects.map((one) => formatYaml(one)).join('---\n'),
    'navarch.service': systemdUnit(settings),
    'compose.yaml': compose(settings),
    'values.yaml': chartValues(settings),
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(path.join(directory, name), text, { mode: 0o600 });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`A deployment for https://${settings.advertiseAddress}:${settings.nodePort} is in ${directory}:`);
  const pkiName =
    settings.pkiDirectory === path.join(directory, 'pki') ? 'pki/' : `${settings.pkiDirectory}/`;
  for (const name of [pkiName, ...Object.keys(files)]) say(`  ${name}`);
  const host = {
    ...hostOf(configText),
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
  };
  if (host.kubeconfig === undefined) {
    say(`Put it into a host cluster: kubectl apply -f ${path.join(directory, 'host-cluster.yaml')}`);
    return;
  }
  say(`Installing into the host cluster of ${host.kubeconfig} ...`);
  await applyObjects(host, objects);
  if (settings.readyTimeoutMs > 0) {
    say(`Waiting until it is ready ...`);
    await untilReady({ ...host, kubeconfig: host.kubeconfig }, settings);
  }
  say(
    `Karmada is installed successfully. Use it: export KUBECONFIG=${path.resolve(directory, 'karmada-apiserver.config')}`,
  );
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`error reading ${file}: ${errorMessage(error)}`);
  });
}

async function certificates(
  settings: InitSettings,
): Promise<{ readonly pki: ReadonlyMap<string, string>; readonly kubeconfig: string }> {
  const directory = settings.pkiDirectory;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (settings.caCertFile !== undefined && settings.caKeyFile !== undefined) {
    await read(settings.caCertFile);
    await copyFile(settings.caCertFile, path.join(directory, 'ca.crt'));
    await copyFile(settings.caKeyFile, path.join(directory, 'ca.key'));
  }
  const made = await openCertificates({
    vault: fileVault(directory, systemRandom),
    now: systemClock.now(),
    validMs: settings.certificatesValidMs,
    clusterName: 'karmada',
    hosts: ['0.0.0.0', ...settings.hosts, ...clusterHosts(settings)],
  });
  const pki = new Map<string, string>();
  for (const name of (await readdir(directory)).sort())
    pki.set(name, await readFile(path.join(directory, name), 'utf8'));
  const kubeconfig = kubeconfigYaml([
    {
      contextName: 'karmada-apiserver',
      server: `https://${settings.advertiseAddress}:${settings.nodePort}`,
      certificateAuthority: made.authority.certificate,
      credentials: made.admin,
    },
  ]);
  return { pki, kubeconfig };
}
