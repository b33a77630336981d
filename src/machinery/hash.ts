// Hashes that upstream writes into names, so that ours come out the same.

const encoder = new TextEncoder();

/** FNV-1a, 32 bits, over the UTF-8 bytes of a text (Go's fnv.New32a). */
export function fnv1a32(data: string | Uint8Array): number {
  return (typeof data === 'string' ? hashText(data) : hashBytes(data)) >>> 0;
}

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

function hashText(text: string): number {
  let hash = OFFSET;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return hashBytes(encoder.encode(text));
    hash = Math.imul(hash ^ unit, PRIME);
  }
  return hash;
}

function hashBytes(bytes: Uint8Array): number {
  let hash = OFFSET;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, PRIME);
  return hash;
}

const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Kubernetes' SafeEncodeString: each character of `text` mapped to one that makes no words. */
export function safeEncode(text: string): string {
  let encoded = '';
  for (const byte of encoder.encode(text)) encoded += SAFE_ALPHABET[byte % SAFE_ALPHABET.length];
  return encoded;
}
