import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../../api/index.ts';
import { parseRequestInfo } from '../request-info.ts';
import { secureServer } from '../testing/secure-server.ts';
import { FairQueues, RejectedError } from './fair-queues.ts';
import { dealHand, levelOf, nominalLimits, type PriorityLevel } from './levels.ts';
import { boundsOf, currentLimits, divide, smooth, type LevelState } from './borrowing.ts';
import { DemandMeter } from './demand.ts';
import { flowOf, schemaOf, sortedSchemas } from './schemas.ts';
import { SUGGESTED_LEVELS, SUGGESTED_SCHEMAS } from './suggested.ts';

const infoOf = (method: string, path: string) => parseRequestInfo(method, path, new URLSearchParams()).info;
const schemas = sortedSchemas(SUGGESTED_SCHEMAS.map(schemaOf));
const account = {
  name: 'system:serviceaccount:shop:robot',
  groups: ['system:serviceaccounts', 'system:authenticated'],
};

const FLOWS: readonly (readonly [
  what: string,
  user: { name: string; groups: readonly string[] },
  path: string,
  flow: string,
])[] = [
  ['administrators are exempt', { name: 'admin', groups: ['system:masters'] }, '/api/v1/pods', 'exempt'],
  [
    'probes are exempt, whoever sends them',
    { name: 'system:anonymous', groups: ['system:unauthenticated'] },
    '/livez',
    'exempt',
  ],
  ['service accounts are workloads', account, '/api/v1/namespaces/shop/pods', 'workload-low'],
  [
    'nodes write about themselves first',
    { name: 'n', groups: ['system:nodes'] },
    '/api/v1/nodes/n',
    'node-high',
  ],
  ['users are everybody', { name: 'jane', groups: ['system:authenticated'] }, '/version', 'global-default'],
];

for (const [what, user, path, level] of FLOWS) {
  test(`flow schemas: ${what}`, () => assert.equal(flowOf(schemas, user, infoOf('GET', path))?.level, level));
}

test('requests of one user share a flow, where the schema tells users apart', () => {
  const key = (name: string): string | undefined =>
    flowOf(schemas, { ...account, name: `system:serviceaccount:shop:${name}` }, infoOf('GET', '/api/v1/pods'))
      ?.key;
  assert.equal(key('a'), key('a'));
  assert.notEqual(key('a'), key('b'));
  assert.equal(flowOf([], account, infoOf('GET', '/version')), undefined);
});

test('levels share the server by their shares, and each may have something', () => {
  const limits = nominalLimits(SUGGESTED_LEVELS.map(levelOf), 600);
  assert.equal(limits.get('workload-low'), 245);
  assert.equal(limits.get('catch-all'), 13);
  assert.equal(limits.get('exempt'), 0);
  const none = { ...levelOf(SUGGESTED_LEVELS[1]!), shares: 0 };
  assert.deepEqual([...nominalLimits([none], 10).values()], [1]);
});

test('what a level lends and borrows at most follows from its percentages', () => {
  const level = { ...levelOf(SUGGESTED_LEVELS[1]!), lendablePercent: 90, borrowingLimitPercent: undefined };
  assert.deepEqual(boundsOf(level, 100, 600), { nominal: 100, min: 10, max: 700 });
  assert.deepEqual(boundsOf({ ...level, borrowingLimitPercent: 25 }, 100, 600), {
    nominal: 100,
    min: 10,
    max: 125,
  });
});

const state = (name: string, more: Partial<LevelState>): LevelState => ({
  name,
  exempt: false,
  nominal: 100,
  min: 10,
  max: 300,
  most: 0,
  smoothed: 0,
  ...more,
});

const BORROWED: readonly (readonly [
  what: string,
  levels: readonly LevelState[],
  limits: readonly number[],
])[] = [
  ['nobody needs anything', [state('a', {}), state('b', {})], [100, 100]],
  [
    'one needs all that the other lends',
    [state('a', { most: 190, smoothed: 190 }), state('b', {})],
    [190, 10],
  ],
  [
    'one may not borrow more than this',
    [state('a', { most: 190, smoothed: 190, max: 120 }), state('b', { max: 120 })],
    [120, 80],
  ],
  [
    'a level that lends nothing',
    [state('a', { min: 100 }), state('b', { most: 200, smoothed: 200 })],
    [100, 100],
  ],
  [
    'both need more than there is, and neither goes below what it has by right',
    [state('a', { most: 500, smoothed: 500 }), state('b', { most: 100, smoothed: 100 })],
    [100, 100],
  ],
  [
    'an exempt level uses so much that only the least is left',
    [state('x', { exempt: true, nominal: 0, min: 0, most: 190 }), state('a', {}), state('b', {})],
    [10, 10],
  ],
];
for (const [what, levels, expected] of BORROWED) {
  test(`borrowing: ${what}`, () => assert.deepEqual([...currentLimits(levels).values()], expected));
}

