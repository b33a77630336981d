// The tokens of service accounts: those asked for with TokenRequest, bound to a lifetime and perhaps to a pod or
// secret, and those that live in a secret. INVARIANT: a token is good only while the account it names, and the object
// it is bound to, exist with the uid they had when it was made.
import type { KubeObject } from '../../api/index.ts';
import type { Clock, Random } from '../../base/index.ts';
import type { UserInfo } from '../../machinery/index.ts';
import type { ObjectReader } from './object-reader.ts';
import type { TokenClaims, TokenSigner } from './token-signer.ts';

export interface ObjectName {
  readonly name: string;
  readonly uid: string;
}

export interface BoundTokenRequest {
  readonly namespace: string;
  readonly serviceAccount: ObjectName;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly boundTo?: { readonly kind: 'pod' | 'secret' | 'node'; readonly object: ObjectName };
  /** The node of the pod that the token is bound to. */
  readonly node?: { readonly name: string; readonly uid?: string };
}

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

export interface AuthenticatedToken {
  readonly user: UserInfo;
  /** Those of the token that were asked for. */
  readonly audiences: readonly string[];
}

export interface ServiceAccountTokens {
  readonly signer: TokenSigner;
  issue(request: BoundTokenRequest): Promise<IssuedToken>;
  /** For a secret of type kubernetes.io/service-account-token: the token it holds. */
  issueForSecret(request: {
    readonly namespace: string;
    readonly serviceAccount: ObjectName;
    readonly secretName: string;
  }): Promise<string>;
  /** Undefined: no token of ours, or no longer good, or meant for none of these audiences. */
  authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined>;
}

const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const PREFIX = 'kubernetes.io/serviceaccount/';
const EXTRA = 'authentication.kubernetes.io/';

export function serviceAccountUserName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}

/** Namespace and name in `system:serviceaccount:NAMESPACE:NAME`. */
export function parseServiceAccountUserName(user: string): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  return match === null ? undefined : { namespace: match[1]!, name: match[2]! };
}

export function createServiceAccountTokens(options: {
  readonly signer: TokenSigner;
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly random: Random;
}): ServiceAccountTokens {
  const { signer, reader, clock, random } = options;
  return {
    signer,
    async issue(request) {
      const now = Math.floor(clock.now() / 1000);
      const expires = now + request.expirationSeconds;
      const token = await signer.sign({
        aud: request.audiences,
        exp: expires,
        iat: now,
        iss: signer.issuer,
        jti: random.uuid(),
        'kubernetes.io': {
          namespace: request.namespace,
          ...(request.node === undefined ? {} : { node: request.node }),
          ...(request.boundTo === undefined ? {} : { [request.boundTo.kind]: request.boundTo.object }),
          serviceaccount: request.serviceAccount,
        },
        nbf: now,
        sub: serviceAccountUserName(request.namespace, request.serviceAccount.name),
      });
      return { token, expiresAt: expires * 1000 };
    },
    issueForSecret: ({ namespace, serviceAccount, secretName }) =>
      signer.sign({
        iss: LEGACY_ISSUER,
        [`${PREFIX}namespace`]: namespace,
        [`${PREFIX}secret.name`]: secretName,
        [`${PREFIX}service-account.name`]: serviceAccount.name,
        [`${PREFIX}service-account.uid`]: serviceAccount.uid,
        sub: serviceAccountUserName(namespace, serviceAccount.name),
      }),
    async authenticate(token, audiences) {
      const claims = await signer.verify(token);
      if (claims === undefined) return undefined;
      if (claims['iss'] === LEGACY_ISSUER) {
        // Secrets' tokens name no audience: they are for this API server.
        return audiences.includes(signer.issuer)
          ? authenticateSecretToken(token, claims, reader, [signer.issuer])
          : undefined;
      }
      if (claims['iss'] !== signer.issuer) return undefined;
      const named = [claims['aud'] ?? []].flat();
      const shared = audiences.filter((audience) => named.includes(audience));
      return shared.length === 0 ? undefined : authenticateBoundToken(claims, reader, shared);
    },
  };
}

async function authenticateSecretToken(
  token: string,
  claims: TokenClaims,
  reader: ObjectReader,
  audiences: readonly string[],
): Promise<AuthenticatedToken | undefined> {
  const namespace = text(claims[`${PREFIX}namespace`]);
  const serviceAccount = {
    name: text(claims[`${PREFIX}service-account.name`]),
    uid: text(claims[`${PREFIX}service-account.uid`]),
  };
  const secret = await reader.get('secrets', namespace, text(claims[`${PREFIX}secret.name`]));
  if (!isAlive(secret)) return undefined;
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
  if (data['token'] === undefined || Buffer.from(data['token'], 'base64').toString() !== token) {
    return undefined;
  }
  if (!isSame(await reader.get('serviceaccounts', namespace, serviceAccount.name), serviceAccount)) {
    return undefined;
  }
  return { user: userOf(namespace, serviceAccount, {}), audiences };
}

async function authenticateBoundToken(
  claims: TokenClaims,
  reader: ObjectReader,
  audiences: readonly string[],
): Promise<AuthenticatedToken | undefined> {
  const details = (claims['kubernetes.io'] ?? {}) as Readonly<Record<string, unknown>>;
  const namespace = text(details['namespace']);
  const serviceAccount = nameOf(details['serviceaccount']);
  if (serviceAccount === undefined) return undefined;
  const extra: Record<string, readonly string[]> = {};
  if (typeof claims['jti'] === 'string') extra[`${EXTRA}credential-id`] = [`JTI=${claims['jti']}`];
  if (!isSame(await reader.get('serviceaccounts', namespace, serviceAccount.name), serviceAccount)) {
    return undefined;
  }
  const secret = nameOf(details['secret']);
  if (secret !== undefined && !isSame(await reader.get('secrets', namespace, secret.name), secret)) {
    return undefined;
  }
  const pod = nameOf(details['pod']);
  if (pod !== undefined) {
    if (!isSame(await reader.get('pods', namespace, pod.name), pod)) return undefined;
    extra[`${EXTRA}pod-name`] = [pod.name];
    extra[`${EXTRA}pod-uid`] = [pod.uid];
  }
  const node = details['node'] as { readonly name?: unknown; readonly uid?: unknown } | undefined;
  if (typeof node?.name === 'string') {
    extra[`${EXTRA}node-name`] = [node.name];
    if (typeof node.uid === 'string') extra[`${EXTRA}node-uid`] = [node.uid];
  }
  return { user: userOf(namespace, serviceAccount, extra), audiences };
}

function userOf(
  namespace: string,
  { name, uid }: ObjectName,
  extra: Readonly<Record<string, readonly string[]>>,
): UserInfo {
  return {
    name: serviceAccountUserName(namespace, name),
    uid,
    groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function isAlive(object: KubeObject | undefined): object is KubeObject {
  return object !== undefined && object.metadata.deletionTimestamp === undefined;
}

/** A pod or an account that is being deleted keeps its token until it is gone: it may need it to end cleanly. */
function isSame(object: KubeObject | undefined, { uid }: ObjectName): boolean {
  return object !== undefined && object.metadata.uid === uid;
}

function nameOf(value: unknown): ObjectName | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, uid } = value as Partial<Record<keyof ObjectName, unknown>>;
  return typeof name === 'string' && typeof uid === 'string' ? { name, uid } : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
