export { joinCommand, unjoinCommand } from './join-commands.ts';
export { faultCommand } from './fault.ts';
export { interpretCommand } from './interpret.ts';
export { joinCluster, refreshCredentials, type JoinContext, type JoinRequest } from './join.ts';
export { applySample, followSample } from './sample.ts';
export { completionCommand, optionsCommand, versionCommand } from './settings-commands.ts';
export { runProgram, shape } from './shell/index.ts';
