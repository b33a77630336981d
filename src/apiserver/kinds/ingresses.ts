// Ingress and IngressClass. The words, the paths and the order are kube-apiserver's.
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressRule,
  KubeObject,
} from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  isPortName,
  isPortNumber,
  isWildcardDns1123Subdomain,
  nameIsPathSegment,
  parseIp,
  type FieldError,
} from '../../machinery/index.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { domainPrefixedPath, immutable, named, validAddress } from './checks.ts';
import { statusSubresource } from './status.ts';
import { ingressWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

const BAD_PATH_PARTS = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_PATH_ENDS = ['/..', '/.'];

function validatePath(path: HTTPIngressPath, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const text = path.path ?? '';
  if (path.pathType === undefined)
    return [fieldError.required(`${at}.pathType`, 'pathType must be specified')];
  if (path.pathType === 'Exact' || path.pathType === 'Prefix') {
    if (!text.startsWith('/'))
      errors.push(fieldError.invalid(`${at}.path`, text, 'must be an absolute path'));
    if (text !== '') {
      for (const part of BAD_PATH_PARTS) {
        if (text.includes(part))
          errors.push(fieldError.invalid(`${at}.path`, text, `must not contain '${part}'`));
      }
      for (const end of BAD_PATH_ENDS) {
        if (text.endsWith(end))
          errors.push(fieldError.invalid(`${at}.path`, text, `cannot end with '${end}'`));
      }
    }
  } else if (path.pathType === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) {
      errors.push(fieldError.invalid(`${at}.path`, text, 'must be an absolute path'));
    }
  } else {
    errors.push(
      fieldError.notSupported(`${at}.pathType`, path.pathType, ['Exact', 'ImplementationSpecific', 'Prefix']),
    );
  }
  return [...errors, ...validateBackend(path.backend, `${at}.backend`)];
}

function validateBackend(backend: IngressBackend, at: string): FieldError[] {
  const { service, resource } = backend;
  if (service !== undefined && resource !== undefined) {
    return [fieldError.invalid(at, '', 'cannot set both resource and service backends')];
  }
  if (resource !== undefined) return validateReference(resource, `${at}.resource`);
  if (service === undefined) {
    return [fieldError.invalid(at, '', 'resource or service backend is required')];
  }
  const errors: FieldError[] = [];
  const { name } = service;
  if (name === '') errors.push(fieldError.required(`${at}.service.name`));
  else errors.push(...named(isDns1123Label(name), name, `${at}.service.name`));
  const { name: portName = '', number = 0 } = service.port ?? {};
  if (portName !== '' && number !== 0) {
    errors.push(fieldError.invalid(at, '', 'cannot set both port name & port number'));
  } else if (portName !== '') {
    errors.push(...named(isPortName(portName), portName, `${at}.service.port.name`));
  } else if (number !== 0) {
    for (const why of isPortNumber(number))
      errors.push(fieldError.invalid(`${at}.service.port.number`, number, why));
  } else {
    errors.push(fieldError.required(at, 'port name or number is required'));
  }
  return errors;
}

interface Reference {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

/** Another object that says more. */
function validateReference({ apiGroup, kind, name }: Reference, at: string): FieldError[] {
  const errors =
    apiGroup === undefined ? [] : named(isDns1123Subdomain(apiGroup), apiGroup, `${at}.apiGroup`);
  for (const [field, value] of Object.entries({ kind, name })) {
    if (value === '') errors.push(fieldError.required(`${at}.${field}`, `${field} is required`));
    else errors.push(...named(nameIsPathSegment(value, false), value, `${at}.${field}`));
  }
  return errors;
}

function validateRule(rule: IngressRule, at: string): FieldError[] {
  const { host = '', http } = rule;
  const errors: FieldError[] = [];
  if (host !== '') {
    if (parseIp(host, { leadingZeros: true }) !== undefined) {
      errors.push(fieldError.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'));
    }
    const complaints = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
    errors.push(...named(complaints, host, `${at}.host`));
  }
  if (http === undefined) return errors;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(fieldError.required(`${at}.http.paths`));
  return [...errors, ...paths.flatMap((path, i) => validatePath(path, `${at}.http.paths[${i}]`))];
}

function validateIngress(object: KubeObject): FieldError[] {
  const spec = (object as unknown as Ingress).spec ?? {};
  const errors: FieldError[] = [];
  const { rules = [], defaultBackend, ingressClassName, tls = [] } = spec;
  if (rules.length === 0 && defaultBackend === undefined) {
    const why = 'either `defaultBackend` or `rules` must be specified';
    errors.push(fieldError.invalid('spec', spec.rules ?? null, why));
  }
  if (defaultBackend !== undefined) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  errors.push(...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)));
  for (const [i, entry] of tls.entries()) {
    for (const [j, host] of (entry.hosts ?? []).entries()) {
      const complaints = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
      errors.push(...named(complaints, host, `spec.tls[${i}].hosts[${j}]`));
    }
    const { secretName = '' } = entry;
    if (secretName !== '') {
      errors.push(...named(isDns1123Subdomain(secretName), secretName, `spec.tls[${i}].secretName`));
    }
  }
  if (ingressClassName !== undefined) {
    errors.push(...named(isDns1123Subdomain(ingressClassName), ingressClassName, 'spec.ingressClassName'));
  }
  return errors;
}

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

