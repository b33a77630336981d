// Carries a promotion out, and takes it back when a step fails: from the first step, or from wherever an interrupted run
// stopped.
import { OperatingError, errorMessage } from '../../base/index.ts';
import { undoOrder } from '../../propagation/index.ts';
import { takeStep, undoStep, type MigrationContext } from './steps.ts';

/** Resolves when all is done; when a step fails, takes everything back and rejects with what failed. */
export async function carryOut(context: MigrationContext): Promise<void> {
  const { journal } = context;
  try {
    for (const step of journal.steps) await takeStep(context, step);
    await journal.phase('Done');
  } catch (error) {
    if (context.signal.aborted) throw error;
    await takeBack(context, errorMessage(error)).catch((second: unknown) => {
      throw new OperatingError(
        'NOT_TAKEN_BACK',
        `${errorMessage(error)}. Taking it back failed too: ${errorMessage(second)}`,
        `mend that, then run "promote --rollback ${journal.name}"`,
        { cause: second },
      );
    });
    throw error;
  }
}

/** Resolves when everything is as it was. May be called again after an interruption. */
export async function takeBack(context: MigrationContext, why: string): Promise<void> {
  const { journal } = context;
  if (journal.migration.status?.phase !== 'RolledBack') await journal.phase('RollingBack', why);
  for (const step of undoOrder(journal.steps)) await undoStep(context, step);
  await journal.phase('RolledBack', why);
}
