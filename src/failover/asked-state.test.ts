import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatePreservationRule } from '../api/index.ts';
import { answerTo, askFor, parseAnswer, parseQuestion, type StateQuestion } from './index.ts';

const from = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkStateSnapshot', name: '{.metadata.name}' };
const rule = (generation: number, jsonPath = '{.status.path}'): StatePreservationRule => ({
  apiVersion: 'navarch.io/v1alpha1',
  kind: 'StatePreservationRule',
  metadata: { name: 'flink', namespace: 'shop', uid: 'u1', generation },
  spec: {
    workload: { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment' },
    state: [
      { from, jsonPath, to: { field: 'spec.job.initialSavepointPath' } },
      { from, jsonPath: '{.metadata.uid}', to: { label: 'snapshot' }, required: true },
    ],
  },
});
function asked(rules: readonly StatePreservationRule[]): StateQuestion {
  const question = parseQuestion(askFor(rules));
  assert.ok(question !== undefined);
  return question;
}
const question = asked([rule(1)]);
const known = { value: 's3://a/1', source: 'FlinkStateSnapshot/s1' };
const unknown = 'no FlinkStateSnapshot of the workload is there that counts';

test('a question says where to look, and not what is done with what is found', () => {
  assert.deepEqual(question, {
    of: 'u1/1',
    pieces: [
      { from, jsonPath: '{.status.path}' },
      { from, jsonPath: '{.metadata.uid}' },
    ],
  });
});

test('rules that are too long for an annotation are not asked', () => {
  assert.equal(askFor([rule(1, 'x'.repeat(40_000))]), undefined);
});

test('what an agent found arrives as it was found', () => {
  const found = [known, unknown];
  assert.deepEqual(parseAnswer(answerTo(question, found), question), found);
});

test('what is too long to be told is not known, with the reason', () => {
  const found = parseAnswer(answerTo(question, [{ ...known, value: 'x'.repeat(40_000) }, unknown]), question);
  assert.equal(found?.length, 2);
  for (const one of found ?? [])
    assert.match(typeof one === 'string' ? one : '', /longer than the 32768 characters/);
});

const noAnswers: readonly [what: string, said: string | undefined][] = [
  ['nothing', undefined],
  ['text that is no JSON', '{'],
  ['null', 'null'],
  ['the answer to the rule as it was before', answerTo(asked([rule(0)]), [known, known])],
  ['an answer with too few pieces', answerTo(question, [known])],
  ['an answer with too many pieces', answerTo(question, [known, known, known])],
  ['a piece without a source', '{"of":"u1/1","found":["x",{"value":"y"}]}'],
  ['a value that is no text', '{"of":"u1/1","found":["x",{"value":{},"source":"y"}]}'],
  ['more than fits into an annotation', `{"of":"u1/1","found":["x","${'y'.repeat(40_000)}"]}`],
];
for (const [what, said] of noAnswers) {
  test(`no answer: ${what}`, () => assert.equal(parseAnswer(said, question), undefined));
}

test('an agent cannot say where a value goes', () => {
  const said = '{"of":"u1/1","found":[{"value":"a","source":"b","field":"spec.image"},"x"]}';
  assert.deepEqual(parseAnswer(said, question), [{ value: 'a', source: 'b' }, 'x']);
});

const noQuestions: readonly [what: string, text: string | undefined][] = [
  ['nothing', undefined],
  ['a list', '[]'],
  ['pieces without a kind', '{"of":"a","pieces":[{"jsonPath":"{.a}","from":{"apiVersion":"v1"}}]}'],
  ['pieces without a path', '{"of":"a","pieces":[{"from":{"apiVersion":"v1","kind":"Pod"}}]}'],
  ['pieces that are no list', '{"of":"a","pieces":{}}'],
];
for (const [what, text] of noQuestions) {
  test(`no question: ${what}`, () => assert.equal(parseQuestion(text), undefined));
}
