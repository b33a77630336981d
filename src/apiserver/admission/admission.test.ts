import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { badRequest, type AdmissionAttributes, type Status } from '../../machinery/index.ts';
import { serve, type Answer, type Served } from '../testing/served.ts';

const NS = '/api/v1/namespaces/default';
const PODS = `${NS}/pods`;

function pod(name: string, container: object = {}, spec: object = {}): object {
  return {
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'nginx', ...container }], ...spec },
  };
}

function refused(answer: Answer, status: number, message: RegExp): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.match((answer.body as Status).message ?? '', message);
}

const withoutAccounts = (): Promise<Served> => serve({ disabledAdmission: ['ServiceAccount'] });

test('nothing is made in a namespace that is not there, or is going', async () => {
  const served = await serve();
  const body = { metadata: { name: 'a' } };
  refused(await served.send('POST', '/api/v1/namespaces/none/configmaps', body), 404, /"none" not found/);
  await served.must('POST', '/api/v1/namespaces', { metadata: { name: 'going' } });
  await served.must('DELETE', '/api/v1/namespaces/going');
  const late = await served.send('POST', '/api/v1/namespaces/going/configmaps', body);
  refused(late, 403, /unable to create new content in namespace going because it is being terminated/);
});

test('the namespaces that hold a cluster together cannot be deleted', async () => {
  const served = await serve();
  refused(await served.send('DELETE', '/api/v1/namespaces/default'), 403, /may not be deleted/);
});

test('a pod runs as the default service account, with a token of its own mounted', async () => {
  const served = await serve();
  refused(await served.send('POST', PODS, pod('web')), 403, /serviceaccount "default" not found/);
  await served.must('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } });
  const { spec } = (await served.must('POST', PODS, pod('web'))) as KubeObject & {
    readonly spec: {
      readonly serviceAccountName: string;
      readonly volumes: readonly { readonly name: string }[];
      readonly containers: readonly { readonly volumeMounts: readonly { readonly mountPath: string }[] }[];
    };
  };
  assert.equal(spec.serviceAccountName, 'default');
  assert.match(spec.volumes[0]?.name ?? '', /^kube-api-access-/);
  const mounted = spec.containers[0]?.volumeMounts.map(({ mountPath }) => mountPath);
  assert.deepEqual(mounted, ['/var/run/secrets/kubernetes.io/serviceaccount']);
});

test('where pods are templates, one is taken as it is as long as its account is not there', async () => {
  const served = await serve({ podsAreTemplates: true });
  const { spec } = (await served.must('POST', PODS, pod('web'))) as KubeObject & { readonly spec: object };
  assert.deepEqual(
    ['serviceAccountName', 'volumes'].filter((field) => field in spec),
    [],
  );
  const named = (await served.must(
    'POST',
    PODS,
    pod('job', {}, { serviceAccountName: 'robot' }),
  )) as KubeObject & {
    readonly spec: object;
  };
  assert.equal('volumes' in named.spec, false);
  await served.must('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } });
  const later = (await served.must('POST', PODS, pod('later'))) as KubeObject & { readonly spec: object };
  assert.equal('volumes' in later.spec, true);
});

test('a pod waits five minutes at nodes that are lost, unless it says otherwise', async () => {
  const served = await withoutAccounts();
  const keyOf = ({ key, tolerationSeconds }: { key: string; tolerationSeconds: number }): string =>
    `${key} ${tolerationSeconds}`;
  const tolerations = async (name: string, spec: object): Promise<readonly string[]> => {
    const made = await served.must('POST', PODS, pod(name, {}, spec));
    return (made['spec'] as { tolerations: Parameters<typeof keyOf>[0][] }).tolerations.map(keyOf);
  };
  const lost = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' };
  assert.deepEqual(await tolerations('a', {}), [
    'node.kubernetes.io/not-ready 300',
    'node.kubernetes.io/unreachable 300',
  ]);
  assert.deepEqual(await tolerations('b', { tolerations: [{ ...lost, tolerationSeconds: 5 }] }), [
    'node.kubernetes.io/not-ready 5',
    'node.kubernetes.io/unreachable 300',
  ]);
});

test('only one class of priorities is the default', async () => {
  const served = await serve();
  const classes = '/apis/scheduling.k8s.io/v1/priorityclasses';
  const merge = { contentType: 'application/merge-patch+json' };
  const second = { metadata: { name: 'b' }, value: 2, globalDefault: true };
  await served.must('POST', classes, { metadata: { name: 'a' }, value: 1, globalDefault: true });
  const why =
    /^priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already marked as default. Only one default can exist$/;
  refused(await served.send('POST', classes, second), 403, why);
  await served.must('POST', classes, { ...second, globalDefault: false });
  refused(await served.send('PATCH', `${classes}/b`, { globalDefault: true }, merge), 403, why);
  await served.must('PATCH', `${classes}/a`, { description: 'still the default' }, merge);
});

test('whether a pod preempts others is up to its class', async () => {
  const served = await withoutAccounts();
  const never = await served.send('POST', PODS, pod('a', {}, { preemptionPolicy: 'Never' }));
  refused(
    never,
    403,
    /the string value of PreemptionPolicy \(Never\) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name/,
  );
});

test('a pod has the priority of its class, and none that it names itself', async () => {
  const served = await withoutAccounts();
  const classes = '/apis/scheduling.k8s.io/v1/priorityclasses';
  await served.must('POST', classes, { metadata: { name: 'high' }, value: 1000 });
  const made = await served.must('POST', PODS, pod('a', {}, { priorityClassName: 'high' }));
  assert.partialDeepStrictEqual(made['spec'], { priority: 1000, preemptionPolicy: 'PreemptLowerPriority' });
  const unknown = await served.send('POST', PODS, pod('b', {}, { priorityClassName: 'none' }));
  refused(unknown, 403, /no PriorityClass with name none was found/);
  const own = await served.send('POST', PODS, pod('c', {}, { priorityClassName: 'high', priority: 7 }));
  refused(own, 403, /the integer value of priority \(7\) must not be provided in pod spec/);
});

test('a limit range gives containers what they do not say, and refuses what is too much', async () => {
  const served = await withoutAccounts();
  const limits = [
    { type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '100m' }, max: { cpu: '2' } },
  ];
  await served.must('POST', `${NS}/limitranges`, { metadata: { name: 'limits' }, spec: { limits } });
  const made = await served.must('POST', PODS, pod('a'));
  assert.partialDeepStrictEqual(made['spec'], {
    containers: [{ resources: { limits: { cpu: '1' }, requests: { cpu: '100m' } } }],
  });
  const much = await served.send('POST', PODS, pod('b', { resources: { limits: { cpu: '3' } } }));
  refused(much, 403, /maximum cpu usage per Container is 2, but limit is 3/);
});

test('of pods that race for the last of a quota, as many get in as it allows', async () => {
  const served = await withoutAccounts();
  const quota = { metadata: { name: 'quota' }, spec: { hard: { pods: '3' } } };
  const made = await served.must('POST', `${NS}/resourcequotas`, quota);
  const status = { hard: { pods: '3' }, used: { pods: '0' } };
  await served.must('PUT', `${NS}/resourcequotas/quota/status`, { ...made, status });
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => served.send('POST', PODS, pod(`p${i}`))),
  );
  assert.equal(answers.filter((answer) => answer.status === 201).length, 3);
  const late = answers.find((answer) => answer.status !== 201)!;
  refused(late, 403, /exceeded quota: quota, requested: pods=1, used: pods=3, limited: pods=3/);
});

