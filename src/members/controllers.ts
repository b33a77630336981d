// Which events wake which controller of a simulated cluster, and what each gathers from the caches.
import type { KubeObject, LabelSelector } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { keyOf } from '../client/index.ts';
import { controllerOf, labelSelectorFor } from '../machinery/index.ts';
import { informerSource, type Informer, type InformerSourceOptions, type Source } from '../runtime/index.ts';
import type { Caches } from './caches.ts';
import type { Pod } from './kinds.ts';
import { isNameTaken, runLoop, type LoopContext, type LoopSpec } from './loop.ts';
import { SERVICE_LABEL, decideEndpoints } from './network/endpoints.ts';
import { decideLoadBalancer } from './network/load-balancer.ts';
import { isActive, isReady, isTerminal } from './pods.ts';
import { decideClaim, decideVolume } from './volumes/volume-binding.ts';
import { decideCronJob } from './workloads/cron-job.ts';
import { decideDaemonSet } from './workloads/daemon-set.ts';
import { decideDeployment } from './workloads/deployment/deployment.ts';
import { decideDisruptionBudget } from './workloads/disruption-budget.ts';
import { decideJob } from './workloads/job.ts';
import { decideReplicaSet } from './workloads/replica-set.ts';
import { decideStatefulSet } from './workloads/stateful-set.ts';

export interface ControllerSettings {
  /** The first three parts of the addresses of load balancers. */
  readonly loadBalancerPrefix: string;
}

// Readiness of many pods comes in bursts; a Service's addresses are written once per burst.
const ENDPOINTS_GATHER_MS = 50;

/** Runs all workload, network and storage controllers until the signal aborts. */
export async function runControllers(context: LoopContext, settings: ControllerSettings): Promise<void> {
  const { caches } = context;
  const run = <Input>(spec: LoopSpec<Input>): Promise<void> => runLoop(spec, context);
  await Promise.all([
    run(deploymentLoop(caches)),
    run(replicaSetLoop(caches)),
    run(statefulSetLoop(caches)),
    run(daemonSetLoop(caches)),
    run(jobLoop(caches)),
    run(cronJobLoop(caches)),
    run(endpointsLoop(caches)),
    run(loadBalancerLoop(caches, settings.loadBalancerPrefix)),
    run(claimLoop(caches)),
    run(volumeLoop(caches)),
    run(disruptionLoop(caches)),
  ]);
}

// ---- sources

/** Whether an update of a pod can mean anything to the one who owns it. */
function podMatters(old: Pod, pod: Pod): boolean {
  return (
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    old.metadata.labels !== pod.metadata.labels ||
    old.metadata.ownerReferences !== pod.metadata.ownerReferences ||
    old.metadata.finalizers !== pod.metadata.finalizers ||
    old.spec.nodeName !== pod.spec.nodeName ||
    old.status?.phase !== pod.status?.phase ||
    old.status?.podIP !== pod.status?.podIP ||
    isReady(old) !== isReady(pod) ||
    restartsOf(old) !== restartsOf(pod)
  );
}

function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}

interface Selecting extends KubeObject {
  readonly spec: { readonly selector?: LabelSelector };
}

/** The key of the controlling owner; for orphans the keys of all owners that select them. */
function ownerKeys<T extends Selecting>(kind: string, owners: Informer<T>) {
  return (object: KubeObject): readonly string[] => {
    const { namespace = '' } = object.metadata;
    const controller = controllerOf(object);
    if (controller !== undefined) return controller.kind === kind ? [`${namespace}/${controller.name}`] : [];
    return owners.store
      .list(namespace)
      .filter(
        ({ spec }) =>
          spec.selector !== undefined &&
          labelSelectorFor(spec.selector).matches(object.metadata.labels ?? {}),
      )
      .map(keyOf);
  };
}

function podsOf<T extends Selecting>(kind: string, owners: Informer<T>, caches: Caches): Source {
  const options: InformerSourceOptions<Pod> = { map: ownerKeys(kind, owners), changed: podMatters };
  return informerSource(caches.pods, options);
}

