// Requests that a proxy in front of this server has authenticated: it names the user in headers, and proves by its
// certificate that it may. INVARIANT: headers count for nothing without a certificate of the proxy's own authority.
import { X509Certificate } from 'node:crypto';
import type { UserInfo } from '../../machinery/index.ts';
import type { ApiRequest, Authenticator } from '../contract.ts';
import { AUTHENTICATED, withGroup } from './authentication.ts';

export interface FrontProxyOptions {
  /** PEM, one or several. It must sign for nothing else: its certificates may speak for everybody. */
  readonly certificateAuthority: string;
  /** Common names of proxies; empty: any that the authority has signed for. */
  readonly allowedNames: readonly string[];
  /** Names of headers; the first that is there counts. */
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

type Certificate = Parameters<Authenticator['authenticate']>[0]['certificate'];

export interface FrontProxy {
  /** Whether the certificate is one of a proxy, whoever it speaks for. */
  signed(certificate: Certificate): boolean;
  userOf(certificate: Certificate, headers: ApiRequest['headers']): UserInfo | undefined;
}

export function frontProxy(options: FrontProxyOptions): FrontProxy {
  const authorities = certificatesIn(options.certificateAuthority);
  const lower = (names: readonly string[]): readonly string[] => names.map((name) => name.toLowerCase());
  const [usernames, uids, groupNames, prefixes] = [
    lower(options.usernameHeaders),
    lower(options.uidHeaders),
    lower(options.groupHeaders),
    lower(options.extraHeaderPrefixes),
  ];
  // A connection's certificate is the same object at each of its requests, and checking its signature takes half of a read.
  const known = new WeakMap<NonNullable<Certificate>, boolean>();
  const signed = (certificate: Certificate): boolean => {
    if (certificate === undefined) return false;
    let verdict = known.get(certificate);
    if (verdict === undefined)
      known.set(certificate, (verdict = certificate.signedBy?.(authorities) === true));
    return verdict;
  };
  return {
    signed,
    userOf(certificate, headers) {
      if (certificate === undefined || !signed(certificate)) return undefined;
      const { allowedNames } = options;
      if (allowedNames.length > 0 && !allowedNames.includes(certificate.commonName)) return undefined;
      const name = first(headers, usernames);
      if (name === '') return undefined;
      const uid = first(headers, uids);
      const groups = groupNames.flatMap((header) => valuesOf(headers[header]));
      const extra = extraOf(headers, prefixes);
      return {
        name,
        ...(uid === '' ? {} : { uid }),
        groups: withGroup(groups, AUTHENTICATED),
        ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
      };
    },
  };
}

function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function first(headers: ApiRequest['headers'], names: readonly string[]): string {
  for (const name of names) {
    const value = headers[name]?.trim() ?? '';
    if (value !== '') return value;
  }
  return '';
}

/** LIMIT: repeated headers come joined by a comma, so a group with a comma in its name cannot be given this way. */
const valuesOf = (value: string | undefined): readonly string[] =>
  (value ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

function extraOf(
  headers: ApiRequest['headers'],
  prefixes: readonly string[],
): readonly (readonly [string, readonly string[]])[] {
  return Object.keys(headers).flatMap((header): [string, readonly string[]][] => {
    const prefix = prefixes.find((one) => header.startsWith(one) && header.length > one.length);
    if (prefix === undefined) return [];
    const key = header.slice(prefix.length);
    return [[decoded(key), valuesOf(headers[header])]];
  });
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
