// Addresses of load balancers in several clusters as one list: each once, hostnames before addresses, sorted.
import type { JsonObject } from '../../api/index.ts';
import type { StatusItem } from '../interpreter.ts';
import { integerAt, listAt, textAt } from './read.ts';

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function comparePorts(a: JsonObject, b: JsonObject): number {
  return (
    (integerAt(a, 'port') ?? 0) - (integerAt(b, 'port') ?? 0) ||
    compare(textAt(a, 'protocol'), textAt(b, 'protocol')) ||
    compare(textAt(a, 'error'), textAt(b, 'error'))
  );
}

function compareIngress(a: JsonObject, b: JsonObject): number {
  const hostA = textAt(a, 'hostname');
  const hostB = textAt(b, 'hostname');
  if ((hostA === '') !== (hostB === '')) return hostA === '' ? 1 : -1;
  const modeA = textAt(a, 'ipMode');
  const modeB = textAt(b, 'ipMode');
  return (
    compare(hostA, hostB) ||
    compare(textAt(a, 'ip'), textAt(b, 'ip')) ||
    ((modeA === '') === (modeB === '') ? compare(modeA, modeB) : modeA === '' ? 1 : -1)
  );
}

function united(a: readonly JsonObject[], b: readonly JsonObject[]): JsonObject[] {
  const ports = new Map(
    [...a, ...b].map((port) => [JSON.stringify([port['port'], port['protocol'], port['error']]), port]),
  );
  return [...ports.values()].sort(comparePorts);
}

/** @param withMode whether ipMode tells entries apart (Services), or not (Ingresses) */
export function mergeIngress(items: readonly StatusItem[], withMode: boolean): readonly JsonObject[] {
  const found = new Map<string, JsonObject>();
  for (const { status } of items) {
    for (const entry of listAt(status, 'loadBalancer', 'ingress')) {
      const key = JSON.stringify([
        entry['hostname'] ?? '',
        entry['ip'] ?? '',
        withMode ? (entry['ipMode'] ?? '') : '',
      ]);
      const known = found.get(key);
      const ports = united(listAt(known, 'ports'), listAt(entry, 'ports'));
      found.set(key, ports.length === 0 ? (known ?? entry) : { ...(known ?? entry), ports });
    }
  }
  return [...found.values()].sort(compareIngress);
}