function validateNewIngress(object: KubeObject): FieldError[] {
  const errors = validateIngress(object);
  const { spec } = object as unknown as Ingress;
  const annotated = object.metadata.annotations?.[CLASS_ANNOTATION];
  const { ingressClassName } = spec ?? {};
  if (annotated === undefined || ingressClassName === undefined || annotated === ingressClassName) {
    return errors;
  }
  const why = 'must match `ingressClassName` when both are specified';
  return [...errors, fieldError.invalid(`annotations.${CLASS_ANNOTATION}`, annotated, why)];
}

function validateIngressStatus(object: KubeObject): FieldError[] {
  const entries = (object as unknown as Ingress).status?.loadBalancer?.ingress ?? [];
  return entries.flatMap(({ ip = '', hostname = '' }, i) => {
    const at = `status.loadBalancer.ingress[${i}]`;
    const errors = ip === '' ? [] : validAddress(ip, `${at}.ip`);
    if (hostname === '') return errors;
    errors.push(...named(isDns1123Subdomain(hostname), hostname, `${at}.hostname`));
    if (parseIp(hostname, { leadingZeros: true }) !== undefined) {
      errors.push(fieldError.invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
    return errors;
  });
}

export const ingress: BuiltinKind = {
  strategy: {
    generation: 'spec',
    validate: validateNewIngress,
    validateUpdate: validateIngress,
    warnings: ingressWarnings,
  },
  subresources: { status: statusSubresource({ validate: validateIngressStatus }) },
  printer: printers.ingresses,
};

// ---- IngressClass

// LIMIT: as upstream.
const CONTROLLER_MAX = 250;

type Parameters = NonNullable<NonNullable<IngressClass['spec']>['parameters']>;

function validateIngressClass(object: KubeObject): FieldError[] {
  const { controller = '', parameters } = (object as unknown as IngressClass).spec ?? {};
  const errors =
    controller.length > CONTROLLER_MAX ? [fieldError.tooLong('spec.controller', CONTROLLER_MAX)] : [];
  errors.push(...domainPrefixedPath(controller, 'spec.controller'));
  return parameters === undefined
    ? errors
    : [...errors, ...validateParameters(parameters, 'spec.parameters')];
}

function validateParameters(parameters: Parameters, at: string): FieldError[] {
  const { scope = '', namespace } = parameters;
  const errors = validateReference(parameters, at);
  if (scope !== 'Cluster' && scope !== 'Namespace') {
    return [...errors, fieldError.notSupported(`${at}.scope`, scope, ['Cluster', 'Namespace'])];
  }
  const path = `${at}.namespace`;
  if (scope === 'Cluster') {
    return namespace === undefined
      ? errors
      : [...errors, fieldError.forbidden(path, "`parameters.scope` is set to 'Cluster'")];
  }
  return namespace === undefined
    ? [...errors, fieldError.required(path, "`parameters.scope` is set to 'Namespace'")]
    : [...errors, ...named(isDns1123Label(namespace), namespace, path)];
}

export const ingressClass: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: { parameters?: object } }, 'spec', (spec) =>
      change(spec, 'parameters', (parameters) =>
        fill(parameters as { scope?: string }, { scope: 'Cluster' }),
      ),
    ) as unknown as KubeObject,
  strategy: {
    generation: 'spec',
    validate: validateIngressClass,
    validateUpdate: (next, old) => [
      ...immutable(
        (next as unknown as IngressClass).spec?.controller,
        (old as unknown as IngressClass).spec?.controller,
        'spec.controller',
      ),
      ...validateIngressClass(next),
    ],
  },
  printer: printers.ingressClasses,
};
