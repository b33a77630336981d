// Failover with a member in a process of its own, on a link that really fails: whatever goes wrong, the workload runs
// elsewhere within the time that the timeline computes, and the member is as the hub wants it when it is back.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startFaultyLink, type FaultyLink } from './faulty-link.ts';
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

const settings = [
  '--failover-mode=automatic',
  '--cluster-status-update-frequency=300ms',
  '--cluster-probe-timeout=1s',
  '--cluster-failure-threshold=1s',
  '--cluster-success-threshold=500ms',
  '--failover-eviction-timeout=1s',
  '--default-not-ready-toleration-seconds=0',
  '--default-unreachable-toleration-seconds=0',
  '--resource-eviction-rate=100',
  '--taint-eviction-retry-period=500ms',
  '--cluster-suspect-failures=0',
  '--eviction-brake-fleet-share=0',
];

/** To the cluster `edge` as long as it can be used, else to member1. */
function workload(name: string): string {
  return `
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  resourceSelectors: [{ apiVersion: apps/v1, kind: Deployment, name: ${name} }]
  placement:
    clusterAffinities:
      - { affinityName: first, clusterNames: [edge] }
      - { affinityName: second, clusterNames: [member1] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: web, image: registry.example/web:1 }] }
`;
}

describe('a member in another process', { skip: noKubectl }, () => {
  const hubDirectory = temporaryDirectory();
  const memberDirectory = temporaryDirectory();
  const port = freePort();
  let hub: Product;
  let member: Product;
  let link: FaultyLink;
  const onHub = (...args: readonly string[]): string =>
    run('kubectl', ['--kubeconfig', hub.kubeconfig, ...args]).stdout.trim();
  const inMember1 = (...args: readonly string[]): string => onHub('--context', 'member1', ...args);
  const inEdge = (...args: readonly string[]): string =>
    run('kubectl', [
      '--kubeconfig',
      path.join(memberDirectory, 'members', 'member1.kubeconfig'),
      ...args,
    ]).stdout.trim();
  const startMember = (): Promise<Product> =>
    startProduct(memberDirectory, port + 10, '--members', '1', '--member-nodes', '1');
  const edgeReady = (): string =>
    onHub('get', 'cluster', 'edge', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}');
  const ready = ['-o', 'jsonpath={.status.readyReplicas}', '-n', 'shop'];
  /** Failovers whose record says that something moved. */
  const moved = (): number => {
    const { stdout } = navarch(
      'failover',
      'list',
      '--cluster',
      'edge',
      '--kubeconfig',
      hub.kubeconfig,
      '-o',
      'json',
    );
    const { items } = JSON.parse(stdout) as { items: readonly { status?: { moved?: number } }[] };
    return items.filter(({ status }) => (status?.moved ?? 0) > 0).length;
  };
  /** The longest that the settings make a workload wait, from the fault to its eviction. */
  let worstMs = 0;

  before(async () => {
    hub = await startProduct(hubDirectory, port, '--members', '1', ...settings);
    member = await startMember();
    link = await startFaultyLink(port + 11);
    const kubeconfig = path.join(memberDirectory, 'linked.kubeconfig');
    const text = readFileSync(path.join(memberDirectory, 'members', 'member1.kubeconfig'), 'utf8');
    writeFileSync(kubeconfig, text.replace(/https:\/\/127\.0\.0\.1:\d+/, `https://127.0.0.1:${link.port}`));
    const joined = navarch(
      'join',
      'edge',
      '--kubeconfig',
      hub.kubeconfig,
      '--cluster-kubeconfig',
      kubeconfig,
      '--cluster-context',
      'member1',
    );
    assert.equal(joined.code, 0, joined.stderr);
    onHub('create', 'namespace', 'shop');
    const timeline = navarch('failover', 'timeline', 'edge', '--kubeconfig', hub.kubeconfig, '-o', 'json');
    assert.equal(timeline.code, 0, timeline.stderr);
    const { steps } = JSON.parse(timeline.stdout) as {
      steps: readonly { readonly step: string; readonly latestMs: number }[];
    };
    worstMs = steps.find(({ step }) => step === 'the first workload leaves')?.latestMs ?? 0;
    assert.ok(worstMs > 0 && worstMs < 60_000, timeline.stdout);
  });
  after(async () => {
    member.child.kill('SIGCONT');
    await Promise.all([hub.stop('SIGTERM'), member.stop('SIGTERM')]);
    await link.close();
    removeDirectory(hubDirectory);
    removeDirectory(memberDirectory);
  });

  const faults: readonly {
    readonly name: string;
    readonly what: string;
    readonly begin: () => unknown;
    readonly end: () => unknown;
  }[] = [
    { name: 'cut', what: 'the connection is dropped', begin: () => link.set({ kind: 'cut' }), end: () => link.set({ kind: 'none' }) },
    { name: 'silent', what: 'nothing arrives any more', begin: () => link.set({ kind: 'silent' }), end: () => link.set({ kind: 'none' }) },
    { name: 'delayed', what: 'everything takes seconds', begin: () => link.set({ kind: 'delayed', byMs: 4_000 }), end: () => link.set({ kind: 'none' }) },
    { name: 'garbled', what: 'TLS breaks', begin: () => link.set({ kind: 'garbled' }), end: () => link.set({ kind: 'none' }) },
    { name: 'paused', what: 'the process is paused', begin: () => member.child.kill('SIGSTOP'), end: () => member.child.kill('SIGCONT') },
    { name: 'stopped', what: 'the API server is stopped', begin: () => member.stop('SIGTERM'), end: async () => void (member = await startMember()) },
  ]; // prettier-ignore

  for (const { name, what, begin, end } of faults) {
    test(`when ${what}, the workload moves, and the member is put right when it is back`, async () => {
      await eventually('edge is ready', () => (edgeReady() === 'True' ? true : undefined));
      await eventually('edge is untainted', () =>
        onHub('get', 'cluster', 'edge', '-o', 'jsonpath={.spec.taints}') === '' ? true : undefined,
      );
      run('kubectl', ['--kubeconfig', hub.kubeconfig, 'apply', '-f', '-'], workload(name));
      await eventually('it runs in edge', () =>
        inEdge('get', 'deploy', name, ...ready) === '1' ? true : undefined,
      );
      const recorded = moved();
      await begin();
      const beganMs = Date.now();
      await eventually('edge is not ready', () => (edgeReady() === 'True' ? undefined : true));
      await eventually('it runs in member1', () =>
        inMember1('get', 'deploy', name, ...ready) === '1' ? true : undefined,
      );
      // As a bound on waiting for nothing, such as a time-out that nobody set; the machine may be slow.
      const tookMs = Date.now() - beganMs;
      assert.ok(tookMs < worstMs + 20_000, `${tookMs} ms, where the timeline says ${worstMs} ms at most`);
      await eventually('the history tells of it', () => (moved() > recorded ? true : undefined));
      await end();
      await eventually('edge is ready again', () => (edgeReady() === 'True' ? true : undefined));
      await eventually('its copy in edge is gone', () =>
        inEdge('get', 'deploy', name, '-n', 'shop', '-o', 'name', '--ignore-not-found') === ''
          ? true
          : undefined,
      );
      assert.equal(inMember1('get', 'deploy', name, ...ready), '1');
    });
  }
});
