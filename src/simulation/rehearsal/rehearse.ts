// A rehearsal: today's hub in a simulated world, something that happens to it, and what the production code would do.
// The same copy, settings and seed give the same answer.
import type { Condition } from '../../api/index.ts';
import { OperatingError, assert } from '../../base/index.ts';
import type { ControllerSettings } from '../../controllers/index.ts';
import { Chronicle } from '../chronicle.ts';
import { unsettled } from '../checkers/convergence.ts';
import { differences } from '../expect.ts';
import { bindingsOf, templateName, type Binding } from '../objects.ts';
import { Performer } from '../perform.ts';
import { timelineOf, type Step, type TimedStep } from '../step.ts';
import { Tally } from '../tally.ts';
import { World } from '../world.ts';
import type { HubCopy } from './copy.ts';
import { fillMembers, memberSpecs } from './members.ts';
import type { Rehearsed, RehearsedWorkload } from './rehearsed.ts';
import { Serving } from './serving.ts';

export interface RehearsalOptions {
  readonly copy: HubCopy;
  readonly seed: string;
  /** When the copy was made, in milliseconds since the Unix epoch. */
  readonly asOfMs: number;
  readonly settings: Partial<ControllerSettings>;
  readonly timeline: readonly Step[];
  /** What people call the timeline: a file, a flag. */
  readonly source: string;
}

/** LIMIT: of virtual time, for the copy to come to rest before anything happens, and to settle afterwards. */
const FIRST_LOOKS_MS = 120_000;
const SETTLE_BEFORE_MS = 300_000;
const SETTLE_AFTER_MS = 3_600_000;
const LOOK_EVERY_MS = 5_000;
const ANSWERS_WAIT_MS = 60_000;

export async function rehearse(options: RehearsalOptions): Promise<Rehearsed> {
  const { copy, seed, asOfMs, settings, source } = options;
  const timeline = timelineOf(options.timeline, source);
  if (copy.clusters.length === 0)
    throw new OperatingError('NO_CLUSTERS', 'the hub has no member clusters', 'join one with "navarch join"');
  checkNames(timeline, copy, source);
  const notes = [...copy.notes];
  let chronicle: Chronicle | undefined;
  let tally: Tally | undefined;
  const lost = copy.clusters
    .filter((cluster) => !isReady(cluster.status?.conditions))
    .map(({ metadata }) => metadata.name ?? '');
  const world = await World.restore({
    seed,
    fleet: memberSpecs(copy, notes),
    settings,
    startMs: asOfMs,
    objects: copy.objects,
    fill: async (filled) => {
      await fillMembers(filled, copy, notes);
      for (const name of lost) filled.member(name).link.set({ state: 'silent' });
    },
    prepare: (prepared) => {
      chronicle = new Chronicle(prepared);
      tally = new Tally(prepared);
    },
  });
  assert(chronicle !== undefined && tally !== undefined, 'a world is prepared once');
  if (lost.length > 0) notes.push(`${lost.join(', ')}: not ready today, and taken to stay out of reach`);
  // What a hub sees first counts at once; today's has been looking for long.
  await world.run(FIRST_LOOKS_MS);
  await untilSettled(world, SETTLE_BEFORE_MS);
  const before = placements(world);
  const serving = new Serving(world);
  for (const name of lost) serving.setAway(name, true);
  const startMs = world.clock.now();
  chronicle.happenings.length = 0;
  const stage = new Stage(world, serving, chronicle, tally);
  await stage.play(timeline, startMs);
  const during = placements(world);
  const stuck = stuckNow(world);
  await stage.recover();
  const settled = await untilSettled(world, SETTLE_AFTER_MS);
  if (!settled)
    notes.push(
      ...unsettled(world)
        .slice(0, 20)
        .map((what) => `not settled in the end: ${what}`),
    );
  const after = placements(world);
  const workloads = workloadRows({ before, during, after }, serving);
  await world.close();
  return {
    seed,
    asOfMs,
    startMs,
    endMs: world.clock.now(),
    clusters: copy.clusters.length,
    bindings: before.size,
    happenings: chronicle.happenings,
    workloads,
    stuck,
    evictions: tally.evictions,
    problems: stage.problems,
    notes,
  };
}

