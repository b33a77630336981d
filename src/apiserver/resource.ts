// What the API server knows of a resource: names, versions, how its objects are decoded, prepared, checked and
// shown. Built-in kinds, custom resources and the hub's own kinds are all ResourceDefinitions; the verbs know
// nothing else, so a kind behaves the same whichever way it came to be.
//
// Objects that hooks receive and return are frozen and shared: a hook builds a new one or returns the same.
import type { JsonObject, KubeObject, Schema } from '../api/index.ts';
import type { Random } from '../base/index.ts';
import type { FieldError, NameRule, RefResolver, UserInfo } from '../machinery/index.ts';
import type { ApiRequest, ApiResponse, RequestInfo } from './contract.ts';
import type { ObjectAccess } from './object-access.ts';
import type { DecodeReport } from './typed/decoder.ts';

export type ResourceVerb =
  | 'create'
  | 'delete'
  | 'deletecollection'
  | 'get'
  | 'list'
  | 'patch'
  | 'update'
  | 'watch';

export const ALL_VERBS: readonly ResourceVerb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

export type { DecodeReport };

/** meta/v1 TableColumnDefinition. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** What `kubectl get` prints of a kind. */
export interface Printer {
  readonly columns: readonly ColumnDefinition[];
  /** One cell for each column. `nowMs` is for ages. */
  cells(object: KubeObject, nowMs: number): readonly unknown[];
  /** What the row says of the object as a whole; absent: never anything. */
  conditions?(object: KubeObject): readonly RowCondition[];
  /** The order of rows; absent: that of the list. */
  readonly order?: (a: KubeObject, b: KubeObject) => number;
}

export interface RowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface ResourceVersion {
  readonly name: string;
  /** Not served: stored objects of this version can still be read. */
  readonly served: boolean;
  /** Where OpenAPI names this kind, e.g. `io.k8s.api.apps.v1.Deployment`. */
  readonly definition: string;
  readonly schema: Schema;
  /** Resolves the schema's references; absent: it has none. */
  readonly resolveRef?: RefResolver;
  /** A Warning sent with every answer of this version. */
  readonly deprecationWarning?: string;
  /**
   * Turns a client's JSON (its apiVersion and kind are already right) into an object of this version with its
   * defaults: frozen, and without what the schema does not know, which goes to the report.
   * Throws a 400 StatusError for values of wrong types.
   */
  decode(value: JsonObject, report: DecodeReport): KubeObject;
  readonly printer?: Printer;
}

/** What a hook may know of the write it takes part in. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly nowMs: number;
  readonly dryRun: boolean;
  readonly random: Random;
  /** Group and version of the request. */
  readonly group: string;
  readonly version: string;
  readonly warn: (message: string) => void;
}

/** Something a write holds until it is known whether it happened, e.g. an allocated address. */
export interface Reservation {
  readonly object: KubeObject;
  /** Called once, with whether the object was written; the answer waits for it. */
  settle(written: boolean): Promise<void>;
}

/** How a kind behaves beyond what all have in common. All objects are of the storage version. */
export interface Strategy {
  /** How names are checked; the default is the DNS subdomain. */
  readonly nameRule?: NameRule;
  /**
   * Whether metadata.generation counts: `never`; `spec`: changes of anything but metadata and status;
   * or the hook decides whether a change counts.
   */
  readonly generation?: 'never' | 'spec' | ((next: KubeObject, old: KubeObject) => boolean);
  /** PUT to a name that does not exist creates. */
  readonly createsOnUpdate?: boolean;
  /** Updates must carry a resourceVersion. */
  readonly requiresResourceVersion?: boolean;
  /** DELETE answers with the object instead of a Status. */
  readonly returnsDeleted?: boolean;
  /** COMPAT: what DELETE without a policy does with dependents; the default is to collect them in the background. */
  readonly orphansByDefault?: boolean;
  /** Tells a client that did not say what to do with dependents. */
  readonly orphanWarning?: string;
  prepareForCreate?(object: KubeObject, context: WriteContext): KubeObject;
  prepareForUpdate?(next: KubeObject, old: KubeObject, context: WriteContext): KubeObject;
  /** Checks a new object; metadata has been checked already. */
  validate?(object: KubeObject, context: WriteContext): readonly FieldError[];
  /** Checks a change; the default runs `validate` on the new object. */
  validateUpdate?(next: KubeObject, old: KubeObject, context: WriteContext): readonly FieldError[];
  /** What the server takes but advises against; sent as Warning headers. */
  warnings?(object: KubeObject, old: KubeObject | undefined): readonly string[];
  /** Takes what the object needs from a pool. `old` is undefined on create; undefined result: nothing was taken. */
  reserve?(
    object: KubeObject,
    old: KubeObject | undefined,
    context: WriteContext,
  ): Promise<Reservation | undefined>;
  /** Told of every object that is gone; the answer waits for it. */
  deleted?(object: KubeObject): Promise<void>;
  /** Values of the fields that selectors may name besides metadata.name and metadata.namespace. */
  selectableFields?(object: KubeObject): Readonly<Record<string, string>>;
  /** The names of those fields, for messages. */
  readonly selectableFieldNames?: readonly string[];
  /**
   * Deletion in two steps (pods): how many seconds the object has left, 0 for at once. Absent: at once.
   * `asked` is undefined when the client left the choice to the server.
   */
  gracePeriodSeconds?(object: KubeObject, asked: number | undefined): number;
  /** What else changes when deletion begins (namespaces: phase and finalizers of the spec). */
  beginDeletion?(object: KubeObject): KubeObject;
  /** Whether something besides metadata.finalizers still holds an object that is being deleted. */
  isHeld?(object: KubeObject): boolean;
}

