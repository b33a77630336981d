import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const MERGE = { contentType: 'application/merge-patch+json' };
const JSON_PATCH = { contentType: 'application/json-patch+json' };
const STRATEGIC = { contentType: 'application/strategic-merge-patch+json' };
const APPLY = { contentType: 'application/apply-patch+yaml' };

function deployment(name: string, container: object = {}): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: 'nginx', ...container }] },
      },
    },
  };
}

interface Spec {
  readonly replicas: number;
  readonly template: { readonly spec: { readonly containers: readonly Record<string, unknown>[] } };
}
const specOf = (object: KubeObject): Spec => object['spec'] as Spec;

test('a new object gets an identity of its own, and nothing that only the server may say', async () => {
  const served = await serve();
  const { metadata } = await served.must('POST', CONFIG_MAPS, {
    metadata: {
      name: 'a',
      uid: 'mine',
      creationTimestamp: '2001-01-01T00:00:00Z',
      deletionTimestamp: '2001-01-01T00:00:00Z',
      selfLink: '/here',
    },
  });
  assert.match(metadata.uid ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(metadata.creationTimestamp, '2026-01-01T00:00:00Z');
  assert.equal(metadata.deletionTimestamp, undefined);
  assert.equal('selfLink' in metadata, false);
});

test('a generated name begins as asked and ends with five characters', async () => {
  const served = await serve();
  const { metadata } = await served.must('POST', CONFIG_MAPS, { metadata: { generateName: 'run-' } });
  assert.match(metadata.name ?? '', /^run-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.equal(metadata.generateName, 'run-');
});

test('the generation counts changes of the spec, not of metadata or status', async () => {
  const served = await serve();
  const path = `${DEPLOYMENTS}/web`;
  const generations: (number | undefined)[] = [];
  const note = ({ metadata }: KubeObject): number => generations.push(metadata.generation);
  note(await served.must('POST', DEPLOYMENTS, deployment('web')));
  note(await served.must('PATCH', path, { metadata: { labels: { a: 'b' } } }, MERGE));
  note(await served.must('PATCH', path, { spec: { replicas: 3 } }, MERGE));
  note(await served.must('PATCH', `${path}/status`, { status: { replicas: 3 } }, MERGE));
  note(await served.must('PATCH', `${path}/scale`, { spec: { replicas: 4 } }, MERGE));
  note(await served.must('GET', path));
  assert.deepEqual(generations, [1, 1, 2, 2, undefined, 3]);
});

test('the status endpoint writes the status alone, and the main endpoint everything else', async () => {
  const served = await serve();
  const path = `${DEPLOYMENTS}/web`;
  const made = await served.must('POST', DEPLOYMENTS, deployment('web'));
  const both = { ...made, spec: { ...specOf(made), replicas: 9 }, status: { replicas: 9 } };
  const status = await served.must('PUT', `${path}/status`, both);
  assert.equal(specOf(status).replicas, 1);
  assert.deepEqual(status['status'], { replicas: 9 });
  const main = await served.must('PUT', path, {
    ...both,
    metadata: status.metadata,
    status: { replicas: 5 },
  });
  assert.equal(specOf(main).replicas, 9);
  assert.deepEqual(main['status'], { replicas: 9 });
});

test('a write that changes nothing leaves the revision as it is', async () => {
  const served = await serve();
  const made = await served.must('POST', DEPLOYMENTS, deployment('web'));
  const put = await served.must('PUT', `${DEPLOYMENTS}/web`, made);
  assert.equal(put.metadata.resourceVersion, made.metadata.resourceVersion);
  const patched = await served.must('PATCH', `${DEPLOYMENTS}/web`, { spec: { replicas: 1 } }, MERGE);
  assert.equal(patched.metadata.resourceVersion, made.metadata.resourceVersion);
});

test('a patch of containers merges them by name', async () => {
  const served = await serve();
  await served.must('POST', DEPLOYMENTS, deployment('web', { env: [{ name: 'A', value: '1' }] }));
  const containers = [
    { name: 'main', env: [{ name: 'B', value: '2' }] },
    { name: 'side', image: 'busybox' },
  ];
  const body = { spec: { template: { spec: { containers } } } };
  const patched = await served.must('PATCH', `${DEPLOYMENTS}/web`, body, STRATEGIC);
  const seen = specOf(patched).template.spec.containers.map(({ name, image, env }) => [name, image, env]);
  assert.deepEqual(seen, [
    [
      'main',
      'nginx',
      [
        { name: 'B', value: '2' },
        { name: 'A', value: '1' },
      ],
    ],
    ['side', 'busybox', undefined],
  ]);
});

test('who applies what another has applied meets a conflict, unless by force', async () => {
  const served = await serve();
  const apply = (fieldManager: string, replicas: number, query: object = {}): ReturnType<Served['send']> => {
    const { spec, ...rest } = deployment('web') as KubeObject;
    const body = { ...rest, spec: { ...(spec as object), replicas } };
    return served.send('PATCH', `${DEPLOYMENTS}/web`, body, { ...APPLY, query: { fieldManager, ...query } });
  };
  assert.equal((await apply('one', 1)).status, 201);
  const refused = await apply('two', 2);
  assert.equal(refused.status, 409);
  assert.deepEqual((refused.body as Status).details?.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.replicas' },
  ]);
  const forced = await apply('two', 2, { force: 'true' });
  assert.equal(specOf(forced.body as KubeObject).replicas, 2);
});

type Write = readonly [method: 'POST' | 'PUT' | 'PATCH', path: string, body: unknown, more?: object];
const REFUSALS: readonly [why: string, write: Write, status: number, reason: string, message: RegExp][] = [
  [
    'a name that is taken',
    ['POST', CONFIG_MAPS, { metadata: { name: 'a' } }],
    409,
    'AlreadyExists',
    /^configmaps "a" already exists$/,
  ],
  ['no name', ['POST', CONFIG_MAPS, { metadata: {} }], 422, 'Invalid', /name or generateName is required/],
  ['a bad name', ['POST', CONFIG_MAPS, { metadata: { name: 'A_b' } }], 422, 'Invalid', /RFC 1123 subdomain/],
  [
    'another namespace than the path says',
    ['POST', CONFIG_MAPS, { metadata: { name: 'b', namespace: 'other' } }],
    400,
    'BadRequest',
    /does not match the namespace/,
  ],
  [
    'another kind than the path says',
    ['POST', CONFIG_MAPS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'b' } }],
    400,
    'BadRequest',
    /ConfigMap/,
  ],
  [
    'a namespace that is not there',
    ['POST', '/api/v1/namespaces/nowhere/configmaps', { metadata: { name: 'b' } }],
    404,
    'NotFound',
    /^namespaces "nowhere" not found$/,
  ],
  [
    'another name than the path says',
    ['PUT', `${CONFIG_MAPS}/a`, { metadata: { name: 'b' } }],
    400,
    'BadRequest',
    /name/,
  ],
  [
    'an old revision',
    ['PUT', `${CONFIG_MAPS}/a`, { metadata: { name: 'a', resourceVersion: '1' } }],
    409,
    'Conflict',
    /the object has been modified/,
  ],
  [
    'another uid',
    ['PUT', `${CONFIG_MAPS}/a`, { metadata: { name: 'a', uid: 'other' } }],
    409,
    'Conflict',
    /Precondition failed: UID in precondition: other/,
  ],
  [
    'a patch of what is not there',
    ['PATCH', `${CONFIG_MAPS}/none`, {}, MERGE],
    404,
    'NotFound',
    /^configmaps "none" not found$/,
  ],
  [
    'a JSON patch whose test fails',
    ['PATCH', `${CONFIG_MAPS}/a`, [{ op: 'test', path: '/data/k', value: 'no' }], JSON_PATCH],
    422,
    'Invalid',
    /the server rejected our request due to an error in our request/,
  ],
  [
    'an unknown kind of patch',
    ['PATCH', `${CONFIG_MAPS}/a`, {}, { contentType: 'text/plain' }],
    415,
    'UnsupportedMediaType',
    /Unsupported Media Type|accepted media types/,
  ],
  [
    'applying without a field manager',
    ['PATCH', `${CONFIG_MAPS}/a`, { apiVersion: 'v1', kind: 'ConfigMap' }, APPLY],
    422,
    'Invalid',
    /fieldManager: Required value/,
  ],
  [
    'an unknown field, strictly',
    [
      'POST',
      CONFIG_MAPS,
      { metadata: { name: 'b' }, colour: 'red' },
      { query: { fieldValidation: 'Strict' } },
    ],
    400,
    'BadRequest',
    /strict decoding error: unknown field "colour"/,
  ],
  [
    'a field of another type',
    ['POST', CONFIG_MAPS, { metadata: { name: 'b' }, data: { n: 1 } }],
    400,
    'BadRequest',
    /cannot unmarshal number into Go struct field ConfigMap.data of type string/,
  ],
  [
    'a dry run of an unknown sort',
    ['POST', CONFIG_MAPS, { metadata: { name: 'b' } }, { query: { dryRun: 'Some' } }],
    422,
    'Invalid',
    /dryRun/,
  ],
  [
    'a changed selector',
    ['PATCH', `${DEPLOYMENTS}/web`, { spec: { selector: { matchLabels: { app: 'x' } } } }, MERGE],
    422,
    'Invalid',
    /field is immutable/,
  ],
];

