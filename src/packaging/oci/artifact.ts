// Reading OCI artifacts from a registry (distribution specification 1.1) or a folder (image layout): manifests and layers,
// none of which is believed before its digest was worked out.
import { errorMessage } from '../../base/index.ts';
import type { FetchFile, FetchedFile } from '../fetch.ts';
import { parseChallenge, readToken, tokenUrl } from './challenge.ts';
import {
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  IMAGE_INDEX,
  IMAGE_MANIFEST,
  readDocument,
  taggedIn,
  type Descriptor,
  type Document,
} from './descriptor.ts';
import { OciError, isDigest, type OciReference } from './reference.ts';

export interface OciSeams {
  readonly fetchFile: FetchFile;
  /** In hexadecimal. */
  readonly sha256: (bytes: Uint8Array) => string;
  readonly nowMs: () => number;
}

export interface Artifact {
  /** Of its manifest. */
  readonly digest: string;
  readonly layers: readonly Descriptor[];
}

/** A registry that wants a login, or another one; others are OciErrors. */
export class OciLoginError extends OciError {
  override name = 'OciLoginError';
}

/** There is nothing of this name. */
export class OciMissingError extends OciError {
  override name = 'OciMissingError';
}

// LIMIT: the specification has registries take manifests up to here.
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
const TOKEN_BYTES_MAX = 1024 * 1024;
/** LIMIT: for one answer. */
const TIMEOUT_MS = 30_000;
/** A token is asked for anew when so much of its time is left. */
const TOKEN_REST_MS = 5_000;
const ACCEPT = [IMAGE_MANIFEST, IMAGE_INDEX, DOCKER_MANIFEST, DOCKER_INDEX].join(', ');

export interface ArtifactReader {
  /** The artifact of the reference, or of another tag of its repository. Throws OciError. */
  artifact(signal?: AbortSignal, tag?: string): Promise<Artifact>;
  /** Throws OciError for what is larger than `maxBytes`, or is not what its digest says. */
  layer(descriptor: Descriptor, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** @param authorization what logs in, as the value of a header; told to the registry and the token server that it names */
export function createArtifactReader(
  reference: OciReference,
  authorization: string | undefined,
  seams: OciSeams,
): ArtifactReader {
  const source =
    reference.kind === 'Layout'
      ? new Layout(reference, seams)
      : new Registry(reference, authorization, seams);
  const verified = (bytes: Uint8Array, digest: string, what: string): Uint8Array => {
    const found = `sha256:${seams.sha256(bytes)}`;
    if (found === digest) return bytes;
    throw new OciError(`${what} is not what it is said to be: its digest is ${found} instead of ${digest}`);
  };
  return {
    async artifact(signal, tag) {
      let { digest, bytes } = await source.named(tag ?? reference.tag, signal);
      let document = documentOf(verified(bytes, digest, 'the manifest'), digest);
      if (document.kind === 'Index') {
        const [only, ...others] = document.manifests;
        if (only === undefined || others.length > 0)
          throw new OciError(`it is an index of ${document.manifests.length} artifacts where one is wanted`);
        ({ digest } = only);
        bytes = await source.manifest(digest, signal);
        document = documentOf(verified(bytes, digest, 'the manifest'), digest);
        if (document.kind === 'Index') throw new OciError('it is an index of indexes');
      }
      return { digest, layers: document.layers };
    },
    async layer({ digest, size }, maxBytes, signal) {
      if (size > maxBytes) throw new OciError(`layer ${digest} is larger than ${maxBytes} bytes`);
      return verified(await source.blob(digest, size, signal), digest, 'a layer');
    },
  };
}

function documentOf(bytes: Uint8Array, digest: string): Document {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new OciError(`manifest ${digest} is no JSON: ${errorMessage(error)}`, { cause: error });
  }
  return readDocument(json, `manifest ${digest}`);
}

interface Found {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

interface Source {
  named(tag: string | undefined, signal: AbortSignal | undefined): Promise<Found>;
  manifest(digest: string, signal: AbortSignal | undefined): Promise<Uint8Array>;
  blob(digest: string, size: number, signal: AbortSignal | undefined): Promise<Uint8Array>;
}

class Layout implements Source {
  private readonly reference: OciReference;
  private readonly seams: OciSeams;

  constructor(reference: OciReference, seams: OciSeams) {
    this.reference = reference;
    this.seams = seams;
  }

  async named(tag: string | undefined, signal: AbortSignal | undefined): Promise<Found> {
    const { digest } = this.reference;
    if (digest !== undefined) return { digest, bytes: await this.manifest(digest, signal) };
    const called = new URL(this.reference.base).pathname;
    const index = await this.file('index.json', MANIFEST_BYTES_MAX, signal);
    if (index === undefined)
      throw new OciMissingError(`${called} is no OCI image layout: it has no index.json`);
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(index));
    } catch (error) {
      throw new OciError(`index.json of ${called} is no JSON: ${errorMessage(error)}`, { cause: error });
    }
    const document = readDocument(json, `index.json of ${called}`);
    if (document.kind !== 'Index') throw new OciError(`index.json of ${called} is no index`);
    const found = taggedIn(document.manifests, tag, called);
    return { digest: found.digest, bytes: await this.manifest(found.digest, signal) };
  }

