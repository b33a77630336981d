// Two writers that undo each other in a member. Putting right what somebody changed is our task; putting it right again
// and again, against a program that changes it again and again, helps nobody and loads the member. So it is noticed,
// named with who does it and where, and slowed down, until the other one gives in or somebody mends it.
// INVARIANT: the object is put right in the end: a fight delays a correction and never drops it.
import {
  CONTESTED_CONDITION,
  type Condition,
  type JsonObject,
  type JsonValue,
  type KubeObject,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { differingFields, ownsField, parseTime, type FieldSteps } from '../machinery/index.ts';

/** What has been put right in one object so far. */
export interface Fight {
  readonly corrections: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly opponent: Opponent;
}

export interface Opponent {
  /** The field manager, as the member's API server knows it; empty: nobody can say. */
  readonly manager: string;
  /** What it changes, as paths; empty: it deletes the object. */
  readonly fields: readonly string[];
}

/** As often is an accident, a person, or a tool that is being set up. */
const ACCIDENTS_MAX = 4;
const FIRST_WAIT_MS = 10_000;
/** LIMIT: the longest that a member shows what somebody else wants. */
const WAIT_MAX_MS = 600_000;
/** LIMIT: without a correction for this long there is no fight. Tools that reconcile seldom do so more often. */
const CALM_MS = 1_800_000;

function isCalm(fight: Fight, nowMs: number): boolean {
  return nowMs - fight.lastMs >= CALM_MS;
}

/** With one more correction. */
export function withCorrection(before: Fight | undefined, opponent: Opponent, nowMs: number): Fight {
  if (before === undefined || isCalm(before, nowMs))
    return { corrections: 1, firstMs: nowMs, lastMs: nowMs, opponent };
  return { ...before, corrections: before.corrections + 1, lastMs: nowMs, opponent };
}

export function isFought(fight: Fight | undefined, nowMs: number): fight is Fight {
  return fight !== undefined && fight.corrections > ACCIDENTS_MAX && !isCalm(fight, nowMs);
}

/** How long the next correction has to wait; 0: not at all. */
export function correctionWaitMs(fight: Fight | undefined, nowMs: number): number {
  if (!isFought(fight, nowMs)) return 0;
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (fight.corrections - ACCIDENTS_MAX - 1), WAIT_MAX_MS);
  return Math.max(0, fight.lastMs + waitMs - nowMs);
}

/** When to look whether it is over. */
export function calmInMs({ lastMs }: Fight, nowMs: number): number {
  return Math.max(0, lastMs + CALM_MS - nowMs);
}

// ---- who

/** LIMIT: paths that a message names. */
const FIELDS_MAX = 3;

function pathText(path: FieldSteps): string {
  return path
    .map((step) =>
      typeof step === 'number' ? `[${step}]` : /^[\w-]+$/.test(step) ? `.${step}` : `["${step}"]`,
    )
    .join('');
}

/**
 * Who made `observed` differ from what we wrote: who owns what differs, else who wrote last.
 * @param ourselves the field manager that our own writes go by
 */
export function opponentOf(desired: KubeObject, observed: KubeObject, ourselves: string): Opponent {
  const paths = differingFields(writtenPart(desired), writtenPart(observed));
  const others = (observed.metadata.managedFields ?? [])
    .filter(({ manager, subresource }) => manager !== ourselves && (subresource ?? '') === '')
    .toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
  const owner = others.find(({ fieldsV1 }) => paths.some((path) => ownsField(fieldsV1, path))) ?? others[0];
  return { manager: owner?.manager ?? '', fields: paths.map(pathText) };
}

function writtenPart(object: KubeObject): JsonValue {
  const { metadata, status: _status, ...body } = object as unknown as JsonObject;
  const { labels, annotations } = object.metadata;
  void metadata;
  return { ...body, metadata: { labels, annotations } };
}

/** Whoever deletes an object leaves no name. */
export const DELETED: Opponent = { manager: '', fields: [] };

// ---- what is said

/** `by "kubectl-edit" (.spec.replicas)`. */
function described({ manager, fields }: Opponent): string {
  if (fields.length === 0) return 'it is deleted again and again';
  const shown = fields.slice(0, FIELDS_MAX).join(', ');
  const where = fields.length > FIELDS_MAX ? `${shown} and ${fields.length - FIELDS_MAX} more` : shown;
  return `${manager === '' ? 'somebody' : JSON.stringify(manager)} writes ${where}`;
}

function called({ kind, metadata: { namespace, name = '' } }: KubeObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** Of a Work: true while anybody else wants something of its to be otherwise. */
export function contestedCondition(
  fights: readonly { readonly manifest: KubeObject; readonly fight: Fight }[],
  cluster: string,
): Omit<Condition, 'lastTransitionTime'> {
  const [first] = fights;
  if (first === undefined) {
    const message = 'Nobody else writes what this Work says.';
    return { type: CONTESTED_CONDITION, status: 'False', reason: 'Settled', message };
  }
  const { manifest, fight } = first;
  return {
    type: CONTESTED_CONDITION,
    status: 'True',
    reason: fight.opponent.fields.length === 0 ? 'DeletedElsewhere' : 'WrittenElsewhere',
    message:
      `${called(manifest)} in cluster ${cluster} has been put right ${fight.corrections} times since ${formatTime(fight.firstMs)}: ` +
      `${described(fight.opponent)}. Corrections are slowed down until one of both writers stops.`,
  };
}

const SAID =
  /^(?<what>.+) in cluster \S+ has been put right (?<times>\d+) times since (?<since>\S+): (?<who>.*)\. Corrections are/;
const WRITER = /^(?<manager>"(?:[^"\\]|\\.)*"|somebody) writes (?<fields>.*)$/;

/**
 * The fight that a condition tells of, for who has forgotten it: a control plane that starts anew goes on with the patience
 * that it had. Undefined: it tells of none about this manifest. When the last correction was made is not said, so it counts
 * as made now.
 */
export function fightToldBy(
  condition: Condition | undefined,
  manifest: KubeObject,
  nowMs: number,
): Fight | undefined {
  if (condition?.type !== CONTESTED_CONDITION || condition.status !== 'True') return undefined;
  const { what, times = '', since = '', who = '' } = SAID.exec(condition.message)?.groups ?? {};
  if (what !== called(manifest)) return undefined;
  const firstMs = Math.min(parseTime(since) ?? nowMs, nowMs);
  return { corrections: Number(times), firstMs, lastMs: nowMs, opponent: opponentToldBy(who) };
}

function opponentToldBy(text: string): Opponent {
  const { manager, fields } = WRITER.exec(text)?.groups ?? {};
  if (manager === undefined || fields === undefined) return DELETED;
  const name = manager === 'somebody' ? '' : (JSON.parse(manager) as string);
  return { manager: name, fields: fields.split(', ') };
}
