import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  builtinSchema,
  deepFreeze,
  resolveRef,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type ManagedFieldsEntry,
  type Schema,
} from '../../api/index.ts';
import {
  StatusError,
  applyMergePatch,
  decodeTyped,
  keepTimes,
  serverSideApply,
  trackUpdate,
  type FieldManagement,
} from '../index.ts';

function managementOf(
  definition: string,
  apiVersion: string,
  kind: string,
  more: Partial<FieldManagement> = {},
): FieldManagement {
  const schema = builtinSchema(definition);
  assert(schema !== undefined);
  return { apiVersion, kind, schema, resolveRef, ...more };
}
const configMaps = managementOf('io.k8s.api.core.v1.ConfigMap', 'v1', 'ConfigMap');
const deployments = managementOf('io.k8s.api.apps.v1.Deployment', 'apps/v1', 'Deployment', {
  resetFields: [['status']],
});
const deploymentStatus = {
  ...deployments,
  subresource: 'status',
  resetFields: [['spec'], ['metadata', 'labels']],
};
const services = managementOf('io.k8s.api.core.v1.Service', 'v1', 'Service');

/** One stored object, and what the write path of an API server does around field management. */
class Stored {
  live: KubeObject | undefined;
  now = Date.UTC(2026, 0, 1);

  apply(management: FieldManagement, manager: string, fields: JsonObject, force = false): KubeObject {
    const { apiVersion, kind } = management;
    const metadata = { name: 'a', ...(fields['metadata'] as JsonObject | undefined) };
    const applied = { apiVersion, kind, ...fields, metadata } as unknown as KubeObject;
    const merged = serverSideApply(
      { live: this.live, applied, manager, force, now: this.#tick() },
      management,
    );
    return this.#store(merged, management);
  }

  update(management: FieldManagement, manager: string, patch: JsonObject): KubeObject {
    const { apiVersion, kind } = management;
    const before = this.live ?? { apiVersion, kind, metadata: { name: 'a' } };
    const next = applyMergePatch(before as unknown as JsonValue, patch) as unknown as KubeObject;
    return this.#store(
      trackUpdate({ live: this.live, next, manager, now: this.#tick() }, management),
      management,
    );
  }

  #tick(): number {
    this.now += 60_000;
    return this.now;
  }

  #store(object: KubeObject, { schema, resolveRef: resolve }: FieldManagement): KubeObject {
    const value = object as unknown as JsonValue;
    const decoded = resolve === undefined ? value : decodeTyped(value, schema, resolve).value;
    const final = keepTimes(decoded as unknown as KubeObject, this.live);
    this.live = deepFreeze({ ...final, metadata: { ...final.metadata, uid: 'u1' } });
    return this.live;
  }

  /** `manager operation apiVersion subresource: fieldsV1`, in order. */
  get managers(): string[] {
    return (this.live?.metadata.managedFields ?? []).map(
      ({ manager, operation, apiVersion, subresource = '', fieldsV1 }) =>
        `${manager} ${operation} ${apiVersion}${subresource === '' ? '' : `/${subresource}`}: ${JSON.stringify(fieldsV1)}`,
    );
  }

  field(path: string): unknown {
    return path
      .split('.')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], this.live);
  }
}

function conflict(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert(error instanceof StatusError, String(error));
    assert.equal(error.code, 409);
    assert.equal(error.reason, 'Conflict');
    for (const cause of error.status.details?.causes ?? [])
      assert.equal(cause.reason, 'FieldManagerConflict');
    return error.message;
  }
  assert.fail('no conflict');
}

const data = (fields: JsonObject): JsonObject => ({ data: fields });

test('apply creates an object and owns what the configuration sets', () => {
  const stored = new Stored();
  stored.apply(configMaps, 'tool', { metadata: { labels: { x: 'y' } }, ...data({ a: '1' }) });
  assert.deepEqual(stored.managers, [
    'tool Apply v1: {"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:x":{}}}}',
  ]);
  assert.deepEqual(stored.live?.metadata.managedFields?.[0]?.time, '2026-01-01T00:01:00Z');
});

