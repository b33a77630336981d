import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Cluster, FleetPackage, FleetPackageStatus, JsonObject, KubeObject } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { fleetObjects } from './objects.ts';
import { revisionOf, wantedIn } from './revision.ts';
import { decideRollout, type ObservedInCluster, type RolloutEvent } from './rollout.ts';

const START = Date.parse('2026-11-28T10:00:00Z');
const MINUTE = 60_000;

type Spec = FleetPackage['spec'];
type Answer = 'healthy' | 'broken' | 'silent' | 'suspended';

function clusterOf(name: string, ready = true, labels: Readonly<Record<string, string>> = {}): Cluster {
  return {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, labels },
    spec: { syncMode: 'Push' },
    status: {
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', reason: 'r', message: '', lastTransitionTime: '' },
      ],
    },
  };
}

/** Clusters that answer what they are told to, and the hub that looks at them. */
class World {
  nowMs = START;
  spec: Spec;
  status: FleetPackageStatus = {};
  annotations: Record<string, string> = {};
  clusters: Cluster[];
  packageSuspended = false;
  readonly answers = new Map<string, Answer>();
  readonly events: RolloutEvent[] = [];
  nextMs: number | undefined;
  /** What each cluster runs, as far as its operator has got. */
  private readonly has = new Map<string, ObservedInCluster>();

  constructor(rollout: Spec['rollout'], names: readonly string[] = ['a', 'b', 'c', 'd']) {
    this.spec = {
      template: { packageInfo: { name: 'web', version: 'v1' } },
      ...(rollout === undefined ? {} : { rollout }),
    };
    this.clusters = names.map((name) => clusterOf(name));
  }

  /** Decides, and lets the clusters act, until nothing changes. */
  settle(): this {
    for (let turn = 0; turn < 50; turn++) {
      const before = JSON.stringify([this.status, [...this.has]]);
      this.act();
      this.decide();
      if (JSON.stringify([this.status, [...this.has]]) === before) return this;
    }
    return assert.fail('it never comes to rest');
  }

  decide(): void {
    const { status, events, nextMs } = decideRollout({
      fleetPackage: this.object(),
      clusters: this.clusters,
      observed: this.has,
      packageSuspended: this.packageSuspended,
      nowMs: this.nowMs,
    });
    this.status = status;
    this.events.push(...events);
    this.nextMs = nextMs;
  }

  /** As the operators of the clusters, for what the status says that they were told. */
  act(): void {
    for (const state of this.status.clusters ?? []) {
      const cluster = this.clusters.find(({ metadata }) => metadata.name === state.name);
      const revision = this.status.revisions?.find(({ name }) => name === state.revision);
      const answer = this.answers.get(state.name) ?? 'healthy';
      if (cluster === undefined || revision === undefined || answer === 'silent') continue;
      const { mark, packageInfo, suspend } = wantedIn(cluster, this.spec, revision);
      const before = this.has.get(state.name);
      if (answer === 'suspended' || suspend === true) {
        this.has.set(state.name, { mark, current: true, ready: true, suspended: true, locallySuspended: answer === 'suspended', version: before?.version, message: '' });
        continue;
      }
      const healthy = answer === 'healthy';
      const version = healthy ? packageInfo.version : before?.version;
      this.has.set(state.name, { mark, current: true, ready: healthy, suspended: false, locallySuspended: false, version, message: healthy ? '' : 'no image' });
    } // prettier-ignore
  }

  object(): FleetPackage {
    return {
      apiVersion: 'navarch.io/v1alpha1',
      kind: 'FleetPackage',
      metadata: { name: 'web', namespace: 'shop', uid: 'u', annotations: this.annotations },
      spec: this.spec,
      status: this.status,
    };
  }

