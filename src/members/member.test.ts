import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, KubeObject, PodSpec } from '../api/index.ts';
import { ConnectionError, resource, type Client, type Resource } from '../client/index.ts';
import type { Deployment, Pod } from './kinds.ts';
import { isReady } from './pods.ts';
import * as resources from './resources.ts';
import { startTestMember, type StartedMember } from './testing/started.ts';

const namespace = 'default';

const web = (replicas: number, image = 'nginx:1', more: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image }] },
    },
    ...more,
  },
});

const podsOf = async (client: Client): Promise<readonly Pod[]> =>
  (await client.list(resources.pods, { namespace })).items;

const resourceOf: Readonly<Record<string, Resource>> = {
  CronJob: resources.cronJobs,
  Deployment: resources.deployments,
  Job: resources.jobs,
  Pod: resources.pods,
  StatefulSet: resources.statefulSets,
};

const create = (client: Client, object: KubeObject): Promise<KubeObject> =>
  client.create(resourceOf[object.kind]!, object);

const untilAvailable = (started: StartedMember, replicas: number): Promise<void> =>
  started.until(`${replicas} replicas are available`, async () => {
    const deployment = await started.client.get(resources.deployments, { namespace, name: 'web' });
    const { status = {}, metadata } = deployment;
    return (
      status.observedGeneration === metadata.generation &&
      status.availableReplicas === replicas &&
      status.updatedReplicas === replicas &&
      status.replicas === replicas
    );
  });

test('a Deployment comes up, rolls, scales, heals and leaves nothing behind', async () => {
  await using started = await startTestMember();
  const { client } = started;
  await create(client, web(3));
  await untilAvailable(started, 3);
  const first = await podsOf(client);
  assert.equal(new Set(first.map(({ status }) => status?.podIP)).size, 3);
  assert.equal(new Set(first.map(({ spec }) => spec.nodeName)).size, 3, 'one pod per node');
  assert.ok(first.every((pod) => isReady(pod) && pod.status?.qosClass === 'BestEffort'));

  const patch = { type: 'merge', body: web(5, 'nginx:2') } as const;
  await client.patch(resources.deployments, { namespace, name: 'web' }, patch);
  await untilAvailable(started, 5);
  await started.until('only new pods are left', async () =>
    (await podsOf(client)).every(({ spec }) => spec.containers[0]?.image === 'nginx:2'),
  );

  const [victim] = await podsOf(client);
  await client.delete(resources.pods, { namespace, name: victim!.metadata.name });
  await started.until('the pod is replaced', async () => {
    const pods = await podsOf(client);
    return (
      pods.length === 5 &&
      pods.every(isReady) &&
      !pods.some(({ metadata }) => metadata.uid === victim!.metadata.uid)
    );
  });

  await client.delete(resources.deployments, { namespace, name: 'web' });
  await started.until('nothing is left', async () => {
    const sets = await client.list(resources.replicaSets, { namespace });
    return sets.items.length === 0 && (await podsOf(client)).length === 0;
  });
});

test('a StatefulSet has pods in order, with claims of their own that outlive them', async () => {
  await using started = await startTestMember();
  const { client } = started;
  await create(client, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace },
    spec: {
      serviceName: 'db',
      replicas: 2,
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: {
          containers: [
            { name: 'main', image: 'postgres', volumeMounts: [{ name: 'data', mountPath: '/d' }] },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  });
  await started.until('the set is complete', async () => {
    const set = await client.get(resources.statefulSets, { namespace, name: 'db' });
    return set.status?.readyReplicas === 2;
  });
  const pods = await podsOf(client);
  assert.deepEqual(
    pods.map(({ metadata }) => metadata.name),
    ['db-0', 'db-1'],
  );
  const [first, second] = pods;
  assert.ok(Date.parse(second!.metadata.creationTimestamp) >= Date.parse(first!.status!.startTime!));
  const claims = await client.list(resources.persistentVolumeClaims, { namespace });
  assert.deepEqual(
    claims.items.map(({ metadata, status }) => [metadata.name, status?.phase]),
    [
      ['data-db-0', 'Bound'],
      ['data-db-1', 'Bound'],
    ],
  );
  await client.delete(resources.statefulSets, { namespace, name: 'db' });
  await started.until('the pods are gone', async () => (await podsOf(client)).length === 0);
  assert.equal((await client.list(resources.persistentVolumeClaims, { namespace })).items.length, 2);
  await client.deleteCollection(resources.persistentVolumeClaims, { namespace });
  await started.until('claims and volumes are gone', async () => {
    const volumes = await client.list(resources.persistentVolumes);
    return volumes.items.length === 0;
  });
});

const worker = (more: object = {}, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'sums', namespace },
  spec: {
    template: {
      metadata: { annotations },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'sum' }] },
    },
    ...more,
  },
});

