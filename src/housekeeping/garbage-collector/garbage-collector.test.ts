import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, OwnerReference } from '../../api/index.ts';
import { resource } from '../../client/index.ts';
import type { Plan } from '../../runtime/index.ts';
import { decideDependent, decideOwner, type OwnerState } from './decide.ts';
import { DependencyGraph } from './graph.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });

interface Options {
  readonly owners?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly deleting?: boolean;
  readonly namespace?: string;
  readonly kind?: string;
}

function object(name: string, options: Options = {}): KubeObject {
  const { owners, finalizers, deleting = false, namespace = 'ns', kind = 'ConfigMap' } = options;
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      uid: `uid-${name}`,
      resourceVersion: '7',
      ...(owners === undefined ? {} : { ownerReferences: owners }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(deleting ? { deletionTimestamp: '2026-11-21T00:00:00Z' } : {}),
    },
  };
}

function owner(name: string, more: Partial<OwnerReference> = {}): OwnerReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: `uid-${name}`, ...more };
}

// ---- decisions

function decide(
  target: KubeObject,
  states: Readonly<Record<string, OwnerState>>,
  dependents: readonly KubeObject[] = [],
): string[] {
  return summary(
    decideDependent({
      object: target,
      resource: configMaps,
      owners: (target.metadata.ownerReferences ?? []).map((reference) => ({
        reference,
        state: states[reference.name]!,
      })),
      dependents: dependents.map((one) => ({ object: one, resource: configMaps })),
    }),
  );
}

function summary({ writes = [], requeue }: Plan): string[] {
  const lines = writes.map((write) => {
    if (write.verb === 'delete') {
      assert.equal(write.preconditions?.uid, `uid-${write.key.name}`);
      assert.equal(write.preconditions?.resourceVersion, '7');
      return `delete ${write.key.name} ${write.propagationPolicy ?? ''}`;
    }
    assert.equal(write.verb, 'patch');
    assert.equal(write.preconditions?.resourceVersion, '7');
    const { metadata } = write.patch.body as { metadata: KubeObject['metadata'] };
    const owners = metadata.ownerReferences as readonly OwnerReference[] | null | undefined;
    const parts = [
      ...(owners === undefined
        ? []
        : [
            `owners=${(owners ?? []).map((one) => `${one.name}${one.blockOwnerDeletion === true ? '!' : ''}`).join()}`,
          ]),
      ...(metadata.finalizers === undefined ? [] : [`finalizers=${(metadata.finalizers ?? []).join()}`]),
    ];
    return `patch ${write.key.name} ${parts.join(' ')}`;
  });
  return requeue === undefined ? lines : [...lines, 'requeue'];
}

const both = { owners: [owner('a'), owner('b')] };

const DEPENDENTS: readonly (readonly [
  name: string,
  target: KubeObject,
  states: Readonly<Record<string, OwnerState>>,
  expected: readonly string[],
])[] = [
  ['an object whose owner is there stays', object('x', { owners: [owner('a')] }), { a: 'solid' }, []],
  [
    'an object whose owner is gone goes',
    object('x', { owners: [owner('a')] }),
    { a: 'absent' },
    ['delete x Background'],
  ],
  [
    'an object with one owner left loses the reference to the other',
    object('x', both),
    { a: 'absent', b: 'solid' },
    ['patch x owners=b'],
  ],
  [
    'an object with no owner left goes',
    object('x', both),
    { a: 'absent', b: 'absent' },
    ['delete x Background'],
  ],
  [
    'an object whose other owner waits for it loses that reference',
    object('x', both),
    { a: 'waiting', b: 'solid' },
    ['patch x owners=b'],
  ],
  [
    'an object that its owner waits for goes',
    object('x', { owners: [owner('a')] }),
    { a: 'waiting' },
    ['delete x Background'],
  ],
  [
    'an object that is being deleted is left alone',
    object('x', { owners: [owner('a')], deleting: true }),
    { a: 'absent' },
    [],
  ],
  [
    'its own finalizers decide what happens to its dependents',
    object('x', { owners: [owner('a')], finalizers: ['orphan'] }),
    { a: 'absent' },
    ['delete x Orphan'],
  ],
  [
    'an owner of an unknown kind holds everything',
    object('x', both),
    { a: 'absent', b: 'unknown' },
    ['requeue'],
  ],
];

for (const [name, target, states, expected] of DEPENDENTS) {
  test(`decide: ${name}`, () => assert.deepEqual(decide(target, states), expected));
}

test('decide: an object that its owner waits for, and that has dependents, goes after them', () => {
  const target = object('x', { owners: [owner('a')] });
  assert.deepEqual(decide(target, { a: 'waiting' }, [object('y', { owners: [owner('x')] })]), [
    'delete x Foreground',
  ]);
});

test('decide: a circle of owners is opened', () => {
  const target = object('x', { owners: [owner('a', { blockOwnerDeletion: true })] });
  const circular = object('a', {
    owners: [owner('x', { blockOwnerDeletion: true })],
    finalizers: ['foregroundDeletion'],
    deleting: true,
  });
  assert.deepEqual(decide(target, { a: 'waiting' }, [circular]), ['patch a owners=x', 'delete x Foreground']);
});

