// IP addresses and networks, read as strictly as Go reads them.

export interface IpAddress {
  readonly family: 4 | 6;
  /** The address as a number of 32 or 128 bits. */
  readonly bits: bigint;
}

export interface Cidr {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** COMPAT: old formats allow leading zeros in the parts of an IPv4 address. */
interface Leniency {
  readonly leadingZeros?: boolean;
}

export function parseIp(text: string, leniency: Leniency = {}): IpAddress | undefined {
  if (text.includes(':')) return parseIpv6(text, leniency);
  const bits = ipv4Bits(text, leniency);
  return bits === undefined ? undefined : { family: 4, bits };
}

function ipv4Bits(text: string, { leadingZeros = false }: Leniency): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!/^[0-9]{1,10}$/.test(part) || Number(part) > 255) return undefined;
    if (!leadingZeros && part.length > 1 && part.startsWith('0')) return undefined;
    bits = bits * 256n + BigInt(part);
  }
  return bits;
}

function parseIpv6(text: string, leniency: Leniency): IpAddress | undefined {
  const lastColon = text.lastIndexOf(':');
  let head = text;
  let tail: string[] = [];
  if (text.includes('.')) {
    const bits = ipv4Bits(text.slice(lastColon + 1), leniency);
    if (bits === undefined) return undefined;
    tail = [(bits >> 16n).toString(16), (bits & 0xffffn).toString(16)];
    head = text.slice(0, lastColon + 1);
    if (head.endsWith('::')) head = head.slice(0, -1) + ':';
    else head = head.slice(0, -1);
  }
  const halves = head.split('::');
  if (halves.length > 2) return undefined;
  const groupsOf = (part: string | undefined): string[] =>
    part === undefined || part === '' ? [] : part.split(':');
  const before = groupsOf(halves[0]);
  const after = [...groupsOf(halves[1]), ...tail];
  const groups = halves.length === 1 ? [...before, ...tail] : [...before];
  if (halves.length === 2) {
    const missing = 8 - before.length - after.length;
    if (missing < 1) return undefined;
    for (let i = 0; i < missing; i++) groups.push('0');
    groups.push(...after);
  }
  if (groups.length !== 8) return undefined;
  let bits = 0n;
  for (const group of groups) {
    if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return undefined;
    bits = bits * 65_536n + BigInt(`0x${group}`);
  }
  return { family: 6, bits };
}

/** Whether it is an IPv4 address inside IPv6 (`::ffff:1.2.3.4`). */
export function isIpv4Mapped({ family, bits }: IpAddress): boolean {
  return family === 6 && bits >> 32n === 0xffffn;
}

/** Canonical text: RFC 5952 for IPv6. */
export function formatIp(address: IpAddress): string {
  const { family, bits } = address;
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
  if (isIpv4Mapped(address)) return `::ffff:${formatIp({ family: 4, bits: bits & 0xffffffffn })}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bits >> BigInt(16 * (7 - index))) & 0xffffn).toString(16),
  );
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(':');
  const { start, length } = best;
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

export function parseCidr(text: string, leniency: Leniency = {}): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseIp(text.slice(0, slash), leniency);
  const length = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const prefixLength = Number(length);
  return prefixLength > widthOf(address) ? undefined : { address, prefixLength };
}

export function widthOf({ family }: IpAddress): number {
  return family === 4 ? 32 : 128;
}

/** The first address of the network. */
export function networkOf({ address, prefixLength }: Cidr): IpAddress {
  const shift = BigInt(widthOf(address) - prefixLength);
  return { family: address.family, bits: (address.bits >> shift) << shift };
}

export function cidrContains(network: Cidr, address: IpAddress): boolean {
  if (network.address.family !== address.family) return false;
  const shift = BigInt(widthOf(address) - network.prefixLength);
  return network.address.bits >> shift === address.bits >> shift;
}
