// The kubectl releases that people have, each against the built product: what they do all day on the hub, and what they
// need a kubelet for, on a member and through the hub. They differ in how they ask: older ones for OpenAPI as
// protobuf and SPDY, newer ones for WebSockets.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePort, removeDirectory, startProduct, temporaryDirectory, type Product } from './product.ts';

const MINORS = [27, 28, 29, 30, 31, 32, 33];
const FOLDERS = ['/usr/lib/google-cloud-sdk/bin', '/usr/local/bin', '/usr/bin'];

function kubectlOf(minor: number): string | undefined {
  return FOLDERS.map((folder) => path.join(folder, `kubectl.1.${minor}`)).find((file) => existsSync(file));
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let product: Product;
let directory: string;
let port: number;

before(async () => {
  directory = temporaryDirectory();
  port = freePort();
  product = await startProduct(directory, port, '--members', '1');
  await product.printed(/Ready in/);
  writeFileSync(path.join(directory, 'editor.sh'), '#!/bin/sh\nsed -i "s/before/after/" "$1"\n');
  chmodSync(path.join(directory, 'editor.sh'), 0o755);
});

after(async () => {
  await product.stop('SIGTERM');
  removeDirectory(directory);
});

const manifest = (name: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data: { text: before }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
      - name: main
        image: busybox
        command: [sh, -c, 'echo "I am here"; sleep 3600']
        ports: [{ containerPort: 8080 }]
        volumeMounts: [{ name: text, mountPath: /etc/text }]
      volumes: [{ name: text, configMap: { name: ${name} } }]
`;

class Kubectl {
  readonly program: string;
  readonly flags: readonly string[];

  constructor(program: string, flags: readonly string[]) {
    this.program = program;
    this.flags = ['--kubeconfig', product.kubeconfig, ...flags];
  }

  try(args: readonly string[], input = ''): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.program, [...this.flags, ...args], {
        env: {
          ...process.env,
          KUBE_EDITOR: path.join(directory, 'editor.sh'),
          HOME: path.join(directory, path.basename(this.program)),
        },
      });
      let [out, err] = ['', ''];
      child.stdout.on('data', (data: Buffer) => (out += data.toString()));
      child.stderr.on('data', (data: Buffer) => (err += data.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
      child.stdin.end(input);
    });
  }

  async run(args: readonly string[], input = ''): Promise<string> {
    const { code, out, err } = await this.try(args, input);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${out}${err}`);
    return out;
  }
}

async function onTheHub(kubectl: Kubectl, name: string): Promise<void> {
  const yaml = manifest(name);
  assert.match(await kubectl.run(['apply', '-f', '-'], yaml), /created/);
  assert.match(await kubectl.run(['apply', '-f', '-'], yaml), /unchanged/);
  const diff = await kubectl.try(['diff', '-f', '-'], yaml.replace('before', 'other'));
  assert.equal(diff.code, 1, diff.err);
  assert.match(diff.out, /^\+ {2}text: other$/m);
  const server = ['apply', '--server-side', '--field-manager', 'other', '-f', '-'];
  const conflict = await kubectl.try(server, yaml.replace('before', 'other'));
  assert.match(conflict.err, /conflict with "kubectl-client-side-apply"/);
  assert.match(await kubectl.run([...server, '--force-conflicts'], yaml), /serverside-applied/);
  assert.match(await kubectl.run(['edit', 'configmap', name]), /edited/);
  assert.match(await kubectl.run(['get', 'configmap', name, '-o', 'jsonpath={.data.text}']), /^after$/);
  assert.match(await kubectl.run(['explain', 'deployment.spec.replicas']), /integer/);
  assert.match(await kubectl.run(['explain', 'propagationpolicy.spec']), /placement/);
  assert.match(
    await kubectl.run(['api-resources', '--api-group', 'policy.karmada.io']),
    /propagationpolicies/,
  );
  assert.equal(await kubectl.run(['auth', 'can-i', 'create', 'pods']), 'yes\n');
  const refused = await kubectl.try(['auth', 'can-i', 'create', 'pods', '--as', 'nobody']);
  assert.deepEqual([refused.code, refused.out], [1, 'no\n']);
  await kubectl.run(['create', 'serviceaccount', name]);
  assert.match(await kubectl.run(['create', 'token', name]), /^eyJ/);
  const deployment = `deployment/${name}`;
  assert.match(await kubectl.run(['scale', deployment, '--replicas', '2']), /scaled/);
  assert.match(await kubectl.run(['rollout', 'pause', deployment]), /paused/);
  assert.match(await kubectl.run(['rollout', 'resume', deployment]), /resumed/);
  const watching = kubectl.try(['get', 'configmap', name, '-w', '-o', 'name', '--request-timeout', '2s']);
  await kubectl.run(['annotate', 'configmap', name, 'a=b']);
  assert.match((await watching).out, new RegExp(`^(configmap/${name}\n)+$`));
}

