// URLs, IP addresses and networks in expressions.
import { goQuote } from '../go-text.ts';
import {
  cidrContains,
  formatIp,
  isIpv4Mapped,
  networkOf,
  parseCidr,
  parseIp,
  widthOf,
  type Cidr,
  type IpAddress,
} from '../ip-address.ts';
import { parseRequestUri, type RequestUri } from '../request-uri.ts';
import type { FunctionTable } from './functions.ts';
import { BOOL, INT, STRING, listOf, mapOf, opaque } from './types.ts';
import { EvaluationError, OpaqueValue, PlainList, PlainMap } from './values.ts';

const URL_TYPE = opaque('kubernetes.URL');
const IP = opaque('net.IP');
const CIDR = opaque('net.CIDR');

// ---- URLs

class UrlValue extends OpaqueValue {
  readonly type = URL_TYPE;
  readonly text: string;
  readonly parts: RequestUri;
  constructor(text: string, parts: RequestUri) {
    super();
    this.text = text;
    this.parts = parts;
  }
  equals(other: UrlValue): boolean {
    return this.text === other.text;
  }
}

function url(text: string): UrlValue {
  const parts = parseRequestUri(text);
  if (parts === undefined) {
    throw new EvaluationError(
      `URL parse error during conversion from string: parse ${goQuote(text)}: invalid URI for request`,
    );
  }
  const fragment = text.indexOf('#');
  const withoutFragment = fragment < 0 ? parts : (parseRequestUri(text.slice(0, fragment)) ?? parts);
  return new UrlValue(text, withoutFragment);
}

/** Keys and values of a query; what cannot be decoded is left out. */
function query({ parts }: UrlValue): PlainMap {
  const values = new Map<string, string[]>();
  for (const pair of parts.query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const key = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = decoded(equals < 0 ? '' : pair.slice(equals + 1));
    if (key === undefined || value === undefined) continue;
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  return PlainMap.of(Array.from(values, ([key, list]): [string, PlainList] => [key, new PlainList(list)]));
}

function decoded(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const bytes = text
    .replaceAll('+', ' ')
    .split(/%([0-9A-Fa-f]{2})/)
    .map((part, index) => (index % 2 === 0 ? Buffer.from(part) : Buffer.from(part, 'hex')));
  return Buffer.concat(bytes).toString();
}

// ---- addresses and networks

class IpValue extends OpaqueValue {
  readonly type = IP;
  readonly address: IpAddress;
  override readonly size: number;
  constructor(address: IpAddress) {
    super();
    this.address = address;
    this.size = widthOf(address) / 8;
  }
  equals({ address }: IpValue): boolean {
    return this.address.family === address.family && this.address.bits === address.bits;
  }
}

class CidrValue extends OpaqueValue {
  readonly type = CIDR;
  readonly cidr: Cidr;
  override readonly size: number;
  constructor(cidr: Cidr) {
    super();
    this.cidr = cidr;
    this.size = Math.ceil(cidr.prefixLength / 8);
  }
  equals({ cidr }: CidrValue): boolean {
    return (
      this.cidr.prefixLength === cidr.prefixLength &&
      new IpValue(this.cidr.address).equals(new IpValue(cidr.address))
    );
  }
}

function ip(text: string): IpValue {
  const [bare = '', zone] = text.split('%', 2);
  const address = parseIp(bare);
  if (address === undefined) {
    const quoted = goQuote(text);
    throw new EvaluationError(
      `IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): unable to parse IP`,
    );
  }
  if (zone !== undefined) {
    throw new EvaluationError(`IP address ${goQuote(text)} with zone value is not allowed`);
  }
  if (isIpv4Mapped(address)) {
    throw new EvaluationError(`IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`);
  }
  return new IpValue(address);
}

function cidr(text: string): CidrValue {
  const parsed = parseCidr(text);
  const complaint = 'network address parse error during conversion from string';
  if (parsed === undefined) {
    const why = text.includes('/') ? 'unable to parse prefix' : "no '/'";
    throw new EvaluationError(`${complaint}: ${complaint}: netip.ParsePrefix(${goQuote(text)}): ${why}`);
  }
  if (isIpv4Mapped(parsed.address)) {
    throw new EvaluationError(`${complaint}: IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`);
  }
  return new CidrValue(parsed);
}

/** Whether the text can be read. */
function readable(read: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      read(text);
      return true;
    } catch (error) {
      if (error instanceof EvaluationError) return false;
      throw error;
    }
  };
}

function within(...ranges: readonly string[]): (value: IpValue) => boolean {
  const networks = ranges.map((range) => parseCidr(range)!);
  return ({ address }) => networks.some((network) => cidrContains(network, address));
}

