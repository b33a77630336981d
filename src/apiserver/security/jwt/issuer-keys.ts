// The public keys of an issuer: found by its discovery document, kept, and asked for again when a token names a key
// that is not among them. INVARIANT: no token, however many are sent, makes more than one request at a time, nor more
// than one in a while.
import type { JSONWebKeySet } from 'jose';
import { Agent, request } from 'undici';
import { errorMessage, type Clock, type Logger } from '../../../base/index.ts';

export interface IssuerOptions {
  readonly url: string;
  /** Where its document is, if not at the usual place below its URL. */
  readonly discoveryUrl?: string;
  /** PEM; absent: the authorities of the system. */
  readonly certificateAuthority?: string;
}

// LIMIT: size of an answer and how long it may take.
const MAX_ANSWER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;
// LIMIT: how soon the issuer is asked again: after a failure, and for keys that it did not have.
const RETRY_MS = 5_000;
// Keys are looked up anew after this, so that one that was withdrawn does not stay good.
const FRESH_MS = 3_600_000;

export class IssuerKeys {
  readonly #options: IssuerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #agent: Agent;
  #keys: JSONWebKeySet | undefined;
  #asked = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;

  constructor(options: IssuerOptions, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger.with({ issuer: options.url });
    const { certificateAuthority: ca } = options;
    this.#agent = new Agent({ connect: ca === undefined ? {} : { ca } });
  }

  /** What is known; undefined: the issuer has not told yet, and cannot be asked now. */
  async keys(): Promise<JSONWebKeySet | undefined> {
    const age = this.#clock.now() - this.#asked;
    if (this.#keys === undefined ? age >= RETRY_MS : age >= FRESH_MS) await this.#fetch();
    else if (this.#keys === undefined) await this.#pending;
    return this.#keys;
  }

  /** After a token named a key that is not there. True: the keys were asked for again. */
  async refresh(): Promise<boolean> {
    if (this.#pending === undefined && this.#clock.now() - this.#asked < RETRY_MS) return false;
    await this.#fetch();
    return true;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #fetch(): Promise<void> {
    if (this.#pending !== undefined) return this.#pending;
    this.#asked = this.#clock.now();
    this.#pending = this.#ask()
      .then(
        (keys) => void (this.#keys = keys),
        (error: unknown) =>
          this.#logger.error('the keys of an issuer cannot be had', { error: errorMessage(error) }),
      )
      .finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  async #ask(): Promise<JSONWebKeySet> {
    const { url, discoveryUrl } = this.#options;
    const usual = `${url.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = (await this.#json(discoveryUrl ?? usual)) as {
      readonly issuer?: unknown;
      readonly jwks_uri?: unknown;
    };
    if (document.issuer !== url) {
      throw new Error(`its document is of the issuer ${JSON.stringify(document.issuer)}`);
    }
    if (typeof document.jwks_uri !== 'string') throw new Error('its document names no jwks_uri');
    const keys = (await this.#json(document.jwks_uri)) as Partial<JSONWebKeySet>;
    if (!Array.isArray(keys.keys)) throw new Error('its key set has no keys');
    return { keys: keys.keys };
  }

  async #json(url: string): Promise<unknown> {
    const { protocol } = new URL(url);
    if (protocol !== 'https:') throw new Error(`${url} is no https URL`);
    const timeout = new AbortController();
    const cancel = this.#clock.after(TIMEOUT_MS, () => timeout.abort(new Error('no answer in time')));
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: this.#agent,
        headers: { accept: 'application/json' },
        signal: timeout.signal,
      });
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) throw new Error(`${url} answers with too much`);
        chunks.push(chunk);
      }
      if (statusCode !== 200) throw new Error(`${url} answers ${statusCode}`);
      return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
    } finally {
      cancel();
    }
  }
}