test('what is divided adds up, and stays inside of the bounds of each', () => {
  const claim = fc
    .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }))
    .map(([lower, more, wanted]) => ({ lower, upper: lower + more, target: lower + wanted }));
  fc.assert(
    fc.property(fc.array(claim, { minLength: 1, maxLength: 8 }), fc.nat({ max: 400 }), (claims, wanted) => {
      const [least, most] = [sum(claims.map((c) => c.lower)), sum(claims.map((c) => c.upper))];
      const total = Math.max(least, Math.min(wanted, most));
      const parts = divide(total, claims);
      assert.ok(Math.abs(sum(parts) - total) < 1e-6, `${sum(parts)} of ${total}`);
      for (const [i, part] of parts.entries())
        assert.ok(part >= claims[i]!.lower - 1e-9 && part <= claims[i]!.upper + 1e-9);
    }),
  );
});

function sum(parts: readonly number[]): number {
  return parts.reduce((all, part) => all + part, 0);
}

test('demand is counted by the time that it lasts, rises at once and falls slowly', () => {
  const meter = new DemandMeter(0);
  meter.note(10, 1000);
  meter.note(0, 2000);
  const demand = meter.take(4000);
  assert.equal(demand.average, 2.5);
  assert.equal(demand.most, 10);
  assert.ok(Math.abs(demand.deviation - Math.sqrt(18.75)) < 1e-9);
  assert.deepEqual(meter.take(5000), { average: 0, deviation: 0, most: 0 });
  assert.equal(smooth(1, { average: 5, deviation: 1, most: 9 }), 6);
  assert.equal(smooth(100, { average: 0, deviation: 0, most: 0 }), 97.7);
});

test('a FlowSchema is told whether there is its level, and is not used while there is none', async () => {
  await using server = await secureServer({ access: { limits: { maxInFlight: 100 } } });
  const GROUP = '/apis/flowcontrol.apiserver.k8s.io/v1';
  const name = 'mine';
  const dangling = async (): Promise<string> => {
    const { body } = await server.call(`${GROUP}/flowschemas/${name}`);
    const { conditions = [] } = (body['status'] ?? {}) as { conditions?: Record<string, string>[] };
    return conditions.map((one) => `${one['type']} ${one['status']} ${one['reason']}`).join();
  };
  const until = async (wanted: string): Promise<void> => {
    let seen = '';
    for (let tries = 0; tries < 500 && seen !== wanted; tries++) {
      seen = await dangling();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(seen, wanted);
  };
  await server.call(`${GROUP}/flowschemas`, {
    method: 'POST',
    body: {
      metadata: { name },
      spec: { priorityLevelConfiguration: { name: 'late' }, matchingPrecedence: 5 },
    },
  });
  await until('Dangling True NotFound');
  await server.call(`${GROUP}/prioritylevelconfigurations`, {
    method: 'POST',
    body: {
      metadata: { name: 'late' },
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
    },
  });
  await until('Dangling False Found');
});

test('a hand has as many different queues as it should, and the same flow always gets the same', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 8 }),
      (key, queues, size) => {
        const handSize = Math.min(size, queues);
        const hand = dealHand(key, queues, handSize);
        assert.deepEqual(hand, dealHand(key, queues, handSize));
        assert.equal(new Set(hand).size, hand.length);
        assert.ok(hand.length >= 1 && hand.length <= handSize);
        assert.ok(hand.every((card) => card >= 0 && card < queues));
      },
    ),
  );
});

const LEVEL: PriorityLevel = {
  name: 'l',
  uid: '',
  exempt: false,
  shares: 1,
  lendablePercent: 0,
  borrowingLimitPercent: undefined,
  queuing: { queues: 64, handSize: 1, queueLengthLimit: 3 },
};
const NEVER = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a flow with many requests does not delay that of another', async () => {
  const queues = new FairQueues({ ...LEVEL, queuing: { ...LEVEL.queuing!, queueLengthLimit: 100 } }, 1);
  const done: string[] = [];
  const first = await queues.admit('busy', NEVER);
  const send = async (flow: string): Promise<void> => {
    const end = await queues.admit(flow, NEVER);
    done.push(flow);
    await turn();
    end();
  };
  const all = [...Array.from({ length: 20 }, () => send('busy')), send('quiet')];
  await turn();
  assert.equal(queues.queued, 21);
  first();
  await Promise.all(all);
  assert.ok(done.indexOf('quiet') <= 2, done.join());
  assert.deepEqual([queues.executing, queues.queued], [0, 0]);
});

