// The built-in kinds as resource definitions: names, versions and schemas from the generated data, behaviour from
// the files beside this one. A resource that nothing here gives a behaviour is stored and validated by its types
// alone; one that is no stored object (reviews, bindings) is served only where somebody brings the code for it.
import {
  builtinResources,
  builtinSchema,
  definitionFor,
  formatApiVersion,
  type BuiltinResource,
  type BuiltinSubresource,
  type JsonObject,
  type KubeObject,
  type Schema,
} from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import {
  storageRootOf,
  type Printer,
  type ResourceDefinition,
  type ResourceVerb,
  type ResourceVersion,
  type Strategy,
  type Subresource,
} from '../resource.ts';
import { TypedDecoders, type DecodeReport } from '../typed/decoder.ts';

/** What a family file says about one kind. */
export interface BuiltinKind {
  readonly strategy?: Strategy;
  /** Fills in what was left open, in one version; the value is the decoded object. */
  defaults?(object: KubeObject, version: string): KubeObject;
  readonly subresources?: Readonly<Record<string, Subresource>>;
  readonly printer?: Printer;
  /** apiVersion of the stored form, where it is not that of the first version. */
  readonly storedAs?: { readonly apiVersion: string; readonly root?: string };
  convert?: NonNullable<ResourceDefinition['convert']>;
  /** Answers every request itself. */
  readonly serve?: NonNullable<ResourceDefinition['serve']>;
}

/** By `group/plural`; the core group is the empty one: `/pods`. */
export type BuiltinKinds = Readonly<Record<string, BuiltinKind>>;

export const typedDecoders = new TypedDecoders(builtinSchema);

/** Decodes with the types of a definition and then fills in defaults. */
export function typedDecode(
  identity: { readonly group: string; readonly version: string; readonly kind: string },
  defaults?: (object: KubeObject, version: string) => KubeObject,
): (value: JsonObject, report: DecodeReport) => KubeObject {
  const definition = definitionFor(identity);
  assert(definition !== undefined, `no schema for ${identity.group}/${identity.version} ${identity.kind}`);
  return (value, report) => {
    const object = typedDecoders.decodeKind(definition, identity, value, report);
    return defaults?.(object, identity.version) ?? object;
  };
}

class BuiltinVersion implements ResourceVersion {
  readonly name: string;
  readonly served = true;
  readonly definition: string;
  readonly decode: ResourceVersion['decode'];
  readonly printer?: Printer;

  constructor(resource: BuiltinResource, kind: BuiltinKind) {
    this.name = resource.version;
    const definition = definitionFor(resource);
    assert(definition !== undefined, `no schema for ${resource.kind}`);
    this.definition = definition;
    this.decode = typedDecode(resource, kind.defaults?.bind(kind));
    if (kind.printer !== undefined) this.printer = kind.printer;
  }

  // Parsed when first asked for: a hub uses a few of the many kinds.
  get schema(): Schema {
    return builtinSchema(this.definition)!;
  }
}

function withStatusOf(next: KubeObject, old: KubeObject, keepLabels: boolean): KubeObject {
  const { status: _, metadata: oldMetadata, ...rest } = old;
  const { labels: _labels, ...metadata } = next.metadata;
  const labels = (keepLabels ? oldMetadata : next.metadata).labels;
  return Object.freeze({
    ...(rest as Omit<KubeObject, 'metadata'>),
    metadata: Object.freeze({ ...metadata, ...(labels === undefined ? {} : { labels }) }),
    ...(next['status'] === undefined ? {} : { status: next['status'] }),
  }) as KubeObject;
}

/** The status of an object, written by whoever observes it; nothing else changes by it. */
export function statusSubresource(
  listed: Pick<BuiltinSubresource, 'verbs'>,
  options: { readonly keepLabels?: boolean } = {},
): Subresource {
  return {
    verbs: listed.verbs,
    part: {
      prepareForUpdate: (next, old) => withStatusOf(next, old, options.keepLabels !== false),
      ignoredFields: ['spec'],
    },
  };
}

function subresourcesOf(
  resource: BuiltinResource,
  given: Readonly<Record<string, Subresource>>,
): Record<string, Subresource> {
  const found: Record<string, Subresource> = {};
  for (const listed of resource.subresources) {
    const own = given[listed.name];
    if (own !== undefined) found[listed.name] = own;
    else if (listed.name === 'status') found['status'] = statusSubresource(listed);
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
    if (resource === undefined || (!isStored(resource) && kind.serve === undefined)) continue;
    definitions.push(definitionOf(resource, versions, kind));
  }
  return definitions;
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
    strategy: kind.strategy ?? {},
    subresources: subresourcesOf(resource, kind.subresources ?? {}),
    itemsNameKind: false,
    ...(kind.convert === undefined ? {} : { convert: kind.convert }),
    ...(kind.serve === undefined ? {} : { serve: kind.serve }),
  };
}
