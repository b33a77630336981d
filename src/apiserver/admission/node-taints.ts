// A new node is not ready until its kubelet says so: no pod is to land on it before.
import { deepFreeze, type Node } from '../../api/index.ts';
import type { AdmissionPlugin } from '../../machinery/index.ts';

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const;

export const nodeTaints: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: ({ operation, group, resource, subresource }) =>
    operation === 'CREATE' && group === '' && resource === 'nodes' && subresource === '',
  mutate({ object }) {
    const node = object as unknown as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect))
      return object!;
    return deepFreeze({ ...object!, spec: { ...node.spec, taints: [...taints, NOT_READY] } });
  },
};