test('what waits is bounded, and whoever leaves makes room', async () => {
  const queues = new FairQueues(LEVEL, 1);
  const end = await queues.admit('a', NEVER);
  const leaving = new AbortController();
  const waiting = [queues.admit('a', leaving.signal), queues.admit('a', NEVER), queues.admit('a', NEVER)];
  await assert.rejects(
    queues.admit('a', NEVER),
    (error) => error instanceof RejectedError && error.rejection === 'queue-full',
  );
  leaving.abort(new RejectedError('time-out'));
  await assert.rejects(
    waiting[0]!,
    (error) => error instanceof RejectedError && error.rejection === 'time-out',
  );
  assert.equal(queues.queued, 2);
  end();
  end();
  (await waiting[1]!)();
  (await waiting[2]!)();
  assert.deepEqual([queues.executing, queues.queued], [0, 0]);
  const refusing = new FairQueues({ ...LEVEL, queuing: undefined }, 1);
  await refusing.admit('a', NEVER);
  await assert.rejects(
    refusing.admit('b', NEVER),
    (error) => error instanceof RejectedError && error.rejection === 'concurrency-limit',
  );
});

test('a level that is raised lets in what waits', async () => {
  const queues = new FairQueues(LEVEL, 1);
  await queues.admit('a', NEVER);
  const waiting = queues.admit('a', NEVER);
  queues.configure(LEVEL, 2);
  await waiting;
  assert.equal(queues.executing, 2);
});

// ---- a server

const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';

test('answers tell which flow and level they belonged to, and stored objects count', async () => {
  await using server = await secureServer({ access: { limits: { maxInFlight: 600 } } });
  const { body: schema } = await server.call(`${FLOW}/flowschemas/exempt`);
  const { body: level } = await server.call(`${FLOW}/prioritylevelconfigurations/exempt`);
  const { headers } = await server.call('/api/v1/namespaces');
  const uidOf = (object: object): unknown => (object as KubeObject).metadata.uid;
  assert.equal(headers['x-kubernetes-pf-flowschema-uid'], uidOf(schema));
  assert.equal(headers['x-kubernetes-pf-prioritylevel-uid'], uidOf(level));
});

test('a level without room refuses, and says when to come again', async () => {
  const held = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  await using server = await secureServer({
    access: { limits: { maxInFlight: 1 } },
    admission: [
      {
        name: 'Slow',
        handles: ({ resource }) => resource === 'configmaps',
        async validate() {
          entered.resolve();
          await held.promise;
        },
      },
    ],
  });
  const make = (path: string, body: object, headers = {}) =>
    server.call(path, { method: 'POST', body, headers });
  // Administrators are exempt; somebody whom they let make things is not.
  const bob = { 'impersonate-user': 'bob' };
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await make(`${rbac}/clusterroles`, {
    metadata: { name: 'makers' },
    rules: [{ verbs: ['create'], apiGroups: [''], resources: ['configmaps'] }],
  });
  await make(`${rbac}/clusterrolebindings`, {
    metadata: { name: 'bob' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'makers' },
    subjects: [{ kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  await make('/api/v1/namespaces', { metadata: { name: 'default' } });
  await make(`${FLOW}/prioritylevelconfigurations`, {
    metadata: { name: 'narrow' },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 1,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Reject' },
      },
    },
  });
  await make(`${FLOW}/flowschemas`, {
    metadata: { name: 'bob' },
    spec: {
      matchingPrecedence: 2,
      priorityLevelConfiguration: { name: 'narrow' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'bob' } }],
          resourceRules: [
            { verbs: ['create'], apiGroups: [''], resources: ['configmaps'], namespaces: ['*'] },
          ],
        },
      ],
    },
  });
  const maps = '/api/v1/namespaces/default/configmaps';
  const slow = make(maps, { metadata: { name: 'a' } }, bob);
  await entered.promise;
  const refused = await make(maps, { metadata: { name: 'b' } }, bob);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal(refused.body['reason'], 'TooManyRequests');
  assert.equal((await server.call('/api/v1/namespaces')).status, 200, 'other flows go on');
  held.resolve();
  assert.equal((await slow).status, 201);
  assert.equal((await make(maps, { metadata: { name: 'b' } }, bob)).status, 201);
});
