// From objects to answers: whole, as a table, or only their metadata; one, a list, or the events of a watch; as
// JSON, or YAML for people. Bytes of stored objects are encoded once and shared by every answer they are part of.
import type { KubeList, KubeObject, ObjectMeta, WatchEvent } from '../api/index.ts';
import { PROTOBUF_TYPE, StatusError, encodeJson, encodeProtobuf } from '../machinery/index.ts';
import type { ResourceCall } from './call.ts';
import type { ApiResponse } from './contract.ts';
import { encodeYaml } from './yaml-text.ts';
import { noYamlWatch } from './negotiation.ts';
import { tableOf, tableRows } from './table/table.ts';
import { warningHeaders } from './warning-headers.ts';

type Headers = Readonly<Record<string, string | readonly string[]>>;

function headersOf(call: ResourceCall): { readonly headers?: Headers } {
  return call.warnings.size === 0 ? {} : { headers: { warning: warningHeaders(call.warnings) } };
}

/** Answers with a value in the asked format. `encode` gives its bytes where they are not simply those of the value. */
function answer(call: ResourceCall, status: number, object: unknown, encode?: () => Uint8Array): ApiResponse {
  const { format, pretty } = call.representation;
  const headers = headersOf(call);
  if (format === 'protobuf') {
    const bytes = encodeProtobuf(object as KubeObject);
    return { kind: 'bytes', status, contentType: PROTOBUF_TYPE, bytes, ...headers };
  }
  if (format === 'yaml') {
    const value =
      encode === undefined ? object : (JSON.parse(Buffer.from(encode()).toString('utf8')) as unknown);
    const bytes = Buffer.from(encodeYaml(value), 'utf8');
    return { kind: 'bytes', status, contentType: 'application/yaml', bytes, ...headers };
  }
  if (pretty) {
    const value =
      encode === undefined ? object : (JSON.parse(Buffer.from(encode()).toString('utf8')) as unknown);
    const bytes = Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`, 'utf8');
    return { kind: 'bytes', status, contentType: 'application/json', bytes, ...headers };
  }
  return { kind: 'object', status, object, ...(encode === undefined ? {} : { encode }), ...headers };
}

// ---- one object

export function present(call: ResourceCall, status: number, object: unknown): ApiResponse {
  const { as } = call.representation;
  const whole = object as KubeObject;
  if (as === 'object' || whole.kind === 'Status') return answer(call, status, object);
  if (as === 'Table')
    return answer(
      call,
      status,
      tableOf(call, [whole], { resourceVersion: whole.metadata.resourceVersion ?? '' }),
    );
  if (as === 'PartialObjectMetadataList') {
    throw otherShape(as, `is not a list (${goTypeOf(call, whole.kind)})`);
  }
  return answer(call, status, partial(call, whole));
}

function otherShape(asked: string, found: string): StatusError {
  return new StatusError(406, 'NotAcceptable', `you requested ${asked}, but the requested object ${found}`);
}

/** COMPAT: the type inside kube-apiserver. */
function goTypeOf({ served: { definition } }: ResourceCall, kind: string): string {
  if (definition.custom === true) {
    return kind === definition.kind ? '*unstructured.Unstructured' : '*unstructured.UnstructuredList';
  }
  const room = definition.group.split('.', 1)[0] ?? '';
  return `*${room === '' || room === 'events' ? 'core' : room}.${kind}`;
}

const partials = new WeakMap<KubeObject, Map<string, KubeObject>>();

/** Only type and metadata of an object; shared like the object. */
function partial(call: ResourceCall, object: KubeObject): KubeObject {
  const apiVersion = `meta.k8s.io/${call.representation.metaVersion}`;
  let byVersion = partials.get(object);
  if (byVersion === undefined) partials.set(object, (byVersion = new Map()));
  let shown = byVersion.get(apiVersion);
  if (shown === undefined) {
    shown = Object.freeze({ kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata });
    byVersion.set(apiVersion, shown);
  }
  return shown;
}

// ---- lists

export interface ListPosition {
  /** Undefined: of objects that nobody stores. */
  readonly revision: number | undefined;
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

export function presentList(
  call: ResourceCall,
  objects: readonly KubeObject[],
  { revision, continueToken, remaining }: ListPosition,
): ApiResponse {
  const { definition, apiVersion } = call.served;
  const metadata = {
    // COMPAT: lists of custom resources always have a continue, lists of built-in kinds only when there is one.
    ...(continueToken !== '' || definition.itemsNameKind ? { continue: continueToken } : {}),
    ...(revision === undefined ? {} : { resourceVersion: String(revision) }),
    ...(remaining === undefined || remaining === 0 ? {} : { remainingItemCount: remaining }),
  };
  const { as, metaVersion } = call.representation;
  if (as === 'Table') return answer(call, 200, tableOf(call, objects, metadata));
  if (as === 'PartialObjectMetadata') {
    throw otherShape(as, `is a list (${goTypeOf(call, definition.listKind)})`);
  }
  if (as === 'PartialObjectMetadataList') {
    const list = {
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${metaVersion}`,
      metadata,
      items: objects.map((object) => partial(call, object)),
    };
    return answer(call, 200, list, () => encodeList(list, list.items, false));
  }
  const list: KubeList = { kind: definition.listKind, apiVersion, metadata, items: objects };
  return answer(call, 200, list, () => encodeList(list, objects, !definition.itemsNameKind));
}

