// `why` and `plan` as their users have them: the built program against a control plane with members, something broken.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
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

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, labels: { app: web } }
spec:
  replicas: 6
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: registry.example/web:1 }] }
`;
const policy = (clusters: string): string => `
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: web, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment }]
  placement:
    clusterAffinity: { clusterNames: [${clusters}] }
    replicaScheduling: { replicaSchedulingType: Divided }
`;

describe('a control plane with three members, one of them in conflict', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const files = temporaryDirectory();
  let product: Product;
  const kubectl = (...args: readonly string[]): string => {
    const { stdout, stderr, code } = run('kubectl', ['--kubeconfig', product.kubeconfig, ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const ask = (...args: readonly string[]): ReturnType<typeof run> =>
    navarch(...args, '--kubeconfig', product.kubeconfig);
  const file = (name: string, text: string): string => {
    const name_ = path.join(files, name);
    writeFileSync(name_, text);
    return name_;
  };

  before(async () => {
    product = await startProduct(directory, freePort(), '--members', '3');
    kubectl('--context', 'member2', 'create', 'namespace', 'shop');
    kubectl('--context', 'member2', 'apply', '-f', file('web.yaml', deployment));
    kubectl('create', 'namespace', 'shop');
    kubectl(
      'apply',
      '-f',
      file('policy.yaml', policy('member1, member2')),
      '-f',
      path.join(files, 'web.yaml'),
    );
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
    removeDirectory(files);
  });

  test('why names the step that is stuck and what to do, and what would let a cluster in', async () => {
    const text = await eventually('member1 runs its half', () => {
      const answer = ask('why', 'deployment/web', '-n', 'shop').stdout;
      return answer.startsWith('Deployment shop/web is in 1 of 2 clusters, 3 of 6 replicas ready.')
        ? answer
        : undefined;
    });
    assert.match(
      text,
      /Stuck at member2 .*: member2 has an object of that name already, and it is not ours\./,
    );
    assert.match(text, /Next: set conflictResolution: Overwrite/);
    assert.match(text, /member3 +not selected by the cluster affinity/);
    const { stdout } = ask('why', 'rb/web-deployment', '-n', 'shop', '-o', 'json');
    const told = JSON.parse(stdout) as {
      first: { code: string; cluster: string };
      schedule: { summary: string };
    };
    assert.equal(told.first.code, 'CONFLICT');
    assert.equal(told.schedule.summary, '{member1:3, member2:3}');
    assert.match(
      ask('why', 'deploy/web', '-n', 'shop', '--if', 'cluster member2 gone').stdout,
      /would be in member1 \(6\) instead of in member1 \(3\) and member2 \(3\)/,
    );
  });

  test('why and plan refuse what makes no sense, with a code and the next step', () => {
    for (const args of [
      ['why', 'web'],
      ['why', 'nothing/web'],
      ['why', 'deploy/web', '-n', 'shop', '--if', 'pigs fly'],
      ['plan'],
    ]) {
      const { code, stderr } = ask(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, /To mend it: /);
    }
    assert.equal(ask('why', 'deploy/missing', '-n', 'shop').code, 1);
  });

  test('the kept decision is read with kubectl, and survives a kill', async () => {
    const columns = kubectl('get', 'schedulingdecisions', '-n', 'shop');
    assert.match(columns, /web-deployment +web +Success +\{member1:3, member2:3\}/);
    const version = kubectl(
      'get',
      'sd',
      'web-deployment',
      '-n',
      'shop',
      '-o',
      'jsonpath={.metadata.resourceVersion}',
    );
    const port = new URL(
      kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}'),
    ).port;
    await product.stop('SIGKILL');
    product = await startProduct(directory, Number(port), '--members', '3');
    const again = kubectl(
      'get',
      'sd',
      'web-deployment',
      '-n',
      'shop',
      '-o',
      'jsonpath={.metadata.resourceVersion}',
    );
    assert.equal(again, version);
  });

  test('plan shows the move before it is made; a saved plan is refused once the world has moved', async () => {
    const edited = file('edited.yaml', policy('member2, member3'));
    const kept = path.join(files, 'plan.json');
    const { stdout, code } = ask('plan', '-f', edited, '--save', kept, '--detailed-exitcode');
    assert.equal(code, 3);
    assert.match(stdout, /Deployment shop\/web {2}member1 3 → none, member3 none → 3 \(stays: member2 3\)/);
    assert.match(stdout, /! DROPS_TO_ZERO +Deployment shop\/web leaves member1/);
    kubectl('label', 'cluster', 'member3', 'moved=yes');
    const refused = ask('plan', '--from', kept, '--apply');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Cluster member3 changed; nothing was written/);
    const applied = ask('plan', '-f', edited, '--apply');
    assert.equal(applied.code, 0, applied.stderr);
    await eventually('the binding moved', () => {
      const names = kubectl(
        'get',
        'rb',
        'web-deployment',
        '-n',
        'shop',
        '-o',
        'jsonpath={.spec.clusters[*].name}',
      );
      return names === 'member2 member3' ? true : undefined;
    });
    assert.equal(ask('plan', '-f', edited, '--detailed-exitcode').code, 0);
  });
});
