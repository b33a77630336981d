// Names of container images, taken apart and put together as image overriders see them (propagation.md §4.5).
import type { ImageOverrider } from '../api/index.ts';

export interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  /** At most one of the two is set. */
  readonly tag: string;
  readonly digest: string;
}

const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const HOST_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = new RegExp(`^(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
/** Of a path in a registry. */
const PATH_MAX = 255;

// What an image that is run may be named by; overriders may set digests of other algorithms, which nobody can look up.
const HEX_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Where a name has its path: its first part may name a host, which a host without dot or port only does before a path. */
function splitName(name: string): { readonly host: string; readonly path: string } | undefined {
  const slash = name.indexOf('/');
  const host = slash < 0 ? '' : name.slice(0, slash);
  if (host !== '' && HOST.test(host) && PATH.test(name.slice(slash + 1)))
    return { host, path: name.slice(slash + 1) };
  return PATH.test(name) ? { host: '', path: name } : undefined;
}

function digestFault(digest: string): string | undefined {
  const [algorithm = '', hex = ''] = digest.split(':');
  const digits = HEX_DIGITS[algorithm];
  if (digits === undefined) return 'unsupported digest algorithm';
  if (hex.length !== digits) return 'invalid checksum digest length';
  return /^[0-9a-f]*$/.test(hex) ? undefined : 'invalid checksum digest format';
}

/**
 * The parts of an image's name, or what is wrong with it, in the words of the library that Go programs use for it.
 * COMPAT: beside a tag, a digest is lost; and a first part without dot or colon belongs to the repository, in capitals too.
 */
export function parseImage(image: string): ImageReference | { readonly fault: string } {
  if (image === '') return { fault: 'repository name must have at least one component' };
  const parts = /^([^@]*?)(?::([\w][\w.-]{0,127}))?(?:@(.+))?$/.exec(image);
  const [, name = '', tag = '', digest = ''] = parts ?? [];
  const split = parts === null ? undefined : splitName(name);
  if (split === undefined || (digest !== '' && !DIGEST.test(digest)))
    return {
      fault: isImage(image.toLowerCase(), image)
        ? 'repository name must be lowercase'
        : 'invalid reference format',
    };
  if (split.path.length > PATH_MAX)
    return { fault: `repository name must not be more than ${PATH_MAX} characters` };
  const fault = digest === '' ? undefined : digestFault(digest);
  if (fault !== undefined) return { fault };
  const isRegistry = split.host === 'localhost' || /[.:]/.test(split.host);
  return {
    registry: isRegistry ? split.host : '',
    repository: isRegistry ? split.path : name,
    tag,
    digest: tag === '' ? digest : '',
  };
}

/** Whether small letters make an image of what is none. */
function isImage(lower: string, image: string): boolean {
  return lower !== image && !('fault' in parseImage(lower));
}

export function printImage({ registry, repository, tag, digest }: ImageReference): string {
  const name = registry === '' ? repository : `${registry}/${repository}`;
  return tag === '' ? (digest === '' ? name : `${name}@${digest}`) : `${name}:${tag}`;
}

/** What a tag overrider's text means: a tag, a digest, or neither, which changes nothing. */
function withTagOrDigest(image: ImageReference, text: string): ImageReference {
  if (TAG.test(text)) return { ...image, tag: text, digest: '' };
  return DIGEST.test(text) ? { ...image, tag: '', digest: text } : image;
}

function changed(current: string, { operator, value = '' }: ImageOverrider): string {
  if (operator === 'remove') return '';
  return operator === 'add' ? current + value : value;
}

export function overrideImage(image: ImageReference, overrider: ImageOverrider): ImageReference {
  switch (overrider.component) {
    case 'Registry':
      return { ...image, registry: changed(image.registry, overrider) };
    case 'Repository':
      return { ...image, repository: changed(image.repository, overrider) };
    case 'Tag':
      if (overrider.operator === 'remove') {
        return image.tag === '' ? { ...image, digest: '' } : { ...image, tag: '' };
      }
      return withTagOrDigest(image, changed(image.tag === '' ? image.digest : image.tag, overrider));
  }
}
