// The operator of packages from outside: a process of its own beside a cluster, which may die at any moment, and the catalogue that
// comes with the program.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  eventually,
  freePort,
  noKubectl,
  program,
  removeDirectory,
  run,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';

const catalogue = path.resolve(import.meta.dirname, '..', 'catalogue');

describe('the package operator beside a cluster', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const kubeconfig = path.join(directory, 'members', 'member1.kubeconfig');
  const [port, side] = [freePort(), freePort()];
  let cluster: Product;
  let operator: ChildProcess;
  const kubectl = (...args: readonly string[]): string =>
    run('kubectl', ['--kubeconfig', kubeconfig, ...args]).stdout.trim();
  const apply = (...objects: readonly object[]): void => {
    for (const object of objects) {
      const { code, stderr } = run(
        'kubectl',
        ['--kubeconfig', kubeconfig, 'apply', '-f', '-'],
        JSON.stringify(object),
      );
      assert.equal(code, 0, stderr);
    }
  };
  const startOperator = (): ChildProcess =>
    spawn(
      'node',
      [
        program,
        'package-operator',
        '--kubeconfig',
        kubeconfig,
        '--leader-elect=false',
        '--metrics-bind-address',
        `127.0.0.1:${side}`,
        '--health-probe-bind-address',
        `127.0.0.1:${side + 1}`,
      ],
      { stdio: 'ignore' },
    );
  const answer = async (from: number, path_: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${from}${path_}`)).text();
  const shop = (version: string, values: Readonly<Record<string, string>>): object => ({
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'Package',
    metadata: { name: 'flowers', namespace: 'town' },
    spec: {
      packageInfo: { name: 'shop', version },
      values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])),
    },
  });
  const installed = (version: string): Promise<true> =>
    eventually(`flowers is installed in ${version}`, () => {
      const state = kubectl(
        'get',
        'package',
        '-n',
        'town',
        'flowers',
        '-o',
        'jsonpath={.status.version} {.status.appliedGeneration} {.metadata.generation} {.status.conditions[?(@.type=="Ready")].status}',
      );
      const [found, applied, generation, ready] = state.split(' ');
      return found === version && applied === generation && ready === 'True' ? true : undefined;
    });
  const labelled = (): string =>
    kubectl(
      'get',
      'deployments,services,configmaps,secrets,namespaces',
      '-A',
      '-l',
      'app.kubernetes.io/managed-by=glasskube',
      '-o',
      'name',
    );

  before(async () => {
    cluster = await startProduct(directory, port, '--members', '1', '--packages=false');
    operator = startOperator();
    await eventually('the kinds of packages are served', () =>
      kubectl('get', 'crd', 'packagerepositories.packages.glasskube.dev', '-o', 'name') === ''
        ? undefined
        : true,
    );
    apply(
      {
        apiVersion: 'packages.glasskube.dev/v1alpha1',
        kind: 'PackageRepository',
        metadata: { name: 'catalogue', annotations: { 'packages.glasskube.dev/default-repository': 'true' } },
        spec: { url: pathToFileURL(catalogue).href },
      },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'town' } },
    );
  });

  after(async () => {
    operator.kill('SIGKILL');
    await cluster.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('installs a package with its component and what it shares with others', async () => {
    apply(shop('v1.0.0+1', { title: 'Flowers' }));
    await installed('v1.0.0+1');
    assert.equal(
      kubectl('get', 'configmap', '-n', 'town', 'flowers-shop', '-o', 'jsonpath={.data.title}'),
      'Flowers',
    );
    assert.match(
      kubectl('get', 'packages,clusterpackages', '-A', '-o', 'name'),
      /flowers-sessions\n.*gateway/s,
    );
    assert.match(kubectl('get', 'events', '-n', 'town'), /InstallationSucceeded .*package\/flowers/);
  });

  test('tells scrapers which packages are ready and which are suspended', async () => {
    const ready = 'glasskube_package_ready{kind="Package",namespace="town",name="flowers"} 1\n';
    const suspended =
      'glasskube_package_suspended{kind="Package",namespace="town",name="flowers",source="Spec",mode="Full"} 1\n';
    assert.equal(await answer(side + 1, '/readyz'), 'ok');
    const before = await answer(side, '/metrics');
    assert.ok(before.includes(ready), before);
    assert.ok(!before.includes(suspended), before);
    const turn = (on: boolean): string =>
      kubectl(
        'patch',
        'package',
        '-n',
        'town',
        'flowers',
        '--type=merge',
        '-p',
        `{"spec":{"suspended":${on}}}`,
      );
    turn(true);
    await eventually('it is counted', async () =>
      (await answer(side, '/metrics')).includes(suspended) ? true : undefined,
    );
    turn(false);
    await eventually('it is not counted any more', async () =>
      (await answer(side, '/metrics')).includes(suspended) ? undefined : true,
    );
  });

  test('updates and configures it, though it dies in between', async () => {
    operator.kill('SIGKILL');
    apply(shop('v1.1.0+1', { title: 'More flowers', replicas: '2' }));
    operator = startOperator();
    await installed('v1.1.0+1');
    assert.equal(
      kubectl('get', 'configmap', '-n', 'town', 'flowers-shop', '-o', 'jsonpath={.data.title}'),
      'More flowers',
    );
    assert.equal(
      kubectl('get', 'deployment', '-n', 'town', 'flowers-shop', '-o', 'jsonpath={.spec.replicas}'),
      '2',
    );
  });

  test('says what is wrong with a value, and leaves what is installed alone', async () => {
    apply(shop('v1.1.0+1', { title: '', replicas: '99', colour: 'red' }));
    const message = await eventually('the values are refused', () => {
      const text = kubectl(
        'get',
        'package',
        '-n',
        'town',
        'flowers',
        '-o',
        'jsonpath={.status.conditions[?(@.type=="Failed")].message}',
      );
      return text.includes('colour') ? text : undefined;
    });
    assert.match(message, /value "colour": package "shop" has no such value; it has replicas, title/);
    assert.match(message, /value "replicas": 99 is more than 10/);
    assert.equal(
      kubectl('get', 'deployment', '-n', 'town', 'flowers-shop', '-o', 'jsonpath={.spec.replicas}'),
      '2',
    );
    apply(shop('v1.1.0+1', { title: 'Flowers' }));
    await installed('v1.1.0+1');
  });

  test('takes it down without a trace, with what nobody else needs', async () => {
    kubectl('delete', 'package', '-n', 'town', 'flowers', '--timeout=60s');
    await eventually('nothing is left of packages', () =>
      kubectl('get', 'packages,clusterpackages,packageinfos', '-A', '-o', 'name') === '' ? true : undefined,
    );
    await eventually('nothing is left of their objects', () => (labelled() === '' ? true : undefined));
    assert.equal(
      kubectl(
        'get',
        'secrets',
        '-A',
        '--field-selector',
        'type=packages.glasskube.dev/applied.v1',
        '-o',
        'name',
      ),
      '',
    );
  });
});
