// Which events wake the workload controllers, and what each gathers from the caches.
import { errorMessage } from '../../base/index.ts';
import { keyOf } from '../../client/index.ts';
import { controllerOf, deepEqual, labelSelectorFor } from '../../machinery/index.ts';
import { informerSource } from '../../runtime/index.ts';
import type { Caches } from '../caches.ts';
import type { Pod } from '../kinds.ts';
import { isNameTaken, runLoop, type LoopContext, type LoopSpec } from '../loop.ts';
import { isActive } from '../pods.ts';
import { ownerKeys, podMatters, podsOf } from '../sources.ts';
import { decideCronJob } from './cron-job.ts';
import { decideDaemonSet } from './daemon-set.ts';
import { decideDeployment } from './deployment/deployment.ts';
import { decideDisruptionBudget } from './disruption-budget.ts';
import { decideJob } from './job.ts';
import { decideReplicaSet } from './replica-set.ts';
import { decideStatefulSet } from './stateful-set.ts';

// Who has many pods looks at all of them in every round, and their changes come in bursts: rounds are spaced out then.
const MANY_PODS = 100;
const GATHER_MS = 50;

/** Runs until the signal aborts. */
export async function runWorkloadLoops(context: LoopContext): Promise<void> {
  const { caches } = context;
  const run = <Input>(spec: LoopSpec<Input>): Promise<void> => runLoop(spec, context);
  await Promise.all([
    run(deploymentLoop(caches)),
    run(replicaSetLoop(caches)),
    run(statefulSetLoop(caches)),
    run(daemonSetLoop(caches)),
    run(jobLoop(caches)),
    run(cronJobLoop(caches)),
    run(disruptionLoop(caches)),
  ]);
}

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
    gatherMs: (key) => ((replicaSets.store.get(key)?.spec.replicas ?? 0) > MANY_PODS ? GATHER_MS : 0),
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
    gatherMs: () => (nodes.store.size > MANY_PODS ? GATHER_MS : 0),
    sources: [
      informerSource(daemonSets),
      podsOf('DaemonSet', daemonSets, caches),
      informerSource(nodes, {
        map: () => daemonSets.store.list().map(keyOf),
        // Heartbeats change nothing about where pods may run.
        changed: (old, node) =>
          !deepEqual(old.metadata.labels, node.metadata.labels) || !deepEqual(old.spec, node.spec),
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
    gatherMs: (key) => ((jobs.store.get(key)?.spec.parallelism ?? 0) > MANY_PODS ? GATHER_MS : 0),
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
    gatherMs: () => (pods.store.size > MANY_PODS ? GATHER_MS : 0),
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
