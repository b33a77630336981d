// The thread of the simulated members: whatever they have to do, the hub does not wait for it.
// Entry point of its own: scripts/build.ts bundles it beside the program.
import { parentPort } from 'node:worker_threads';
import { OperatingError, assert } from '../../base/index.ts';
import { StorageWorker } from '../../storage/index.ts';
import { helmFrom } from '../helm-flags.ts';
import { createLogger } from '../logger.ts';
import type { MemberCommand } from './commands.ts';
import { startMembers, type Members } from './members.ts';
import { serve } from './serve.ts';

assert(parentPort !== null, 'this is the entry point of a thread');
const worker = new StorageWorker();
let members: Members | undefined;

async function carryOut(command: MemberCommand): Promise<unknown> {
  if (command.do === 'start') {
    const { helm, logLevel, ...options } = command.options;
    members = await startMembers({
      ...options,
      worker,
      logger: createLogger(logLevel),
      helm: await helmFrom(helm.mode, helm.binary),
    });
    return members.list;
  }
  if (members === undefined)
    throw new OperatingError('MEMBERS_NOT_STARTED', 'the members have not been started', 'start them first');
  switch (command.do) {
    case 'add':
      await members.add(command.wanted);
      break;
    case 'remove':
      await members.remove(command.name);
      break;
    case 'fault':
      return members.fault(command.name, command.fault);
    case 'close':
      await members.close();
      await worker.close();
      return [];
  }
  return members.list;
}

serve(parentPort, {
  transportOf: (name) => members?.transportOf(name),
  command: (command) => carryOut(command as MemberCommand),
});
