export { faultCommand, joinCommand, unjoinCommand } from './commands.ts';
export { joinCluster, refreshCredentials, type JoinContext, type JoinRequest } from './join.ts';
export { applySample, followSample } from './sample.ts';
