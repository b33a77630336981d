import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { createClient, kinds, type Client } from '../client/index.ts';
import { runLeaderElection } from './leader-election.ts';
import { ManualClock, settled } from './testing/manual-clock.ts';
import { startWorld, testRandom, type World } from './testing/world.ts';

const lease = { namespace: 'default', name: 'test-leader' };

interface Candidate {
  readonly name: string;
  leading: boolean;
  terms: number;
  readonly stop: () => Promise<void>;
}

/** All candidates of a test, so that no two may ever lead at once. */
class Election {
  readonly candidates: Candidate[] = [];

  start(name: string, client: Client, clock: ManualClock, windDownMs = 0): Candidate {
    const abort = new AbortController();
    const candidate: Candidate = {
      name,
      leading: false,
      terms: 0,
      stop: () => {
        abort.abort(new Error('stopped'));
        return running;
      },
    };
    this.candidates.push(candidate);
    const running = runLeaderElection({
      client,
      clock,
      random: testRandom(),
      lease,
      identity: name,
      signal: abort.signal,
      lead: async (signal) => {
        assert.deepEqual(this.leaders, [], `${name} would be the second leader`);
        candidate.leading = true;
        candidate.terms++;
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        if (windDownMs > 0) await new Promise<void>((resolve) => clock.after(windDownMs, resolve));
        candidate.leading = false;
      },
    });
    return candidate;
  }

  get leaders(): string[] {
    return this.candidates.filter(({ leading }) => leading).map(({ name }) => name);
  }
}

async function withElection(
  run: (fixture: { world: World; clock: ManualClock; election: Election }) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  const election = new Election();
  await run({ world, clock, election });
  const stopped = Promise.all(election.candidates.map(({ stop }) => stop()));
  await clock.advance(60_000);
  await stopped;
  assert.deepEqual(election.leaders, []);
  assert.equal(clock.timerCount, 0);
}

function spec(object: KubeObject): Record<string, unknown> {
  return object['spec'] as Record<string, unknown>;
}

test('the first candidate leads and renews, the others wait', () =>
  withElection(async ({ world, clock, election }) => {
    election.start('a', world.direct, clock);
    await settled();
    election.start('b', world.direct, clock);
    const first = spec(await world.direct.get(kinds.leases, lease));
    await clock.advance(60_000);
    assert.deepEqual(election.leaders, ['a']);
    const later = spec(await world.direct.get(kinds.leases, lease));
    assert.deepEqual(
      { ...later, renewTime: undefined },
      {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        acquireTime: first['acquireTime'],
        leaseTransitions: 0,
        renewTime: undefined,
      },
    );
    assert.notEqual(later['renewTime'], first['renewTime']);
  }));

test('a leader that stops gives the lease back, and the next need not wait for it to expire', () =>
  withElection(async ({ world, clock, election }) => {
    const a = election.start('a', world.direct, clock);
    await settled();
    election.start('b', world.direct, clock);
    await settled();
    await a.stop();
    await clock.advance(2500);
    assert.deepEqual(election.leaders, ['b']);
    assert.equal(spec(await world.direct.get(kinds.leases, lease))['leaseTransitions'], 1);
  }));

test('the lease is kept while the leader winds down, and given back only then', () =>
  withElection(async ({ world, clock, election }) => {
    const a = election.start('a', world.direct, clock, 30_000);
    await settled();
    election.start('b', world.direct, clock);
    const stopped = a.stop();
    await clock.advance(29_000);
    assert.deepEqual(election.leaders, ['a']);
    await clock.advance(1000);
    await stopped;
    await clock.advance(3000);
    assert.deepEqual(election.leaders, ['b']);
  }));

for (const how of ['down', 'silent'] as const) {
  test(`a leader whose network is ${how} steps down before another takes over`, () =>
    withElection(async ({ world, clock, election }) => {
      const a = election.start('a', world.client, clock);
      await settled();
      election.start('b', world.direct, clock);
      await clock.advance(6000);
      world.network[how] = true;
      await clock.advance(10_000);
      assert.equal(a.leading, false);
      await clock.advance(10_000);
      assert.deepEqual(election.leaders, ['b']);
      world.network[how] = false;
      await clock.advance(60_000);
      assert.deepEqual(election.leaders, ['b']);
    }));
}

test('clocks of other machines do not matter: only what is seen to change here', () =>
  withElection(async ({ world, clock, election }) => {
    const ancient = '2000-01-01T00:00:00.000000Z';
    await world.direct.create(kinds.leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: lease,
      spec: {
        holderIdentity: 'far-away',
        leaseDurationSeconds: 15,
        acquireTime: ancient,
        renewTime: ancient,
      },
    });
    const b = election.start('b', world.direct, clock);
    for (let i = 0; i < 6; i++) {
      await clock.advance(10_000);
      assert.equal(b.leading, false);
      const body = { spec: { renewTime: `2000-01-01T00:00:0${i + 1}.000000Z` } };
      await world.direct.patch(kinds.leases, lease, { type: 'merge', body });
    }
    await clock.advance(14_000);
    assert.equal(b.leading, false);
    await clock.advance(6000);
    assert.equal(b.leading, true);
  }));

test('a leader that is replaced by hand steps down, and one that is alone after a deletion goes on', () =>
  withElection(async ({ world, clock, election }) => {
    const a = election.start('a', world.direct, clock);
    await settled();
    await world.direct.delete(kinds.leases, lease);
    await clock.advance(5000);
    assert.equal(a.leading, true);
    await world.direct.patch(kinds.leases, lease, { type: 'merge', body: { spec: { holderIdentity: 'x' } } });
    await clock.advance(2500);
    assert.equal(a.leading, false);
    await clock.advance(20_000);
    assert.equal(a.leading, true);
    assert.equal(a.terms, 2);
  }));

test('two candidates that race for a free lease do not both win', () =>
  withElection(async ({ world, clock, election }) => {
    for (const name of ['a', 'b', 'c']) election.start(name, createClient(world.direct.transport), clock);
    await settled();
    assert.equal(election.leaders.length, 1);
  }));

test('what the leader throws ends the candidacy, and the lease is given back', async () => {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  const failure = new Error('cannot lead');
  const running = runLeaderElection({
    client: world.direct,
    clock,
    random: testRandom(),
    lease,
    identity: 'a',
    signal: new AbortController().signal,
    lead: () => Promise.reject(failure),
  });
  await assert.rejects(running, failure);
  assert.equal(spec(await world.direct.get(kinds.leases, lease))['holderIdentity'], '');
});

test('settings that cannot be safe are refused', async () => {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  const base = { client: world.direct, clock, random: testRandom(), lease, identity: 'a' };
  const rest = { signal: new AbortController().signal, lead: () => Promise.resolve() };
  await assert.rejects(runLeaderElection({ ...base, ...rest, renewDeadlineMs: 15_000 }), /outlast/);
  await assert.rejects(runLeaderElection({ ...base, ...rest, retryPeriodMs: 9000 }), /outlast/);
});