test('a Job runs to its end and counts every pod once; a failing one gives up', async () => {
  await using started = await startTestMember();
  const { client } = started;
  const finished = (type: string): Promise<void> =>
    started.until(`the Job is ${type}`, async () => {
      const job = await client.get(resources.jobs, { namespace, name: 'sums' });
      return job.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
    });
  await create(client, worker({ completions: 5, parallelism: 2 }));
  await finished('Complete');
  const done = await client.get(resources.jobs, { namespace, name: 'sums' });
  assert.equal(done.status?.succeeded, 5);
  assert.equal(done.status?.failed, undefined);
  assert.ok((await podsOf(client)).every(({ metadata }) => metadata.finalizers === undefined));
  await client.delete(resources.jobs, { namespace, name: 'sums' }, { propagationPolicy: 'Background' });
  await started.until('all is collected', async () => (await podsOf(client)).length === 0);

  await create(client, worker({ backoffLimit: 1 }, { 'simulation.navarch.io/exit-code': '3' }));
  await finished('Failed');
  const failed = await client.get(resources.jobs, { namespace, name: 'sums' });
  assert.equal(failed.status?.failed, 2);
  assert.equal(failed.status?.conditions?.at(-1)?.reason, 'BackoffLimitExceeded');
});

test('a CronJob starts a Job every time the schedule says so', async () => {
  await using started = await startTestMember();
  const { client } = started;
  const { spec } = worker() as unknown as { spec: object };
  await create(client, {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick', namespace },
    spec: { schedule: '*/2 * * * *', successfulJobsHistoryLimit: 2, jobTemplate: { spec } },
  });
  await started.until(
    'four runs are over and two are kept',
    async () => {
      const tick = await client.get(resources.cronJobs, { namespace, name: 'tick' });
      const jobs = await client.list(resources.jobs, { namespace });
      const due = Date.parse(tick.status?.lastScheduleTime ?? '') >= Date.UTC(2026, 10, 21, 12, 8);
      return due && tick.status?.active === undefined && jobs.items.length === 2;
    },
    700_000,
  );
});

test('pods of a node that is lost are replaced elsewhere when their time is up', async () => {
  await using started = await startTestMember({ nodes: { count: 2 } });
  const { client, member } = started;
  await create(client, web(2));
  await untilAvailable(started, 2);
  await member.faults.nodeDown('member1-node-1');
  await started.until('the node is not ready', async () => {
    const node = await client.get(resources.nodes, { name: 'member1-node-1' });
    return (
      node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'Unknown') === true
    );
  });
  await started.until('one replica is missing', async () => {
    const deployment = await client.get(resources.deployments, { namespace, name: 'web' });
    return deployment.status?.availableReplicas === 1;
  });
  const lostAtMs = started.clock.now();
  await untilAvailable(started, 2).catch(() => undefined);
  await started.until(
    'both replicas run on the other node',
    async () => {
      const ready = (await podsOf(client)).filter(isReady);
      return ready.length === 2 && ready.every(({ spec }) => spec.nodeName === 'member1-node-2');
    },
    400_000,
  );
  assert.ok(started.clock.now() - lostAtMs >= 290_000, 'not before they no longer tolerate it');
  assert.equal((await podsOf(client)).length, 3, 'nobody can end the pod on the lost node');
  assert.deepEqual(member.faults.list(), [
    { id: 'node/member1-node-1', kind: 'node', description: 'node member1-node-1 is down' },
  ]);
  await member.faults.clear();
  await started.until('the old pod has ended', async () => (await podsOf(client)).length === 2);
});

const single = (name: string, spec: Partial<PodSpec> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: name } },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...spec },
});

const podNamed = (client: Client, name: string): Promise<Pod> =>
  client.get(resources.pods, { namespace, name });

test('a pod that fits nowhere says so, and starts when there is room', async () => {
  await using started = await startTestMember({ nodes: { count: 1, cpu: '2' } });
  const { client } = started;
  const asking = (cpu: string): Partial<PodSpec> => ({
    containers: [{ name: 'main', image: 'nginx', resources: { requests: { cpu } } }],
  });
  await create(client, single('first', asking('1500m')));
  await started.until('the first runs', async () => isReady(await podNamed(client, 'first')));
  await create(client, single('second', asking('1')));
  await started.until('the second is refused', async () => {
    const { status } = await podNamed(client, 'second');
    return status?.conditions?.[0]?.message === '0/1 nodes are available: 1 Insufficient cpu.';
  });
  await client.delete(resources.pods, { namespace, name: 'first' });
  await started.until('the second runs', async () => isReady(await podNamed(client, 'second')));
});

