// Bindings and clusters as the tests of this room need them.
import {
  deepFreeze,
  type Cluster,
  type Condition,
  type ResourceBinding,
  type Taint,
} from '../../api/index.ts';

type Spec = ResourceBinding['spec'];

export interface BindingTraits {
  readonly spec?: Partial<Spec>;
  readonly generation?: number;
  readonly observed?: number;
  /** Health by cluster. */
  readonly health?: Readonly<Record<string, 'Healthy' | 'Unhealthy' | 'Unknown'>>;
  /** Ready replicas by cluster, of those with a health. */
  readonly ready?: Readonly<Record<string, number>>;
}

export function testBinding({
  spec,
  generation = 2,
  observed = 2,
  health = {},
  ready = {},
}: BindingTraits): ResourceBinding {
  return deepFreeze({
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', namespace: 'shop', generation },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'shop' },
      ...spec,
    },
    status: {
      schedulerObservedGeneration: observed,
      aggregatedStatus: Object.entries(health).map(([clusterName, one]) => ({
        clusterName,
        health: one,
        ...(ready[clusterName] === undefined ? {} : { status: { readyReplicas: ready[clusterName] } }),
      })),
    },
  });
}

export interface ClusterTraits {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Status by condition type. */
  readonly conditions?: Readonly<Record<string, 'True' | 'False' | 'Unknown'>>;
}

export function testCluster(name: string, { labels = {}, taints, conditions }: ClusterTraits = {}): Cluster {
  return deepFreeze({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, labels },
    spec: { syncMode: 'Pull', ...(taints === undefined ? {} : { taints }) },
    ...(conditions === undefined
      ? {}
      : {
          status: {
            conditions: Object.entries(conditions).map(([type, status]): Condition => ({
              type,
              status,
              reason: 'x',
              message: '',
              lastTransitionTime: '',
            })),
          },
        }),
  });
}
