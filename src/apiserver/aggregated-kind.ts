// A kind of our own that is served beside the built-in ones instead of as a custom resource: what upstream serves
// from an aggregated API server. Decoded by its types, as a Go server would.
import { deepFreeze, type KindDefinition, type KubeObject, type Schema } from '../api/index.ts';
import { statusSubresource } from './kinds/status.ts';
import {
  ALL_VERBS,
  storageRootOf,
  type Printer,
  type ResourceDefinition,
  type Strategy,
  type Subresource,
} from './resource.ts';
import { TypedDecoders } from './typed/decoder.ts';

export interface AggregatedKindOptions {
  readonly strategy: Strategy;
  readonly printer: Printer;
  /** What a write of the status is brought to. */
  prepareStatus?(object: KubeObject): KubeObject;
  /** Besides `status`. */
  readonly subresources?: Readonly<Record<string, Subresource>>;
  /** Where OpenAPI names the kind. */
  readonly definition: string;
}

const EMPTY_STATUS = Object.freeze({});

/** The one version of `kind`, with a status subresource. */
export function aggregatedKind(kind: KindDefinition, options: AggregatedKindOptions): ResourceDefinition {
  const [version] = kind.versions;
  if (version === undefined) throw new TypeError(`${kind.kind} has no version`);
  const { definition, strategy } = options;
  const schema: Schema = version.schema;
  const decoders = new TypedDecoders((name) => (name === definition ? schema : undefined));
  const identity = { group: kind.group, version: version.name, kind: kind.kind };
  return {
    group: kind.group,
    resource: kind.plural,
    singular: kind.kind.toLowerCase(),
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    namespaced: kind.namespaced,
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    verbs: ALL_VERBS,
    versions: [
      {
        name: version.name,
        served: true,
        definition,
        schema,
        decode: (value, report) => deepFreeze(decoders.decodeKind(definition, identity, value, report)),
        printer: options.printer,
      },
    ],
    storageApiVersion: `${kind.group}/${version.name}`,
    storageRoot: storageRootOf(kind.group, kind.plural),
    strategy: {
      ...strategy,
      prepareForCreate(object, context) {
        const next = withStatus(object, EMPTY_STATUS);
        return strategy.prepareForCreate?.(next, context) ?? next;
      },
      prepareForUpdate(given, old, context) {
        const next = withStatus(given, old['status']);
        return strategy.prepareForUpdate?.(next, old, context) ?? next;
      },
    },
    subresources: {
      status: statusSubresource({
        changesLabels: true,
        prepare: (next) => options.prepareStatus?.(next) ?? next,
      }),
      ...options.subresources,
    },
    itemsNameKind: false,
  };
}

function withStatus(object: KubeObject, status: unknown): KubeObject {
  if (object['status'] === status) return object;
  const { status: _status, ...rest } = object;
  return Object.freeze(status === undefined ? rest : { ...rest, status });
}