async function certificates(kubectl: Kubectl, name: string): Promise<void> {
  const key = path.join(directory, `${name}.key`);
  const made = spawnSync('openssl', [
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-subj',
    `/CN=${name}`,
  ]);
  if (made.error !== undefined) return;
  const request = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: made.stdout.toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  };
  await kubectl.run(['apply', '-f', '-'], JSON.stringify(request));
  assert.match(await kubectl.run(['certificate', 'approve', name]), /approved/);
  await kubectl
    .run(['wait', '--for', 'jsonpath={.status.certificate}', `csr/${name}`, '--timeout', '10s'])
    .catch(
      // Older ones want a value to compare with.
      () => kubectl.run(['get', 'csr', name, '-o', 'jsonpath={.status.certificate}']),
    );
}

async function onAMember(kubectl: Kubectl, name: string, makes: boolean): Promise<void> {
  if (makes) await kubectl.run(['apply', '-f', '-'], manifest(name));
  await kubectl.run(['wait', '--for', 'condition=Available', `deployment/${name}`, '--timeout', '20s']);
  assert.match(await kubectl.run(['rollout', 'status', `deployment/${name}`]), /successfully rolled out/);
  const target = `deployment/${name}`;
  assert.match(await kubectl.run(['logs', target]), /^main: simulated container .*\nI am here\n/);
  assert.match(await kubectl.run(['logs', target, '--tail', '1', '--timestamps']), /^\d{4}-[^ ]+Z .*\n$/);
  assert.equal(await kubectl.run(['exec', target, '--', 'cat', '/etc/text/text']), 'before');
  const shell = await kubectl.try(['exec', '-i', target, '--', 'sh'], 'echo from stdin\nexit 5\n');
  assert.deepEqual([shell.code, shell.out], [5, 'from stdin\n']);
  const unknown = await kubectl.try(['exec', target, '--', 'nginx', '-t']);
  assert.equal(unknown.code, 127);
  assert.match(unknown.err, /this container is simulated/);
  const nowhere = await kubectl.try(['logs', target, '-c', 'none']);
  assert.match(nowhere.err, /container none is not valid for pod/);
  await forwarded(kubectl, target);
}

async function forwarded(kubectl: Kubectl, target: string): Promise<void> {
  const child = spawn(kubectl.program, [...kubectl.flags, 'port-forward', target, ':8080']);
  try {
    const local = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        const [, found] = /127\.0\.0\.1:(\d+) ->/.exec(text) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.stderr.on('data', (data: Buffer) => (text += data.toString()));
      child.on('close', () => reject(new Error(`port-forward: ${text}`)));
    });
    const answer = await fetch(`http://127.0.0.1:${local}/some/path`);
    assert.match(await answer.text(), /^Simulated container main of pod .*\nGET \/some\/path\n$/);
  } finally {
    child.kill();
  }
}

for (const minor of MINORS) {
  const program = kubectlOf(minor);
  const skip = program === undefined ? `kubectl 1.${minor} is not installed` : false;
  const name = `v${minor}`;

  test(`kubectl 1.${minor} on the hub`, { skip }, async () => {
    const all = new Kubectl(program!, []);
    await all.run(['create', 'namespace', name]);
    await onTheHub(new Kubectl(program!, ['-n', name]), name);
    await certificates(all, name);
  });

  test(`kubectl 1.${minor} on a member, and through the hub`, { skip }, async () => {
    await new Kubectl(program!, ['--context', 'member1']).run(['create', 'namespace', `own-${name}`]);
    const there = ['-n', `own-${name}`];
    const member = new Kubectl(program!, ['--context', 'member1', ...there]);
    await onAMember(member, name, true);
    assert.match(await member.run(['top', 'nodes']), /^member1-node-1 +\d+m/m);
    assert.match(await member.run(['top', 'pods']), new RegExp(`^${name}-\\S+ +\\d+m +\\d+Mi`, 'm'));
    const proxy = `https://127.0.0.1:${port}/apis/cluster.karmada.io/v1alpha1/clusters/member1/proxy`;
    await onAMember(new Kubectl(program!, ['--server', proxy, ...there]), name, false);
  });
}
