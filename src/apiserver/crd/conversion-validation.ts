// How a custom resource definition converts between its versions, checked in kube-apiserver's words.
import type { CustomResourceConversion } from '../../api/index.ts';
import {
  fieldError,
  isDns1035Label,
  isDns1123Subdomain,
  isPortNumber,
  type FieldError,
} from '../../machinery/index.ts';

const STRATEGIES = ['None', 'Webhook'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

type ClientConfig = NonNullable<CustomResourceConversion['webhook']>['clientConfig'];

export function conversionErrors(conversion: CustomResourceConversion | undefined): FieldError[] {
  if (conversion === undefined) return [];
  const path = 'spec.conversion';
  const { strategy, webhook } = conversion;
  const { clientConfig, conversionReviewVersions: versions = [] } = webhook ?? {};
  const config = `${path}.webhookClientConfig`;
  const at = `${path}.conversionReviewVersions`;
  if (strategy === 'Webhook') return [...configErrors(clientConfig, config), ...reviewErrors(versions, at)];
  const errors: FieldError[] = [];
  if (strategy === '') errors.push(fieldError.required(`${path}.strategy`));
  else if (strategy !== 'None') {
    errors.push(fieldError.notSupported(`${path}.strategy`, strategy, STRATEGIES));
  }
  const why = 'should not be set when strategy is not set to Webhook';
  if (clientConfig !== undefined) errors.push(fieldError.forbidden(config, why));
  if (versions.length > 0) errors.push(fieldError.forbidden(at, why));
  return errors;
}

function configErrors(config: ClientConfig | undefined, path: string): FieldError[] {
  if (config === undefined) return [fieldError.required(path, 'required when strategy is set to Webhook')];
  const { url, service } = config;
  if (url !== undefined && service === undefined) return urlErrors(url, `${path}.url`);
  if (service !== undefined && url === undefined) return serviceErrors(service, `${path}.service`);
  return [fieldError.required(path, 'exactly one of url or service is required')];
}

function reviewErrors(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) return [fieldError.required(path)];
  const errors: FieldError[] = [];
  versions.forEach((version, index) => {
    const at = `${path}[${index}]`;
    if (versions.indexOf(version) < index) {
      errors.push(fieldError.invalid(at, version, 'duplicate version'));
      return;
    }
    errors.push(...isDns1035Label(version).map((why) => fieldError.invalid(at, version, why)));
  });
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const why = `must include at least one of ${REVIEW_VERSIONS.join(', ')}`;
    errors.push(fieldError.invalid(path, versions, why));
  }
  return errors;
}

function urlErrors(url: string, path: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  if (!URL.canParse(url)) {
    return [fieldError.required(path, `url must be a valid URL: cannot parse ${JSON.stringify(url)}${form}`)];
  }
  const { protocol, host, username, password, hash, search } = new URL(url);
  const errors: FieldError[] = [];
  if (protocol !== 'https:') {
    const why = `'https' is the only allowed URL scheme${form}`;
    errors.push(fieldError.invalid(path, protocol.slice(0, -1), why));
  }
  if (host === '') errors.push(fieldError.invalid(path, host, `host must be specified${form}`));
  if (username !== '' || password !== '') {
    const user = password === '' ? username : `${username}:${password}`;
    errors.push(fieldError.invalid(path, user, 'user information is not permitted in the URL'));
  }
  if (hash !== '') {
    errors.push(fieldError.invalid(path, hash.slice(1), 'fragments are not permitted in the URL'));
  }
  if (search !== '') {
    errors.push(fieldError.invalid(path, search.slice(1), 'query parameters are not permitted in the URL'));
  }
  return errors;
}

/** COMPAT: upstream confuses the name and the namespace here. */
function serviceErrors(
  { name, namespace, path = '', port = 443 }: NonNullable<NonNullable<ClientConfig>['service']>,
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
