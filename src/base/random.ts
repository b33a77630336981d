// Chance as a seam: names, uids and jitter come from here, so that a seed can replay them.

export interface Random {
  /** A version 4 UUID, for uids and permanent ids. */
  uuid(): string;
  /** A number in [0, 1), for jitter and sampling. */
  fraction(): number;
}

export const systemRandom: Random = {
  uuid: () => crypto.randomUUID(),
  fraction: () => Math.random(),
};

// Kubernetes' alphabet for generated names: no vowels and no look-alikes, so no words come out.
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix of `length` characters as kube-apiserver makes for generateName. */
export function randomSuffix(random: Random, length = 5): string {
  let suffix = '';
  for (let i = 0; i < length; i++) suffix += ALPHABET[Math.floor(random.fraction() * ALPHABET.length)];
  return suffix;
}
