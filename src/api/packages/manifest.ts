// What a repository says about one version of a package: the content of package.yaml, and of PackageInfo's status.
import { s, type Infer } from '../schema.ts';

const kindReference = s.object('Names one object.', {
  required: { kind: s.string('Its kind.'), name: s.string('Its name.') },
  optional: { apiGroup: s.string('Its group and version, such as `apps/v1`; `v1` for core kinds.') },
});
export type ManifestObjectReference = Infer<typeof kindReference>;

const target = s.object('Where a value goes: into an object of the package, or into the values of a chart.', {
  required: {
    patch: s.object('An operation of a JSON Patch.', {
      required: {
        op: s.string('The operation: add, replace or remove.'),
        path: s.string('Where in the object, as a JSON pointer.'),
      },
    }),
  },
  optional: {
    resource: s.object('The object, by its name in the manifests of the package.', {
      required: { kind: s.string('Its kind.'), name: s.string('Its name.') },
      optional: {
        apiGroup: s.string('Its group and version, such as `apps/v1`; `v1` for core kinds.'),
        namespace: s.string('Its namespace; empty: any.'),
      },
    }),
    chartName: s.string('The chart whose values are changed.'),
    valueTemplate: s.string(
      'A Go template that makes JSON from the value; without it, the value goes in as a string.',
    ),
  },
});
export type ValueDefinitionTarget = Infer<typeof target>;

const valueDefinition = s.object('A value that users may set.', {
  required: {
    type: s.word('What kind of value.', ['boolean', 'text', 'number', 'options']),
    targets: s.list('Where it goes.', target),
  },
  optional: {
    metadata: s.object('For people.', {
      optional: {
        label: s.string('What it is called.'),
        description: s.string('What it is for.'),
        hints: s.list('What else is good to know.', s.string('A hint.')),
      },
    }),
    defaultValue: s.string('What clients propose. It is not applied by itself.'),
    options: s.list('What may be chosen, for type options.', s.string('An option.')),
    constraints: s.object('What must hold.', {
      optional: {
        required: s.boolean('Whether it must be set.'),
        min: s.int64('Lowest number.'),
        max: s.int64('Highest number.'),
        minLength: s.int64('Fewest bytes in UTF-8.'),
        maxLength: s.int64('Most bytes in UTF-8.'),
        pattern: s.string('RE2 pattern that must be found in it.'),
      },
    }),
  },
});
export type ValueDefinition = Infer<typeof valueDefinition>;

const chartRelease = s.object('A release of a chart.', {
  required: { chartName: s.string('The chart.'), chartVersion: s.string('Its version.') },
  optional: {
    values: s.openObject('Its values.'),
    sha256: s.string('SHA-256 of the packed chart in hexadecimal; one that differs is refused.'),
  },
});
export type ChartRelease = Infer<typeof chartRelease>;

const helm = s.object('Charts to install.', {
  required: {
    repositoryUrl: s.string(
      'Where the charts are; `oci://` for a registry, a relative address for a folder with index.yaml beside package.yaml.',
    ),
  },
  optional: {
    chartName: s.string('The chart, if there is just one.'),
    chartVersion: s.string('Its version.'),
    values: s.openObject('Its values.'),
    sha256: s.string('SHA-256 of the packed chart in hexadecimal; one that differs is refused.'),
    releases: s.list('Several charts.', chartRelease),
  },
});
export type HelmManifest = Infer<typeof helm>;

const plainManifest = s.object('A file of objects.', {
  required: { url: s.string('Where it is; absolute, or relative to package.yaml.') },
  optional: {
    defaultNamespace: s.string('Namespace of its objects that name none.'),
    sha256: s.string('SHA-256 of the file in hexadecimal; a file that differs is refused.'),
  },
});
export type PlainManifest = Infer<typeof plainManifest>;

const dependency = s.object('A ClusterPackage that this one needs.', {
  required: { name: s.string('Its name in the repository.') },
  optional: {
    version: s.string('Which versions will do, such as `>=1.4.0 <2`; empty: any.'),
    repositoryName: s.string('The repository to take it from, where several have it.'),
  },
});
export type PackageDependency = Infer<typeof dependency>;

const component = s.object('A Package that belongs to this one alone.', {
  required: { name: s.string('Its name in the repository.') },
  optional: {
    installedName: s.string('The last part of its name in the cluster; else its name.'),
    version: s.string('Which versions will do; empty: any.'),
    repositoryName: s.string('The repository to take it from, where several have it.'),
    values: s.map(
      'Values of the component.',
      s.object('A value.', { optional: { value: s.string('The value.') } }),
    ),
  },
});
export type PackageComponent = Infer<typeof component>;

const entrypoint = s.object('A way into the package.', {
  required: { serviceName: s.string('The Service.'), port: s.int32('Its port.') },
  optional: {
    name: s.string('What it is called.'),
    localPort: s.int32('The port to forward from.'),
    scheme: s.string('http or https; empty: not for browsers.'),
  },
});

const transformation = s.object(
  'A value that is read from the cluster and goes into objects of the package.',
  {
    required: {
      source: s.object('Where it is read.', {
        required: { path: s.string('JSONPath of the value.') },
        optional: { resource: s.describe('The object; absent: the package itself.', kindReference) },
      }),
      targets: s.list('Where it goes.', target),
    },
  },
);
export type ValueTransformation = Infer<typeof transformation>;

export const packageManifest = s.object('One version of a package.', {
  required: {
    name: s.string('Its name in the repository.'),
  },
  optional: {
    defaultNamespace: s.string('Where a ClusterPackage is installed.'),
    scope: s.word('Cluster: installed once as a ClusterPackage; Namespaced: as Packages.', [
      'Cluster',
      'Namespaced',
    ]),
    shortDescription: s.string('One line.'),
    longDescription: s.string('All of it, in Markdown.'),
    references: s.list(
      'Where to read on.',
      s.object('A link.', { required: { label: s.string('Its text.'), url: s.string('Its address.') } }),
    ),
    iconUrl: s.string('A picture.'),
    helm,
    kustomize: s.object('Not supported; its presence is refused.', {}),
    manifests: s.list('Plain manifests.', plainManifest),
    valueDefinitions: s.map('What users may set.', valueDefinition),
    transformations: s.list('Values that come from the cluster.', transformation),
    transitiveResources: s.list(
      'Objects of a namespaced package that others create, and references to which are prefixed too.',
      kindReference,
    ),
    entrypoints: s.list('Ways in.', entrypoint),
    dependencies: s.list('What must be installed; shared by all that need it.', dependency),
    components: s.list('What is installed for this package alone.', component),
  },
});
export type PackageManifest = Infer<typeof packageManifest>;
