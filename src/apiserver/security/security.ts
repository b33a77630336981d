// Puts the parts of access together for one API server: who is asking, what may they do, and the objects with which
// clients ask that themselves.
import type { KubeObject } from '../../api/index.ts';
import type { Clock, Logger, Random } from '../../base/index.ts';
import type { AdmissionPlugin, UserInfo } from '../../machinery/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { ApiRequest, Authenticator } from '../contract.ts';
import { createReviews, type Review } from './access-reviews.ts';
import {
  anyOf,
  bootstrapTokens,
  createAuthenticator,
  serviceAccountTokenAuthenticator,
  staticTokens,
  type StaticToken,
} from './authentication.ts';
import { frontProxy, type FrontProxyOptions } from './front-proxy.ts';
import { impersonate } from './impersonation.ts';
import { jwtAuthenticator, type JwtIssuer } from './jwt/authenticator.ts';
import { objectFeed } from '../object-feed.ts';
import { objectReader } from './object-reader.ts';
import { rbacEscalationPlugin } from './rbac-escalation.ts';
import { RbacIndex } from './rbac-index.ts';
import { createRbacAuthorizer, type RbacAuthorizer } from './rbac.ts';
import { createServiceAccountTokens, type ServiceAccountTokens } from './service-account-tokens.ts';
import { createTokenRequestHandler, type TokenRequestHandler } from './token-request.ts';
import { createTokenSigner, type TokenSigner } from './token-signer.ts';

const RBAC_PREFIX = '/registry/rbac.authorization.k8s.io/';
export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Who is let in besides holders of certificates and of tokens that this server issued. */
export interface AuthenticationOptions {
  readonly staticTokens?: readonly StaticToken[];
  /** Whether requests without credentials are let in, as system:anonymous, or for which paths; default true. */
  readonly anonymous?: boolean | readonly string[];
  /** Whether secrets of type bootstrap.kubernetes.io/token are tokens; default true. */
  readonly bootstrapTokens?: boolean;
  /** Whose JSON web tokens are taken besides our own. */
  readonly jwtIssuers?: readonly JwtIssuer[];
  readonly frontProxy?: FrontProxyOptions;
}

export interface SecurityOptions extends AuthenticationOptions {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** PEM; signs service account tokens. */
  readonly serviceAccountKey: string;
  /** Instead of one that signs with that key. */
  readonly tokenSigner?: TokenSigner;
  /** What tokens say in `iss`, and the audience this server answers to. */
  readonly issuer?: string;
}

export interface Security {
  readonly authenticator: Authenticator;
  readonly authorizer: RbacAuthorizer;
  /** Who a request is to be carried out as. Throws a 403 StatusError when its sender may not act as them. */
  actingUser(request: Pick<ApiRequest, 'user' | 'headers'>): UserInfo;
  /** Reviews by group and resource. */
  readonly reviews: ReadonlyMap<string, Review>;
  readonly tokenRequest: TokenRequestHandler;
  readonly tokens: ServiceAccountTokens;
  readonly admission: readonly AdmissionPlugin[];
  close(): Promise<void>;
}

/** Resolves when roles and bindings have been read. */
export async function openSecurity(options: SecurityOptions): Promise<Security> {
  const { storage, clock, random, logger, issuer = DEFAULT_ISSUER } = options;
  const reader = objectReader(storage);
  const signer =
    options.tokenSigner ?? createTokenSigner({ privateKey: options.serviceAccountKey, issuer, clock });
  const tokens = createServiceAccountTokens({ signer, reader, clock, random });
  const jwt = jwtAuthenticator(options.jwtIssuers ?? [], { clock, logger });
  const tokenAuthenticator = anyOf(
    staticTokens(options.staticTokens ?? []),
    serviceAccountTokenAuthenticator(tokens),
    ...(options.bootstrapTokens === false ? [] : [bootstrapTokens(reader, clock)]),
    jwt,
  );
  const audiences = [issuer];

  const index = new RbacIndex();
  const authorizer = createRbacAuthorizer(index);
  const closing = new AbortController();
  await objectFeed({ storage, clock, logger, prefix: RBAC_PREFIX }).follow(index, closing.signal);

  return {
    authenticator: createAuthenticator({
      tokens: tokenAuthenticator,
      audiences,
      anonymous: options.anonymous ?? true,
      ...(options.frontProxy === undefined ? {} : { frontProxy: frontProxy(options.frontProxy) }),
    }),
    authorizer,
    actingUser: ({ user, headers }) => impersonate(user, headers, authorizer),
    reviews: createReviews({ rbac: authorizer, tokens: tokenAuthenticator, audiences }),
    tokenRequest: createTokenRequestHandler({ tokens, reader }),
    tokens,
    admission: [rbacEscalationPlugin(authorizer, index)],
    async close() {
      closing.abort(new Error('the server is shutting down'));
      await jwt.close();
    },
  };
}
