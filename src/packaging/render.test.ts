import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPackage, KubeObject, Package, PackageManifest } from '../api/index.ts';
import { prefixObjects } from './prefix.ts';
import { missingFlux, renderPackage, type RenderInput } from './render.ts';
import { lintManifest, readManifest } from './manifest.ts';
import { fileLocation, manifestUrl, packageInfoName, readIndex, readVersions } from './repository.ts';

const clusterScoped = new Set(['Namespace', 'ClusterRole', 'CustomResourceDefinition']);
const lookup = (apiVersion: string, kind: string): boolean | undefined =>
  apiVersion.startsWith('example.com/') ? undefined : !clusterScoped.has(kind);

const cluster: ClusterPackage = {
  apiVersion: 'packages.glasskube.dev/v1alpha1',
  kind: 'ClusterPackage',
  metadata: { name: 'p' },
  spec: { packageInfo: { name: 'p', version: 'v1' } },
};
const namespaced: Package = {
  apiVersion: 'packages.glasskube.dev/v1alpha1',
  kind: 'Package',
  metadata: { name: 'shop', namespace: 'ns' },
  spec: { packageInfo: { name: 'web', version: 'v1' } },
};
const object = (kind: string, name: string, rest: object = {}, apiVersion = 'v1'): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

function render(documents: readonly unknown[], rest: Partial<RenderInput> = {}): readonly KubeObject[] {
  return renderPackage({
    package: cluster,
    manifest: { name: 'p', defaultNamespace: 'home' },
    files: documents.length === 0 ? [] : [{ manifest: { url: 'm.yaml' }, documents }],
    patches: [],
    specHash: 'abc',
    isNamespaced: lookup,
    ...rest,
  }).map(({ object: one }) => one);
}
const called = (objects: readonly KubeObject[]): readonly string[] =>
  objects.map(
    ({ kind, metadata }) =>
      `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`,
  );

test('namespaces come first, then definitions, and a default namespace is made where something is in it', () => {
  const crd = object(
    'CustomResourceDefinition',
    'foos.example.com',
    {
      spec: { group: 'example.com', scope: 'Namespaced', names: { kind: 'Foo' }, versions: [{ name: 'v1' }] },
    },
    'apiextensions.k8s.io/v1',
  );
  assert.deepEqual(called(render([object('ConfigMap', 'a'), object('Foo', 'f', {}, 'example.com/v1'), crd, object('Namespace', 'other')])), [
    'Namespace home', 'Namespace other', 'CustomResourceDefinition foos.example.com', 'ConfigMap home/a', 'Foo home/f',
  ]); // prettier-ignore
});

test('a namespace that the package describes itself is not made twice', () => {
  const objects = render([
    object('ConfigMap', 'a'),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'home', labels: { x: 'y' } } },
  ]);
  assert.deepEqual(called(objects), ['Namespace home', 'ConfigMap home/a']);
  assert.equal(objects[0]?.metadata.labels?.['x'], 'y');
});

test('no namespace is made when nothing is in it', () => {
  assert.deepEqual(called(render([object('ClusterRole', 'r')])), ['ClusterRole r']);
});

for (const [why, documents, rest, expected] of [
  [
    'a kind that nobody serves',
    [object('Foo', 'f', {}, 'example.com/v1')],
    {},
    /does not serve example\.com\/v1 Foo, which m\.yaml wants/,
  ],
  [
    'an object without a kind',
    [{ apiVersion: 'v1', metadata: { name: 'x' } }],
    {},
    /apiVersion and kind are missing/,
  ],
  ['an object without a name', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }], {}, /without a name/],
  [
    'an object that is there twice',
    [object('ConfigMap', 'a'), object('ConfigMap', 'a')],
    {},
    /in the package twice/,
  ],
  [
    'a cluster-scoped object of a Package',
    [object('ClusterRole', 'r')],
    { package: namespaced },
    /belongs to no namespace/,
  ],
  ['no namespace at all', [object('ConfigMap', 'a')], { manifest: { name: 'p' } }, /no defaultNamespace/],
] as const)
  test(`${why} is refused`, () => assert.throws(() => render(documents, rest), expected));

test('workloads carry the hash of the spec, and lists are taken apart', () => {
  const [list] = render([
    {
      apiVersion: 'v1',
      kind: 'List',
      items: [object('Deployment', 'd', { spec: { template: {} } }, 'apps/v1')],
    },
  ]).slice(1);
  assert.deepEqual((list!['spec'] as { template: unknown }).template, {
    metadata: { annotations: { 'packages.glasskube.dev/package-spec-hashed': 'abc' } },
  });
});

// The example of the specification: two of three references are to objects of the package.
test('a namespaced package is prefixed, and references follow', () => {
  const web = object(
    'Deployment',
    'web',
    {
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              {
                env: [
                  { valueFrom: { secretKeyRef: { name: 'cfg' } } },
                  { valueFrom: { secretKeyRef: { name: 'ext' } } },
                ],
              },
            ],
          },
        },
      },
    },
    'apps/v1',
  );
  const ingress = object(
    'Ingress',
    'web',
    { spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }] } },
    'networking.k8s.io/v1',
  );
  const documents = [object('Secret', 'cfg'), web, object('Service', 'web', { spec: {} }), ingress];
  const objects = render(documents, { package: namespaced, manifest: { name: 'web' } });
  assert.deepEqual(called(objects), [
    'Secret ns/shop-cfg',
    'Deployment ns/shop-web',
    'Service ns/shop-web',
    'Ingress ns/shop-web',
  ]);
  const text = JSON.stringify(objects[1]);
  assert.match(text, /"secretKeyRef":\{"name":"shop-cfg"\}/);
  assert.match(text, /"secretKeyRef":\{"name":"ext"\}/);
  const labels = { 'packages.glasskube.dev/package': 'web', 'packages.glasskube.dev/instance': 'shop' };
  const { selector, template } = objects[1]!['spec'] as {
    selector: object;
    template: { metadata: { labels: object } };
  };
  assert.deepEqual(selector, { matchLabels: { app: 'web', ...labels } });
  assert.deepEqual(template.metadata.labels, { app: 'web', ...labels });
  assert.deepEqual((objects[2]!['spec'] as { selector: object }).selector, labels);
  assert.match(JSON.stringify(objects[3]), /"service":\{"name":"shop-web"\}/);
  const again = render(documents, {
    package: namespaced,
    manifest: { name: 'web', transitiveResources: [{ kind: 'Secret', name: 'ext' }] },
  });
  assert.match(JSON.stringify(again[1]), /"secretKeyRef":\{"name":"shop-ext"\}/);
  assert.equal(again.length, 4);
});

