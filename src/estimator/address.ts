// Where the estimator of a member is found: by a Service that is called after the cluster (scheduling.md §13.4).
import type { Service } from '../api/index.ts';

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
  /** The port that estimators serve at. */
  readonly port: number;
}

/**
 * Addresses to try in order. A Service in the control plane must be an ExternalName; without one the name is looked up
 * where this process runs, which is how upstream is installed.
 * @throws Error for a Service that leads nowhere
 */
export function estimatorAddresses(
  { namespace, name, port }: ServiceName,
  service: Service | undefined,
): readonly string[] {
  if (service === undefined) {
    // The second is for clusters with a DNS suffix of their own.
    return [`${name}.${namespace}.svc.cluster.local:${port}`, `${name}.${namespace}.svc:${port}`];
  }
  const { type = 'ClusterIP', externalName = '', ports = [] } = service.spec ?? {};
  if (type !== 'ExternalName') throw new Error(`unsupported service type "${type}"`);
  const found = ports.find((one) => one.port === port);
  if (found === undefined) throw new Error(`no service port ${port} found for service "${name}"`);
  const target = found.targetPort ?? found.port;
  if (typeof target !== 'number') {
    throw new Error(
      `ExternalName service type should have int target port, current target port: ${String(target)}`,
    );
  }
  return [`${externalName.includes(':') ? `[${externalName}]` : externalName}:${target}`];
}
