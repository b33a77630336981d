// Small checks that many kinds share, in kube-apiserver's words.
import {
  FIELD_IMMUTABLE,
  Quantity,
  cidrContains,
  fieldError,
  isDns1123Subdomain,
  isIpv4Mapped,
  networkOf,
  parseCidr,
  parseIp,
  semanticEqual,
  type Cidr,
  type FieldError,
} from '../../machinery/index.ts';

export const NOT_NEGATIVE = 'must be greater than or equal to 0';

export function notNegative(value: number | undefined, path: string): FieldError[] {
  return value !== undefined && value < 0 ? [fieldError.invalid(path, value, NOT_NEGATIVE)] : [];
}

export function positive(value: number | undefined, path: string): FieldError[] {
  return value !== undefined && value <= 0 ? [fieldError.invalid(path, value, 'must be greater than 0')] : [];
}

/** Empty where `absentIsFine`; otherwise one of the supported values. */
export function oneOf(
  value: string | undefined,
  supported: readonly string[],
  path: string,
  absentIsFine = true,
): FieldError[] {
  if (value === undefined || value === '') return absentIsFine ? [] : [fieldError.required(path)];
  return supported.includes(value) ? [] : [fieldError.notSupported(path, value, supported)];
}

/** A field behind a pointer: nothing, or one of the supported values. COMPAT: an empty text is not nothing. */
export function oneOfIfGiven(
  value: string | undefined,
  supported: readonly string[],
  path: string,
): FieldError[] {
  return value === undefined || supported.includes(value)
    ? []
    : [fieldError.notSupported(path, value, supported)];
}

/** Complaints of a name rule as errors. */
export function named(complaints: readonly string[], value: string, path: string): FieldError[] {
  return complaints.map((complaint) => fieldError.invalid(path, value, complaint));
}

export function notFound(value: string, path: string): FieldError {
  return { type: 'FieldValueNotFound', path, message: `Not found: ${JSON.stringify(value)}` };
}

export function immutable(value: unknown, old: unknown, path: string): FieldError[] {
  return semanticEqual(value, old) ? [] : [fieldError.invalid(path, value ?? null, FIELD_IMMUTABLE)];
}

/** Whole numbers and `25%`. */
export function intOrPercent(value: number | string | undefined, path: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === 'number') return notNegative(value, path);
  if (/^[0-9]+%$/.test(value)) return [];
  const why =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [fieldError.invalid(path, value, why)];
}

export function percentOf(value: number | string | undefined): number | undefined {
  return typeof value === 'string' && /^[0-9]+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
}

export function notAbove100Percent(value: number | string | undefined, path: string): FieldError[] {
  return (percentOf(value) ?? 0) > 100
    ? [fieldError.invalid(path, value, 'must not be greater than 100%')]
    : [];
}

export function quantityNotNegative(value: string | number, path: string): FieldError[] {
  const quantity = Quantity.tryParse(value);
  return quantity !== undefined && quantity.nanos < 0n
    ? [fieldError.invalid(path, String(value), NOT_NEGATIVE)]
    : [];
}

export function validAddress(text: string, path: string): FieldError[] {
  const refuse = (why: string): FieldError[] => [fieldError.invalid(path, text, why)];
  const address = parseIp(text, { leadingZeros: true });
  if (address === undefined) return refuse('must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)');
  if (parseIp(text) === undefined) return refuse('must not have leading 0s');
  return isIpv4Mapped(address) ? refuse('must not be an IPv4-mapped IPv6 address') : [];
}

export function validCidr(text: string, path: string): FieldError[] {
  const refuse = (why: string): FieldError[] => [fieldError.invalid(path, text, why)];
  const cidr = parseCidr(text, { leadingZeros: true });
  if (cidr === undefined) {
    return refuse('must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)');
  }
  if (parseCidr(text) === undefined) return refuse('must not have leading 0s in IP or prefix length');
  if (isIpv4Mapped(cidr.address)) return refuse('must not have an IPv4-mapped IPv6 address');
  return networkOf(cidr).bits === cidr.address.bits
    ? []
    : refuse('must not have bits set beyond the prefix length');
}

const network = (text: string): Cidr => parseCidr(text)!;

const SPECIAL: readonly (readonly [why: string, networks: readonly Cidr[]])[] = [
  ['may not be in the loopback range (127.0.0.0/8, ::1/128)', [network('127.0.0.0/8'), network('::1/128')]],
  [
    'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    [network('169.254.0.0/16'), network('fe80::/10')],
  ],
  [
    'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    [network('224.0.0.0/24'), network('ff02::/16')],
  ],
];

/** Addresses that nobody else can reach, or that mean another one everywhere, are no endpoints. */
export function notSpecialAddress(text: string, path: string): FieldError[] {
  const address = parseIp(text);
  if (address === undefined) return [fieldError.invalid(path, text, 'must be a valid IP address')];
  if (address.bits === 0n) return [fieldError.invalid(path, text, `may not be unspecified (${text})`)];
  return SPECIAL.filter(([, networks]) => networks.some((one) => cidrContains(one, address))).map(([why]) =>
    fieldError.invalid(path, text, why),
  );
}

/** A path below a directory, that does not lead out of it. */
export function inside(file: string, path: string): FieldError[] {
  const absolute = file.startsWith('/') ? [fieldError.invalid(path, file, 'must be a relative path')] : [];
  return [...absolute, ...noBacksteps(file, path)];
}

export function noBacksteps(file: string, path: string): FieldError[] {
  return file.split('/').includes('..') ? [fieldError.invalid(path, file, "must not contain '..'")] : [];
}

const PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

/** `acme.io/foo`: who means it, and what. */
export function domainPrefixedPath(text: string, path: string): FieldError[] {
  if (text === '') return [fieldError.required(path)];
  const slash = text.indexOf('/');
  const [host, rest] = [text.slice(0, Math.max(slash, 0)), text.slice(slash + 1)];
  if (host === '' || rest === '') {
    const why = 'must be a domain-prefixed path (such as "acme.io/foo")';
    return [fieldError.invalid(path, text, why)];
  }
  const errors = named(isDns1123Subdomain(host), host, path);
  if (!new RegExp(`^${PATH}$`).test(rest)) {
    errors.push(fieldError.invalid(path, rest, `Invalid path (regex used for validation is '${PATH}')`));
  }
  return errors;
}
