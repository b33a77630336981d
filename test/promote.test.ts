// Migration from outside: an application of seven objects comes under the hub; a failure at any step, and a kill at any
// moment, leave member and hub as they were, or let the migration be finished.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../src/base/index.ts';
import { promoteSelection } from '../src/cli/index.ts';
import {
  createClient,
  createHttpsTransport,
  kinds,
  loadKubeconfig,
  type Client,
} from '../src/client/index.ts';
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

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.shop.example }
spec:
  group: shop.example
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { size: { type: integer, default: 3 } } } } } }
---
apiVersion: v1
kind: Namespace
metadata: { name: shop }
`;
const metadata = 'metadata: { name: web, namespace: shop, labels: { app: web } }';
const application = `
apiVersion: v1
kind: ServiceAccount
${metadata}
---
apiVersion: v1
kind: ConfigMap
${metadata}
data: { a: b }
---
apiVersion: v1
kind: Secret
${metadata}
stringData: { password: open-sesame }
---
apiVersion: v1
kind: PersistentVolumeClaim
${metadata}
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: v1
kind: Service
${metadata}
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: shop.example/v1
kind: Widget
${metadata}
spec: {}
---
apiVersion: apps/v1
kind: Deployment
${metadata}
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: web
      containers: [{ name: web, image: registry.example/web:1, envFrom: [{ configMapRef: { name: web } }, { secretRef: { name: web } }] }]
      volumes: [{ name: data, persistentVolumeClaim: { claimName: web } }]
