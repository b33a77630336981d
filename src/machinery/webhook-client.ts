// Where webhooks are called: the addresses in their registrations, checked in kube-apiserver's words.
import { goQuote } from './go-text.ts';
import { isDns1035Label, isDns1123Subdomain, isPortNumber } from './names.ts';
import { fieldError, type FieldError } from './status-error.ts';

export interface WebhookClient {
  readonly url?: string;
  readonly service?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly path?: string;
    readonly port?: number;
  };
}

export function webhookClientErrors(client: WebhookClient | undefined, path: string): FieldError[] {
  const { url, service } = client ?? {};
  if (url !== undefined && service === undefined) return urlErrors(url, `${path}.url`);
  if (service !== undefined && url === undefined) return serviceErrors(service, `${path}.service`);
  return [fieldError.required(path, 'exactly one of url or service is required')];
}

interface UrlParts {
  readonly scheme: string;
  readonly user: string;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

/** The scheme and what follows it, or why there is none to be had. */
function schemeOf(text: string): [scheme: string, rest: string] | string {
  if (text.startsWith(':')) return 'missing protocol scheme';
  const [given, scheme] = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text) ?? [];
  return given === undefined || scheme === undefined
    ? ['', text]
    : [scheme.toLowerCase(), text.slice(given.length)];
}

/** COMPAT: as Go's `url.Parse`, which takes nearly everything; a text is its complaint. */
function parseUrl(text: string): UrlParts | string {
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'net/url: invalid control character in URL';
  const [bare = '', ...fragments] = text.split('#');
  const found = schemeOf(bare);
  if (typeof found === 'string') return found;
  const [scheme, afterScheme] = found;
  const [rest = '', ...queries] = afterScheme.split('?');
  const parts = { scheme, user: '', host: '', query: queries.join('?'), fragment: fragments.join('#') };
  if (!rest.startsWith('/')) {
    const isOdd = scheme === '' && (rest.split('/', 1)[0] ?? '').includes(':');
    return isOdd ? 'first path segment in URL cannot contain colon' : parts;
  }
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) return parts;
  const authority = rest.slice(2).split('/', 1)[0] ?? '';
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const port = /(:[^:\]]*)$/.exec(host)?.[1] ?? '';
  if (!/^(:[0-9]*)?$/.test(port)) return `invalid port ${goQuote(port)} after host`;
  if (host.includes(' ')) return 'invalid character " " in host name';
  return { ...parts, user: authority.slice(0, Math.max(at, 0)), host };
}

function urlErrors(url: string, path: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  const parts = parseUrl(url);
  if (typeof parts === 'string') {
    const why = `url must be a valid URL: parse ${goQuote(url)}: ${parts}${form}`;
    return [fieldError.required(path, why)];
  }
  const { scheme, user, host, query, fragment } = parts;
  const errors: FieldError[] = [];
  if (scheme !== 'https') {
    errors.push(fieldError.invalid(path, scheme, `'https' is the only allowed URL scheme${form}`));
  }
  if (host === '') errors.push(fieldError.invalid(path, host, `host must be specified${form}`));
  if (user !== '') {
    errors.push(fieldError.invalid(path, user, 'user information is not permitted in the URL'));
  }
  if (fragment !== '') {
    errors.push(fieldError.invalid(path, fragment, 'fragments are not permitted in the URL'));
  }
  if (query !== '') {
    errors.push(fieldError.invalid(path, query, 'query parameters are not permitted in the URL'));
  }
  return errors;
}

/** COMPAT: upstream confuses the name and the namespace here. */
function serviceErrors(
  { name = '', namespace = '', path = '', port = 443 }: NonNullable<WebhookClient['service']>,
  at: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (namespace === '') errors.push(fieldError.required(`${at}.name`));
  if (name === '') errors.push(fieldError.required(`${at}.namespace`));
  const wrong = isPortNumber(port);
  if (wrong.length > 0) {
    errors.push(fieldError.invalid(`${at}.port`, port, `port is not valid: ${wrong.join(', ')}`));
  }
  return [...errors, ...pathErrors(path).map((why) => fieldError.invalid(`${at}.path`, path, why))];
}

function pathErrors(path: string): string[] {
  if (path === '' || path === '/') return [];
  if (path === '//') return ['segment[0] may not be empty'];
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  return [
    ...(path.startsWith('/') ? [] : ["must start with a '/'"]),
    ...segments.flatMap((segment, index) =>
      segment === ''
        ? [`segment[${index}] may not be empty`]
        : isDns1123Subdomain(segment).map((why) => `segment[${index}]: ${why}`),
    ),
  ];
}

const REVIEW_VERSIONS = ['v1', 'v1beta1'];

/** Versions of reviews a webhook understands; `why` tells what is to be given where there are none. */
export function reviewVersionErrors(versions: readonly string[], path: string, why = ''): FieldError[] {
  if (versions.length === 0) return [fieldError.required(path, why)];
  const errors: FieldError[] = [];
  versions.forEach((version, index) => {
    const at = `${path}[${index}]`;
    if (versions.indexOf(version) < index) {
      errors.push(fieldError.invalid(at, version, 'duplicate version'));
      return;
    }
    errors.push(...isDns1035Label(version).map((complaint) => fieldError.invalid(at, version, complaint)));
  });
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const needed = `must include at least one of ${REVIEW_VERSIONS.join(', ')}`;
    errors.push(fieldError.invalid(path, versions, needed));
  }
  return errors;
}