/** One request to a subresource that is served by code of its own. */
export interface SubresourceCall {
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly context: WriteContext;
  /** Reads the object that the subresource belongs to; throws NotFound. */
  parent(): Promise<KubeObject>;
  /** The body as JSON; throws a 400 StatusError when there is none. */
  body(): JsonObject;
  /** The body as an object of the subresource's own kind. */
  object(): KubeObject;
  /**
   * What admission makes of an object that is created here; throws a StatusError when it refuses. `prepare` is what the
   * server itself fills in between the rules that change objects and those that check them.
   */
  admitCreate(object: KubeObject, prepare?: (object: KubeObject) => KubeObject): Promise<KubeObject>;
  /**
   * Changes the parent object: reads it, lets `change` build the next one, checks preconditions and validation as an
   * update does, and stores it. Tries again when somebody else was faster.
   * COMPAT: admission has seen the object of the subresource, not what becomes of its parent.
   */
  update(change: (parent: KubeObject) => KubeObject): Promise<KubeObject>;
  /** The same as an update of the parent object itself: its generation counts it, and all its rules are checked. */
  replace(change: (parent: KubeObject) => KubeObject): Promise<KubeObject>;
  /** Deletes the parent object with the given meta/v1 DeleteOptions; admission is not asked about it. */
  delete(options: JsonObject): Promise<ApiResponse>;
  /** Answers with an object in the representation that the client asked for. */
  present(status: number, object: unknown): ApiResponse;
  /** Throws a 422 StatusError about the body. */
  refuseInvalid(kind: string, errors: readonly FieldError[]): never;
  /** Other objects that the subresource has to look at. */
  readonly objects: ObjectAccess;
}

export interface Subresource {
  /** The kind that it takes and gives; absent: that of the resource. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  /** apiVersions of that kind from which nothing has changed since. */
  readonly olderApiVersions?: readonly string[];
  readonly verbs: readonly string[];
  /**
   * A part of the object, written as a whole object (status, finalize, approval, resize): what of `next` counts.
   */
  readonly part?: {
    prepareForUpdate(next: KubeObject, old: KubeObject, context: WriteContext): KubeObject;
    validateUpdate?(next: KubeObject, old: KubeObject, context: WriteContext): readonly FieldError[];
    /** Paths (`spec`, `metadata.labels`) that a write here cannot change, so that nobody owns them by it. */
    readonly ignoredFields: readonly string[];
  };
  /** Answers every request itself, instead of `part`. */
  readonly serve?: (call: SubresourceCall) => Promise<ApiResponse>;
  /** Opens a connection (exec, proxy): admission is asked first, and sees the query as options of this kind. */
  readonly connects?: string;
  /** With `serve`: what it answers is no object but a stream or another server's words, in whatever form it likes. */
  readonly streams?: boolean;
  /**
   * Verbs of the request that are authorized as other verbs, on the object itself and besides `get`: what the subresource
   * does takes a right of its own, and no right to change the object otherwise.
   */
  readonly authorizedAs?: Readonly<Record<string, string>>;
  /** The object shown as another kind, and the other kind written back (scale). */
  readonly projection?: Projection;
}

export interface Projection {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** Throws a StatusError when the object cannot be shown this way. */
  read(object: KubeObject): KubeObject;
  /** Checks `shown` and takes it over into `object`. */
  write(object: KubeObject, shown: KubeObject): KubeObject;
  decode(value: JsonObject, report: DecodeReport): KubeObject;
  validate(shown: KubeObject): readonly FieldError[];
  /** Where OpenAPI names the other kind, a built-in one. */
  readonly definition: string;
}

export interface ResourceDefinition {
  readonly group: string;
  /** Plural. */
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly ResourceVerb[];
  /** In order of preference. */
  readonly versions: readonly ResourceVersion[];
  /** The apiVersion in which objects are stored and which strategy hooks see. */
  readonly storageApiVersion: string;
  /** `/registry/apps/deployments/`: two definitions with the same root show the same objects. */
  readonly storageRoot: string;
  readonly strategy: Strategy;
  readonly subresources: Readonly<Record<string, Subresource>>;
  /** COMPAT: lists of built-in kinds leave out apiVersion and kind of their items, lists of custom resources do not. */
  readonly itemsNameKind: boolean;
  /** Between versions; absent: there is one version. Sync or not, the results are frozen and in order. */
  readonly convert?: (
    objects: readonly KubeObject[],
    apiVersion: string,
  ) => readonly KubeObject[] | Promise<readonly KubeObject[]>;
  /** Serves the whole resource itself (reviews, proxies to another server), instead of the verbs over storage. */
  serve?(call: {
    readonly request: ApiRequest;
    readonly info: RequestInfo;
    readonly context: WriteContext;
    /** Answers the same request as if it had been sent there. Nobody is asked again whether the user may. */
    readonly passOn: (to: Pick<RequestInfo, 'resource' | 'subresource' | 'name'>) => Promise<ApiResponse>;
  }): Promise<ApiResponse>;
  /** Objects that nobody stores, in order: how they are is found out when they are asked for. */
  observe?(): Promise<readonly KubeObject[]>;
  /** A custom resource; some messages and checks differ from those of built-in kinds. */
  readonly custom?: boolean;
  /** Watches from before this revision are refused with 410: the resource was not served then. */
  readonly watchableFromRevision?: number;
}

export function storageRootOf(group: string, resource: string): string {
  return `/registry/${group === '' ? 'core' : group}/${resource}/`;
}

export function storageKey(definition: ResourceDefinition, namespace: string, name: string): string {
  return definition.namespaced
    ? `${definition.storageRoot}${namespace}/${name}`
    : `${definition.storageRoot}${name}`;
}
