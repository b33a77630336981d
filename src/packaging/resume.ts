// How a package goes on after a suspension: at once, or after somebody has read what would change; over what others wrote
// meanwhile, or around it.
import {
  APPROVED_PLAN_ANNOTATION,
  ON_DRIFT_ANNOTATION,
  type Condition,
  type KubeObject,
  type ObjectChange,
} from '../api/index.ts';
import type { AnyPackage } from './package-object.ts';
import type { EffectiveSuspension } from './suspension.ts';

export type OnDrift = 'overwrite' | 'keep';

export function onDriftOf({ metadata }: AnyPackage): OnDrift | undefined {
  const text = metadata.annotations?.[ON_DRIFT_ANNOTATION];
  return text === 'overwrite' || text === 'keep' ? text : undefined;
}

function resumePending({ status }: AnyPackage): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'ResumePending');
}

/** It was resumed, and what had to wait has not been carried out yet. */
export function isResuming({ status }: AnyPackage): boolean {
  return status?.suspension?.resuming === true;
}

/** Whether what would change has to be read by somebody before it goes on. */
export function needsReview(one: AnyPackage, state: EffectiveSuspension): boolean {
  // Whoever wanted it may be gone: it was written down while they were there.
  if (one.status?.suspension?.onResume === 'Review') return true;
  return state.onResume === 'Review' || waitsForReview(one);
}

export function waitsForReview(one: AnyPackage): boolean {
  return resumePending(one)?.status === 'True';
}

export type ResumeDecision =
  | { readonly do: 'Apply'; readonly approved: boolean }
  | { readonly do: 'Wait'; readonly message: string };

/**
 * @param planHash of what would change now
 * @param changes how many objects would
 */
export function decideResume(one: AnyPackage, planHash: string, changes: number): ResumeDecision {
  if (changes === 0) return { do: 'Apply', approved: false };
  const approved = one.metadata.annotations?.[APPROVED_PLAN_ANNOTATION];
  if (approved === planHash) return { do: 'Apply', approved: true };
  const objects = changes === 1 ? '1 object changes' : `${changes} objects change`;
  const stale =
    approved === undefined ? '' : ` What was approved (${shortHash(approved)}) is not what would happen now.`;
  return {
    do: 'Wait',
    message: `It was resumed, and ${objects} when it goes on.${stale} Approve plan ${planHash}, or suspend it again.`,
  };
}

export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}

/** Undefined: it never waited, and nothing is said of it. */
export function resumePendingCondition(
  one: AnyPackage,
  decision: ResumeDecision | undefined,
): Omit<Condition, 'lastTransitionTime'> | undefined {
  if (decision?.do === 'Wait')
    return { type: 'ResumePending', status: 'True', reason: 'ReviewRequired', message: decision.message };
  const known = resumePending(one);
  if (known === undefined) return undefined;
  if (known.status === 'False') return known;
  return decision?.approved === true
    ? { type: 'ResumePending', status: 'False', reason: 'Approved', message: 'The plan was approved.' }
    : {
        type: 'ResumePending',
        status: 'False',
        reason: 'NothingToReview',
        message: 'Nothing waits for a review.',
      };
}

// ---- fields that are left to others

/** `.spec.containers[name="web"].image`: a field in the words of a conflict. */
type Step =
  | { readonly field: string }
  | { readonly keys: Readonly<Record<string, unknown>> }
  | { readonly value: unknown }
  | { readonly index: number };

/** Undefined: not a place that we can read. */
export function parseConflictField(text: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== '') {
    const read = readField(rest) ?? readBracket(rest);
    if (read === undefined) return undefined;
    steps.push(read.step);
    rest = rest.slice(read.length);
  }
  return steps.length === 0 ? undefined : steps;
}

interface Read {
  readonly step: Step;
  readonly length: number;
}

/** A name goes on to the next dot or bracket; a key with dots is found by what is in the object. */
function readField(text: string): Read | undefined {
  const [whole, field] = /^\.([^.[\]]+)/.exec(text) ?? [];
  return whole === undefined || field === undefined ? undefined : { step: { field }, length: whole.length };
}

function readBracket(text: string): Read | undefined {
  if (!text.startsWith('[')) return undefined;
  const end = closingBracket(text);
  if (end < 0) return undefined;
  const inner = text.slice(1, end);
  const length = end + 1;
  if (/^\d+$/.test(inner)) return { step: { index: Number(inner) }, length };
  try {
    if (inner.startsWith('=')) return { step: { value: JSON.parse(inner.slice(1)) as unknown }, length };
    const keys: [string, unknown][] = [];
    for (const part of inner.matchAll(/([A-Za-z][\w-]*)=("(?:[^"\\]|\\.)*"|[^,]+)(?:,|$)/g))
      keys.push([part[1] ?? '', JSON.parse(part[2] ?? '') as unknown]);
    return keys.length === 0 ? undefined : { step: { keys: Object.fromEntries(keys) }, length };
  } catch {
    return undefined;
  }
}

/** A bracket within quotes closes nothing. */
function closingBracket(text: string): number {
  let quoted = false;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') quoted = !quoted;
    else if (text[at] === ']' && !quoted) return at;
  }
  return -1;
}

/** The object without a field; the same object when it has no such field. */
export function withoutConflictField(object: KubeObject, field: string): KubeObject {
  const steps = parseConflictField(field);
  return steps === undefined ? object : (removed(object, steps) as KubeObject);
}

function removed(value: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  if ('field' in step) {
    if (Array.isArray(value)) return value;
    if (!Object.hasOwn(value, step.field)) {
      const [next, ...more] = rest;
      // Labels, annotations and data have keys with dots.
      return next !== undefined && 'field' in next
        ? removed(value, [{ field: `${step.field}.${next.field}` }, ...more])
        : value;
    }
    const { [step.field]: child, ...others } = value as Readonly<Record<string, unknown>>;
    if (rest.length === 0) return others;
    const next = removed(child, rest);
    return next === child ? value : { ...value, [step.field]: next };
  }
  if (!Array.isArray(value)) return value;
  const items = value as readonly unknown[];
  const at = items.findIndex((item, index) => isMeant(item, index, step));
  if (at < 0) return value;
  if (rest.length === 0) return items.toSpliced(at, 1);
  const next = removed(items[at], rest);
  return next === items[at] ? value : items.with(at, next);
}

function isMeant(item: unknown, index: number, step: Step): boolean {
  if ('index' in step) return index === step.index;
  if ('value' in step) return item === step.value;
  if (!('keys' in step) || typeof item !== 'object' || item === null) return false;
  return Object.entries(step.keys).every(
    ([key, value]) => Object.hasOwn(item, key) && (item as Readonly<Record<string, unknown>>)[key] === value,
  );
}

/** The object without the fields that were left to others when the package was resumed. */
export function withoutKeptFields(object: KubeObject, kept: readonly ObjectChange[] = []): KubeObject {
  const { apiVersion, kind, metadata } = object;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const mine = kept.find(
    (one) =>
      one.group === group &&
      one.kind === kind &&
      one.name === metadata.name &&
      (one.namespace ?? '') === (metadata.namespace ?? ''),
  );
  return (mine?.paths ?? []).reduce(withoutConflictField, object);
}
