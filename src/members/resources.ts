// The resources a simulated cluster works with, typed once for clients and caches.
import { resource } from '../client/index.ts';
import type { Lease, PriorityClass } from '../api/index.ts';
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Job,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  Service,
  StatefulSet,
  StorageClass,
} from './kinds.ts';

const core = { group: '', version: 'v1' };
const apps = { group: 'apps', version: 'v1', namespaced: true };
const batch = { group: 'batch', version: 'v1', namespaced: true };

export const controllerRevisions = resource<ControllerRevision>({ ...apps, resource: 'controllerrevisions' });
export const cronJobs = resource<CronJob>({ ...batch, resource: 'cronjobs' });
export const daemonSets = resource<DaemonSet>({ ...apps, resource: 'daemonsets' });
export const deployments = resource<Deployment>({ ...apps, resource: 'deployments' });
export const endpoints = resource<Endpoints>({ ...core, resource: 'endpoints', namespaced: true });
export const endpointSlices = resource<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  resource: 'endpointslices',
  namespaced: true,
});
export const jobs = resource<Job>({ ...batch, resource: 'jobs' });
export const leases = resource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
});
export const namespaces = resource({ ...core, resource: 'namespaces', namespaced: false });
export const nodes = resource<Node>({ ...core, resource: 'nodes', namespaced: false });
export const persistentVolumeClaims = resource<PersistentVolumeClaim>({
  ...core,
  resource: 'persistentvolumeclaims',
  namespaced: true,
});
export const persistentVolumes = resource<PersistentVolume>({
  ...core,
  resource: 'persistentvolumes',
  namespaced: false,
});
export const podDisruptionBudgets = resource<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  resource: 'poddisruptionbudgets',
  namespaced: true,
});
export const pods = resource<Pod>({ ...core, resource: 'pods', namespaced: true });
export const priorityClasses = resource<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  resource: 'priorityclasses',
  namespaced: false,
});
export const replicaSets = resource<ReplicaSet>({ ...apps, resource: 'replicasets' });
export const services = resource<Service>({ ...core, resource: 'services', namespaced: true });
export const statefulSets = resource<StatefulSet>({ ...apps, resource: 'statefulsets' });
export const storageClasses = resource<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'storageclasses',
  namespaced: false,
});
