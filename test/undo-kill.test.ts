// Undoing a deletion that is killed at any moment, the command or the control plane itself, is finished by running it again, and
// nothing of what was deleted is lost.
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

const NAMES = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];
const objects = (namespace: string): string => `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: all, namespace: ${namespace} }
spec: { resourceSelectors: [{ apiVersion: v1, kind: ConfigMap }] }
---
${NAMES.map((one) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${one}, namespace: ${namespace} }\ndata: { name: ${one} }\n`).join('---\n')}`;

describe('undoing that is killed', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const port = freePort();
  let hub: Product;
  const startHub = (): Promise<Product> => startProduct(directory, port, '--members', '1');
  const onHub = (args: readonly string[], input?: string): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', hub.kubeconfig, ...args], input);
  const cli = (...args: readonly string[]): ReturnType<typeof run> =>
    navarch(...args, '--kubeconfig', hub.kubeconfig);
  const inMember = (namespace: string): readonly string[] =>
    onHub(['--context', 'member1', 'get', 'cm', '-n', namespace, '-o', 'jsonpath={.items[*].data.name}'])
      .stdout.split(' ')
      .filter((name) => name !== '')
      .sort();
  const deletions = (): readonly string[] =>
    cli('undo', '-o', 'name')
      .stdout.split('\n')
      .flatMap((line) => line.split('/')[1] ?? []);

  before(async () => {
    hub = await startHub();
  });
  after(async () => {
    await hub.stop('SIGTERM');
    removeDirectory(directory);
  });

  for (let round = 0; round < 6; round++) {
    const what = round % 2 === 0 ? 'the command' : 'the control plane';
    test(`is finished by running it again after ${what} was killed, ${round}`, async () => {
      const namespace = `shop-${round}`;
      const there = (): true | undefined => (inMember(namespace).join() === NAMES.join() ? true : undefined);
      const applied = onHub(['apply', '-f', '-'], objects(namespace));
      assert.equal(applied.code, 0, applied.stderr);
      await eventually('it is in the member', there);
      assert.equal(onHub(['delete', 'namespace', namespace]).code, 0);
      const [deletion = ''] = deletions().filter((name) => name.startsWith(`namespace-${namespace}-`));
      assert.equal(deletions().length, NAMES.length + 2);

      const child = spawn('node', [program, 'undo', deletion, '--kubeconfig', hub.kubeconfig], {
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      // Any moment from its start until after its end; which one does not matter.
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1_200));
      if (what === 'the command') child.kill('SIGKILL');
      else {
        await hub.stop('SIGKILL');
        hub = await startHub();
      }
      child.kill('SIGKILL');
      await ended;

      const again = cli('undo', deletion);
      // It may have been over before it was killed.
      const over = /there is no deletion/.test(again.stderr);
      assert.ok(again.code === 0 || over, again.stderr);
      assert.deepEqual(deletions(), [], 'what was made again is no deletion any more');
      assert.equal(onHub(['get', 'pp', 'all', '-n', namespace]).code, 0);
      await eventually('it is in the member again', there);
    });
  }
});