test('applying the same again changes nothing, the time included', () => {
  const stored = new Stored();
  const first = stored.apply(configMaps, 'tool', data({ a: '1' }));
  const second = stored.apply(configMaps, 'tool', data({ a: '1' }));
  assert.equal(second.metadata.managedFields, first.metadata.managedFields);
});

test('one conflict is named in the message and in the cause', () => {
  const stored = new Stored();
  stored.apply(configMaps, 'one', data({ a: '1', b: '2' }));
  assert.equal(
    conflict(() => stored.apply(configMaps, 'two', data({ a: 'x' }))),
    'Apply failed with 1 conflict: conflict with "one": .data.a',
  );
});

test('several conflicts are listed by manager', () => {
  const stored = new Stored();
  stored.apply(configMaps, 'one', data({ a: '1', b: '2' }));
  stored.update(configMaps, 'edit', data({ c: '3' }));
  assert.equal(
    conflict(() => stored.apply(configMaps, 'two', data({ b: 'y', a: 'x', c: 'z' }))),
    'Apply failed with 3 conflicts: conflicts with "edit" using v1:\n- .data.c\nconflicts with "one":\n- .data.a\n- .data.b',
  );
});

test('force takes fields over', () => {
  const stored = new Stored();
  stored.apply(configMaps, 'one', data({ a: '1', b: '2' }));
  stored.apply(configMaps, 'two', data({ a: 'x' }), true);
  assert.deepEqual(stored.field('data'), { a: 'x', b: '2' });
  assert.deepEqual(stored.managers, [
    'one Apply v1: {"f:data":{"f:b":{}}}',
    'two Apply v1: {"f:data":{"f:a":{}}}',
  ]);
  stored.apply(configMaps, 'one', data({ b: '3' }));
  assert.deepEqual(stored.field('data'), { a: 'x', b: '3' });
});

test('what is applied no longer is removed, down to the last field', () => {
  const stored = new Stored();
  stored.apply(configMaps, 'one', { metadata: { labels: { l: 'm' } }, ...data({ a: '1', b: '2', c: '3' }) });
  stored.apply(configMaps, 'one', data({ a: '1' }));
  assert.deepEqual(stored.field('data'), { a: '1' });
  assert.equal(stored.field('metadata.labels'), undefined);
  stored.apply(configMaps, 'one', {});
  assert.equal(stored.field('data'), undefined);
  assert.equal(stored.live?.metadata.managedFields, undefined);
});

test('a field that two apply alike belongs to both, and stays when one drops it', () => {
  const stored = new Stored();
  stored.apply(configMaps, 'one', data({ a: '1' }));
  stored.apply(configMaps, 'two', data({ a: '1' }));
  assert.deepEqual(stored.managers.length, 2);
  stored.apply(configMaps, 'one', {});
  assert.deepEqual(stored.field('data'), { a: '1' });
  assert.deepEqual(stored.managers, ['two Apply v1: {"f:data":{"f:a":{}}}']);
  stored.apply(configMaps, 'two', data({ a: '7' }));
  assert.deepEqual(stored.field('data'), { a: '7' });
});

test('updates own what they change, and take it from whoever had it', () => {
  const stored = new Stored();
  stored.update(configMaps, 'creator', data({ a: '1' }));
  assert.deepEqual(stored.managers, ['creator Update v1: {"f:data":{".":{},"f:a":{}}}']);
  stored.update(configMaps, 'editor', data({ b: '2' }));
  stored.update(configMaps, 'patcher', data({ a: '5' }));
  stored.update(configMaps, '', data({ z: '1' }));
  assert.deepEqual(stored.managers, [
    'creator Update v1: {"f:data":{}}',
    'editor Update v1: {"f:data":{"f:b":{}}}',
    'patcher Update v1: {"f:data":{"f:a":{}}}',
    'unknown Update v1: {"f:data":{"f:z":{}}}',
  ]);
});

test('an update that removes a field leaves it to nobody', () => {
  const stored = new Stored();
  stored.apply(configMaps, 'one', data({ a: '1', b: '2' }));
  stored.update(configMaps, 'edit', data({ a: null }));
  assert.deepEqual(stored.managers, ['one Apply v1: {"f:data":{"f:b":{}}}']);
});