const encoder = new TextEncoder();
const COMMA = encoder.encode(',');
const END = encoder.encode(']}');

/** The list's own fields, then the items' shared bytes. */
function encodeList(list: KubeList, items: readonly KubeObject[], anonymous: boolean): Uint8Array {
  const { items: _, ...rest } = list;
  const head = `${JSON.stringify(rest).slice(0, -1)},"items":[`;
  const parts: Uint8Array[] = [encoder.encode(head)];
  const prefix = anonymous ? typePrefix(items[0]) : undefined;
  for (let i = 0; i < items.length; i++) {
    if (i > 0) parts.push(COMMA);
    if (prefix === undefined) parts.push(encodeJson(items[i]));
    else pushAnonymous(parts, items[i]!, prefix);
  }
  parts.push(END);
  return Buffer.concat(parts);
}

const OPEN = encoder.encode('{');

function typePrefix(item: KubeObject | undefined): Uint8Array {
  const { kind, apiVersion } = item ?? { kind: '', apiVersion: '' };
  return encoder.encode(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`);
}

/** The object's shared bytes without kind and apiVersion, with which the decoder of built-in kinds starts them. */
function pushAnonymous(parts: Uint8Array[], item: KubeObject, prefix: Uint8Array): void {
  const bytes = encodeJson(item);
  if (Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0) {
    parts.push(OPEN, bytes.subarray(prefix.length));
    return;
  }
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = item;
  parts.push(encoder.encode(JSON.stringify(rest)));
}

// ---- watches

export interface EventShape {
  readonly contentType: string;
  readonly headers: { readonly headers?: Headers };
  event(type: WatchEvent['type'], object: KubeObject): WatchEvent;
  readonly frame?: (event: WatchEvent) => Uint8Array;
}

export function presentWatch(call: ResourceCall): EventShape {
  const { as, format } = call.representation;
  if (format === 'yaml') throw noYamlWatch();
  if (format === 'protobuf') {
    return {
      contentType: `${PROTOBUF_TYPE};stream=watch`,
      headers: headersOf(call),
      event: (type, object) => ({ type, object }),
      frame: (event) => call.core.frames.frame(event),
    };
  }
  const common = { contentType: 'application/json', headers: headersOf(call) };
  if (as === 'object') return { ...common, event: (type, object) => ({ type, object }) };
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
    return { ...common, event: (type, object) => ({ type, object: partial(call, object) }) };
  }
  // COMPAT: only the first event of a watch brings the columns.
  let first = true;
  return {
    ...common,
    event(type, object) {
      const metadata: ObjectMeta = { resourceVersion: object.metadata.resourceVersion ?? '' };
      // COMPAT: a bookmark has a row too, of what little its object says.
      const table = tableRows(call, [object], metadata, first);
      first = false;
      return { type, object: table };
    },
  };
}