// ---- workloads

function deploymentLoop(caches: Caches): LoopSpec<Parameters<typeof decideDeployment>[0]> {
  const { deployments, replicaSets, pods } = caches;
  const recreating = (pod: Pod): string | undefined => {
    const controller = controllerOf(pod);
    const set = replicaSets.store.get(`${pod.metadata.namespace}/${controller?.name ?? ''}`);
    const owner = set === undefined ? undefined : controllerOf(set);
    const deployment = deployments.store.get(`${pod.metadata.namespace}/${owner?.name ?? ''}`);
    return deployment?.spec.strategy?.type === 'Recreate' ? keyOf(deployment) : undefined;
  };
  return {
    name: 'deployment-controller',
    sources: [
      informerSource(deployments),
      informerSource(replicaSets, { map: ownerKeys('Deployment', deployments) }),
      informerSource(pods, { map: recreating, changed: podMatters, filter: hasReplicaSet }),
    ],
    gather(key, nowMs) {
      const deployment = deployments.store.get(key);
      if (deployment === undefined) return undefined;
      const sets = caches.claimable(replicaSets, deployment);
      const recreates = deployment.spec.strategy?.type === 'Recreate';
      return {
        deployment,
        replicaSets: sets,
        pods: recreates ? sets.flatMap(({ metadata }) => caches.owned(pods, metadata.uid)) : [],
        nowMs,
      };
    },
    decide: decideDeployment,
    afterFailure: (input, failure) => (isNameTaken(failure) ? { ...input, nameTaken: true } : undefined),
  };
}

function hasReplicaSet(pod: Pod): boolean {
  return controllerOf(pod)?.kind === 'ReplicaSet';
}

function replicaSetLoop(caches: Caches): LoopSpec<Parameters<typeof decideReplicaSet>[0]> {
  const { replicaSets, pods } = caches;
  return {
    name: 'replicaset-controller',
    sources: [informerSource(replicaSets), podsOf('ReplicaSet', replicaSets, caches)],
    gather(key, nowMs) {
      const replicaSet = replicaSets.store.get(key);
      if (replicaSet === undefined) return undefined;
      const candidates = caches.claimable(pods, replicaSet);
      const owner = controllerOf(replicaSet);
      const shrinks = candidates.filter(isActive).length > (replicaSet.spec.replicas ?? 1);
      // Looking at the pods of sibling ReplicaSets is only worth it when some of these have to go.
      const related =
        shrinks && owner !== undefined
          ? caches
              .owned(replicaSets, owner.uid)
              .flatMap(({ metadata }) => caches.owned(pods, metadata.uid).filter(isActive))
          : undefined;
      return {
        replicaSet,
        pods: candidates,
        ...(related === undefined ? {} : { relatedPods: related }),
        nowMs,
      };
    },
    decide: decideReplicaSet,
    afterFailure(input, { write, error }) {
      if (write.verb !== 'create' && write.verb !== 'delete') return undefined;
      return { ...input, failure: { verb: write.verb, message: errorMessage(error) } };
    },
  };
}

function statefulSetLoop(caches: Caches): LoopSpec<Parameters<typeof decideStatefulSet>[0]> {
  const { statefulSets, pods, controllerRevisions, persistentVolumeClaims } = caches;
  return {
    name: 'statefulset-controller',
    sources: [informerSource(statefulSets), podsOf('StatefulSet', statefulSets, caches)],
    gather(key, nowMs) {
      const statefulSet = statefulSets.store.get(key);
      if (statefulSet === undefined) return undefined;
      const { namespace, uid } = statefulSet.metadata;
      return {
        statefulSet,
        pods: caches.claimable(pods, statefulSet),
        revisions: caches.owned(controllerRevisions, uid),
        claimNamed: (name) => persistentVolumeClaims.store.get(`${namespace}/${name}`),
        nowMs,
      };
    },
    decide: decideStatefulSet,
    afterFailure: (input, failure) =>
      isNameTaken(failure) && failure.write.object.kind === 'ControllerRevision'
        ? { ...input, nameTaken: true }
        : undefined,
  };
}

