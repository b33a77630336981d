import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  believe,
  forecast,
  presetTimeline,
  readyFromProbe,
  type ForecastStep,
  type PresetName,
  type ProbeMemory,
  type TimelineSettings,
} from '../index.ts';

function spans(
  preset: PresetName,
  syncMode: 'Push' | 'Pull',
  more: Partial<Parameters<typeof forecast>[0]> = {},
): Record<string, string> {
  const steps = forecast({
    settings: presetTimeline(preset),
    syncMode,
    tolerations: undefined,
    purgeMode: undefined,
    workloads: 1,
    ...more,
  });
  const text = (ms: number | undefined): string => (ms === undefined ? 'never' : String(ms / 1000));
  return Object.fromEntries(
    steps.map(({ step, earliestMs, latestMs }: ForecastStep) => [
      step,
      `${text(earliestMs)}-${text(latestMs)}`,
    ]),
  );
}

const cases: readonly [
  what: string,
  found: Record<string, string>,
  step: string,
  seconds: string,
][] = [
  ['upstream declares a push member after 30 s, or far later when probes hang', spans('upstream', 'Push'), 'declared not ready', '30-114'],
  ['upstream declares a pull member after 30 to 45 s', spans('upstream', 'Pull'), 'declared not ready', '30-45'],
  ['upstream gives nobody up', spans('upstream', 'Push'), 'given up (NoExecute taint)', 'never-never'],
  ['legacy takes five minutes more', spans('legacy', 'Pull'), 'given up (NoExecute taint)', '330-345'],
  ['and five until workloads leave', spans('legacy', 'Pull'), 'the first workload leaves', '630-645'],
  ['platform notices within 10 to 20 s', spans('platform', 'Push'), 'declared not ready', '10-17'],
  ['platform gives up 30 s later', spans('platform', 'Push'), 'given up (NoExecute taint)', '40-47'],
  ['fast is through within a quarter of a minute', spans('fast', 'Push'), 'the first workload leaves', '8-11'],
  ['a policy that tolerates nothing lets workloads leave at once', spans('platform', 'Push', { tolerations: [] }), 'the first workload leaves', '40-47'],
  ['one that tolerates all keeps them', spans('platform', 'Push', { tolerations: [{ operator: 'Exists' }] }), 'workloads leave', 'never-never'],
  ['the rate spreads many workloads', spans('platform', 'Push', { tolerations: [], workloads: 101 }), 'the last of 101 workloads leaves', '50-57'],
  ['Directly removes the old copies at once', spans('platform', 'Push', { tolerations: [], purgeMode: 'Directly' }), 'old copies go, at the latest', '40-47'],
]; // prettier-ignore
for (const [what, found, step, seconds] of cases) test(what, () => assert.equal(found[step], seconds));

test('the decision code declares a push member within the computed time, whatever the probes do', () => {
  const times = fc.record({
    clusterStatusUpdateFrequencyMs: fc.integer({ min: 500, max: 20_000 }),
    clusterProbeTimeoutMs: fc.integer({ min: 100, max: 40_000 }),
    clusterFailureThresholdMs: fc.integer({ min: 0, max: 60_000 }),
  });
  const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      times,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fractions,
      (chosen, offset, probes) => {
        const settings = { ...presetTimeline('platform'), ...chosen };
        const span = forecast({
          settings,
          syncMode: 'Push',
          tolerations: undefined,
          purgeMode: undefined,
          workloads: 1,
        })[1];
        const declaredMs = declaredAfter(settings, offset, probes);
        assert.ok(declaredMs <= (span?.latestMs ?? 0) + 1e-6, `${declaredMs} is later than computed`);
        assert.ok(declaredMs >= (span?.earliestMs ?? 0) - 1e-6, `${declaredMs} is earlier than computed`);
      },
    ),
  );
});

/** @param offset of the period, until the first probe that fails begins */
function declaredAfter(settings: TimelineSettings, offset: number, probes: readonly number[]): number {
  const { clusterStatusUpdateFrequencyMs: periodMs, clusterProbeTimeoutMs: timeoutMs } = settings;
  const offline = readyFromProbe({ kind: 'offline', why: 'x' });
  const thresholds = {
    failureMs: settings.clusterFailureThresholdMs,
    successMs: settings.clusterSuccessThresholdMs,
  };
  let memory: ProbeMemory = { status: 'True', changedAtMs: -1_000_000 };
  let startMs = offset * periodMs;
  for (let index = 0; ; index++) {
    const takesMs = (probes[index % probes.length] ?? 0) * timeoutMs;
    const verdict = believe(memory, { status: 'True' }, offline, startMs + takesMs, thresholds);
    if (verdict.believed) return startMs + takesMs;
    memory = verdict.memory;
    startMs += Math.max(periodMs, takesMs);
  }
}