test('an update that changes nothing keeps managedFields as they are', () => {
  const stored = new Stored();
  const first = stored.update(configMaps, 'one', data({ a: '1' }));
  const second = stored.update(configMaps, 'two', data({ a: '1' }));
  assert.equal(second.metadata.managedFields, first.metadata.managedFields);
});

test('apply conflicts with what was updated, unless it agrees', () => {
  const stored = new Stored();
  stored.update(configMaps, 'creator', data({ a: '1' }));
  assert.equal(
    conflict(() => stored.apply(configMaps, 'ap', data({ a: '2' }))),
    'Apply failed with 1 conflict: conflict with "creator" using v1: .data.a',
  );
  stored.apply(configMaps, 'ap', data({ a: '1', n: '4' }));
  stored.update(configMaps, 'edit', data({ a: '9' }));
  assert.deepEqual(stored.managers, [
    'ap Apply v1: {"f:data":{"f:n":{}}}',
    'creator Update v1: {"f:data":{}}',
    'edit Update v1: {"f:data":{"f:a":{}}}',
  ]);
});

const template = (container: JsonObject): JsonObject => ({
  metadata: { labels: { app: 'a' } },
  spec: { containers: [container] },
});
const ONE = `{"f:spec":{"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:containers":{"k:{\\"name\\":\\"main\\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{}}}}}}}}}`;

test('containers are owned by name, ports by number and protocol with its default', () => {
  const stored = new Stored();
  const selector = { matchLabels: { app: 'a' } };
  const main = { name: 'main', image: 'nginx:1', ports: [{ containerPort: 80 }] };
  stored.apply(deployments, 'one', { spec: { selector, template: template(main) } });
  assert.deepEqual(stored.managers, [`one Apply apps/v1: ${ONE}`]);
  const side = { spec: { template: { spec: { containers: [{ name: 'side', image: 's:1' }] } } } };
  stored.apply(deployments, 'two', side);
  assert.deepEqual(
    (stored.field('spec.template.spec.containers') as { name: string }[]).map(({ name }) => name),
    ['main', 'side'],
  );
  stored.apply(deployments, 'two', { spec: {} });
  assert.equal((stored.field('spec.template.spec.containers') as unknown[]).length, 1);
  assert.deepEqual(stored.managers, [`one Apply apps/v1: ${ONE}`, 'two Apply apps/v1: {"f:spec":{}}']);
});

test('a conflict inside items of lists names them by their keys', () => {
  const stored = new Stored();
  const spec = (value: string): JsonObject => ({
    spec: { template: template({ name: 'main', env: [{ name: 'B', value }] }) },
  });
  stored.apply(deployments, 'one', spec('1'));
  assert.match(
    conflict(() => stored.apply(deployments, 'two', spec('2'))),
    /: \.spec\.template\.spec\.containers\[name="main"\]\.env\[name="B"\]\.value$/,
  );
});

test('items of a set are owned one by one', () => {
  const stored = new Stored();
  const finalizers = (...names: string[]): JsonObject => ({ metadata: { finalizers: names } });
  stored.apply(configMaps, 'one', finalizers('e.com/a'));
  stored.apply(configMaps, 'two', finalizers('e.com/b'));
  assert.deepEqual(stored.field('metadata.finalizers'), ['e.com/a', 'e.com/b']);
  assert.deepEqual(
    stored.managers[0],
    'one Apply v1: {"f:metadata":{"f:finalizers":{"v:\\"e.com/a\\"":{}}}}',
  );
  stored.apply(configMaps, 'one', {});
  assert.deepEqual(stored.field('metadata.finalizers'), ['e.com/b']);
  stored.apply(configMaps, 'two', {});
  assert.equal(stored.field('metadata.finalizers'), undefined);
});

test('an atomic map is owned as a whole', () => {
  const stored = new Stored();
  stored.apply(services, 'one', { spec: { selector: { a: '1' } } });
  const other = { spec: { selector: { b: '2' } } };
  assert.equal(
    conflict(() => stored.apply(services, 'two', other)),
    'Apply failed with 1 conflict: conflict with "one": .spec.selector',
  );
  stored.apply(services, 'two', other, true);
  assert.deepEqual(stored.field('spec.selector'), { b: '2' });
});