  later(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  version(version: string): this {
    this.spec = { ...this.spec, template: { packageInfo: { name: 'web', version } } };
    return this;
  }

  continue(): this {
    this.annotations['navarch.io/rollout-continue'] = this.status.awaits ?? 'nothing is awaited';
    return this;
  }

  /** `Progressing 1/2 a=Updating b=Pending`. */
  summary(): string {
    const { phase = '', step = 0, steps = 0, clusters = [] } = this.status;
    return [`${phase} ${step}/${steps}`, ...clusters.map((one) => `${one.name}=${one.phase}`)].join(' ');
  }

  versions(): string {
    return (this.status.clusters ?? [])
      .map(
        ({ name, revision }) =>
          `${name}=${this.status.revisions?.find((one) => one.name === revision)?.version ?? '-'}`,
      )
      .join(' ');
  }
}

const names = (...list: readonly string[]): { names: readonly string[] } => ({ names: list });
const twoWaves: Spec['rollout'] = { steps: [{ clusters: names('a') }, {}], progressDeadline: '5m' };

describe('a first installation', () => {
  test('without waves goes to all clusters at once', () => {
    const world = new World(undefined).settle();
    assert.equal(world.summary(), 'Completed 1/1 a=Healthy b=Healthy c=Healthy d=Healthy');
    assert.equal(world.status.stableRevision, world.status.revision);
  });

  test('has no clusters, and is done', () =>
    assert.equal(new World(undefined, []).settle().summary(), 'Completed 1/1'));

  test('in waves is in the later ones only when the first are healthy', () => {
    const world = new World(twoWaves);
    world.answers.set('a', 'silent');
    world.settle();
    assert.equal(world.summary(), 'Progressing 1/2 a=Updating b=Pending c=Pending d=Pending');
    assert.equal(world.versions(), 'a=v1 b=- c=- d=-');
    world.answers.set('a', 'healthy');
    assert.equal(world.settle().summary(), 'Completed 2/2 a=Healthy b=Healthy c=Healthy d=Healthy');
  });
});

function installed(rollout: Spec['rollout'], clusters?: readonly string[]): World {
  return new World(rollout, clusters).settle();
}

describe('a new version', () => {
  test('comes to the first wave, and all others keep what they have', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'silent');
    world.settle();
    assert.equal(world.versions(), 'a=v2 b=v1 c=v1 d=v1');
    assert.equal(world.nextMs, START + 5 * MINUTE);
  });

  test('that fails in a wave stops there, and is suspended where it failed', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('c', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(world.summary(), 'Halted 2/2 a=Healthy b=Healthy c=Failed d=Healthy');
    assert.equal(world.status.message, 'wave 2 of 2: c failed');
    assert.equal(suspendedIn(world, 'c'), true);
    assert.equal(suspendedIn(world, 'b'), undefined);
    assert.equal(world.status.conditions?.[0]?.status, 'False');
    assert.equal(
      world
        .later(60 * MINUTE)
        .settle()
        .summary(),
      'Halted 2/2 a=Healthy b=Healthy c=Failed d=Healthy',
    );
  });

  test('that fails in the first of three waves never gets to the others', () => {
    const world = installed({
      steps: [{ clusters: names('a') }, { clusters: names('b') }],
      progressDeadline: '5m',
    });
    world.answers.set('a', 'broken');
    world
      .version('v2')
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(world.summary(), 'Halted 1/3 a=Failed b=Pending c=Pending d=Pending');
    assert.equal(world.versions(), 'a=v2 b=v1 c=v1 d=v1');
  });

  test('goes on after an operator has mended what failed', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(
      world.continue().settle().summary(),
      'Progressing 1/2 a=Updating b=Pending c=Pending d=Pending',
    );
    world.answers.set('a', 'healthy');
    assert.equal(world.settle().summary(), 'Completed 2/2 a=Healthy b=Healthy c=Healthy d=Healthy');
  });

  test('that fails again waits for another word', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle()
      .continue()
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.match(world.summary(), /^Halted 1\/2 a=Failed/);
  });

  test('rolls back where it is told to', () => {
    const world = installed({ ...twoWaves, onFailure: 'Rollback' }).version('v2');
    world.answers.set('c', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(world.summary(), 'RolledBack 2/2 a=Pending b=Pending c=Failed d=Pending');
    assert.equal(world.versions(), 'a=v1 b=v1 c=v1 d=v1');
    assert.equal(suspendedIn(world, 'c'), undefined);
    world.answers.set('c', 'healthy');
    assert.equal(
      world.continue().settle().summary(),
      'Completed 2/2 a=Healthy b=Healthy c=Healthy d=Healthy',
    );
  });

  test('a first installation that rolls back leaves nothing', () => {
    const world = new World({ ...twoWaves, onFailure: 'Rollback' });
    world.answers.set('a', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(world.versions(), 'a=- b=- c=- d=-');
  });

  test('goes on over failures where it is told to', () => {
    const world = installed({ ...twoWaves, onFailure: 'Continue' }).version('v2');
    world.answers.set('a', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(world.summary(), 'Completed 2/2 a=Failed b=Healthy c=Healthy d=Healthy');
  });

  test('goes on over as many failures as are allowed', () => {
    const world = installed({ ...twoWaves, maxFailures: 2 }).version('v2');
    world.answers.set('a', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(world.summary(), 'Completed 2/2 a=Failed b=Healthy c=Healthy d=Healthy');
  });

  test('is given up for the next one, from the first wave on', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'broken');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    world.version('v3').settle();
    assert.equal(world.versions(), 'a=v3 b=v1 c=v1 d=v1');
    world.answers.set('a', 'healthy');
    assert.equal(world.settle().summary(), 'Completed 2/2 a=Healthy b=Healthy c=Healthy d=Healthy');
    assert.equal(world.status.revisions?.length, 1);
  });

  test('is given up for the one before it', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('b', 'broken');
    world.settle();
    world.answers.set('b', 'healthy');
    assert.equal(world.version('v1').settle().versions(), 'a=v1 b=v1 c=v1 d=v1');
    assert.match(world.summary(), /^Completed/);
  });
});

