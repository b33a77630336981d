// The built-in kinds as resource definitions: names, versions and schemas from the generated data, behaviour from
// the files beside this one. A resource that nothing here gives a behaviour is stored and validated by its types
// alone; one that is no stored object (reviews, bindings) is served only where somebody brings the code for it.
import {
  builtinResources,
  builtinSchema,
  deepFreeze,
  definitionFor,
  referencedDefinition,
  resolveRef,
  formatApiVersion,
  type BuiltinResource,
  type KubeObject,
  type Schema,
} from '../../api/index.ts';
import { assert, type Random } from '../../base/index.ts';
import type { Storage } from '../../storage/index.ts';
import {
  storageRootOf,
  type Printer,
  type ResourceDefinition,
  type ResourceVerb,
  type ResourceVersion,
  type Strategy,
  type Subresource,
} from '../resource.ts';
import { statusSubresource } from './status.ts';
import { typedDecode, typedDecoders } from './typed-decode.ts';

/** What a family file says about one kind. */
export interface BuiltinKind {
  readonly strategy?: Strategy;
  /** Fills in what was left open, in one version; the value is the decoded object. */
  defaults?(object: KubeObject, version: string): KubeObject;
  readonly subresources?: Readonly<Record<string, Subresource>>;
  readonly printer?: Printer;
  /** apiVersion of the stored form, where it is not that of the first version. */
  readonly storedAs?: { readonly apiVersion: string; readonly root?: string };
  readonly convert?: NonNullable<ResourceDefinition['convert']>;
  /** A Warning sent with every answer. */
  readonly deprecationWarning?: string;
  /** What a client sends as status of a new object counts (nodes). */
  readonly keepsStatusOnCreate?: boolean;
  /** Answers every request itself. */
  readonly serve?: NonNullable<ResourceDefinition['serve']>;
  readonly observe?: NonNullable<ResourceDefinition['observe']>;
}

/** What kinds need of the server. */
export interface KindEnvironment {
  readonly storage: Storage<KubeObject>;
  readonly random: Random;
}

/** By `group/plural`; the core group is the empty one: `/pods`. */
export type BuiltinKinds = Readonly<Record<string, BuiltinKind>>;

class BuiltinVersion implements ResourceVersion {
  readonly name: string;
  readonly served = true;
  readonly definition: string;
  readonly decode: ResourceVersion['decode'];
  readonly resolveRef = resolveRef;
  readonly printer?: Printer;
  readonly deprecationWarning?: string;

  constructor(resource: BuiltinResource, kind: BuiltinKind) {
    this.name = resource.version;
    const definition = definitionFor(resource);
    assert(definition !== undefined, `no schema for ${resource.kind}`);
    this.definition = definition;
    this.decode = typedDecode(resource, kind.defaults?.bind(kind));
    if (kind.printer !== undefined) this.printer = kind.printer;
    if (kind.deprecationWarning !== undefined) this.deprecationWarning = kind.deprecationWarning;
  }

  // Parsed when first asked for: a hub uses a few of the many kinds.
  get schema(): Schema {
    return builtinSchema(this.definition)!;
  }
}

function subresourcesOf(
  resource: BuiltinResource,
  given: Readonly<Record<string, Subresource>>,
): Record<string, Subresource> {
  const found: Record<string, Subresource> = {};
  for (const listed of resource.subresources) {
    const own = given[listed.name];
    if (own !== undefined) found[listed.name] = own;
    else if (listed.name === 'status') found['status'] = statusSubresource();
  }
  return found;
}

/** Whether the resource is a collection of stored objects, not a question that is answered. */
function isStored({ verbs }: BuiltinResource): boolean {
  return verbs.includes('list') && verbs.includes('create');
}

export function builtinResourceDefinitions(kinds: BuiltinKinds): ResourceDefinition[] {
  const byResource = Map.groupBy(builtinResources(), ({ group, plural }) => `${group}/${plural}`);
  const definitions: ResourceDefinition[] = [];
  for (const [key, versions] of byResource) {
    const [resource] = versions;
    const kind = kinds[key] ?? {};
    if (resource === undefined) continue;
    const { serve, observe } = kind;
    if (!isStored(resource) && serve === undefined && observe === undefined) continue;
    definitions.push(definitionOf(resource, versions, kind));
  }
  return definitions;
}

/** Kinds with a status subresource start with an empty status, and only that subresource changes it. */
function strategyOf(resource: BuiltinResource, kind: BuiltinKind): Strategy {
  const strategy = kind.strategy ?? {};
  if (!resource.subresources.some(({ name }) => name === 'status')) return strategy;
  let zero: unknown;
  const withStatus = (object: KubeObject, status: unknown): KubeObject => {
    if (object['status'] === status) return object;
    const { status: _, ...rest } = object;
    return Object.freeze(status === undefined ? rest : { ...rest, status });
  };
  return {
    ...strategy,
    prepareForCreate(object, context) {
      zero ??= zeroStatus(resource);
      const next = kind.keepsStatusOnCreate === true ? object : withStatus(object, zero);
      return strategy.prepareForCreate?.(next, context) ?? next;
    },
    prepareForUpdate(given, old, context) {
      const next = withStatus(given, old['status']);
      return strategy.prepareForUpdate?.(next, old, context) ?? next;
    },
  };
}

function zeroStatus(resource: BuiltinResource): unknown {
  const definition = definitionFor(resource);
  const { status } = builtinSchema(definition ?? '')?.properties ?? {};
  const reference = status?.$ref ?? status?.allOf?.[0]?.$ref;
  return reference === undefined
    ? undefined
    : deepFreeze(typedDecoders.zero(referencedDefinition(reference)));
}

function definitionOf(
  resource: BuiltinResource,
  versions: readonly BuiltinResource[],
  kind: BuiltinKind,
): ResourceDefinition {
  return {
    group: resource.group,
    resource: resource.plural,
    singular: resource.singular,
    kind: resource.kind,
    listKind: `${resource.kind}List`,
    namespaced: resource.namespaced,
    shortNames: resource.shortNames,
    categories: resource.categories,
    verbs: resource.verbs as readonly ResourceVerb[],
    versions: versions.map((version) => new BuiltinVersion(version, kind)),
    storageApiVersion: kind.storedAs?.apiVersion ?? formatApiVersion(resource),
    storageRoot: kind.storedAs?.root ?? storageRootOf(resource.group, resource.plural),
    strategy: strategyOf(resource, kind),
    subresources: subresourcesOf(resource, kind.subresources ?? {}),
    itemsNameKind: false,
    ...(kind.convert === undefined ? {} : { convert: kind.convert }),
    ...(kind.serve === undefined ? {} : { serve: kind.serve }),
    ...(kind.observe === undefined ? {} : { observe: kind.observe }),
  };
}
