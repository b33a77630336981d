// `failover`: when failovers would happen, which did, and letting held ones go on.
import { Command } from 'commander';
import type { SetExitCode } from '../command.ts';
import { shape } from '../shell/index.ts';
import { describeCommand, listCommand } from './records.ts';
import { releaseCommand } from './release.ts';
import { timelineCommand } from './timeline.ts';

export function failoverCommand(exit: SetExitCode): Command {
  const command = new Command('failover').description(
    'see when workloads leave lost clusters, what past failovers did, and let held ones go on',
  );
  for (const one of [timelineCommand(exit), listCommand(exit), describeCommand(exit), releaseCommand(exit)])
    command.addCommand(one);
  return shape(command, { group: 'Troubleshooting' });
}
