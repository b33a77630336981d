// Ranges of versions, with the meaning of Masterminds/semver v3 and not of node-semver: a comparator that names a
// pre-release admits pre-releases of any later version, and one that does not admits none.
import { compareVersions, parseVersion, type Version } from './version.ts';

export interface Constraint {
  /** As it was written. */
  readonly text: string;
  accepts(version: Version): boolean;
}

export class ConstraintError extends Error {
  override name = 'ConstraintError';
}

type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^';

interface Comparator {
  readonly operator: Operator;
  /** With 0 for what was not written. */
  readonly version: Version;
  readonly minorDirty: boolean;
  readonly patchDirty: boolean;
  /** Nothing was written: `*`. */
  readonly majorDirty: boolean;
}

const OPERATORS: Readonly<Record<string, Operator | undefined>> = {
  '': '=', '=': '=', '!=': '!=', '>': '>', '<': '<', '>=': '>=', '=>': '>=', '<=': '<=', '=<': '<=', '~': '~', '~>': '~', '^': '^',
}; // prettier-ignore
const NUMBER = '(?:0|[1-9][0-9]*|[xX*])';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = `v?(${NUMBER})(?:\\.(${NUMBER}))?(?:\\.(${NUMBER}))?(?:-(${IDENTIFIERS}))?(?:\\+(${IDENTIFIERS}))?`;
const COMPARATOR = new RegExp(`^\\s*(=<|=>|!=|>=|<=|~>|=|>|<|~|\\^|)\\s*${VERSION}\\s*(?:,|(?=\\s|$))`);
const HYPHEN = new RegExp(`\\s*(${VERSION})\\s+-\\s+(${VERSION})\\s*`, 'g');
// LIMIT: characters of one range.
const LENGTH_MAX = 512;

/** Throws ConstraintError. The empty text accepts everything. */
export function parseConstraint(text: string): Constraint {
  if (text.length > LENGTH_MAX)
    throw new ConstraintError(`a range of versions may have ${LENGTH_MAX} characters, not ${text.length}`);
  if (text.trim() === '') return { text, accepts: () => true };
  const alternatives = text.split('||').map((part) => comparatorsOf(part, text));
  return {
    text,
    accepts: (version) => alternatives.some((all) => all.every((one) => accepts(one, version))),
  };
}

function comparatorsOf(part: string, whole: string): readonly Comparator[] {
  let rest = part
    .replace(HYPHEN, (_all, ...groups) => ` >=${String(groups[0])} <=${String(groups[6])} `)
    .trim();
  const found: Comparator[] = [];
  while (rest !== '') {
    const match = COMPARATOR.exec(rest);
    if (match === null)
      throw new ConstraintError(`"${whole}" is no range of versions: "${rest}" cannot be read`);
    found.push(comparatorOf(match));
    rest = rest.slice(match[0].length).trim();
  }
  if (found.length === 0)
    throw new ConstraintError(`"${whole}" is no range of versions: a part of it is empty`);
  return found;
}

function comparatorOf(match: RegExpExecArray): Comparator {
  const [, operator = '', major = '', minor, patch, pre = ''] = match;
  const isDirty = (part: string | undefined): boolean => part === undefined || /^[xX*]$/.test(part);
  const majorDirty = isDirty(major);
  const minorDirty = majorDirty || isDirty(minor);
  const patchDirty = minorDirty || isDirty(patch);
  const number = (part: string | undefined, dirty: boolean): number => (dirty ? 0 : Number(part));
  return {
    operator: OPERATORS[operator] ?? '=',
    version: {
      major: number(major, majorDirty),
      minor: number(minor, minorDirty),
      patch: number(patch, patchDirty),
      pre,
      meta: '',
    },
    majorDirty,
    minorDirty,
    patchDirty,
  };
}

function accepts(comparator: Comparator, version: Version): boolean {
  const { operator, version: bound, majorDirty, minorDirty, patchDirty } = comparator;
  if (version.pre !== '' && bound.pre === '') return false;
  const order = compareVersions(version, bound);
  switch (operator) {
    case '=':
      return patchDirty ? tilde(comparator, version) : order === 0;
    case '!=':
      return !within(comparator, version);
    case '>':
      if (majorDirty) return false;
      if (minorDirty) return version.major > bound.major;
      if (patchDirty)
        return version.major > bound.major || (version.major === bound.major && version.minor > bound.minor);
      return order > 0;
    case '<':
      return order < 0;
    case '>=':
      return order >= 0;
    case '<=':
      if (majorDirty) return true;
      if (minorDirty) return version.major <= bound.major;
      if (patchDirty)
        return version.major < bound.major || (version.major === bound.major && version.minor <= bound.minor);
      return order <= 0;
    case '~':
      return tilde(comparator, version);
    case '^':
      return caret(comparator, version);
  }
}

/** Whether the version is one that the written parts name. */
function within(
  { version: bound, majorDirty, minorDirty, patchDirty }: Comparator,
  version: Version,
): boolean {
  if (majorDirty) return true;
  if (version.major !== bound.major) return false;
  if (minorDirty) return true;
  if (version.minor !== bound.minor) return false;
  return patchDirty || compareVersions(version, bound) === 0;
}

function tilde(
  { version: bound, majorDirty, minorDirty, patchDirty }: Comparator,
  version: Version,
): boolean {
  if (compareVersions(version, bound) < 0) return false;
  // COMPAT: `~0.0.0`, like `*`, accepts every release.
  if (bound.major === 0 && bound.minor === 0 && bound.patch === 0 && !minorDirty && !patchDirty) return true;
  if (majorDirty) return true;
  return version.major === bound.major && (minorDirty || version.minor === bound.minor);
}

function caret(
  { version: bound, majorDirty, minorDirty, patchDirty }: Comparator,
  version: Version,
): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (majorDirty) return true;
  if (bound.major > 0 || minorDirty) return version.major === bound.major;
  if (version.major !== 0) return false;
  if (bound.minor > 0 || patchDirty) return version.minor === bound.minor;
  return version.minor === 0 && version.patch === bound.patch;
}

/** Why the version will not do; undefined: it will. What is no version satisfies only the empty range. */
export function constraintObjection(range: string | undefined, version: string): string | undefined {
  if (range === undefined || range.trim() === '') return undefined;
  const parsed = parseVersion(version);
  if (parsed === undefined) return `"${version}" is no version that "${range}" could be compared with`;
  try {
    return parseConstraint(range).accepts(parsed) ? undefined : `${version} is not in "${range}"`;
  } catch (error) {
    if (error instanceof ConstraintError) return error.message;
    throw error;
  }
}
