// The statuses of containers, as a kubelet with containerd writes them.
import type { Container, ContainerState, ContainerStatus } from '../../api/index.ts';
import { digest } from '../digest.ts';

/** What the container runtime calls an image: with registry, repository and tag. */
export function canonicalImage(image: string): string {
  const at = image.indexOf('@');
  const name = at < 0 ? image : image.slice(0, at);
  const slash = name.indexOf('/');
  const host = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = host.includes('.') || host.includes(':') || host === 'localhost';
  const full = hasHost ? name : slash < 0 ? `docker.io/library/${name}` : `docker.io/${name}`;
  if (at >= 0) return full + image.slice(at);
  return full.slice(full.lastIndexOf('/')).includes(':') ? full : `${full}:latest`;
}

function imageIdOf(image: string): string {
  const name = canonicalImage(image);
  if (name.includes('@')) return name;
  return `${name.slice(0, name.lastIndexOf(':'))}@sha256:${digest(name)}`;
}

export function containerIdOf(podUid: string, container: string, restarts: number): string {
  return `containerd://${digest(`${podUid}/${container}/${restarts}`)}`;
}

export interface StatusParts {
  readonly podUid: string;
  readonly container: Pick<Container, 'name' | 'image' | 'resources'>;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
  readonly ready: boolean;
  readonly restartCount: number;
}

/** One container's status. One that waits for its first start has no ids yet. */
export function containerStatus(parts: StatusParts): ContainerStatus {
  const { podUid, container, state, lastState, ready, restartCount } = parts;
  const image = container.image ?? '';
  const existed = state.waiting === undefined || lastState?.terminated !== undefined;
  const running = state.running !== undefined;
  // While a container waits for its next start, its id is that of the one that ended.
  const containerID = lastState?.terminated?.containerID ?? '';
  const { resources } = container;
  const { requests } = resources ?? {};
  return {
    name: container.name,
    state,
    lastState: lastState ?? {},
    ready,
    restartCount,
    image: existed ? canonicalImage(image) : image,
    imageID: existed ? imageIdOf(image) : '',
    ...(!existed
      ? {}
      : {
          containerID:
            state.waiting === undefined ? containerIdOf(podUid, container.name, restartCount) : containerID,
        }),
    started: running,
    ...(running && requests !== undefined ? { allocatedResources: requests } : {}),
    ...(running && resources !== undefined && Object.keys(resources).length > 0 ? { resources } : {}),
  };
}
