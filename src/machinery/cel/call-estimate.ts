// What calls of Kubernetes' own functions may cost at worst, and how large what they return can be.
import { LIST_CREATION, PER_CHARACTER, PER_PATTERN_CHARACTER } from './call-cost.ts';
import type { Node } from './ast.ts';
import { FIXED_ONE, Range, UNKNOWN } from './cost-range.ts';
import type { CelType } from './types.ts';

export interface CallEstimate {
  readonly cost: Range;
  /** Of what is returned; undefined: nothing is known beyond its type. */
  readonly size?: Range | undefined;
  /** The cost includes that of the arguments, not all of which need be looked at. */
  readonly withArguments?: boolean;
}

/** An argument as far as its cost goes. */
export interface SizedArgument {
  readonly node: Node;
  readonly type: CelType;
  readonly size: Range | undefined;
  /** Of what a list holds. */
  itemSize(): Range;
}

type Estimate = (
  target: SizedArgument | undefined,
  args: readonly SizedArgument[],
  id: string,
) => CallEstimate | undefined;

const sizeOf = (argument: SizedArgument | undefined): Range => argument?.size ?? UNKNOWN;

const fixed: Estimate = () => ({ cost: FIXED_ONE });
const walkFirst: Estimate = (_, [first]) => ({ cost: sizeOf(first).scale(PER_CHARACTER) });
const walkTarget: Estimate = (target) => {
  const size = sizeOf(target);
  return { cost: size.scale(PER_CHARACTER), size };
};

/** Looks at every item; a target that is no list is a string. */
const scan: Estimate = (target) => {
  if (target === undefined) return undefined;
  const [items] = target.type.parameters;
  const size = sizeOf(target);
  if (items === undefined) return { cost: size.scale(PER_CHARACTER) };
  const isText = items.kind === 'string' || items.kind === 'bytes';
  return { cost: size.multiply(isText ? FIXED_ONE.add(target.itemSize().scale(PER_CHARACTER)) : FIXED_ONE) };
};

const replace: Estimate = (target, [oldArgument, newArgument]) => {
  const [size, old, by] = [sizeOf(target), sizeOf(oldArgument), sizeOf(newArgument)];
  // The longest result has the shortest parts replaced by the longest, and the other way about.
  const longest =
    old.min === 0
      ? (size.max + 1) * by.max + size.max
      : by.max <= old.min
        ? size.max
        : Math.ceil(size.max / old.min) * by.max;
  const shortest =
    old.max === 0
      ? (size.min + 1) * by.min + size.min
      : old.max <= by.min
        ? size.min
        : Math.ceil(size.min / old.max) * by.min;
  return { cost: size.scale(2 * PER_CHARACTER), size: new Range(shortest, longest) };
};

const split: Estimate = (target, [, limit]) => {
  const size = sizeOf(target);
  const count =
    limit?.node.kind === 'literal' && typeof limit.node.value === 'bigint' ? limit.node.value : undefined;
  const max = count === undefined ? size.max : Number(BigInt.asUintN(64, count));
  return { cost: size.scale(2 * PER_CHARACTER), size: new Range(0, max) };
};

const join: Estimate = (target, [separator]) => {
  const list = sizeOf(target);
  let size = target === undefined ? new Range(0, 0) : list.multiply(target.itemSize());
  if (separator !== undefined) {
    const separators = new Range(Math.max(0, list.min - 1), Math.max(0, list.max - 1));
    size = size.add(sizeOf(separator).multiply(separators));
  }
  return { cost: size.scale(PER_CHARACTER), size };
};

const find: Estimate = (target, [pattern]) => {
  const size = sizeOf(target);
  const cost = size
    .add(FIXED_ONE)
    .scale(PER_CHARACTER)
    .multiply(sizeOf(pattern).scale(PER_PATTERN_CHARACTER));
  return { cost, size: new Range(0, size.max) };
};

/** Addresses have 4 or 16 bytes. */
const ADDRESS = new Range(4, 16);

const containsIp: Estimate = (_, args, id) => {
  const cost = ADDRESS.add(ADDRESS).scale(PER_CHARACTER);
  return { cost: id === 'cidr_contains_ip_string' ? cost.add(sizeOf(args[0]).scale(PER_CHARACTER)) : cost };
};

const containsCidr: Estimate = (_, args, id) => {
  const cost = ADDRESS.add(ADDRESS).scale(PER_CHARACTER).add(ADDRESS.scale(PER_CHARACTER)).add(FIXED_ONE);
  return { cost: id === 'cidr_contains_cidr_string' ? cost.add(sizeOf(args[0]).scale(PER_CHARACTER)) : cost };
};

