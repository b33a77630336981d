// `undo`: makes again what was deleted on the hub, in the order in which things stand on each other.
import { Command, Option } from 'commander';
import type { DeletedObject, KubeObject } from '../api/index.ts';
import { OperatingError, systemClock } from '../base/index.ts';
import { formatYaml, isAlreadyExists, isNotFound, resource } from '../client/index.ts';
import { formatDuration, parseTime } from '../machinery/index.ts';
import { inRebuildOrder, prune, titleOf, withoutClaims } from '../propagation/index.ts';
import { columns } from './columns.ts';
import { print, withHub, type SetExitCode } from './command.ts';
import { withSession, type HubFlags, type Session } from './objects/index.ts';
import { shape } from './shell/index.ts';

const deletedObjects = resource<DeletedObject>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'deletedobjects',
  namespaced: false,
});

interface UndoFlags extends HubFlags {
  readonly output?: string;
  readonly dryRun?: boolean;
}

export function undoCommand(exit: SetExitCode): Command {
  const command = withHub(new Command('undo'))
    .description('list deletions that can be undone, or undo some of them')
    .argument('[name...]', 'which deletions to undo; without it, which there are')
    .addOption(
      new Option('-o, --output <format>', 'how to print the list').choices(['wide', 'name', 'json', 'yaml']),
    )
    .option('--dry-run', 'say what would be made again, and make nothing')
    .action(async (names: readonly string[], flags: UndoFlags) => {
      await withSession(flags, async (hub) => {
        const { items } = await hub.client.listAll(deletedObjects);
        if (names.length === 0) list(items, flags.output);
        else await undo(hub, chosen(items, names), flags.dryRun === true);
      });
      exit(0);
    });
  return shape(command, {
    group: 'Advanced',
    examples: `
      # What can be undone
      %s undo

      # Make a deployment again
      %s undo deployment-web-x7k2p

      # A namespace comes back with all that was deleted with it
      %s undo namespace-shop-v8c4d`,
  });
}

function list(items: readonly DeletedObject[], output: string | undefined): void {
  const found = items.toSorted(
    (a, b) => Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion),
  );
  const whole = { apiVersion: 'navarch.io/v1alpha1', kind: 'DeletedObjectList', items: found };
  if (output === 'json') return print(JSON.stringify(whole, null, 2));
  if (output === 'yaml') return print(formatYaml(whole).trimEnd());
  if (output === 'name')
    return found.forEach(({ metadata }) => print(`deletedobject.navarch.io/${metadata.name}`));
  if (found.length === 0) return print('Nothing was deleted that could be made again.');
  const now = systemClock.now();
  const rows = found.map(({ metadata, spec }) => [
    metadata.name ?? '',
    spec.kind,
    spec.namespace ?? '',
    spec.name,
    spec.by,
    formatDuration(now - (parseTime(metadata.creationTimestamp ?? '') ?? now)),
  ]);
  print(columns(['NAME', 'KIND', 'NAMESPACE', 'OBJECT', 'BY', 'AGE'], rows).join('\n'));
}

/** The named ones; a namespace brings along what was deleted in it since. */
function chosen(items: readonly DeletedObject[], names: readonly string[]): readonly DeletedObject[] {
  const found = names.map((name) => {
    const one = items.find(({ metadata }) => metadata.name === name);
    if (one !== undefined) return one;
    throw new OperatingError(
      'UNKNOWN_DELETION',
      `there is no deletion ${name}, or its time is over`,
      'run "navarch undo" to see which there are',
    );
  });
  const version = ({ metadata }: DeletedObject): number => Number(metadata.resourceVersion);
  const within = found
    .filter(({ spec }) => spec.kind === 'Namespace')
    .flatMap((namespace) =>
      items.filter((one) => one.spec.namespace === namespace.spec.name && version(one) > version(namespace)),
    );
  return [...new Set([...found, ...within])];
}

async function undo(hub: Session, deletions: readonly DeletedObject[], dryRun: boolean): Promise<void> {
  const parts = deletions.flatMap((deletion) =>
    deletion.spec.objects.map((text) => ({ deletion, object: JSON.parse(text) as KubeObject })),
  );
  const failed = new Set<DeletedObject>();
  for (const { object, deletion } of inRebuildOrder(parts, (part) => part.object)) {
    if (dryRun) {
      print(`Would make ${titleOf(object)} again`);
      continue;
    }
    if (!(await makeAgain(hub, object))) failed.add(deletion);
  }
  if (dryRun) return;
  // What was asked for by name last, so that the same command finishes what was interrupted.
  for (const deletion of deletions.toReversed()) {
    if (failed.has(deletion)) continue;
    await hub.client
      .delete(deletedObjects, { name: deletion.metadata.name ?? '' })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
  if (failed.size > 0)
    throw new OperatingError(
      'NOT_ALL_UNDONE',
      `${failed.size} of ${deletions.length} deletions could not be undone; they are kept`,
      'mend what is said above, then run the same command again',
    );
}

/** Says how it went; false: it is not there again. */
async function makeAgain(hub: Session, object: KubeObject): Promise<boolean> {
  const type = await hub.mapper.resourceForObject(object);
  if (type === undefined) {
    print(`${titleOf(object)}: the hub does not serve ${object.kind} of ${object.apiVersion} any more`);
    return false;
  }
  try {
    await hub.client.create(type, withoutClaims(prune(object, false)));
    print(`${titleOf(object)} is there again`);
    return true;
  } catch (error) {
    if (!isAlreadyExists(error)) {
      print(`${titleOf(object)}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
    const { namespace, name = '' } = object.metadata;
    const known = await hub.client.find(type, { namespace, name });
    const going = known?.metadata.deletionTimestamp !== undefined;
    print(
      going
        ? `${titleOf(object)} is still being deleted; try again when it is gone`
        : `${titleOf(object)} is there already, and stays as it is`,
    );
    return !going;
  }
}
