// How a registry asks for a login: the WWW-Authenticate header of RFC 9110, as far as registries use it.
import { OciError } from './reference.ts';

export type Challenge =
  | { readonly scheme: 'Basic' }
  /** A token is to be had from `realm`. */
  | {
      readonly scheme: 'Bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const PARAMETER = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** Undefined: nothing that is understood here. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const [, scheme = '', rest = ''] = /^\s*([\w-]+)\s*(.*)$/s.exec(header ?? '') ?? [];
  if (/^basic$/i.test(scheme)) return { scheme: 'Basic' };
  if (!/^bearer$/i.test(scheme)) return undefined;
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of rest.matchAll(PARAMETER))
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain);
  const realm = parameters.get('realm');
  if (realm === undefined) return undefined;
  return { scheme: 'Bearer', realm, service: parameters.get('service'), scope: parameters.get('scope') };
}

/**
 * Where the token is asked for. A login goes there, so it has to be a place that nobody on the way can pretend to be.
 * @param registry the origin of the registry
 */
export function tokenUrl(
  { realm, service, scope }: Challenge & { readonly scheme: 'Bearer' },
  registry: string,
  repository: string,
): string {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.origin !== new URL(registry).origin))
    throw new OciError(
      `the registry sends logins to ${realm}, which is neither https nor the registry itself`,
    );
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope ?? `repository:${repository}:pull`);
  return url.href;
}

/** The header that the answer of a token server is for, and how long it is good. Throws OciError. */
export function readToken(json: unknown): { readonly authorization: string; readonly lifetimeMs: number } {
  const { token, access_token: other, expires_in: seconds } = (json ?? {}) as Record<string, unknown>;
  const text = typeof token === 'string' && token !== '' ? token : other;
  if (typeof text !== 'string' || text === '') throw new OciError('the token server answers without a token');
  // COMPAT: without a time, it is the minute of the specification.
  const lifetime = typeof seconds === 'number' && seconds > 0 ? seconds : 60;
  return { authorization: `Bearer ${text}`, lifetimeMs: lifetime * 1000 };
}