for (const [why, [method, path, body, more], status, reason, message] of REFUSALS) {
  test(`a write is refused for ${why}`, async () => {
    const served = await serve();
    await served.must('POST', CONFIG_MAPS, { metadata: { name: 'a' }, data: { k: 'v' } });
    await served.must('POST', DEPLOYMENTS, deployment('web'));
    const before = await served.storage.currentRevision();
    const answer = await served.send(method, path, body, more);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    const refusal = answer.body as Status;
    assert.equal(refusal.reason, reason);
    assert.match(refusal.message ?? '', message);
    assert.equal(await served.storage.currentRevision(), before, 'nothing was written');
  });
}

test('a dry run does everything but write', async () => {
  const served = await serve();
  const before = await served.storage.currentRevision();
  const made = await served.must('POST', DEPLOYMENTS, deployment('web'), { query: { dryRun: 'All' } });
  assert.equal(specOf(made).replicas, 1, 'with its defaults');
  assert.equal(await served.storage.currentRevision(), before);
});

test('of writers that race without a revision every one succeeds, and the last patch of each field is kept', async () => {
  const served = await serve();
  await served.must('POST', CONFIG_MAPS, { metadata: { name: 'a' } });
  const writers = Array.from({ length: 20 }, (_, i) => i);
  const patch = (i: number): Promise<KubeObject> =>
    served.must('PATCH', `${CONFIG_MAPS}/a`, { data: { [`k${i}`]: String(i) } }, MERGE);
  await Promise.all(writers.map(patch));
  const { data } = (await served.must('GET', `${CONFIG_MAPS}/a`)) as KubeObject & { data: object };
  assert.deepEqual(data, Object.fromEntries(writers.map((i) => [`k${i}`, String(i)])));
});