const isUnspecified = within('0.0.0.0/32', '::/128');
const isLoopback = within('127.0.0.0/8', '::1/128');
const isLinkLocalMulticast = within('224.0.0.0/24', 'ff02::/16');
const isLinkLocalUnicast = within('169.254.0.0/16', 'fe80::/10');
const isMulticast = within('224.0.0.0/4', 'ff00::/8');
const isBroadcast = within('255.255.255.255/32');

function isGlobalUnicast(value: IpValue): boolean {
  return ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((is) => is(value));
}

const cidrText = ({ cidr: { address, prefixLength } }: CidrValue): string =>
  `${formatIp(address)}/${prefixLength}`;
const containsIp = (outer: CidrValue, inner: IpValue): boolean => cidrContains(outer.cidr, inner.address);

function containsCidr(outer: CidrValue, inner: CidrValue): boolean {
  return outer.cidr.prefixLength <= inner.cidr.prefixLength && cidrContains(outer.cidr, inner.cidr.address);
}

export function networkFunctions(table: FunctionTable): void {
  table
    .global('url', 'string_to_url', [STRING], URL_TYPE, url)
    .global('isURL', 'is_url_string', [STRING], BOOL, readable(url))
    .member('getScheme', 'url_get_scheme', [URL_TYPE], STRING, ({ parts }: UrlValue) => parts.scheme)
    .member('getHost', 'url_get_host', [URL_TYPE], STRING, ({ parts }: UrlValue) => parts.host)
    .member('getHostname', 'url_get_hostname', [URL_TYPE], STRING, ({ parts }: UrlValue) => parts.hostname)
    .member('getPort', 'url_get_port', [URL_TYPE], STRING, ({ parts }: UrlValue) => parts.port)
    .member(
      'getEscapedPath',
      'url_get_escaped_path',
      [URL_TYPE],
      STRING,
      ({ parts }: UrlValue) => parts.escapedPath,
    )
    .member('getQuery', 'url_get_query', [URL_TYPE], mapOf(STRING, listOf(STRING)), query)
    .global('ip', 'string_to_ip', [STRING], IP, ip)
    .global('isIP', 'is_ip', [STRING], BOOL, readable(ip))
    .global(
      'ip.isCanonical',
      'ip_is_canonical',
      [STRING],
      BOOL,
      (text: string) => formatIp(ip(text).address) === text,
    )
    .global('string', 'ip_to_string', [IP], STRING, ({ address }: IpValue) => formatIp(address))
    .member('family', 'ip_family', [IP], INT, ({ address }: IpValue) => BigInt(address.family))
    .member('isUnspecified', 'ip_is_unspecified', [IP], BOOL, isUnspecified)
    .member('isLoopback', 'ip_is_loopback', [IP], BOOL, isLoopback)
    .member('isLinkLocalMulticast', 'ip_is_link_local_multicast', [IP], BOOL, isLinkLocalMulticast)
    .member('isLinkLocalUnicast', 'ip_is_link_local_unicast', [IP], BOOL, isLinkLocalUnicast)
    .member('isGlobalUnicast', 'ip_is_global_unicast', [IP], BOOL, isGlobalUnicast)
    .global('cidr', 'string_to_cidr', [STRING], CIDR, cidr)
    .global('isCIDR', 'is_cidr', [STRING], BOOL, readable(cidr))
    .global('string', 'cidr_to_string', [CIDR], STRING, cidrText)
    .member('containsIP', 'cidr_contains_ip_string', [CIDR, STRING], BOOL, (outer: CidrValue, text: string) =>
      containsIp(outer, ip(text)),
    )
    .member('containsIP', 'cidr_contains_ip_ip', [CIDR, IP], BOOL, containsIp)
    .member(
      'containsCIDR',
      'cidr_contains_cidr_string',
      [CIDR, STRING],
      BOOL,
      (outer: CidrValue, text: string) => containsCidr(outer, cidr(text)),
    )
    .member('containsCIDR', 'cidr_contains_cidr', [CIDR, CIDR], BOOL, containsCidr)
    .member('ip', 'cidr_ip', [CIDR], IP, (value: CidrValue) => new IpValue(value.cidr.address))
    .member('prefixLength', 'cidr_prefix_length', [CIDR], INT, (value: CidrValue) =>
      BigInt(value.cidr.prefixLength),
    )
    .member(
      'masked',
      'cidr_masked',
      [CIDR],
      CIDR,
      (value: CidrValue) =>
        new CidrValue({ address: networkOf(value.cidr), prefixLength: value.cidr.prefixLength }),
    );
}
