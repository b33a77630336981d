// What a ResourceInterpreterWebhookConfiguration must be like, in upstream's words.
import type { ResourceInterpreterWebhook, ResourceInterpreterWebhookConfiguration } from '../api/index.ts';
import { RULES } from '../interpreter/index.ts';
import {
  fieldError,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isPortNumber,
  type FieldError,
} from '../machinery/index.ts';

const OPERATIONS: readonly string[] = ['*', ...RULES.map(({ operation }) => operation)].sort();
const CONTEXT_VERSION = 'v1alpha1';
const URL_FORM = '; desired format: https://host[/path]';

type Rule = NonNullable<ResourceInterpreterWebhook['rules']>[number];
type Service = NonNullable<ResourceInterpreterWebhook['clientConfig']['service']>;

/** @param what the values are, in the plural; undefined: they may be anything */
function validateNames(
  values: readonly string[],
  path: string,
  what: string,
  mayBeEmpty: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (values.length === 0) errors.push(fieldError.required(path));
  if (values.length > 1 && values.includes('*'))
    errors.push(fieldError.invalid(path, values, `if '*' is present, must not specify other ${what}`));
  if (mayBeEmpty) return errors;
  return [
    ...errors,
    ...values.flatMap((value, i) => (value === '' ? [fieldError.required(`${path}[${i}]`)] : [])),
  ];
}

function validateRule({ operations, apiGroups, apiVersions, kinds }: Rule, path: string): FieldError[] {
  return [
    ...validateNames(operations, `${path}.operations`, 'operations', true),
    ...operations.flatMap((operation, i) =>
      OPERATIONS.includes(operation)
        ? []
        : [fieldError.notSupported(`${path}.operations[${i}]`, operation, OPERATIONS)],
    ),
    ...validateNames(apiGroups, `${path}.apiGroups`, 'API groups', true),
    ...validateNames(apiVersions, `${path}.apiVersions`, 'API versions', false),
    ...validateNames(kinds, `${path}.kinds`, 'kinds', false),
  ];
}

function validateName(given: string, path: string): FieldError[] {
  if (given === '') return [fieldError.required(path)];
  const name = given.endsWith('.') ? given.slice(0, -1) : given;
  const complaints = isDns1123Subdomain(name);
  if (complaints.length > 0) return [fieldError.invalid(path, name, complaints.join(','))];
  const labels = name.split('.');
  if (labels.length < 2) {
    const why = 'should be a domain with at least two segments separated by dots';
    return [fieldError.invalid(path, name, why)];
  }
  return labels.flatMap((label) => {
    const why = isDns1123Label(label);
    return why.length === 0 ? [] : [fieldError.invalid(path, label, why.join(','))];
  });
}

function validateUrl(text: string, path: string): FieldError[] {
  if (!URL.canParse(text)) {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1] ?? '';
    const errors = [fieldError.invalid(path, '', `host must be specified${URL_FORM}`)];
    if (scheme === 'https') return errors;
    return [fieldError.invalid(path, scheme, `'https' is the only allowed URL scheme${URL_FORM}`), ...errors];
  }
  const { protocol, host, username, password, hash, search } = new URL(text);
  const errors: FieldError[] = [];
  const scheme = protocol.slice(0, -1);
  if (scheme !== 'https')
    errors.push(fieldError.invalid(path, scheme, `'https' is the only allowed URL scheme${URL_FORM}`));
  if (host === '') errors.push(fieldError.invalid(path, '', `host must be specified${URL_FORM}`));
  if (username !== '' || password !== '') {
    const user = password === '' ? username : `${username}:${password}`;
    errors.push(fieldError.invalid(path, user, 'user information is not permitted in the URL'));
  }
  if (hash !== '')
    errors.push(fieldError.invalid(path, hash.slice(1), 'fragments are not permitted in the URL'));
  if (search !== '')
    errors.push(fieldError.invalid(path, search.slice(1), 'query parameters are not permitted in the URL'));
  return errors;
}

function validatePath(text: string, path: string): FieldError[] {
  if (text === '' || text === '/') return [];
  const refuse = (why: string): FieldError => fieldError.invalid(path, text, why);
  if (text === '//') return [refuse('segment[0] may not be empty')];
  const errors = text.startsWith('/') ? [] : [refuse("must start with a '/'")];
  const steps = text.slice(1).replace(/\/$/, '').split('/');
  return [
    ...errors,
    ...steps.flatMap((step, i) =>
      step === ''
        ? [refuse(`segment[${i}] may not be empty`)]
        : isDns1123Subdomain(step).map((why) => refuse(`segment[${i}]: ${why}`)),
    ),
  ];
}

function validateService({ name, namespace, path, port = 443 }: Service, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(fieldError.required(`${at}.name`, 'service name is required'));
  if (namespace === '') errors.push(fieldError.required(`${at}.namespace`, 'service namespace is required'));
  const complaints = isPortNumber(port);
  if (complaints.length > 0)
    errors.push(fieldError.invalid(`${at}.port`, port, `port is not valid: ${complaints.join(',')}`));
  return path === undefined ? errors : [...errors, ...validatePath(path, `${at}.path`)];
}

function validateClientConfig(
  { url, service }: ResourceInterpreterWebhook['clientConfig'],
  path: string,
): FieldError[] {
  if (url !== undefined && service === undefined) return validateUrl(url, `${path}.url`);
  if (service !== undefined && url === undefined) return validateService(service, `${path}.service`);
  return [fieldError.required(path, 'exactly one of url or service is required')];
}

function validateVersions(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) return [fieldError.required(path, `must specify one of ${CONTEXT_VERSION}`)];
  const errors = versions.flatMap((version, i) =>
    versions.indexOf(version) < i
      ? [fieldError.invalid(`${path}[${i}]`, version, 'duplicate version')]
      : isDns1035Label(version).map((why) => fieldError.invalid(`${path}[${i}]`, version, why)),
  );
  if (versions.includes(CONTEXT_VERSION)) return errors;
  return [...errors, fieldError.invalid(path, versions, `must include at least one of ${CONTEXT_VERSION}`)];
}

function validateWebhook(webhook: ResourceInterpreterWebhook, path: string): FieldError[] {
  const { name, rules = [], timeoutSeconds = 10, clientConfig, interpreterContextVersions } = webhook;
  const timely = timeoutSeconds >= 1 && timeoutSeconds <= 30;
  return [
    ...validateName(name, `${path}.name`),
    ...rules.flatMap((rule, i) => validateRule(rule, `${path}.rules[${i}]`)),
    ...(timely
      ? []
      : [
          fieldError.invalid(
            `${path}.timeoutSeconds`,
            timeoutSeconds,
            'the timeout value must be between 1 and 30 seconds',
          ),
        ]),
    ...validateClientConfig(clientConfig, `${path}.clientConfig`),
    ...validateVersions(interpreterContextVersions, `${path}.interpreterContextVersions`),
  ];
}

export function validateInterpreterWebhooks({
  webhooks,
}: ResourceInterpreterWebhookConfiguration): FieldError[] {
  return webhooks.flatMap((webhook, i) => {
    const errors = validateWebhook(webhook, `webhooks[${i}]`);
    return webhooks.findIndex(({ name }) => name === webhook.name) < i
      ? [...errors, fieldError.duplicate(`webhooks[${i}].name`, webhook.name)]
      : errors;
  });
}
