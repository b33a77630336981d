// The functions that Kubernetes adds to CEL: lists, sets, strings, regular expressions, URLs, quantities, addresses,
// versions and named formats. One environment holds them all; those for rules about a schema are clones of it.
import { Environment, Optional } from '@marcbachmann/cel-js';
import {
  Quantity,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '../../../machinery/index.ts';
import { registerAddresses } from './addresses.ts';
import { celEquals } from './equality.ts';
import { registerLists } from './lists.ts';
import { registerPatterns } from './patterns.ts';
import { registerStrings } from './strings.ts';

/** LIMIT: how large an expression may be; far above what rules need, far below what would hurt. */
const LIMITS = { maxAstNodes: 10_000, maxDepth: 100, maxListElements: 1_000, maxMapEntries: 1_000 };

class Uri {
  readonly parsed: URL;
  constructor(text: string) {
    this.parsed = new URL(text, 'relative:///');
  }
}

function parseUri(text: string): Uri {
  // A relative reference is one only from the root on, as Go's ParseRequestURI has it.
  if (!text.startsWith('/') && !URL.canParse(text))
    throw new Error(`URL parse error during conversion from string: ${text}`);
  return new Uri(text);
}

function registerUrls(env: Environment): void {
  const relative = ({ parsed }: Uri): boolean => parsed.protocol === 'relative:';
  env
    .registerType('kubernetes.URL', Uri)
    .registerFunction('url(string): kubernetes.URL', parseUri)
    .registerFunction('isURL(string): bool', (text: string) => text.startsWith('/') || URL.canParse(text))
    .registerFunction('kubernetes.URL.getScheme(): string', (uri: Uri) =>
      relative(uri) ? '' : uri.parsed.protocol.slice(0, -1),
    )
    .registerFunction('kubernetes.URL.getHost(): string', ({ parsed }: Uri) => parsed.host)
    .registerFunction('kubernetes.URL.getHostname(): string', ({ parsed }: Uri) =>
      parsed.hostname.replace(/^\[|\]$/g, ''),
    )
    .registerFunction('kubernetes.URL.getPort(): string', ({ parsed }: Uri) => parsed.port)
    .registerFunction('kubernetes.URL.getEscapedPath(): string', ({ parsed }: Uri) => parsed.pathname)
    .registerFunction(
      'kubernetes.URL.getQuery(): map<string, list<string>>',
      ({ parsed }: Uri) =>
        new Map(
          [...new Set(parsed.searchParams.keys())].map((key) => [key, parsed.searchParams.getAll(key)]),
        ),
    )
    .registerOperator(
      'kubernetes.URL == kubernetes.URL',
      (a: Uri, b: Uri) => a.parsed.href === b.parsed.href,
    );
}

function registerQuantities(env: Environment): void {
  const type = 'kubernetes.Quantity';
  env
    .registerType(type, Quantity)
    .registerFunction(`quantity(string): ${type}`, (text: string) => Quantity.parse(text))
    .registerFunction('isQuantity(string): bool', (text: string) => Quantity.tryParse(text) !== undefined)
    .registerFunction(`${type}.sign(): int`, (value: Quantity) => BigInt(value.sign))
    .registerFunction(`${type}.isInteger(): bool`, (value: Quantity) => Number.isInteger(value.toNumber()))
    .registerFunction(`${type}.asInteger(): int`, (value: Quantity) => {
      const number = value.toNumber();
      if (!Number.isInteger(number)) throw new Error('cannot convert value to integer');
      return BigInt(number);
    })
    .registerFunction(`${type}.asApproximateFloat(): double`, (value: Quantity) => value.toNumber())
    .registerFunction(`${type}.add(${type}): ${type}`, (a: Quantity, b: Quantity) => a.add(b))
    .registerFunction(`${type}.add(int): ${type}`, (a: Quantity, b: bigint) => a.add(Quantity.of(b)))
    .registerFunction(`${type}.sub(${type}): ${type}`, (a: Quantity, b: Quantity) => a.sub(b))
    .registerFunction(`${type}.sub(int): ${type}`, (a: Quantity, b: bigint) => a.sub(Quantity.of(b)))
    .registerFunction(`${type}.compareTo(${type}): int`, (a: Quantity, b: Quantity) => BigInt(a.compare(b)))
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: Quantity, b: Quantity) => a.compare(b) < 0)
    .registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: Quantity, b: Quantity) => a.compare(b) > 0)
    .registerOperator(`${type} == ${type}`, (a: Quantity, b: Quantity) => a.equals(b));
}

type NamedCheck = (value: string) => readonly string[];

const pattern =
  (expression: RegExp, complaint: string): NamedCheck =>
  (value) =>
    expression.test(value) ? [] : [complaint];