test('of waiting pods the one with the highest priority goes first', async () => {
  await using started = await startTestMember({ nodes: { count: 1, pods: 1 } });
  const { client } = started;
  await client.create(resources.priorityClasses, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
    preemptionPolicy: 'Never',
  });
  const high = { priorityClassName: 'high' } as const;
  await create(client, single('first'));
  await started.until('the node is full', async () => isReady(await podNamed(client, 'first')));
  await create(client, single('low'));
  await create(client, single('urgent', high));
  await started.until('both are refused', async () => {
    const pods = await Promise.all(['low', 'urgent'].map((name) => podNamed(client, name)));
    return pods.every(({ status }) => status?.conditions?.[0]?.reason === 'Unschedulable');
  });
  await client.delete(resources.pods, { namespace, name: 'first' });
  await started.until('the urgent one runs', async () => isReady(await podNamed(client, 'urgent')));
  assert.equal((await podNamed(client, 'low')).spec.nodeName, undefined);
});

test('an important pod takes the place of a less important one', async () => {
  await using started = await startTestMember({ nodes: { count: 1, pods: 1 } });
  const { client } = started;
  await create(client, single('first'));
  await started.until('the node is full', async () => isReady(await podNamed(client, 'first')));
  await create(client, single('urgent', { priorityClassName: 'system-node-critical' }));
  await started.until('the urgent one runs', async () => isReady(await podNamed(client, 'urgent')));
  assert.equal(await client.find(resources.pods, { namespace, name: 'first' }), undefined);
});

test('crashes and images on demand', async () => {
  await using started = await startTestMember();
  const { client, member } = started;
  await create(client, single('web'));
  await started.until('it runs', async () => isReady(await podNamed(client, 'web')));
  member.faults.crashPods({ selector: 'app=web' }, { exitCode: 9 });
  await started.until('it has been restarted', async () => {
    const status = (await podNamed(client, 'web')).status?.containerStatuses?.[0];
    return status?.restartCount === 1 && status.lastState?.terminated?.exitCode === 9 && status.ready;
  });
  const id = member.faults.crashPods({ namespace, selector: 'app=web' }, { keep: true });
  await started.until('it is in a crash loop', async () => {
    const status = (await podNamed(client, 'web')).status?.containerStatuses?.[0];
    return status?.state?.waiting?.reason === 'CrashLoopBackOff';
  });
  await member.faults.clear(id);
  await started.until('it is ready again', async () => isReady(await podNamed(client, 'web')));

  const { id: broken } = (await member.handleFault({ action: 'fail-images', selector: 'app=late' })) as {
    id: string;
  };
  await create(client, single('late'));
  await started.until('the image cannot be pulled', async () => {
    const status = (await podNamed(client, 'late')).status?.containerStatuses?.[0];
    return status?.state?.waiting?.reason === 'ImagePullBackOff';
  });
  await member.handleFault({ action: 'clear', id: broken });
  await started.until('it runs', async () => isReady(await podNamed(client, 'late')));
  assert.deepEqual(member.faults.list(), []);
});

const list = (client: Client): Promise<unknown> => client.list(resources.namespaces, {});
const refusedAs = (kind: string) => (error: unknown) =>
  error instanceof ConnectionError && error.kind === kind;

test('faults of the network and the API server reach users in the process', async () => {
  await using started = await startTestMember({ nodes: { count: 1 } });
  const { client, member, clock } = started;
  const { faults } = member;
  const watching = client.watch(resources.pods, { namespace }, () => undefined);
  faults.cutNetwork('drop');
  await assert.rejects(list(client), refusedAs('reset'));
  await assert.rejects(watching, refusedAs('reset'));
  faults.healNetwork();
  await list(client);

  const seen: string[] = [];
  const stop = new AbortController();
  const silent = client.watch(
    resources.pods,
    { namespace, signal: stop.signal },
    ({ type }) => void seen.push(type),
  );
  await clock.advance(0);
  faults.cutNetwork('hang');
  let answered = false;
  const hanging = list(client).then(() => (answered = true));
  await assert.rejects(
    client.list(resources.namespaces, { signal: AbortSignal.abort(new Error('I left')) }),
    /I left/,
  );
  await clock.advance(600_000);
  assert.equal(answered, false);
  assert.deepEqual(seen, []);
  faults.healNetwork();
  await hanging;
  await create(client, single('web'));
  await started.until('the watch goes on', () => seen.length > 0);
  stop.abort();
  await silent;

  faults.delay(300);
  answered = false;
  const slow = list(client).then(() => (answered = true));
  await clock.advance(299);
  assert.equal(answered, false);
  await clock.advance(1);
  await slow;
  faults.delay(0);

  await faults.stopApiServer();
  await assert.rejects(list(client), refusedAs('refused'));
  await clock.advance(60_000);
  await faults.startApiServer();
  await list(client);
  await create(client, single('after'));
  await started.until('the cluster works again', async () => isReady(await podNamed(client, 'after')));
});

