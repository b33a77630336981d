// Pull mode from outside: a hub in one process, a member in another, and an agent between them that may die at any moment.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  freePort,
  navarch,
  noKubectl,
  program,
  removeDirectory,
  run,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';

const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: all, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment }, { apiVersion: v1, kind: ConfigMap }]
  placement: { clusterAffinity: { clusterNames: [edge] } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: registry.example/web:1 }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: old, namespace: shop }
data: { a: b }
`;

describe('a member in pull mode', { skip: noKubectl }, () => {
  const hubDirectory = temporaryDirectory();
  const memberDirectory = temporaryDirectory();
  let hub: Product;
  let member: Product;
  let agent: ChildProcess;
  const memberKubeconfig = path.join(memberDirectory, 'members', 'member1.kubeconfig');
  const onHub = (...args: readonly string[]): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', hub.kubeconfig, ...args]);
  const inMember = (...args: readonly string[]): string =>
    run('kubectl', ['--kubeconfig', memberKubeconfig, ...args]).stdout.trim();
  const startAgent = (): ChildProcess =>
    spawn(
      'node',
      [
        program,
        'agent',
        '--cluster-name',
        'edge',
        '--karmada-kubeconfig',
        hub.kubeconfig,
        '--kubeconfig',
        memberKubeconfig,
        '--leader-elect=false',
        '--cluster-status-update-frequency',
        '1s',
      ],
      { stdio: 'ignore' },
    );

  before(async () => {
    const port = freePort();
    hub = await startProduct(hubDirectory, port, '--members', '0');
    member = await startProduct(memberDirectory, port + 10, '--members', '1');
    agent = startAgent();
  });
  after(async () => {
    agent.kill('SIGKILL');
    await Promise.all([hub.stop('SIGTERM'), member.stop('SIGTERM')]);
    removeDirectory(hubDirectory);
    removeDirectory(memberDirectory);
  });

  test('the agent registers its cluster and executes Works there; status comes back', async () => {
    await eventually('the cluster is ready', () =>
      onHub(
        'get',
        'cluster',
        'edge',
        '-o',
        'jsonpath={.spec.syncMode} {.status.conditions[?(@.type=="Ready")].status}',
      ).stdout === 'Pull True'
        ? true
        : undefined,
    );
    const applied = run('kubectl', ['--kubeconfig', hub.kubeconfig, 'apply', '-f', '-'], manifests);
    assert.equal(applied.code, 0, applied.stderr);
    await eventually('both replicas are ready on the hub', () =>
      onHub('get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.status.readyReplicas}').stdout === '2'
        ? true
        : undefined,
    );
  });

  test('an agent that was killed puts into effect what is wanted when it returns, not what was wanted before', async () => {
    agent.kill('SIGKILL');
    await new Promise((resolve) => agent.once('close', resolve));
    onHub('scale', 'deploy', 'web', '-n', 'shop', '--replicas', '4');
    onHub('delete', 'configmap', 'old', '-n', 'shop', '--wait=false');
    onHub('create', 'configmap', 'made-and-gone', '-n', 'shop', '--from-literal=a=b');
    onHub('delete', 'configmap', 'made-and-gone', '-n', 'shop', '--wait=false');
    onHub('create', 'configmap', 'new', '-n', 'shop', '--from-literal=a=c');
    assert.match(inMember('get', 'configmaps', '-n', 'shop', '-o', 'name'), /configmap\/old/);
    const uid = inMember('get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.metadata.uid}');
    agent = startAgent();
    await eventually('the member shows what is wanted now', () => {
      const names = inMember('get', 'configmaps', '-n', 'shop', '-o', 'name');
      return names.includes('configmap/new') && !names.includes('configmap/old') ? true : undefined;
    });
    await eventually('the change of replicas has arrived', () =>
      inMember('get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.status.readyReplicas}') === '4'
        ? true
        : undefined,
    );
    assert.doesNotMatch(inMember('get', 'configmaps', '-n', 'shop', '-o', 'name'), /made-and-gone/);
    assert.equal(inMember('get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.metadata.uid}'), uid);
  });

  test('a second cluster under the same name, and flags that make no sense, are refused with the way out', () => {
    const named = (...flags: readonly string[]): ReturnType<typeof run> =>
      navarch('agent', '--karmada-kubeconfig', hub.kubeconfig, '--kubeconfig', memberKubeconfig, ...flags);
    const other = named('--cluster-name', 'other');
    assert.equal(other.code, 1);
    assert.match(other.stderr, /cluster other cannot be registered: the cluster ID .* has been registered/);
    for (const flags of [
      ['--cluster-name', 'Edge!'],
      ['--cluster-name', 'edge', '--report-secrets', 'Everything'],
      ['--cluster-name', 'edge', '--cluster-lease-renew-interval-fraction', '1'],
      [],
    ])
      assert.equal(named(...flags).code, 2, flags.join(' '));
  });

  test('unregistering leaves what a deletion policy preserves, and takes the rest', async () => {
    const policy = `
apiVersion: navarch.io/v1alpha1
kind: DeletionPolicy
metadata: { name: keep, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment }]
  onUnjoin: Preserve
`;
    const applied = run('kubectl', ['--kubeconfig', hub.kubeconfig, 'apply', '-f', '-'], policy);
    assert.equal(applied.code, 0, applied.stderr);
    await eventually('it is marked', () =>
      inMember('get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.metadata.labels}').includes(
        'navarch.io/origin-hub',
      )
        ? true
        : undefined,
    );
    const pods = inMember('get', 'pods', '-n', 'shop', '-o', 'name');
    const gone = navarch(
      'unregister',
      'edge',
      '--cluster-kubeconfig',
      memberKubeconfig,
      '--karmada-config',
      hub.kubeconfig,
    );
    assert.equal(gone.code, 0, gone.stderr);
    assert.equal(
      inMember(
        'get',
        'deploy',
        'web',
        '-n',
        'shop',
        '-o',
        'jsonpath={.metadata.labels.navarch\\.io/orphaned}',
      ),
      'Unjoin',
    );
    assert.equal(inMember('get', 'pods', '-n', 'shop', '-o', 'name'), pods);
    assert.doesNotMatch(inMember('get', 'configmaps', '-n', 'shop', '-o', 'name'), /configmap\/new/);
    assert.equal(onHub('get', 'cluster', 'edge').code, 1);
  });
});