test('decide: an owner goes when nothing blocks it any more', () => {
  const target = object('a', { finalizers: ['foregroundDeletion', 'x/y'], deleting: true });
  const plan = (dependents: readonly KubeObject[]): string[] =>
    summary(
      decideOwner({
        object: target,
        resource: configMaps,
        dependents: dependents.map((one) => ({ object: one, resource: configMaps })),
      }),
    );
  assert.deepEqual(plan([]), ['patch a finalizers=x/y']);
  assert.deepEqual(plan([object('x', { owners: [owner('a')] })]), ['patch a finalizers=x/y']);
  assert.deepEqual(plan([object('x', { owners: [owner('a', { blockOwnerDeletion: true })] })]), []);
});

test('decide: an owner that orphans is taken out of its dependents first', () => {
  const target = object('a', { finalizers: ['orphan'], deleting: true });
  const dependents = [object('x', { owners: [owner('a')] }), object('y', both)];
  assert.deepEqual(
    summary(
      decideOwner({
        object: target,
        resource: configMaps,
        dependents: dependents.map((one) => ({ object: one, resource: configMaps })),
      }),
    ),
    ['patch x owners=', 'patch y owners=b', 'patch a finalizers='],
  );
});

// ---- the graph

function graph(): { readonly graph: DependencyGraph; readonly taken: () => string[] } {
  const keys = new Set<string>();
  const made = new DependencyGraph((key) => keys.add(key));
  return {
    graph: made,
    taken: () => {
      const list = [...keys].sort();
      keys.clear();
      return list;
    },
  };
}

test('graph: objects without owners that own nothing are not held', () => {
  const { graph: g, taken } = graph();
  g.start([object('a'), object('b')]);
  g.put(object('c'));
  g.removed(object('c'));
  assert.deepEqual(g.size, { dependents: 0, owners: 0 });
  assert.deepEqual(taken(), []);
});

test('graph: at the start only dependents of owners that are not there are looked at', () => {
  const { graph: g, taken } = graph();
  g.start([
    object('a'),
    object('x', { owners: [owner('a')] }),
    object('y', { owners: [owner('gone')] }),
    object('z', { owners: [owner('a', { name: 'other-name' })] }),
  ]);
  assert.deepEqual(taken(), ['dependent/uid-x', 'dependent/uid-y', 'dependent/uid-z']);
  assert.equal(g.presence(owner('a'), 'ns'), 'there');
  assert.equal(g.presence(owner('gone'), 'ns'), 'unknown');
  assert.equal(
    g.presence(owner('a', { name: 'other-name' }), 'ns'),
    'gone',
    'the uid is that of another name',
  );
});

test('graph: a new dependent is looked at unless its owner is known to be there', () => {
  const { graph: g, taken } = graph();
  g.start([]);
  g.put(object('x', { owners: [owner('a')] }));
  assert.deepEqual(taken(), ['dependent/uid-x']);
  g.lookedUp(owner('a'), 'ns', 'there');
  g.put(object('y', { owners: [owner('a')] }));
  assert.deepEqual(taken(), [], 'looked up once for all');
  g.put(object('z', { owners: [owner('x')] }));
  assert.deepEqual(taken(), [], 'x has owners itself and is known from that');
});

test('graph: the end of an owner brings its dependents, even when it was looked up meanwhile', () => {
  const { graph: g, taken } = graph();
  g.start([]);
  g.put(object('x', { owners: [owner('a')] }));
  taken();
  g.removed(object('a'));
  assert.deepEqual(taken(), ['dependent/uid-x']);
  g.lookedUp(owner('a'), 'ns', 'there');
  assert.equal(g.presence(owner('a'), 'ns'), 'gone', 'an answer from before the change does not count');
});

test('graph: an owner without a namespace is found from any, one in another namespace is not', () => {
  const { graph: g } = graph();
  g.start([
    object('global', { namespace: '', kind: 'Namespace' }),
    object('there', { namespace: 'other' }),
    object('x', { owners: [owner('global', { kind: 'Namespace' }), owner('there')] }),
  ]);
  assert.equal(g.presence(owner('global', { kind: 'Namespace' }), 'ns'), 'there');
  assert.equal(g.presence(owner('there'), 'ns'), 'gone');
});

test('graph: deletion in the foreground brings owner and dependents, the last dependent brings the owner again', () => {
  const { graph: g, taken } = graph();
  const dependent = object('x', { owners: [owner('a', { blockOwnerDeletion: true })] });
  g.start([object('a'), dependent]);
  taken();
  const ending = object('a', { finalizers: ['foregroundDeletion'], deleting: true });
  g.put(ending);
  assert.deepEqual(taken(), ['dependent/uid-x', 'owner/uid-a']);
  g.put(ending);
  assert.deepEqual(taken(), [], 'no news');
  g.removed(dependent);
  assert.deepEqual(taken(), ['owner/uid-a']);
  g.removed(ending);
  assert.deepEqual(g.size, { dependents: 0, owners: 0 });
});

test('graph: references that go away are forgotten', () => {
  const { graph: g, taken } = graph();
  g.start([object('a'), object('x', { owners: [owner('a')] })]);
  g.put(object('x'));
  assert.deepEqual(g.size, { dependents: 0, owners: 0 });
  g.removed(object('a'));
  assert.deepEqual(taken(), []);
});
