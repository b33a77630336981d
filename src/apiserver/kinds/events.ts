// Events: one storage, shown by the core group and by events.k8s.io under other field names.
import { convertVersion, type Event, type KubeObject } from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { fieldError, isQualifiedName, type FieldError } from '../../machinery/index.ts';
import { storageRootOf, type Strategy, type WriteContext } from '../resource.ts';
import { deepFreeze } from '../../api/index.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { named } from './checks.ts';
import * as printers from '../table/printers.ts';

function involvedNamespaceErrors(event: Event): FieldError[] {
  const { namespace: own = '' } = event.metadata;
  const { namespace = '' } = event.involvedObject ?? {};
  // COMPAT: events about cluster-scoped objects live in the default namespace.
  const fits = namespace === '' ? own === 'default' || own === '' : namespace === own;
  if (fits) return [];
  return [fieldError.invalid('involvedObject.namespace', namespace, 'does not match event.namespace')];
}

// LIMITS of what the newer API takes.
const MAX_TEXT_BYTES = 128;
const MAX_NOTE_BYTES = 1024;

function validateNewEvent(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const controller = event.reportingComponent ?? '';
  if (event.eventTime === undefined || event.eventTime === null)
    errors.push(fieldError.required('eventTime'));
  if (controller === '') errors.push(fieldError.required('reportingController'));
  else errors.push(...named(isQualifiedName(controller), controller, 'reportingController'));
  for (const [field, value] of [
    ['reportingInstance', event.reportingInstance],
    ['action', event.action],
    ['reason', event.reason],
  ] as const) {
    if ((value ?? '') === '') errors.push(fieldError.required(field));
    else if (Buffer.byteLength(value!) > MAX_TEXT_BYTES) {
      errors.push(fieldError.invalid(field, '', `can have at most ${MAX_TEXT_BYTES} characters`));
    }
  }
  if (Buffer.byteLength(event.message ?? '') > MAX_NOTE_BYTES) {
    errors.push(fieldError.invalid('message', '', `can have at most ${MAX_NOTE_BYTES} characters`));
  }
  if (!['Normal', 'Warning'].includes(event.type ?? '')) {
    errors.push(fieldError.invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  return errors;
}

function validateEvent(object: KubeObject, { version, group }: WriteContext): FieldError[] {
  const event = object as unknown as Event;
  const errors = involvedNamespaceErrors(event);
  // COMPAT: events written through the core group are hardly checked, for the sake of old clients.
  if (group === '' && version === 'v1') return errors;
  return [...errors, ...validateNewEvent(event)];
}

const SELECTABLE: Readonly<Record<string, (event: Event) => string | undefined>> = {
  'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind,
  'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace,
  'involvedObject.name': ({ involvedObject }) => involvedObject?.name,
  'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid,
  'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion,
  'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion,
  'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath,
  reason: ({ reason }) => reason,
  reportingComponent: ({ reportingComponent }) => reportingComponent,
  source: ({ source, reportingComponent }) => source?.component ?? reportingComponent,
  type: ({ type }) => type,
};

/** What the newer group calls the fields. */
function newName(field: string): string {
  if (field.startsWith('involvedObject.')) return field.replace('involvedObject', 'regarding');
  return field === 'reportingComponent' ? 'reportingController' : field;
}

function strategyOf(name: (field: string) => string): Strategy {
  const selectable = Object.entries(SELECTABLE).map(([field, read]) => [name(field), read] as const);
  return {
    createsOnUpdate: true,
    validate: validateEvent,
    selectableFields: (object) =>
      Object.fromEntries(selectable.map(([field, read]) => [field, read(object as unknown as Event) ?? ''])),
    selectableFieldNames: selectable.map(([field]) => field),
  };
}

const convert: NonNullable<BuiltinKind['convert']> = (objects, apiVersion) =>
  objects.map((object) => {
    const converted = convertVersion(object, apiVersion);
    assert(converted !== undefined, `no conversion of ${object.apiVersion} events to ${apiVersion}`);
    return inOrder(converted);
  });

/** kind and apiVersion first, as in all objects whose bytes lists share. */
function inOrder(object: KubeObject): KubeObject {
  const { kind, apiVersion, ...rest } = object;
  return deepFreeze({ kind, apiVersion, ...rest });
}

const storedAs = { apiVersion: 'v1', root: storageRootOf('', 'events') } as const;

export const events: BuiltinKinds = {
  '/events': { storedAs, strategy: strategyOf((field) => field), printer: printers.events },
  'events.k8s.io/events': { storedAs, convert, strategy: strategyOf(newName), printer: printers.newEvents },
};
