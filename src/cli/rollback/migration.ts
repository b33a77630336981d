// Returns what was promoted to its member alone, with its health looked at before and after.
import type { KubeObject, Migration } from '../../api/index.ts';
import { OperatingError, formatTime, systemClock } from '../../base/index.ts';
import { createInterpreter, nativeLayer, thirdPartyLayer } from '../../interpreter/index.ts';
import { titleOf } from '../../propagation/index.ts';
import { print, readDuration } from '../command.ts';
import type { HubFlags, Session } from '../objects/index.ts';
import { contextFor, openMember } from '../promote/command.ts';
import { Journal } from '../promote/journal.ts';
import { takeBack } from '../promote/run.ts';
import { resourceOn } from '../promote/steps.ts';

export interface RollbackFlags extends HubFlags {
  readonly output?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly timeout: string;
  readonly clusterKubeconfig?: string;
  readonly clusterContext?: string;
}

/** As it was in the member. */
export function original({ before }: Migration['spec']['items'][number]): KubeObject {
  return JSON.parse(before) as KubeObject;
}

/** Resolves with whether nothing became worse. */
export async function rollBackMigration(hub: Session, name: string, flags: RollbackFlags): Promise<boolean> {
  const journal = await Journal.open(hub.client, name);
  const { spec, status } = journal.migration;
  if (status?.phase === 'RolledBack')
    throw new OperatingError('MIGRATION_OVER', `${name} is rolled back already`, 'there is nothing to do');
  if (flags.dryRun === true) {
    print(`Would leave the hub and stay in ${spec.cluster} as before, dependents first:`);
    for (const item of spec.items.toReversed()) print(`  ${titleOf(original(item))}`);
    return true;
  }
  const member = await openMember(hub, spec.cluster, { ...flags, autoCreatePolicy: true });
  try {
    const before = await healthOf(member, spec.items);
    await takeBack(
      contextFor(hub, member, journal, readDuration('timeout', flags.timeout)),
      'asked for by rollback',
    );
    const after = await healthOf(member, spec.items);
    const worse = [...after].filter(([title, health]) => health === false && before.get(title) !== false);
    for (const [title] of worse) print(`Warning: ${title} is no longer healthy in ${spec.cluster}`);
    print(`Migration ${name} is rolled back; ${after.size} objects stay in ${spec.cluster} as they were`);
    return worse.length === 0;
  } finally {
    if (flags.clusterKubeconfig !== undefined) await member.close();
  }
}

/** By title; undefined: its kind knows no health. */
async function healthOf(
  member: Session,
  items: Migration['spec']['items'],
): Promise<ReadonlyMap<string, boolean | undefined>> {
  const now = (): string => formatTime(systemClock.now());
  const interpreter = createInterpreter([thirdPartyLayer(now), nativeLayer(now)]);
  const found = new Map<string, boolean | undefined>();
  for (const item of items) {
    if (item.role === 'Definition') continue;
    const object = await member.client.find(await resourceOn(member, item), item);
    found.set(titleOf(original(item)), object === undefined ? false : await interpreter.health(object));
  }
  return found;
}
