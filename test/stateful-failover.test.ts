// A Flink job that must run at most once, through two failovers in a row, in the built product: docs/stateful-failover.md
// as it was run. The Flink operator is played by writing the status that it would write.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  freePort,
  navarch,
  noKubectl,
  removeDirectory,
  run,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';

const crd = (kind: string, plural: string): string => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ${plural}.flink.apache.org }
spec:
  group: flink.apache.org
  names: { kind: ${kind}, listKind: ${kind}List, plural: ${plural}, singular: ${kind.toLowerCase()} }
  scope: Namespaced
  versions:
  - name: v1beta1
    served: true
    storage: true
    subresources: { status: {} }
    schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
---`;
const definitions =
  crd('FlinkDeployment', 'flinkdeployments') + crd('FlinkStateSnapshot', 'flinkstatesnapshots');

const policy = `
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: flink, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment }]
  placement: { spreadConstraints: [{ spreadByField: cluster, minGroups: 1, maxGroups: 1 }] }
  failover:
    cluster:
      purgeMode: Directly
      statePreservation: { rules: [{ aliasLabelName: shop.example/job-id, jsonPath: '{ .jobStatus.jobId }' }] }
---
apiVersion: navarch.io/v1alpha1
kind: StatePreservationRule
metadata: { name: flink-snapshot, namespace: shop }
spec:
  workload: { apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment }
  state:
  - from:
      apiVersion: flink.apache.org/v1beta1
      kind: FlinkStateSnapshot
      matchLabels: { job: '{.metadata.name}' }
      conditions: [{ jsonPath: '{.status.state}', equals: COMPLETED }]
    jsonPath: '{.status.path}'
    to: { field: spec.job.initialSavepointPath }
---
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: { name: orders, namespace: shop, annotations: { navarch.io/at-most-once: "true" } }
spec: { job: { jarURI: local:///orders.jar, parallelism: 1 }, jobManager: { replicas: 1 } }
`;

const flags =
  '--failover-preset fast --feature-gates Failover=true,StatefulFailoverInjection=true ' +
  '--failover-eviction-timeout 1s --fencing-lease-duration 2s --member-nodes 1';

describe('a Flink job that must run at most once', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  let product: Product;
  const kubectl = (context: string, args: readonly string[], input?: string): string => {
    const done = run('kubectl', ['--kubeconfig', product.kubeconfig, '--context', context, ...args], input);
    return done.stdout.trim();
  };
  const hub = 'karmada-apiserver';
  const members = ['member1', 'member2', 'member3'];
  const binding = (path: string): string =>
    kubectl(hub, ['get', 'rb', '-n', 'shop', 'orders-flinkdeployment', '-o', `jsonpath=${path}`]);
  const job = (member: string, path: string): string =>
    kubectl(member, ['get', 'flinkdeployment', '-n', 'shop', 'orders', '-o', `jsonpath=${path}`]);
  const fence = (member: string): string =>
    kubectl(member, ['get', 'leases', '-n', 'shop', '-o', 'jsonpath={.items[*].spec.holderIdentity}']);
  const reports = (member: string, jobId: string): void => {
    const state = { state: 'RUNNING', jobId };
    const status = { lifecycleState: 'STABLE', jobManagerDeploymentStatus: 'READY', jobStatus: state };
    const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
    kubectl(member, ['patch', 'flinkdeployment', '-n', 'shop', 'orders', ...patch]);
  };
  const lose = (member: string): void => {
    const cut = navarch('fault', member, 'cut-network', '--kubeconfig', product.kubeconfig);
    assert.equal(cut.code, 0, cut.stderr);
  };
  const arrivalOutside = (left: readonly string[]): Promise<string> =>
    eventually(`a copy outside ${left.join(' and ')}`, () =>
      members.find((member) => !left.includes(member) && job(member, '{.metadata.name}') !== ''),
    );

  before(async () => {
    product = await startProduct(directory, freePort(), ...flags.split(' '));
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('its state goes along twice, and is taken away when a healthy copy has it', async () => {
    for (const context of [hub, ...members]) kubectl(context, ['apply', '-f', '-'], definitions);
    kubectl(hub, ['create', 'namespace', 'shop']);
    await eventually('the definitions are served', () =>
      kubectl(hub, ['apply', '-f', '-'], policy).includes('flinkdeployment') ? true : undefined,
    );
    const first = await arrivalOutside([]);
    await eventually('its lease is held', () => (fence(first) === first ? true : undefined));

    // The job runs and has made a savepoint.
    reports(first, 'job-0001');
    const snapshot = {
      apiVersion: 'flink.apache.org/v1beta1',
      kind: 'FlinkStateSnapshot',
      metadata: { name: 'orders-1', namespace: 'shop', labels: { job: 'orders' } },
      status: { state: 'COMPLETED', path: 's3://savepoints/orders-1' },
    };
    kubectl(first, ['create', '-f', '-'], JSON.stringify(snapshot));
    const done = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status: snapshot.status })];
    kubectl(first, ['patch', 'flinkstatesnapshot', '-n', 'shop', 'orders-1', ...done]);
    await eventually('the hub knows both', () => {
      const state = ['get', 'workloadstate', '-n', 'shop', 'orders-flinkdeployment', '-o', 'yaml'];
      const reported = binding(
        '{.status.aggregatedStatus[0].health} {.status.aggregatedStatus[0].status.jobStatus.jobId}',
      );
      return kubectl(hub, state).includes('s3://savepoints/orders-1') && reported === 'Healthy job-0001'
        ? true
        : undefined;
    });

    lose(first);
    const second = await arrivalOutside([first]);
    const told = '{.metadata.labels.shop\\.example/job-id} {.spec.job.initialSavepointPath}';
    assert.equal(job(second, told), 'job-0001 s3://savepoints/orders-1');

    // The replacement never gets healthy before it is lost as well.
    lose(second);
    const third = await arrivalOutside([first, second]);
    assert.equal(job(third, told), 'job-0001 s3://savepoints/orders-1');

    reports(third, 'job-0002');
    await eventually('the state is taken away again', () => (job(third, told) === '' ? true : undefined));
    await eventually('nothing is being evicted any more', () =>
      binding('{.spec.clusters[*].name}{.spec.gracefulEvictionTasks}') === third ? true : undefined,
    );
    const story = navarch('failover', 'describe', first, '--kubeconfig', product.kubeconfig).stdout;
    assert.match(story, /FlinkDeployment +shop\/orders +(Moving|Moved|Ended)/);
  });
});
