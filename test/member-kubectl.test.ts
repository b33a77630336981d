// A simulated member cluster as its users see it: through the real kubectl.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { objectCodec } from '../src/apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { startMember, type Member } from '../src/members/index.ts';
import { createMemoryStorage } from '../src/storage/index.ts';
import { eventually, noKubectl, removeDirectory, temporaryDirectory } from './product.ts';

const manifests = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: web, image: "nginx:1.25", ports: [{ name: http, containerPort: 80 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec: { maxUnavailable: 1, selector: { matchLabels: { app: web } } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      containers: [{ name: db, image: "postgres:16", volumeMounts: [{ name: data, mountPath: /data }] }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec:
      initContainers: [{ name: setup, image: busybox }]
      containers: [{ name: agent, image: "agent:1" }]
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: sums }
spec:
  schedule: "0 0 1 1 *"
  jobTemplate:
    spec:
      completions: 3
      parallelism: 2
      template:
        spec: { restartPolicy: Never, containers: [{ name: sum, image: busybox }] }
---
apiVersion: v1
kind: Pod
metadata: { name: moody, annotations: { simulation.navarch.io/crash: "true" } }
spec: { containers: [{ name: c, image: busybox }] }
`;

describe('a simulated member under kubectl', { skip: noKubectl }, () => {
  const directory = temporaryDirectory();
  const kubeconfig = path.join(directory, 'kubeconfig');
  let member: Member;

  /** The output; fails with what kubectl says when it fails. */
  const kubectl = (...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      execFile(
        'kubectl',
        ['--kubeconfig', kubeconfig, ...args],
        { timeout: 60_000 },
        (error, stdout, stderr) =>
          error === null
            ? resolve(stdout.trim())
            : reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`, { cause: error })),
      );
    });

  before(async () => {
    member = await startMember({
      name: 'member1',
      storage: createMemoryStorage(objectCodec),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      nodes: { count: 3, zones: ['a', 'b', 'c'] },
      kubelet: { startDelayMs: 30, readyDelayMs: 20, initRunMs: 20, jobRunMs: 30, stopDelayMs: 10 },
      nodeHealth: { gracePeriodMs: 200 },
    });
    writeFileSync(kubeconfig, member.kubeconfig);
    writeFileSync(path.join(directory, 'all.yaml'), manifests);
    await member.ready;
    await kubectl('apply', '-f', path.join(directory, 'all.yaml'));
  });
  after(async () => {
    await member.close();
    removeDirectory(directory);
  });

  test('nodes, namespaces and a default storage class are there', async () => {
    assert.equal((await kubectl('get', 'nodes', '--no-headers')).match(/ Ready /g)?.length, 3);
    assert.match(await kubectl('get', 'storageclass'), /standard \(default\)/);
    assert.match(await kubectl('describe', 'node', 'member1-node-1'), /HolderIdentity: +member1-node-1/);
  });

  test('a Deployment rolls out, scales, restarts and goes back', async () => {
    assert.match(await kubectl('rollout', 'status', 'deploy/web'), /successfully rolled out/);
    await kubectl('scale', 'deploy/web', '--replicas', '5');
    await kubectl('rollout', 'status', 'deploy/web');
    await kubectl('set', 'image', 'deploy/web', 'web=nginx:1.26');
    await kubectl('rollout', 'status', 'deploy/web');
    await kubectl('rollout', 'restart', 'deploy/web');
    await kubectl('rollout', 'status', 'deploy/web');
    await kubectl('rollout', 'undo', 'deploy/web', '--to-revision', '1');
    await kubectl('rollout', 'status', 'deploy/web');
    assert.equal(await kubectl('get', 'deploy', 'web', '-o', 'jsonpath={.status.availableReplicas}'), '5');
    const history = await kubectl('rollout', 'history', 'deploy/web');
    assert.deepEqual(history.match(/^\d+/gm), ['2', '3', '4']);
    const images = await kubectl(
      'get',
      'rs',
      '-o',
      'jsonpath={range .items[?(@.spec.replicas>0)]}{.spec.template.spec.containers[0].image}{end}',
    );
    assert.equal(images, 'nginx:1.25');
  });

  test('a pod tells where it runs and what happened to it', async () => {
    const [name = ''] = (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).split('\n');
    const described = await eventually('the events are there', async () => {
      const text = await kubectl('describe', name);
      return /Started container web/.test(text) ? text : undefined;
    });
    assert.match(described, /Node: +member1-node-\d\/172\.18\.0\.\d/);
    assert.match(described, /IP: +10\.\d+\.\d+\.\d+/);
    assert.match(described, /Controlled By: +ReplicaSet\/web-/);
    assert.match(described, /Ready +True/);
    assert.match(described, /Successfully assigned default\/web-\S+ to member1-node-\d/);
    await kubectl('delete', name);
    await kubectl('rollout', 'status', 'deploy/web');
  });

  test('a Service has an address, and its pods behind it', async () => {
    assert.match(await kubectl('get', 'svc', 'web'), /LoadBalancer +10\.\S+ +172\.30\.0\.1/);
    await eventually('all pods are endpoints', async () => {
      const addresses = await kubectl(
        'get',
        'endpointslices',
        '-l',
        'kubernetes.io/service-name=web',
        '-o',
        'jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}',
      );
      return addresses.split(' ').length === 5 ? true : undefined;
    });
  });

  test('a StatefulSet has its pods and claims; a DaemonSet is on every node', async () => {
    await kubectl('rollout', 'status', 'sts/db');
    await kubectl('rollout', 'status', 'ds/agent');
    assert.equal((await kubectl('get', 'pvc', '--no-headers')).match(/ Bound /g)?.length, 2);
    assert.match(await kubectl('get', 'ds', 'agent', '--no-headers'), /^agent +3 +3 +3 +3 +3 /);
    await kubectl('set', 'image', 'sts/db', 'db=postgres:17');
    await kubectl('rollout', 'status', 'sts/db');
    assert.deepEqual((await kubectl('rollout', 'history', 'sts/db')).match(/^\d+/gm), ['1', '2']);
  });

  test('a CronJob can be run by hand, and its Job completes', async () => {
    await kubectl('create', 'job', 'now', '--from', 'cronjob/sums');
    await kubectl('wait', '--for', 'condition=complete', 'job/now', '--timeout', '30s');
    assert.match(await kubectl('get', 'job', 'now', '--no-headers'), /Complete +3\/3/);
  });

  test('a pod that crashes says so', async () => {
    await eventually('it is in a crash loop', async () => {
      const line = await kubectl('get', 'pod', 'moody', '--no-headers');
      return /CrashLoopBackOff +1 /.test(line) ? true : undefined;
    });
  });

  test('draining a node moves its pods, within the disruption budget', async () => {
    await kubectl('drain', 'member1-node-1', '--ignore-daemonsets', '--force', '--timeout', '40s');
    const nodes = await kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.nodeName}');
    assert.ok(!nodes.split(' ').includes('member1-node-1'));
    assert.match(await kubectl('get', 'nodes'), /member1-node-1 +Ready,SchedulingDisabled/);
    await kubectl('uncordon', 'member1-node-1');
    await kubectl('rollout', 'status', 'deploy/web');
  });

  test('a node that goes down is not ready, and back again', async () => {
    await kubectl('annotate', 'node', 'member1-node-3', 'simulation.navarch.io/down=true');
    await kubectl('wait', 'node/member1-node-3', '--for', 'condition=Ready=Unknown', '--timeout', '20s');
    const taints = await kubectl('get', 'node', 'member1-node-3', '-o', 'jsonpath={.spec.taints[*].key}');
    assert.match(taints, /node\.kubernetes\.io\/unreachable/);
    await kubectl('annotate', 'node', 'member1-node-3', 'simulation.navarch.io/down-');
    await kubectl('wait', 'node/member1-node-3', '--for', 'condition=Ready', '--timeout', '20s');
  });

  test('what is deleted leaves nothing behind', async () => {
    await kubectl('delete', '-f', path.join(directory, 'all.yaml'));
    await kubectl('delete', 'pvc', '--all');
    await eventually('nothing is left', async () => {
      const left = await kubectl(
        'get',
        'pods,rs,jobs,controllerrevisions,endpointslices,pvc,pv',
        '-o',
        'name',
      );
      return left === 'endpointslice.discovery.k8s.io/kubernetes' ? true : undefined;
    });
  });
});
