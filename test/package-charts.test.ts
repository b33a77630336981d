// Packages with charts and a real helm, from outside: the chart of the catalogue, in a folder and out of an OCI layout.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { staleCharts } from '../scripts/pack-charts.ts';
import {
  eventually,
  freePort,
  navarch,
  removeDirectory,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';

const catalogue = path.resolve(import.meta.dirname, '..', 'catalogue');
const noHelm = spawnSync('helm', ['version']).error === undefined ? false : 'helm is not installed';

test('the packed charts of the catalogue are those of their sources', () =>
  assert.deepEqual(staleCharts(), []));

describe('charts with helm', { skip: noHelm }, () => {
  const directory = temporaryDirectory();
  let product: Product;
  const done = (...args: readonly string[]): string => {
    const { code, stdout, stderr } = navarch(...args, '--kubeconfig', product.kubeconfig);
    const text = stdout + stderr;
    assert.equal(code, 0, text);
    return text;
  };
  const member = path.join(directory, 'data', 'members', 'member1.kubeconfig');
  const inMember = (...args: readonly string[]): string => {
    const { code, stdout, stderr } = navarch(...args, '--kubeconfig', member);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  const isThere = (...args: readonly string[]): boolean =>
    navarch('get', ...args, '--kubeconfig', member).code === 0;

  before(async () => {
    product = await startProduct(
      path.join(directory, 'data'),
      freePort(),
      '--members',
      '2',
      '--member-nodes',
      '1',
    );
    await eventually('the members have the repository', () => {
      const found = done('get', 'packagerepositories', '-s', 'members', '-o', 'json');
      const { items } = JSON.parse(found) as { items: { status?: { packages?: number } }[] };
      return items.filter(({ status }) => status?.packages !== undefined).length === 2 ? true : undefined;
    });
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('a plan says how, and what would come of it', () => {
    const text = done('package', 'plan', 'greeting', '--clusters', 'member1');
    assert.match(text, /charts are rendered with helm v[34]\.[\d.]+, since helm v[34]\.[\d.]+ is there/);
    for (const object of [
      'CustomResourceDefinition greetings.greeting.example.org',
      'Deployment greeting/greeting-greeting',
    ])
      assert.ok(text.includes(`+ ${object}`), text);
    assert.ok(!text.includes('Pod'), 'tests of charts are no part of it');
  });

  test('it is installed, configured, healed and uninstalled', async () => {
    done('package', 'install', 'greeting', '--value', 'greeting=Hi', '--yes', '--no-progress');
    assert.match(done('package', 'describe', 'greeting'), /from charts that helm v[34]\.[\d.]+ rendered/);
    const greeting = (): string =>
      inMember('get', 'configmap', 'greeting-greeting', '-n', 'greeting', '-o', 'jsonpath={.data.greeting}');
    assert.equal(greeting(), 'Hi');
    inMember('delete', 'configmap', 'greeting-greeting', '-n', 'greeting');
    await eventually('it is healed', () =>
      isThere('configmap', 'greeting-greeting', '-n', 'greeting') ? true : undefined,
    );
    done('package', 'configure', 'greeting', '--value', 'greeting=Moin', '--yes', '--no-progress');
    assert.equal(greeting(), 'Moin');
    done('package', 'uninstall', 'greeting', '--yes', '--no-progress');
    assert.ok(!isThere('namespace', 'greeting'));
    assert.equal(
      inMember('get', 'crd', 'greetings.greeting.example.org', '-o', 'jsonpath={.metadata.ownerReferences}'),
      '',
      "the definition stays, and is nobody's",
    );
  });

  test('it comes out of an OCI layout as well', () => {
    const layout = path.join(directory, 'packages.oci');
    const [address = ''] = navarch('package', 'pack', catalogue, layout).stdout.split(' ');
    assert.match(address, /^oci-layout:\/\/\/.*packages\.oci:latest$/);
    assert.equal(navarch('package', 'check', address).code, 0);
    done('package', 'repo', 'add', 'packed', address);
    done(
      'package',
      'install',
      'greeting',
      '--repository',
      'packed',
      '--clusters',
      'member1',
      '--yes',
      '--no-progress',
    );
    assert.equal(
      inMember(
        'get',
        'clusterpackage',
        'greeting',
        '-o',
        'jsonpath={.status.helm.through} {.spec.packageInfo.repositoryName}',
      ),
      'Binary packed',
    );
    done('package', 'uninstall', 'greeting', '--yes', '--no-progress');
  });
});
