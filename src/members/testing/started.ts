// A whole member in one process, on time that moves only when a test lets it.
import assert from 'node:assert/strict';
import type { KubeObject } from '../../api/index.ts';
import { objectCodec } from '../../apiserver/index.ts';
import { silentLogger } from '../../base/index.ts';
import { createClient, type Client } from '../../client/index.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { testRandom } from '../../runtime/testing/world.ts';
import { createMemoryStorage, type Storage } from '../../storage/index.ts';
import { startMember, type Member, type MemberOptions } from '../member.ts';

export interface StartedMember extends AsyncDisposable {
  readonly member: Member;
  /** As an administrator from outside. */
  readonly client: Client;
  readonly clock: ManualClock;
  readonly storage: Storage<KubeObject>;
  /** Lets time pass until `condition` holds; fails when it does not within `limitMs` (60,000). */
  until(what: string, condition: () => boolean | Promise<boolean>, limitMs?: number): Promise<void>;
}

const STEP_MS = 50;

/** Without jitter, so that times can be told. */
const evenly = { jitter: 0 };

export async function startTestMember(
  options: Partial<Omit<MemberOptions, 'clock' | 'random' | 'logger'>> & {
    readonly clock?: ManualClock;
  } = {},
): Promise<StartedMember> {
  const clock = options.clock ?? new ManualClock(Date.UTC(2026, 10, 21, 12));
  const storage = options.storage ?? createMemoryStorage(objectCodec);
  const member = await startMember({
    name: 'member1',
    random: testRandom(),
    logger: silentLogger,
    ...options,
    kubelet: { ...evenly, ...options.kubelet },
    storage,
    clock,
  });
  const started: StartedMember = {
    member,
    client: createClient(member.transport),
    clock,
    storage,
    async until(what, condition, limitMs = 60_000) {
      const endMs = clock.now() + limitMs;
      while (!(await condition())) {
        assert.ok(clock.now() < endMs, `within ${limitMs} ms of the cluster's time: ${what}`);
        await clock.advance(STEP_MS);
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = member.close();
      // What waits for time to pass on its way out gets it.
      for (let open = true; open;) {
        await Promise.race([closed.then(() => (open = false)), clock.advance(1000)]);
      }
    },
  };
  let isReady = false;
  let failure: unknown;
  member.ready.then(
    () => (isReady = true),
    (error: unknown) => (failure = error ?? new Error('the member did not start')),
  );
  await started.until('the member is ready', () => isReady || failure !== undefined);
  if (failure !== undefined) throw failure as Error;
  return started;
}
