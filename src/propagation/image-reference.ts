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
const DIGEST = /^[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const HOST_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** Undefined when the text names no image. COMPAT: beside a tag, a digest is lost. */
export function parseImage(image: string): ImageReference | undefined {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const hasRegistry = first === 'localhost' || first.includes('.') || first.includes(':');
  const registry = hasRegistry ? first : '';
  const rest = hasRegistry ? image.slice(slash + 1) : image;
  const [named = '', digest = '', ...more] = rest.split('@');
  const colon = named.lastIndexOf(':');
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? '' : named.slice(colon + 1);
  const valid =
    more.length === 0 &&
    (registry === '' || REGISTRY.test(registry)) &&
    REPOSITORY.test(repository) &&
    (colon < 0 || TAG.test(tag)) &&
    (!rest.includes('@') || DIGEST.test(digest));
  if (!valid) return undefined;
  return { registry, repository, tag, digest: tag === '' ? digest : '' };
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
