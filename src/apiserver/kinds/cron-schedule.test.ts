import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCronProblem } from './cron-schedule.ts';

const GOOD = ['* * * * *', '*/5 0 1,15 * 1-5', '0 0 ? * mon', '@hourly', '@every 1h30m', '0 0 1 jan-mar/2 *'];
for (const schedule of GOOD) {
  test(`${schedule} is a schedule`, () => assert.equal(describeCronProblem(schedule), undefined));
}

const BAD: readonly [schedule: string, why: RegExp][] = [
  ['* * * *', /expected exactly 5 fields, found 4/],
  ['60 * * * *', /above maximum/],
  ['* * 0 * *', /below minimum/],
  ['5-1 * * * *', /beyond end of range/],
  ['*/0 * * * *', /step/],
  ['@fortnightly', /unrecognized descriptor/],
  ['x * * * *', /failed to parse/],
];
for (const [schedule, why] of BAD) {
  test(`${schedule} is refused`, () => assert.match(describeCronProblem(schedule) ?? '', why));
}
