// URLs as Go's url.ParseRequestURI takes them: an absolute URI, or an absolute path.

export interface RequestUri {
  readonly scheme: string;
  /** With port, as written. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  /** Percent-decoded path, encoded again where it must be. */
  readonly escapedPath: string;
  readonly query: string;
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0020\u007f]/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

export function parseRequestUri(text: string): RequestUri | undefined {
  // eslint-disable-next-line no-control-regex
  if (text === '' || /[\u0000-\u001f\u007f]/.test(text)) return undefined;
  const nothing = { host: '', hostname: '', port: '', query: '' };
  if (text === '*') return { ...nothing, scheme: '', escapedPath: '*' };
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?([^]*)$/.exec(text) ?? [];
  const question = rest.indexOf('?');
  const query = question < 0 ? '' : rest.slice(question + 1);
  const before = question < 0 ? rest : rest.slice(0, question);
  if (!before.startsWith('/')) {
    // `mailto:someone`: opaque, which only an absolute URI may be.
    return scheme === '' ? undefined : { ...nothing, scheme: scheme.toLowerCase(), escapedPath: '', query };
  }
  let path = before;
  let authority = { host: '', hostname: '', port: '' };
  if (scheme !== '' && before.startsWith('//')) {
    const end = before.indexOf('/', 2);
    const parsed = parseAuthority(before.slice(2, end < 0 ? undefined : end));
    if (parsed === undefined) return undefined;
    authority = parsed;
    path = end < 0 ? '' : before.slice(end);
  }
  if (BAD_ESCAPE.test(path)) return undefined;
  return { scheme: scheme.toLowerCase(), ...authority, escapedPath: escapePath(path), query };
}

function parseAuthority(text: string): { host: string; hostname: string; port: string } | undefined {
  const host = text.slice(text.lastIndexOf('@') + 1);
  if (CONTROL.test(host) || BAD_ESCAPE.test(host) || /[\\^`{|}#]/.test(host)) return undefined;
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([0-9]*))?$/.exec(host);
  if (match === null) return undefined;
  return { host, hostname: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
}

function escapePath(path: string): string {
  return path.replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, (character) => encodeURIComponent(character));
}
