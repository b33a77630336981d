// What `init` writes: the same control plane as objects for a host cluster, as a systemd unit, as a container with compose, and
// as a Helm chart. All start `navarch up` with one set of arguments.
import type { KubeObject } from '../../api/index.ts';
import { formatYaml } from '../../client/index.ts';
import type { InitSettings } from './settings.ts';

export const NAME = 'navarch';
/** COMPAT: what a control plane listens on inside of a host cluster. */
const PORT = 5443;
const DATA = '/var/lib/navarch';

/** Names by which the API server is found inside of the host cluster. */
export function clusterHosts({ namespace, hostClusterDomain }: InitSettings): readonly string[] {
  return ['karmada-apiserver', NAME].flatMap((name) => [
    name,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.${hostClusterDomain}`,
  ]);
}

/** The arguments of `navarch up` behind its data directory. */
export function upArguments(settings: InitSettings, advertisePort: number): readonly string[] {
  const base = [
    '--members=0',
    `--port=${PORT}`,
    '--bind-address=0.0.0.0',
    `--advertise-address=${settings.advertiseAddress}:${advertisePort}`,
    `--cert-hosts=${[...settings.hosts, ...clusterHosts(settings)].join(',')}`,
  ];
  const keyOf = (arg: string): string => arg.split('=', 1)[0] ?? arg;
  const overridden = new Map(settings.extraArgs.map((arg) => [keyOf(arg), arg]));
  const kept = base.map((arg) => overridden.get(keyOf(arg)) ?? arg);
  const added = settings.extraArgs.filter((arg) => !base.some((one) => keyOf(one) === keyOf(arg))).sort();
  return [...kept, ...added];
}

function labelled(kind: string): Readonly<Record<string, string>> {
  return { app: NAME, 'karmada.io/bootstrapping': `${kind}-defaults` };
}

/** Objects for the host cluster; `pki` by file name. */
export function hostObjects(
  settings: InitSettings,
  pki: ReadonlyMap<string, string>,
  kubeconfig: string,
): readonly KubeObject[] {
  const { namespace, storage } = settings;
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const secret = (name: string, data: Readonly<Record<string, string>>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: labelled('secret') },
    type: 'Opaque',
    data,
  });
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    secret('karmada-cert', Object.fromEntries([...pki].map(([name, text]) => [name, encode(text)]))),
    secret('karmada-kubeconfig', { 'karmada.config': encode(kubeconfig) }),
    ...(storage.mode === 'PVC' ? [claim(settings, storage)] : []),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'karmada-apiserver', namespace, labels: labelled('service') },
      spec: {
        type: 'NodePort',
        selector: { app: NAME },
        ports: [{ name: 'https', port: PORT, targetPort: PORT, nodePort: settings.nodePort }],
      },
    },
    statefulSet(settings),
  ];
}

function claim(
  { namespace }: InitSettings,
  storage: { readonly size: string; readonly storageClass: string },
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: NAME, namespace, labels: labelled('pvc') },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: storage.storageClass,
      resources: { requests: { storage: storage.size } },
    },
  };
}

function statefulSet(settings: InitSettings): KubeObject {
  const { namespace, storage } = settings;
  const volume =
    storage.mode === 'hostPath'
      ? { hostPath: { path: storage.path, type: 'DirectoryOrCreate' } }
      : storage.mode === 'PVC'
        ? { persistentVolumeClaim: { claimName: NAME } }
        : { emptyDir: {} };
  const probe = (path: string): object => ({
    httpGet: { path, port: PORT, scheme: 'HTTPS' },
    periodSeconds: 10,
    failureThreshold: 6,
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: NAME, namespace, labels: labelled('app') },
    spec: {
      // One: the store belongs to one process at a time.
      replicas: 1,
      serviceName: 'karmada-apiserver',
      selector: { matchLabels: { app: NAME } },
      template: {
        metadata: { labels: { app: NAME } },
        spec: {
          ...(settings.priorityClass === '' ? {} : { priorityClassName: settings.priorityClass }),
          ...(Object.keys(settings.nodeSelector).length === 0 ? {} : { nodeSelector: settings.nodeSelector }),
          ...(settings.imagePullSecrets.length === 0
            ? {}
            : { imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })) }),
          initContainers: [
            {
              // A Secret is mounted for reading; the control plane renews what is about to expire.
              name: 'pki',
              image: settings.image,
              imagePullPolicy: settings.imagePullPolicy,
              command: [
                'sh',
                '-c',
                `mkdir -p ${DATA}/pki && cp -n /pki/* ${DATA}/pki/ && chmod 600 ${DATA}/pki/*`,
              ],
              volumeMounts: [
                { name: 'data', mountPath: DATA },
                { name: 'pki', mountPath: '/pki', readOnly: true },
              ],
            },
          ],
          containers: [
            {
              name: NAME,
              image: settings.image,
              imagePullPolicy: settings.imagePullPolicy,
              command: ['navarch', 'up', `--data-dir=${DATA}`],
              args: upArguments(settings, settings.nodePort),
              ports: [{ name: 'https', containerPort: PORT }],
              livenessProbe: probe('/livez'),
              readinessProbe: probe('/readyz'),
              volumeMounts: [{ name: 'data', mountPath: DATA }],
            },
          ],
          volumes: [
            { name: 'data', ...volume },
            { name: 'pki', secret: { secretName: 'karmada-cert' } },
          ],
        },
      },
    },
  };
}

export function systemdUnit(settings: InitSettings): string {
  const args = upArguments(settings, PORT)
    .map((arg) => `  ${arg}`)
    .join(' \\\n');
  return `# Copy to /etc/systemd/system/, and pki/ to ${DATA}/pki/. Then: systemctl enable --now navarch
[Unit]
Description=Navarch, a multi-cluster Kubernetes control plane
Documentation=man:navarch(1)
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
DynamicUser=yes
StateDirectory=navarch
StateDirectoryMode=0700
ExecStart=/usr/local/bin/navarch up --data-dir=${DATA} \\
${args}
Restart=always
RestartSec=1s
TimeoutStopSec=60s
LimitNOFILE=1048576
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes

[Install]
WantedBy=multi-user.target
`;
}

export function compose(settings: InitSettings): string {
  return formatYaml({
    services: {
      navarch: {
        image: settings.image,
        build: { context: '.', dockerfile: 'Containerfile' },
        command: ['up', '--data-dir=/data', ...upArguments(settings, PORT)],
        ports: [`${PORT}:${PORT}`],
        volumes: ['navarch-data:/data', './pki:/data/pki'],
        restart: 'always',
        stop_grace_period: '60s',
      },
    },
    volumes: { 'navarch-data': {} },
  });
}

/** Values for the chart in deploy/chart. */
export function chartValues(settings: InitSettings): string {
  const { storage } = settings;
  return formatYaml({
    image: {
      name: settings.image,
      pullPolicy: settings.imagePullPolicy,
      pullSecrets: settings.imagePullSecrets,
    },
    service: { type: 'NodePort', nodePort: settings.nodePort },
    storage: {
      mode: storage.mode,
      ...(storage.mode === 'hostPath' ? { path: storage.path } : {}),
      ...(storage.mode === 'PVC' ? { size: storage.size, storageClass: storage.storageClass } : {}),
    },
    priorityClass: settings.priorityClass,
    args: upArguments(settings, settings.nodePort),
    pkiSecret: 'karmada-cert',
  });
}
