// LimitRange and ResourceQuota: how much a namespace, and what is in it, may have.
import type { KubeObject, LimitRange, LimitRangeItem, ResourceQuota } from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isQualifiedName,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, put } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { named, quantityNotNegative } from './checks.ts';
import {
  STANDARD_RESOURCES,
  isHugePages,
  validateContainerResource,
  validateResourceName,
} from './resource-names.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';

type QuotaSpec = NonNullable<ResourceQuota['spec']>;
type Amounts = Readonly<Record<string, string | number>>;

// ---- LimitRange

/** Default limits follow the maximum, default requests the default limits, and both the minimum. */
function limitDefaults(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== 'Container') return item;
  const withMissing = (own: Amounts | undefined, ...others: (Amounts | undefined)[]): Amounts | undefined => {
    const merged = Object.assign({}, ...others.toReversed(), own) as Amounts;
    return Object.keys(merged).length === 0 ? undefined : merged;
  };
  const limits = withMissing(item.default, item.max);
  const requests = withMissing(item.defaultRequest, limits, item.min);
  let next = item;
  if (limits !== undefined && !semanticEqual(limits, item.default)) next = put(next, 'default', limits);
  if (requests !== undefined && !semanticEqual(requests, item.defaultRequest)) {
    next = put(next, 'defaultRequest', requests);
  }
  return next;
}

const LIMIT_TYPES = ['Pod', 'Container', 'PersistentVolumeClaim'];

function limitTypeErrors(type: string, path: string): FieldError[] {
  const complaints = isQualifiedName(type);
  if (complaints.length > 0) return named(complaints, type, path);
  if (type.includes('/') || LIMIT_TYPES.includes(type)) return [];
  return [fieldError.invalid(path, type, 'must be a standard limit type or fully qualified')];
}

function validateLimitRange(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [i, item] of ((object as unknown as LimitRange).spec?.limits ?? []).entries()) {
    const path = `spec.limits[${i}]`;
    errors.push(...limitTypeErrors(item.type, `${path}.type`));
    if (types.has(item.type)) errors.push(fieldError.duplicate(`${path}.type`, item.type));
    types.add(item.type);
    if (item.type === 'Pod') {
      const why = "may not be specified when `type` is 'Pod'";
      if (item.default !== undefined) errors.push(fieldError.forbidden(`${path}.default`, why));
      if (item.defaultRequest !== undefined) errors.push(fieldError.forbidden(`${path}.defaultRequest`, why));
    }
    const names = new Set<string>();
    for (const field of AMOUNT_FIELDS) {
      if (field === 'maxLimitRequestRatio') errors.push(...claimErrors(item, path));
      // What a pod may not have is not looked into.
      if (item.type === 'Pod' && field.startsWith('default')) continue;
      for (const name of Object.keys(item[field] ?? {})) {
        errors.push(...limitedNameErrors(item.type, name, `${path}.${field}[${name}]`));
        names.add(name);
      }
    }
    for (const name of names) errors.push(...amountErrors(item, name, path));
  }
  return errors;
}

/** COMPAT: in the order in which upstream looks at them. */
const AMOUNT_FIELDS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
type AmountField = (typeof AMOUNT_FIELDS)[number];

const limitedNameErrors = (type: string, name: string, path: string): FieldError[] =>
  type === 'Pod' || type === 'Container'
    ? validateContainerResource(name, path)
    : validateResourceName(name, path);

function claimErrors({ type, min = {}, max = {} }: LimitRangeItem, path: string): FieldError[] {
  if (type !== 'PersistentVolumeClaim' || 'storage' in min || 'storage' in max) return [];
  const why = 'either minimum or maximum storage value is required, but neither was provided';
  // COMPAT: upstream names a field that there is not.
  return [fieldError.required(`${path}.limits`, why)];
}

/** What stands between two amounts of a resource: `above` may not be more than `below`. */
interface Order {
  readonly above: AmountField;
  readonly below: AmountField;
  /** The field that is complained about, and whose amount the complaint shows. */
  readonly at: AmountField;
  readonly shown: AmountField;
  readonly words: readonly [above: string, below: string];
}

/** COMPAT: in this order, and showing the amounts that upstream shows. */
const ORDERS: readonly Order[] = [
  { above: 'min', below: 'max', at: 'min', shown: 'min', words: ['min', 'max'] },
  {
    above: 'min',
    below: 'defaultRequest',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    words: ['min', 'default request'],
  },
  {
    above: 'defaultRequest',
    below: 'max',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    words: ['default request', 'max'],
  },
  {
    above: 'defaultRequest',
    below: 'default',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    words: ['default request', 'default limit'],
  },
  { above: 'min', below: 'default', at: 'default', shown: 'min', words: ['min', 'default'] },
  { above: 'default', below: 'max', at: 'default', shown: 'max', words: ['default', 'max'] },
];

const ONE_NANOS = 1_000_000_000n;

/** Whether the amounts of one resource go together. */
function amountErrors(item: LimitRangeItem, name: string, path: string): FieldError[] {
  const of = (field: AmountField): Quantity | undefined => Quantity.tryParse(item[field]?.[name]);
  const errors = ORDERS.flatMap(({ above, below, at, shown, words }) => {
    const [more, less] = [of(above), of(below)];
    if (more === undefined || less === undefined || more.nanos <= less.nanos) return [];
    const why = `${words[0]} value ${String(more)} is greater than ${words[1]} value ${String(less)}`;
    return [fieldError.invalid(`${path}.${at}[${name}]`, String(of(shown)), why)];
  });
  const ratio = of('maxLimitRequestRatio');
  if (ratio === undefined || ratio.nanos >= ONE_NANOS) return errors;
  const text = String(ratio);
  const at = `${path}.maxLimitRequestRatio[${name}]`;
  return [...errors, fieldError.invalid(at, text, `ratio ${text} is less than 1`)];
}

