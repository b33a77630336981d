// What several members say, put together. Pure.
import type { Cluster, KubeObject } from '../../api/index.ts';
import type { RequestInfo } from '../../apiserver/index.ts';

/** By name, so that the same question has the same answer. */
export function inOrder(clusters: readonly Cluster[]): readonly Cluster[] {
  return [...clusters].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

/** Subresources that cannot simply be read, to find out who has the object. */
const CONNECTIONS = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** The path of the object that a request to one of its connections is about. */
export function withoutSubresource(path: string, info: RequestInfo): string {
  if (!CONNECTIONS.has(info.subresource)) return path;
  const below = `/${info.subresource}${info.rest === '' ? '' : `/${info.rest}`}`;
  const at = path.lastIndexOf(below);
  return at < 0 ? path : path.slice(0, at);
}

/** COMPAT: the first list with the items of all; it says nothing of where an item comes from. */
export function mergeLists(lists: readonly KubeObject[]): KubeObject | undefined {
  const [first] = lists;
  if (first === undefined) return undefined;
  const items = lists.flatMap((list) => (list['items'] ?? []) as readonly unknown[]);
  return { ...first, items };
}
