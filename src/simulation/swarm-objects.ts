// What users of a random fleet run there, and how they change it: workloads of several kinds under policies of several
// shapes, in one namespace.
import { AT_MOST_ONCE_ANNOTATION, type JsonObject } from '../api/index.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Step } from './step.ts';

type Action = Omit<Step, 'at'>;

export interface SwarmObjects {
  /** In the order in which they are applied. */
  readonly initial: readonly JsonObject[];
  /** Their names, as `Deployment shop/web-1`. */
  readonly templates: readonly string[];
  scale(random: SeededRandom): Action[];
  edit(random: SeededRandom): Action[];
  remove(random: SeededRandom): Action[];
  /** Applies a template as it was at first, whether it is there or not. */
  putBack(random: SeededRandom): Action[];
  /** Another placement for a policy. */
  replan(random: SeededRandom): Action[];
  suspend(random: SeededRandom): Action[];
  resume(random: SeededRandom): Action[];
}

const NAMESPACE = 'shop';

interface Template {
  readonly object: JsonObject;
  readonly reference: string;
  readonly policy: string;
  readonly replicated: boolean;
  /** It must run at most once, so its policy always chooses one cluster. */
  readonly once: boolean;
}

export function swarmObjects(random: SeededRandom, members: readonly string[]): SwarmObjects {
  const templates = Array.from({ length: 3 + random.below(4) }, (_, index) =>
    drawTemplate(random, index + 1),
  );
  const policies = templates.map((template) => policyFor(random, members, template));
  const replicated = templates.filter(({ replicated: scales }) => scales);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  return {
    initial: [namespace, ...tainting(random), ...policies, ...templates.map(({ object }) => object)],
    templates: templates.map(({ reference }) => reference),
    scale: (chance) =>
      replicated.length === 0
        ? []
        : [{ scale: { object: chance.pick(replicated).reference, replicas: chance.below(9) } }],
    edit(chance) {
      const { reference, replicated: isWorkload } = chance.pick(templates);
      const version = `v${chance.below(1000)}`;
      const merge: JsonObject = isWorkload
        ? { spec: { template: { metadata: { annotations: { version } } } } }
        : { metadata: { annotations: { version } } };
      return [{ patch: { object: reference, merge } }];
    },
    remove: (chance) => [{ delete: chance.pick(templates).reference }],
    putBack: (chance) => [{ apply: chance.pick(templates).object }],
    replan(chance) {
      return [{ apply: policyFor(chance, members, chance.pick(templates)) }];
    },
    suspend: (chance) => [
      {
        patch: {
          object: `PropagationPolicy ${NAMESPACE}/${chance.pick(templates).policy}`,
          merge: {
            spec: {
              suspension: chance.chance(0.5)
                ? { dispatching: true }
                : { dispatchingOnClusters: { clusterNames: [chance.pick(members)] } },
            },
          },
        },
      },
    ],
    resume: (chance) => [
      {
        patch: {
          object: `PropagationPolicy ${NAMESPACE}/${chance.pick(templates).policy}`,
          merge: { spec: { suspension: null } },
        },
      },
    ],
  };
}

/** Half of the fleets evict from clusters that are not ready. */
function tainting(random: SeededRandom): JsonObject[] {
  if (random.chance(0.5)) return [];
  const condition = (operator: string): JsonObject => ({
    conditionType: 'Ready',
    operator,
    statusValues: ['True'],
  });
  return [
    {
      apiVersion: 'policy.karmada.io/v1alpha1',
      kind: 'ClusterTaintPolicy',
      metadata: { name: 'not-ready' },
      spec: {
        addOnConditions: [condition('NotIn')],
        removeOnConditions: [condition('In')],
        taints: [{ key: 'swarm.example/not-ready', effect: 'NoExecute' }],
      },
    },
  ];
}

function drawTemplate(random: SeededRandom, index: number): Template {
  const drawn = drawPlainTemplate(random, index);
  if (drawn.object['kind'] === 'ConfigMap' || drawn.object['kind'] === 'Service' || random.chance(0.8))
    return drawn;
  const metadata = {
    ...(drawn.object['metadata'] as JsonObject),
    annotations: { [AT_MOST_ONCE_ANNOTATION]: 'true' },
  };
  return { ...drawn, once: true, object: { ...drawn.object, metadata } };
}

function drawPlainTemplate(random: SeededRandom, index: number): Template {
  const kind = random.pick([
    'Deployment',
    'Deployment',
    'Deployment',
    'StatefulSet',
    'ConfigMap',
    'Service',
    'Job',
  ]);
  const name = `${kind.toLowerCase()}-${index}`;
  const made = { reference: `${kind} ${NAMESPACE}/${name}`, policy: `policy-${index}`, once: false };
  const metadata = { name, namespace: NAMESPACE };
  if (kind === 'ConfigMap')
    return {
      ...made,
      replicated: false,
      object: { apiVersion: 'v1', kind, metadata, data: { colour: 'blue' } },
    };
  if (kind === 'Service') {
    const spec = { selector: { app: name }, ports: [{ port: 80 }] };
    return { ...made, replicated: false, object: { apiVersion: 'v1', kind, metadata, spec } };
  }
  const container = {
    name: 'main',
    image: 'registry.example/main:1',
    resources: { requests: { cpu: '50m' } },
  };
  if (kind === 'Job') {
    const pod = { spec: { containers: [container], restartPolicy: 'Never' } };
    return {
      ...made,
      replicated: false,
      object: { apiVersion: 'batch/v1', kind, metadata, spec: { template: pod } },
    };
  }
  const spec = {
    replicas: 1 + random.below(6),
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [container] } },
    ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
  };
  return { ...made, replicated: true, object: { apiVersion: 'apps/v1', kind, metadata, spec } };
}

function policyFor(
  random: SeededRandom,
  members: readonly string[],
  { object, policy, once }: Template,
): JsonObject {
  const { apiVersion, kind, metadata } = object as { readonly [field: string]: JsonObject };
  const selector = { apiVersion, kind, name: metadata?.['name'] ?? '' };
  const { replicaScheduling, ...drawn } = placement(random, members);
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name: policy, namespace: NAMESPACE },
    spec: {
      resourceSelectors: [selector],
      // Division by weight takes no notice of constraints.
      placement: once
        ? { ...drawn, spreadConstraints: ONE_CLUSTER }
        : { ...drawn, ...(replicaScheduling === undefined ? {} : { replicaScheduling }) },
    },
  };
}

const ONE_CLUSTER = [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 1 }];

function placement(random: SeededRandom, members: readonly string[]): JsonObject {
  const affinity: JsonObject[] = [
    {},
    { clusterAffinity: { clusterNames: members.filter(() => random.chance(0.6)).concat(members[0] ?? '') } },
    { clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } } },
    {
      clusterAffinities: members.map((member) => ({ affinityName: `at-${member}`, clusterNames: [member] })),
    },
  ];
  const divided = { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Weighted' };
  const scheduling: JsonObject[] = [
    {},
    { replicaScheduling: { replicaSchedulingType: 'Duplicated' } },
    { replicaScheduling: divided },
    { replicaScheduling: { ...divided, weightPreference: { dynamicWeight: 'AvailableReplicas' } } },
    { replicaScheduling: { ...divided, replicaDivisionPreference: 'Aggregated' } },
  ];
  const spread: JsonObject[] = [
    {},
    { spreadConstraints: ONE_CLUSTER },
    { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 2 }] },
  ];
  return { ...random.pick(affinity), ...random.pick(scheduling), ...random.pick(spread) };
}