  manifest(digest: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    return this.blob(digest, MANIFEST_BYTES_MAX, signal);
  }

  async blob(digest: string, size: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const bytes = await this.file(`blobs/${digest.replace(':', '/')}`, size, signal);
    if (bytes === undefined) throw new OciMissingError(`${digest} is not in the layout`);
    return bytes;
  }

  private async file(
    name: string,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    const { base } = this.reference;
    const { status, bytes } = await this.seams.fetchFile({
      url: `${base}/${name}`,
      headers: {},
      maxBytes,
      timeoutMs: TIMEOUT_MS,
      within: base,
      asSent: true,
      ...(signal === undefined ? {} : { signal }),
    });
    return status === 404 ? undefined : bytes;
  }
}

class Registry implements Source {
  private readonly reference: OciReference;
  private readonly login: string | undefined;
  private readonly seams: OciSeams;
  /** What the registry let in last. */
  private pass: { readonly authorization: string; readonly untilMs: number } | undefined;

  constructor(reference: OciReference, login: string | undefined, seams: OciSeams) {
    this.reference = reference;
    this.login = login;
    this.seams = seams;
  }

  async named(tag: string | undefined, signal: AbortSignal | undefined): Promise<Found> {
    const { digest } = this.reference;
    if (digest !== undefined) return { digest, bytes: await this.manifest(digest, signal) };
    const wanted = tag ?? 'latest';
    const answer = await this.get(`manifests/${wanted}`, MANIFEST_BYTES_MAX, signal);
    const declared = answer.headers?.['docker-content-digest'];
    // What the registry does not say is worked out; a tag promises nothing.
    return {
      digest: isDigest(declared) ? declared : `sha256:${this.seams.sha256(answer.bytes)}`,
      bytes: answer.bytes,
    };
  }

  async manifest(digest: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    return (await this.get(`manifests/${digest}`, MANIFEST_BYTES_MAX, signal)).bytes;
  }

  async blob(digest: string, size: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    return (await this.get(`blobs/${digest}`, size, signal)).bytes;
  }

  private async get(what: string, maxBytes: number, signal: AbortSignal | undefined): Promise<FetchedFile> {
    const { base, repository } = this.reference;
    const url = `${base}/v2/${repository}/${what}`;
    const ask = (authorization: string | undefined): Promise<FetchedFile> =>
      this.ask(
        url,
        { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) },
        maxBytes,
        signal,
      );
    const known = this.pass !== undefined && this.seams.nowMs() < this.pass.untilMs ? this.pass : undefined;
    let answer = await ask(known?.authorization);
    if (answer.status === 401) {
      this.pass = await this.letIn(answer.headers?.['www-authenticate'], signal);
      answer = await ask(this.pass.authorization);
    }
    if (answer.status === 401 || answer.status === 403)
      throw new OciLoginError(`${base} answers ${answer.status} for ${repository}`);
    if (answer.status === 404) throw new OciMissingError(`${base} has no ${what} of ${repository}`);
    if (answer.status >= 300)
      throw new OciError(`${base} answers ${answer.status} for ${what} of ${repository}`);
    return answer;
  }

  private async letIn(
    header: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly authorization: string; readonly untilMs: number }> {
    const { base, repository } = this.reference;
    const challenge = parseChallenge(header);
    if (challenge?.scheme !== 'Bearer' || this.login?.startsWith('Bearer ') === true) {
      if (this.login === undefined) throw new OciLoginError(`${base} wants a login`);
      return { authorization: this.login, untilMs: Infinity };
    }
    const url = tokenUrl(challenge, base, repository);
    const headers = this.login === undefined ? {} : { authorization: this.login };
    const answer = await this.ask(url, headers, TOKEN_BYTES_MAX, signal);
    if (answer.status >= 400)
      throw new OciLoginError(`${new URL(url).origin} answers ${answer.status} when asked for a token`);
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(answer.bytes));
    } catch (error) {
      throw new OciError(`the token server answers no JSON: ${errorMessage(error)}`, { cause: error });
    }
    const { authorization, lifetimeMs } = readToken(json);
    return { authorization, untilMs: this.seams.nowMs() + lifetimeMs - TOKEN_REST_MS };
  }

  private ask(
    url: string,
    headers: Readonly<Record<string, string>>,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<FetchedFile> {
    return this.seams.fetchFile({
      url,
      headers,
      maxBytes,
      timeoutMs: TIMEOUT_MS,
      asSent: true,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}
