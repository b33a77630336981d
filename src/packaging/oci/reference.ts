// Addresses of OCI artifacts: `oci://registry.example.org/team/packages:latest`, in a registry, and
// `oci-layout:///srv/packages:latest`, in a folder that has the image layout.

export interface OciReference {
  /** Where the registry answers, e.g. `https://registry.example.org`; or the folder of a layout, as `file:` address. */
  readonly base: string;
  readonly kind: 'Registry' | 'Layout';
  /** Of a registry, without the host; of a layout empty. */
  readonly repository: string;
  /** Undefined: `latest`, or in a layout the only one. */
  readonly tag: string | undefined;
  /** `sha256:…`; with it, the tag says nothing. */
  readonly digest: string | undefined;
}

/** An address that is none, or an artifact that cannot be used. */
export class OciError extends Error {
  override name = 'OciError';
}

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isOciAddress(address: string): boolean {
  return /^oci(-layout)?:/i.test(address);
}

export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && DIGEST.test(text);
}

/** Throws OciError. */
export function parseOciReference(address: string): OciReference {
  if (!URL.canParse(address) || !isOciAddress(address)) throw new OciError(`${address} is no OCI address`);
  const url = new URL(address);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new OciError(`${url.protocol}// addresses have a path, a tag and a digest, and nothing else`);
  const path = decodeURIComponent(url.pathname).replace(/\/+$/, '');
  const [, named = '', tag, digest] = /^(.*?)(?::([^:/@]*))?(?:@(.*))?$/.exec(path) ?? [];
  if (tag !== undefined && !TAG.test(tag)) throw new OciError(`"${tag}" in ${address} is no tag`);
  if (digest !== undefined && !DIGEST.test(digest))
    throw new OciError(`"${digest}" in ${address} is no digest; write sha256: and 64 hexadecimal digits`);
  if (url.protocol === 'oci-layout:') {
    if (url.host !== '' || named === '')
      throw new OciError(`${address} names no folder; write oci-layout:///folder:tag`);
    const base = new URL('file:///');
    base.pathname = named;
    return { kind: 'Layout', base: base.href, repository: '', tag, digest };
  }
  const repository = named.replace(/^\/+/, '');
  if (url.host === '' || !REPOSITORY.test(repository))
    throw new OciError(`${address} names no repository; write oci://host/repository:tag, in small letters`);
  // COMPAT: as every client of registries has it, what runs on this machine needs no TLS.
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return { kind: 'Registry', base: `${local ? 'http' : 'https'}://${url.host}`, repository, tag, digest };
}

/** COMPAT: Helm's way to write versions as tags, which cannot have a `+`. */
export function tagOfVersion(version: string): string {
  return version.replaceAll('+', '_');
}
