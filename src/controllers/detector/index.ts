// resource-detector: finds the policy of every template, claims the template for it, and writes the binding.
// Reads: templates, policies, override policies, bindings, priority classes.
// Writes: the claim on templates and bindings, bindings, finalizers of policies.
// INVARIANT: a binding's scheduling result (clusters, eviction tasks) is never touched here.
import type { KubeObject } from '../../api/index.ts';
import { kinds } from '../../client/index.ts';
import {
  claimOf,
  createEligibility,
  isHeldBack,
  isSignificantUpdate,
  type Policy,
} from '../../propagation/index.ts';
import {
  PRIORITY_CHANGE,
  PRIORITY_RESYNC,
  WorkQueue,
  informerSource,
  runController,
} from '../../runtime/index.ts';
import type { Controller, ControllerContext } from '../context.ts';
import { Deletions } from '../deletion-rules.ts';
import { PolicyReconciler } from './policy.ts';
import { PolicyIndex } from './policy-index.ts';
import { TemplateReconciler } from './template.ts';
import { TemplateInformers, templateKeyOf, type TemplateKey } from './templates.ts';

export const detector: Controller = {
  name: 'resourceDetector',
  async run(context) {
    const { settings, informers, clock, logger, metrics, signal } = context;
    const eligibility = createEligibility({
      skippedApis: settings.skippedPropagatingApis.join(';'),
      skippedNamespaces: settings.skippedPropagatingNamespaces,
    });
    const queue = new WorkQueue({ name: 'resource-detector', clock, metrics, ...backoff(context) });
    const policyQueue = new WorkQueue({ name: 'policy-controller', clock, metrics, ...backoff(context) });
    const policies = new PolicyIndex(context);
    const deletions = new Deletions(context);
    await Promise.all([policies.synced, deletions.synced]);
    const templates = new TemplateInformers(context, eligibility, {
      appeared: (template, initial, priority) => {
        // What a lazy policy holds back must not go out just because the hub was started again.
        const lazy = initial && policies.claimant(claimOf(template))?.spec.activationPreference === 'Lazy';
        if (!lazy) reconciler.touchedByUser(templateKeyOf(template));
        queue.add(templateKeyOf(template), { priority });
      },
      changed: (before, after) => enqueueChange(before, after),
      vanished: (template) => queue.add(templateKeyOf(template)),
    });
    const reconciler = new TemplateReconciler(context, templates, policies);
    const enqueueChange = (before: KubeObject, after: KubeObject): void => {
      if (!isSignificantUpdate(before, after)) return;
      if (reconciler.isOwnClaim(after, () => enqueueChange(before, after))) return;
      const key = templateKeyOf(after);
      if (!isHeldBack(before, after, policies.claimant(claimOf(after)))) reconciler.touchedByUser(key);
      queue.add(key);
    };
    await templates.start();
    const stopListening = context.interpretationChanges.listen((concerns) => {
      for (const template of templates.all(concerns))
        queue.add(templateKeyOf(template), { priority: PRIORITY_RESYNC });
    });
    signal.addEventListener('abort', stopListening, { once: true });
    const policyReconciler = new PolicyReconciler(
      context,
      templates,
      policies,
      reconciler.waiting,
      {
        enqueue(key, policy) {
          if (policy?.spec.activationPreference !== 'Lazy') reconciler.touchedByUser(key);
          const priority = settings.gates.ControllerPriorityQueue ? PRIORITY_RESYNC : PRIORITY_CHANGE;
          queue.add(key, { priority });
        },
      },
      deletions,
    );
    const generationChanged = (before: Policy, after: Policy): boolean => {
      if (before.metadata.generation === after.metadata.generation) return false;
      // One at a time and in this order, so that the highest of them has the first choice.
      for (const heir of policyReconciler.heirsOf(before, after)) policyQueue.add(policyKey(heir));
      return true;
    };
    const stopFollowing = policies.followOverrides(() => {
      for (const policy of policies.dependent()) policyQueue.add(policyKey(policy));
      for (const key of reconciler.blocked) queue.add(key);
    });
    signal.addEventListener('abort', stopFollowing, { once: true });
    const common = { clock, logger, metrics, signal };
    await Promise.all([
      runController({
        ...common,
        name: 'resource-detector',
        sources: [],
        queue,
        concurrency: settings.concurrentResourceTemplateSyncs,
        reconcile: (key, { signal: reconcileSignal }) =>
          reconciler.reconcile(key as TemplateKey, reconcileSignal),
      }),
      runController({
        ...common,
        name: 'policy-controller',
        queue: policyQueue,
        sources: [
          informerSource(informers.informer(kinds.propagationPolicies), {
            map: policyKey,
            changed: generationChanged,
          }),
          informerSource(informers.informer(kinds.clusterPropagationPolicies), {
            map: policyKey,
            changed: generationChanged,
          }),
        ],
        reconcile: (key, { signal: reconcileSignal }) => policyReconciler.reconcile(key, reconcileSignal),
      }),
    ]);
  },
};

function policyKey({ kind, metadata }: Policy): string {
  return `${kind}|${metadata.namespace ?? ''}|${metadata.name ?? ''}`;
}

function backoff({ settings }: ControllerContext): {
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
} {
  return { backoffBaseMs: settings.rateLimiterBaseDelayMs, backoffMaxMs: settings.rateLimiterMaxDelayMs };
}
