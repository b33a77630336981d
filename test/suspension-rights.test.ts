// People who may suspend or resume and nothing else, with kubeconfigs of their own: what the commands and kubectl do for them.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  freePort,
  navarch,
  noKubectl,
  removeDirectory,
  run,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';

const GROUP = 'packages.glasskube.dev';

describe('who may only suspend or resume', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  let product: Product;

  const kubectl = (args: readonly string[], input?: string): string => {
    const { code, stdout, stderr } = run('kubectl', ['--kubeconfig', product.kubeconfig, ...args], input);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  /** By impersonation, whatever comes of it. */
  const as = (
    user: string,
    args: readonly string[],
    input?: string,
  ): { code: number | null; stderr: string } =>
    run('kubectl', ['--kubeconfig', product.kubeconfig, '--as', user, ...args], input);
  const file = (person: string): string => path.join(directory, `${person}.kubeconfig`);
  /** A service account with a token and a kubeconfig that holds nothing else. */
  const makePerson = (person: string): void => {
    kubectl(['create', 'serviceaccount', person, '-n', 'people']);
    const token = kubectl(['create', 'token', person, '-n', 'people']);
    writeFileSync(file(person), readFileSync(product.kubeconfig));
    for (const args of [
      ['set-credentials', person, '--token', token],
      ['set-context', 'karmada-apiserver', '--user', person],
      ['delete-user', 'karmada-apiserver'],
    ])
      assert.equal(run('kubectl', ['--kubeconfig', file(person), 'config', ...args]).code, 0);
  };
  const by = (person: string, ...words: readonly string[]): { code: number | null; said: string } => {
    const { code, stdout, stderr } = navarch('package', ...words, '--kubeconfig', file(person));
    return { code, said: `${stdout}${stderr}` };
  };
  const switchOf = (...what: readonly string[]): string =>
    kubectl(['get', ...what, '-o', 'jsonpath={.spec.suspend} {.spec.suspension.reason}']);

  before(async () => {
    product = await startProduct(
      path.join(directory, 'data'),
      freePort(),
      '--members',
      '1',
      '--member-nodes',
      '1',
    );
    for (const namespace of ['people', 'shop', 'other']) kubectl(['create', 'namespace', namespace]);
    for (const person of ['night', 'brake', 'clerk']) makePerson(person);
    const bind = (person: string, kind: string, role: string, ...where: readonly string[]): string =>
      kubectl([
        'create',
        kind,
        `${person}-${role}`,
        '--clusterrole',
        role,
        '--serviceaccount',
        `people:${person}`,
        ...where,
      ]);
    kubectl(['create', 'clusterrole', 'only-suspend', '--verb=get,suspend', `--resource=packages.${GROUP}`]);
    bind('night', 'clusterrolebinding', 'package-suspender-role');
    bind('brake', 'rolebinding', 'only-suspend', '-n', 'shop');
    bind('clerk', 'clusterrolebinding', 'view');
    kubectl(['create', 'clusterrolebinding', 'anna', '--clusterrole', 'only-suspend', '--user', 'anna']);
    const install = (...words: readonly string[]): void => {
      const { code, stderr } = navarch(
        'package',
        'install',
        ...words,
        '--yes',
        '--kubeconfig',
        product.kubeconfig,
      );
      assert.equal(code, 0, stderr);
    };
    install('whoami', '--value', 'host=a.example.org');
    for (const namespace of ['shop', 'other']) install('cache', 'store', '-n', namespace);
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('the role for it: all packages are listed, suspended and resumed, and nothing else is changed', () => {
    const listed = by('night', 'list', '-i');
    assert.equal(listed.code, 0, listed.said);
    assert.match(listed.said, /whoami +v1\.11\.0\+1 +Disabled +No /);
    assert.match(listed.said, /Warning: repositories are not readable to you/);
    const suspended = by('night', 'suspend', 'whoami', '--reason', 'alarm', '--duration', '2h');
    assert.equal(suspended.code, 0, suspended.said);
    assert.match(
      by('night', 'suspension', 'list').said,
      /whoami .*system:serviceaccount:people:night .*alarm/,
    );
    assert.match(
      kubectl(['get', '--raw', '/metrics', '--context', 'member1']),
      /^glasskube_package_suspended\{kind="ClusterPackage",namespace="",name="whoami",source="Spec",mode="Full"\} 1$/m,
    );
    for (const words of [
      ['configure', 'whoami', '--value', 'host=b.example.org', '--yes'],
      ['uninstall', 'whoami', '--yes'],
    ]) {
      const { code, said } = by('night', ...words);
      assert.equal(code, 1, said);
      assert.match(said, /not readable to you|cannot (delete|patch|update)/);
    }
    const resumed = by('night', 'resume', 'whoami', '--yes', '--reason', 'false alarm');
    assert.equal(resumed.code, 0, resumed.said);
    assert.match(resumed.said, /clusterpackage\/whoami resumed and ready/);
    assert.equal(switchOf('clusterpackage', 'whoami'), '');
  });

  test('in one namespace, with no right to list: by name, and not back', () => {
    const suspended = by('brake', 'suspend', 'store', '-n', 'shop', '--reason', 'stop');
    assert.equal(suspended.code, 0, suspended.said);
    assert.equal(switchOf('package', 'store', '-n', 'shop'), 'true stop');
    const resumed = by('brake', 'resume', 'store', '-n', 'shop', '--yes');
    assert.equal(resumed.code, 1, resumed.said);
    assert.match(resumed.said, /cannot resume resource "packages"/);
    const shorter = by('brake', 'suspend', 'store', '-n', 'shop', '--duration', '1m');
    assert.equal(shorter.code, 1, shorter.said);
    assert.match(shorter.said, /may not resume packages\.packages\.glasskube\.dev "store"/);
    assert.equal(switchOf('package', 'store', '-n', 'shop'), 'true stop');
    const elsewhere = by('brake', 'suspend', 'store', '-n', 'other');
    assert.equal(elsewhere.code, 1, elsewhere.said);
    assert.equal(switchOf('package', 'store', '-n', 'other'), '');
    assert.equal(by('night', 'resume', 'store', '-n', 'shop', '--yes').code, 0);
  });

  test('who may only look is told what it takes', () => {
    const { code, said } = by('clerk', 'suspend', 'store', '-n', 'shop');
    assert.equal(code, 1);
    assert.match(said, /forbidden/i);
    assert.equal(switchOf('package', 'store', '-n', 'shop'), '');
  });

  test('by kubectl, as somebody else: the subresource, and not the package', () => {
    const subresource = `/apis/${GROUP}/v1alpha1/namespaces/shop/packages/store/suspension`;
    const edit = as('anna', [
      'patch',
      'package',
      'store',
      '-n',
      'shop',
      '--type=merge',
      '-p',
      '{"spec":{"suspended":true}}',
    ]);
    assert.match(edit.stderr, /User "anna" cannot patch resource "packages"/);
    const put = as('anna', ['replace', '--raw', subresource, '-f', '-'], '{"reason":"by hand"}');
    assert.equal(put.code, 0, put.stderr);
    assert.equal(switchOf('package', 'store', '-n', 'shop'), 'true by hand');
    assert.match(as('anna', ['delete', '--raw', subresource]).stderr, /cannot resume resource "packages/);
    const may = (verb: string): string =>
      run('kubectl', [
        '--kubeconfig',
        product.kubeconfig,
        '--as',
        'anna',
        'auth',
        'can-i',
        verb,
        `packages.${GROUP}`,
        '-n',
        'shop',
      ]).stdout.trim();
    assert.deepEqual([may('suspend'), may('resume')], ['yes', 'no']);
    kubectl(['delete', '--raw', subresource]);
    assert.equal(switchOf('package', 'store', '-n', 'shop'), '');
  });
});
