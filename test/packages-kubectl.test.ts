// Packages as Glasskube's users write them: YAML that the real kubectl applies, edits and deletes, on one member by itself and
// on three through the hub. Afterwards every member has exactly the objects that it had before.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { load } from 'js-yaml';
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

const MEMBERS = ['member1', 'member2', 'member3'];
const CATALOGUE = load(
  readFileSync(path.join(import.meta.dirname, '..', 'catalogue', 'index.yaml'), 'utf8'),
) as { readonly packages: readonly object[] };

/** `suspend: false` is what Glasskube's own clients always write. */
const gateway = (version: string, replicas: number): string => `
apiVersion: packages.glasskube.dev/v1alpha1
kind: ClusterPackage
metadata: {name: gateway}
spec:
  packageInfo: {name: gateway, version: ${version}, repositoryName: navarch}
  suspend: false
  values:
    replicas: {value: "${replicas}"}
`;

const shop = (version: string): string => `
apiVersion: packages.glasskube.dev/v1alpha1
kind: Package
metadata: {name: corner, namespace: team}
spec:
  packageInfo: {name: shop, version: ${version}}
  values:
    title: {valueFrom: {configMapRef: {name: names, namespace: team, key: title}}}
    replicas: {value: "1"}
`;

const names = `
apiVersion: v1
kind: ConfigMap
metadata: {name: names, namespace: team}
data: {title: The corner shop}
`;

const policies = `
apiVersion: policy.karmada.io/v1alpha1
kind: ClusterPropagationPolicy
metadata: {name: gateway}
spec:
  resourceSelectors: [{apiVersion: packages.glasskube.dev/v1alpha1, kind: ClusterPackage, name: gateway}]
  placement: {clusterAffinity: {clusterNames: [member1, member2, member3]}}
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: {name: corner, namespace: team}
spec:
  propagateDeps: true
  resourceSelectors: [{apiVersion: packages.glasskube.dev/v1alpha1, kind: Package, name: corner}]
  placement: {clusterAffinity: {clusterNames: [member1, member2, member3]}}
`;

