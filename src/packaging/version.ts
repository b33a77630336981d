// Versions of packages: SemVer as Masterminds/semver reads it, whose build metadata is the revision of the package.
// COMPAT: a version that cannot be read is not refused, it is just never the same as another one.

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Without the hyphen; empty: a release. */
  readonly pre: string;
  /** Without the plus; empty: none. */
  readonly meta: string;
}

const NUMBER = '(0|[1-9][0-9]*)';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = new RegExp(
  `^v?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-(${IDENTIFIERS}))?(?:\\+(${IDENTIFIERS}))?$`,
);
// LIMIT: the longest text that is looked at; nobody versions with more.
const LENGTH_MAX = 256;

/** Undefined: it is no version. */
export function parseVersion(text: string): Version | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', pre = '', meta = ''] = match;
  const version = { major: Number(major), minor: Number(minor), patch: Number(patch), pre, meta };
  if (![version.major, version.minor, version.patch].every(Number.isSafeInteger)) return undefined;
  // SemVer: numbers in a pre-release are written without leading zeros.
  if (pre.split('.').some((part) => /^0[0-9]+$/.test(part))) return undefined;
  return version;
}

function comparePre(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  const [left, right] = [a.split('.'), b.split('.')];
  for (let i = 0; ; i++) {
    const [one, other] = [left[i], right[i]];
    if (one === undefined || other === undefined) return one === other ? 0 : one === undefined ? -1 : 1;
    if (one === other) continue;
    const numbers = [/^[0-9]+$/.test(one), /^[0-9]+$/.test(other)];
    if (numbers[0] === true && numbers[1] === true)
      return Math.sign(Number(one) - Number(other)) || (one < other ? -1 : 1);
    if (numbers[0] !== numbers[1]) return numbers[0] === true ? -1 : 1;
    return one < other ? -1 : 1;
  }
}

/** By SemVer's precedence: metadata do not count. Negative: `a` is the lower one. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePre(a.pre, b.pre);
}

function isLaterMeta(installed: string, desired: string): boolean {
  if (installed === desired || desired === '') return false;
  if (installed === '') return true;
  const numbers = [installed, desired].map((meta) => (/^[0-9]+$/.test(meta) ? Number(meta) : undefined));
  const [from, to] = numbers;
  return from === undefined || to === undefined || from < to;
}

/**
 * Whether going from `installed` to `desired` is an upgrade: greater by SemVer, or equal with a later package revision.
 * Of texts that are no versions, every other one is.
 */
export function isUpgrade(installed: string, desired: string): boolean {
  const [from, to] = [parseVersion(installed), parseVersion(desired)];
  if (from === undefined || to === undefined) return installed !== desired;
  const order = compareVersions(to, from);
  return order > 0 || (order === 0 && isLaterMeta(from.meta, to.meta));
}

/** From the latest to the earliest; what is no version comes last, by text. */
export function newestFirst(versions: readonly string[]): readonly string[] {
  return [...versions].sort((a, b) => {
    const [one, other] = [parseVersion(a), parseVersion(b)];
    if (one === undefined || other === undefined)
      return one === other ? (a < b ? 1 : a > b ? -1 : 0) : one === undefined ? 1 : -1;
    const order = compareVersions(other, one);
    if (order !== 0 || one.meta === other.meta) return order;
    const forth = isLaterMeta(one.meta, other.meta);
    const back = isLaterMeta(other.meta, one.meta);
    // Two metas that are no numbers are each other's upgrade: by text then, so that the order is one.
    if (forth === back) return one.meta < other.meta ? 1 : -1;
    return forth ? 1 : -1;
  });
}
