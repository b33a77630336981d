// apps/v1, and the ReplicationController: one file each for kinds that belong together.
import type { BuiltinKinds } from './builtin.ts';
import { daemonSet } from './daemon-sets.ts';
import { deployment } from './deployments.ts';
import { replicaSet, replicationController } from './replica-sets.ts';
import { controllerRevision, statefulSet } from './stateful-sets.ts';

export const workloads: BuiltinKinds = {
  'apps/deployments': deployment,
  'apps/replicasets': replicaSet,
  'apps/statefulsets': statefulSet,
  'apps/daemonsets': daemonSet,
  'apps/controllerrevisions': controllerRevision,
  '/replicationcontrollers': replicationController,
};
