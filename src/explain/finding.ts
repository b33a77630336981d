// What an explanation is made of: single facts about one template on its way to the members, each with the sentence a
// person reads and a code that programs go by.

export const STEPS = ['template', 'policy', 'binding', 'schedule', 'works', 'members'] as const;
export type StepName = (typeof STEPS)[number];

/**
 * stuck: nothing goes on until somebody does something. waiting: it goes on by itself, or when something expected
 * happens. note: worth knowing.
 */
export type Severity = 'stuck' | 'waiting' | 'note';

export interface Finding {
  readonly code: string;
  readonly step: StepName;
  readonly severity: Severity;
  /** The cluster it is about, when it is about one. */
  readonly cluster?: string;
  /** One sentence without a full stop. */
  readonly says: string;
  /** What to do about it. */
  readonly next?: string;
  /** RFC 3339. */
  readonly since?: string;
}

/** `a, b and c`. */
export function listText(names: readonly string[], max = 5): string {
  const shown = names.length > max ? [...names.slice(0, max), `${names.length - max} more`] : names;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** A text that ends like a sentence, without its full stop. */
export function unstopped(text: string): string {
  return text.replace(/[.\s]+$/, '');
}

/** What the scheduler counts in clusters, said of one. */
export function singular(text: string): string {
  return text.replace(/^cluster\(s\) /, '');
}
