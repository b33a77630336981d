// The proxy subresources of pods, services and nodes: requests handed on to simulated containers and kubelets.
// COMPAT: how a name says scheme and port, which port is meant without one, and how refusals read, is upstream's.
import type { Endpoint, EndpointSlice } from '../../api/index.ts';
import type { ApiResponse, Subresource, SubresourceCall } from '../../apiserver/index.ts';
import { StatusError, badRequest, notFound } from '../../machinery/index.ts';
import type { Node, Pod, Service } from '../kinds.ts';
import { listenerAt, pageOf } from './pages.ts';

const VERBS = ['create', 'delete', 'get', 'patch', 'update'];
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export const podProxy = proxy('PodProxyOptions', async (call, asked) => {
  const { name, port } = splitName('pod', asked);
  const pod = (await mustFind(call, 'pods', name)) as Pod;
  const first = pod.spec.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort;
  const ip = pod.status?.podIP ?? '';
  if (ip === '') throw badRequest('address not allowed');
  return answerOf(call, pod, ip, port === '' ? (first ?? 80) : Number(port));
});

export const serviceProxy = proxy('ServiceProxyOptions', async (call, asked) => {
  const { name, port } = splitName('service', asked);
  const service = (await mustFind(call, 'services', name)) as Service;
  const portName = portNameOf(service, port);
  const slices = (
    (await call.objects.list('discovery.k8s.io', 'endpointslices', call.info.namespace)) as EndpointSlice[]
  ).filter(({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL] === name);
  if (!slices.some(({ endpoints }) => (endpoints ?? []).length > 0)) throw noEndpoints(name);
  const reached = slices.flatMap(({ endpoints, ports }) => {
    const number = (ports ?? []).find((one) => (one.name ?? '') === portName)?.port;
    return number === undefined
      ? []
      : (endpoints ?? []).filter(isReady).map((endpoint) => ({ endpoint, number }));
  });
  const chosen = reached[Math.floor(call.context.random.fraction() * reached.length)];
  const podName = chosen?.endpoint.targetRef?.name ?? '';
  const pod = (await call.objects.get('', 'pods', call.info.namespace, podName)) as Pod | undefined;
  if (chosen === undefined || pod === undefined) throw noEndpoints(asked);
  return answerOf(call, pod, chosen.endpoint.addresses[0] ?? '', chosen.number);
});

/** What a kubelet answers that can be known here. */
export const nodeProxy = proxy('NodeProxyOptions', async (call, asked) => {
  const { name } = splitName('node', asked);
  const node = (await mustFind(call, 'nodes', name)) as Node;
  const path = targetOf(call).split('?', 1)[0]!;
  if (path === '/healthz') return text(200, 'ok');
  if (path === '/pods' || path === '/runningpods/') {
    const pods = (await call.objects.list('', 'pods', '')) as Pod[];
    const items = pods.filter(
      ({ spec, status }) =>
        spec.nodeName === node.metadata.name && (path === '/pods' || status?.phase === 'Running'),
    );
    return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items });
  }
  const message = `the kubelet of simulated node ${name} serves /healthz, /pods and /runningpods/, not ${path}`;
  throw new StatusError(501, 'NotImplemented', message, {});
});

function proxy(
  connects: string,
  serve: (call: SubresourceCall, name: string) => Promise<ApiResponse>,
): Subresource {
  return {
    verbs: VERBS,
    kind: { group: '', version: 'v1', kind: connects },
    connects,
    streams: true,
    async serve(call) {
      const { method, path, query } = call.request;
      // COMPAT: relative links of what is proxied to need the slash.
      if (path.endsWith('/proxy') && (method === 'GET' || method === 'HEAD')) {
        const location = `${path}/${query.size === 0 ? '' : `?${query.toString()}`}`;
        return { ...text(301, ''), headers: { location } };
      }
      return serve(call, call.info.name);
    },
  };
}

interface SplitName {
  readonly name: string;
  /** Number or name; empty: none was given. */
  readonly port: string;
}

/** `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`, where the port may be left empty. */
function splitName(what: string, id: string): SplitName {
  const parts = id.split(':');
  const refused = badRequest(`invalid ${what} request ${JSON.stringify(id)}`);
  if (parts.length > 3 || (parts.length === 3 && !['http', 'https', ''].includes(parts[0]!))) throw refused;
  const [name = '', port = ''] = parts.length === 3 ? parts.slice(1) : parts;
  if (name === '') throw refused;
  return { name, port };
}

async function mustFind(call: SubresourceCall, resource: string, name: string): Promise<unknown> {
  const found = await call.objects.get('', resource, call.info.namespace, name);
  if (found === undefined) throw notFound({ group: '', resource }, name);
  return found;
}

/** A number means a port of the service; a name is looked for in the endpoints. */
function portNameOf({ metadata, spec }: Service, asked: string): string {
  if (!/^\d+$/.test(asked)) return asked;
  const port = (spec.ports ?? []).find((one) => one.port === Number(asked));
  if (port !== undefined) return port.name ?? '';
  throw unavailable(`no service port ${Number(asked)} found for service ${JSON.stringify(metadata.name)}`);
}

function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false;
}

function noEndpoints(service: string): StatusError {
  return unavailable(`no endpoints available for service ${JSON.stringify(service)}`);
}

function unavailable(message: string): StatusError {
  return new StatusError(503, 'ServiceUnavailable', message);
}

/** Path and query behind `/proxy`. */
function targetOf({ request, info }: SubresourceCall): string {
  const mark = '/proxy';
  const path = request.path.slice(
    request.path.indexOf(`${mark}/`, request.path.indexOf(info.resource)) + mark.length,
  );
  return `${path}${request.query.size === 0 ? '' : `?${request.query.toString()}`}`;
}

function answerOf(call: SubresourceCall, pod: Pod, ip: string, port: number): ApiResponse {
  const container = listenerAt(pod, port);
  if (container === undefined) {
    throw unavailable(
      `error trying to reach service: dial tcp ${ip}:${port}: connect: connection refused: no simulated container declares this port`,
    );
  }
  return text(200, pageOf(pod, container, call.request.method, targetOf(call)));
}

function text(status: number, body: string): ApiResponse & { readonly kind: 'bytes' } {
  return {
    kind: 'bytes',
    status,
    contentType: 'text/plain; charset=utf-8',
    bytes: new TextEncoder().encode(body),
  };
}

function json(object: object): ApiResponse {
  return { kind: 'object', status: 200, object };
}