const limitRange: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as LimitRange, 'spec', (spec) =>
      change(spec, 'limits', (limits) => each(limits, limitDefaults)),
    ),
  strategy: { createsOnUpdate: true, validate: validateLimitRange },
};

// ---- ResourceQuota

/** What can be counted only in whole ones. */
const COUNTED = new Set([
  'pods',
  'services',
  'resourcequotas',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
const COMPUTE = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);
const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
/** Scopes that have values; the others only exist or do not. */
const WITH_VALUES = ['PriorityClass', 'VolumeAttributesClass'];
const CONFLICTING = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

function quotaNameErrors(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  const known =
    (STANDARD_RESOURCES.has(name) && name !== 'storage') || isHugePages(name.replace(/^requests\./, ''));
  if (!known && !name.includes('/')) {
    errors.push(fieldError.invalid(path, name, 'must be a standard resource for quota'));
  }
  return errors;
}

function validateQuota(object: KubeObject): FieldError[] {
  const { spec = {}, status = {} } = object as unknown as ResourceQuota;
  const errors: FieldError[] = [];
  const amounts: readonly (readonly [string, Amounts | undefined])[] = [
    ['spec.hard', spec.hard],
    ['status.hard', status.hard],
    ['status.used', status.used],
  ];
  for (const [path, values] of amounts) {
    for (const [name, value] of Object.entries(values ?? {})) {
      const at = `${path}[${name}]`;
      errors.push(...quotaNameErrors(name, at), ...quantityNotNegative(value, at));
      const quantity = Quantity.tryParse(value);
      if (COUNTED.has(name) && quantity !== undefined && quantity.nanos % ONE_NANOS !== 0n) {
        errors.push(fieldError.invalid(at, String(quantity), 'must be an integer'));
      }
    }
  }
  const resources = Object.keys(spec.hard ?? {});
  errors.push(...scopeErrors(spec.scopes ?? [], resources, 'spec.scopes', spec.scopes));
  return [...errors, ...selectorErrors(spec, resources)];
}

/** @param shown what messages show as the value */
function scopeErrors(
  scopes: readonly string[],
  resources: readonly string[],
  path: string,
  shown: unknown,
): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (why: string): void => {
    errors.push(fieldError.invalid(path, shown, why));
  };
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) refuse('unsupported scope');
    for (const resource of resources.toSorted()) {
      if (STANDARD_RESOURCES.has(resource) && !fits(scope, resource)) {
        refuse('unsupported scope applied to resource');
      }
    }
  }
  for (const pair of CONFLICTING)
    if (pair.every((scope) => scopes.includes(scope))) refuse('conflicting scopes');
  return errors;
}

/** COMPAT: paths do not say which of the expressions is meant. */
function selectorErrors({ scopeSelector, scopes }: QuotaSpec, resources: readonly string[]): FieldError[] {
  const path = 'spec.scopeSelector.matchExpressions';
  const expressions = scopeSelector?.matchExpressions ?? [];
  const errors = expressions.flatMap(({ scopeName, operator, values = [] }) => [
    ...(SCOPES.includes(scopeName)
      ? []
      : [fieldError.invalid(`${path}.scopeName`, scopeName, 'unsupported scope')]),
    ...resources
      .toSorted()
      .filter((resource) => STANDARD_RESOURCES.has(resource) && !fits(scopeName, resource))
      .map(() => fieldError.invalid(path, scopeSelector, 'unsupported scope applied to resource')),
    ...operatorErrors(path, scopeName, operator, values),
  ]);
  for (const pair of CONFLICTING) {
    if (pair.every((scope) => expressions.some(({ scopeName }) => scopeName === scope))) {
      errors.push(fieldError.invalid(path, scopes ?? null, 'conflicting scopes'));
    }
  }
  return errors;
}

function operatorErrors(
  path: string,
  scope: string,
  operator: string,
  values: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (SCOPES.includes(scope) && !WITH_VALUES.includes(scope) && operator !== 'Exists') {
    const why =
      "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(fieldError.invalid(`${path}.operator`, operator, why));
  }
  if (operator === 'In' || operator === 'NotIn') {
    const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    if (values.length === 0) errors.push(fieldError.required(`${path}.values`, why));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const why = "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector";
    if (values.length > 0) errors.push(fieldError.invalid(`${path}.values`, values, why));
  } else {
    errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  return errors;
}

/** Scopes are about pods, the best effort only about their number, and one about claims. */
function fits(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass') {
    return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
  }
  return SCOPES.includes(scope) ? resource === 'pods' || COMPUTE.has(resource) : true;
}

const resourceQuota: BuiltinKind = {
  strategy: {
    returnsDeleted: true,
    validate: validateQuota,
    validateUpdate(next, old) {
      const scopes = (object: KubeObject): readonly string[] =>
        [...((object as unknown as ResourceQuota).spec?.scopes ?? [])].sort();
      const errors = validateQuota(next);
      if (!semanticEqual(scopes(next), scopes(old))) {
        errors.push(fieldError.invalid('spec.scopes', scopes(next), 'field is immutable'));
      }
      return errors;
    },
  },
  subresources: { status: statusSubresource({ changesLabels: true, validate: validateQuota }) },
  printer: printers.resourceQuotas,
};

export const quotas: BuiltinKinds = { '/limitranges': limitRange, '/resourcequotas': resourceQuota };
