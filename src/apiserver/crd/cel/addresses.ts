// IP addresses and networks in CEL.
import type { Environment } from '@marcbachmann/cel-js';
import {
  cidrContains,
  formatIp,
  parseCidr,
  parseIp,
  type Cidr,
  type IpAddress,
} from '../../../machinery/index.ts';

class Ip {
  readonly address: IpAddress;
  constructor(address: IpAddress) {
    this.address = address;
  }
}

class Network {
  readonly cidr: Cidr;
  constructor(cidr: Cidr) {
    this.cidr = cidr;
  }
}

function ip(text: string): Ip {
  const address = parseIp(text);
  if (address === undefined)
    throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return new Ip(address);
}

function network(text: string): Network {
  const cidr = parseCidr(text);
  if (cidr === undefined)
    throw new Error(`network address parse error during conversion from string: ${text}`);
  return new Network(cidr);
}

const within = (range: string): ((value: Ip) => boolean) => {
  const ranges = range.split(' ').map((text) => parseCidr(text)!);
  return ({ address }) =>
    ranges.some((cidr) => cidr.address.family === address.family && cidrContains(cidr, address));
};

const isUnspecified = within('0.0.0.0/32 ::/128');
const isLoopback = within('127.0.0.0/8 ::1/128');
const isLinkLocalMulticast = within('224.0.0.0/24 ff02::/16');
const isLinkLocalUnicast = within('169.254.0.0/16 fe80::/10');
const isMulticast = within('224.0.0.0/4 ff00::/8');
const isBroadcast = within('255.255.255.255/32');
const isGlobalUnicast = (value: Ip): boolean =>
  ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((is) => is(value));

const familyOf = ({ family }: IpAddress): bigint => BigInt(String(family).replace(/\D/g, ''));
const sameFamily = (a: Cidr, b: IpAddress): boolean => a.address.family === b.family;
const text = ({ cidr }: Network): string => `${formatIp(cidr.address)}/${cidr.prefixLength}`;

export function registerAddresses(env: Environment): void {
  const type = 'net.IP';
  const range = 'net.CIDR';
  const holds = ({ cidr }: Network, { address }: Ip): boolean =>
    sameFamily(cidr, address) && cidrContains(cidr, address);
  const holdsAll = (outer: Network, inner: Network): boolean =>
    inner.cidr.prefixLength >= outer.cidr.prefixLength && holds(outer, new Ip(inner.cidr.address));
  env
    .registerType(type, Ip)
    .registerType(range, Network)
    .registerFunction(`ip(string): ${type}`, ip)
    .registerFunction('isIP(string): bool', (value: string) => parseIp(value) !== undefined)
    .registerFunction(`string(${type}): string`, ({ address }: Ip) => formatIp(address))
    .registerFunction(`${type}.family(): int`, ({ address }: Ip) => familyOf(address))
    .registerFunction(`${type}.isUnspecified(): bool`, isUnspecified)
    .registerFunction(`${type}.isLoopback(): bool`, isLoopback)
    .registerFunction(`${type}.isLinkLocalMulticast(): bool`, isLinkLocalMulticast)
    .registerFunction(`${type}.isLinkLocalUnicast(): bool`, isLinkLocalUnicast)
    .registerFunction(`${type}.isGlobalUnicast(): bool`, isGlobalUnicast)
    .registerOperator(`${type} == ${type}`, (a: Ip, b: Ip) => formatIp(a.address) === formatIp(b.address))
    .registerFunction(`cidr(string): ${range}`, network)
    .registerFunction('isCIDR(string): bool', (value: string) => parseCidr(value) !== undefined)
    .registerFunction(`string(${range}): string`, text)
    .registerFunction(`${range}.ip(): ${type}`, ({ cidr }: Network) => new Ip(cidr.address))
    .registerFunction(`${range}.prefixLength(): int`, ({ cidr }: Network) => BigInt(cidr.prefixLength))
    .registerFunction(`${range}.containsIP(${type}): bool`, holds)
    .registerFunction(`${range}.containsIP(string): bool`, (outer: Network, value: string) =>
      holds(outer, ip(value)),
    )
    .registerFunction(`${range}.containsCIDR(${range}): bool`, holdsAll)
    .registerFunction(`${range}.containsCIDR(string): bool`, (outer: Network, value: string) =>
      holdsAll(outer, network(value)),
    )
    .registerOperator(`${range} == ${range}`, (a: Network, b: Network) => text(a) === text(b));
}
