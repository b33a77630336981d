// The query of a connection (exec, attach, port-forward, proxy) as the object that admission sees.
import type { KubeObject } from '../../api/index.ts';
import { queryBoolean } from '../options.ts';

const BOOLEANS = ['stdin', 'stdout', 'stderr', 'tty'] as const;

/** @param rest what follows the subresource in the path, for proxies */
export function connectOptions(
  apiVersion: string,
  kind: string,
  query: URLSearchParams,
  rest: string,
): KubeObject {
  const options: Record<string, unknown> = {};
  if (kind === 'PodExecOptions' || kind === 'PodAttachOptions') {
    for (const name of BOOLEANS) if (queryBoolean(query, name) === true) options[name] = true;
    const container = query.get('container') ?? '';
    if (container !== '') options['container'] = container;
    const command = query.getAll('command');
    if (kind === 'PodExecOptions') options['command'] = command.length === 0 ? null : command;
  } else if (kind === 'PodPortForwardOptions') {
    const ports = query.getAll('ports').flatMap((one) => one.split(',').map(Number));
    if (ports.length > 0) options['ports'] = ports;
  } else if (rest !== '') {
    options['path'] = rest;
  }
  return { apiVersion, kind, ...options } as unknown as KubeObject;
}