function daemonSetLoop(caches: Caches): LoopSpec<Parameters<typeof decideDaemonSet>[0]> {
  const { daemonSets, pods, nodes, controllerRevisions } = caches;
  return {
    name: 'daemonset-controller',
    sources: [
      informerSource(daemonSets),
      podsOf('DaemonSet', daemonSets, caches),
      informerSource(nodes, {
        map: () => daemonSets.store.list().map(keyOf),
        // Heartbeats change nothing about where pods may run.
        changed: (old, node) => old.metadata.labels !== node.metadata.labels || old.spec !== node.spec,
      }),
    ],
    gather(key, nowMs) {
      const daemonSet = daemonSets.store.get(key);
      if (daemonSet === undefined) return undefined;
      return {
        daemonSet,
        nodes: nodes.store.list(),
        pods: caches.claimable(pods, daemonSet),
        revisions: caches.owned(controllerRevisions, daemonSet.metadata.uid),
        nowMs,
      };
    },
    decide: decideDaemonSet,
    afterFailure: (input, failure) =>
      isNameTaken(failure) && failure.write.object.kind === 'ControllerRevision'
        ? { ...input, nameTaken: true }
        : undefined,
  };
}

function jobLoop(caches: Caches): LoopSpec<Parameters<typeof decideJob>[0]> {
  const { jobs, pods } = caches;
  return {
    name: 'job-controller',
    sources: [informerSource(jobs), podsOf('Job', jobs, caches)],
    gather(key, nowMs) {
      const job = jobs.store.get(key);
      return job === undefined ? undefined : { job, pods: caches.claimable(pods, job), nowMs };
    },
    decide: decideJob,
  };
}

function cronJobLoop(caches: Caches): LoopSpec<Parameters<typeof decideCronJob>[0]> {
  const { cronJobs, jobs } = caches;
  return {
    name: 'cronjob-controller',
    sources: [
      informerSource(cronJobs),
      informerSource(jobs, {
        map: (job) => {
          const controller = controllerOf(job);
          return controller?.kind === 'CronJob' ? `${job.metadata.namespace}/${controller.name}` : undefined;
        },
      }),
    ],
    gather(key, nowMs) {
      const cronJob = cronJobs.store.get(key);
      if (cronJob === undefined) return undefined;
      return { cronJob, jobs: caches.owned(jobs, cronJob.metadata.uid), nowMs };
    },
    decide: decideCronJob,
  };
}

function disruptionLoop(caches: Caches): LoopSpec<Parameters<typeof decideDisruptionBudget>[0]> {
  const { podDisruptionBudgets: budgets, pods } = caches;
  return {
    name: 'disruption-controller',
    sources: [
      informerSource(budgets),
      informerSource(pods, {
        changed: podMatters,
        map: ({ metadata }) =>
          budgets.store
            .list(metadata.namespace)
            .filter(
              ({ spec }) =>
                spec.selector !== undefined && labelSelectorFor(spec.selector).matches(metadata.labels ?? {}),
            )
            .map(keyOf),
      }),
    ],
    gather(key, nowMs) {
      const budget = budgets.store.get(key);
      if (budget === undefined) return undefined;
      const { namespace } = budget.metadata;
      return { budget, pods: pods.store.list(namespace), scaleOf: (pod) => scaleOf(caches, pod), nowMs };
    },
    decide: decideDisruptionBudget,
  };
}

/** The replicas that stand behind a pod: of its Deployment, its bare ReplicaSet or its StatefulSet. */
function scaleOf(caches: Caches, pod: Pod): { uid: string; replicas: number } | undefined {
  const controller = controllerOf(pod);
  if (controller === undefined) return undefined;
  const { namespace } = pod.metadata;
  const scaled = (owner: { metadata: { uid: string }; spec: { replicas?: number } } | undefined) =>
    owner === undefined ? undefined : { uid: owner.metadata.uid, replicas: owner.spec.replicas ?? 1 };
  if (controller.kind === 'StatefulSet') {
    return scaled(caches.statefulSets.store.get(`${namespace}/${controller.name}`));
  }
  if (controller.kind !== 'ReplicaSet') return undefined;
  const set = caches.replicaSets.store.get(`${namespace}/${controller.name}`);
  const owner = set === undefined ? undefined : controllerOf(set);
  return owner?.kind === 'Deployment'
    ? scaled(caches.deployments.store.get(`${namespace}/${owner.name}`))
    : scaled(set);
}

