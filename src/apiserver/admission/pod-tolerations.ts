// Pods stay for a while on a node that is not ready or cannot be reached, unless they say otherwise.
import { deepFreeze, type Pod, type Toleration } from '../../api/index.ts';
import type { AdmissionPlugin } from '../../machinery/index.ts';

// As kube-apiserver's --default-not-ready-toleration-seconds and its counterpart.
const STAYS_SECONDS = 300;
const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

const covers = ({ key = '', effect }: Toleration, taint: string): boolean =>
  (key === taint || key === '') && (effect === undefined || effect === 'NoExecute');

export const podTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: ({ operation, group, resource, subresource }) =>
    (operation === 'CREATE' || operation === 'UPDATE') &&
    group === '' &&
    resource === 'pods' &&
    subresource === '',
  mutate({ object }) {
    const pod = object as unknown as Pod;
    const tolerations = pod.spec?.tolerations ?? [];
    const missing = KEYS.filter((key) => !tolerations.some((one) => covers(one, key)));
    if (missing.length === 0) return object!;
    const added = missing.map((key): Toleration => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: STAYS_SECONDS,
    }));
    return deepFreeze({
      ...pod,
      spec: { ...pod.spec, tolerations: [...tolerations, ...added] },
    });
  },
};
