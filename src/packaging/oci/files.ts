// A repository of packages as an OCI artifact: its layers are the files of the tree that a web server would serve, called by
// `org.opencontainers.image.title`, as `oras push` makes them. Read as one, whatever happens to the tag meanwhile.
import type { FetchFile, FetchRequest, FetchedFile } from '../fetch.ts';
import { repositoryUrl } from '../repository.ts';
import {
  OciLoginError,
  createArtifactReader,
  type Artifact,
  type ArtifactReader,
  type OciSeams,
} from './artifact.ts';
import { TITLE } from './descriptor.ts';
import { OciError, isOciAddress, parseOciReference } from './reference.ts';

/** How long a tag is taken to mean the same artifact. */
const TAG_MS = 30_000;
const UNPACK = 'io.deis.oras.content.unpack';

export interface OciFiles {
  /** Files below the address of the repository out of the artifact, and others as before. */
  readonly fetchFile: FetchFile;
  forget(): void;
}

/** Throws OciError for an address that is none. */
export function openOciFiles(base: string, authorization: string | undefined, seams: OciSeams): OciFiles {
  const root = repositoryUrl(base, '-').slice(0, -1);
  const reader = createArtifactReader(parseOciReference(base), authorization, seams);
  let known: { readonly atMs: number; readonly artifact: Promise<Artifact> } | undefined;
  const artifact = (signal: AbortSignal | undefined): Promise<Artifact> => {
    const now = seams.nowMs();
    if (known !== undefined && now - known.atMs < TAG_MS) return known.artifact;
    const read = { atMs: now, artifact: reader.artifact(signal) };
    known = read;
    read.artifact.catch(() => {
      if (known === read) known = undefined;
    });
    return read.artifact;
  };
  return {
    forget() {
      known = undefined;
    },
    async fetchFile(request) {
      if (!isOciAddress(request.url)) return seams.fetchFile(request);
      if (!request.url.startsWith(root)) throw new OciError('it is in another artifact than the repository');
      const name = decodeURIComponent(request.url.slice(root.length));
      try {
        return await fileOf(await artifact(request.signal), name, reader, request);
      } catch (error) {
        if (error instanceof OciLoginError)
          return { status: 401, contentType: undefined, bytes: new Uint8Array() };
        throw error;
      }
    },
  };
}

async function fileOf(
  { layers }: Artifact,
  name: string,
  reader: ArtifactReader,
  { maxBytes, signal }: FetchRequest,
): Promise<FetchedFile> {
  const found = layers.find(({ annotations }) => annotations[TITLE]?.replace(/^(\.\/)+/, '') === name);
  if (found !== undefined)
    return { status: 200, contentType: undefined, bytes: await reader.layer(found, maxBytes, signal) };
  const packed = layers.find(({ annotations }) => annotations[UNPACK] === 'true');
  if (packed !== undefined)
    throw new OciError(
      `the folder "${packed.annotations[TITLE] ?? ''}" was pushed as one packed layer; push its files one by one, or write the artifact with "navarch package pack"`,
    );
  return { status: 404, contentType: undefined, bytes: new Uint8Array() };
}