`;
const KINDS = 'deployments,services,configmaps,secrets,persistentvolumeclaims,serviceaccounts';
const ALL = `${KINDS},widgets.shop.example`;

interface Listed {
  readonly items: readonly { readonly kind: string; readonly metadata: Record<string, unknown> }[];
}

/** What a person would compare: everything but what API servers write for themselves. */
function comparable(json: string): unknown {
  return (JSON.parse(json) as Listed).items
    .map((item) => {
      const { managedFields, resourceVersion, generation, ...kept } = item.metadata;
      void [managedFields, resourceVersion, generation];
      const { status: _status, ...rest } = item as unknown as { readonly status?: unknown };
      return { ...rest, metadata: kept };
    })
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe('promoting an application', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const memberKubeconfig = path.join(directory, 'members', 'member1.kubeconfig');
  let product: Product;
  let original: unknown;
  let hub: Client;
  const inMember = (args: readonly string[], input?: string): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', memberKubeconfig, ...args], input);
  const onHub = (...args: readonly string[]): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', product.kubeconfig, ...args]);
  const state = (): unknown =>
    comparable(inMember(['get', ALL, '-n', 'shop', '-l', 'app=web', '-o', 'json']).stdout);
  const promoting = [
    'deployments,services,widgets',
    '-l',
    'app=web',
    '-n',
    'shop',
    '-C',
    'member1',
    '--deps',
    '--yes',
    '--cluster-kubeconfig',
    memberKubeconfig,
  ];
  const cli = (...args: readonly string[]): ReturnType<typeof run> =>
    navarch(...args, '--kubeconfig', product.kubeconfig);
  const finishing = (how: string): ReturnType<typeof run> =>
    cli('promote', how, '--cluster-kubeconfig', memberKubeconfig);

  async function assertNothingOnHub(): Promise<void> {
    const namespace = await hub.find(kinds.namespaces, { name: 'shop' });
    assert.equal(namespace, undefined);
    assert.equal(
      await hub.find(kinds.customResourceDefinitions, { name: 'widgets.shop.example' }),
      undefined,
    );
    assert.deepEqual((await hub.listAll(kinds.resourceBindings)).items, []);
    assert.deepEqual((await hub.listAll(kinds.propagationPolicies)).items, []);
    assert.deepEqual(state(), original);
  }

  before(async () => {
    product = await startProduct(directory, freePort(), '--members', '1', '--simulate', 'none');
    const settings = await loadKubeconfig({ path: product.kubeconfig });
    hub = createClient(createHttpsTransport({ ...settings, clock: systemClock }));
    inMember(['apply', '-f', '-'], definition);
    await eventually('the definition is served', () =>
      inMember(['apply', '-f', '-'], application).code === 0 ? true : undefined,
    );
    original = state();
    assert.equal((original as readonly unknown[]).length, 7);
  });
  after(async () => {
    await hub.transport.close();
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('a plan says what would be done and does nothing', async () => {
    const plan = cli('promote', ...promoting.filter((one) => one !== '--yes'));
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(
      plan.stdout,
      /1\. CustomResourceDefinition .*\n.*ServiceAccount.*\n[^]*Deployment[^]*Service shop\/web/,
    );
    assert.match(plan.stdout, /nothing restarts/);
    await assertNothingOnHub();
  });

  test('what cannot be promoted is refused before anything is made', async () => {
    const missing = cli(
      'promote',
      'deployment',
      'nothing',
      '-n',
      'shop',
      '-C',
      'member1',
      '--cluster-kubeconfig',
      memberKubeconfig,
    );
    assert.deepEqual([missing.code, /don't exist in cluster\(member1\)/.test(missing.stderr)], [1, true]);
    const nowhere = cli('promote', 'deployment', 'web', '-n', 'shop');
    assert.deepEqual([nowhere.code, nowhere.stderr], [1, 'error: the cluster cannot be empty\n']);
    const format = cli('promote', 'deployment', 'web', '-n', 'shop', '-C', 'member1', '-o', 'wide');
    assert.match(format.stderr, /invalid output format: supported formats are json and yaml/);
    assert.match(cli('promote', 'deployment').stderr, /incorrect command format/);
    await assertNothingOnHub();
  });

  test('a failure at any step takes everything back', async () => {
    for (let failing = 0; ; failing++) {
      if (await promoted(failing)) {
        assert.ok(failing > 15, `only ${failing} steps`);
        break;
      }
      await assertNothingOnHub();
    }
    // All steps have passed: now the way back from the end.
    const [migration = ''] = cli('rollback', '-o', 'name').stdout.trim().split('\n');
    const back = cli('rollback', migration.split('/')[1] ?? '', '--cluster-kubeconfig', memberKubeconfig);
    assert.equal(back.code, 0, back.stderr);
    await assertNothingOnHub();
  });

  /** Whether all went well; false: the step of this number was reached, and failed. */
  async function promoted(failing: number): Promise<boolean> {
    let taken = 0;
    const flags = {
      kubeconfig: product.kubeconfig,
      namespace: 'shop',
      selector: 'app=web',
      cluster: 'member1',
      clusterKubeconfig: memberKubeconfig,
      clusterContext: 'member1',
      dependencies: true,
      autoCreatePolicy: true,
      yes: true,
      timeout: '30s',
    };
    try {
      await promoteSelection(['deployments,services,widgets'], flags, (_step, how) => {
        if (how === 'do' && taken++ === failing) throw new Error('failed for the test');
      });
      return true;
    } catch (error) {
      assert.match(String(error), /failed for the test/, `step ${failing}`);
      return false;
    }
  }

  test('a promotion that was killed can be finished, or taken back', async () => {
    for (let round = 0; round < 6; round++) {
      const child = spawn('node', [program, 'promote', ...promoting, '--kubeconfig', product.kubeconfig], {
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      // Any moment between its start and its end; which one does not matter.
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 1500));
      child.kill('SIGKILL');
      await ended;
      const open = cli('rollback', '-o', 'json');
      const journals = (
        JSON.parse(open.stdout) as {
          items: readonly { metadata: { name: string }; status?: { phase?: string } }[];
        }
      ).items;
      if (journals.length === 0) {
        await assertNothingOnHub();
        continue;
      }
      const [journal] = journals;
      if (journal?.status?.phase !== 'Done') {
        const finished = finishing(round % 2 === 0 ? '--resume' : '--rollback');
        assert.equal(finished.code, 0, finished.stderr);
      }
      if (journal?.status?.phase === 'Done' || round % 2 === 0) {
        assert.equal(onHub('get', 'rb', '-n', 'shop', '-o', 'name').stdout.trim().split('\n').length, 7);
        const back = cli('rollback', journal?.metadata.name ?? '', '--cluster-kubeconfig', memberKubeconfig);
        assert.equal(back.code, 0, back.stderr);
      }
      await assertNothingOnHub();
    }
  });
});
