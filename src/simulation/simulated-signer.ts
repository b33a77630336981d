// Signs service account tokens at once and always alike. Real signatures are made by other threads and differ each time,
// so a world with them could not be replayed; nobody in a simulated world tries to forge one.
import { createHash } from 'node:crypto';
import type { TokenClaims, TokenSigner } from '../apiserver/index.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';

export function simulatedSigner(): TokenSigner {
  const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
  return {
    issuer: ISSUER,
    sign(claims) {
      const text = Buffer.from(JSON.stringify(claims)).toString('base64url');
      return Promise.resolve(`${text}.${digest(text)}`);
    },
    verify(token) {
      const [text = '', signature] = token.split('.');
      if (signature !== digest(text)) return Promise.resolve(undefined);
      return Promise.resolve(JSON.parse(Buffer.from(text, 'base64url').toString()) as TokenClaims);
    },
    keySet: () => Promise.resolve({ keys: [] }),
  };
}
