// Addresses and node ports of services: who holds which. The book is the store: each number that is held has an entry of
// its own, made with the expectation that there is none, so that several API servers over one store never hand out the
// same twice. Addresses are IPAddress objects, as on any cluster; ports are not shown, as on any cluster.
// INVARIANT: an address or port that is handed out is held by no stored service and by no write under way.
import { deepFreeze, type KubeObject, type Service, type ServicePort } from '../../api/index.ts';
import { formatTime, type Random } from '../../base/index.ts';
import type { Entry, Storage } from '../../storage/index.ts';
import { storageRootOf } from '../resource.ts';
import { candidates, guess, isInRange, rangeOf, type NumberRange } from './number-range.ts';

// Addresses inside kubeadm's default range, node ports as kube-apiserver's default.
const FIRST_ADDRESS = (10 << 24) | (96 << 16);
const ADDRESS_COUNT = 2 ** 16;
const FIRST_NODE_PORT = 30_000;
const NODE_PORT_COUNT = 2768;
// LIMIT: guesses before the range is searched.
const GUESSES = 16;
// LIMIT: how often a race for one number is run again.
const ATTEMPTS = 8;
/** After this time what was taken for a write that never came is free again: longer than any request may take. */
const ABANDONED_AFTER_MS = 300_000;

export const NODE_PORT_RANGE = `${FIRST_NODE_PORT}-${FIRST_NODE_PORT + NODE_PORT_COUNT - 1}`;
export const SERVICE_RANGE = '10.96.0.0/16';

const SERVICES = storageRootOf('', 'services');
const ADDRESSES = storageRootOf('networking.k8s.io', 'ipaddresses');
// Beside what is served: nobody but this file reads it.
const NODE_PORTS = '/reserved/nodeports/';
/** Which of several services of one name, one after the other, is meant. */
const OWNER_UID = 'internal.navarch.io/service-uid';

export type Taken = 'taken' | 'outside' | 'held';

/** What a number is taken for. */
export interface Claimant {
  readonly service: KubeObject;
  readonly nowMs: number;
  /** Nothing is written: a number that could be had is as good as held. */
  readonly dryRun: boolean;
}

interface Holder {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Numbers of one sort. */
interface Book {
  readonly range: NumberRange;
  readonly root: string;
  nameOf(number: number): string;
  /** Undefined: not in the range. */
  numberOf(name: string): number | undefined;
  heldBy(service: KubeObject): readonly string[];
}

const addresses: Book = {
  // The first address is the API server's own service; network and broadcast are nobody's.
  range: rangeOf(2, ADDRESS_COUNT - 3, 16, 256),
  root: ADDRESSES,
  nameOf: addressAt,
  numberOf: offsetOf,
  heldBy: (service) => heldBy(service).addresses,
};

const nodePorts: Book = {
  range: rangeOf(FIRST_NODE_PORT, NODE_PORT_COUNT, 32, 128),
  root: NODE_PORTS,
  nameOf: String,
  numberOf: (name) => (isInRange(nodePorts.range, Number(name)) ? Number(name) : undefined),
  heldBy: (service) => heldBy(service).nodePorts.map(String),
};

export class ServiceAllocations {
  readonly #storage: Storage<KubeObject>;
  readonly #random: Random;
  #filled: Promise<void> | undefined;

  constructor(storage: Storage<KubeObject>, random: Random) {
    this.#storage = storage;
    this.#random = random;
  }

  /** Resolves when what stored services hold is in the book, whoever stored them. */
  ready(nowMs: number): Promise<void> {
    this.#filled ??= this.#fill(nowMs);
    return this.#filled;
  }

  takeAddress(claimant: Claimant): Promise<string | undefined> {
    return this.#take(addresses, claimant);
  }

  holdAddress(address: string, claimant: Claimant): Promise<Taken> {
    return this.#hold(addresses, address, claimant);
  }

  async takeNodePort(claimant: Claimant): Promise<number | undefined> {
    const port = await this.#take(nodePorts, claimant);
    return port === undefined ? undefined : Number(port);
  }

  holdNodePort(port: number, claimant: Claimant): Promise<Taken> {
    return this.#hold(nodePorts, String(port), claimant);
  }

  /** Gives back what the service holds of these. */
  async release(service: KubeObject, held: Held): Promise<void> {
    const { uid } = holderOf(service);
    for (const address of held.addresses) await this.#release(addresses, address, uid);
    for (const port of held.nodePorts) await this.#release(nodePorts, String(port), uid);
  }

