// What the hub asks the agent of a pull member about related state, and what that answers: both are annotations of the Work,
// which is all that an agent may read and write on the hub.
// INVARIANT: an agent says what it found, never what is done with it: where a value goes is in the rules, on the hub.
import type { StatePreservationRule } from '../api/index.ts';
import type { FoundPiece, SoughtPiece } from './related-state.ts';

/** LIMIT: in characters, for each of the two: all annotations of an object have room for 256 KiB. */
const TEXT_MAX = 32_768;

export interface StateQuestion {
  /** The rules as they were when this was asked, so that an answer to another question is told from one to this. */
  readonly of: string;
  readonly pieces: readonly SoughtPiece[];
}

/** The text of the question; undefined: the rules are too long to ask. */
export function askFor(rules: readonly StatePreservationRule[]): string | undefined {
  const question: StateQuestion = {
    of: rules.map(({ metadata }) => `${metadata.uid ?? ''}/${metadata.generation ?? 0}`).join(','),
    pieces: rules.flatMap(({ spec }) => spec.state.map(({ from, jsonPath }) => ({ from, jsonPath }))),
  };
  const text = JSON.stringify(question);
  return text.length > TEXT_MAX ? undefined : text;
}

/** What the hub has asked; undefined: nothing that this agent understands. */
export function parseQuestion(text: string | undefined): StateQuestion | undefined {
  const asked = parse(text);
  if (!isRecord(asked) || typeof asked['of'] !== 'string' || !Array.isArray(asked['pieces']))
    return undefined;
  const pieces: readonly unknown[] = asked['pieces'];
  return pieces.every(isSought) ? { of: asked['of'], pieces } : undefined;
}

/** The text of the answer. What is too long to be told is not known. */
export function answerTo({ of, pieces }: StateQuestion, found: readonly FoundPiece[]): string {
  const text = JSON.stringify({ of, found });
  if (text.length <= TEXT_MAX) return text;
  const why = `what was found is longer than the ${TEXT_MAX} characters that an agent can tell`;
  return JSON.stringify({ of, found: pieces.map(() => why) });
}

/** What was found, in the order of the pieces; undefined: this is no answer to that question. */
export function parseAnswer(
  text: string | undefined,
  question: StateQuestion,
): readonly FoundPiece[] | undefined {
  const said = parse(text);
  if (!isRecord(said) || said['of'] !== question.of || !Array.isArray(said['found'])) return undefined;
  const found: readonly unknown[] = said['found'];
  if (found.length !== question.pieces.length || !found.every(isFound)) return undefined;
  return found.map((one) => (typeof one === 'string' ? one : { value: one.value, source: one.source }));
}

function isSought(one: unknown): one is SoughtPiece {
  if (!isRecord(one) || typeof one['jsonPath'] !== 'string' || !isRecord(one['from'])) return false;
  return typeof one['from']['apiVersion'] === 'string' && typeof one['from']['kind'] === 'string';
}

function isFound(one: unknown): one is FoundPiece {
  if (typeof one === 'string') return true;
  return isRecord(one) && typeof one['value'] === 'string' && typeof one['source'] === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string | undefined): unknown {
  if (text === undefined || text.length > TEXT_MAX) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
