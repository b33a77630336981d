// Small worlds for tests of explanations and previews: clusters, a policy, a template, and what the control plane made of
// them so far.
import {
  PROPAGATION_POLICY_ID_LABEL,
  deepFreeze,
  type Cluster,
  type KubeObject,
  type PropagationPolicy,
  type Work,
} from '../../api/index.ts';
import { defaultFeatureGates } from '../../base/index.ts';
import { createInterpreter, nativeLayer, type Interpreter } from '../../interpreter/index.ts';
import type { Binding } from '../../propagation/index.ts';
import { settle } from '../settle.ts';
import { WorldView, referenceOf, templateId, type World } from '../world.ts';

export const NOW = '2026-01-01T12:00:00Z';
export const NOW_MS = Date.parse(NOW);
export const interpreter: Interpreter = createInterpreter([nativeLayer(() => NOW)]);
export const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' } as const;

export function cluster(
  name: string,
  {
    labels,
    pods = 100,
    ...spec
  }: Partial<Cluster['spec']> & { labels?: Record<string, string>; pods?: number } = {},
): Cluster {
  return {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, uid: `uid-${name}`, generation: 1, ...(labels === undefined ? {} : { labels }) },
    spec: { syncMode: 'Push', ...spec },
    status: {
      conditions: [
        { type: 'Ready', status: 'True', reason: 'ClusterReady', message: '', lastTransitionTime: NOW },
      ],
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
      resourceSummary: { allocatable: { pods: String(pods), cpu: '100' } },
    },
  };
}

export function policy(name: string, spec: Partial<PropagationPolicy['spec']> = {}): PropagationPolicy {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      labels: { [PROPAGATION_POLICY_ID_LABEL]: `id-${name}` },
    },
    spec: {
      resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop' }],
      placement: {},
      ...spec,
    },
  };
}

export function deployment(replicas = 2, name = 'web', labels: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, generation: 1, resourceVersion: '1', labels },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '1' } } }] },
      },
    },
  };
}

export function world(parts: Partial<World> = {}): World {
  return deepFreeze({
    nowMs: NOW_MS,
    settings: {
      gates: defaultFeatureGates,
      schedulerName: 'default-scheduler',
      enableEmptyWorkloadPropagation: false,
      evictsByTaint: false,
      noExecuteTaintEvictionPurgeMode: 'Gracefully',
      skippedPropagatingNamespaces: ['kube-.*'],
      skippedPropagatingApis: [],
    },
    clusters: [],
    policies: [],
    clusterPolicies: [],
    overridePolicies: [],
    clusterOverridePolicies: [],
    templates: [],
    bindings: [],
    works: [],
    decisions: [],
    priorityClasses: new Map(),
    unread: [],
    ...parts,
  });
}

export function viewOf(parts: Partial<World>): WorldView {
  return new WorldView(world(parts), interpreter);
}

export type Report = 'Healthy' | 'Unhealthy' | { readonly refused: string } | 'unapplied';

/**
 * The world once the controllers have dealt with its templates: claimed, bound, scheduled, applied, and reported as
 * `reports` says; healthy without a word.
 */
export async function settled(
  parts: Partial<World>,
  reports: Readonly<Record<string, Report>> = {},
): Promise<World> {
  const before = viewOf(parts);
  const play = viewOf(parts);
  const templates: KubeObject[] = [];
  const bindings: Binding[] = [];
  const works: Work[] = [];
  for (const template of before.world.templates) {
    const reference = referenceOf(template);
    const touched = {
      templates: new Set([templateId(reference)]),
      policies: [],
      clusters: [],
      afresh: false,
    };
    const { binding, decision } = await settle(play, before, reference, touched);
    templates.push(decision.action === 'apply' ? decision.claimed : template);
    if (binding === undefined) continue;
    bindings.push(reported(binding, reports));
    for (const { name } of binding.spec.clusters ?? [])
      works.push(workFor(binding, template, name, reports[name] ?? 'Healthy'));
  }
  return world({ ...parts, templates, bindings, works });
}

function reported(binding: Binding, reports: Readonly<Record<string, Report>>): Binding {
  const { metadata, spec, status } = binding;
  return {
    ...binding,
    metadata: { ...metadata, uid: `uid-${metadata.name ?? ''}`, generation: 2 },
    status: {
      ...status,
      schedulerObservedGeneration: 2,
      aggregatedStatus: (spec.clusters ?? []).flatMap(({ name, replicas = 0 }) => {
        const report = reports[name] ?? 'Healthy';
        if (typeof report === 'object' || report === 'unapplied') return [];
        const ready = report === 'Healthy' ? replicas : 0;
        return [
          { clusterName: name, applied: true, health: report, status: { replicas, readyReplicas: ready } },
        ];
      }),
    },
  };
}

function workFor(binding: Binding, template: KubeObject, name: string, report: Report): Work {
  const refused = typeof report === 'object';
  const conditions =
    report === 'unapplied'
      ? []
      : [
          {
            type: 'Applied',
            status: refused ? ('False' as const) : ('True' as const),
            reason: refused ? 'AppliedFailed' : 'AppliedSuccessful',
            message: refused ? `Failed to apply all manifests (0/1): ${report.refused}` : '',
            lastTransitionTime: NOW,
          },
        ];
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: { name: 'web', namespace: `karmada-es-${name}` },
    spec: {
      workload: { manifests: [template as never] },
      ...(binding.spec.suspension?.dispatching === true ? { suspendDispatching: true } : {}),
    },
    status: { conditions },
  };
}
