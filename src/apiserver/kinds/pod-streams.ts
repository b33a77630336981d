// Logs of pods and connections into them, as far as no kubelet is needed: which container is meant, which options make
// sense, and what is said of pods that are on no node. A cluster with kubelets brings the rest.
import type { Container, Pod } from '../../api/index.ts';
import { badRequest, fieldError, type FieldError } from '../../machinery/index.ts';
import type { Subresource, SubresourceCall } from '../resource.ts';
import { notServedHere } from './not-served.ts';

/** The container that is meant; throws a 400 StatusError when it is not clear. */
export function chooseContainer(
  { metadata, spec }: Pick<Pod, 'metadata' | 'spec'>,
  asked: string,
): Container {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec ?? {};
  const all = [...initContainers, ...containers, ...(ephemeralContainers as readonly Container[])];
  const names = (some: readonly Container[]): string => `[${some.map(({ name }) => name).join(' ')}]`;
  if (asked !== '') {
    const found = all.find(({ name }) => name === asked);
    if (found === undefined) throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`);
    return found;
  }
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  throw badRequest(
    `a container name must be specified for pod ${metadata.name}, choose one of: ${names(all)}`,
  );
}

/** core/v1 PodLogOptions. */
export interface PodLogOptions {
  readonly tailLines: number | undefined;
  /** Only lines from this time on. */
  readonly sinceMs: number | undefined;
  readonly timestamps: boolean;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly limitBytes: number | undefined;
}

/** Throws a StatusError for what makes no sense. */
export function readLogOptions(call: SubresourceCall, nowMs: number): PodLogOptions {
  const { query } = call.request;
  const isSet = (name: string): boolean => query.has(name) && !['false', '0'].includes(query.get(name)!);
  const errors: FieldError[] = [];
  const number = (name: string, least: number, why: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    if (!/^[+-]?\d+$/.test(text)) {
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    if (Number(text) < least) errors.push(fieldError.invalid(name, Number(text), why));
    return Number(text);
  };
  const tailLines = number('tailLines', 0, 'must be greater than or equal to 0');
  const limitBytes = number('limitBytes', 1, 'must be greater than 0');
  const sinceSeconds = number('sinceSeconds', 1, 'must be greater than 0');
  const sinceTime = query.get('sinceTime') ?? '';
  if (sinceTime !== '' && Number.isNaN(Date.parse(sinceTime))) {
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as RFC 3339: cannot parse`);
  }
  if (sinceTime !== '' && sinceSeconds !== undefined) {
    errors.push(fieldError.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  }
  if (errors.length > 0) call.refuseInvalid('PodLogOptions', errors);
  const fromTime = sinceTime === '' ? undefined : Date.parse(sinceTime);
  return {
    tailLines,
    limitBytes,
    sinceMs: sinceSeconds === undefined ? fromTime : nowMs - sinceSeconds * 1000,
    timestamps: isSet('timestamps'),
    follow: isSet('follow'),
    previous: isSet('previous'),
  };
}

/** Throws a 400 StatusError for a pod that is on no node. */
export function mustHaveNode({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): void {
  if ((spec?.nodeName ?? '') === '') throw badRequest(`pod ${metadata.name} does not have a host assigned`);
}

const asked = ({ request }: SubresourceCall): string => request.query.get('container') ?? '';

function withChecks(subresource: Subresource, check: (call: SubresourceCall, pod: Pod) => void): Subresource {
  return {
    ...subresource,
    async serve(call) {
      check(call, (await call.parent()) as unknown as Pod);
      return subresource.serve!(call);
    },
  };
}

const CONNECTS = ['create', 'get'];

/** A pod that no node has taken yet has written nothing. */
const log: Subresource = {
  verbs: ['get'],
  streams: true,
  async serve(call) {
    readLogOptions(call, call.context.nowMs);
    const pod = (await call.parent()) as unknown as Pod;
    chooseContainer(pod, asked(call));
    if ((pod.spec?.nodeName ?? '') !== '') return notServedHere('pods/log', ['get']).serve!(call);
    const headers = { 'content-type': 'text/plain' };
    return { kind: 'stream', status: 200, headers, run: () => Promise.resolve() };
  },
};

function intoContainer(name: 'exec' | 'attach', connects: string): Subresource {
  return withChecks(notServedHere(`pods/${name}`, CONNECTS, connects), (call, pod) => {
    chooseContainer(pod, asked(call));
    mustHaveNode(pod);
  });
}

export const podStreams: Readonly<Record<string, Subresource>> = {
  log,
  exec: intoContainer('exec', 'PodExecOptions'),
  attach: intoContainer('attach', 'PodAttachOptions'),
  portforward: withChecks(
    notServedHere('pods/portforward', CONNECTS, 'PodPortForwardOptions'),
    (_call, pod) => mustHaveNode(pod),
  ),
};