describe('which clusters are in a wave', () => {
  const ten = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
  const told = (world: World): string =>
    (world.status.clusters ?? [])
      .filter(({ phase }) => phase === 'Updating')
      .map(({ name }) => name)
      .join('');
  const firstWave = (
    clusters: NonNullable<NonNullable<Spec['rollout']>['steps']>[number]['clusters'],
    list = ten,
  ): string => {
    const world = installed({ steps: [clusters === undefined ? {} : { clusters }] }, list).version('v2');
    for (const name of list) world.answers.set(name, 'silent');
    return told(world.settle());
  };
  const cases: readonly [what: string, clusters: Parameters<typeof firstWave>[0], list: readonly string[], told: string][] = [
    ['a share, in the order of names', { percentage: 30 }, ten, 'abc'],
    ['a share that is no whole number is rounded up', { percentage: 25 }, ['a', 'b', 'c'], 'a'],
    ['of one cluster a hundredth is that cluster', { percentage: 1 }, ['a'], 'a'],
    ['all', undefined, ['a', 'b'], 'ab'],
    ['names, of which one is no cluster', { names: ['j', 'x', 'b'] }, ten, 'bj'],
  ]; // prettier-ignore
  for (const [what, clusters, list, wanted] of cases)
    test(what, () => assert.equal(firstWave(clusters, [...list]), wanted));

  test('labels', () => {
    const world = installed({
      steps: [{ clusters: { labelSelector: { matchLabels: { tier: 'canary' } } } }],
    }).version('v2');
    world.clusters = world.clusters.map((one) =>
      one.metadata.name === 'c' ? clusterOf('c', true, { tier: 'canary' }) : one,
    );
    world.answers.set('c', 'silent');
    assert.equal(told(world.settle()), 'c');
  });

  test('shares count clusters that are updated already', () => {
    const world = installed(
      { steps: [{ clusters: { percentage: 20 } }, { clusters: { percentage: 50 } }] },
      ten,
    ).version('v2');
    for (const name of ['c', 'd', 'e']) world.answers.set(name, 'silent');
    assert.equal(told(world.settle()), 'cde');
  });
});