// ---- network

function endpointsLoop(caches: Caches): LoopSpec<Parameters<typeof decideEndpoints>[0]> {
  const { services, pods, nodes, endpointSlices, endpoints } = caches;
  return {
    name: 'endpoint-slice-controller',
    gatherMs: ENDPOINTS_GATHER_MS,
    sources: [
      informerSource(services),
      informerSource(pods, { changed: podMatters, map: (pod) => caches.servicesOf(pod).map(keyOf) }),
      informerSource(endpointSlices, {
        map: ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[SERVICE_LABEL] ?? ''}`,
      }),
      informerSource(endpoints),
    ],
    gather(key) {
      const service = services.store.get(key);
      const known = endpoints.store.get(key);
      if (service === undefined && known === undefined) return undefined;
      return {
        service,
        pods: service === undefined ? [] : caches.podsOf(service),
        nodeNamed: (name) => nodes.store.get(name),
        slices: caches.slicesOf(key),
        endpoints: known,
      };
    },
    decide: decideEndpoints,
  };
}

function loadBalancerLoop(
  caches: Caches,
  prefix: string,
): LoopSpec<Parameters<typeof decideLoadBalancer>[0]> {
  const { services } = caches;
  return {
    name: 'service-controller',
    sources: [informerSource(services)],
    gather(key) {
      const service = services.store.get(key);
      return service === undefined ? undefined : { service, services: services.store.values(), prefix };
    },
    decide: decideLoadBalancer,
  };
}

// ---- storage

function claimLoop(caches: Caches): LoopSpec<Parameters<typeof decideClaim>[0]> {
  const { persistentVolumeClaims: claims, persistentVolumes: volumes, storageClasses, pods } = caches;
  const unbound = (): string[] =>
    claims.store
      .list()
      .filter(({ status }) => status?.phase !== 'Bound')
      .map(keyOf);
  return {
    name: 'persistentvolume-controller',
    sources: [
      informerSource(claims),
      informerSource(volumes, {
        map: ({ spec: { claimRef } }) =>
          claimRef === undefined ? unbound() : [`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`],
      }),
      informerSource(storageClasses, { map: unbound }),
      informerSource(pods, {
        changed: (old, pod) => isTerminal(old) !== isTerminal(pod),
        map: ({ metadata, spec }) =>
          (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
            persistentVolumeClaim === undefined
              ? []
              : [`${metadata.namespace}/${persistentVolumeClaim.claimName}`],
          ),
      }),
    ],
    gather(key) {
      const claim = claims.store.get(key);
      if (claim === undefined) return undefined;
      return {
        claim,
        volumes: volumes.store.list(),
        classes: storageClasses.store.list(),
        isUsed: caches.podsWithClaim(key).some((pod) => !isTerminal(pod)),
      };
    },
    decide: decideClaim,
  };
}

function volumeLoop(caches: Caches): LoopSpec<Parameters<typeof decideVolume>[0]> {
  const { persistentVolumeClaims: claims, persistentVolumes: volumes } = caches;
  return {
    name: 'persistentvolume-protection',
    sources: [
      informerSource(volumes),
      informerSource(claims, { map: ({ spec: { volumeName } }) => volumeName }),
    ],
    gather(key) {
      const volume = volumes.store.get(key);
      if (volume === undefined) return undefined;
      const { claimRef } = volume.spec;
      const claim =
        claimRef === undefined
          ? undefined
          : claims.store.get(`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`);
      return { volume, claim };
    },
    decide: decideVolume,
  };
}
