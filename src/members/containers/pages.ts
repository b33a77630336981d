// What simulated containers answer to HTTP, whichever way a request reaches them.
import type { Container } from '../../api/index.ts';
import type { Pod } from '../kinds.ts';

/** The container that listens at a port: one that declares it, of a pod that runs. */
export function listenerAt({ spec, status }: Pod, port: number): Container | undefined {
  if (status?.phase !== 'Running') return undefined;
  return spec.containers.find(({ ports = [] }) =>
    (ports ?? []).some(({ containerPort }) => containerPort === port),
  );
}

/** @param target path and query, as they were asked for */
export function pageOf({ metadata }: Pod, container: Container, method: string, target: string): string {
  const { namespace, name } = metadata;
  return `Simulated container ${container.name} of pod ${namespace}/${name}\n${method} ${target}\n`;
}
