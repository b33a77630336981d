// Random scenarios: a fleet, workloads and a storm of faults, edits, restarts and clock jumps drawn from a seed, after
// which everything is mended and must settle. A schedule is data before anything runs, so that a failing one can be
// shortened step by step.
import type { JsonObject } from '../api/index.ts';
import { presetTimeline } from '../failover/index.ts';
import { runScenario, type Scenario, type ScenarioResult } from './scenario.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';
import type { Step } from './step.ts';
import { swarmObjects, type SwarmObjects } from './swarm-objects.ts';

type Timeline = Step[];
type Draw = (random: SeededRandom, known: Known) => Omit<Step, 'at'>[];

interface Known {
  readonly members: readonly string[];
  readonly pullMembers: readonly string[];
  readonly objects: SwarmObjects;
}

const STORM_MIN_MS = 2 * 60_000;
const STORM_MAX_MS = 6 * 60_000;
const FIRST_STEP_MS = 30_000;
const GAP_MAX_MS = 20_000;
const REST_WITHIN = '45m';

/** The scenario of a seed: always the same. */
export function swarmScenario(seed: string): Scenario {
  const random = seededRandom(`${seed}/schedule`);
  const fleet = Array.from({ length: random.pick([2, 2, 3, 3, 3, 4]) }, (_, index) => ({
    name: `member${index + 1}`,
    nodes: 1 + random.below(3),
    region: random.pick(['north', 'south']),
    labels: { tier: random.pick(['gold', 'silver']) },
    pull: random.chance(0.15),
  }));
  const known: Known = {
    members: fleet.map(({ name }) => name),
    pullMembers: fleet.filter(({ pull }) => pull).map(({ name }) => name),
    objects: swarmObjects(
      random.stream('objects'),
      fleet.map(({ name }) => name),
    ),
  };
  const timeline: Timeline = known.objects.initial.map((apply) => ({ at: '0s', apply }));
  const stormEndMs = FIRST_STEP_MS + random.between(STORM_MIN_MS, STORM_MAX_MS);
  for (let atMs = FIRST_STEP_MS; atMs < stormEndMs; atMs += random.between(0, GAP_MAX_MS)) {
    for (const step of drawStep(random, known)) timeline.push({ at: seconds(atMs), ...step });
  }
  timeline.push(...mending(known, stormEndMs));
  return {
    about: `what seed ${seed} draws`,
    fleet,
    gates: { Failover: random.chance(0.8) },
    settings: drawSettings(random),
    timeline,
    restWithin: REST_WITHIN,
  };
}

export function runSeed(seed: string, scenario = swarmScenario(seed)): Promise<ScenarioResult> {
  return runScenario(scenario, seed, `seed ${seed}`, { forgiving: true });
}

/** The presets, and what upstream's users switch on: evictions only by explicit taints. */
function drawSettings(random: SeededRandom): JsonObject {
  const explicit = {
    enableNoExecuteTaintEviction: true,
    resourceEvictionRate: random.pick([0.5, 2, 100]),
    gracefulEvictionTimeoutMs: random.pick([60_000, 600_000]),
  };
  const preset = random.pick([undefined, undefined, undefined, 'platform', 'platform', 'fast'] as const);
  return preset === undefined ? explicit : { ...presetTimeline(preset) };
}

/** Whole tenths of a second, so that what is printed is what was run. */
function seconds(ms: number): string {
  return `${(Math.round(ms / 100) / 10).toFixed(1)}s`;
}

/** Everything works again, and nobody asks for anything more. */
function mending({ members }: Known, atMs: number): Timeline {
  const at = seconds(atMs);
  return [
    { at, heal: [] },
    ...members.flatMap((cluster): Timeline => [
      { at, untaint: { cluster, key: TAINT_KEY } },
      { at, nodeUp: { cluster, node: 1 } },
    ]),
  ];
}

const TAINT_KEY = 'swarm.example/drain';

