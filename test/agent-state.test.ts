// State in objects beside workloads of a pull member, in the built product: an agent with the rights that a registration gives
// it, and one that has only those that upstream gives, tell the hub what they found.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
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
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment }]
  placement: { clusterAffinity: { clusterNames: [edge] } }
---
apiVersion: navarch.io/v1alpha1
kind: StatePreservationRule
metadata: { name: checkpoint, namespace: shop }
spec:
  workload: { apiVersion: apps/v1, kind: Deployment }
  state:
  - from: { apiVersion: v1, kind: ConfigMap, matchLabels: { app: '{.metadata.name}' } }
    jsonPath: '{.data.checkpoint}'
    to: { annotation: shop.example/checkpoint }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  replicas: 1
  selector: { matchLabels: { app: orders } }
  template:
    metadata: { labels: { app: orders } }
    spec: { containers: [{ name: orders, image: registry.example/orders:1 }] }
`;

describe('state beside workloads of a pull member', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const member = path.join(directory, 'other', 'members', 'member1.kubeconfig');
  const agentKubeconfig = path.join(directory, 'agent.kubeconfig');
  let hub: Product;
  let other: Product;
  let agent: ChildProcess | undefined;
  const kubectl = (kubeconfig: string, args: readonly string[], input?: string): string =>
    run('kubectl', ['--kubeconfig', kubeconfig, ...args], input).stdout.trim();
  const known = (what: string): string =>
    kubectl(hub.kubeconfig, [
      'get',
      'workloadstate',
      '-n',
      'shop',
      'orders-deployment',
      '-o',
      `jsonpath={.status.clusters[*].${what}}`,
    ]);
  const startAgent = (): ChildProcess =>
    spawn(
      'node',
      [
        program,
        'agent',
        '--cluster-name=edge',
        `--karmada-kubeconfig=${agentKubeconfig}`,
        `--kubeconfig=${member}`,
        '--leader-elect=false',
        '--cluster-status-update-frequency=1s',
      ],
      { stdio: 'ignore' },
    );
  const ready = '{.status.conditions[?(@.type=="Ready")].status}';

  before(async () => {
    const gates = '--feature-gates=StatefulFailoverInjection=true';
    hub = await startProduct(path.join(directory, 'hub'), freePort(), '--members', '0', gates);
    other = await startProduct(path.join(directory, 'other'), freePort(), '--members', '1');
    const token = navarch('token', 'create', '--print-register-command', '--kubeconfig', hub.kubeconfig);
    const [, , ...how] = token.stdout.trim().split(' ');
    const registered = navarch('register', ...how, '--kubeconfig', member, '--cluster-name', 'edge');
    assert.equal(registered.code, 0, registered.stderr);
    const secret = ['get', 'secret', 'karmada-kubeconfig', '-n', 'karmada-system'];
    const encoded = kubectl(member, [...secret, '-o', 'jsonpath={.data.karmada-kubeconfig}']);
    writeFileSync(agentKubeconfig, Buffer.from(encoded, 'base64'));
    agent = startAgent();
    await eventually('the cluster is ready', () =>
      kubectl(hub.kubeconfig, ['get', 'cluster', 'edge', '-o', `jsonpath=${ready}`]) === 'True'
        ? true
        : undefined,
    );
  });
  after(async () => {
    agent?.kill('SIGKILL');
    await Promise.all([hub.stop('SIGTERM'), other.stop('SIGTERM')]);
    removeDirectory(directory);
  });

  test('the hub says that it has no answer while the agent is away, and keeps what the agent says when it is back', async () => {
    agent?.kill('SIGKILL');
    const applied = run('kubectl', ['--kubeconfig', hub.kubeconfig, 'apply', '-f', '-'], manifests);
    assert.equal(applied.code, 0, applied.stderr);
    await eventually('it says so', () =>
      known('missing') === '["ConfigMap: the agent of edge has not said what it found"]' ? true : undefined,
    );
    // As an agent has them that was registered by upstream's tools.
    const role = ['clusterrole', 'system:karmada:edge:agent'];
    const rules = JSON.parse(kubectl(hub.kubeconfig, ['get', ...role, '-o', 'jsonpath={.rules}'])) as {
      readonly apiGroups: readonly string[];
    }[];
    const upstream = rules.filter(({ apiGroups }) => !apiGroups.includes('navarch.io'));
    assert.equal(upstream.length, rules.length - 1);
    const body = JSON.stringify({ rules: upstream });
    assert.match(kubectl(hub.kubeconfig, ['patch', ...role, '--type=merge', '-p', body]), /patched/);
    agent = startAgent();
    await eventually('the agent has looked', () =>
      known('missing') === '["no ConfigMap of the workload is there that counts"]' ? true : undefined,
    );
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'orders-checkpoint', namespace: 'shop', labels: { app: 'orders' } },
      data: { checkpoint: 's3://checkpoints/1' },
    };
    for (const checkpoint of ['s3://checkpoints/1', 's3://checkpoints/2']) {
      kubectl(member, ['apply', '-f', '-'], JSON.stringify({ ...object, data: { checkpoint } }));
      await eventually(`${checkpoint} is known`, () =>
        known('values') ===
        `[{"annotation":"shop.example/checkpoint","source":"ConfigMap/orders-checkpoint","value":"${checkpoint}"}]`
          ? true
          : undefined,
      );
    }
    // What is known is not lost with the agent.
    agent.kill('SIGKILL');
    kubectl(member, ['delete', 'configmap', '-n', 'shop', 'orders-checkpoint']);
    assert.match(known('values'), /checkpoints\/2/);
  });

  test('when no rule asks any more, the agent is not asked', async () => {
    const annotations = (): string =>
      kubectl(hub.kubeconfig, [
        'get',
        'work',
        '-n',
        'karmada-es-edge',
        '-o',
        'jsonpath={.items[*].metadata.annotations}',
      ]);
    assert.match(annotations(), /navarch\.io\/state-asked/);
    kubectl(hub.kubeconfig, ['delete', 'statepreservationrule', '-n', 'shop', 'checkpoint']);
    await eventually('question and answer are gone', () =>
      annotations().includes('navarch.io/state-') ? undefined : true,
    );
    assert.equal(known('cluster'), '');
  });
});
