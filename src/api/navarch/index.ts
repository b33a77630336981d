// Every kind of our own API, the group navarch.io: what Karmada's API has no place for. One file, one kind.
import type { KindDefinition } from '../kind.ts';

export const navarchKinds: readonly KindDefinition[] = [];