test('fields that an endpoint resets are not owned through it', () => {
  const stored = new Stored();
  stored.apply(deployments, 'one', { spec: { replicas: 2 }, status: { replicas: 7 } });
  assert.deepEqual(stored.managers, ['one Apply apps/v1: {"f:spec":{"f:replicas":{}}}']);
  stored.apply(deploymentStatus, 'ctl', { spec: { replicas: 9 }, status: { readyReplicas: 1 } }, true);
  assert.deepEqual(stored.managers[1], 'ctl Apply apps/v1/status: {"f:status":{"f:readyReplicas":{}}}');
});

test('scaling through the subresource takes the replicas over, and is named in conflicts', () => {
  const stored = new Stored();
  stored.apply(deployments, 'one', { spec: { replicas: 2, paused: true } });
  stored.update({ ...deployments, subresource: 'scale' }, 'scaler', { spec: { replicas: 5 } });
  assert.deepEqual(stored.managers, [
    'one Apply apps/v1: {"f:spec":{"f:paused":{}}}',
    'scaler Update apps/v1/scale: {"f:spec":{"f:replicas":{}}}',
  ]);
  assert.equal(
    conflict(() => stored.apply(deployments, 'one', { spec: { replicas: 2, paused: true } })),
    'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas',
  );
});

test('creating a built-in object does not own the structs that are always there', () => {
  const stored = new Stored();
  stored.update(deployments, 'kubectl-create', {
    metadata: { labels: { app: 'a' } },
    spec: {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
      template: template({ name: 'main', resources: {} }),
    },
  });
  const container = '"f:containers":{"k:{\\"name\\":\\"main\\"}":{".":{},"f:name":{},"f:resources":{}}}';
  const metadata = '"f:metadata":{"f:labels":{".":{},"f:app":{}}}';
  const strategy = '"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{}},"f:type":{}}';
  assert.deepEqual(stored.managers, [
    `kubectl-create Update apps/v1: {${metadata},"f:spec":{"f:replicas":{},${strategy},"f:template":{${metadata},"f:spec":{${container}}}}}`,
  ]);
});

const widgetSchema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          items: { type: 'object', properties: { id: { type: 'string' }, v: { type: 'integer' } } },
        },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        raw: { type: 'array', items: { type: 'string' } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
};
const widgets: FieldManagement = { apiVersion: 'e.com/v1', kind: 'Widget', schema: widgetSchema };
const spec = (fields: JsonObject): JsonObject => ({ spec: fields });

test('custom resources are merged by their schema', () => {
  const stored = new Stored();
  stored.apply(widgets, 'one', spec({ items: [{ id: 'a', v: 1 }], tags: ['x'], raw: ['p'] }));
  stored.apply(widgets, 'two', spec({ items: [{ id: 'b', v: 2 }], tags: ['y'] }));
  assert.deepEqual(stored.field('spec'), {
    items: [
      { id: 'a', v: 1 },
      { id: 'b', v: 2 },
    ],
    tags: ['x', 'y'],
    raw: ['p'],
  });
  assert.deepEqual(
    stored.managers[0],
    'one Apply e.com/v1: {"f:spec":{"f:items":{"k:{\\"id\\":\\"a\\"}":{".":{},"f:id":{},"f:v":{}}},"f:raw":{},"f:tags":{"v:\\"x\\"":{}}}}',
  );
  assert.match(
    conflict(() => stored.apply(widgets, 'two', spec({ raw: ['q'] }))),
    /"one": \.spec\.raw$/,
  );
  stored.apply(widgets, 'one', spec({ tags: ['x'] }));
  assert.deepEqual(stored.field('spec'), { items: [{ id: 'b', v: 2 }], tags: ['x', 'y'] });
});

test('where a schema says nothing, maps are owned key by key and lists as a whole', () => {
  const stored = new Stored();
  stored.apply(widgets, 'one', spec({ free: { a: { b: 1 }, l: [1, 2] } }));
  assert.deepEqual(stored.managers, [
    'one Apply e.com/v1: {"f:spec":{"f:free":{"f:a":{".":{},"f:b":{}},"f:l":{}}}}',
  ]);
  stored.apply(widgets, 'two', spec({ free: { a: { c: 3 } } }));
  assert.deepEqual(stored.field('spec.free'), { a: { b: 1, c: 3 }, l: [1, 2] });
  assert.match(
    conflict(() => stored.apply(widgets, 'two', spec({ free: { l: [3] } }))),
    /\.spec\.free\.l$/,
  );
});

