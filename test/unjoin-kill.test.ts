// Unjoining that is killed at any moment, the command or the control plane itself, can always be finished, and loses nothing:
// what the hub put into the member goes or stays as was said, what is the member's own is not touched.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
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

const objects = (round: number, way: string): string => `
apiVersion: v1
kind: Namespace
metadata: { name: shop-${round} }
---
apiVersion: navarch.io/v1alpha1
kind: DeletionPolicy
metadata: { name: all, namespace: shop-${round} }
spec: { onUnjoin: ${way} }
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: all, namespace: shop-${round} }
spec: { resourceSelectors: [{ apiVersion: v1, kind: ConfigMap }] }
---
${[1, 2, 3, 4, 5, 6]
  .map((one) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c${one}, namespace: shop-${round} }\n`)
  .join('---\n')}`;

describe('unjoining that is killed', { skip: noKubectl }, () => {
  const hubDirectory = temporaryDirectory();
  const memberDirectory = temporaryDirectory();
  const memberKubeconfig = path.join(memberDirectory, 'members', 'member1.kubeconfig');
  const port = freePort();
  let hub: Product;
  let member: Product;
  const startHub = (): Promise<Product> => startProduct(hubDirectory, port, '--members', '0');
  const onHub = (args: readonly string[], input?: string): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', hub.kubeconfig, ...args], input);
  const inMember = (...args: readonly string[]): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', memberKubeconfig, ...args]);
  const memberFlags = ['--cluster-kubeconfig', memberKubeconfig, '--cluster-context', 'member1'];
  const unjoining = ['unjoin', 'edge', ...memberFlags];
  const marked = (round: number, selector: string): number =>
    inMember('get', 'configmaps', '-n', `shop-${round}`, '-l', selector, '-o', 'name').stdout.split('\n')
      .length - 1;

  before(async () => {
    member = await startProduct(memberDirectory, port + 10, '--members', '1');
    hub = await startHub();
    const own = inMember('create', 'configmap', 'own', '-n', 'default', '--from-literal=a=b');
    assert.equal(own.code, 0, own.stderr);
  });
  after(async () => {
    await Promise.all([hub.stop('SIGTERM'), member.stop('SIGTERM')]);
    removeDirectory(hubDirectory);
    removeDirectory(memberDirectory);
  });

  async function joined(round: number, way: string): Promise<void> {
    const join = navarch('join', 'edge', '--kubeconfig', hub.kubeconfig, ...memberFlags);
    assert.equal(join.code, 0, join.stderr);
    const applied = onHub(['apply', '-f', '-'], objects(round, way));
    assert.equal(applied.code, 0, applied.stderr);
    await eventually('all of it is there', () =>
      marked(round, 'navarch.io/origin-hub') === 6 ? true : undefined,
    );
  }

  for (let round = 0; round < 10; round++) {
    const way = round % 4 < 2 ? 'Delete' : 'Preserve';
    const what = round % 2 === 0 ? 'the command' : 'the control plane';
    test(`is finished by running it again after ${what} was killed, with ${way}, ${round}`, async () => {
      await joined(round, way);
      const child = spawn('node', [program, ...unjoining, '--kubeconfig', hub.kubeconfig], {
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      // Any moment from its start until after its end; which one does not matter.
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 2_000));
      if (what === 'the command') child.kill('SIGKILL');
      else {
        await hub.stop('SIGKILL');
        hub = await startHub();
      }
      child.kill('SIGKILL');
      await ended;

      const again = navarch(...unjoining, '--kubeconfig', hub.kubeconfig);
      const over = /no cluster object edge found/.test(again.stderr);
      assert.ok(again.code === 0 || over, again.stderr);
      assert.equal(onHub(['get', 'cluster', 'edge']).code, 1);
      assert.equal(onHub(['get', 'namespace', 'karmada-es-edge']).code, 1);
      const templates = onHub(['get', 'configmaps', '-n', `shop-${round}`, '-o', 'name']).stdout.match(
        /\/c\d/g,
      );
      assert.equal(templates?.length, 6);
      const account = inMember('get', 'clusterrole', 'karmada-controller-manager:karmada-edge');
      assert.equal(account.code, 1, 'its accounts are gone');
      assert.equal(marked(round, 'karmada.io/managed=true'), 0);
      assert.equal(marked(round, 'navarch.io/orphaned=Unjoin'), way === 'Preserve' ? 6 : 0);
      assert.equal(inMember('get', 'configmap', 'own', '-n', 'default').code, 0);
      assert.equal(onHub(['delete', 'namespace', `shop-${round}`]).code, 0);
    });
  }
});
