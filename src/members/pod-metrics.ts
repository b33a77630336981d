// metrics.k8s.io of a simulated cluster, so that `kubectl top` and autoscalers have something to read: what pods use is a
// share of what they ask for that moves slowly, the same for everybody who asks in the same half minute.
import { deepFreeze, s, type KubeObject, type KindDefinition } from '../api/index.ts';
import {
  aggregatedKind,
  methodNotAllowed,
  type ApiResponse,
  type RequestInfo,
  type ResourceDefinition,
} from '../apiserver/index.ts';
import { formatTime } from '../base/index.ts';
import { notFound, parseLabelSelector } from '../machinery/index.ts';
import { digest } from './digest.ts';
import type { Node, Pod } from './kinds.ts';
import { amountsOf } from './scheduler/fit.ts';

const GROUP = 'metrics.k8s.io';
const VERSION = 'v1beta1';
const WINDOW_MS = 30_000;
/** What a node needs for itself. */
const NODE_CPU_MILLIS = 60;
const NODE_MEMORY_BYTES = 400 * 1024 * 1024;
/** What a container that asks for nothing uses. */
const IDLE_CPU_MILLIS = 2;
const IDLE_MEMORY_BYTES = 12 * 1024 * 1024;

export interface MetricsSources {
  nodes(): Iterable<Node>;
  pods(): Iterable<Pod>;
}

export interface Usage {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** From 0 up to 1, the same for equal texts. */
function share(text: string): number {
  return Number.parseInt(digest(text).slice(0, 8), 16) / 2 ** 32;
}

/** What one container of a running pod uses: between three and nine tenths of what it asks for. */
export function containerUsage(pod: Pod, container: Pod['spec']['containers'][number], nowMs: number): Usage {
  const window = Math.floor(nowMs / WINDOW_MS);
  const requests = amountsOf(container.resources?.requests);
  const key = `${pod.metadata.uid}/${container.name}`;
  const cpu = 0.3 + 0.5 * share(key) + 0.1 * share(`${key}/${window}`);
  const memory = 0.4 + 0.4 * share(`${key}/memory`) + 0.1 * share(`${key}/memory/${Math.floor(window / 10)}`);
  return {
    cpuMillis: Math.max(1, Math.round((requests.get('cpu') ?? IDLE_CPU_MILLIS) * cpu)),
    memoryBytes: Math.round((requests.get('memory') ?? IDLE_MEMORY_BYTES) * memory),
  };
}

function usageJson({ cpuMillis, memoryBytes }: Usage): object {
  return { cpu: `${cpuMillis}m`, memory: `${Math.ceil(memoryBytes / 1024)}Ki` };
}

function sum(usages: readonly Usage[]): Usage {
  return usages.reduce(
    (total, one) => ({
      cpuMillis: total.cpuMillis + one.cpuMillis,
      memoryBytes: total.memoryBytes + one.memoryBytes,
    }),
    { cpuMillis: 0, memoryBytes: 0 },
  );
}

const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';

function common(object: Node | Pod, kind: string, nowMs: number): object {
  const { name, namespace, labels, creationTimestamp } = object.metadata;
  return {
    kind,
    apiVersion: `${GROUP}/${VERSION}`,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      creationTimestamp,
    },
    timestamp: formatTime(Math.floor(nowMs / WINDOW_MS) * WINDOW_MS),
    window: '30s',
  };
}

export function podMetrics(pod: Pod, nowMs: number): object {
  const containers = pod.spec.containers.map((container) => ({
    name: container.name,
    usage: usageJson(containerUsage(pod, container, nowMs)),
  }));
  return { ...common(pod, 'PodMetrics', nowMs), containers };
}

export function nodeMetrics(node: Node, pods: readonly Pod[], nowMs: number): object {
  const own: Usage = { cpuMillis: NODE_CPU_MILLIS, memoryBytes: NODE_MEMORY_BYTES };
  const usages = pods
    .filter((pod) => isRunning(pod) && pod.spec.nodeName === node.metadata.name)
    .flatMap((pod) => pod.spec.containers.map((container) => containerUsage(pod, container, nowMs)));
  return { ...common(node, 'NodeMetrics', nowMs), usage: usageJson(sum([own, ...usages])) };
}

/** `nodes` and `pods` of metrics.k8s.io, to be read only. */
export function metricsResources(sources: MetricsSources): readonly ResourceDefinition[] {
  return [
    readOnly('NodeMetrics', 'nodes', false, (nowMs) => {
      const pods = [...sources.pods()];
      return [...sources.nodes()].map((node) => nodeMetrics(node, pods, nowMs));
    }),
    readOnly('PodMetrics', 'pods', true, (nowMs) =>
      [...sources.pods()].filter(isRunning).map((pod) => podMetrics(pod, nowMs)),
    ),
  ];
}

function readOnly(
  kind: string,
  plural: string,
  namespaced: boolean,
  list: (nowMs: number) => readonly object[],
): ResourceDefinition {
  const schema = s.object(`${kind} sets resource usage metrics.`, { required: {} });
  const definition: KindDefinition = {
    group: GROUP,
    kind,
    plural,
    namespaced,
    versions: [{ name: VERSION, schema }],
  };
  const printer = {
    columns: [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 } as const],
    cells: ({ metadata }: KubeObject) => [metadata.name ?? ''],
  };
  const served = aggregatedKind(definition, {
    strategy: {},
    printer,
    definition: `io.k8s.metrics.pkg.apis.metrics.${VERSION}.${kind}`,
  });
  return {
    ...served,
    // COMPAT: metrics-server's, which names no singular.
    singular: '',
    verbs: ['get', 'list'],
    subresources: {},
    async serve({ request, info, context }) {
      if (info.verb !== 'get' && info.verb !== 'list') throw methodNotAllowed();
      return answer(kind, list(context.nowMs) as readonly KubeObject[], info, request.query);
    },
  };
}

function answer(
  kind: string,
  all: readonly KubeObject[],
  info: RequestInfo,
  query: URLSearchParams,
): ApiResponse {
  const inPlace = all.filter(
    ({ metadata }) => info.namespace === '' || metadata.namespace === info.namespace,
  );
  if (info.name !== '' && info.verb === 'get') {
    const found = inPlace.find(({ metadata }) => metadata.name === info.name);
    if (found === undefined) {
      // COMPAT: as metrics-server calls them.
      const where = info.namespace === '' ? '' : `${info.namespace}/`;
      throw notFound({ group: GROUP, resource: kind.toLowerCase() }, `${where}${info.name}`);
    }
    return { kind: 'object', status: 200, object: deepFreeze(found) };
  }
  const selector = parseLabelSelector(query.get('labelSelector') ?? '');
  const items = inPlace.filter(({ metadata }) => selector.matches(metadata.labels ?? {}));
  const object = { kind: `${kind}List`, apiVersion: `${GROUP}/${VERSION}`, metadata: {}, items };
  return { kind: 'object', status: 200, object: deepFreeze(object) };
}
