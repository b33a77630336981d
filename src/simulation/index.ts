export { parseScenario, runScenario, type Scenario, type ScenarioResult } from './scenario.ts';
export { runSeed, shrink, swarmScenario } from './swarm.ts';
export { copyHub, type HubCopy } from './rehearsal/copy.ts';
export { rehearse } from './rehearsal/rehearse.ts';
export type { Rehearsed } from './rehearsal/rehearsed.ts';
export { reportLines, reportObject } from './rehearsal/report.ts';
export { parseRehearsal } from './rehearsal/scenario.ts';
export type { Step } from './step.ts';
