// Runs random scenarios, or a file, in the simulator and says what did not hold:
//   npm run simulate -- --seeds 1000            seeds 1 to 1000
//   npm run simulate -- --seed 17 --story       one, with all that happened
//   npm run simulate -- --scenario FILE         a scenario file
// A failing seed is run again with fewer steps, and what is left is printed as a scenario.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { formatDuration } from '../src/machinery/index.ts';
import { formatYaml } from '../src/client/index.ts';
import {
  parseScenario,
  runScenario,
  runSeed,
  shrink,
  swarmScenario,
  type Scenario,
  type ScenarioResult,
} from '../src/simulation/index.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '30' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    story: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    // So that a check in CI ends whatever machine it runs on.
    'for-at-most-seconds': { type: 'string', default: 'Infinity' },
  },
});

function tell({ story, startMs, problems }: ScenarioResult, withStory: boolean): void {
  for (const { atMs, subject, what } of withStory ? story : [])
    console.log(`  ${formatDuration(atMs - startMs).padStart(12)}  ${subject} ${what}`);
  for (const problem of problems) console.log(`  ${problem}`);
}

async function runFile(file: string, seed: string): Promise<number> {
  const result = await runScenario(parseScenario(readFileSync(file, 'utf8'), file), seed, file, {
    forgiving: values.seed !== undefined,
  });
  tell(result, values.story);
  console.log(result.problems.length === 0 ? `${file} holds` : `${file} does not hold`);
  return result.problems.length === 0 ? 0 : 1;
}

async function runOne(seed: string): Promise<boolean> {
  const scenario = swarmScenario(seed);
  const result = await attempt(seed, scenario);
  if (values.story) tell(result, true);
  if (result.problems.length === 0) return true;
  console.log(`\nseed ${seed} fails; again with: npm run simulate -- --seed ${seed} --story`);
  tell(result, false);
  if (!values['no-shrink']) await showShorter(seed, scenario, result);
  return false;
}

/** A world that breaks down is a failure like any other. */
async function attempt(seed: string, scenario: Scenario): Promise<ScenarioResult> {
  try {
    return await runSeed(seed, scenario);
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { problems: [problem], violations: [], story: [], digest: '', startMs: 0 };
  }
}

async function showShorter(seed: string, scenario: Scenario, result: ScenarioResult): Promise<void> {
  const checkers = new Set(result.violations.map(({ checker }) => checker));
  const shorter = await shrink(seed, scenario, ({ violations }) =>
    violations.some(({ checker }) => checkers.has(checker)),
  );
  console.log(
    `\nshortened, as a scenario (npm run simulate -- --scenario FILE --seed ${seed}):\n${formatYaml(shorter)}`,
  );
}

async function runSeeds(): Promise<number> {
  const first = Number(values.from);
  const count = Number(values.seeds);
  const startedMs = performance.now();
  const failed: string[] = [];
  let done = 0;
  for (; done < count; done++) {
    if (performance.now() - startedMs > Number(values['for-at-most-seconds']) * 1000) break;
    const seed = String(first + done);
    if (!(await runOne(seed))) failed.push(seed);
    if (done % 50 === 49) console.log(`${done + 1} of ${count} seeds, ${failed.length} failed`);
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `${done} seeds from ${first} in ${seconds} s, ${failed.length} failed${failed.length === 0 ? '' : `: ${failed.join(', ')}`}`,
  );
  return failed.length === 0 ? 0 : 1;
}

const { scenario, seed } = values;
if (scenario !== undefined) process.exitCode = await runFile(scenario, seed ?? 'scenario');
else if (seed !== undefined) process.exitCode = (await runOne(seed)) ? 0 : 1;
else process.exitCode = await runSeeds();
