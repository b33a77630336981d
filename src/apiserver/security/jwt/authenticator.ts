// Bearer tokens of other issuers (OpenID Connect). A token whose issuer is not configured is not ours to judge; one of
// a configured issuer is good or it is not.
import type * as Jose from 'jose';
import type { JsonObject } from '../../../api/index.ts';
import { errorMessage, type Clock, type Logger } from '../../../base/index.ts';
import type { UserInfo } from '../../../machinery/index.ts';
import { AUTHENTICATED, withGroup, type TokenAuthenticator } from '../authentication.ts';
import { compileClaimRules, type ClaimRules, type ReadClaims } from './claims.ts';
import { IssuerKeys, type IssuerOptions } from './issuer-keys.ts';

export interface JwtIssuer extends IssuerOptions {
  /** Whom tokens must be meant for; one of them is enough. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly rules: ClaimRules;
}

export interface JwtAuthenticator extends TokenAuthenticator {
  close(): Promise<void>;
}

// LIMIT: tokens that were found good lately, and for how long that holds: a client sends its token with every request.
const CACHED_TOKENS = 4096;
const CACHED_MS = 10_000;
// LIMIT: a longer text is no token that anybody signed for this purpose.
const MAX_TOKEN_LENGTH = 64 * 1024;

interface Known {
  readonly user: UserInfo;
  readonly untilMs: number;
}

interface Issuer {
  readonly options: JwtIssuer;
  readonly keys: IssuerKeys;
  readonly read: ReadClaims;
}

/** Throws when an expression of the configuration cannot be compiled. */
export function jwtAuthenticator(
  configured: readonly JwtIssuer[],
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): JwtAuthenticator {
  const issuers = new Map<string, Issuer>(
    configured.map((options) => [
      options.url,
      { options, keys: new IssuerKeys(options, clock, logger), read: compileClaimRules(options.rules) },
    ]),
  );
  const known = new Map<string, Known>();
  return {
    async authenticateToken(token, audiences) {
      if (issuers.size === 0 || token.length > MAX_TOKEN_LENGTH) return undefined;
      const before = known.get(token);
      if (before !== undefined && before.untilMs > clock.now()) return { user: before.user, audiences };
      const lib = await import('jose');
      const issuer = issuers.get(issuerOf(lib, token) ?? '');
      if (issuer === undefined) return undefined;
      try {
        const claims = await verified(lib, issuer, token, clock.now());
        if (claims === undefined) return undefined;
        const found = issuer.read(claims);
        const user = { ...found, groups: withGroup(found.groups, AUTHENTICATED) };
        if (known.size >= CACHED_TOKENS) known.delete(known.keys().next().value!);
        const expiresMs = typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : 0;
        known.set(token, { user, untilMs: Math.min(expiresMs, clock.now() + CACHED_MS) });
        return { user, audiences };
      } catch (error) {
        logger.info('a token of a known issuer is refused', {
          issuer: issuer.options.url,
          error: errorMessage(error),
        });
        return undefined;
      }
    },
    async close() {
      await Promise.all([...issuers.values()].map(({ keys }) => keys.close()));
    },
  };
}

function issuerOf(lib: typeof Jose, token: string): string | undefined {
  try {
    return lib.decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function verified(
  lib: typeof Jose,
  { options, keys }: Issuer,
  token: string,
  nowMs: number,
): Promise<JsonObject | undefined> {
  const verify = async (set: Jose.JSONWebKeySet): Promise<JsonObject> => {
    const { payload } = await lib.jwtVerify(token, lib.createLocalJWKSet(set), {
      issuer: options.url,
      audience: [...options.audiences],
      algorithms: [...options.algorithms],
      currentDate: new Date(nowMs),
      requiredClaims: ['exp'],
    });
    return payload as JsonObject;
  };
  const set = await keys.keys();
  if (set === undefined) return undefined;
  try {
    return await verify(set);
  } catch (error) {
    if (!(error instanceof lib.errors.JWKSNoMatchingKey) || !(await keys.refresh())) throw error;
    return verify((await keys.keys()) ?? set);
  }
}