describe('packages by kubectl', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  let product: Product;
  let untouched: ReadonlyMap<string, readonly string[]>;

  const kubectl = (context: string | undefined, args: readonly string[], input?: string): string => {
    const where = context === undefined ? [] : ['--context', context];
    const { code, stdout, stderr } = run(
      'kubectl',
      ['--kubeconfig', product.kubeconfig, ...where, ...args],
      input,
    );
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  const field = (context: string | undefined, jsonpath: string, ...what: readonly string[]): string =>
    kubectl(context, ['get', ...what, '--ignore-not-found', '-o', `jsonpath=${jsonpath}`]);
  const fault = (...args: readonly string[]): void => {
    const { code, stderr } = navarch('fault', ...args, '--kubeconfig', product.kubeconfig);
    assert.equal(code, 0, stderr);
  };
  /** Every object of a member of every kind that it lists; not what passes by itself or belongs to nodes. */
  const everything = (member: string): readonly string[] => {
    const listed = kubectl(member, ['api-resources', '--verbs=list', '-o', 'name']).split('\n');
    const kinds = listed.filter((kind) => !/^(events|leases|componentstatuses)\b|metrics/.test(kind));
    return kubectl(member, ['get', kinds.join(','), '-A', '--ignore-not-found', '-o', 'name'])
      .split('\n')
      .sort();
  };
  const nothingIsLeft = async (members: readonly string[]): Promise<void> => {
    for (const member of members) {
      let left: readonly string[] = [];
      await eventually('nothing is left behind', () => {
        const now = everything(member);
        left = now.filter((one) => !(untouched.get(member) ?? []).includes(one));
        return left.length === 0 ? true : undefined;
      }).catch(() => assert.fail(`${member} still has ${left.join(', ')}`));
    }
  };
  const ready = '{.status.conditions[?(@.type=="Ready")].status} {.status.version}';
  const isReady = async (
    context: string | undefined,
    version: string,
    ...what: readonly string[]
  ): Promise<void> => {
    let seen = '';
    await eventually(`${what.join(' ')} is ready`, () => {
      seen = field(context, ready, ...what);
      return seen === `True ${version}` ? true : undefined;
    }).catch(() => assert.fail(`${context ?? 'hub'}: ${what.join(' ')} is ${seen}, not ready at ${version}`));
  };
  const becomes = async (wanted: string, look: () => string): Promise<void> => {
    let seen = '';
    await eventually(`it becomes ${wanted}`, () => ((seen = look()) === wanted ? true : undefined)).catch(
      () => assert.fail(`it is ${seen}, not ${wanted}`),
    );
  };

  before(async () => {
    product = await startProduct(
      path.join(directory, 'data'),
      freePort(),
      '--members',
      '3',
      '--member-nodes',
      '1',
    );
    for (const member of MEMBERS) {
      kubectl(member, ['create', 'namespace', 'team']);
      await becomes(String(CATALOGUE.packages.length), () =>
        field(member, '{.status.packages}', 'packagerepository', 'navarch'),
      );
      await becomes('default', () =>
        field(member, '{.metadata.name}', 'serviceaccount', 'default', '-n', 'team'),
      );
    }
    kubectl(undefined, ['create', 'namespace', 'team']);
    untouched = new Map(MEMBERS.map((member) => [member, everything(member)]));
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('on one member: what it needs comes first, then it, its update, other values, and nothing is left', async () => {
    const member = 'member1';
    fault(member, 'fail-images', '--namespace', 'certificates');
    kubectl(member, ['apply', '-f', '-'], `${names}---${gateway('v1.2.0+1', 1)}---${shop('v1.0.0+1')}`);
    await eventually('the gateway waits for what it needs', () => {
      const message = field(
        member,
        '{.status.conditions[?(@.type=="Ready")].message}',
        'clusterpackage',
        'gateway',
      );
      return message.startsWith('waiting for certificates') ? true : undefined;
    });
    // Nothing of what waits is there.
    assert.equal(field(member, '{.metadata.name}', 'deployment', 'gateway', '-n', 'gateway'), '');
    assert.equal(field(member, '{.items[*].metadata.name}', 'deployments', '-n', 'team'), '');
    fault(member, 'clear');
    await isReady(member, 'v1.2.0+1', 'clusterpackage', 'gateway');
    await isReady(member, 'v1.0.0+1', 'package', 'corner', '-n', 'team');
    await isReady(member, 'v8.1.0+1', 'package', 'corner-sessions', '-n', 'team');
    assert.match(
      field(
        member,
        '{.items[*].data.title}',
        'configmaps',
        '-n',
        'team',
        '-l',
        'packages.glasskube.dev/instance=corner',
      ),
      /^The corner shop$/,
    );
    assert.match(
      kubectl(member, ['get', 'clpkg', 'gateway']),
      /^NAME +DESIRED VERSION +INSTALLED VERSION\b.*\ngateway +v1\.2\.0\+1 +v1\.2\.0\+1\b/,
    );

    kubectl(member, ['apply', '-f', '-'], `${gateway('v1.3.0+1', 1)}---${shop('v1.1.0+1')}`);
    await isReady(member, 'v1.3.0+1', 'clusterpackage', 'gateway');
    await isReady(member, 'v1.1.0+1', 'package', 'corner', '-n', 'team');

    kubectl(member, ['apply', '-f', '-'], gateway('v1.3.0+1', 3));
    await becomes('3', () =>
      field(member, '{.status.readyReplicas}', 'deployment', 'gateway', '-n', 'gateway'),
    );
    kubectl(member, [
      'patch',
      'configmap',
      'names',
      '-n',
      'team',
      '--type',
      'merge',
      '-p',
      '{"data":{"title":"Open"}}',
    ]);
    kubectl(member, [
      'patch',
      'package',
      'corner',
      '-n',
      'team',
      '--type',
      'merge',
      '-p',
      '{"spec":{"values":{"replicas":{"value":"2"}}}}',
    ]);
    await becomes('Open', () =>
      field(
        member,
        '{.items[*].data.title}',
        'configmaps',
        '-n',
        'team',
        '-l',
        'packages.glasskube.dev/instance=corner',
      ),
    );

    kubectl(member, ['delete', 'package', 'corner', '-n', 'team']);
    kubectl(member, ['delete', 'clusterpackage', 'gateway']);
    kubectl(member, ['delete', 'configmap', 'names', '-n', 'team']);
    await nothingIsLeft([member]);
  });

  test('however it is deleted: in the foreground and in the background nothing is left, and as orphans everything', async () => {
    const member = 'member2';
    const install = async (): Promise<void> => {
      kubectl(member, ['apply', '-f', '-'], gateway('v1.3.0+1', 1));
      await isReady(member, 'v1.3.0+1', 'clusterpackage', 'gateway');
    };
    const uninstall = (cascade: string): string =>
      kubectl(member, ['delete', 'clusterpackage', 'gateway', `--cascade=${cascade}`, '--timeout=60s']);
    for (const cascade of ['background', 'foreground']) {
      await install();
      uninstall(cascade);
      await nothingIsLeft([member]);
    }
    await install();
    const before = everything(member).filter((name) => !/packages|secret\//.test(name));
    uninstall('orphan');
    await becomes('', () =>
      field(member, '{.items[*].metadata.ownerReferences[*].kind}', 'services,configmaps', '-n', 'gateway'),
    );
    assert.deepEqual(
      everything(member).filter((name) => !/packages|secret\//.test(name)),
      before,
    );
    assert.equal(field(member, '{.status.readyReplicas}', 'deployment', 'gateway', '-n', 'gateway'), '1');
    await isReady(member, 'v1.17.0+2', 'clusterpackage', 'certificates');
    kubectl(member, ['delete', 'clusterpackage', 'certificates']);
    kubectl(member, ['delete', 'namespace', 'gateway']);
    kubectl(member, ['delete', 'ingressclass', 'gateway']);
    await nothingIsLeft([member]);
  });

  test('suspended by either name of the switch, beside the explicit false of Glasskube', async () => {
    const member = 'member3';
    kubectl(member, ['apply', '-f', '-'], gateway('v1.2.0+1', 1));
    await isReady(member, 'v1.2.0+1', 'clusterpackage', 'gateway');
    const patch = (spec: string): string =>
      kubectl(member, ['patch', 'clpkg', 'gateway', '--type', 'merge', '-p', `{"spec":${spec}}`]);
    const active = (): string => field(member, '{.status.suspension.active}', 'clpkg', 'gateway');
    patch('{"suspended":true}');
    await becomes('true', active);
    patch('{"packageInfo":{"version":"v1.3.0+1"}}');
    await eventually('it is known that it waits', () =>
      field(member, '{.status.suspension.pendingGeneration}', 'clpkg', 'gateway') === '' ? undefined : true,
    );
    assert.match(kubectl(member, ['get', 'clpkg', 'gateway']), /gateway +v1\.3\.0\+1 +v1\.2\.0\+1 +true/);
    patch('{"suspended":false}');
    await isReady(member, 'v1.3.0+1', 'clusterpackage', 'gateway');
    kubectl(member, ['delete', 'clusterpackage', 'gateway', '--timeout=60s']);
    await nothingIsLeft([member]);
  });

  test('on three members through the hub, by policies', async () => {
    kubectl(
      undefined,
      ['apply', '-f', '-'],
      `${names}---${policies}---${gateway('v1.2.0+1', 1)}---${shop('v1.0.0+1')}`,
    );
    await isReady(undefined, 'v1.2.0+1', 'clusterpackage', 'gateway');
    await isReady(undefined, 'v1.0.0+1', 'package', 'corner', '-n', 'team');
    for (const member of MEMBERS) {
      await isReady(member, 'v1.17.0+2', 'clusterpackage', 'certificates');
      await isReady(member, 'v1.0.0+1', 'package', 'corner', '-n', 'team');
      await isReady(member, 'v8.1.0+1', 'package', 'corner-sessions', '-n', 'team');
    }

    kubectl(undefined, ['apply', '-f', '-'], `${gateway('v1.3.0+1', 1)}---${shop('v1.1.0+1')}`);
    await isReady(undefined, 'v1.3.0+1', 'clusterpackage', 'gateway');
    await isReady(undefined, 'v1.1.0+1', 'package', 'corner', '-n', 'team');

    kubectl(undefined, ['apply', '-f', '-'], gateway('v1.3.0+1', 3));
    for (const member of MEMBERS) {
      await becomes('3', () =>
        field(member, '{.status.readyReplicas}', 'deployment', 'gateway', '-n', 'gateway'),
      );
      await isReady(member, 'v1.3.0+1', 'clusterpackage', 'gateway');
    }

    // In this order: the gateway goes as soon as nothing needs it.
    kubectl(undefined, ['delete', 'package', 'corner', '-n', 'team']);
    kubectl(undefined, ['delete', 'clusterpackage', 'gateway']);
    kubectl(undefined, ['delete', 'configmap', 'names', '-n', 'team']);
    kubectl(undefined, ['delete', 'clusterpropagationpolicy', 'gateway']);
    kubectl(undefined, ['delete', 'propagationpolicy', 'corner', '-n', 'team']);
    await nothingIsLeft(MEMBERS);
  });

  test('deleted on the hub while a member needs it by itself: it stays there as long, and nothing longer', async () => {
    const [policy = ''] = policies.split('---');
    kubectl(undefined, ['apply', '-f', '-'], `${policy}---${gateway('v1.3.0+1', 1)}`);
    await isReady(undefined, 'v1.3.0+1', 'clusterpackage', 'gateway');
    kubectl('member1', ['apply', '-f', '-'], `${names}---${shop('v1.1.0+1')}`);
    await isReady('member1', 'v1.1.0+1', 'package', 'corner', '-n', 'team');
    kubectl(undefined, ['delete', 'clusterpackage', 'gateway', '--wait=false']);
    await eventually('it is held', () =>
      field(
        'member1',
        '{.status.conditions[?(@.type=="Ready")].message}',
        'clusterpackage',
        'gateway',
      ).includes('held, since team/corner needs it')
        ? true
        : undefined,
    );
    await nothingIsLeft(['member2', 'member3']);
    assert.equal(field('member1', '{.status.readyReplicas}', 'deployment', 'gateway', '-n', 'gateway'), '1');
    kubectl('member1', ['delete', 'package', 'corner', '-n', 'team']);
    kubectl('member1', ['delete', 'configmap', 'names', '-n', 'team']);
    kubectl(undefined, ['delete', 'clusterpropagationpolicy', 'gateway']);
    await nothingIsLeft(MEMBERS);
  });
});
