// Waiting for what somebody asked for, until it is so, has failed, or stands still because it is suspended.
import { OperatingError, sleep, systemClock } from '../../base/index.ts';
import { formatDuration } from '../../machinery/index.ts';
import {
  isSuspendedBySpec,
  type AnyFleetPackage,
  type AnyPackage,
  type PackageReason,
} from '../../packaging/index.ts';
import { CommandError } from '../shell/index.ts';
import { progress } from './dialogue.ts';
import { partsOf, spreadOf, type Parts } from './holding.ts';
import { isPartly, messageOf, suspendedText, titleOf } from './installed.ts';
import { fleetPackagesOfKind, packagesOfKind, type PackageFlags, type Place } from './place.ts';

/** How a wait ended; undefined: it goes on. */
export interface End {
  readonly how: 'done' | 'failed' | 'suspended';
  readonly message: string;
  /** Clusters that are suspended, and take it when they are resumed. */
  readonly later?: readonly string[];
}

const LET_GO: PackageReason = 'Orphaned';
const POLL_MS = 250;
/** How long a failure has to stand: what is missing at first may come. */
const FAILED_FOR_MS = 5_000;

/** Pure. `failedMs`: how long it has looked failed. `parts`: present where some clusters of a fleet are suspended. */
export function endOfPackage(one: AnyPackage, failedMs: number, parts?: Parts): End | undefined {
  if (parts !== undefined && !isSuspendedBySpec(one.spec)) return endOfParts(one, failedMs, parts);
  const { generation = 0 } = one.metadata;
  const { status } = one;
  const wanted = one.spec.packageInfo.version;
  // Glasskube's own operator does not say what it has seen; a suspended one says what waits.
  const seen = Math.max(status?.observedGeneration ?? generation, status?.suspension?.pendingGeneration ?? 0);
  if (seen >= generation || isSuspendedBySpec(one.spec)) {
    const suspended = suspendedText(one);
    if (suspended !== 'No' && !isPartly(one))
      return { how: 'suspended', message: 'it is suspended; what was asked for is done when it is resumed' };
  }
  if (seen < generation) return undefined;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True' && status?.version === wanted) return { how: 'done', message: ready.message };
  const failed = status?.conditions?.find(({ type }) => type === 'Failed');
  if (failed?.status === 'True' && failedMs >= FAILED_FOR_MS)
    return { how: 'failed', message: messageOf(one) };
  return undefined;
}

/** Pure. A suspended cluster says nothing of what it was not sent, so that only the others can be waited for. */
function endOfParts(one: AnyPackage, failedMs: number, parts: Parts): End | undefined {
  const { later, none, current, ready } = parts;
  if (none) return { how: 'suspended', message: laterText(later) };
  if (!current) return undefined;
  if (ready) return { how: 'done', message: messageOf(one), later };
  const open = (one.status?.clusters ?? []).filter(({ name }) => !later.includes(name));
  return failedMs >= FAILED_FOR_MS && open.some((cluster) => cluster.ready === 'False')
    ? { how: 'failed', message: messageOf(one) }
    : undefined;
}

function laterText(later: readonly string[]): string {
  return `${later.join(', ')} ${later.length === 1 ? 'is suspended, and takes it when it is' : 'are suspended, and take it when they are'} resumed`;
}

/** Pure. */
export function endOfRollout({ metadata, status = {} }: AnyFleetPackage): End | undefined {
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return undefined;
  const { phase, message = '' } = status;
  if (phase === 'Completed') return { how: 'done', message };
  if (phase === 'Halted' || phase === 'RolledBack') return { how: 'failed', message };
  if (phase === 'Suspended' || (phase === 'Paused' && status.awaits !== undefined))
    return { how: 'suspended', message };
  return undefined;
}

/** `done` if it is so, else what stands in the way; undefined: nobody waited. */
export function outcome(title: string, done: string, end: End | undefined): string {
  if (end?.how === 'suspended') return `${title}: ${end.message}`;
  return `${title} ${done}${end?.later === undefined ? '' : `; ${laterText(end.later)}`}`;
}