// LIMIT: taken to be the longest pattern of a named format, and the longest name of one.
const FORMAT_PATTERN_MAX = 128;
const FORMAT_NAME_MAX = 64;

const equals: Estimate = (_, [a, b]) => {
  if (a?.type.kind !== 'opaque' || b?.type.name !== a.type.name) return undefined;
  switch (a.type.name) {
    case 'optional_type':
      return undefined;
    case 'kubernetes.NamedFormat':
      return { cost: new Range(1, FORMAT_NAME_MAX).scale(PER_CHARACTER) };
    case 'kubernetes.URL':
      return { cost: new Range(1, b.size === undefined ? 1 : b.size.max).scale(PER_CHARACTER) };
    default:
      return { cost: FIXED_ONE };
  }
};

/** A list that is made in so many steps for each of what it is made from. */
function making(size: Range, factor: number): CallEstimate {
  return { cost: size.scale(factor).add(new Range(LIST_CREATION + 1, LIST_CREATION + 1)), size };
}

function literalCount(argument: SizedArgument | undefined, otherwise: number): number {
  const node = argument?.node;
  if (node?.kind !== 'literal' || typeof node.value !== 'bigint') return otherwise;
  return Math.max(0, Number(node.value));
}

const fixedSize = (size: number): Range => new Range(size, size);

const slice: Estimate = (target, [start, end]) => {
  const size = literalCount(end, sizeOf(target).max) - literalCount(start, 0);
  return making(fixedSize(Math.max(0, size)), 1);
};

const comparingAll =
  (
    of: (target: SizedArgument | undefined, args: readonly SizedArgument[]) => SizedArgument | undefined,
  ): Estimate =>
  (target, args, id) => {
    const size = sizeOf(of(target, args));
    return making(size.multiply(size), /^list_(string|bytes)_/.test(id) ? 2 + PER_CHARACTER : 2);
  };

const compareSets =
  (times: number): Estimate =>
  (_, [a, b]) => ({ cost: sizeOf(a).multiply(sizeOf(b)).scale(times).add(FIXED_ONE) });

function each(names: string, estimate: Estimate): readonly [string, Estimate][] {
  return names.split(' ').map((name) => [name, estimate]);
}

const ESTIMATES: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ...each('isSorted sum max min indexOf lastIndexOf', scan),
  ['url', (_, [first]) => ({ cost: sizeOf(first).scale(PER_CHARACTER), size: sizeOf(first) })],
  ...each('lowerAscii upperAscii substring trim', walkTarget),
  ['slice', slice],
  ['lists.range', (_, [count]) => making(fixedSize(literalCount(count, UNKNOWN.max)), 1)],
  ['reverse', (target) => making(sizeOf(target), 1)],
  [
    'flatten',
    (target, [depth]) => making(sizeOf(target), depth === undefined ? 1 : literalCount(depth, UNKNOWN.max)),
  ],
  ['distinct', comparingAll((target) => target)],
  ['sort', comparingAll((target) => target)],
  ['@sortByAssociatedKeys', comparingAll((_, [keys]) => keys)],
  ['sets.contains', compareSets(1)],
  ['sets.intersects', compareSets(1)],
  ['sets.equivalent', compareSets(2)],
  ['replace', replace],
  ['split', split],
  ['join', join],
  ...each('find findAll', find),
  ...each('cidr isIP isCIDR quantity isQuantity semver isSemver', walkFirst),
  ['ip', (target, args, id) => (id === 'cidr_ip' ? { cost: FIXED_ONE } : walkFirst(target, args, id))],
  ['ip.isCanonical', (_, [first]) => ({ cost: sizeOf(first).scale(2 * PER_CHARACTER) })],
  ['containsIP', containsIp],
  ['containsCIDR', containsCidr],
  [
    'validate',
    (_, [text]) => ({
      cost: sizeOf(text)
        .scale(PER_CHARACTER)
        .scale(FORMAT_PATTERN_MAX * PER_PATTERN_CHARACTER),
    }),
  ],
  ...each(
    'masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast',
    fixed,
  ),
  ...each(
    'format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo',
    fixed,
  ),
  ...each('add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery', fixed),
  ['_==_', equals],
]);

/** Undefined: not one of Kubernetes' own, or not with these arguments. */
export function estimateCall(
  name: string,
  id: string,
  target: SizedArgument | undefined,
  args: readonly SizedArgument[],
): CallEstimate | undefined {
  return ESTIMATES.get(name)?.(target, args, id);
}
