// Hashes that upstream writes into names, so that ours come out the same.

const encoder = new TextEncoder();

/** FNV-1a, 32 bits, over the UTF-8 bytes of a text (Go's fnv.New32a). */
export function fnv1a32(data: string | Uint8Array): number {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Kubernetes' SafeEncodeString: each character of `text` mapped to one that makes no words. */
export function safeEncode(text: string): string {
  let encoded = '';
  for (const byte of encoder.encode(text)) encoded += SAFE_ALPHABET[byte % SAFE_ALPHABET.length];
  return encoded;
}
