// Suspension as somebody at a terminal sees it: a policy, a cluster and a package, through a process that is killed.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  freePort,
  navarch,
  removeDirectory,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';
import { checkTranscript } from './transcript.ts';

describe('what is suspended stays as it is', () => {
  const directory = temporaryDirectory();
  const data = path.join(directory, 'data');
  const port = freePort();
  let product: Product;
  const start = async (): Promise<void> => {
    product = await startProduct(data, port, '--members', '2', '--member-nodes', '1', '--sample');
  };
  const check = (transcript: string): void =>
    checkTranscript(transcript, { kubeconfig: product.kubeconfig, directory });
  const ask = (...words: readonly string[]): string => {
    const { stdout, stderr } = navarch(...words, '--kubeconfig', product.kubeconfig);
    return `${stdout}${stderr}`.trim();
  };

  before(async () => {
    await start();
    await product.printed(/6 of 6 replicas are ready/);
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('a policy: nothing is dispatched, and what goes on is shown before it does', () =>
    check(`
$ navarch suspend policy/hello -n demo --duration 2h --reason migration
PropagationPolicy demo/hello suspended until <time>: nothing is dispatched to any cluster
$ navarch suspend policy/hello -n demo
PropagationPolicy demo/hello is suspended by karmada-admin until <time>: migration already
$ navarch patch deployment hello -n demo --type merge -p '{"spec":{"replicas":8}}'
deployment.apps/hello patched
$ navarch delete deployment hello -n demo --karmada-context member1
deployment.apps "hello" deleted from demo namespace
$ navarch suspensions
KIND   NAMESPACE   NAME   STOPPED   FOR   UNTIL   BY   REASON
PropagationPolicy   demo   hello   dispatching   <age>   <time>   karmada-admin   migration
$ for i in $(seq 50); do navarch resume policy/hello -n demo --dry-run | grep -q spec.replicas && break; sleep 0.1; done
$ navarch resume policy/hello -n demo --dry-run
PropagationPolicy demo/hello: 2 objects change
  CLUSTER   OBJECT   WHAT   FIELDS
  member1   Deployment demo/hello   create
  member2   Deployment demo/hello   update   spec.replicas
$ navarch resume policy/hello -n demo < /dev/null 2>&1 | tail -1
error: Resume PropagationPolicy demo/hello?: there is nobody to ask; add --yes, or --dry-run to change nothing
$ navarch resume policy/hello -n demo --yes --reason done 2>/dev/null
PropagationPolicy demo/hello resumed: dispatching goes on
$ navarch resume policy/hello -n demo
PropagationPolicy demo/hello is not suspended
$ navarch suspensions history policy/hello -n demo
TIME   ACTION   BY   UNTIL   REASON
<time>   Suspended   karmada-admin   <time>   migration
<time>   Resumed   karmada-admin      done
`));

  test('what makes no sense is refused with the way out', () =>
    check(`
$ navarch suspend deployment/hello -n demo
navarch: deployments cannot be suspended. To mend it: suspend the policy that propagates it, its binding, a cluster, a package or its roll-out.
[exit 1]
$ navarch suspend cluster/member1 --duration soon
navarch: --duration is no duration: "soon". To mend it: write it like <age>, <age> or 1w.
[exit 2]
$ navarch suspend cluster/member1 --until 2020-01-01T00:00:00Z
navarch: --until is over already: <time>. To mend it: give a time to come.
[exit 2]
$ navarch suspend cluster/member1 --cluster member2
navarch: --cluster is for policies, and this is a Cluster. To mend it: leave --cluster out.
[exit 2]
`));

  test('a cluster and a package, through a process that is killed, until their time is over', async () => {
    assert.match(
      ask('package', 'install', 'whoami', '--yes', '--value', 'host=a.example.org'),
      /clusterpackage\/whoami installed/,
    );
    assert.match(
      ask('suspend', 'cluster/member1', '--duration', '25s', '--reason', 'new kernel'),
      /suspended until/,
    );
    // Before the cluster hears nothing any more it is member2 that is asked.
    assert.match(
      ask('package', 'suspend', 'whoami', '-C', 'member2', '--duration', '25s', '--reason', 'traffic'),
      /clusterpackage\/whoami suspended until/,
    );
    ask('package', 'configure', 'whoami', '--value', 'host=b.example.org', '--yes', '--no-wait');
    await product.stop('SIGKILL');
    await start();
    assert.match(ask('suspensions'), /Cluster +member1 +everything to it/);
    const host = (cluster: string): string =>
      ask(
        'get',
        'ingress',
        'whoami',
        '-n',
        'whoami',
        '--karmada-context',
        cluster,
        '-o',
        'jsonpath={.spec.rules[0].host}',
      );
    assert.equal(host('member1'), 'a.example.org');
    assert.equal(host('member2'), 'a.example.org');
    await eventually('both go on by themselves', () =>
      host('member1') === 'b.example.org' && host('member2') === 'b.example.org' ? true : undefined,
    );
    assert.equal(ask('suspensions'), 'Nothing is suspended.');
    assert.match(ask('suspensions', 'history', 'cluster/member1'), /SuspensionExpired/);
    assert.match(ask('package', 'suspension', 'history', 'whoami'), /member2 +SuspensionExpired/);
  });

  test('several packages at once, and what waits and what differs of one', async () => {
    const run = (...words: readonly string[]): { code: number | null; stdout: string; stderr: string } =>
      navarch(...words, '--kubeconfig', product.kubeconfig);
    const some = run('package', 'suspend', 'whoami', 'nobody', '--yes', '--reason', 'test', '-o', 'json');
    assert.equal(some.code, 2, some.stderr);
    assert.match(some.stderr, /nobody: no package "nobody" is installed/);
    const [result] = JSON.parse(some.stdout) as { result: string; metadata: object }[];
    assert.deepEqual([result?.result, result?.metadata], ['Suspended', { name: 'whoami' }]);
    assert.equal(run('package', 'diff', 'whoami', '--against', 'live').code, 0);
    assert.equal(run('package', 'diff', 'whoami', '--against', 'applied').code, 0);
    assert.equal(run('package', 'diff', 'nobody').code, 2);

    ask('package', 'configure', 'whoami', '--value', 'host=c.example.org', '--yes', '--no-wait');
    const pending = await eventually('what waits is told by both members', () => {
      const list = ask('package', 'suspension', 'list');
      return /whoami .* in 2 /.test(list) ? list : undefined;
    });
    assert.match(pending, /PENDING/);
    assert.match(
      ask('package', 'describe', 'whoami', '-C', 'member1'),
      /Waits until it is resumed:\n(.*\n)*  ~ Ingress whoami\/whoami: \/spec\/rules\/0\/host/,
    );
    const unified = run(
      'package',
      'diff',
      'whoami',
      '-C',
      'member1',
      '--against',
      'applied',
      '-o',
      'unified',
    );
    assert.equal(unified.code, 1, unified.stderr);
    assert.match(
      unified.stdout,
      /--- Ingress whoami\/whoami \(applied\)\n\+\+\+ Ingress whoami\/whoami \(wanted\)\n@@ .* @@\n/,
    );
    assert.match(unified.stdout, /\n-.*host: b\.example\.org\n\+.*host: c\.example\.org\n/);
    const deployment = ['deployment', 'whoami', '-n', 'whoami', '--karmada-context', 'member1'];
    const scaled = run('patch', ...deployment, '--type', 'merge', '-p', '{"spec":{"replicas":3}}');
    assert.equal(scaled.code, 0, scaled.stderr);
    const live = run('package', 'diff', 'whoami', '-C', 'member1', '--against', 'live', '-o', 'unified');
    assert.equal(live.code, 1, live.stderr);
    assert.match(live.stdout, /Deployment whoami\/whoami \(live\)\n(.*\n)*-  replicas: 1\n\+  replicas: 3\n/);
    const version = run('package', 'diff', 'whoami', '--against', 'v0.0.0', '-o', 'unified');
    assert.equal(version.code, 2, 'there is no such version');
    const resumed = run('package', 'resume', 'whoami', '--yes', '-o', 'name');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(resumed.stdout.trim(), 'clusterpackage.packages.glasskube.dev/whoami');
  });
});
