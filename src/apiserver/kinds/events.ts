// Events: one storage, shown by the core group and by events.k8s.io under other field names.
import { convertVersion, deepFreeze, type Event, type KubeObject } from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import { nameIsPathSegment, type NameRule } from '../../machinery/index.ts';
import { storageRootOf, type Strategy } from '../resource.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { validateEvent, validateEventUpdate } from './event-validation.ts';
import * as printers from '../table/printers.ts';

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

function strategyOf(name: (field: string) => string, nameRule?: NameRule): Strategy {
  const selectable = Object.entries(SELECTABLE).map(([field, read]) => [name(field), read] as const);
  return {
    createsOnUpdate: true,
    ...(nameRule === undefined ? {} : { nameRule }),
    validate: validateEvent,
    validateUpdate: validateEventUpdate,
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
  // COMPAT: in the core group an event may be called as any segment of a path.
  '/events': {
    storedAs,
    strategy: strategyOf((field) => field, nameIsPathSegment),
    printer: printers.events,
  },
  'events.k8s.io/events': { storedAs, convert, strategy: strategyOf(newName), printer: printers.newEvents },
};
