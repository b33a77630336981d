import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilAborted } from './abort.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is there in time is passed on, failures too', async () => {
  const { signal } = new AbortController();
  assert.equal(await untilAborted(Promise.resolve(1), signal), 1);
  await assert.rejects(untilAborted(Promise.reject(new Error('broken')), signal), /broken/);
});

for (const early of [true, false])
  test(`nothing is waited for ${early ? 'when nobody wants it any more' : 'from the moment on when nobody wants it'}, nor does its failure strike anybody`, async () => {
    const abort = new AbortController();
    const late = Promise.withResolvers<never>();
    if (early) abort.abort(new Error('too late'));
    const waiting = untilAborted(late.promise, abort.signal);
    if (!early) abort.abort(new Error('too late'));
    await assert.rejects(waiting, /too late/);
    // An unhandled rejection would fail this test.
    late.reject(new Error('broken afterwards'));
    await turn();
  });
