// `apply --force`: an object that cannot be changed into what is declared is deleted and made anew.
// INVARIANT: only the object that was looked at is deleted; what cannot be made anew gives way to what was there.
import type { Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { errorMessage, sleep, systemClock } from '../../base/index.ts';
import { isConflict, type ApiResource } from '../../client/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { readDuration } from '../command.ts';
import { keyOf, type Session } from '../objects/index.ts';
import { CommandError, onByDefault } from '../shell/index.ts';

export interface ReplaceFlags {
  readonly force?: boolean;
  readonly cascade: string;
  readonly gracePeriod: string;
  readonly timeout: string;
  readonly wait: boolean;
  readonly serverSide?: boolean;
  readonly dryRun: string;
}

export interface Replacing {
  readonly force: boolean;
  readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan';
  /** Undefined: the object's own. */
  readonly gracePeriodSeconds: number | undefined;
  readonly timeoutMs: number;
}

export const NOT_REPLACING: Replacing = {
  force: false,
  propagationPolicy: 'Background',
  gracePeriodSeconds: undefined,
  timeoutMs: 0,
};

// LIMIT: for how long an object that was deleted is waited for when nothing is said, as kubectl does.
const REPLACE_TIMEOUT_MS = 5 * 60 * 1000;
const POLL_MS = 100;

export function withReplacing(command: Command): Command {
  return command
    .option('--force', 'delete and make anew what cannot be changed into what is declared')
    .option(
      '--cascade [strategy]',
      'with --force: what happens to dependents: background, orphan or foreground',
      'background',
    )
    .option('--grace-period <seconds>', 'with --force: time to terminate gracefully; negative: its own', '-1')
    .option('--timeout <duration>', 'with --force: how long to wait until the old object is gone', '0s')
    .addOption(onByDefault('wait', 'accepted; what is made anew has to wait for the old object'));
}

/** Throws CommandError in kubectl's words. */
export function readReplacing(flags: ReplaceFlags): Replacing {
  const policies = { true: 'Background', background: 'Background', false: 'Orphan', orphan: 'Orphan', foreground: 'Foreground' } as const; // prettier-ignore
  if (!Object.hasOwn(policies, flags.cascade))
    throw new CommandError(
      `invalid cascade value (${flags.cascade}). Must be "background", "foreground", or "orphan"`,
    );
  const seconds = Number(flags.gracePeriod);
  if (!Number.isInteger(seconds))
    throw new CommandError(`--grace-period must be a whole number: "${flags.gracePeriod}"`);
  const force = flags.force === true;
  if (force && flags.serverSide === true) throw new CommandError('--force cannot be used with --server-side');
  if (force && flags.dryRun === 'server')
    throw new CommandError('--dry-run=server cannot be used with --force');
  const timeoutMs = readDuration('timeout', flags.timeout);
  return {
    force,
    propagationPolicy: policies[flags.cascade as keyof typeof policies],
    gracePeriodSeconds: seconds < 0 ? undefined : seconds,
    timeoutMs: timeoutMs === 0 ? REPLACE_TIMEOUT_MS : timeoutMs,
  };
}

/** Whether the server said that this object cannot become that one. */
export function canBeReplaced(error: unknown): boolean {
  return isConflict(error) || (error instanceof StatusError && error.reason === 'Invalid');
}

export async function replace(
  session: Session,
  resource: ApiResource,
  current: KubeObject,
  declared: KubeObject,
  { propagationPolicy, gracePeriodSeconds, timeoutMs }: Replacing,
): Promise<KubeObject> {
  const { namespace, name = '', uid = '' } = current.metadata;
  const key = keyOf({ namespace, name });
  await session.client.delete(resource, key, {
    propagationPolicy,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    preconditions: { uid },
  });
  const deadline = systemClock.now() + timeoutMs;
  for (;;) {
    const there = await session.client.find(resource, key);
    if (there === undefined || there.metadata.uid !== uid) break;
    if (systemClock.now() >= deadline)
      throw new CommandError(`timed out waiting for the condition on ${resource.resource}/${name}`);
    await sleep(systemClock, POLL_MS);
  }
  try {
    return await session.client.create<KubeObject>(resource, declared);
  } catch (error) {
    const { resourceVersion: _, uid: __, ...metadata } = current.metadata;
    const restored = await session.client.create<KubeObject>(resource, { ...current, metadata }).then(
      () => 'The existing object was successfully restored.',
      (why: unknown) => `An error occurred attempting to restore the original object: ${errorMessage(why)}`,
    );
    throw new CommandError(
      `An error occurred force-replacing the existing object with the newly provided one: ${errorMessage(error)}\n${restored}`,
    );
  }
}
