// Migration from outside: an application of seven objects comes under the hub; a failure at any step, and a kill at any
// moment, leave member and hub as they were, or let the migration be finished.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../src/base/index.ts';
import { promoteSelection } from '../src/cli/index.ts';
import {
  ConnectionError,
  createClient,
  createHttpsTransport,
  createRestMapper,
  kinds,
  loadKubeconfig,
  type Client,
  type Transport,
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

// LIMIT: so many places at which a promotion can fail that trying all of them is several tests.
const STEP_PARTS = 4;
const WRITE_PARTS = 12;

interface Journals {
  readonly items: readonly { metadata: { name: string }; status?: { phase?: string } }[];
}

interface Listed {
  readonly items: readonly { readonly kind: string; readonly metadata: Record<string, unknown> }[];
}

/** What a person would compare: everything but what API servers write for themselves. */
function comparable({ items }: Listed): unknown {
  return items
    .map((item) => {
      const { managedFields, resourceVersion, generation, ...kept } = item.metadata;
      void [managedFields, resourceVersion, generation];
      const { status: _status, ...rest } = item as unknown as { readonly status?: unknown };
      return { ...rest, metadata: kept };
    })
    .sort((a, b) => (nameOf(a.metadata) < nameOf(b.metadata) ? -1 : 1));
}

function nameOf({ namespace = '', name, uid }: Record<string, unknown>): string {
  return [namespace, name, uid].join('/');
}

// What tells of what happened: it is there to stay.
const TELLING = new Set(['events', 'leases', 'migrations', 'deletedobjects']);

/** All that a server holds, by resource. */
async function allOf(client: Client): Promise<Readonly<Record<string, unknown>>> {
  const resources = await createRestMapper(client.transport, { clock: systemClock }).resources();
  const listable = resources.filter(
    ({ preferred, verbs, resource }) =>
      preferred && verbs.includes('list') && verbs.includes('create') && !TELLING.has(resource),
  );
  const found = await Promise.all(
    listable.map(async (one) => [
      `${one.resource}.${one.group}`,
      comparable((await client.listAll(one)) as unknown as Listed),
    ]),
  );
  return Object.fromEntries(found.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/**
 * Loses the answer to one write, which is carried out.
 * @param lost which, from 0 on
 * @param count told of how many there were
 */
function forgetful(inner: Transport, lost: number, count: (writes: number) => void): Transport {
  let writes = 0;
  return {
    async send(request) {
      if (request.method === 'GET') return inner.send(request);
      count(++writes);
      const answer = await inner.send(request);
      if (writes - 1 === lost) throw new ConnectionError('reset', 'failed for the test');
      return answer;
    },
    watch: (request, onEvent) => inner.watch(request, onEvent),
    close: () => inner.close(),
  };
}

describe('promoting an application', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const memberKubeconfig = path.join(directory, 'members', 'member1.kubeconfig');
  let product: Product;
  let original: unknown;
  let hub: Client;
  let member: Client;
  let hubBefore: unknown;
  let memberBefore: unknown;
  const inMember = (args: readonly string[], input?: string): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', memberKubeconfig, ...args], input);
  const onHub = (...args: readonly string[]): ReturnType<typeof run> =>
    run('kubectl', ['--kubeconfig', product.kubeconfig, ...args]);
  const state = (): unknown =>
    comparable(
      JSON.parse(inMember(['get', ALL, '-n', 'shop', '-l', 'app=web', '-o', 'json']).stdout) as Listed,
    );
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
    const open = async (file: string): Promise<Client> =>
      createClient(createHttpsTransport({ ...(await loadKubeconfig({ path: file })), clock: systemClock }));
    hub = await open(product.kubeconfig);
    member = await open(memberKubeconfig);
    inMember(['apply', '-f', '-'], definition);
    await eventually('the definition is served', () =>
      inMember(['apply', '-f', '-'], application).code === 0 ? true : undefined,
    );
    original = state();
    assert.equal((original as readonly unknown[]).length, 7);
    hubBefore = await allOf(hub);
    memberBefore = await allOf(member);
  });
  after(async () => {
    await hub.transport.close();
    await member.transport.close();
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

  // Each part fails at every so many'th place, and then goes the way back from the end.
  for (let part = 0; part < STEP_PARTS; part++)
    test(`a failure at any step takes everything back, part ${part + 1}`, async () => {
      let failing = part;
      for (; !(await promotedBut(failing)); failing += STEP_PARTS) await assertNothingOnHub();
      assert.ok(failing > 15, `only ${failing} steps`);
      await rolledBack(latest(), 0);
      await assertNothingOnHub();
    });

  /** The migration that was begun last. */
  function latest(): string {
    const [first = ''] = cli('rollback', '-o', 'name').stdout.trim().split('\n');
    return first.split('/')[1] ?? '';
  }

  /** Whether all went well; false: it failed, and says for what. */
  async function promoted(hooks: Parameters<typeof promoteSelection>[2]): Promise<boolean> {
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
      await promoteSelection(['deployments,services,widgets'], flags, hooks);
      return true;
    } catch (error) {
      assert.match(String(error), /failed for the test/);
      return false;
    }
  }

  /** Whether all went well; false: the step of this number was reached, and failed. */
  async function promotedBut(failing: number): Promise<boolean> {
    let taken = 0;
    return promoted({
      before: (_step, how) => {
        if (how === 'do' && taken++ === failing) throw new Error('failed for the test');
      },
    });
  }

  /** Everything that hub and member hold is as it was, to the byte. */
  async function assertAsBefore(what: string): Promise<void> {
    for (const [client, before] of [
      [hub, hubBefore],
      [member, memberBefore],
    ] as const) {
      const same = async (): Promise<true | undefined> =>
        isDeepStrictEqual(await allOf(client), before) ? true : undefined;
      // What belongs to an object goes a moment after it.
      await eventually(what, same).catch(async () => assert.deepEqual(await allOf(client), before, what));
    }
  }

  for (let part = 0; part < WRITE_PARTS; part++)
    test(`a write to the hub whose answer is lost takes everything back, whichever it is, part ${part + 1}`, async () => {
      for (let lost = part; ; lost += WRITE_PARTS) {
        let writes = 0;
        const whole = await promoted({
          session: (session) => ({
            ...session,
            client: createClient(
              forgetful(session.client.transport, lost, (count) => (writes = count)),
              { fieldManager: 'navarch' },
            ),
          }),
        });
        if (whole) {
          assert.ok(
            lost >= writes && writes > 40,
            `${writes} writes, of which the answer to ${lost} was lost`,
          );
          break;
        }
        const open = (JSON.parse(cli('rollback', '-o', 'json').stdout) as Journals).items;
        // Without an answer nobody knows of a journal in which nothing stands yet.
        assert.ok(open.every(({ status }) => status?.phase === undefined));
        if (open.length > 0) assert.equal(finishing('--rollback').code, 0);
        await assertAsBefore(`after write ${lost}`);
      }
      await rolledBack(latest(), 0);
      await assertAsBefore('after the way back from the end');
    });

  /** Rolls a migration back, killed so often while it does. */
  async function rolledBack(migration: string, kills: number): Promise<void> {
    const args = ['rollback', migration, '--cluster-kubeconfig', memberKubeconfig];
    for (let kill = 0; kill < kills; kill++) await killed(args, 1_200);
    const back = cli(...args);
    // It may have been over before it was killed.
    assert.ok(back.code === 0 || (kills > 0 && /is rolled back already/.test(back.stderr)), back.stderr);
  }

  /** Starts a command, and kills it at any moment; which one does not matter. */
  async function killed(args: readonly string[], withinMs: number): Promise<void> {
    const child = spawn('node', [program, ...args, '--kubeconfig', product.kubeconfig], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * withinMs));
    child.kill('SIGKILL');
    await ended;
  }

  test('a promotion that was killed can be finished, or taken back', async () => {
    for (let round = 0; round < 6; round++) {
      await killed(['promote', ...promoting], 1_500);
      const open = cli('rollback', '-o', 'json');
      const journals = (JSON.parse(open.stdout) as Journals).items;
      if (journals.length === 0) {
        await assertNothingOnHub();
        continue;
      }
      const [journal] = journals;
      // Killed before it could say what it was to do, it has done nothing, and there is nothing to go on with.
      const begun = journal?.status?.phase !== undefined;
      if (journal?.status?.phase !== 'Done') {
        const finished = finishing(begun && round % 2 === 0 ? '--resume' : '--rollback');
        assert.equal(finished.code, 0, finished.stderr);
      }
      if (journal?.status?.phase === 'Done' || (begun && round % 2 === 0)) {
        assert.equal(onHub('get', 'rb', '-n', 'shop', '-o', 'name').stdout.trim().split('\n').length, 7);
        await rolledBack(journal?.metadata.name ?? '', 1);
      }
      await assertNothingOnHub();
    }
  });

  test('taking a promotion back can be killed as often, and is finished by running it again', async () => {
    for (let round = 0; round < 3; round++) {
      assert.equal(await promoted({}), true);
      await rolledBack(latest(), 2);
      await assertAsBefore(`round ${round}`);
    }
  });
});
