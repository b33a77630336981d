import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { WritesUnderWay } from './writes-under-way.ts';

const version = (resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', resourceVersion },
});

const cases: [
  name: string,
  shown: readonly string[],
  answer: string | undefined,
  foreign: readonly string[],
][] = [
  ['our own write is no news', ['5'], '5', []],
  ['what came before it and after it is', ['4', '5', '6'], '5', ['4', '6']],
  ['after a write that failed everything is', ['4'], undefined, ['4']],
  ['a watch that is slower than the answer shows nothing here', [], '5', []],
];
for (const [name, shown, answer, foreign] of cases) {
  test(name, async () => {
    const writes = new WritesUnderWay();
    const heard: string[] = [];
    const write = writes.during('a', async () => {
      await Promise.resolve();
      for (const one of shown) assert.ok(writes.defers('a', version(one), () => heard.push(one)));
      assert.ok(!writes.defers('b', version('1'), () => assert.fail('nobody writes it')));
      assert.deepEqual(heard, []);
      if (answer === undefined) throw new Error('refused');
      return version(answer);
    });
    if (answer === undefined) await assert.rejects(write, /refused/);
    else assert.equal((await write).metadata.resourceVersion, answer);
    assert.deepEqual(heard, foreign);
    assert.ok(!writes.defers('a', version('9'), () => assert.fail('the write is over')));
  });
}
