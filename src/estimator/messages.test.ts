import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Component } from '../api/index.ts';
import {
  decodeAnswer,
  decodeReplicasQuestion,
  decodeSetsQuestion,
  decodeUnschedulableQuestion,
  encodeAnswer,
  encodeReplicasQuestion,
  encodeSetsQuestion,
  encodeUnschedulableQuestion,
} from './messages.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

const head: Component = {
  name: 'head',
  replicas: 2,
  replicaRequirements: { priorityClassName: 'gold', resourceRequest: { cpu: '500m' } },
};
const replicas = {
  cluster: 'm1',
  requirements: {
    nodeClaim: { nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'k', operator: 'Exists' }] },
    namespace: 'shop',
    priorityClassName: 'gold',
    resourceRequest: { cpu: '1500m', memory: '1Gi' },
  },
  assumed: [{ namespace: 'shop', components: [head] }],
};
const sets = { cluster: 'm1', components: [head], namespace: 'shop', assumed: [] };
const unschedulable = {
  cluster: 'm1',
  resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  thresholdMs: 300_000,
};
// As an independent implementation of protobuf encodes them by upstream's definition.
const REPLICAS =
  '0a026d3112490a1a120b0a046469736b12037373642a0b0a016b12064578697374731a0473686f702204676f6c642a0e0a0363707512070a05313530306d2a0f0a066d656d6f727912050a033147691a270a0473686f70121f0a046865616412151a04676f6c64220d0a0363707512060a043530306d1802';
const SETS = '0a026d31121f0a046865616412151a04676f6c64220d0a0363707512060a043530306d18021a0473686f70';
const UNSCHEDULABLE =
  '0a026d3112200a07617070732f7631120a4465706c6f796d656e741a0473686f7022037765621880f092cbdd08';

test('messages: written as the definition has them, and read again', () => {
  assert.equal(encodeReplicasQuestion(replicas).toString('hex'), REPLICAS);
  assert.deepEqual(decodeReplicasQuestion(hex(REPLICAS)), replicas);
  assert.equal(encodeSetsQuestion(sets).toString('hex'), SETS);
  assert.deepEqual(decodeSetsQuestion(hex(SETS)), sets);
  assert.equal(encodeUnschedulableQuestion(unschedulable).toString('hex'), UNSCHEDULABLE);
  assert.deepEqual(decodeUnschedulableQuestion(hex(UNSCHEDULABLE)), unschedulable);
});

for (const [answer, bytes] of [
  [0, ''],
  [300, '08ac02'],
  [2_147_483_647, '08ffffffff07'],
  [-1, '08ffffffffffffffffff01'],
] as const) {
  test(`messages: the answer ${answer}`, () => {
    assert.equal(encodeAnswer(answer).toString('hex'), bytes);
    assert.equal(decodeAnswer(hex(bytes)), answer);
  });
}

test('messages: nothing said is nothing on the wire, and says the least', () => {
  const nothing = { cluster: '', requirements: undefined, assumed: [] };
  assert.equal(encodeReplicasQuestion(nothing).length, 0);
  assert.deepEqual(decodeReplicasQuestion(hex('')), nothing);
});

test('messages: node affinity goes along whole', () => {
  const requirement = { key: 'zone', operator: 'In', values: ['a', 'b'] };
  const hardNodeAffinity = { nodeSelectorTerms: [{ matchExpressions: [requirement], matchFields: [{ ...requirement, key: 'metadata.name' }] }] };
  const question = { ...replicas, requirements: { nodeClaim: { hardNodeAffinity } } };
  assert.deepEqual(decodeReplicasQuestion(encodeReplicasQuestion(question)), question);
}); // prettier-ignore

test('messages: fields of a newer version are skipped, what is no message is refused', () => {
  assert.equal(decodeReplicasQuestion(hex('0a026d31fa0103616263')).cluster, 'm1');
  assert.throws(() => decodeReplicasQuestion(hex('0aff')), { name: 'StatusError' });
  assert.equal(decodeUnschedulableQuestion(hex('18ffffffffffffffffff01')).thresholdMs, 0);
});

test('property: whatever is asked arrives as it was asked', () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  const amounts = fc.dictionary(name, fc.stringMatching(/^[1-9][0-9]{0,3}(m|Gi)?$/), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  });
  const plain = { noNullPrototype: true };
  const component = fc.record(
    {
      name,
      replicas: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      replicaRequirements: fc.record({ resourceRequest: amounts, priorityClassName: name }, plain),
    },
    plain,
  );
  const assumed = fc.array(
    fc.record({ namespace: name, components: fc.array(component, { maxLength: 3 }) }, plain),
    {
      maxLength: 3,
    },
  );
  fc.assert(
    fc.property(
      name,
      name,
      fc.array(component, { maxLength: 4 }),
      assumed,
      (cluster, namespace, components, promised) => {
        const question = { cluster, namespace, components, assumed: promised };
        assert.deepEqual(decodeSetsQuestion(encodeSetsQuestion(question)), question);
      },
    ),
  );
});
