import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatingError } from '../../base/index.ts';
import { packageCommand } from './index.ts';

for (const words of [
  ['bootstrap', '--type', 'slim'],
  ['bootstrap', 'git', '--url', 'https://git.example.org'],
  ['purge', '--yes'],
  ['serve', '--port', '8580'],
  ['ui'],
])
  test(`"package ${words.join(' ')}" is refused by name, with what to do instead`, async () => {
    const command = packageCommand(() => assert.fail('it does not end by itself'));
    await assert.rejects(command.parseAsync(words, { from: 'user' }), (error: unknown) => {
      assert.ok(error instanceof OperatingError);
      assert.match(error.message, /^there is no "package (bootstrap|purge|serve)": /);
      assert.match(error.nextStep, /navarch package/);
      return true;
    });
  });
