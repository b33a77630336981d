import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatingError } from '../base/index.ts';
import { configurationText, parseConfiguration } from './configuration.ts';
import { readSettings, settingFlags } from './flags.ts';

const HEAD = 'apiVersion: config.navarch.io/v1alpha1\nkind: ControlPlaneConfiguration\n';
const parse = (text: string): ReturnType<typeof parseConfiguration> =>
  parseConfiguration(text, 'navarch.yaml', settingFlags);

const refused: readonly [what: string, text: string, message: RegExp, nextStep: RegExp][] = [
  ['an empty file', '', /holds no object/, /navarch settings/],
  ['a list', '- a', /holds no object/, /navarch settings/],
  ['another kind', 'apiVersion: v1\nkind: ConfigMap', /is no ControlPlaneConfiguration/, /apiVersion/],
  [
    'a misspelt key',
    `${HEAD}clusterMonitorPriod: 5s`,
    /unknown setting "clusterMonitorPriod"/,
    /"clusterMonitorPeriod"/,
  ],
  ['a key like nothing', `${HEAD}zebra: 5s`, /unknown setting "zebra"/, /navarch settings/],
  [
    'a value that is none',
    `${HEAD}clusterMonitorPeriod: soon`,
    /clusterMonitorPeriod in navarch.yaml is no duration/,
    /30s/,
  ],
  [
    'an object where a time belongs',
    `${HEAD}clusterMonitorPeriod: {}`,
    /no duration as clusterMonitorPeriod/,
    /flag/,
  ],
  ['a preset that is no name', `${HEAD}failoverPreset: [a]`, /failoverPreset/, /preset/],
];
for (const [what, text, message, nextStep] of refused) {
  test(`refuses ${what}, by name`, () => {
    assert.throws(
      () => parse(text),
      (error: unknown) => {
        assert.ok(error instanceof OperatingError);
        assert.match(error.message, message);
        assert.match(error.nextStep, nextStep);
        return true;
      },
    );
  });
}

test('flags win over the file, the file over the preset, the preset over the default', () => {
  const file = parse(`${HEAD}failoverPreset: platform\nclusterProbeTimeout: 2s\nresourceEvictionRate: 3`);
  const { settings } = readSettings(new Map([['resource-eviction-rate', '4']]), file);
  assert.equal(settings.resourceEvictionRate, 4);
  assert.equal(settings.clusterProbeTimeoutMs, 2_000);
  assert.equal(settings.failoverEvictionTimeoutMs, 30_000);
  assert.equal(settings.gracefulEvictionTimeoutMs, 600_000);
});

test('what is printed reads back as the same settings', () => {
  const given = new Map([
    ['feature-gates', 'Failover=true,StatefulFailoverInjection=true'],
    ['skipped-propagating-apis', 'a/v1/B,C;d'],
    ['controllers', '*,-remedy'],
  ]);
  const { settings } = readSettings(given, undefined, 'fast');
  const again = readSettings(new Map(), parse(configurationText(settings, settingFlags)));
  assert.deepEqual(again.settings, settings);
});

test('the automatic mode alone brings what it needs, and says what contradicts it', () => {
  const { settings } = readSettings(new Map([['failover-mode', 'automatic']]));
  assert.equal(settings.gates.Failover, true);
  assert.equal(settings.enableNoExecuteTaintEviction, true);
  const contradictions = [
    ['feature-gates', 'Failover=false'],
    ['enable-no-execute-taint-eviction', 'false'],
  ] as const;
  for (const contradiction of contradictions)
    assert.throws(
      () => readSettings(new Map([['failover-mode', 'automatic'], contradiction])),
      /--failover-mode=automatic/,
    );
});

test('what only the automatic mode looks at is told of in the other', () => {
  const { warnings } = readSettings(new Map([['failover-eviction-timeout', '5m']]));
  assert.deepEqual(warnings, [
    '--failover-eviction-timeout has no effect with --failover-mode=policy-driven',
  ]);
});

test('a preset that does not exist is refused with the nearest name', () => {
  assert.throws(() => readSettings(new Map(), undefined, 'platfrom'), /did you mean "platform"/);
});
