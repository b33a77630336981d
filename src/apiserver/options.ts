// The options of requests (meta/v1 CreateOptions, UpdateOptions, PatchOptions, DeleteOptions, ListOptions), read
// from query and body and checked in kube-apiserver's words.
import type { JsonObject } from '../api/index.ts';
import {
  badRequest,
  fieldError,
  invalid,
  parseFieldSelector,
  parseLabelSelector,
  validateFieldManager,
  type FieldError,
  type FieldSelector,
  type Selector,
} from '../machinery/index.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Only of PatchOptions. */
  readonly force: boolean | undefined;
}

export type OptionsKind =
  | 'CreateOptions'
  | 'UpdateOptions'
  | 'PatchOptions'
  | 'DeleteOptions'
  | 'ListOptions';

function refuse(kind: OptionsKind, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
}

/** Go's strconv.ParseBool as query values are read: a bare key means true. */
export function queryBoolean(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  return !(value === 'false' || value === '0' || value === '');
}

function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^[+-]?\d+$/.test(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  return Number(value);
}

function checkDryRun(values: readonly string[]): FieldError[] {
  return values.every((value) => value === 'All') ? [] : [fieldError.notSupported('dryRun', values, ['All'])];
}

export function parseWriteOptions(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  apply = false,
): WriteOptions {
  if (query.size === 0 && !apply) return DEFAULT_WRITE_OPTIONS;
  const onlyManager = query.size === 1 && !apply ? query.get('fieldManager') : null;
  const known = onlyManager === null ? undefined : ofManagers.get(onlyManager);
  if (known !== undefined) return known;
  const dryRun = query.getAll('dryRun');
  const fieldManager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') ?? '';
  const errors: FieldError[] = [];
  const force = queryBoolean(query, 'force');
  if (kind === 'PatchOptions') {
    if (apply && fieldManager === '') {
      errors.push(fieldError.required('fieldManager', 'is required for apply patch'));
    }
    if (!apply && force !== undefined) {
      errors.push(fieldError.forbidden('force', 'may not be specified for non-apply patch'));
    }
  }
  errors.push(...validateFieldManager(fieldManager, 'fieldManager'), ...checkDryRun(dryRun));
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
    const supported = ['', 'Ignore', 'Strict', 'Warn'];
    errors.push(fieldError.notSupported('fieldValidation', fieldValidation, supported));
  }
  refuse(kind, errors);
  const options: WriteOptions = {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
    force,
  };
  if (onlyManager !== null && ofManagers.size < MANAGERS_MAX) ofManagers.set(onlyManager, options);
  return options;
}

// LIMIT: managers whose options are remembered; names come from clients.
const MANAGERS_MAX = 100;
/** Options that say nothing but who writes, as nearly all do. */
const ofManagers = new Map<string, WriteOptions>();

const DEFAULT_WRITE_OPTIONS: WriteOptions = {
  dryRun: false,
  fieldManager: '',
  fieldValidation: 'Warn',
  force: undefined,
};

// ---- delete

export type PropagationPolicy = 'Orphan' | 'Background' | 'Foreground';

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly propagationPolicy: PropagationPolicy | undefined;
}

/** @param body the decoded DeleteOptions of the request, if it had any; it wins over the query */
export function parseDeleteOptions(query: URLSearchParams, body: JsonObject | undefined): DeleteOptions {
  if (body === undefined && query.size === 0) return DEFAULT_DELETE_OPTIONS;
  const given = body ?? deleteOptionsFromQuery(query);
  const preconditions = (given['preconditions'] ?? {}) as JsonObject;
  const dryRun = (given['dryRun'] ?? []) as readonly string[];
  const policy = given['propagationPolicy'] as string | undefined | null;
  const orphan = given['orphanDependents'] as boolean | undefined | null;
  const errors: FieldError[] = [];
  if (policy !== undefined && policy !== null) {
    if (orphan !== undefined && orphan !== null) {
      const why = 'orphanDependents and deletionPropagation cannot be both set';
      errors.push(fieldError.invalid('propagationPolicy', policy, why));
    } else if (!['Orphan', 'Background', 'Foreground'].includes(policy)) {
      const supported = ['Foreground', 'Background', 'Orphan', 'nil'];
      errors.push(fieldError.notSupported('propagationPolicy', policy, supported));
    }
  }
  errors.push(...checkDryRun(dryRun));
  refuse('DeleteOptions', errors);
  return {
    dryRun: dryRun.length > 0,
    gracePeriodSeconds: (given['gracePeriodSeconds'] as number | undefined | null) ?? undefined,
    uid: (preconditions['uid'] as string | undefined | null) ?? undefined,
    resourceVersion: (preconditions['resourceVersion'] as string | undefined | null) ?? undefined,
    orphanDependents: orphan ?? undefined,
    propagationPolicy: (policy ?? undefined) as PropagationPolicy | undefined,
  };
}

