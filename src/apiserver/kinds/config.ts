// ConfigMap and Secret.
import type { ConfigMap, KubeObject, Secret } from '../../api/index.ts';
import {
  fieldError,
  goJsonError,
  isConfigMapKey,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { fill, open } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { named } from './checks.ts';
import * as printers from '../table/printers.ts';

// LIMIT: what one config map or secret may hold; as kube-apiserver.
const MAX_BYTES = 1024 * 1024;
const IMMUTABLE = 'field is immutable when `immutable` is set';

function immutableErrors(next: KubeObject, old: KubeObject, fields: readonly string[]): FieldError[] {
  if (old['immutable'] !== true) return [];
  const errors: FieldError[] = [];
  if (next['immutable'] !== true) errors.push(fieldError.forbidden('immutable', IMMUTABLE));
  for (const field of fields) {
    if (!semanticEqual(next[field], old[field])) errors.push(fieldError.forbidden(field, IMMUTABLE));
  }
  return errors;
}

const decodedLength = (base64: string): number =>
  Math.floor((base64.length * 3) / 4) - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);

// ---- ConfigMap

function validateConfigMap(object: KubeObject): FieldError[] {
  const { data = {}, binaryData = {} } = object as unknown as ConfigMap;
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in data) {
    errors.push(...named(isConfigMapKey(key), key, `data[${key}]`));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(fieldError.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    size += Buffer.byteLength(data[key] ?? '');
  }
  for (const key in binaryData) {
    errors.push(...named(isConfigMapKey(key), key, `binaryData[${key}]`));
    size += decodedLength(binaryData[key] ?? '');
  }
  if (size > MAX_BYTES) errors.push(fieldError.tooLong('', MAX_BYTES));
  return errors;
}

const configMap: BuiltinKind = {
  strategy: {
    validate: validateConfigMap,
    validateUpdate: (next, old) => [
      ...immutableErrors(next, old, ['data', 'binaryData']),
      ...validateConfigMap(next),
    ],
  },
  printer: printers.configMaps,
};

// ---- Secret

/** COMPAT: what was written as text is stored as bytes; the text wins over bytes of the same key. */
function secretDefaults(object: KubeObject): KubeObject {
  const secret = object as unknown as Secret;
  const { stringData } = secret;
  let next = fill(secret, { type: 'Opaque' });
  if (stringData !== undefined) {
    const opened = open(next) as { data?: Record<string, string>; stringData?: unknown };
    const data = { ...opened.data };
    for (const key of Object.keys(stringData)) {
      Object.defineProperty(data, key, {
        value: Buffer.from(stringData[key]!, 'utf8').toString('base64'),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    opened.data = data;
    delete opened.stringData;
    next = opened as unknown as Secret;
  }
  return next;
}

/** Keys that the type promises to its readers. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
};
const SSH_KEY = 'ssh-privatekey';
const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

function validateSecretType({ metadata, type = '', data = {} }: Secret): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of REQUIRED_KEYS[type] ?? []) {
    if (!Object.hasOwn(data, key)) errors.push(fieldError.required(`data[${key}]`));
    else if (key.startsWith('.docker')) {
      const why = notAnObject(data[key]!);
      if (why !== undefined) {
        errors.push(fieldError.invalid(`data[${key}]`, '<secret contents redacted>', why));
      }
    }
  }
  if (type === 'kubernetes.io/ssh-auth' && (data[SSH_KEY] ?? '') === '') {
    errors.push(fieldError.required(`data[${SSH_KEY}]`));
  }
  if (
    type === 'kubernetes.io/basic-auth' &&
    !Object.hasOwn(data, 'username') &&
    !Object.hasOwn(data, 'password')
  ) {
    errors.push(fieldError.required('data[username]'), fieldError.required('data[password]'));
  }
  if (
    type === 'kubernetes.io/service-account-token' &&
    (metadata.annotations?.[SERVICE_ACCOUNT_NAME] ?? '') === ''
  ) {
    errors.push(fieldError.required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`));
  }
  return errors;
}

/** Why the bytes are no JSON object, in the words of Go's decoder. COMPAT: null is one. */
function notAnObject(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  const wrong = goJsonError(bytes);
  if (wrong !== undefined) return wrong;
  const value = JSON.parse(bytes.toString('utf8')) as unknown;
  if (typeof value === 'object' && !Array.isArray(value)) return undefined;
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`;
}

function validateSecret(object: KubeObject): FieldError[] {
  const secret = object as unknown as Secret;
  const { data = {} } = secret;
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in data) {
    errors.push(...named(isConfigMapKey(key), key, `data[${key}]`));
    size += decodedLength(data[key] ?? '');
  }
  if (size > MAX_BYTES) errors.push(fieldError.tooLong('data', MAX_BYTES));
  return [...errors, ...validateSecretType(secret)];
}

const secret: BuiltinKind = {
  defaults: secretDefaults,
  strategy: {
    validate: validateSecret,
    validateUpdate: (next, old) => [
      ...(next['type'] === old['type']
        ? []
        : [fieldError.invalid('type', next['type'], 'field is immutable')]),
      ...immutableErrors(next, old, ['data']),
      ...validateSecret(next),
    ],
    selectableFields: (object) => ({ type: (object as unknown as Secret).type ?? '' }),
    selectableFieldNames: ['type'],
  },
  printer: printers.secrets,
};

export const config: BuiltinKinds = { '/configmaps': configMap, '/secrets': secret };
