// Who sent a request: client certificates, then bearer tokens, then nobody in particular. COMPAT: the order and
// the groups that are added are kube-apiserver's. A token that nobody knows is refused even where anonymous
// requests are welcome: its sender believes to be somebody.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/index.ts';
import { StatusError, type UserInfo } from '../../machinery/index.ts';
import type { Authenticator } from '../contract.ts';
import type { FrontProxy } from './front-proxy.ts';
import type { ObjectReader } from './object-reader.ts';
import type { AuthenticatedToken, ServiceAccountTokens } from './service-account-tokens.ts';

export const ANONYMOUS = 'system:anonymous';
export const AUTHENTICATED = 'system:authenticated';
export const UNAUTHENTICATED = 'system:unauthenticated';
/** What a request is known by in audit logs, besides its user. */
const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';

export const MASTERS = 'system:masters';

/** Knows one sort of bearer token. Undefined: not one of mine, or not a good one. */
export interface TokenAuthenticator {
  authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined>;
}

export interface StaticToken {
  readonly token: string;
  readonly user: UserInfo;
}

export function createAuthenticator(options: {
  readonly tokens: TokenAuthenticator;
  /** Who this server is for bearer tokens. */
  readonly audiences: readonly string[];
  /** Whether requests without credentials are let in, or for which paths. */
  readonly anonymous: boolean | readonly string[];
  readonly frontProxy?: FrontProxy;
}): Authenticator {
  const { tokens, audiences, anonymous, frontProxy } = options;
  const welcome = (path: string | undefined): boolean =>
    typeof anonymous === 'boolean' ? anonymous : path !== undefined && anonymous.includes(path);
  return {
    async authenticate({ headers, certificate, path }) {
      const proxied = frontProxy?.userOf(certificate, headers);
      if (proxied !== undefined) return proxied;
      // A certificate without a common name names nobody, and that of a proxy not itself.
      const named = certificate !== undefined && certificate.commonName !== '';
      if (named && frontProxy?.signed(certificate) !== true) {
        return {
          name: certificate.commonName,
          groups: withGroup(certificate.organizations, AUTHENTICATED),
          ...(certificate.fingerprint === undefined
            ? {}
            : { extra: { [CREDENTIAL_ID]: [`X509SHA256=${certificate.fingerprint}`] } }),
        };
      }
      const token = bearerToken(headers['authorization']);
      if (token !== undefined) {
        const found = await tokens.authenticateToken(token, audiences);
        if (found === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
        return found.user;
      }
      return welcome(path) ? { name: ANONYMOUS, groups: [UNAUTHENTICATED] } : undefined;
    },
  };
}

function bearerToken(header: string | undefined): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(header ?? '');
  return match?.[1];
}

export function withGroup(groups: readonly string[], group: string): readonly string[] {
  return groups.includes(group) ? groups : [...groups, group];
}

/** Asks each in turn. */
export function anyOf(...authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      for (const one of authenticators) {
        const found = await one.authenticateToken(token, audiences);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** Tokens given at start, like kube-apiserver's --token-auth-file. */
export function staticTokens(tokens: readonly StaticToken[]): TokenAuthenticator {
  // Looked up by digest, so that the time of a lookup says nothing about how much of a token was right.
  const digest = (token: string): string => createHash('sha256').update(token).digest('base64');
  const users = new Map(tokens.map(({ token, user }) => [digest(token), user]));
  return {
    async authenticateToken(token, audiences) {
      const user = users.size === 0 ? undefined : users.get(digest(token));
      return user === undefined
        ? undefined
        : { user: { ...user, groups: withGroup(user.groups, AUTHENTICATED) }, audiences };
    },
  };
}

export function serviceAccountTokenAuthenticator(tokens: ServiceAccountTokens): TokenAuthenticator {
  return { authenticateToken: (token, audiences) => tokens.authenticate(token, audiences) };
}

/** The tokens with which a cluster joins: secrets of type bootstrap.kubernetes.io/token in kube-system. */
export function bootstrapTokens(reader: ObjectReader, clock: Clock): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token);
      if (match === null) return undefined;
      const [, id, secret] = match;
      const stored = await reader.get('secrets', 'kube-system', `bootstrap-token-${id}`);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      if (stored['type'] !== 'bootstrap.kubernetes.io/token') return undefined;
      const data = (stored['data'] ?? {}) as Readonly<Record<string, string>>;
      const field = (name: string): string => Buffer.from(data[name] ?? '', 'base64').toString();
      if (!sameSecret(field('token-secret'), secret!) || field('token-id') !== id) return undefined;
      const expiration = field('expiration');
      // An expiration that cannot be read is one that has passed.
      if (expiration !== '' && !(Date.parse(expiration) > clock.now())) return undefined;
      if (field('usage-bootstrap-authentication') !== 'true') return undefined;
      const extraGroups = field('auth-extra-groups')
        .split(',')
        .filter((group) => group !== '');
      if (!extraGroups.every((group) => /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group))) {
        return undefined;
      }
      const groups = ['system:bootstrappers', ...extraGroups, AUTHENTICATED];
      return { user: { name: `system:bootstrap:${id}`, groups }, audiences };
    },
  };
}

function sameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
