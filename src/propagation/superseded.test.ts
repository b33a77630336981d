import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Work } from '../api/index.ts';
import { supersededWorks } from './superseded.ts';

function work(cluster: string, name: string, state: 'applied' | 'new' | 'going' = 'applied'): Work {
  const applied = {
    type: 'Applied',
    status: 'True' as const,
    reason: 'r',
    message: '',
    lastTransitionTime: '',
  };
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: {
      namespace: `karmada-es-${cluster}`,
      name,
      ...(state === 'going' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { workload: {} },
    ...(state === 'applied' ? { status: { conditions: [applied] } } : {}),
  };
}

const cases: readonly (readonly [
  name: string,
  works: readonly Work[],
  removed: readonly string[],
  waits: boolean,
])[] = [
  ['nothing', [], [], false],
  ['only what is wanted', [work('a', 'new')], [], false],
  ['an old one beside one that has arrived', [work('a', 'new'), work('a', 'old')], ['old'], false],
  ['an old one beside one that has not arrived', [work('a', 'new', 'new'), work('a', 'old')], [], true],
  ['an old one before there is another', [work('a', 'old')], [], true],
  ['one that is going already', [work('a', 'new'), work('a', 'old', 'going')], [], false],
  ['one of a cluster that is not wanted', [work('a', 'new'), work('b', 'old')], [], false],
];
for (const [name, works, removed, waits] of cases) {
  test(`superseded: ${name}`, () => {
    const found = supersededWorks(works, new Set(['karmada-es-a/new']));
    assert.deepEqual(
      found.remove.map(({ metadata }) => metadata.name),
      removed,
    );
    assert.equal(found.waits, waits);
  });
}