test('a claim without a class gets the default one, and may not shrink', async () => {
  const served = await serve();
  await served.must('POST', '/apis/storage.k8s.io/v1/storageclasses', {
    metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'example.com/disk',
  });
  const claim = (storage: string): object => ({
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  const claims = `${NS}/persistentvolumeclaims`;
  const made = await served.must('POST', claims, claim('2Gi'));
  assert.equal((made['spec'] as { storageClassName?: string }).storageClassName, 'fast');
  assert.deepEqual(made.metadata.finalizers, ['kubernetes.io/pvc-protection']);
  const more = { contentType: 'application/merge-patch+json' };
  const { spec } = claim('1Gi') as { spec: { resources: object } };
  const shrunk = await served.send('PATCH', `${claims}/data`, { spec: { resources: spec.resources } }, more);
  assert.equal(shrunk.status, 422);
});

test('a rule of the caller sees what the one before has made of an object, and its refusal is the answer', async () => {
  const configMaps = ({ resource }: AdmissionAttributes): boolean => resource === 'configmaps';
  const served = await serve({
    admission: [
      {
        name: 'colours',
        handles: configMaps,
        mutate: ({ object }) => ({ ...object!, data: { colour: object!.metadata.name ?? '' } }),
      },
      {
        name: 'no-blue',
        handles: configMaps,
        validate: ({ object }) => {
          if (object?.metadata.name === 'blue') throw badRequest('not blue');
        },
      },
    ],
  });
  const made = await served.must('POST', `${NS}/configmaps`, { metadata: { name: 'red' } });
  assert.deepEqual(made['data'], { colour: 'red' });
  refused(await served.send('POST', `${NS}/configmaps`, { metadata: { name: 'blue' } }), 400, /^not blue$/);
});