test('fields that were there before the first apply belong to before-first-apply', () => {
  const stored = new Stored();
  stored.update(configMaps, 'one', data({ a: '1' }));
  stored.update(configMaps, 'two', { metadata: { managedFields: [{}] } });
  assert.equal(stored.live?.metadata.managedFields, undefined);
  stored.update(configMaps, 'three', data({ b: '1' }));
  assert.equal(stored.live?.metadata.managedFields, undefined);
  assert.equal(
    conflict(() => stored.apply(configMaps, 'two', data({ a: '3' }))),
    'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
  );
});

test('kubectl takes over what it applied client-side, and keeps the annotation up to date', () => {
  const stored = new Stored();
  const lastApplied = (fields: JsonObject): JsonObject => ({
    metadata: {
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'a' },
          ...fields,
        }),
      },
    },
  });
  stored.update(configMaps, 'kubectl-client-side-apply', {
    ...lastApplied(data({ a: '1' })),
    ...data({ a: '1' }),
  });
  stored.update(configMaps, 'someone', data({ b: '1' }));
  assert.match(
    conflict(() => stored.apply(configMaps, 'other', data({ a: '2' }))),
    /client-side-apply/,
  );
  stored.apply(configMaps, 'kubectl', data({ a: '2' }));
  assert.deepEqual(stored.field('data'), { a: '2', b: '1' });
  const annotations = stored.live?.metadata.annotations ?? {};
  const kept = JSON.parse(
    annotations['kubectl.kubernetes.io/last-applied-configuration'] ?? '',
  ) as JsonObject;
  assert.deepEqual(kept['data'], { a: '2' });
  assert.match(
    conflict(() => stored.apply(configMaps, 'kubectl', data({ a: '2', b: '2' }))),
    /"someone"/,
  );
});

test('at most ten updaters are remembered; the oldest become one', () => {
  const stored = new Stored();
  for (let i = 0; i < 13; i++) stored.update(configMaps, `m${i}`, data({ [`k${i}`]: '1' }));
  const names = (stored.live?.metadata.managedFields ?? []).map(({ manager }) => manager);
  assert.equal(names.length, 10);
  assert.deepEqual(names, ['ancient-changes', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11', 'm12']);
  assert.match(stored.managers[0] ?? '', /"f:k0":\{\},"f:k1":\{\},"f:k2":\{\},"f:k3":\{\}/);
});

const refused: [
  name: string,
  management: FieldManagement,
  applied: JsonObject,
  code: number,
  message: string,
][] = [
  [
    'another kind',
    configMaps,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
    400,
    'invalid object type: /v1, Kind=Secret',
  ],
  [
    'managedFields',
    configMaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields: [] } },
    400,
    'metadata.managedFields must be nil',
  ],
  [
    'an unknown field',
    deployments,
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a', namespace: 'n' }, spec: { foo: 1 } },
    500,
    'failed to create typed patch object (n/a; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
  ],
  [
    'the same item twice',
    deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { template: { spec: { containers: [{ name: 'x' }, { name: 'x' }] } } },
    },
    500,
    'failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="x"]',
  ],
  [
    'a map for a list',
    deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { template: { spec: { containers: {} } } },
    },
    500,
    'failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.template.spec.containers: expected list, got &{map[]}',
  ],
  [
    'a number for a string',
    configMaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 1 } },
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.k: expected string, got &value.valueUnstructured{Value:1}',
  ],
  [
    'a list for a string',
    configMaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: ['b', { c: null }] } },
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.k: expected string, got &value.valueUnstructured{Value:[]interface {}{"b", map[string]interface {}{"c":interface {}(nil)}}}',
  ],
  [
    'a string for a number',
    deployments,
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: { replicas: '3' } },
    500,
    'failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string',
  ],
  [
    'a number for a truth',
    configMaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, immutable: 1000000 },
    500,
    'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .immutable: expected boolean, got &{1e+06}',
  ],
];
for (const [name, management, applied, code, message] of refused) {
  test(`apply refuses ${name}`, () => {
    assert.throws(
      () =>
        serverSideApply(
          { live: undefined, applied: applied as unknown as KubeObject, manager: 'm', force: false, now: 0 },
          management,
        ),
      (error) => {
        assert(error instanceof StatusError);
        assert.deepEqual([error.code, error.message], [code, message]);
        return true;
      },
    );
  });
}

