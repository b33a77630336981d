// Settings as tables: one row says how a setting is called, what it takes and what it is for; reading, checking,
// printing and help follow from the rows. Flags and configuration files are read by the same rows.
import { OperatingError, defaultFeatureGates, errorMessage, parseFeatureGates } from '../base/index.ts';
import { formatDuration, parseDuration } from './time.ts';

type SettingKind = 'duration' | 'integer' | 'number' | 'boolean' | 'list' | 'text' | 'choice' | 'gates';

export interface SettingRow<Key extends string = string> {
  /** As a flag, without the dashes. */
  readonly name: string;
  readonly kind: SettingKind;
  /** Its key among the settings. */
  readonly setting: Key;
  readonly help: string;
  /** Smallest value allowed: milliseconds of a duration, or the number itself. */
  readonly min?: number;
  /** What a choice may be. */
  readonly choices?: readonly string[];
  /** Between the items of a list; a comma if absent. */
  readonly separator?: string;
}

/** Reads one setting's text. Throws OperatingError BAD_FLAG that calls it `as` and says what it takes. */
export function readSetting(row: SettingRow, text: string, as = `--${row.name}`): unknown {
  const { kind, min, choices = [], separator = ',' } = row;
  const refuse = (why: string, nextStep: string): never => {
    throw new OperatingError('BAD_FLAG', `${as} ${why}: "${text}"`, nextStep);
  };
  switch (kind) {
    case 'duration': {
      let milliseconds = 0;
      try {
        milliseconds = parseDuration(text);
      } catch (error) {
        refuse(`is no duration (${errorMessage(error)})`, 'write it like 30s, 5m or 1h30m');
      }
      if (milliseconds < (min ?? 0)) refuse('is too short', `give at least ${formatDuration(min ?? 0)}`);
      return milliseconds;
    }
    case 'integer':
    case 'number': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value) || (kind === 'integer' && !Number.isInteger(value))) {
        refuse(`is no ${kind}`, `give ${kind === 'integer' ? 'a whole' : 'a'} number`);
      }
      if (value < (min ?? -Infinity)) refuse('is too small', `give at least ${min}`);
      return value;
    }
    case 'boolean':
      if (!/^(true|false)$/i.test(text)) refuse('is neither true nor false', 'write true or false');
      return text.toLowerCase() === 'true';
    case 'list':
      return text
        .split(separator)
        .map((one) => one.trim())
        .filter((one) => one !== '');
    case 'choice':
      if (!choices.includes(text)) refuse('is no choice', `give one of: ${choices.join(', ')}`);
      return text;
    case 'gates':
      return parseFeatureGates(text);
    case 'text':
      return text;
  }
}

/** The value as its text: what `readSetting` reads back. Feature gates: those that are not as they are by default. */
export function settingText({ kind, separator = ',' }: SettingRow, value: unknown): string {
  if (kind === 'duration') return formatDuration(value as number);
  if (kind === 'gates') {
    const gates = Object.entries(value as typeof defaultFeatureGates);
    const defaults: Readonly<Record<string, boolean>> = defaultFeatureGates;
    return gates
      .filter(([name, on]) => defaults[name] !== on)
      .map(([name, on]) => `${name}=${String(on)}`)
      .join();
  }
  return Array.isArray(value) ? value.join(separator) : String(value);
}

/** `some-setting` as files call it: `someSetting`. */
export function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

// LIMIT: a word that differs by more letters than this is not what was meant.
const CLOSE = 3;

/** The word that was probably meant; undefined when none is near. */
export function closest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = CLOSE + 1;
  for (const one of words) {
    const distance = editDistance(word.toLowerCase(), one.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [one, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
