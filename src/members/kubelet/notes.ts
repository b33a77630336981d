// What a kubelet tells of containers, as events about their part of the pod.
import type { Container } from '../../api/index.ts';

export interface PodNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** The container that it is about; absent: the pod. */
  readonly fieldPath?: string;
}

type Field = 'containers' | 'initContainers';

/** How events name a container. */
export function pathOf(name: string, field: Field = 'containers'): string {
  return `spec.${field}{${name}}`;
}

export function startNotes(containers: readonly Container[], field: Field): PodNote[] {
  return containers.flatMap(({ name, image = '' }): PodNote[] => {
    const fieldPath = pathOf(name, field);
    const message = `Container image "${image}" already present on machine`;
    return [
      { type: 'Normal', reason: 'Pulled', message, fieldPath },
      { type: 'Normal', reason: 'Created', message: `Created container: ${name}`, fieldPath },
      { type: 'Normal', reason: 'Started', message: `Started container ${name}`, fieldPath },
    ];
  });
}

export function pullFailed({ name, image = '' }: Container, why: string): PodNote[] {
  const fieldPath = pathOf(name);
  return [
    { type: 'Warning', reason: 'Failed', message: `Failed to pull image "${image}": ${why}`, fieldPath },
    { type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull', fieldPath },
  ];
}

export function pullBacksOff({ name, image = '' }: Container): PodNote[] {
  const fieldPath = pathOf(name);
  return [
    { type: 'Normal', reason: 'BackOff', message: `Back-off pulling image "${image}"`, fieldPath },
    { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff', fieldPath },
  ];
}