/** What `format.named()` knows. */
const FORMATS: Readonly<Record<string, NamedCheck>> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  dns1123LabelPrefix: (value) => isDns1123Label(value.replace(/-$/, '')),
  dns1123SubdomainPrefix: (value) => isDns1123Subdomain(value.replace(/-$/, '')),
  dns1035LabelPrefix: (value) => isDns1035Label(value.replace(/-$/, '')),
  qualifiedName: isQualifiedName,
  labelValue: isLabelValue,
  uri: (value) => (value.startsWith('/') || URL.canParse(value) ? [] : ['invalid URI']),
  uuid: pattern(
    /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
    'does not match the UUID format',
  ),
  byte: pattern(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'invalid base64'),
  date: (value) =>
    /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) ? [] : ['invalid date'],
  datetime: (value) =>
    /^\d{4}-\d\d-\d\d[Tt]/.test(value) && !Number.isNaN(Date.parse(value)) ? [] : ['invalid datetime'],
};

class NamedFormat {
  readonly check: NamedCheck;
  readonly name: string;
  constructor(name: string, check: NamedCheck) {
    this.name = name;
    this.check = check;
  }
}

class FormatNamespace {
  readonly kind = 'format';
}

function registerFormats(env: Environment): void {
  const type = 'kubernetes.NamedFormat';
  const space = 'kubernetes.FormatNamespace';
  env
    .registerType(type, NamedFormat)
    .registerType(space, FormatNamespace)
    .registerConstant('format', space, new FormatNamespace())
    .registerFunction(`${space}.named(string): optional<${type}>`, (_: FormatNamespace, name: string) =>
      Object.hasOwn(FORMATS, name) ? Optional.of(new NamedFormat(name, FORMATS[name]!)) : Optional.none(),
    )
    .registerFunction(
      `${type}.validate(string): optional<list<string>>`,
      (format: NamedFormat, value: string) => {
        const complaints = format.check(value);
        return complaints.length === 0 ? Optional.none() : Optional.of([...complaints]);
      },
    );
  for (const [name, check] of Object.entries(FORMATS)) {
    env.registerFunction(`${space}.${name}(): ${type}`, () => new NamedFormat(name, check));
  }
}

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

class Semver {
  readonly core: readonly bigint[];
  readonly pre: readonly string[];
  constructor(core: readonly bigint[], pre: readonly string[]) {
    this.core = core;
    this.pre = pre;
  }
}

function parseSemver(text: string): Semver | undefined {
  const match = SEMVER.exec(text);
  if (match === null) return undefined;
  return new Semver(match.slice(1, 4).map(BigInt), match[4]?.split('.') ?? []);
}

function mustParseSemver(text: string): Semver {
  const version = parseSemver(text);
  if (version === undefined) throw new Error(`invalid semantic version: ${text}`);
  return version;
}

function comparePre(a: string, b: string): number {
  const [first, second] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (first && second) return Math.sign(Number(a) - Number(b));
  if (first !== second) return first ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareSemver(a: Semver, b: Semver): number {
  for (const [index, part] of a.core.entries()) {
    const other = b.core[index]!;
    if (part !== other) return part < other ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0)
    return b.pre.length - a.pre.length > 0 ? 1 : a.pre.length > 0 ? -1 : 0;
  for (const [index, part] of a.pre.entries()) {
    const other = b.pre[index];
    if (other === undefined) return 1;
    const order = comparePre(part, other);
    if (order !== 0) return order;
  }
  return a.pre.length < b.pre.length ? -1 : 0;
}

function registerSemver(env: Environment): void {
  const type = 'kubernetes.Semver';
  env
    .registerType(type, Semver)
    .registerFunction(`semver(string): ${type}`, mustParseSemver)
    .registerFunction('isSemver(string): bool', (text: string) => parseSemver(text) !== undefined)
    .registerFunction(`${type}.compareTo(${type}): int`, (a: Semver, b: Semver) =>
      BigInt(compareSemver(a, b)),
    )
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: Semver, b: Semver) => compareSemver(a, b) < 0)
    .registerFunction(
      `${type}.isGreaterThan(${type}): bool`,
      (a: Semver, b: Semver) => compareSemver(a, b) > 0,
    )
    .registerOperator(`${type} == ${type}`, (a: Semver, b: Semver) => compareSemver(a, b) === 0);
  for (const [index, part] of ['major', 'minor', 'patch'].entries()) {
    env.registerFunction(`${type}.${part}(): int`, ({ core }: Semver) => core[index]!);
  }
}

let environment: Environment | undefined;

/** The environment with all of Kubernetes' functions, made when first asked for. Clone it to add to it. */
export function kubernetesEnvironment(): Environment {
  if (environment !== undefined) return environment;
  const env = new Environment({
    enableOptionalTypes: true,
    // Upstream wants literals of one type, but for the arguments of `format`, which cannot be told apart here.
    homogeneousAggregateLiterals: false,
    unlistedVariablesAreDyn: false,
    limits: LIMITS,
  });
  registerLists(env);
  registerStrings(env);
  registerPatterns(env);
  registerUrls(env);
  registerQuantities(env);
  registerAddresses(env);
  registerFormats(env);
  registerSemver(env);
  env.registerOperator('optional<A> == optional<A>', (a: Optional, b: Optional) =>
    a.hasValue() && b.hasValue() ? celEquals(a.value(), b.value()) : a.hasValue() === b.hasValue(),
  );
  environment = env;
  return env;
}
