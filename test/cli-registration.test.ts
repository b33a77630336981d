// How clusters come and go in pull mode, and what `init` writes: the built program against a control plane that knows nothing of
// the cluster but a token.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  freePort,
  navarch,
  removeDirectory,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';
import { checkTranscript } from './transcript.ts';

describe('registering a cluster with a token', () => {
  const directory = temporaryDirectory();
  let hub: Product;
  let other: Product;
  let member: string;
  const masks = [
    [/127\.0\.0\.1:\d+/g, 'HOST'],
    [/[a-z0-9]{6}\.[a-z0-9]{16}/g, 'TOKEN'],
    [/sha256:[0-9a-f]{64}/g, 'sha256:HASH'],
  ] as const;

  before(async () => {
    hub = await startProduct(path.join(directory, 'hub'), freePort(), '--members', '0');
    // The member is a simulated one of another control plane.
    other = await startProduct(path.join(directory, 'other'), freePort(), '--members', '1');
    member = path.join(directory, 'other', 'members', 'member1.kubeconfig');
  });
  after(async () => {
    await hub.stop('SIGTERM');
    await other.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('from the command that "token create" prints to a running agent, and back', () =>
    checkTranscript(
      `
$ navarch token create --print-register-command > command
$ sh -c "set -- $(sed 's/^navarch register //' command); echo \\$#"
5
$ navarch register $(sed 's/^navarch register //; s/sha256:./sha256:z/' command) --kubeconfig $MEMBER --cluster-name edge --discovery-timeout 1s 2>&1 | sed 's/keys ".*" are/keys ... are/'
[preflight] Running pre-flight checks
[preflight] All pre-flight checks were passed
error: couldn't validate the identity of the API server: cluster CA found in cluster-info ConfigMap is invalid: none of the public keys ... are pinned
$ navarch register $(sed 's/^navarch register //' command) --kubeconfig $MEMBER --cluster-name edge --dry-run
[preflight] Running pre-flight checks
[preflight] All pre-flight checks were passed
$ navarch register $(sed 's/^navarch register //' command) --kubeconfig $MEMBER --cluster-name edge
[preflight] Running pre-flight checks
[preflight] All pre-flight checks were passed
[karmada-agent-start] Waiting to perform the TLS Bootstrap
[karmada-agent-start] Waiting to construct karmada-agent kubeconfig
[karmada-agent-start] Waiting the necessary secret and RBAC
[karmada-agent-start] Waiting karmada-agent Deployment

cluster(edge) is joined successfully
$ navarch get deployment karmada-agent -n karmada-system --kubeconfig $MEMBER -o jsonpath='{.spec.template.spec.containers[0].args[1]} {.status.availableReplicas}'
--cluster-name=edge 1
$ navarch get clusterrole system:karmada:edge:agent -o name
clusterrole.rbac.authorization.k8s.io/system:karmada:edge:agent
$ navarch get csr -o jsonpath='{range .items[*]}{.spec.username} {.status.conditions[0].reason}{"\\n"}{end}' | sort | uniq -c | sed 's/^ *//; s/bootstrap:[a-z0-9]*/bootstrap:ID/'
1 system:bootstrap:ID AutoApproved
$ navarch register $(sed 's/^navarch register //' command) --kubeconfig $MEMBER --cluster-name edge
[preflight] Running pre-flight checks
error: [preflight] Some fatal errors occurred:
	[ERROR]: Secret karmada-system/karmada-kubeconfig already exists, which an earlier registration has left
	[ERROR]: ServiceAccount karmada-system/karmada-agent-sa already exists, which an earlier registration has left
	[ERROR]: Deployment karmada-system/karmada-agent already exists, which an earlier registration has left
[preflight] Please check the above errors; "navarch unregister" removes what is left
[exit 1]
$ navarch unregister edge --cluster-kubeconfig $MEMBER --karmada-config $KUBECONFIG
no cluster object edge found in karmada control Plane; removing what is left of its agent
namespace karmada-cluster stays in the cluster: another control plane has accounts in it
cluster(edge) is unregistered successfully
$ navarch get clusterrole system:karmada:edge:agent --ignore-not-found
$ navarch get deployment karmada-agent -n karmada-system --kubeconfig $MEMBER --ignore-not-found
$ navarch unregister edge
error: --cluster-kubeconfig is required to specify KUBECONFIG of the cluster
[exit 1]
$ navarch register
error: requires the control plane endpoint HOST:PORT, and nothing else
[exit 1]
`,
      { kubeconfig: hub.kubeconfig, directory, env: { MEMBER: member }, masks: [...masks] },
    ));
});

describe('init', () => {
  const directory = temporaryDirectory();
  after(() => removeDirectory(directory));
  const check = (transcript: string): void => checkTranscript(transcript, { directory });

  test('writes a deployment whose certificates and arguments fit, twice the same', async () => {
    check(`
$ navarch init --karmada-apiserver-advertise-address 127.0.0.1 --cert-external-dns hub.example --karmada-apiserver-extra-args=--log-level=info -d out
A deployment for https://127.0.0.1:32443 is in out:
  pki/
  karmada-apiserver.config
  host-cluster.yaml
  navarch.service
  compose.yaml
  values.yaml
Put it into a host cluster: kubectl apply -f out/host-cluster.yaml
$ grep -c '' out/pki/ca.crt > /dev/null && cp out/pki/ca.crt before && navarch init --karmada-apiserver-advertise-address 127.0.0.1 -d out > /dev/null && cmp before out/pki/ca.crt
$ grep -A8 ExecStart out/navarch.service | head -7
ExecStart=/usr/local/bin/navarch up --data-dir=/var/lib/navarch \\
  --members=0 \\
  --port=5443 \\
  --bind-address=0.0.0.0 \\
  --advertise-address=127.0.0.1:5443 \\
  --cert-hosts=127.0.0.1,karmada-apiserver,karmada-apiserver.karmada-system,karmada-apiserver.karmada-system.svc,karmada-apiserver.karmada-system.svc.cluster.local,navarch,navarch.karmada-system,navarch.karmada-system.svc,navarch.karmada-system.svc.cluster.local
Restart=always
`);
    // What it wrote is what a control plane starts with.
    const port = freePort();
    const hub = await startProduct(
      path.join(directory, 'out'),
      port,
      '--members',
      '0',
      '--advertise-address',
      `127.0.0.1:${port}`,
    );
    try {
      const admin = readFileSync(path.join(directory, 'out', 'karmada-apiserver.config'), 'utf8').replace(
        ':32443',
        `:${port}`,
      );
      const { writeFileSync } = await import('node:fs');
      writeFileSync(path.join(directory, 'admin'), admin);
      const found = navarch(
        'get',
        'ns',
        'karmada-system',
        '-o',
        'name',
        '--kubeconfig',
        path.join(directory, 'admin'),
      );
      assert.equal(found.stdout, 'namespace/karmada-system\n', found.stderr);
    } finally {
      await hub.stop('SIGTERM');
    }
  });

  test('reads the config file of karmadactl, and names what has no effect', () => {
    check(`
$ printf '%s\\n' 'apiVersion: config.karmada.io/v1alpha1' 'kind: KarmadaInitConfig' 'spec:' '  karmadaDataPath: from-config' '  etcd: {local: {replicas: 3, storageMode: emptyDir}}' '  components: {karmadaAPIServer: {advertiseAddress: 10.0.0.9, networking: {port: 32500, namespace: fleet}}}' > init.yaml
$ navarch init --config init.yaml | head -1
Warning: spec.etcd.local.replicas has no effect: the control plane is one process
A deployment for https://10.0.0.9:32500 is in from-config:
$ navarch init --config /dev/null
error: the config file is no KarmadaInitConfig of config.karmada.io/v1alpha1
[exit 1]
$ navarch init --etcd-storage-mode PVC
error: when etcd storage mode is PVC, storageClassesName is not empty. See --storage-classes-name
[exit 1]
$ navarch init --karmada-apiserver-advertise-address nowhere
error: karmada apiserver advertise address is not valid: nowhere
[exit 1]
$ navarch init --karmada-scheduler-image x --etcd-image y --karmada-pki keys --cert-validity-period 48h --etcd-node-selector-labels disk=ssd --karmada-apiserver-image hub:2 --private-image-registry r.example -d with-flags
Warning: --karmada-scheduler-image has no effect: the control plane is one process
Warning: --etcd-image has no effect: the control plane keeps its own store
A deployment for https://127.0.0.1:32443 is in with-flags:
  keys/
  karmada-apiserver.config
  host-cluster.yaml
  navarch.service
  compose.yaml
  values.yaml
Put it into a host cluster: kubectl apply -f with-flags/host-cluster.yaml
$ grep -E 'disk:|image: r.example' with-flags/host-cluster.yaml | sort -u | tr -d ' '
disk:ssd
image:r.example/hub:2
$ navarch init --external-etcd-servers https://etcd:2379
error: --external-etcd-servers is not supported: the control plane keeps its own store; leave it out
[exit 1]
$ navarch init --karmada-apiserver-replicas 3
error: --karmada-apiserver-replicas must be 1, not 3: the store belongs to one process at a time
[exit 1]
$ navarch init --ca-cert-file x
error: ca-cert-file and ca-key-file must be used together
[exit 1]
`);
    assert.match(
      readFileSync(path.join(directory, 'from-config', 'host-cluster.yaml'), 'utf8'),
      /namespace: fleet/,
    );
    assert.ok(existsSync(path.join(directory, 'from-config', 'pki', 'apiserver.crt')));
    const { validFromDate, validToDate } = new X509Certificate(
      readFileSync(path.join(directory, 'keys', 'apiserver.crt')),
    );
    const hours = (validToDate.getTime() - validFromDate.getTime()) / 3_600_000;
    assert.ok(hours > 47 && hours < 50, `${hours} h`);
  });
});

describe('a host cluster', () => {
  const directory = temporaryDirectory();
  let host: Product;
  let kubeconfig: string;
  before(async () => {
    host = await startProduct(path.join(directory, 'host'), freePort(), '--members', '1');
    kubeconfig = path.join(directory, 'host', 'members', 'member1.kubeconfig');
  });
  after(async () => {
    await host.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('gets a control plane, an estimator, and loses both', () =>
    checkTranscript(
      `
$ navarch init --karmada-apiserver-advertise-address 127.0.0.1 --kubeconfig $HOST -d out --etcd-storage-mode emptyDir 2>&1 | sed "s#$HOST#HOST#; s#KUBECONFIG=.*#KUBECONFIG=FILE#" | tail -8
Installing into the host cluster of HOST ...
namespace/karmada-system created
secret/karmada-cert created
secret/karmada-kubeconfig created
service/karmada-apiserver created
statefulset.apps/navarch created
Waiting until it is ready ...
Karmada is installed successfully. Use it: export KUBECONFIG=FILE
$ navarch addons enable karmada-scheduler-estimator -C edge --member-kubeconfig $HOST --kubeconfig $HOST
Karmada scheduler estimator of member edge is installed successfully.
$ navarch addons list -C edge --kubeconfig $HOST | grep estimator
karmada-scheduler-estimator   enabled
$ navarch addons list --kubeconfig $HOST | grep descheduler
karmada-descheduler           disabled
$ navarch addons enable karmada-descheduler --kubeconfig $HOST
Karmada descheduler is installed successfully.
$ navarch addons enable karmada-descheduler --kubeconfig $HOST
Karmada descheduler is installed successfully.
$ navarch get statefulset navarch -n karmada-system --kubeconfig $HOST -o jsonpath='{.spec.template.spec.containers[0].args[5:]}'
--controllers=*,descheduler --enable-scheduler-estimator=true
$ navarch addons disable karmada-descheduler --kubeconfig $HOST
Karmada descheduler is uninstalled successfully.
$ navarch get statefulset navarch -n karmada-system --kubeconfig $HOST -o jsonpath='{.spec.template.spec.containers[0].args[5:]}'
--enable-scheduler-estimator=true
$ navarch addons enable karmada-descheduler --kubeconfig $HOST -n elsewhere
error: there is no control plane elsewhere/navarch in the host cluster: where it runs otherwise, start it with --controllers=*,descheduler --enable-scheduler-estimator
[exit 1]
$ navarch addons enable karmada-search --kubeconfig $HOST
error: karmada-search cannot be enabled: it is no process of its own here, and "navarch addons list" says whether the control plane does what it does; if not, look into all members with "navarch get KIND -A --operation-scope members"
[exit 1]
$ navarch addons disable karmada-scheduler-estimator -C edge --kubeconfig $HOST
Uninstall karmada scheduler estimator of member edge successfully
$ navarch deinit --kubeconfig $HOST < /dev/null
error: nobody is there to confirm: use --force, or --dry-run to see what would go
[exit 1]
$ navarch deinit --kubeconfig $HOST --dry-run | head -2
delete StatefulSet navarch (dry run)
delete Service karmada-apiserver (dry run)
$ navarch deinit --kubeconfig $HOST --force --purge-namespace | tail -2
delete Namespace karmada-system
remove Karmada from Kubernetes successfully
`,
      { kubeconfig, directory, env: { HOST: kubeconfig } },
    ));
});