function isReady(conditions: readonly Condition[] | undefined): boolean {
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

function checkNames(timeline: readonly TimedStep[], { clusters }: HubCopy, source: string): void {
  const known = new Set(clusters.map(({ metadata }) => metadata.name));
  const named = timeline.flatMap(({ step }) => clustersOf(step));
  const unknown = [...new Set(named)].filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new OperatingError(
      'UNKNOWN_CLUSTER',
      `${source}: there is no cluster ${unknown.join(', ')}`,
      `there are: ${[...known].join(', ')}`,
    );
}

function clustersOf(step: Step): readonly string[] {
  const { cut = [], silence = [], stopServer = [], heal = [], flaky, jumpClock, unjoin } = step;
  const single = [
    step.nodeDown,
    step.nodeUp,
    step.failPods,
    step.slowStart,
    step.taint,
    step.untaint,
    step.label,
    step.memberDeletes,
  ];
  return [
    ...cut,
    ...silence,
    ...stopServer,
    ...heal,
    ...(flaky?.clusters ?? []),
    ...single.flatMap((one) => (one === undefined ? [] : [one.cluster])),
    ...(jumpClock === undefined || jumpClock.of === 'hub' ? [] : [jumpClock.of]),
    ...(unjoin === undefined ? [] : [unjoin]),
  ];
}

/** Carries out a timeline and keeps in mind who is away. */
class Stage {
  readonly problems: string[] = [];
  private readonly world: World;
  private readonly serving: Serving;
  private readonly chronicle: Chronicle;
  private readonly tally: Tally;
  private readonly performer: Performer;

  constructor(world: World, serving: Serving, chronicle: Chronicle, tally: Tally) {
    this.world = world;
    this.serving = serving;
    this.chronicle = chronicle;
    this.tally = tally;
    this.performer = new Performer(world, { forgiving: false });
  }

  /** Ends right before the last mending step, so that one can look at the worst of it; recover() does that step. */
  async play(timeline: readonly TimedStep[], startMs: number): Promise<void> {
    const { world } = this;
    const last = timeline.at(-1);
    this.last = last?.step.heal === undefined ? undefined : last.step;
    for (const { atMs, step } of timeline) {
      await world.run(Math.max(0, startMs + atMs - world.clock.now()));
      if (step === this.last) return;
      await this.perform(step);
    }
    await untilSettled(world, SETTLE_AFTER_MS);
  }

  private last: Step | undefined;

  async recover(): Promise<void> {
    if (this.last !== undefined) await this.perform(this.last);
    this.problems.push(...this.performer.takeErrors());
  }

  private async perform(step: Step): Promise<void> {
    if (step.expect !== undefined) {
      await this.world.until(() => this.performer.isIdle, ANSWERS_WAIT_MS);
      for (const expected of step.expect)
        this.problems.push(...differences(this.world, this.tally, expected));
      return;
    }
    for (const [subject, what] of described(step)) this.chronicle.tell(subject, what);
    for (const name of [...(step.silence ?? []), ...(step.cut ?? [])]) this.serving.setAway(name, true);
    const healed = step.heal?.length === 0 ? [...this.world.members.keys()] : (step.heal ?? []);
    for (const name of healed) this.serving.setAway(name, false);
    this.performer.perform(step);
    await this.world.until(() => this.performer.isIdle, ANSWERS_WAIT_MS);
  }
}

function described(step: Step): readonly (readonly [subject: string, what: string])[] {
  const { at: _at, every: _every, until: _until, ...action } = step;
  const each = (names: readonly string[], what: string): readonly (readonly [string, string])[] =>
    names.map((name) => [`cluster ${name}`, what]);
  if (step.silence !== undefined) return each(step.silence, 'cannot be reached any more');
  if (step.cut !== undefined) return each(step.cut, 'refuses connections');
  if (step.stopServer !== undefined) return each(step.stopServer, 'loses its API server');
  if (step.heal !== undefined)
    return step.heal.length === 0 ? [['all clusters', 'are as they were']] : each(step.heal, 'is back');
  return [['step', JSON.stringify(action)]];
}

async function untilSettled(world: World, limitMs: number): Promise<boolean> {
  let nextLookMs = 0;
  return world.until(() => {
    if (world.clock.now() < nextLookMs) return false;
    nextLookMs = world.clock.now() + LOOK_EVERY_MS;
    return unsettled(world).length === 0;
  }, limitMs);
}

type Placements = ReadonlyMap<string, string>;

function placements(world: World): Placements {
  return new Map(
    bindingsOf(world.hubMirror).map((binding) => [templateName(binding), placementText(binding)]),
  );
}

function placementText({ spec }: Binding): string {
  const clusters = spec.clusters ?? [];
  if (clusters.length === 0) return 'nowhere';
  return [...clusters]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, replicas }) => (replicas === undefined ? name : `${name}: ${replicas}`))
    .join(', ');
}

/** What has no place, or is kept from moving, and why. */
function stuckNow(world: World): Rehearsed['stuck'] {
  return bindingsOf(world.hubMirror).flatMap((binding) =>
    (binding.status?.conditions ?? []).flatMap(({ type, status, reason, message }) => {
      const unplaced = type === 'Scheduled' && status !== 'True';
      const held = type === 'EvictionHeld' && status === 'True';
      if (!unplaced && !held) return [];
      return [
        {
          workload: templateName(binding),
          what: unplaced ? ('not placed' as const) : ('held' as const),
          reason,
          message,
        },
      ];
    }),
  );
}

function workloadRows(
  { before, during, after }: Readonly<Record<'before' | 'during' | 'after', Placements>>,
  serving: Serving,
): RehearsedWorkload[] {
  const names = [...new Set([...before.keys(), ...during.keys(), ...after.keys()])].sort((a, b) =>
    a < b ? -1 : 1,
  );
  return names.map((name) => {
    const served = serving.of(name);
    return {
      workload: name,
      before: before.get(name) ?? 'not there',
      during: during.get(name) ?? 'gone',
      after: after.get(name) ?? 'gone',
      servingBefore: served?.before ?? 0,
      servingLeast: served?.least ?? 0,
      shortMs: served?.shortMs ?? 0,
    };
  });
}
