// Counts requests and times them, under the names that dashboards and alerts for kube-apiserver use.
import type { Clock } from '../../base/index.ts';
import { followed, statusCodeOf } from '../answers.ts';
import type { ApiRequest, ApiResponse, RequestInfo } from '../contract.ts';
import type { MetricsRegistry } from '../metrics.ts';
import { parseRequestInfo } from '../request-info.ts';

export type Handle = (request: ApiRequest) => Promise<ApiResponse>;

const LABELS = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const;
const BUCKETS_SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const EVENT_BUCKETS_BYTES = [1, 2, 4, 8, 16, 32, 64, 128].map((kib) => kib * 1024);
const COMPONENT = 'apiserver';
const READ_VERBS = new Set(['get', 'list', 'watch']);
const LOGGED_VERBS: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };

/** The same handler, measured. Watches and streams count as long-running and are not timed. */
export function measureRequests(handle: Handle, registry: MetricsRegistry, clock: Clock): Handle {
  const total = registry.counter(
    'apiserver_request_total',
    'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    [...LABELS, 'dry_run', 'code'],
  );
  const seconds = registry.histogram(
    'apiserver_request_duration_seconds',
    'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    [...LABELS, 'dry_run'],
    BUCKETS_SECONDS,
  );
  const inflight = registry.gauge(
    'apiserver_current_inflight_requests',
    'Requests that are being worked on, by whether they change something.',
    ['request_kind'],
  );
  const longRunning = registry.gauge(
    'apiserver_longrunning_requests',
    'Watches and streams that are open, by verb, group, version, resource, subresource, scope and component.',
    LABELS,
  );
  const sentEvents = measureEvents(registry);
  return async (request) => {
    const { info } = parseRequestInfo(request.method, request.path, request.query);
    const labels = labelsOf(info, request);
    const kind = [READ_VERBS.has(info.verb) ? 'readOnly' : 'mutating'];
    const started = clock.now();
    inflight.add(kind, 1);
    try {
      const response = await handle(request);
      const status = statusCodeOf(response);
      const dryRun = request.query.get('dryRun') === 'All' ? 'All' : '';
      total.increment([...labels, dryRun, String(status)]);
      if (response.kind === 'object' || response.kind === 'bytes') {
        seconds.observe([...labels, dryRun], (clock.now() - started) / 1000);
      }
      const counted = response.kind === 'watch' ? { ...response, onSent: sentEvents(info) } : response;
      return followed(counted, async (sent) => {
        longRunning.add(labels, 1);
        try {
          await sent;
        } finally {
          longRunning.add(labels, -1);
        }
      });
    } finally {
      inflight.add(kind, -1);
    }
  };
}

/** Counts what watchers are sent, event by event. */
function measureEvents(registry: MetricsRegistry): (info: RequestInfo) => (bytes: number) => void {
  const labels = ['group', 'version', 'resource'];
  const total = registry.counter(
    'apiserver_watch_events_total',
    'Number of events sent in watch clients',
    labels,
  );
  const sizes = registry.histogram(
    'apiserver_watch_events_sizes',
    'Watch event size distribution in bytes',
    labels,
    EVENT_BUCKETS_BYTES,
  );
  return ({ group, version, resource }) => {
    const values = [group, version, resource];
    return (bytes) => {
      total.increment(values);
      sizes.observe(values, bytes);
    };
  };
}

function labelsOf(info: RequestInfo, request: ApiRequest): readonly string[] {
  if (!info.isResource) return [request.method, '', '', '', '', '', COMPONENT];
  const apply = request.headers['content-type']?.startsWith('application/apply-patch') === true;
  const verb = apply ? 'APPLY' : (LOGGED_VERBS[info.verb] ?? info.verb.toUpperCase());
  const scope =
    info.name !== '' || info.verb === 'create' ? 'resource' : info.namespace === '' ? 'cluster' : 'namespace';
  return [verb, info.group, info.version, info.resource, info.subresource, scope, COMPONENT];
}