test('fields owned in a version that is not served any more are forgotten; in a served one they are compared in it', () => {
  const entry = (apiVersion: string): ManagedFieldsEntry => ({
    manager: `old-${apiVersion}`,
    operation: 'Apply',
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:raw': {}, 'f:was': {} } },
  });
  const rename =
    (from: string, to: string, apiVersion: string) =>
    (object: KubeObject): KubeObject => {
      const { [from]: value, ...rest } = (object['spec'] ?? {}) as Record<string, unknown>;
      return { ...object, apiVersion, spec: value === undefined ? rest : { ...rest, [to]: value } };
    };
  const betaSpec: Schema = {
    ...widgetSchema.properties?.['spec'],
    properties: { was: { type: 'array', items: { type: 'string' } } },
  };
  const management: FieldManagement = {
    ...widgets,
    otherVersion: (apiVersion) =>
      apiVersion === 'e.com/v1beta1'
        ? {
            schema: { ...widgetSchema, properties: { spec: betaSpec } },
            from: rename('raw', 'was', 'e.com/v1beta1'),
            to: rename('was', 'raw', 'e.com/v1'),
          }
        : undefined,
  };
  const live = deepFreeze({
    apiVersion: 'e.com/v1',
    kind: 'Widget',
    metadata: { name: 'a', uid: 'u', managedFields: [entry('e.com/v1beta1'), entry('e.com/v0')] },
    spec: { raw: ['p'] },
  });
  const next = { ...live, spec: { raw: ['q'] } };
  const tracked = trackUpdate({ live, next, manager: 'edit', now: 0 }, management);
  assert.deepEqual(
    tracked.metadata.managedFields?.map(({ manager, fieldsV1 }) => `${manager} ${JSON.stringify(fieldsV1)}`),
    ['old-e.com/v1beta1 {"f:spec":{"f:raw":{}}}', 'edit {"f:spec":{"f:raw":{}}}'],
  );
});

test('what is applied in another version is owned in that version, at the time of the change before', () => {
  const management: FieldManagement = {
    ...widgets,
    otherVersion: () => ({ schema: widgetSchema, from: (object) => object, to: (object) => object }),
  };
  const stored = new Stored();
  const spec = { raw: ['p'] };
  const { metadata } = stored.apply(widgets, 'tool', { spec });
  const [entry] = metadata.managedFields ?? [];
  stored.live = {
    ...stored.live!,
    metadata: { ...metadata, managedFields: [{ ...entry, apiVersion: 'e.com/v0' }] },
  };
  stored.apply(management, 'tool', { spec });
  assert.deepEqual(stored.live.metadata.managedFields, [entry]);
});

test('a part that has become atomic in the schema is owned as a whole by who owned anything in it', () => {
  const live = deepFreeze({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'a',
      uid: 'u',
      managedFields: [
        {
          manager: 'one',
          operation: 'Apply',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { 'f:selector': { 'f:a': {} } } },
        },
      ],
    },
    spec: { selector: { a: '1' } },
  });
  assert.equal(
    conflict(() =>
      serverSideApply(
        {
          live,
          applied: {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'a' },
            spec: { selector: { b: '2' } },
          },
          manager: 'two',
          force: false,
          now: 0,
        },
        services,
      ),
    ),
    'Apply failed with 1 conflict: conflict with "one": .spec.selector',
  );
});

test('managedFields that nobody can read count as none', () => {
  const live = deepFreeze({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'a',
      uid: 'u',
      managedFields: [{ manager: 'x', operation: 'Guess', apiVersion: 'v1' }],
    },
    data: { a: '1' },
  });
  const tracked = trackUpdate(
    { live, next: { ...live, data: { a: '2' } }, manager: 'edit', now: 0 },
    configMaps,
  );
  assert.equal(tracked.metadata.managedFields, undefined);
});
