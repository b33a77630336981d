// What operators do with a control plane: look at it, add and remove simulated members, save and restore it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  freePort,
  navarch,
  removeDirectory,
  startProduct,
  temporaryDirectory,
  type Product,
} from './product.ts';
import { checkTranscript } from './transcript.ts';

const program = path.resolve(import.meta.dirname, '..', 'bin', 'navarch.mjs');

describe('operating a control plane', () => {
  const directory = temporaryDirectory();
  const data = path.join(directory, 'data');
  let product: Product;
  const check = (transcript: string): void =>
    checkTranscript(transcript, {
      kubeconfig: product.kubeconfig,
      directory,
      masks: [
        [/https:\/\/127\.0\.0\.1:\d+/g, 'https://HOST'],
        [/in \d+ ms|after \d+ ms/g, 'in N ms'],
        [/\d+ objects at revision \d+/g, 'N objects at revision N'],
        [/\d+ KiB/g, 'N KiB'],
        [/conf-[a-z0-9]{5}\b/g, 'conf-ID'],
        [/\b\d+\.\d+s\b/g, 'N s'],
        [/of \d+ clusters and \d+ bindings/g, 'of N clusters and N bindings'],
        [/\d+ are available/g, 'N are available'],
        [/\d+\.\d GiB free \(\d+ %\)/g, 'N GiB free'],
      ],
    });

  before(async () => {
    product = await startProduct(data, freePort(), '--members', '1', '--member-nodes', '1');
  });
  after(async () => {
    await product.stop('SIGTERM');
    removeDirectory(directory);
  });

  test('what was deleted is made again; what there is to take back is listed', () =>
    check(`
$ printf '%s\\n' 'apiVersion: v1' 'kind: Namespace' 'metadata: { name: undone }' '---' 'apiVersion: policy.karmada.io/v1alpha1' 'kind: PropagationPolicy' 'metadata: { name: all, namespace: undone }' 'spec: { resourceSelectors: [{ apiVersion: v1, kind: ConfigMap, name: conf }] }' '---' 'apiVersion: v1' 'kind: ConfigMap' 'metadata: { name: conf, namespace: undone }' > undone.yaml
$ navarch undo
Nothing was deleted that could be made again.
$ navarch apply -f undone.yaml && until navarch get rb conf-configmap -n undone -o name; do sleep 0.2; done 2> /dev/null
namespace/undone created
propagationpolicy.policy.karmada.io/all created
configmap/conf created
resourcebinding.work.karmada.io/conf-configmap
$ navarch delete cm conf -n undone
configmap "conf" deleted from undone namespace
$ navarch undo | cut -d' ' -f1
NAME
configmap-conf-ID
$ navarch undo $(navarch undo -o name | cut -d/ -f2) --dry-run
Would make ConfigMap undone/conf again
$ navarch undo $(navarch undo -o name | cut -d/ -f2)
ConfigMap undone/conf is there again
$ navarch undo nothing
navarch: there is no deletion nothing, or its time is over. To mend it: run "navarch undo" to see which there are.
[exit 2]
$ navarch rollback
Nothing was promoted or moved that could be rolled back.
$ navarch rollback nothing
navarch: there is no migration nothing. To mend it: run "navarch rollback" to see which there are.
[exit 1]
$ navarch failover list
No failovers are kept.
$ navarch failover describe member1
navarch: no failover "member1" is kept, and none of a cluster of that name. To mend it: run "navarch failover list" to see which there are.
[exit 1]
$ navarch simulate --cluster member1 --down-for 2m | head -1
Rehearsal on a copy of N clusters and N bindings, as of <time>, seed 1: member1 is lost for <age>
$ navarch simulate --cluster nowhere 2>&1 | sed 's/To mend.*//'
navarch: the command line: there is no cluster nowhere. 
$ navarch estimator --cluster-name member1 --kubeconfig nowhere
navarch: there is no kubeconfig nowhere. To mend it: name another one with --kubeconfig or KUBECONFIG.
[exit 1]
$ navarch delete ns undone
namespace "undone" deleted
`));

  test('members come, break and go', () =>
    check(`
$ navarch member list
NAME   READY   VERSION   NODES   REGION   FAULTS
member1   True   v1.36.0+navarch-member   1/1   europe   <none>
$ navarch member add extra --nodes 2 --region asia
member extra added: https://HOST
$ navarch member add extra
Error from server (AlreadyExists): a cluster "extra" is registered already
[exit 1]
$ navarch member add 'not a name' 2>&1 | cut -c1-70
Error from server (BadRequest): "not a name" is no name for a cluster:
$ navarch member fault extra cut-network
ID   WHAT
network   nothing is answered
$ navarch member list -o jsonpath='{range .items[*]}{.metadata.name} {.spec.faults[*].id}{"\\n"}{end}'
member1
extra network
$ navarch member fault extra clear
Nothing is wrong with extra.
$ navarch member remove extra
member extra removed
$ navarch member remove extra
Error from server (NotFound): there is no simulated member "extra" in this process
[exit 1]
$ navarch get clusters -o name
cluster.cluster.karmada.io/member1
`));

  test('the doctor finds nothing wrong, and what is wrong', () =>
    check(`
$ navarch doctor | grep -v '^certificates'
CHECK   STATUS   DETAIL
connection   ok   https://HOST answers in N ms, v1.36.2+navarch
health   ok   ready
store   ok   a write is durable in N ms
clock   ok   in step with this machine
members   ok   1 of 1 are ready
webhooks   ok   none are registered
API services   ok   N are available

10 fine, 0 warnings, 0 failures
$ navarch doctor --kubeconfig nowhere
navarch: there is no kubeconfig nowhere. To mend it: name another one with --kubeconfig or KUBECONFIG.
[exit 1]
$ navarch cordon member1 > /dev/null; navarch doctor -o json | grep -A1 cordoned
      "detail": "is cordoned",
      "advice": "\\"navarch uncordon member1\\" when it is to be used again"
$ navarch uncordon member1
member1 cluster uncordoned
$ navarch doctor --data-dir nowhere | head -3
CHECK   STATUS   DETAIL
data directory   FAIL   there is no control plane in nowhere
   To mend it: name the directory that "navarch up" was given as --data-dir
`));

  test('a backup is whole, and restores into a new directory only', () =>
    check(`
$ navarch create configmap kept -n default --from-literal=a=b
configmap/kept created
$ navarch backup one.tar.gz
Asking the control plane for a backup ...
backup one.tar.gz saved: N objects at revision N of <time>, N KiB
$ navarch backup --check one.tar.gz
backup one.tar.gz is whole: N objects at revision N of <time>
$ navarch restore one.tar.gz --data-dir restored
backup one.tar.gz restored: N objects at revision N of <time>
Start it with: navarch up --data-dir restored
$ navarch restore one.tar.gz --data-dir restored 2>&1 | sed "s#$PWD/##"
navarch: restored is not empty, and a restore overwrites nothing. To mend it: name another directory with --data-dir, or move this one away.
$ navarch backup --data-dir data two.tar.gz
navarch: the store in data/store is in use by another process. To mend it: stop the other process, or choose another directory.
[exit 1]
$ navarch backup --data-dir restored two.tar.gz
backup two.tar.gz saved: N objects at revision N of <time>, N KiB
$ navarch bench --objects 20 -o json 2>/dev/null | grep -c operation
6
`));

  test('what was restored starts and has everything', async () => {
    const restored = await startProduct(path.join(directory, 'restored'), freePort(), '--members', '0');
    try {
      const found = navarch(
        'get',
        'cm',
        'kept',
        '-o',
        'jsonpath={.data.a}',
        '--kubeconfig',
        restored.kubeconfig,
      );
      assert.equal(found.stdout, 'b', found.stderr);
    } finally {
      await restored.stop('SIGTERM');
    }
  });

  test('a damaged backup is refused and leaves nothing behind', () => {
    const damaged = path.join(directory, 'damaged.tar.gz');
    copyFileSync(path.join(directory, 'one.tar.gz'), damaged);
    truncateSync(damaged, readFileSync(damaged).length - 1000);
    const before = readdirSync(directory);
    const result = navarch('restore', damaged, '--data-dir', path.join(directory, 'new'));
    assert.equal(result.code, 1);
    assert.match(result.stderr, /no whole backup/);
    assert.deepEqual(readdirSync(directory), before);
  });

  test('killed at any moment, a restore has left the whole or nothing', async () => {
    const target = path.join(directory, 'killed');
    const archive = path.join(directory, 'one.tar.gz');
    for (const delayMs of [60, 120, 180, 240, 300, 400]) {
      const child = spawn(process.execPath, [program, 'restore', archive, '--data-dir', target], {
        stdio: 'ignore',
      });
      // It may be done before it is killed.
      const ended = new Promise((resolve) => child.once('close', resolve));
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill('SIGKILL');
      await ended;
      if (!existsSync(target)) continue;
      // All of it is there: it can be backed up, which reads every object.
      const whole = navarch('backup', path.join(directory, 'again.tar.gz'), '--data-dir', target);
      assert.equal(whole.code, 0, whole.stderr);
      removeDirectory(target);
    }
    const last = navarch('restore', archive, '--data-dir', target);
    assert.equal(last.code, 0, last.stderr);
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.includes('restoring')),
      [],
    );
  });
});
