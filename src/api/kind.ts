// What makes a schema a resource: names, scope, versions, columns and subresources. CRDs are made from it.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from './generated/kubernetes-types.ts';
import type { Schema } from './schema.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  readonly format?: string;
  readonly priority?: number;
}

export interface KindVersion {
  readonly name: string;
  readonly schema: Schema;
  readonly columns?: readonly PrinterColumn[];
  /** The `subresources` of the CRD; absent and empty differ upstream, so they do here. */
  readonly subresources?: { readonly status?: Readonly<Record<string, never>> };
  /** Exactly one version of a kind is the stored one; that is the default. */
  readonly storage?: false;
}

export interface KindDefinition {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly versions: readonly KindVersion[];
}

/** How a kind with several versions is converted when a kube-apiserver serves it: by asking this webhook. */
export interface ConversionWebhook {
  readonly url: string;
  /** PEM. */
  readonly caBundle: string;
}

export const AGE: PrinterColumn = { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' };

function versionOf({
  name,
  schema,
  columns,
  subresources,
  storage,
}: KindVersion): CustomResourceDefinitionVersion {
  return {
    name,
    served: true,
    storage: storage ?? true,
    schema: { openAPIV3Schema: schema },
    ...(columns === undefined ? {} : { additionalPrinterColumns: columns }),
    ...(subresources === undefined ? {} : { subresources }),
  };
}

/** The CustomResourceDefinition of a kind. Without a webhook, versions differ by `apiVersion` alone. */
export function crdOf(definition: KindDefinition, webhook?: ConversionWebhook): CustomResourceDefinition {
  const { group, kind, plural, namespaced, shortNames, categories, versions } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames === undefined ? {} : { shortNames }),
        ...(categories === undefined ? {} : { categories }),
      },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      conversion:
        webhook === undefined || versions.length === 1
          ? { strategy: 'None' }
          : {
              strategy: 'Webhook',
              webhook: {
                clientConfig: {
                  url: webhook.url,
                  caBundle: btoa(webhook.caBundle),
                },
                conversionReviewVersions: ['v1'],
              },
            },
      versions: versions.map(versionOf),
    },
  };
}
