// Signs and checks the JSON web tokens of service accounts. Knows keys, claims and times; whether the account still
// exists is asked elsewhere (service-account-tokens.ts).
import { createHash, createPrivateKey, createPublicKey, type webcrypto } from 'node:crypto';
import type * as Jose from 'jose';
import type { Clock } from '../../base/index.ts';

export type TokenClaims = Readonly<Record<string, unknown>>;

export interface TokenSigner {
  /** What `iss` says, and the default audience. */
  readonly issuer: string;
  sign(claims: TokenClaims): Promise<string>;
  /**
   * The claims of a token that one of our keys signed and whose time is right; audience and subject are not looked at.
   * Undefined: anything else.
   */
  verify(token: string): Promise<TokenClaims | undefined>;
  /** The public key as a JSON web key set, for others to check tokens. */
  keySet(): Promise<{ readonly keys: readonly object[] }>;
}

const ALGORITHM = 'ES256';

// LIMIT: tokens whose signature was checked lately. A check costs about a tenth of a millisecond; a client sends its
// token with every request.
const CHECKED_LIMIT = 4096;

let library: Promise<typeof Jose> | undefined;

function jose(): Promise<typeof Jose> {
  library ??= import('jose');
  return library;
}

interface Keys {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
}

export function createTokenSigner(options: {
  /** PEM, PKCS #8, P-256. */
  readonly privateKey: string;
  readonly issuer: string;
  readonly clock: Clock;
}): TokenSigner {
  const { issuer, clock } = options;
  const publicKey = createPublicKey(createPrivateKey(options.privateKey));
  const der = publicKey.export({ type: 'spki', format: 'der' });
  // COMPAT: how kube-apiserver names its keys, so that verifiers that pin a key id see the same for the same key.
  const keyId = createHash('sha256').update(der).digest('base64url');
  let loaded: Promise<Keys> | undefined;
  const keys = (): Promise<Keys> => {
    loaded ??= (async () => {
      const lib = await jose();
      const spki = publicKey.export({ type: 'spki', format: 'pem' }) as string;
      return {
        privateKey: await lib.importPKCS8(options.privateKey, ALGORITHM),
        publicKey: await lib.importSPKI(spki, ALGORITHM, { extractable: true }),
      };
    })();
    return loaded;
  };

  // Insertion order makes it a queue; only signatures that were right get in.
  const checked = new Map<string, TokenClaims>();

  return {
    issuer,
    async sign(claims) {
      const lib = await jose();
      const { privateKey } = await keys();
      return new lib.SignJWT({ ...claims })
        .setProtectedHeader({ alg: ALGORITHM, kid: keyId })
        .sign(privateKey);
    },
    async verify(token) {
      let claims = checked.get(token);
      if (claims === undefined) {
        const lib = await jose();
        try {
          const { payload } = await lib.compactVerify(token, (await keys()).publicKey, {
            algorithms: [ALGORITHM],
          });
          claims = JSON.parse(new TextDecoder().decode(payload)) as TokenClaims;
        } catch {
          return undefined;
        }
        if (checked.size >= CHECKED_LIMIT) checked.delete(checked.keys().next().value!);
        checked.set(token, claims);
      }
      return isTimely(claims, clock.now() / 1000) ? claims : undefined;
    },
    async keySet() {
      const lib = await jose();
      const jwk = await lib.exportJWK((await keys()).publicKey);
      return { keys: [{ use: 'sig', ...jwk, kid: keyId, alg: ALGORITHM }] };
    },
  };
}

/** Tokens of secrets carry no times at all: they end with their secret. */
function isTimely(claims: TokenClaims, nowSeconds: number): boolean {
  const { exp, nbf } = claims;
  if (exp !== undefined && !(typeof exp === 'number' && nowSeconds < exp)) return false;
  return nbf === undefined || (typeof nbf === 'number' && nbf <= nowSeconds);
}
