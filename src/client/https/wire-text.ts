// The texts that requests and answers are made of besides JSON: addresses, queries, headers.
import { OperatingError } from '../../base/index.ts';
import type { TransportRequest } from '../transport.ts';

export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export function parseUrl(text: string, what: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null)
    throw new OperatingError(
      'URL_INVALID',
      `the ${what} "${text}" is no URL`,
      'write it as https://host:port',
    );
  if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  throw new OperatingError(
    'URL_UNSUPPORTED',
    `the ${what} "${text}" begins with ${url.protocol}//`,
    'use http:// or https://',
  );
}

export function impersonationHeaders(who: Impersonation | undefined): Record<string, string | string[]> {
  if (who === undefined) return {};
  const headers: Record<string, string | string[]> = { 'impersonate-user': who.user };
  if (who.uid !== undefined) headers['impersonate-uid'] = who.uid;
  if (who.groups !== undefined && who.groups.length > 0) headers['impersonate-group'] = [...who.groups];
  for (const [key, values] of Object.entries(who.extra ?? {}))
    headers[`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`] = [...values];
  return headers;
}

export function queryText(query: TransportRequest['query'], watch: boolean): string {
  let text = '';
  const add = (name: string, value: string): void => {
    text += `${text === '' ? '?' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  };
  for (const name in query) {
    const value = query[name];
    if (typeof value === 'string') add(name, value);
    else for (const one of value ?? []) add(name, one);
  }
  if (watch) add('watch', 'true');
  return text;
}

/** The texts of RFC 7234 warnings: `299 - "text"`, several separated by commas. */
export function parseWarnings(header: string): string[] {
  return [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replace(/\\(.)/g, '$1'),
  );
}
