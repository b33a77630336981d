export { parseScenario, runScenario, type Scenario, type ScenarioResult } from './scenario.ts';
export { runSeed, shrink, swarmScenario } from './swarm.ts';
