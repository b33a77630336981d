// What makes events valid. Those of the newer group are looked at strictly, those of the core group hardly at all, for the
// sake of old clients. The words and the order are kube-apiserver's.
import type { Event, KubeObject, ObjectReference } from '../../api/index.ts';
import {
  FIELD_IMMUTABLE,
  byteLength,
  fieldError,
  isDns1123Subdomain,
  isQualifiedName,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import type { WriteContext } from '../resource.ts';
import { named } from './checks.ts';

// LIMITS of what the newer API takes.
const MAX_TEXT_BYTES = 128;
const MAX_NOTE_BYTES = 1024;

const isCore = ({ group }: WriteContext): boolean => group === '';
const isSet = (time: string | null | undefined): boolean => time !== undefined && time !== null;

/** What every event must be, whichever group it comes through. */
function validateAnyEvent(event: Event, context: WriteContext): FieldError[] {
  const { namespace: own = '' } = event.metadata;
  const { namespace = '' } = event.involvedObject ?? {};
  const errors: FieldError[] = [];
  // COMPAT: events about cluster-scoped objects live in the default namespace, newer ones also in that of the system.
  const fits = isSet(event.eventTime)
    ? namespace !== '' || own === 'default' || own === 'kube-system'
    : namespace === ''
      ? own === 'default' || own === ''
      : namespace === own;
  if (!fits) {
    const why = 'does not match event.namespace';
    errors.push(fieldError.invalid('involvedObject.namespace', namespace, why));
  }
  if (isSet(event.eventTime)) errors.push(...reporterErrors(event, context));
  return [...errors, ...named(isDns1123Subdomain(own), own, 'namespace')];
}

function reporterErrors(event: Event, context: WriteContext): FieldError[] {
  const { reportingComponent: controller = '', message = '' } = event;
  const path = isCore(context) ? 'reportingComponent' : 'reportingController';
  const long = (field: string, most: number): FieldError =>
    fieldError.invalid(field, '', `can have at most ${most} characters`);
  const errors = controller === '' ? [fieldError.required(path)] : [];
  errors.push(...named(isQualifiedName(controller), controller, path));
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const value = event[field] ?? '';
    if (value === '') errors.push(fieldError.required(field));
    if (byteLength(value) > MAX_TEXT_BYTES) errors.push(long(field, MAX_TEXT_BYTES));
  }
  if (byteLength(message) > MAX_NOTE_BYTES) errors.push(long('message', MAX_NOTE_BYTES));
  return errors;
}

function seriesErrors({ series }: Event): FieldError[] {
  if (series === undefined) return [];
  return [
    ...((series.count ?? 0) < 2 ? [fieldError.invalid('series.count', '', 'should be at least 2')] : []),
    ...(isSet(series.lastObservedTime) ? [] : [fieldError.required('series.lastObservedTime')]),
  ];
}

export function validateEvent(object: KubeObject, context: WriteContext): FieldError[] {
  const event = object as unknown as Event;
  const errors = validateAnyEvent(event, context);
  if (isCore(context)) return errors;
  errors.push(...seriesErrors(event));
  if (!isSet(event.eventTime)) errors.push(fieldError.required('eventTime'));
  const { type = '', source = {} } = event;
  if (type !== 'Normal' && type !== 'Warning') {
    errors.push(fieldError.invalid('type', '', `has invalid value: ${type}`));
  }
  const old = {
    firstTimestamp: isSet(event.firstTimestamp),
    lastTimestamp: isSet(event.lastTimestamp),
    count: (event.count ?? 0) !== 0,
    source: (source.component ?? '') !== '' || (source.host ?? '') !== '',
  };
  for (const [field, used] of Object.entries(old)) {
    if (used) errors.push(fieldError.invalid(field, '', 'needs to be unset'));
  }
  return errors;
}

/** COMPAT: shown with the names of upstream's own type. */
function shownReference(reference: Partial<ObjectReference> | undefined): unknown {
  if (reference === undefined) return null;
  const { kind = '', namespace = '', name = '', uid = '', apiVersion = '' } = reference;
  return {
    Kind: kind,
    Namespace: namespace,
    Name: name,
    UID: uid,
    APIVersion: apiVersion,
    ResourceVersion: reference.resourceVersion ?? '',
    FieldPath: reference.fieldPath ?? '',
  };
}

const KEPT: readonly (readonly [field: string, read: (event: Event) => unknown])[] = [
  ['involvedObject', (event) => shownReference(event.involvedObject)],
  ['reason', (event) => event.reason ?? ''],
  ['message', (event) => event.message ?? ''],
  ['source', ({ source = {} }) => ({ Component: source.component ?? '', Host: source.host ?? '' })],
  ['firstTimestamp', (event) => event.firstTimestamp ?? null],
  ['lastTimestamp', (event) => event.lastTimestamp ?? null],
  ['count', (event) => event.count ?? 0],
  // COMPAT: looked at twice.
  ['reason', (event) => event.reason ?? ''],
  ['type', (event) => event.type ?? ''],
  ['eventTime', (event) => event.eventTime ?? null],
  ['action', (event) => event.action ?? ''],
  ['related', (event) => shownReference(event.related)],
  ['reportingController', (event) => event.reportingComponent ?? ''],
  ['reportingInstance', (event) => event.reportingInstance ?? ''],
];

/** Through the newer group only the series goes on. */
export function validateEventUpdate(next: KubeObject, old: KubeObject, context: WriteContext): FieldError[] {
  const [event, before] = [next as Event, old as Event];
  const errors = validateAnyEvent(event, context);
  if (isCore(context)) return errors;
  if (!semanticEqual(event.series, before.series)) errors.push(...seriesErrors(event));
  for (const [field, read] of KEPT) {
    const value = read(event);
    if (semanticEqual(value, read(before))) continue;
    errors.push(fieldError.invalid(field, value, FIELD_IMMUTABLE));
  }
  return errors;
}
