import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScenario } from './scenario.ts';
import { timelineOf } from './step.ts';

const head = 'about: x\nfleet: [{ name: member1 }]\n';
for (const [name, text, expected] of [
  ['a file that is no YAML', 'about: [', /is no YAML/],
  ['an empty file', '', /about: Required value/],
  ['a field that does not exist', `${head}timeline: []\nmembers: 3\n`, /members: there is no such field/],
  ['a fleet without members', 'about: x\nfleet: []\ntimeline: []\n', /fleet: /],
  [
    'an action that does not exist',
    `${head}timeline: [{ at: 1s, explode: [member1] }]\n`,
    /explode: there is no such field/,
  ],
  ['a reference that is none', `${head}timeline: [{ at: 1s, delete: web }]\n`, /timeline\[0\].delete/],
] as const) {
  test(`${name} is refused by name`, () => {
    assert.throws(() => parseScenario(text, 'a.yaml'), { code: 'BAD_SCENARIO', message: expected });
  });
}

for (const [name, steps, expected] of [
  ['a step with nothing to do', [{ at: '1s' }], /nothing to do/],
  [
    'a step with two things to do',
    [{ at: '1s', cut: ['a'], heal: ['a'] }],
    /several things to do: cut, heal/,
  ],
  ['a time that is none', [{ at: 'soon', heal: [] }], /"soon" is no duration/],
  ['a repetition without an end', [{ at: '1s', every: '1m', heal: [] }], /needs `until`/],
  ['a repetition that never gets on', [{ at: '1s', every: '0s', until: '1m', heal: [] }], /positive/],
  ['too many repetitions', [{ at: '0s', every: '1ms', until: '1h', heal: [] }], /more than 10000/],
] as const) {
  test(`${name} is refused by name`, () => {
    assert.throws(() => timelineOf(steps, 'a.yaml'), {
      code: 'BAD_SCENARIO',
      message: expected,
    });
  });
}

test('repetitions are written out, and equal times keep the order of the file', () => {
  const timed = timelineOf(
    [
      { at: '2m', cut: ['a'] },
      { at: '1m', every: '1m', until: '3m', heal: ['a'] },
    ],
    'a.yaml',
  );
  assert.deepEqual(
    timed.map(({ atMs, step }) => `${atMs / 60_000} ${step.cut === undefined ? 'heal' : 'cut'}`),
    ['1 heal', '2 cut', '2 heal', '3 heal'],
  );
});

test('an empty timeline is one', () => assert.deepEqual(timelineOf([], 'a.yaml'), []));
