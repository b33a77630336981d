// docs/failover.md tells of every setting and preset as they are. A failure prints what the page has to say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { settingText } from '../../machinery/index.ts';
import { presetNames, presetTimeline, timelineRows, upstreamTimeline } from '../index.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/failover.md'), 'utf8');

function section(name: string): string {
  const begin = page.indexOf(`<!-- ${name}:`);
  return page.slice(page.indexOf('\n', begin) + 1, page.indexOf(`<!-- end of ${name} -->`)).trim();
}

const units = { duration: 'time', integer: 'number', number: 'number', boolean: 'true or false', choice: '', list: '', text: '', gates: '' } as const; // prettier-ignore

test('the page lists every setting with its kind, default and purpose', () => {
  const rows = timelineRows.map((row) => {
    const kind =
      row.choices === undefined ? units[row.kind] : row.choices.map((one) => `\`${one}\``).join(', ');
    return `| \`--${row.name}\` | ${kind} | ${settingText(row, upstreamTimeline[row.setting])} | ${row.help} |`;
  });
  assert.equal(
    section('settings'),
    ['| Flag | Takes | Default | What it is |', '|---|---|---|---|', ...rows].join('\n'),
  );
});

test('the page lists what the presets set', () => {
  const presets = presetNames.map((name) => presetTimeline(name));
  const differing = timelineRows.filter((row) => new Set(presets.map((one) => one[row.setting])).size > 1);
  const rows = differing.map(
    (row) => `| \`${row.name}\` | ${presets.map((one) => settingText(row, one[row.setting])).join(' | ')} |`,
  );
  const head = `| Setting | ${presetNames.map((name) => `\`${name}\``).join(' | ')} |`;
  const rule = `|---|${presetNames.map(() => '---|').join('')}`;
  assert.equal(section('presets'), [head, rule, ...rows].join('\n'));
});
