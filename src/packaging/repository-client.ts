// A repository that is read over whatever fetches files: index, versions and manifests for a while from memory, one fetch at a
// time for each address, within bounds of size and time. Failures are never remembered.
import type { PackageManifest } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { ManifestError, readManifest } from './manifest.ts';
import type { FetchFile, FetchedFile } from './fetch.ts';
import { openOciFiles, type OciFiles } from './oci/files.ts';
import { OciError, isOciAddress, parseOciReference } from './oci/reference.ts';
import {
  fileLocation,
  indexUrl,
  manifestUrl,
  readIndex,
  readVersions,
  versionsUrl,
  type FileLocation,
  type IndexEntry,
  type PackageVersions,
} from './repository.ts';

export interface RepositorySeams {
  readonly fetchFile: FetchFile;
  /** All documents of a text that are not empty; throws with line and column. */
  readonly parseYaml: (text: string, from: string) => readonly unknown[];
  /** In hexadecimal. */
  readonly sha256: (bytes: Uint8Array) => string;
  readonly nowMs: () => number;
}

export interface RepositorySettings {
  readonly name: string;
  readonly url: string;
  /** The value of the header, e.g. `Bearer …`. */
  readonly authorization?: string | undefined;
  /** How long what was read counts as current; default 5 minutes. */
  readonly cacheMs?: number;
}

/** A repository that cannot be read; the message names it and the address. */
export class RepositoryError extends Error {
  override name = 'RepositoryError';
}

export interface FetchedManifest {
  readonly url: string;
  readonly manifest: PackageManifest;
  /** Of package.yaml. */
  readonly sha256: string;
  /** What versions.yaml says it must be. */
  readonly declaredSha256: string | undefined;
}

export interface FetchedDocuments {
  readonly url: string;
  readonly documents: readonly unknown[];
  readonly sha256: string;
  /** Of the file, in bytes. */
  readonly size: number;
}

export interface FetchedBytes {
  readonly url: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export interface PackageRepositoryClient {
  readonly name: string;
  readonly url: string;
  index(signal?: AbortSignal): Promise<readonly IndexEntry[]>;
  versions(name: string, signal?: AbortSignal): Promise<PackageVersions>;
  manifest(name: string, version: string, signal?: AbortSignal): Promise<FetchedManifest>;
  /** A file that a manifest names, which is at `resolvedUrl`. Never from memory. */
  documents(resolvedUrl: string, named: string, signal?: AbortSignal): Promise<FetchedDocuments>;
  /** A file of any kind that a manifest names. Never from memory. */
  file(
    resolvedUrl: string,
    named: string,
    options: {
      readonly maxBytes: number;
      /** As it is sent: it is packed by itself. */
      readonly asSent: boolean;
    },
    signal?: AbortSignal,
  ): Promise<FetchedBytes>;
  /** Forgets what was read. */
  forget(): void;
}

const CACHE_MS = 5 * 60_000;
/** LIMIT: bytes of an index, a list of versions or a manifest. */
const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;
/** LIMIT: bytes of a file of objects. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** LIMIT: for one file. */
const TIMEOUT_MS = 30_000;
/** LIMIT: answers that are kept; the oldest goes first. */
const KEPT_MAX = 1_000;
const TYPES: ReadonlySet<string> = new Set([
  'application/json', 'application/yaml', 'application/x-yaml', 'application/octet-stream', 'text/yaml', 'text/x-yaml', 'text/plain',
]); // prettier-ignore

export function createRepositoryClient(
  settings: RepositorySettings,
  seams: RepositorySeams,
): PackageRepositoryClient {
  return new Repository(settings, seams);
}

interface Kept {
  readonly atMs: number;
  readonly value: Promise<unknown>;
}

class Repository implements PackageRepositoryClient {
  readonly name: string;
  readonly url: string;
  private readonly settings: RepositorySettings;
  private readonly seams: RepositorySeams;
  private readonly kept = new Map<string, Kept>();
  /** Of a repository that is an OCI artifact. */
  private readonly artifact: OciFiles | undefined;

  constructor(settings: RepositorySettings, seams: RepositorySeams) {
    this.settings = settings;
    this.seams = seams;
    this.name = settings.name;
    this.url = settings.url;
    this.artifact = this.openArtifact();
  }

  private openArtifact(): OciFiles | undefined {
    const { url, authorization } = this.settings;
    if (!isOciAddress(url)) return undefined;
    try {
      return openOciFiles(url, authorization, this.seams);
    } catch (error) {
      if (error instanceof OciError) throw this.complaint(url, error.message);
      throw error;
    }
  }

  async index(signal?: AbortSignal): Promise<readonly IndexEntry[]> {
    return this.once(this.located(indexUrl), (url) => this.single(url, readIndex, signal));
  }

  async versions(name: string, signal?: AbortSignal): Promise<PackageVersions> {
    return this.once(
      this.located((base) => versionsUrl(base, name)),
      (url) => this.single(url, readVersions, signal),
    );
  }

  async manifest(name: string, version: string, signal?: AbortSignal): Promise<FetchedManifest> {
    return this.once(
      this.located((base) => manifestUrl(base, name, version)),
      async (url) => {
        const { documents, sha256 } = await this.fetched(url, true, DOCUMENT_BYTES_MAX, signal);
        const manifest = this.read(url, documents, readManifest);
        if (manifest.name !== name)
          throw this.complaint(url, `it describes package "${manifest.name}" instead of "${name}"`);
        return { url, manifest, sha256, declaredSha256: await this.declaredSha256(name, version, signal) };
      },
    );
  }

  async documents(resolvedUrl: string, named: string, signal?: AbortSignal): Promise<FetchedDocuments> {
    const { url, relative } = this.namedBy(resolvedUrl, named);
    return this.fetched(url, relative, FILE_BYTES_MAX, signal);
  }

