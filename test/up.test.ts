// The product from outside: one command, the real kubectl, kills at any moment.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
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

const manifests = `
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
    clusterAffinity: { clusterNames: [member1, member2] }
    replicaScheduling: { replicaSchedulingType: Divided, replicaDivisionPreference: Weighted }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, labels: { app: web } }
spec:
  replicas: 4
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: registry.example/web:1 }] }
`;

describe('a control plane with two simulated members', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const port = freePort();
  let product: Product;
  const kubectl = (...args: readonly string[]): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', product.kubeconfig, ...args]);
  const read = (context: string, ...args: readonly string[]): string =>
    kubectl('--context', context, ...args).stdout.trim();

  before(async () => {
    product = await startProduct(directory, port, '--members', '2');
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('YAML as for Karmada reaches the members, and their status comes back', async () => {
    const applied = run('kubectl', ['--kubeconfig', product.kubeconfig, 'apply', '-f', '-'], manifests);
    assert.equal(applied.code, 0, applied.stderr);
    await eventually('all replicas ready on the hub', () =>
      read(
        'karmada-apiserver',
        'get',
        'deploy',
        'web',
        '-n',
        'shop',
        '-o',
        'jsonpath={.status.readyReplicas}',
      ) === '4'
        ? true
        : undefined,
    );
    for (const member of ['member1', 'member2']) {
      assert.equal(
        read(member, 'get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.spec.replicas}'),
        '2',
      );
    }
    assert.match(kubectl('get', 'rb', '-n', 'shop').stdout, /web-deployment +True +True/);
    assert.match(kubectl('get', 'clusters').stdout, /member1 .*Push +True/);
    assert.match(kubectl('describe', 'rb', 'web-deployment', '-n', 'shop').stdout, /Aggregated Status/);
    assert.match(kubectl('explain', 'propagationpolicy.spec.placement').stdout, /clusterAffinity/);
  });

  test('scaling follows; what is edited or deleted in a member is put right', async () => {
    assert.equal(kubectl('scale', 'deploy', 'web', '-n', 'shop', '--replicas', '6').code, 0);
    const replicas = (member: string): string =>
      read(member, 'get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.spec.replicas}');
    await eventually('three replicas in each', () =>
      replicas('member1') === '3' && replicas('member2') === '3' ? true : undefined,
    );
    kubectl('--context', 'member1', 'scale', 'deploy', 'web', '-n', 'shop', '--replicas', '9');
    await eventually('the edit is undone', () => (replicas('member1') === '3' ? true : undefined));
    const uid = read('member2', 'get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.metadata.uid}');
    kubectl('--context', 'member2', 'delete', 'deploy', 'web', '-n', 'shop', '--wait=false');
    await eventually('a new one is there', () => {
      const now = read('member2', 'get', 'deploy', 'web', '-n', 'shop', '-o', 'jsonpath={.metadata.uid}');
      return now !== '' && now !== uid ? true : undefined;
    });
  });

  test('deleting the template leaves nothing behind', async () => {
    assert.equal(kubectl('delete', 'deploy', 'web', '-n', 'shop').code, 0);
    await eventually('no trace of it', () => {
      const left = [
        read('karmada-apiserver', 'get', 'rb', '-n', 'shop', '-o', 'name'),
        read('karmada-apiserver', 'get', 'works', '-A', '-o', 'name')
          .split('\n')
          .filter((name) => name.includes('web-'))
          .join(),
        read('member1', 'get', 'deploy,rs,pods', '-n', 'shop', '-o', 'name'),
        read('member2', 'get', 'deploy,rs,pods', '-n', 'shop', '-o', 'name'),
      ];
      return left.every((one) => one === '') ? true : undefined;
    });
  });

  test('the fleet file names all kubeconfigs', () => {
    const fleet = JSON.parse(readFileSync(path.join(directory, 'fleet.json'), 'utf8')) as {
      control: string;
      members: Record<string, string>;
    };
    assert.deepEqual(Object.keys(fleet.members), ['member1', 'member2']);
    assert.match(
      run('kubectl', ['--kubeconfig', fleet.members['member2'] ?? '', 'get', 'nodes']).stdout,
      /Ready/,
    );
  });

  test('killed amid a flood of writes, it comes back with all that was acknowledged and finishes the rest', async () => {
    const acknowledged: string[] = [];
    const write = (index: number): string => {
      const name = `kill-${index}`;
      const made = kubectl('create', 'configmap', name, '-n', 'shop', `--from-literal=index=${index}`);
      if (made.code === 0) acknowledged.push(name);
      return name;
    };
    run(
      'kubectl',
      ['--kubeconfig', product.kubeconfig, 'apply', '-f', '-'],
      manifests.replace('apiVersion: apps/v1, kind: Deployment }]', 'apiVersion: v1, kind: ConfigMap }]'),
    );
    for (let index = 0; index < 5; index++) write(index);
    await product.stop('SIGKILL');
    product = await startProduct(directory, port, '--members', '2');
    const names = read('karmada-apiserver', 'get', 'configmaps', '-n', 'shop', '-o', 'name');
    for (const name of acknowledged)
      assert.ok(names.includes(`configmap/${name}`), `${name} was acknowledged and is gone`);
    assert.ok(acknowledged.length > 0);
    await eventually('all of them are in both members', () => {
      const there = ['member1', 'member2'].map((member) =>
        read(member, 'get', 'configmaps', '-n', 'shop', '-o', 'name'),
      );
      return acknowledged.every((name) => there.every((list) => list.includes(name))) ? true : undefined;
    });
  });

  test('a member of another control plane joins by its kubeconfig, gets its share, and leaves', async () => {
    const otherDirectory = temporaryDirectory();
    const other = await startProduct(otherDirectory, freePort(), '--members', '1', '--simulate', 'none');
    try {
      const kubeconfig = path.join(otherDirectory, 'members', 'member1.kubeconfig');
      const joined = navarch(
        'join',
        'remote',
        '--kubeconfig',
        product.kubeconfig,
        '--cluster-kubeconfig',
        kubeconfig,
      );
      assert.equal(joined.code, 0, joined.stderr);
      assert.match(joined.stdout, /cluster\(remote\) is joined successfully/);
      await eventually('it is ready', () =>
        /remote .*Push +True/.test(kubectl('get', 'clusters').stdout) ? true : undefined,
      );
      await eventually('the namespace is there', () =>
        run('kubectl', ['--kubeconfig', kubeconfig, 'get', 'ns', 'shop']).code === 0 ? true : undefined,
      );
      const again = navarch(
        'join',
        'remote',
        '--kubeconfig',
        product.kubeconfig,
        '--cluster-kubeconfig',
        kubeconfig,
      );
      assert.equal(again.code, 1);
      assert.match(again.stderr, /has been registered/);
      const left = navarch(
        'unjoin',
        'remote',
        '--kubeconfig',
        product.kubeconfig,
        '--cluster-kubeconfig',
        kubeconfig,
        '--cluster-context',
        'member1',
      );
      assert.equal(left.code, 0, left.stderr);
      assert.equal(
        run('kubectl', ['--kubeconfig', kubeconfig, 'get', 'ns', 'shop', '--ignore-not-found']).stdout,
        '',
      );
    } finally {
      await other.stop('SIGTERM');
      removeDirectory(otherDirectory);
    }
  });
});

describe('what cannot be', () => {
  const refusals: readonly [what: string, args: readonly string[], code: number, says: RegExp][] = [
    ['an unknown flag', ['up', '--membres', '3'], 2, /unknown flag: --membres/],
    ['a number that is none', ['up', '--members', 'three'], 2, /--members must be a whole number/],
    [
      'a duration that is none',
      ['up', '--cluster-failure-threshold', 'soon'],
      2,
      /--cluster-failure-threshold is no duration/,
    ],
    [
      'an unknown feature gate',
      ['up', '--feature-gates', 'Magic=true'],
      2,
      /there is no feature gate "Magic"/,
    ],
    ['an unknown command', ['levitate'], 2, /unknown command "levitate"/],
    ['a kubeconfig that is not there', ['join', 'x', '--kubeconfig', '/nonexistent/config'], 1, /kubeconfig/],
    [
      'a directory that cannot be written',
      ['up', '--members', '0', '--data-dir', '/dev/null/navarch'],
      1,
      /cannot be written|DIRECTORY/,
    ],
  ];
  for (const [what, args, code, says] of refusals) {
    test(`${what} is refused in one clear line`, () => {
      const result = navarch(...args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, says);
      assert.ok(result.stderr.trim().split('\n').length <= 3, result.stderr);
    });
  }

  test('a port that is taken is named, with what to do', async () => {
    const directory = temporaryDirectory();
    const port = freePort();
    const product = await startProduct(directory, port, '--members', '0');
    const second = temporaryDirectory();
    try {
      const result = navarch('up', '--members', '0', '--data-dir', second, '--port', String(port));
      assert.equal(result.code, 1);
      assert.match(result.stderr, new RegExp(`${port}`));
      const same = navarch('up', '--members', '0', '--data-dir', directory, '--port', String(port + 1));
      assert.equal(same.code, 1);
      assert.match(same.stderr, /another process/);
    } finally {
      await product.stop('SIGTERM');
      removeDirectory(directory);
      removeDirectory(second);
    }
  });

  test('a store that is damaged is named, with what to do', async () => {
    const directory = temporaryDirectory();
    const port = freePort();
    const product = await startProduct(directory, port, '--members', '0');
    await product.stop('SIGTERM');
    const store = path.join(directory, 'store');
    const { readdirSync } = await import('node:fs');
    for (const file of readdirSync(store))
      writeFileSync(path.join(store, file), 'this is no database at all, not even close to one');
    const result = navarch('up', '--members', '0', '--data-dir', directory, '--port', String(port));
    removeDirectory(directory);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /corrupt|damaged|no store/i);
  });
});