/** Throws CommandError when it fails, OperatingError when the time is over. */
export async function untilInstalled(
  place: Place,
  one: AnyPackage,
  flags: PackageFlags,
  timeoutMs: number,
): Promise<End> {
  let failedSinceMs: number | undefined;
  return until(flags, titleOf(one), timeoutMs, async () => {
    const current = await place.client.get(packagesOfKind(one.kind), keyOf(one));
    const failed = current.status?.conditions?.some(
      ({ type, status }) => type === 'Failed' && status === 'True',
    );
    failedSinceMs = failed === true ? (failedSinceMs ?? systemClock.now()) : undefined;
    const failedMs = failedSinceMs === undefined ? 0 : systemClock.now() - failedSinceMs;
    const spread = await spreadOf(place, current);
    const parts = spread === undefined ? undefined : partsOf(current, spread);
    return endOfPackage(current, failedMs, parts) ?? progressOf(current);
  });
}

/** What it waits for: on a control plane, the clusters that are not done. */
function progressOf(one: AnyPackage): string {
  const { clusters } = one.status ?? {};
  if (clusters === undefined) return messageOf(one);
  const open = clusters.filter(
    ({ ready, stale, version }) =>
      ready !== 'True' || stale === true || version !== one.spec.packageInfo.version,
  );
  return open
    .map(
      ({ name, stale, message, reason }) =>
        `${name}=${stale === true ? 'has not reported this yet' : (message ?? reason ?? 'nothing is known')}`,
    )
    .join(', ');
}

/** The same for a roll-out. `told`: what it awaited when it was told to go on. */
export async function untilRolledOut(
  place: Place,
  one: AnyPackage,
  flags: PackageFlags,
  timeoutMs: number,
  told?: string,
): Promise<End> {
  const resource = fleetPackagesOfKind(one.kind);
  return until(flags, titleOf(one), timeoutMs, async () => {
    const current = await place.client.get(resource, keyOf(one));
    if (told !== undefined && current.status?.awaits === told) return '';
    return endOfRollout(current) ?? current.status?.message ?? '';
  });
}

/** Throws OperatingError when the time is over. */
export async function untilGone(
  place: Place,
  one: AnyPackage,
  flags: PackageFlags,
  timeoutMs: number,
): Promise<void> {
  const resource = packagesOfKind(one.kind);
  await until(flags, titleOf(one), timeoutMs, async () => {
    const current = await place.client.find(resource, keyOf(one));
    if (current === undefined || current.metadata.uid !== one.metadata.uid)
      return { how: 'done', message: '' };
    return `being uninstalled: ${messageOf(current)}`;
  });
}

/** Throws OperatingError when the time is over. */
export async function untilLetGo(
  place: Place,
  one: AnyPackage,
  flags: PackageFlags,
  timeoutMs: number,
): Promise<void> {
  await until(flags, titleOf(one), timeoutMs, async () => {
    const { status } = await place.client.get(packagesOfKind(one.kind), keyOf(one));
    const open = place.onHub
      ? (status?.clusters ?? []).filter(({ reason }) => reason !== LET_GO).map(({ name }) => name)
      : status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === LET_GO) === true
        ? []
        : ['its operator'];
    return open.length === 0
      ? { how: 'done', message: '' }
      : `nothing is deleted before ${open.join(', ')} let go of what it brought`;
  });
}

export function keyOf({ metadata }: AnyPackage): { readonly name: string; readonly namespace?: string } {
  const { name = '', namespace } = metadata;
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

async function until(
  flags: PackageFlags,
  title: string,
  timeoutMs: number,
  look: () => Promise<End | string>,
): Promise<End> {
  const deadlineMs = systemClock.now() + timeoutMs;
  let said = '';
  for (;;) {
    const found = await look();
    if (typeof found !== 'string') {
      if (found.how === 'failed') throw new CommandError(`${title} failed: ${found.message}`);
      return found;
    }
    if (found !== '' && found !== said) progress(flags, `${title}: ${found}`);
    said = found;
    if (systemClock.now() >= deadlineMs)
      throw new OperatingError(
        'NOT_IN_TIME',
        `${title} is not done after ${formatDuration(timeoutMs)}${said === '' ? ': nothing has been reported, as if no operator ran there' : `: ${said}`}`,
        `look at it with "navarch package describe ${title.split('/').at(-1) ?? ''}"; it goes on by itself`,
      );
    await sleep(systemClock, POLL_MS);
  }
}