  async file(
    resolvedUrl: string,
    named: string,
    { maxBytes, asSent }: { readonly maxBytes: number; readonly asSent: boolean },
    signal?: AbortSignal,
  ): Promise<FetchedBytes> {
    const { url, relative } = this.namedBy(resolvedUrl, named);
    const { bytes } = await this.sent(url, relative, maxBytes, signal, { asSent });
    return { url, bytes, sha256: this.seams.sha256(bytes) };
  }

  private namedBy(resolvedUrl: string, named: string): FileLocation {
    const location = fileLocation(resolvedUrl, named);
    if (!location.relative && /^file:/i.test(location.url) && !/^file:/i.test(resolvedUrl))
      throw this.complaint(location.url, 'a repository on the network cannot name files of this machine');
    return location;
  }

  forget(): void {
    this.kept.clear();
    this.artifact?.forget();
  }

  private async declaredSha256(
    name: string,
    version: string,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    // A repository need not list what can be had, and then declares nothing of it.
    const versions = await this.versions(name, signal).catch((error: unknown) => {
      if (error instanceof RepositoryError) return undefined;
      throw error;
    });
    return versions?.versions.find((one) => one.version === version)?.sha256?.toLowerCase();
  }

  private located(of: (base: string) => string): string {
    try {
      return of(this.settings.url);
    } catch (error) {
      throw this.complaint(this.settings.url, errorMessage(error));
    }
  }

  private once<T>(url: string, read: (url: string) => Promise<T>): Promise<T> {
    const now = this.seams.nowMs();
    const known = this.kept.get(url);
    if (known !== undefined && now - known.atMs < (this.settings.cacheMs ?? CACHE_MS))
      return known.value as Promise<T>;
    const value = read(url);
    const kept: Kept = { atMs: now, value };
    this.kept.delete(url);
    this.kept.set(url, kept);
    value.catch(() => {
      if (this.kept.get(url) === kept) this.kept.delete(url);
    });
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value!);
    return value;
  }

  private async single<T>(
    url: string,
    read: (document: unknown) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { documents } = await this.fetched(url, true, DOCUMENT_BYTES_MAX, signal);
    return this.read(url, documents, read);
  }

  private read<T>(url: string, documents: readonly unknown[], read: (document: unknown) => T): T {
    if (documents.length > 1) throw this.complaint(url, 'it holds more than one document');
    try {
      return read(documents[0]);
    } catch (error) {
      if (error instanceof ManifestError) throw this.complaint(url, error.message);
      throw error;
    }
  }

  private async fetched(
    url: string,
    ours: boolean,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<FetchedDocuments> {
    const file = await this.sent(url, ours, maxBytes, signal, {
      accept: 'application/json, application/yaml',
    });
    const refused = typeComplaint(file.contentType);
    if (refused !== undefined) throw this.complaint(url, refused);
    let documents: readonly unknown[];
    try {
      documents = this.seams.parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(file.bytes), url);
    } catch (error) {
      throw this.complaint(url, errorMessage(error));
    }
    return { url, documents, sha256: this.seams.sha256(file.bytes), size: file.bytes.byteLength };
  }

  /** @param ours whether the repository's login is for it */
  private async sent(
    url: string,
    ours: boolean,
    maxBytes: number,
    signal: AbortSignal | undefined,
    { accept = '*/*', asSent = false }: { readonly accept?: string; readonly asSent?: boolean },
  ): Promise<FetchedFile> {
    const { authorization } = this.settings;
    const headers = { accept, ...(ours && authorization !== undefined ? { authorization } : {}) };
    let file: FetchedFile;
    try {
      file = await (this.artifact ?? this.seams).fetchFile({
        url,
        headers,
        maxBytes,
        timeoutMs: TIMEOUT_MS,
        asSent,
        // What a package names is no way to the other files of this machine.
        ...(/^file:/i.test(url) ? { within: this.settings.url } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw this.complaint(url, errorMessage(error));
    }
    if (file.status >= 400) throw this.complaint(url, answered(file.status));
    return file;
  }

  private complaint(url: string, why: string): RepositoryError {
    const text = why.startsWith(url) ? why : `${url}: ${why}`;
    return new RepositoryError(`repository "${this.name}" cannot be used: ${text}`);
  }
}

function answered(status: number): string {
  if (status === 401 || status === 403)
    return `it answers ${status}; check spec.auth of the PackageRepository`;
  return status === 404 ? 'there is no such file' : `it answers ${status}`;
}

/** What an answer may call itself: YAML, JSON, or nothing in particular. */
function typeComplaint(contentType: string | undefined): string | undefined {
  if (contentType === undefined || contentType === '') return undefined;
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const odd = parameters.find((one) => one !== '' && !/^(charset|boundary)=/.test(one));
  return TYPES.has(type) && odd === undefined ? undefined : `it is ${contentType}, and neither YAML nor JSON`;
}

/** The value of the header for a repository's login; undefined: none is needed. */
export function authorizationOf(
  login: { readonly username: string; readonly password: string } | { readonly token: string } | undefined,
): string | undefined {
  if (login === undefined) return undefined;
  if ('token' in login) return `Bearer ${login.token}`;
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}

/** Why this cannot be the address of a repository; undefined: it can. */
export function repositoryAddressProblem(address: string): string | undefined {
  if (!URL.canParse(address) || !/^(https?|file|oci|oci-layout):/i.test(address))
    return `"${address}" is no address: it must begin with http://, https://, file:///, oci:// or oci-layout:///`;
  if (!isOciAddress(address)) return undefined;
  try {
    parseOciReference(address);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