const DEFAULT_DELETE_OPTIONS: DeleteOptions = {
  dryRun: false,
  gracePeriodSeconds: undefined,
  uid: undefined,
  resourceVersion: undefined,
  orphanDependents: undefined,
  propagationPolicy: undefined,
};

function deleteOptionsFromQuery(query: URLSearchParams): JsonObject {
  const dryRun = query.getAll('dryRun');
  const grace = queryInteger(query, 'gracePeriodSeconds');
  const orphan = queryBoolean(query, 'orphanDependents');
  const policy = query.get('propagationPolicy');
  return {
    ...(dryRun.length === 0 ? {} : { dryRun }),
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
    ...(policy === null || policy === '' ? {} : { propagationPolicy: policy }),
  };
}

// ---- list and watch

export interface ListQuery {
  readonly labelSelector: Selector;
  readonly fieldSelector: FieldSelector;
  readonly limit: number;
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

export function parseListQuery(query: URLSearchParams, watch: boolean): ListQuery {
  const limit = queryInteger(query, 'limit') ?? 0;
  const match = query.get('resourceVersionMatch') ?? '';
  const resourceVersion = query.get('resourceVersion') ?? '';
  const continueToken = query.get('continue') ?? '';
  const sendInitialEvents = queryBoolean(query, 'sendInitialEvents');
  const labelSelector = parseLabelSelector(query.get('labelSelector') ?? '');
  const fieldSelector = parseFieldSelector(query.get('fieldSelector') ?? '');
  const timeoutSeconds = queryInteger(query, 'timeoutSeconds');
  refuse(
    'ListOptions',
    watch
      ? watchErrors(match, continueToken, sendInitialEvents)
      : listErrors(match, resourceVersion, continueToken, sendInitialEvents),
  );
  return {
    labelSelector,
    fieldSelector,
    limit: watch ? 0 : Math.max(0, limit),
    continueToken,
    resourceVersion,
    resourceVersionMatch: match as ListQuery['resourceVersionMatch'],
    allowWatchBookmarks: queryBoolean(query, 'allowWatchBookmarks') ?? false,
    sendInitialEvents,
    timeoutSeconds,
  };
}

function watchErrors(
  match: string,
  continueToken: string,
  sendInitialEvents: boolean | undefined,
): FieldError[] {
  const field = 'resourceVersionMatch';
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    const why = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    errors.push(fieldError.forbidden(field, why));
  }
  if (match === '') return errors;
  if (sendInitialEvents === undefined) {
    const why = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    errors.push(fieldError.forbidden(field, why));
  }
  if (match !== 'NotOlderThan') errors.push(fieldError.notSupported(field, match, ['NotOlderThan']));
  if (continueToken !== '') {
    errors.push(fieldError.forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}

function listErrors(
  match: string,
  resourceVersion: string,
  continueToken: string,
  sendInitialEvents: boolean | undefined,
): FieldError[] {
  const field = 'resourceVersionMatch';
  const errors: FieldError[] = [];
  if (match !== '' && resourceVersion === '') {
    errors.push(
      fieldError.forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  }
  if (match !== '' && continueToken !== '') {
    errors.push(fieldError.forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (!['', 'Exact', 'NotOlderThan'].includes(match)) {
    errors.push(fieldError.notSupported(field, match, ['Exact', 'NotOlderThan', '']));
  } else if (match === 'Exact' && resourceVersion === '0') {
    const why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
    errors.push(fieldError.forbidden(field, why));
  }
  if (sendInitialEvents !== undefined) {
    errors.push(fieldError.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}
