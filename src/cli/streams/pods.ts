// Which pod, and which of its containers, a command is about.
import type { KubeObject } from '../../api/index.ts';
import { sleep, systemClock } from '../../base/index.ts';
import { kinds } from '../../client/index.ts';
import { resolveArguments, type Session } from '../objects/index.ts';
import { CommandError } from '../shell/index.ts';

export interface Container {
  readonly name: string;
}

export interface Pod extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
  readonly status?: { readonly phase?: string };
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';
const POLL_MS = 500;

/** `web-1`, `pod/web-1`, or `deployment/web`, whose pods it has. */
export async function podsOf(session: Session, text: string): Promise<readonly Pod[]> {
  const [wanted] = await resolveArguments(session.mapper, text.includes('/') ? [text] : ['pods', text]);
  if (wanted?.name === undefined) throw new CommandError(`${text} names no pod`);
  const { resource, name } = wanted;
  if (resource.group === '' && resource.resource === 'pods')
    return [await session.client.get<Pod>(kinds.pods, { namespace: session.namespace, name })];
  const owner = await session.client.get<KubeObject>(resource, { namespace: session.namespace, name });
  const selector = selectorOf(owner);
  if (selector === '') throw new CommandError(`cannot get the pods of ${text}: it selects none`);
  return selectPods(session, selector);
}

export async function selectPods(session: Session, labelSelector: string): Promise<readonly Pod[]> {
  const { items } = await session.client.listAll(kinds.pods, { namespace: session.namespace, labelSelector });
  return items;
}

function selectorOf(owner: KubeObject): string {
  const spec = owner['spec'] as { readonly selector?: Readonly<Record<string, unknown>> } | undefined;
  const labels = (spec?.selector?.['matchLabels'] ??
    (owner.kind === 'Service' ? spec?.selector : undefined)) as Readonly<Record<string, string>> | undefined;
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** The pod once it runs, or when it is over. Throws CommandError when neither comes in time. */
export async function runningPod(session: Session, pod: Pod, timeoutMs: number): Promise<Pod> {
  const deadline = systemClock.now() + timeoutMs;
  const { name = '', namespace = session.namespace } = pod.metadata;
  for (let current = pod; ;) {
    const phase = current.status?.phase;
    if (phase === 'Running') return current;
    if (phase === 'Succeeded' || phase === 'Failed')
      throw new CommandError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
    if (systemClock.now() >= deadline) throw new CommandError('timed out waiting for the condition');
    await sleep(systemClock, POLL_MS);
    current = await session.client.get<Pod>(kinds.pods, { namespace, name });
  }
}

/** The container that is named, or the one that goes without saying. Throws CommandError. */
export function containerOf(pod: Pod, wanted: string | undefined, quiet: boolean): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const all = [...containers, ...initContainers, ...ephemeralContainers].map(({ name }) => name);
  if (wanted !== undefined && wanted !== '') {
    if (!all.includes(wanted))
      throw new CommandError(
        `container ${wanted} not found in pod ${pod.metadata.name ?? ''}_${pod.metadata.namespace ?? ''}`,
      );
    return wanted;
  }
  const annotated = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  const chosen = annotated !== undefined && all.includes(annotated) ? annotated : containers[0]?.name;
  if (chosen === undefined) throw new CommandError(`pod ${pod.metadata.name ?? ''} has no containers`);
  if (all.length > 1 && annotated === undefined && !quiet) {
    const names = [
      ...containers.map(({ name }) => name),
      ...initContainers.map(({ name }) => `${name} (init)`),
      ...ephemeralContainers.map(({ name }) => `${name} (ephem)`),
    ];
    process.stderr.write(`Defaulted container "${chosen}" out of: ${names.join(', ')}\n`);
  }
  return chosen;
}