/** Each with the weight by which it is drawn. */
const draws: readonly (readonly [weight: number, draw: Draw])[] = [
  [4, (random, { members }) => [{ cut: [random.pick(members)] }]],
  [5, (random, { members }) => [{ silence: [random.pick(members)] }]],
  [
    2,
    (random, { members }) =>
      [{ silence: members.filter(() => random.chance(0.5)) }].filter(({ silence }) => silence.length > 0),
  ],
  [4, (random, { members }) => [{ stopServer: [random.pick(members)] }]],
  [
    4,
    (random, { pullMembers }) =>
      pullMembers.length === 0 ? [] : [{ stopAgent: [random.pick(pullMembers)] }],
  ],
  // Always the same one, so that a fleet is left.
  [0.7, (_random, { members }) => (members.length < 3 ? [] : [{ unjoin: members.at(-1) ?? '' }])],
  [12, (random, { members }) => [{ heal: [random.pick(members)] }]],
  [3, () => [{ heal: [] }]],
  [
    4,
    (random, { members }) => [
      {
        flaky: {
          clusters: [random.pick(members)],
          loss: random.pick(['0', '0.1', '0.5']),
          latency: random.pick(['50ms', '1s', '8s']),
        },
      },
    ],
  ],
  [2, (random, { members }) => [{ nodeDown: { cluster: random.pick(members), node: 1 } }]],
  [3, (random, { members }) => [{ nodeUp: { cluster: random.pick(members), node: 1 } }]],
  [
    2,
    (random, { members }) => [
      { slowStart: { cluster: random.pick(members), factor: 1 + random.below(100) } },
    ],
  ],
  [2, (random, { members }) => [{ failPods: { cluster: random.pick(members) } }]],
  [6, (random) => [{ killHub: { downFor: random.pick(['1s', '20s', '3m']) } }]],
  [
    3,
    (random, { members }) => [
      {
        jumpClock: {
          of: random.pick(['hub', ...members]),
          by: random.pick(['-10m', '-30s', '5s', '45s', '10m']),
        },
      },
    ],
  ],
  [5, (random, { members }) => [taint(random, members, random.pick(['NoExecute', 'NoSchedule']))]],
  [6, (random, { members }) => [{ untaint: { cluster: random.pick(members), key: TAINT_KEY } }]],
  [
    2,
    (random, { members }) => [
      { label: { cluster: random.pick(members), labels: { tier: random.pick(['gold', 'silver']) } } },
    ],
  ],
  [6, (random, { objects }) => objects.scale(random)],
  [5, (random, { objects }) => objects.edit(random)],
  [3, (random, { objects }) => objects.remove(random)],
  [5, (random, { objects }) => objects.putBack(random)],
  [4, (random, { objects }) => objects.replan(random)],
  [2, (random, { objects }) => objects.suspend(random)],
  [3, (random, { objects }) => objects.resume(random)],
  [
    2,
    (random, { members, objects }) => [
      { memberDeletes: { cluster: random.pick(members), object: random.pick(objects.templates) } },
    ],
  ],
];
const TOTAL_WEIGHT = draws.reduce((sum, [weight]) => sum + weight, 0);

function taint(
  random: SeededRandom,
  members: readonly string[],
  effect: 'NoSchedule' | 'NoExecute',
): Omit<Step, 'at'> {
  return { taint: { cluster: random.pick(members), key: TAINT_KEY, effect } };
}

function drawStep(random: SeededRandom, known: Known): Omit<Step, 'at'>[] {
  let at = random.fraction() * TOTAL_WEIGHT;
  for (const [weight, draw] of draws) {
    at -= weight;
    if (at < 0) return draw(random, known);
  }
  return [];
}

/** LIMIT: how often a failing schedule is run again to find a shorter one. */
const SHRINK_RUNS_MAX = 60;

/** A schedule of fewer steps that fails in the same way. */
export async function shrink(
  seed: string,
  failing: Scenario,
  failsAlike: (result: ScenarioResult) => boolean,
): Promise<Scenario> {
  let best = failing;
  let runs = 0;
  for (let size = Math.ceil(best.timeline.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < best.timeline.length && runs < SHRINK_RUNS_MAX;) {
      const timeline = best.timeline.filter((_, index) => index < start || index >= start + size);
      runs++;
      const shorter = { ...best, timeline };
      if (timeline.length > 0 && failsAlike(await runSeed(seed, shorter))) best = shorter;
      else start += size;
    }
  }
  return best;
}