test('roles and bindings keep to each other, and a name is prefixed once', () => {
  const objects = prefixObjects(
    [
      object('ServiceAccount', 'sa'), object('ConfigMap', 'x'), object('Secret', 'x'), object('Secret', 'i-x'),
      object('Role', 'r', { rules: [{ resourceNames: ['x', 'other'] }] }, 'rbac.authorization.k8s.io/v1'),
      object('RoleBinding', 'rb', { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 'sa' }, { kind: 'User', name: 'sa' }] }, 'rbac.authorization.k8s.io/v1'),
    ],
    { instance: 'i', packageName: 'p' },
  ); // prettier-ignore
  assert.deepEqual((objects[4]!['rules'] as readonly unknown[])[0], { resourceNames: ['i-x', 'other'] });
  assert.deepEqual(objects[5]?.['roleRef'], { kind: 'Role', name: 'i-r' });
  assert.deepEqual(objects[5]?.['subjects'], [
    { kind: 'ServiceAccount', name: 'i-sa' },
    { kind: 'User', name: 'sa' },
  ]);
});

test('charts become releases of Flux', () => {
  const manifest: PackageManifest = {
    name: 'p',
    defaultNamespace: 'home',
    helm: {
      repositoryUrl: 'oci://r/x',
      releases: [
        { chartName: 'a', chartVersion: '1', values: { x: 1 } },
        { chartName: 'b', chartVersion: '2' },
      ],
    },
  };
  const objects = render([], { manifest });
  assert.deepEqual(called(objects), [
    'Namespace home',
    'HelmRepository home/p-p',
    'HelmRelease home/p-p-a',
    'HelmRelease home/p-p-b',
  ]);
  assert.deepEqual(objects[1]?.['spec'], { type: 'oci', url: 'oci://r/x', interval: '1h0m0s' });
  assert.equal(missingFlux(manifest, lookup), undefined);
  assert.match(missingFlux(manifest, () => undefined) ?? '', /HelmRelease and .*HelmRepository/);
});

test('names of PackageInfos', () => {
  assert.equal(packageInfoName('main', 'Cache', 'v1.2.0+3'), 'main--cache--v1.2.0--3');
  assert.equal(packageInfoName('', 'foo', 'v1'), 'foo--v1');
});

test('addresses in a repository: slashes meet, plus stays, nothing leads out', () => {
  assert.equal(manifestUrl('http://r/pk//', 'a b', 'v1+2'), 'http://r/pk/a%20b/v1+2/package.yaml');
  assert.throws(() => manifestUrl('http://r/', '..', 'v1'));
  const base = 'http://r/pk/foo/v1/package.yaml';
  for (const [named, url, relative] of [
    ['./m.yaml', 'http://r/pk/foo/v1/m.yaml', true], ['m.yaml', 'http://r/pk/foo/v1/m.yaml', true], ['../m.yaml', 'http://r/pk/foo/m.yaml', true],
    ['/m.yaml', 'http://r/m.yaml', true], ['http://r/x.yaml', 'http://r/x.yaml', false], ['//evil/x.yaml', 'http://evil/x.yaml', false],
  ] as const) assert.deepEqual(fileLocation(base, named), { url, relative }); // prettier-ignore
});

test('index and versions are read, and what is none is named', () => {
  assert.deepEqual(readIndex({ packages: [{ name: 'a', latestVersion: 'v1', other: 1 }] }), [
    { name: 'a', latestVersion: 'v1' },
  ]);
  assert.deepEqual(readIndex({}), []);
  assert.deepEqual(readVersions({ latestVersion: 'v1', versions: [{ version: 'v1' }] }), {
    latestVersion: 'v1',
    versions: [{ version: 'v1' }],
  });
  for (const document of [undefined, [], 'x', { packages: {} }, { packages: [{}] }])
    assert.throws(() => readIndex(document), /index\.yaml/);
  assert.throws(() => readVersions({ versions: [] }), /latestVersion/);
});

test('a manifest is read leniently and linted strictly', () => {
  const document = {
    name: 'p',
    type: 'stray',
    valueDefinitions: { v: { type: 'options', targets: [{ patch: { op: 'add', path: '/x' } }] } },
    helm: { repositoryUrl: 'x' },
  };
  assert.equal(readManifest(document).name, 'p');
  assert.deepEqual(lintManifest(document), [
    'type: no such field', 'defaultNamespace: required', 'helm: releases, or chartName and chartVersion are required',
    'valueDefinitions.v.options: required for type options', 'valueDefinitions.v.targets[0]: exactly one of resource and chartName',
  ]); // prettier-ignore
  assert.throws(() => readManifest({ shortDescription: 'x' }), /name/);
});