  async #take(book: Book, claimant: Claimant): Promise<string | undefined> {
    for (let i = 0; i < GUESSES; i++) {
      const name = book.nameOf(guess(book.range, this.#random.fraction()));
      if ((await this.#hold(book, name, claimant)) === 'held') return name;
    }
    const { entries } = await this.#storage.list(book.root);
    const taken = new Set(entries.map(({ key }) => book.numberOf(key.slice(book.root.length)) ?? NaN));
    for (const number of candidates(book.range, taken, this.#random.fraction())) {
      const name = book.nameOf(number);
      if ((await this.#hold(book, name, claimant)) === 'held') return name;
    }
    return undefined;
  }

  async #hold(book: Book, name: string, claimant: Claimant): Promise<Taken> {
    if (book.numberOf(name) === undefined) return 'outside';
    const owner = holderOf(claimant.service);
    const key = `${book.root}${name}`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await this.#storage.get(key);
      if (entry !== undefined) {
        if (holderIn(entry).uid === owner.uid) return 'held';
        if (await this.#isHeld(book, name, entry, claimant.nowMs)) return 'taken';
      }
      if (claimant.dryRun) return 'held';
      const reservation = reservationOf(book, name, owner, claimant.nowMs);
      const { ok } = await (entry === undefined
        ? this.#storage.create(key, reservation)
        : this.#storage.update(key, reservation, entry.revision));
      if (ok) return 'held';
    }
    return 'taken';
  }

  /** By a stored service, or by a write that may be under way. */
  async #isHeld(book: Book, name: string, entry: Entry<KubeObject>, nowMs: number): Promise<boolean> {
    const { namespace, name: serviceName, uid } = holderIn(entry);
    const service = (await this.#storage.get(`${SERVICES}${namespace}/${serviceName}`))?.value;
    if (service?.metadata.uid === uid && book.heldBy(service).includes(name)) return true;
    return nowMs - Date.parse(entry.value.metadata.creationTimestamp ?? '') < ABANDONED_AFTER_MS;
  }

  async #release(book: Book, name: string, uid: string): Promise<void> {
    const key = `${book.root}${name}`;
    const entry = await this.#storage.get(key);
    if (entry === undefined || holderIn(entry).uid !== uid) return;
    // A race that is lost leaves it to somebody else; what a store cannot forget now counts as abandoned later.
    await this.#storage.delete(key, entry.revision).catch(() => undefined);
  }

  async #fill(nowMs: number): Promise<void> {
    const { entries } = await this.#storage.list(SERVICES);
    for (const { value: service } of entries) {
      const claimant = { service, nowMs, dryRun: false };
      const held = heldBy(service);
      for (const address of held.addresses) await this.holdAddress(address, claimant);
      for (const port of held.nodePorts) await this.holdNodePort(port, claimant);
    }
  }
}

function reservationOf(book: Book, name: string, holder: Holder, nowMs: number): KubeObject {
  const { namespace, name: serviceName, uid } = holder;
  return deepFreeze({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name,
      // One for each holder and number, without any chance in it.
      uid: `${uid.slice(0, 24)}${(book.numberOf(name) ?? 0).toString(16).padStart(12, '0')}`,
      creationTimestamp: formatTime(nowMs),
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.networking.k8s.io',
      },
      annotations: { [OWNER_UID]: uid },
      generation: 1,
    },
    spec: { parentRef: { group: '', resource: 'services', namespace, name: serviceName } },
  });
}

function holderIn({ value }: Entry<KubeObject>): Holder {
  const { parentRef } = (value['spec'] ?? {}) as { readonly parentRef?: Partial<Holder> };
  const { namespace = '', name = '' } = parentRef ?? {};
  return { namespace, name, uid: value.metadata.annotations?.[OWNER_UID] ?? '' };
}

function holderOf({ metadata }: KubeObject): Holder {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '', uid: metadata.uid ?? '' };
}

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

export interface Held {
  readonly addresses: readonly string[];
  readonly nodePorts: readonly number[];
}

export function heldBy(object: KubeObject): Held {
  const { spec } = object as unknown as Service;
  const ports = (spec?.ports ?? []).map((port: ServicePort) => port.nodePort ?? 0);
  return {
    addresses: (spec?.clusterIPs ?? []).filter((address) => address !== 'None' && address !== ''),
    nodePorts: [...ports, spec?.healthCheckNodePort ?? 0].filter((port) => port !== 0),
  };
}
