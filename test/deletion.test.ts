// What becomes of copies in members, with deletion policies, in the built product: docs/deletion.md as it was run.
import assert from 'node:assert/strict';
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

const namespace = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
`;
const templates = `
apiVersion: v1
kind: ConfigMap
metadata: { name: conf, namespace: shop }
data: { a: b }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: registry.example/web:1, envFrom: [{ configMapRef: { name: conf } }] }] }
`;
const propagation = (clusters: string): string => `
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: web, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment }]
  propagateDeps: true
  placement: { clusterAffinity: { clusterNames: [${clusters}] } }
`;
const deletion = (more = ''): string => `
apiVersion: navarch.io/v1alpha1
kind: DeletionPolicy
metadata: { name: web, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment }]
  onTemplateDeletion: Preserve
  onUnjoin: Preserve
  ${more}
`;

interface Seen {
  readonly metadata: {
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

describe('deletion policies', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  let product: Product;
  const hub = (args: readonly string[], input?: string): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', product.kubeconfig, ...args], input);
  const member = (name: string, ...args: readonly string[]): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', path.join(directory, 'members', `${name}.kubeconfig`), ...args]);
  const cli = (...args: readonly string[]): ReturnType<typeof run> =>
    navarch(...args, '--kubeconfig', product.kubeconfig);

  function apply(manifests: string): void {
    const done = hub(['apply', '-f', '-'], manifests);
    assert.equal(done.code, 0, done.stderr);
  }
  function seen(cluster: string, kind: string, name: string): Seen | undefined {
    const { code, stdout } = member(cluster, 'get', kind, name, '-n', 'shop', '-o', 'json');
    return code === 0 ? (JSON.parse(stdout) as Seen) : undefined;
  }
  const labelOf = (one: Seen | undefined, key: string): string | undefined => one?.metadata.labels?.[key];
  const web = (cluster: string): Seen | undefined => seen(cluster, 'deployment', 'web');
  const conf = (cluster: string): Seen | undefined => seen(cluster, 'configmap', 'conf');
  const pods = (cluster: string): string =>
    member(cluster, 'get', 'pods', '-n', 'shop', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.uid}')
      .stdout;
  const isOurs = (one: Seen | undefined): boolean => labelOf(one, 'karmada.io/managed') === 'true';
  const orphanedBy = (one: Seen | undefined): string | undefined => labelOf(one, 'navarch.io/orphaned');
  const settled = (cluster: string): Promise<string> =>
    eventually('two pods run', () => {
      const uids = pods(cluster);
      return uids.split(' ').length === 2 && isOurs(web(cluster)) ? uids : undefined;
    });

  before(async () => {
    product = await startProduct(directory, freePort(), '--members', '2');
    apply(namespace);
    apply(deletion());
    apply(propagation('member1, member2') + '---' + templates);
    await settled('member1');
    await settled('member2');
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('objects say where they come from', async () => {
    const { labels = {}, annotations = {} } = web('member1')?.metadata ?? {};
    const hubId = hub(['get', 'ns', 'kube-system', '-o', 'jsonpath={.metadata.uid}']).stdout;
    assert.equal(labels['navarch.io/origin-hub'], hubId);
    assert.equal(annotations['navarch.io/origin-template'], 'apps/v1/Deployment/shop/web');
    assert.equal(annotations['navarch.io/origin-policy'], 'PropagationPolicy/shop/web');
    assert.match(annotations['navarch.io/origin-time'] ?? '', /^\d{4}-.*Z$/);
    // What the Deployment needs is marked with it.
    assert.equal(
      await eventually('it is marked', () => labelOf(conf('member1'), 'navarch.io/origin-hub')),
      hubId,
    );
  });

  test('what is preserved stays with what it needs, is known again, and nothing restarts', async () => {
    const running = pods('member1');
    const plan = cli('plan', '--delete', 'deployment/web', '-n', 'shop');
    assert.match(plan.stdout, /what is in member1, member2 stays there, and is no longer ours/);
    assert.equal(hub(['delete', 'deployment', 'web', '-n', 'shop']).code, 0);
    await eventually('it is left', () => (orphanedBy(web('member1')) === 'Template' ? true : undefined));
    await eventually('what it needs is left', () =>
      orphanedBy(conf('member1')) === 'Template' ? true : undefined,
    );
    assert.equal(isOurs(web('member1')), false);
    assert.equal(pods('member1'), running);

    apply(templates);
    await eventually('it is ours again', () => (isOurs(web('member1')) ? true : undefined));
    await eventually('and what it needs', () => (isOurs(conf('member1')) ? true : undefined));
    assert.equal(orphanedBy(web('member1')), undefined);
    assert.equal(pods('member1'), running);
    await settled('member2');
  });

  test('a move deletes, where nothing else is said', async () => {
    apply(propagation('member1'));
    await eventually('it has left', () => (web('member2') === undefined ? true : undefined));
    await eventually('and what it needs', () => (conf('member2') === undefined ? true : undefined));
    assert.equal(isOurs(web('member1')), true);
    apply(propagation('member1, member2'));
    await settled('member2');
  });

  test('what is protected outlives its Work and its binding', async () => {
    const running = pods('member1');
    const label = 'resourcetemplate.karmada.io/deletion-protected';
    hub(['label', 'deployment', 'web', '-n', 'shop', `${label}=Always`]);
    await eventually('the label is there', () =>
      labelOf(web('member1'), label) === 'Always' ? true : undefined,
    );
    const uid = web('member1')?.metadata.uid;
    for (const what of [
      ['works', '-n', 'karmada-es-member1'],
      ['rb', '-n', 'shop'],
    ]) {
      const uids = (): readonly string[] =>
        hub(['get', ...what, '-o', 'jsonpath={.items[*].metadata.uid}']).stdout.split(' ');
      const before = uids();
      // kubectl waits for a name. What is made again between two of its looks it would wait for without an end.
      const gone = hub(['delete', ...what, '--all', '--wait=false']);
      assert.equal(gone.code, 0, gone.stderr);
      await eventually('they are gone', () =>
        uids().some((one) => before.includes(one)) ? undefined : true,
      );
      await settled('member1');
      assert.equal(web('member1')?.metadata.uid, uid);
      assert.equal(pods('member1'), running);
    }
    for (const how of [
      ['delete', 'deployment', 'web', '-n', 'shop'],
      ['delete', 'deployments', '--all', '-n', 'shop'],
    ])
      assert.match(hub(how).stderr, /This resource is protected/);
    hub(['label', 'deployment', 'web', '-n', 'shop', `${label}-`]);
    await eventually('the label is gone', () =>
      labelOf(web('member1'), label) === undefined ? true : undefined,
    );
  });

  test('a protected cluster leaves by no path; another leaves behind what is to stay', async () => {
    const label = 'resourcetemplate.karmada.io/deletion-protected';
    hub(['label', 'cluster', 'member2', `${label}=Always`]);
    const refusals = [
      cli('unjoin', 'member2'),
      cli('unjoin', 'member2', '--force', '--wait', '1s'),
      cli('delete', 'cluster', 'member2'),
      hub(['delete', 'cluster', 'member2']),
      hub(['delete', 'clusters', '-l', `${label}=Always`]),
    ];
    for (const { code, stderr } of refusals) {
      assert.equal(code, 1);
      assert.match(stderr, /This resource is protected, please make sure to remove the label/);
    }
    assert.equal(isOurs(web('member2')), true);
    hub(['label', 'cluster', 'member2', `${label}-`]);
    const running = pods('member2');
    const left = cli('unjoin', 'member2');
    assert.equal(left.code, 0, left.stderr);
    assert.equal(orphanedBy(web('member2')), 'Unjoin');
    assert.equal(orphanedBy(conf('member2')), 'Unjoin');
    assert.equal(pods('member2'), running);
  });

  test('a policy that goes takes along what it is said to', async () => {
    apply(deletion('onPolicyDeletion: Preserve'));
    await eventually('the Work says so', () =>
      hub(['get', 'works', '-n', 'karmada-es-member1', '-o', 'yaml']).stdout.includes('"Policy":"Preserve"')
        ? true
        : undefined,
    );
    const running = pods('member1');
    assert.equal(hub(['delete', 'pp', 'web', '-n', 'shop']).code, 0);
    await eventually('it is left', () => (orphanedBy(web('member1')) === 'Policy' ? true : undefined));
    assert.equal(hub(['get', 'rb', 'web-deployment', '-n', 'shop']).code, 1);
    assert.equal(pods('member1'), running);
    apply(propagation('member1'));
    await settled('member1');
    assert.equal(pods('member1'), running);
  });

  test('a namespace that goes leaves what is to stay, in the namespace that it is in', async () => {
    const running = pods('member1');
    assert.equal(hub(['delete', 'ns', 'shop']).code, 0);
    await eventually('it is left', () => (orphanedBy(web('member1')) === 'Template' ? true : undefined));
    await eventually('the Works are gone', () =>
      hub(['get', 'works', '-n', 'karmada-es-member1', '-o', 'name']).stdout.includes('shop')
        ? undefined
        : true,
    );
    assert.equal(member('member1', 'get', 'ns', 'shop', '-o', 'jsonpath={.status.phase}').stdout, 'Active');
    assert.equal(pods('member1'), running);
  });

  test('a namespace that goes stays in members with what preserveResourcesOnDeletion keeps there', async () => {
    const at = ['-n', 'plain', '-o', 'jsonpath={.metadata.uid}'];
    const uid = (): string => member('member1', 'get', 'deployment', 'web', ...at).stdout;
    apply(
      `${namespace}---${propagation('member1')}---${templates}`
        .replaceAll('shop', 'plain')
        .replace('propagateDeps: true', 'preserveResourcesOnDeletion: true'),
    );
    const before = await eventually('it is there', () => (uid() === '' ? undefined : uid()));
    assert.equal(hub(['delete', 'ns', 'plain']).code, 0);
    await eventually('the Works are gone', () =>
      hub(['get', 'works', '-n', 'karmada-es-member1', '-o', 'yaml']).stdout.includes('plain')
        ? undefined
        : true,
    );
    assert.equal(member('member1', 'get', 'ns', 'plain', '-o', 'jsonpath={.status.phase}').stdout, 'Active');
    assert.equal(uid(), before);
  });

  test('what is temporary goes at once', async () => {
    apply(`${namespace}---
apiVersion: v1
kind: ServiceAccount
metadata: { name: default, namespace: shop }
`);
    apply(`
apiVersion: navarch.io/v1alpha1
kind: ClusterDeletionPolicy
metadata: { name: all }
spec: {}
---
apiVersion: policy.karmada.io/v1alpha1
kind: ClusterPropagationPolicy
metadata: { name: pods }
spec:
  resourceSelectors: [{ apiVersion: v1, kind: Pod }]
---
apiVersion: v1
kind: Pod
metadata: { name: task, namespace: shop }
spec: { terminationGracePeriodSeconds: 3600, containers: [{ name: task, image: registry.example/task:1 }] }
`);
    await eventually('it runs', () =>
      member('member1', 'get', 'pod', 'task', '-n', 'shop', '-o', 'jsonpath={.status.phase}').stdout ===
      'Running'
        ? true
        : undefined,
    );
    assert.equal(labelOf(seen('member1', 'pod', 'task'), 'navarch.io/origin-hub'), undefined);
    assert.equal(hub(['delete', 'pod', 'task', '-n', 'shop', '--grace-period=0', '--force']).code, 0);
    await eventually('it is gone', () => (seen('member1', 'pod', 'task') === undefined ? true : undefined));
  });
});