describe('clusters that cannot take part', () => {
  test('one that is not ready is skipped, told at the end, and follows', () => {
    const world = installed(twoWaves).version('v2');
    world.clusters = world.clusters.map((one) => (one.metadata.name === 'a' ? clusterOf('a', false) : one));
    world.answers.set('a', 'silent');
    world.settle();
    assert.equal(world.summary(), 'Completed 2/2 a=Skipped b=Healthy c=Healthy d=Healthy');
    assert.equal(world.versions(), 'a=v2 b=v2 c=v2 d=v2');
    assert.equal(world.status.conditions?.[0]?.status, 'Unknown');
    world.answers.set('a', 'healthy');
    assert.equal(world.settle().summary(), 'Completed 2/2 a=Healthy b=Healthy c=Healthy d=Healthy');
  });

  test('one that somebody suspended there is skipped', () => {
    const world = installed(twoWaves);
    world.answers.set('c', 'suspended');
    world.act();
    assert.equal(
      world.version('v2').settle().summary(),
      'Completed 2/2 a=Healthy b=Healthy c=Skipped d=Healthy',
    );
  });

  test('one that is suspended under way has not failed', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'silent');
    world.settle();
    world.answers.set('a', 'suspended');
    world
      .settle()
      .later(5 * MINUTE)
      .settle();
    assert.equal(world.summary(), 'Completed 2/2 a=Skipped b=Healthy c=Healthy d=Healthy');
  });

  test('one that an override suspends is skipped', () => {
    const world = installed(twoWaves);
    world.spec = { ...world.spec, overrides: [{ clusterAffinity: { clusterNames: ['b'] }, suspend: true }] };
    assert.equal(
      world.version('v2').settle().summary(),
      'Completed 2/2 a=Healthy b=Skipped c=Healthy d=Healthy',
    );
  });

  test('one that joins gets what was rolled out last, and its turn for what is new', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'silent');
    world.settle();
    world.clusters.push(clusterOf('e'));
    assert.equal(world.settle().versions(), 'a=v2 b=v1 c=v1 d=v1 e=v1');
    world.answers.set('a', 'healthy');
    assert.match(world.settle().summary(), /^Completed .* e=Healthy$/);
  });

  test('one that leaves is forgotten', () => {
    const world = installed(undefined);
    world.clusters = world.clusters.slice(0, 2);
    assert.equal(world.settle().summary(), 'Completed 1/1 a=Healthy b=Healthy');
  });
});

describe('standing still', () => {
  test('a pause ends by itself', () => {
    const world = installed({ steps: [{ clusters: names('a'), pause: '10m' }] })
      .version('v2')
      .settle();
    assert.equal(world.summary(), 'Paused 1/2 a=Healthy b=Pending c=Pending d=Pending');
    assert.equal(world.nextMs, START + 10 * MINUTE);
    assert.match(
      world
        .later(9 * MINUTE)
        .settle()
        .summary(),
      /^Paused/,
    );
    assert.match(world.later(MINUTE).settle().summary(), /^Completed/);
  });

  test('a pause for an operator ends by his word for this very pause', () => {
    const pause = 'Manual';
    const world = installed({
      steps: [
        { clusters: names('a'), pause },
        { clusters: names('b'), pause },
      ],
    })
      .version('v2')
      .settle();
    assert.match(
      world
        .later(1000 * MINUTE)
        .settle()
        .summary(),
      /^Paused 1\/3/,
    );
    assert.match(world.continue().settle().summary(), /^Paused 2\/3 a=Healthy b=Healthy c=Pending/);
    assert.match(world.continue().settle().summary(), /^Completed/);
  });

  test('there is no pause when nothing comes after it', () => {
    const world = installed({ steps: [{ pause: 'Manual' }] })
      .version('v2')
      .settle();
    assert.match(world.summary(), /^Completed/);
  });

  test('a suspended roll-out halts, and its clusters get their whole time afterwards', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'silent');
    world.settle();
    world.spec = { ...world.spec, suspend: true, suspension: { reason: 'holidays' } };
    world.later(4 * MINUTE).settle();
    assert.equal(world.status.message, 'wave 1 of 2 stands still: it is suspended: holidays');
    world.later(60 * MINUTE).settle();
    assert.match(world.summary(), /^Suspended 1\/2 a=Updating/);
    world.spec = { ...world.spec, suspend: false };
    world.settle();
    assert.equal(world.nextMs, world.nowMs + 5 * MINUTE);
  });

  test('it goes on by itself when its suspension is over', () => {
    const world = installed(twoWaves).version('v2');
    world.spec = { ...world.spec, suspend: true, suspension: { until: formatTime(START + MINUTE) } };
    world.settle();
    assert.equal(world.versions(), 'a=v1 b=v1 c=v1 d=v1');
    assert.equal(world.nextMs, START + MINUTE);
    assert.match(world.later(MINUTE).settle().summary(), /^Completed/);
  });

  test('a package that is suspended on the hub halts its roll-out', () => {
    const world = installed(twoWaves);
    world.packageSuspended = true;
    assert.equal(world.version('v2').settle().versions(), 'a=v1 b=v1 c=v1 d=v1');
    world.packageSuspended = false;
    assert.match(world.settle().summary(), /^Completed/);
  });
});

