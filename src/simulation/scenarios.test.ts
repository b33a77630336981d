// Every file in scenarios/ holds.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseScenario, runScenario } from './scenario.ts';

const directory = path.join(import.meta.dirname, 'scenarios');

for (const file of readdirSync(directory).filter((name) => name.endsWith('.yaml'))) {
  const scenario = parseScenario(readFileSync(path.join(directory, file), 'utf8'), file);
  test(`${file}: ${scenario.about}`, async () => {
    const { problems, story, startMs } = await runScenario(scenario, 'scenario', file);
    const told = story.map(
      ({ atMs, subject, what }) => `${((atMs - startMs) / 1000).toFixed(1)} s ${subject} ${what}`,
    );
    assert.deepEqual(problems, [], told.slice(-200).join('\n'));
  });
}