test('a fault can end by itself, and wrong requests are told what is wrong', async () => {
  await using started = await startTestMember({ simulate: 'none' });
  const { member, client, clock } = started;
  const cut = await member.handleFault({ action: 'cut-network', mode: 'drop', forMs: 5000 });
  assert.deepEqual(cut, {
    ok: true,
    id: 'network',
    faults: [{ id: 'network', kind: 'network', description: 'connections are reset' }],
  });
  await assert.rejects(list(client));
  await clock.advance(5000);
  await list(client);
  for (const request of [
    undefined,
    {},
    { action: 'explode' },
    { action: 'cut-network', mode: 'sideways' },
    { action: 'delay' },
    { action: 'delay', latencyMs: -1 },
    { action: 'node-down', node: 'nobody' },
    { action: 'crash-pods', selector: 'a in (' },
    { action: 'crash-pods', exitCode: 1.5 },
    { action: 'cut-network', forMs: 1e12 },
  ]) {
    const answer = await member.handleFault(request);
    assert.equal(answer.ok, false, JSON.stringify(request));
  }
});

test('a member that starts again on its storage goes on where it was', async () => {
  const before = await startTestMember();
  const { storage, clock } = before;
  await create(before.client, web(2));
  await untilAvailable(before, 2);
  await create(before.client, worker({ completions: 3 }));
  await clock.advance(1000);
  await before[Symbol.asyncDispose]();

  await using after = await startTestMember({ storage, clock });
  await untilAvailable(after, 2);
  assert.equal((await after.client.list(resources.nodes)).items.length, 3);
  await after.until('the Job is complete', async () => {
    const job = await after.client.get(resources.jobs, { namespace, name: 'sums' });
    return job.status?.completionTime !== undefined;
  });
  const job = await after.client.get(resources.jobs, { namespace, name: 'sums' });
  assert.equal(job.status?.succeeded, 3);
});

test('without workloads only the API server and its housekeeping run', async () => {
  await using started = await startTestMember({ simulate: 'none' });
  const { client, clock } = started;
  await create(client, web(1));
  await create(client, single('web'));
  await clock.advance(10_000);
  assert.equal((await client.list(resources.nodes)).items.length, 0);
  assert.equal((await client.list(resources.replicaSets, { namespace })).items.length, 0);
  const pod = await podNamed(client, 'web');
  assert.equal(pod.spec.nodeName, undefined);
  assert.equal(pod.spec.tolerations?.length, 2);
  await client.create(resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'gone' },
  });
  await client.delete(resources.namespaces, { name: 'gone' });
  await started.until('the namespace is emptied and gone', async () => {
    const found = await client.find(resources.namespaces, { name: 'gone' });
    return found === undefined;
  });
});

test('many nodes are cheap: an idle cluster writes nothing', async () => {
  await using started = await startTestMember({ nodes: { count: 300 } });
  const { storage, clock, client } = started;
  assert.equal((await client.list(resources.nodes)).items.length, 300);
  await clock.advance(10_000);
  const revision = await storage.currentRevision();
  await clock.advance(600_000);
  assert.equal(await storage.currentRevision(), revision);
});

test('who makes what is not simulated is told so', async () => {
  await using started = await startTestMember();
  const { client } = started;
  const spec = {
    replicas: 1,
    template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'c' }] } },
  };
  const controllers = resource({
    group: '',
    version: 'v1',
    resource: 'replicationcontrollers',
    namespaced: true,
  });
  const events = resource<Event>({ group: '', version: 'v1', resource: 'events', namespaced: true });
  await client.create(controllers, {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'old', namespace },
    spec,
  });
  await started.until('there is an event', async () => {
    const { items } = await client.list(events, { namespace });
    return items.some(
      ({ reason, involvedObject }) => reason === 'NotSimulated' && involvedObject.name === 'old',
    );
  });
});

test('a Deployment is typed as the API server gives it out', async () => {
  await using started = await startTestMember({ simulate: 'none' });
  const stored = (await create(started.client, web(1))) as Deployment;
  assert.equal(stored.spec.progressDeadlineSeconds, 600);
});
