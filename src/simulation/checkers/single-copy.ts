// INVARIANT: a workload that must run at most once never has running pods in two members, whatever the network does.
// LIMIT: a member whose own API server is down cannot stop its pods, for who stops them in a member does so through its API,
// and the hub cannot tell it from one that is cut off. docs/stateful-failover.md says so.
import { AT_MOST_ONCE_ANNOTATION, FENCE_LABEL, type KubeObject } from '../../api/index.ts';
import type { World } from '../world.ts';
import type { CreateChecker } from './checker.ts';

const PODS = 'core/pods';

export const singleCopy: CreateChecker = (world, report) => {
  /** By fence: in which members pods run. */
  const running = new Map<string, Map<string, Set<string>>>();
  return {
    name: 'no double active copy',
    observer: {
      memberChanged: (member, { resource, before, after }) => {
        const pod = after ?? before;
        const label = pod?.metadata.labels?.[FENCE_LABEL];
        if (resource !== PODS || pod === undefined || label === undefined) return;
        const fence = `${pod.metadata.namespace}/${label}`;
        const members = running.get(fence) ?? new Map<string, Set<string>>();
        running.set(fence, members);
        const pods = members.get(member) ?? new Set<string>();
        members.set(member, pods);
        const name = pod.metadata.name ?? '';
        if (after === undefined || !isRunning(after)) pods.delete(name);
        else if (!pods.has(name)) {
          pods.add(name);
          const active = [...members].filter(([, names]) => names.size > 0).map(([where]) => where);
          if (active.some((where) => hasNoServer(world, where))) return;
          if (active.length > 1)
            report(`${fence} (${AT_MOST_ONCE_ANNOTATION}) runs in ${active.sort().join(' and ')}`);
        }
      },
    },
  };
};

function hasNoServer(world: World, member: string): boolean {
  return world
    .member(member)
    .member.faults.list()
    .some(({ kind }) => kind === 'api-server');
}

function isRunning(pod: KubeObject): boolean {
  return (pod as KubeObject & { readonly status?: { readonly phase?: string } }).status?.phase === 'Running';
}
