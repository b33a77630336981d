// Addresses and node ports of services: who holds which, in memory, filled from the stored services when first
// needed. INVARIANT: an address or port that is handed out is held by no stored service and by no write under way.
// LIMIT: several API servers over one storage would each keep their own book; they must serve different ranges.
import type { KubeObject, Service, ServicePort } from '../../api/index.ts';
import type { Random } from '../../base/index.ts';
import type { ObjectAccess } from '../object-access.ts';

// Addresses inside kubeadm's default range, node ports as kube-apiserver's default.
const FIRST_ADDRESS = (10 << 24) | (96 << 16);
const ADDRESS_COUNT = 2 ** 16;
const FIRST_NODE_PORT = 30_000;
const NODE_PORT_COUNT = 2768;
// LIMIT: guesses before the range is searched from its start.
const GUESSES = 16;

export const NODE_PORT_RANGE = `${FIRST_NODE_PORT}-${FIRST_NODE_PORT + NODE_PORT_COUNT - 1}`;
export const SERVICE_RANGE = '10.96.0.0/16';

function addressAt(offset: number): string {
  const address = FIRST_ADDRESS + offset;
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** Undefined: not inside the range. */
function offsetOf(address: string): number | undefined {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  const offset = parts.reduce((sum, part) => sum * 256 + part, 0) - FIRST_ADDRESS;
  return offset > 0 && offset < ADDRESS_COUNT - 1 ? offset : undefined;
}

/** A pool of numbers, each held by at most one owner. */
class Pool {
  readonly #first: number;
  readonly #count: number;
  readonly #holders = new Map<number, string>();

  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
  }

  /** False: somebody else holds it. */
  hold(number: number, owner: string): boolean {
    const holder = this.#holders.get(number);
    if (holder !== undefined && holder !== owner) return false;
    this.#holders.set(number, owner);
    return true;
  }

  contains(number: number): boolean {
    return number >= this.#first && number < this.#first + this.#count;
  }

  /** Undefined: all are held. */
  take(owner: string, random: Random): number | undefined {
    for (let guess = 0; guess < GUESSES; guess++) {
      const number = this.#first + Math.floor(random.fraction() * this.#count);
      if (!this.#holders.has(number) && this.hold(number, owner)) return number;
    }
    for (let number = this.#first; number < this.#first + this.#count; number++) {
      if (!this.#holders.has(number) && this.hold(number, owner)) return number;
    }
    return undefined;
  }

  release(number: number, owner: string): void {
    if (this.#holders.get(number) === owner) this.#holders.delete(number);
  }
}

export type Taken = 'taken' | 'outside' | 'held';

export class ServiceAllocations {
  readonly #objects: ObjectAccess;
  readonly #random: Random;
  // The first address is the API server's own service; network and broadcast are nobody's.
  readonly #addresses = new Pool(2, ADDRESS_COUNT - 3);
  readonly #nodePorts = new Pool(FIRST_NODE_PORT, NODE_PORT_COUNT);
  #filled: Promise<void> | undefined;

  constructor(objects: ObjectAccess, random: Random) {
    this.#objects = objects;
    this.#random = random;
  }

  /** Resolves when what is stored is known. */
  ready(): Promise<void> {
    this.#filled ??= this.#fill();
    return this.#filled;
  }

  takeAddress(owner: string): string | undefined {
    const offset = this.#addresses.take(owner, this.#random);
    return offset === undefined ? undefined : addressAt(offset);
  }

  holdAddress(address: string, owner: string): Taken {
    const offset = offsetOf(address);
    if (offset === undefined) return 'outside';
    return this.#addresses.hold(offset, owner) ? 'held' : 'taken';
  }

  releaseAddress(address: string, owner: string): void {
    const offset = offsetOf(address);
    if (offset !== undefined) this.#addresses.release(offset, owner);
  }

  takeNodePort(owner: string): number | undefined {
    return this.#nodePorts.take(owner, this.#random);
  }

  holdNodePort(port: number, owner: string): Taken {
    if (!this.#nodePorts.contains(port)) return 'outside';
    return this.#nodePorts.hold(port, owner) ? 'held' : 'taken';
  }

  releaseNodePort(port: number, owner: string): void {
    this.#nodePorts.release(port, owner);
  }

  releaseAll(object: KubeObject): void {
    const owner = ownerOf(object);
    const { addresses, nodePorts } = heldBy(object);
    for (const address of addresses) this.releaseAddress(address, owner);
    for (const port of nodePorts) this.releaseNodePort(port, owner);
  }

  async #fill(): Promise<void> {
    for (const object of await this.#objects.list('', 'services', '')) {
      const owner = ownerOf(object);
      const { addresses, nodePorts } = heldBy(object);
      for (const address of addresses) this.holdAddress(address, owner);
      for (const port of nodePorts) this.holdNodePort(port, owner);
    }
  }
}

/** Services are told apart by uid: one that is created anew under the same name is another. */
export function ownerOf(object: KubeObject): string {
  return object.metadata.uid ?? '';
}

export function heldBy(object: KubeObject): {
  readonly addresses: readonly string[];
  readonly nodePorts: readonly number[];
} {
  const { spec } = object as unknown as Service;
  const ports = (spec?.ports ?? []).map((port: ServicePort) => port.nodePort ?? 0);
  return {
    addresses: (spec?.clusterIPs ?? []).filter((address) => address !== 'None' && address !== ''),
    nodePorts: [...ports, spec?.healthCheckNodePort ?? 0].filter((port) => port !== 0),
  };
}
