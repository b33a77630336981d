export { kindWithGroup, resolveArguments, sameResource, type Wanted } from './arguments.ts';
export {
  changeEach,
  dryRunSuffix,
  findTargets,
  keyOf,
  readDryRun,
  tell,
  withDryRun,
  withSource,
  type DryRun,
  type Target as ObjectTarget,
} from './changes.ts';
export { completeNames, completeObjects } from './completion.ts';
export {
  NOTHING_NAMED,
  filesGiven,
  locate,
  locateObjects,
  readObjects,
  readText,
  selectedObjects,
  withFiles,
  type FileFlags,
  type Located,
} from './files.ts';
export {
  clusterNames,
  openSession,
  readScope,
  requireClusters,
  scopedSession,
  withNamespace,
  withScope,
  withSession,
  type HubFlags,
  type ScopeFlags,
  type Session,
} from './session.ts';