describe('what is made for it', () => {
  const objects = (world: World): ReturnType<typeof fleetObjects> =>
    fleetObjects(world.object(), world.clusters);
  const specOf = (object: KubeObject): JsonObject => object['spec'] as JsonObject;

  test('the package holds what was rolled out last, until all have what is new', () => {
    const world = installed(twoWaves).version('v2');
    world.answers.set('a', 'silent');
    world.settle();
    assert.deepEqual(specOf(objects(world).package)['packageInfo'], { name: 'web', version: 'v1' });
    world.answers.set('a', 'healthy');
    world.settle();
    assert.deepEqual(specOf(objects(world).package)['packageInfo'], { name: 'web', version: 'v2' });
  });

  test('it is sent to those alone whose wave has come', () => {
    const world = new World(twoWaves);
    world.answers.set('a', 'silent');
    world.settle();
    assert.deepEqual((specOf(objects(world).policy)['placement'] as JsonObject)['clusterAffinity'], {
      clusterNames: ['a'],
    });
  });

  test('to no cluster, when it is to be in none', () => {
    const world = new World(undefined, []).settle();
    const affinity = (specOf(objects(world).policy)['placement'] as JsonObject)[
      'clusterAffinity'
    ] as JsonObject;
    assert.equal(affinity['clusterNames'], undefined);
    assert.ok(affinity['labelSelector']);
  });

  test('clusters that have the same share a rule, others have one of their own', () => {
    const world = installed(undefined);
    world.spec = {
      ...world.spec,
      overrides: [{ clusterAffinity: { clusterNames: ['c'] }, version: 'v9', values: { x: { value: '1' } } }],
    };
    world.settle();
    const rules = specOf(objects(world).override)['overrideRules'] as readonly JsonObject[];
    assert.deepEqual(
      rules.map((one) => (one['targetCluster'] as JsonObject)['clusterNames']),
      [['a', 'b', 'd'], ['c']],
    );
    const [, { overriders } = {}] = rules as readonly {
      readonly overriders?: { readonly plaintext: unknown };
    }[];
    assert.deepEqual(overriders?.plaintext, [
      { path: '/spec/packageInfo', operator: 'replace', value: { name: 'web', version: 'v9' } },
      { path: '/spec/values', operator: 'add', value: { x: { value: '1' } } },
    ]);
  });
});

/** What the override policy says of the switch in one cluster. */
function suspendedIn(world: World, cluster: string): unknown {
  const { override } = fleetObjects(world.object(), world.clusters);
  type Rule = { readonly targetCluster: { readonly clusterNames: readonly string[] }; readonly overriders: { readonly plaintext: readonly { readonly path: string; readonly value?: unknown }[] } };
  const rules = (override['spec'] as { readonly overrideRules: readonly Rule[] }).overrideRules;
  const rule = rules.find(({ targetCluster }) => targetCluster.clusterNames.includes(cluster));
  return rule?.overriders.plaintext.find(({ path }) => path === '/spec/suspend')?.value;
} // prettier-ignore

test('revisions are what waves are about: version, repository and values, in any order', () => {
  const of = (values: JsonObject, more: JsonObject = {}): string =>
    revisionOf({ packageInfo: { name: 'web', version: 'v1' }, values, ...more } as never).name;
  assert.equal(of({ a: { value: '1' }, b: { value: '2' } }), of({ b: { value: '2' }, a: { value: '1' } }));
  assert.equal(of({}), of({}, { suspend: true }));
  assert.notEqual(of({ a: { value: '1' } }), of({ a: { value: '2' } }));
});

test('whatever clusters answer, no wave begins while the one before is not healthy or given up', () => {
  const answer = fc.constantFrom<Answer>('healthy', 'broken', 'silent', 'suspended');
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.nat(3), answer, minutes: fc.nat(8) }), { maxLength: 20 }),
      fc.constantFrom('Suspend' as const, 'Rollback' as const),
      (moves, onFailure) => {
        const world = installed({ steps: ['a', 'b', 'c', 'd'].map((name) => ({ clusters: names(name) })), progressDeadline: '5m', onFailure });
        world.version('v2');
        for (const { at, answer: one, minutes } of moves) {
          world.answers.set('abcd'[at] ?? 'a', one);
          world.later(minutes * MINUTE).settle();
          const { phase, step = 0, clusters = [] } = world.status;
          if (phase !== 'Progressing') continue;
          for (const [index, state] of clusters.entries()) {
            const v2 = state.revision === world.status.revision;
            if (index + 1 > step) assert.ok(!v2, `${world.summary()}: ${state.name} has it before its wave`);
            if (index + 1 < step) assert.notEqual(state.phase, 'Failed', world.summary());
          }
        }
      },
    ),
  ); // prettier-ignore
});
