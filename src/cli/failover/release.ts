// `failover release`: an operator lets evictions pass that the brake holds.
import { Command } from 'commander';
import { EVICTION_BRAKE_NAME, type EvictionBrake } from '../../api/index.ts';
import { OperatingError, formatTime, systemClock } from '../../base/index.ts';
import { isNotFound, resource, type Client } from '../../client/index.ts';
import { formatDuration } from '../../machinery/index.ts';
import { connect, print, readDuration, userOf, withHub, type SetExitCode } from '../command.ts';
import { shape } from '../shell/index.ts';

const evictionBrakes = resource<EvictionBrake>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'evictionbrakes',
  namespaced: false,
});
const LONGEST_MS = 86_400_000;

interface ReleaseFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly for: string;
  readonly reason?: string;
}

export function releaseCommand(exit: SetExitCode): Command {
  const command = withHub(new Command('release'))
    .description(
      'let evictions pass that are held because too much moves at once, or too many clusters are lost',
    )
    .option('--for <duration>', 'for how long everything passes', '10m')
    .option('--reason <text>', 'why it may go on; kept with the release and in an event')
    .action(async (flags: ReleaseFlags) => {
      const forMs = readDuration('for', flags.for);
      if (forMs < 1000 || forMs > LONGEST_MS)
        throw new OperatingError(
          'BAD_FLAG',
          `--for must lie between 1s and 24h, not ${flags.for}`,
          'give another duration',
        );
      if (flags.reason === undefined || flags.reason.trim() === '')
        throw new OperatingError(
          'BAD_FLAG',
          '--reason is missing: whoever reads the audit later has to know why everything was let pass',
          'add --reason "TEXT"',
        );
      const { client } = await connect(flags.kubeconfig, flags.karmadaContext);
      try {
        const by = await userOf(client);
        await release(client, {
          time: formatTime(systemClock.now()),
          forSeconds: Math.floor(forMs / 1000),
          by,
          reason: flags.reason,
        });
        print(`Evictions pass for ${formatDuration(forMs)}, released by ${by}.`);
        exit(0);
      } finally {
        await client.transport.close();
      }
    });
  return shape(command, {
    examples: `
      # Go on with a failover that moves more than the brake lets pass
      %s failover release --reason "region eu-1 is gone, confirmed by the provider" --for 30m`,
  });
}

type Release = NonNullable<NonNullable<EvictionBrake['spec']>['release']>;

async function release(client: Client, wanted: Release): Promise<void> {
  const body = { spec: { release: wanted } };
  try {
    await client.patch(evictionBrakes, { name: EVICTION_BRAKE_NAME }, { type: 'merge', body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(evictionBrakes, {
      apiVersion: 'navarch.io/v1alpha1',
      kind: 'EvictionBrake',
      metadata: { name: EVICTION_BRAKE_NAME },
      ...body,
    });
  }
}
