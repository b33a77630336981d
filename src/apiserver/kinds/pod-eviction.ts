// policy/v1 Eviction: a deletion that asks the pod's disruption budget first.
import type { JsonObject, KubeObject, Pod, PodDisruptionBudget } from '../../api/index.ts';
import { StatusError, badRequest, labelSelectorFor } from '../../machinery/index.ts';
import { formatTime } from '../../base/index.ts';
import type { Subresource, SubresourceCall } from '../resource.ts';

const BUDGETS = ['policy', 'poddisruptionbudgets'] as const;

function budgetsOf(pod: KubeObject, all: readonly KubeObject[]): PodDisruptionBudget[] {
  return (all as unknown as readonly PodDisruptionBudget[]).filter(
    ({ spec }) =>
      spec?.selector !== undefined && labelSelectorFor(spec.selector).matches(pod.metadata.labels),
  );
}

/** A pod that has ended, or never started, disrupts nothing. */
function needsNoBudget({ metadata, status }: Pod): boolean {
  const phase = status?.phase;
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    metadata.deletionTimestamp !== undefined
  );
}

function tooManyRequests(budget: PodDisruptionBudget): StatusError {
  const { name = '' } = budget.metadata;
  const { desiredHealthy = 0, currentHealthy = 0 } = budget.status ?? {};
  const message = "Cannot evict pod as it would violate the pod's disruption budget.";
  const cause = `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  return new StatusError(429, 'TooManyRequests', message, {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
  });
}

async function takeFromBudget(call: SubresourceCall, pod: KubeObject): Promise<void> {
  const { namespace = '', name: podName = '' } = pod.metadata;
  const [budget, ...others] = budgetsOf(pod, await call.objects.list(...BUDGETS, namespace));
  if (budget === undefined) return;
  if (others.length > 0) {
    const message =
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new StatusError(500, 'InternalError', message, { causes: [{ message }] });
  }
  const { generation = 0, name = '' } = budget.metadata;
  if ((budget.status?.observedGeneration ?? 0) < generation) {
    throw new StatusError(
      429,
      'TooManyRequests',
      "Cannot evict pod as it would violate the pod's disruption budget.",
      {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${name} is still being processed by the server.`,
          },
        ],
        retryAfterSeconds: 10,
      },
    );
  }
  if (call.context.dryRun) {
    if ((budget.status?.disruptionsAllowed ?? 0) <= 0) throw tooManyRequests(budget);
    return;
  }
  await call.objects.update(...BUDGETS, namespace, name, (object) => {
    const current = object as unknown as PodDisruptionBudget;
    const { disruptionsAllowed = 0, disruptedPods = {} } = current.status ?? {};
    if (disruptionsAllowed <= 0) throw tooManyRequests(current);
    const status = {
      ...current.status,
      disruptionsAllowed: disruptionsAllowed - 1,
      disruptedPods: { ...disruptedPods, [podName]: formatTime(call.context.nowMs) },
    };
    return Object.freeze({ ...object, status: Object.freeze(status) });
  });
}

export const evictionSubresource: Subresource = {
  kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
  olderApiVersions: ['policy/v1beta1'],
  verbs: ['create'],
  async serve(call) {
    // COMPAT: the name need not be given, but what admission sees has it.
    const body = await call.admitCreate(call.object(), (eviction) => {
      const { name = '' } = eviction.metadata ?? {};
      if (name === '' || name === call.info.name) return eviction;
      throw badRequest('name in URL does not match name in Eviction object');
    });
    const pod = await call.parent();
    if (!needsNoBudget(pod as unknown as Pod)) await takeFromBudget(call, pod);
    const options = (body['deleteOptions'] ?? {}) as JsonObject;
    await call.delete(call.context.dryRun ? { ...options, dryRun: ['All'] } : options);
    return call.present(201, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      code: 201,
    });
  },
};
