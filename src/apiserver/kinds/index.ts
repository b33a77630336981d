// All families of built-in kinds.
import { access } from './access.ts';
import { autoscaling } from './autoscaling.ts';
import { batch } from './batch.ts';
import type { BuiltinKind, BuiltinKinds, KindEnvironment } from './builtin.ts';
import { certificates } from './certificates.ts';
import { cluster } from './cluster.ts';
import { componentStatuses } from './component-statuses.ts';
import { quotas } from './quotas.ts';
import { config } from './config.ts';
import { devices } from './devices.ts';
import { events } from './events.ts';
import { flowControl } from './flow-control.ts';
import { networking } from './networking.ts';
import { pods } from './pods.ts';
import { registrations } from './registrations.ts';
import { services } from './services.ts';
import { volumes } from './volumes.ts';
import { workloads } from './workloads.ts';

/** @param given what the caller adds to a kind, or puts in place of ours: fields and subresources are merged */
export function builtinKinds(environment: KindEnvironment, given: BuiltinKinds): BuiltinKinds {
  const own: BuiltinKinds = {
    ...access,
    ...autoscaling,
    ...batch,
    ...certificates,
    ...cluster,
    ...componentStatuses(async () => void (await environment.storage.currentRevision())),
    ...quotas,
    ...config,
    ...devices,
    ...events,
    ...flowControl,
    ...networking,
    ...pods,
    ...registrations,
    ...services(environment),
    ...volumes,
    ...workloads,
  };
  const merged: Record<string, BuiltinKind> = { ...own };
  for (const [key, kind] of Object.entries(given)) {
    const subresources = { ...own[key]?.subresources, ...kind.subresources };
    merged[key] = { ...own[key], ...kind, subresources };
  }
  return merged;
}
