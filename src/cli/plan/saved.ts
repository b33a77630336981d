// A plan as it is kept in a file, and whether it still holds: what it was made from must be as it was, and making it anew
// must give the same.
import { readFile, writeFile } from 'node:fs/promises';
import { OperatingError, errorMessage } from '../../base/index.ts';
import {
  fingerprints,
  movedSince,
  previewEssence,
  type Fingerprints,
  type Preview,
  type World,
} from '../../explain/index.ts';
import type { Edits } from './edits.ts';

export interface SavedPlan extends Edits {
  readonly kind: 'NavarchPlan';
  readonly version: 1;
  readonly preview: Preview;
  readonly read: Fingerprints;
}

export function planOf(edits: Edits, preview: Preview, world: World): SavedPlan {
  return { kind: 'NavarchPlan', version: 1, ...edits, preview, read: fingerprints(world, preview) };
}

export async function savePlan(file: string, plan: SavedPlan): Promise<void> {
  try {
    // Plans hold whole objects, and Secrets may be among them.
    await writeFile(file, `${JSON.stringify(plan)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new OperatingError(
      'FILE_UNWRITABLE',
      `cannot write ${file}: ${errorMessage(cause)}`,
      'name another file',
      { cause },
    );
  }
}

export async function loadPlan(file: string): Promise<SavedPlan> {
  let plan: Partial<SavedPlan>;
  try {
    plan = JSON.parse(await readFile(file, 'utf8')) as Partial<SavedPlan>;
  } catch (cause) {
    throw new OperatingError(
      'FILE_UNREADABLE',
      `cannot read ${file}: ${errorMessage(cause)}`,
      'name a file that plan --save wrote',
      { cause },
    );
  }
  if (
    plan.kind !== 'NavarchPlan' ||
    plan.version !== 1 ||
    plan.writes === undefined ||
    plan.preview === undefined
  )
    throw new OperatingError('NOT_A_PLAN', `${file} holds no plan`, 'name a file that plan --save wrote');
  return plan as SavedPlan;
}

// LIMIT: objects named in a refusal.
const NAMED_MAX = 5;

/** Throws OperatingError PLAN_OUTDATED, naming what moved. */
export function stillHolds(plan: SavedPlan, again: Preview, world: World): void {
  const moved = movedSince(plan.read, fingerprints(world, plan.preview));
  if (moved.length === 0 && previewEssence(plan.preview) === previewEssence(again)) return;
  const named = moved.slice(0, NAMED_MAX).join(', ');
  const more = moved.length > NAMED_MAX ? ` and ${moved.length - NAMED_MAX} more` : '';
  const why = moved.length === 0 ? 'it would come out otherwise now' : `${named}${more}`;
  throw new OperatingError(
    'PLAN_OUTDATED',
    `the world has moved since the plan: ${why}; nothing was written`,
    'plan again',
  );
}
