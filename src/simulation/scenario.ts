// A scenario: a fleet, what happens to it, and what must hold. Files of this shape are in scenarios/; every checker
// watches each of them, and what is wrong at its end is a failure too.
import { s, type Infer } from '../api/index.ts';
import { OperatingError, assert, defaultFeatureGates } from '../base/index.ts';
import { parseYaml } from '../client/index.ts';
import { defaultControllerSettings, type ControllerSettings } from '../controllers/index.ts';
import type { NodePool } from '../members/index.ts';
import { Chronicle, type Happening } from './chronicle.ts';
import { Digest } from './digest.ts';
import { differences } from './expect.ts';
import { Performer, type PerformOptions } from './perform.ts';
import { checkDocument, durationOf, timelineOf, timelineSchema } from './step.ts';
import { Tally } from './tally.ts';
import { Watch, violationText, type Violation } from './watch.ts';
import { World, type MemberSpec } from './world.ts';

const memberSchema = s.object('A member.', {
  required: { name: s.string('Its name.') },
  optional: {
    nodes: s.integer('How many nodes; default 2.', { minimum: 0 }),
    cpu: s.string('Of each node; default 4.'),
    memory: s.string('Of each node; default 16Gi.'),
    region: s.string('Where it is.'),
    labels: s.map('Labels of its Cluster.', s.string('Value.')),
    pull: s.boolean('The hub cannot reach it; an agent beside it calls the hub.'),
  },
});

const scenarioSchema = s.object('A fleet and what happens to it.', {
  required: {
    about: s.string('What is shown, in a sentence.'),
    fleet: s.list('The members.', memberSchema, { minItems: 1 }),
    timeline: timelineSchema,
  },
  optional: {
    settings: s.openObject('Settings of the controllers, as in src/controllers/settings.ts.'),
    gates: s.map('Feature gates.', s.boolean('Whether it is on.')),
    restWithin: s.string('How long after the last step everything has settled; default 30m.'),
    unsettled: s.boolean('True: it is not meant to settle, e.g. because a fault stays on.'),
  },
});
export type Scenario = Infer<typeof scenarioSchema>;

export interface ScenarioResult {
  /** Empty: everything held. */
  readonly problems: readonly string[];
  readonly violations: readonly Violation[];
  readonly story: readonly Happening[];
  /** Of all that was stored, where and when: two runs that are alike have the same. */
  readonly digest: string;
  readonly startMs: number;
}

const REST_WITHIN = '30m';
/** LIMIT: of virtual time, for what users asked for before an expectation. */
const ANSWERS_WAIT_MS = 60_000;

/** Throws OperatingError BAD_SCENARIO. */
export function parseScenario(text: string, file: string): Scenario {
  let value: unknown;
  try {
    value = parseYaml(text) ?? {};
  } catch (error) {
    throw new OperatingError('BAD_SCENARIO', `${file} is no YAML: ${String(error)}`, 'correct the file', {
      cause: error,
    });
  }
  checkDocument(value, scenarioSchema, file);
  return value as Scenario;
}

export async function runScenario(
  scenario: Scenario,
  seed: string,
  file: string,
  options: PerformOptions = { forgiving: false },
): Promise<ScenarioResult> {
  const timeline = timelineOf(scenario.timeline, file);
  const problems: string[] = [];
  let watch: Watch | undefined;
  let tally: Tally | undefined;
  let chronicle: Chronicle | undefined;
  let digest: Digest | undefined;
  const world = await World.build({
    seed,
    fleet: scenario.fleet.map(memberSpec),
    settings: settingsOf(scenario, file),
    prepare: (prepared) => {
      watch = new Watch(prepared);
      tally = new Tally(prepared);
      chronicle = new Chronicle(prepared);
      digest = new Digest(prepared);
    },
  });
  assert(
    watch !== undefined && tally !== undefined && chronicle !== undefined && digest !== undefined,
    'a world is prepared once',
  );
  const performer = new Performer(world, options);
  const startMs = world.clock.now();
  const clockText = (): string => `after ${Math.round((world.clock.now() - startMs) / 1000)} s`;
  for (const { atMs, step } of timeline) {
    await world.run(Math.max(0, startMs + atMs - world.clock.now()));
    if (step.expect === undefined) {
      performer.perform(step);
      continue;
    }
    await world.until(() => performer.isIdle, ANSWERS_WAIT_MS);
    for (const expected of step.expect)
      problems.push(
        ...differences(world, tally, expected).map((difference) => `${clockText()}: ${difference}`),
      );
  }
  if (scenario.unsettled !== true)
    await watch.rest(durationOf(scenario.restWithin ?? REST_WITHIN, file), () => performer.isIdle);
  problems.push(...performer.takeErrors(), ...watch.violations.map(violationText));
  await world.close();
  return {
    problems,
    violations: watch.violations,
    story: chronicle.happenings,
    digest: digest.text,
    startMs,
  };
}

function memberSpec({ nodes = 2, cpu, memory, ...rest }: Scenario['fleet'][number]): MemberSpec {
  const pool: NodePool = {
    count: nodes,
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
  };
  return { ...rest, nodes: [pool] };
}

function settingsOf({ settings = {}, gates = {} }: Scenario, file: string): Partial<ControllerSettings> {
  const unknown = [
    ...Object.keys(settings).filter((name) => !Object.hasOwn(defaultControllerSettings, name)),
    ...Object.keys(gates).filter((name) => !Object.hasOwn(defaultFeatureGates, name)),
  ];
  if (unknown.length > 0)
    throw new OperatingError(
      'BAD_SCENARIO',
      `${file}: there is no setting or gate ${unknown.join(', ')}`,
      'correct the file',
    );
  return {
    ...(settings as Partial<ControllerSettings>),
    gates: { ...defaultFeatureGates, ...gates },
  };
}
