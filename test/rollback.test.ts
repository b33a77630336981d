// A workload that was moved goes back to where it was, by hand, in the built product: docs/migration.md as it was run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
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

const workload = (name: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: web, image: registry.example/web:1 }] }
`;
const policy = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: web, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment }]
  placement:
    replicaScheduling: { replicaSchedulingType: Divided, replicaDivisionPreference: Aggregated }
    clusterAffinities:
      - { affinityName: first, clusterNames: [member1] }
      - { affinityName: second, clusterNames: [member2] }
`;

describe('a workload that was moved', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  let product: Product;
  const hub = (args: readonly string[], input?: string): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', product.kubeconfig, ...args], input);
  const cli = (...args: readonly string[]): ReturnType<typeof run> =>
    navarch(...args, '--kubeconfig', product.kubeconfig);
  const ready = (cluster: string, name: string): string =>
    hub([
      '--context',
      cluster,
      'get',
      'deployment',
      name,
      '-n',
      'shop',
      '-o',
      'jsonpath={.status.readyReplicas}',
    ]).stdout;
  const runsIn = (cluster: string, name: string): Promise<string> =>
    eventually(`${name} runs in ${cluster} alone`, () => {
      const other = cluster === 'member1' ? 'member2' : 'member1';
      return ready(cluster, name) === '2' && ready(other, name) === '' ? cluster : undefined;
    });
  const taint = (how: string): void => {
    const done = cli('taint', 'clusters', 'member1', how);
    assert.equal(done.code, 0, done.stderr);
  };
  const away = async (): Promise<void> => {
    taint('maintenance=now:NoExecute');
    await runsIn('member2', 'web');
    await runsIn('member2', 'api');
    taint('maintenance-');
  };

  before(async () => {
    product = await startProduct(
      directory,
      freePort(),
      '--members',
      '2',
      '--failover-mode=automatic',
      '--resource-eviction-rate=100',
      '--taint-eviction-retry-period=500ms',
    );
    const done = hub(['apply', '-f', '-'], policy + '---' + workload('web') + '---' + workload('api'));
    assert.equal(done.code, 0, done.stderr);
    await runsIn('member1', 'web');
    await runsIn('member1', 'api');
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('has no way back before it was moved', () => {
    const refused = cli('rollback', 'deployment/web', '-n', 'shop');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Deployment shop\/web is not known to have been in other clusters/);
    assert.match(cli('rollback').stdout, /^Nothing was promoted or moved/);
    const unknown = cli('rollback', 'deployment/nothing', '-n', 'shop');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /Deployment shop\/nothing is not propagated to any cluster/);
  });

  test('is refused by name while its former cluster is not fit', async () => {
    taint('maintenance=now:NoExecute');
    await runsIn('member2', 'web');
    await runsIn('member2', 'api');
    const refused = cli('rollback', 'deployment', 'web', '-n', 'shop', '--yes');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stdout,
      /Refused: member1 is ruled out: cluster\(s\) with the untolerated taint \{maintenance=now:NoExecute\}\. To mend it: take the taint/,
    );
    assert.match(refused.stderr, /Deployment shop\/web cannot go back, and nothing was moved/);
    assert.equal(ready('member2', 'web'), '2');
    taint('maintenance-');
  });

  test('goes back when that is asked for, and leaves once it is healthy', async () => {
    const plan = cli('rollback', 'deployment/web', '-n', 'shop');
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(
      plan.stdout,
      /^Deployment shop\/web goes back to member1, as it was placed at \S+:\n {2}member1 {2}0 → 2\n {2}member2 {2}2 → 0, left once member1 is healthy\nAdd --yes to carry it out\.\n$/,
    );
    assert.equal(ready('member2', 'web'), '2');
    const done = cli('rollback', 'deployment/web', '-n', 'shop', '--yes');
    assert.equal(done.code, 0, done.stderr + done.stdout);
    assert.match(
      done.stdout,
      /Deployment shop\/web: sent to member1\nDeployment shop\/web: healthy in member1\nDeployment shop\/web: has left member2\n$/,
    );
    await runsIn('member1', 'web');
    await runsIn('member2', 'api');
  });

  test('goes back with all that the same failover moved', async () => {
    const found = await eventually('the failover is told of', () => {
      const { stdout } = cli('rollback');
      return stdout.includes('Moved') ? stdout : undefined;
    });
    assert.match(
      found,
      /^NAME +CLUSTER +PHASE +OBJECTS +AGE\nmember1-\S+ +member1 +Moved +Deployment shop\/api +\S+\n$/,
    );
    const [name = ''] = cli('rollback', '-o', 'name').stdout.trim().split('\n');
    const record = name.replace('failoverrecord.navarch.io/', '');
    const done = cli('rollback', record, '--yes');
    assert.equal(done.code, 0, done.stderr + done.stdout);
    await runsIn('member1', 'api');
    const nothing = cli('rollback', record, '--yes');
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /nothing that \S+ moved off member1 is still elsewhere/);
  });

  test('is back in the end however often the command is killed, and run again', async () => {
    for (let round = 0; round < 4; round++) {
      await away();
      const child = spawn(
        'node',
        [program, 'rollback', 'deployment/web', '-n', 'shop', '--yes', '--kubeconfig', product.kubeconfig],
        { stdio: 'ignore' },
      );
      const ended = new Promise((resolve) => child.once('close', resolve));
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 1_200));
      child.kill('SIGKILL');
      await ended;
      const again = cli('rollback', 'deployment/web', '-n', 'shop', '--yes');
      assert.equal(again.code, 0, again.stderr + again.stdout);
      await runsIn('member1', 'web');
      const api = cli('rollback', 'deployment/api', '-n', 'shop', '--yes');
      assert.equal(api.code, 0, api.stderr + api.stdout);
      await runsIn('member1', 'api');
    }
    assert.equal(
      cli('rollback', 'deployment/web', '-n', 'shop').stdout,
      'Deployment shop/web is back in member1 already\n',
    );
  });

  test('stays where it is when it does not become healthy there', async () => {
    await away();
    const fault = cli('fault', 'member1', 'fail-images', '--namespace', 'shop');
    assert.equal(fault.code, 0, fault.stderr);
    const failed = cli('rollback', 'deployment/web', '-n', 'shop', '--yes', '--timeout', '5s');
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /did not become healthy in member1 in time; it stays where it was/);
    await runsIn('member2', 'web');
    cli('fault', 'member1', 'clear');
    const done = cli('rollback', 'deployment/web', '-n', 'shop', '--yes');
    assert.equal(done.code, 0, done.stderr + done.stdout);
    await runsIn('member1', 'web');
  });

  test('is told when its policy no longer lets it go back', async () => {
    taint('maintenance=now:NoExecute');
    await runsIn('member2', 'web');
    taint('maintenance-');
    const [before = ''] = policy.split('    clusterAffinities:');
    const edited = hub(['apply', '-f', '-'], `${before}    clusterAffinity: { clusterNames: [member2] }\n`);
    assert.equal(edited.code, 0, edited.stderr);
    await eventually('the binding says so', () =>
      hub(['get', 'rb', 'web-deployment', '-n', 'shop', '-o', 'jsonpath={.spec.placement}']).stdout.includes(
        'member1',
      )
        ? undefined
        : true,
    );
    const refused = cli('rollback', 'deployment/web', '-n', 'shop', '--yes');
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(
      refused.stdout,
      /Refused: member1 is ruled out: cluster\(s\) not selected by the cluster affinity/,
    );
  });
});