test('keys that JavaScript knows are keys like any other', async () => {
  const served = await serve();
  const body: unknown = JSON.parse(
    '{"metadata":{"name":"a","labels":{"constructor":"x"}},"data":{"__proto__":"y","toString":"z"}}',
  );
  await served.must('POST', CONFIG_MAPS, body);
  const { items } = await served.list(CONFIG_MAPS, { labelSelector: 'constructor=x' });
  assert.deepEqual(Object.keys(items[0]!['data'] as object).sort(), ['__proto__', 'toString']);
  assert.deepEqual((await served.list(CONFIG_MAPS, { labelSelector: 'toString' })).items, []);
});

test('a configuration that is applied says its kind and version, and says no other', async () => {
  const served = await serve();
  const apply = async (more: object): Promise<string> => {
    const { status, body } = await served.send(
      'PATCH',
      '/api/v1/namespaces/default/configmaps/a',
      { metadata: { name: 'a' }, ...more },
      { contentType: 'application/apply-patch+yaml', query: { fieldManager: 'm' } },
    );
    return `${status} ${(body as Status).message ?? ''}`;
  };
  assert.equal(await apply({ apiVersion: 'v1' }), '400 invalid object type: /v1, Kind=');
  assert.equal(await apply({ kind: 'ConfigMap' }), '400 invalid object type: /, Kind=ConfigMap');
  assert.equal(
    await apply({ apiVersion: 'apps/v1', kind: 'ConfigMap' }),
    '400 invalid object type: apps/v1, Kind=ConfigMap',
  );
  assert.equal(
    await apply({ apiVersion: 'v1', kind: 'Secret' }),
    '400 invalid object type: /v1, Kind=Secret',
  );
});

test('who makes a namespace owns its label, and nobody owns where a pod was bound', async () => {
  const served = await serve({ disabledAdmission: ['ServiceAccount'] });
  const owners = ({ metadata }: KubeObject): unknown =>
    (metadata.managedFields ?? []).map(({ operation, subresource = '', fieldsV1 }) => [
      operation,
      subresource,
      Object.keys(fieldsV1 ?? {}),
    ]);
  const space = await served.must('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  assert.deepEqual(space.metadata.managedFields?.[0]?.fieldsV1, {
    'f:metadata': { 'f:labels': { '.': {}, 'f:kubernetes.io/metadata.name': {} } },
  });
  const pods = '/api/v1/namespaces/default/pods';
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  await served.must('POST', pods, { metadata: { name: 'p' }, spec });
  await served.must('POST', `${pods}/p/binding`, { metadata: { name: 'p' }, target: { name: 'n' } });
  const bound = await served.must('GET', `${pods}/p`);
  assert.equal((bound['spec'] as { nodeName?: string }).nodeName, 'n');
  assert.deepEqual(owners(bound), [['Update', '', ['f:spec']]]);
});

test('an owner named twice is kept once, and the client is told', async () => {
  const served = await serve();
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u' };
  const other = { ...owner, name: 'y', uid: 'v' };
  const text = (when: string, uids: string): string =>
    `299 - ".metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, ` +
    `and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}"`;
  const body = { metadata: { name: 'owned', ownerReferences: [owner, other, owner, other] } };
  assert.deepEqual(await served.warnings('POST', CONFIG_MAPS, body), [text('', 'u, v')]);
  const path = `${CONFIG_MAPS}/owned`;
  assert.deepEqual((await served.must('GET', path)).metadata.ownerReferences, [owner, other]);
  const put = { metadata: { name: 'owned', ownerReferences: [other, other] } };
  assert.deepEqual(await served.warnings('PUT', path, put), [text('', 'v')]);
  const patch = { metadata: { ownerReferences: [owner, owner, { ...owner, name: 'z' }] } };
  const after = text(' after mutating admission happens', 'u');
  assert.deepEqual(await served.warnings('PATCH', path, patch, MERGE), [after]);
  const { ownerReferences } = (await served.must('GET', path)).metadata;
  assert.deepEqual(ownerReferences, [owner, { ...owner, name: 'z' }]);
});
