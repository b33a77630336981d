import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PackageManifest } from '../api/index.ts';
import { constraintObjection } from './constraint.ts';
import { PackageGraph, uninstallPlan, type InstalledPackage } from './graph.ts';
import type { PackageId } from './package-object.ts';
import { solve, type Catalogue, type Resolution } from './solve.ts';

type Content = Readonly<Record<string, Readonly<Record<string, Partial<PackageManifest>>>>>;

function catalogueOf(content: Content): Catalogue {
  return {
    defaultRepository: 'main',
    offers: (name) =>
      content[name] === undefined ? [] : [{ repositoryName: 'main', versions: Object.keys(content[name]) }],
    manifest: (_repository, name, version) => ({
      name,
      defaultNamespace: `${name}-system`,
      ...content[name]?.[version],
    }),
  };
}

function installedOf(
  name: string,
  version: string,
  manifest: Partial<PackageManifest> = {},
  rest: Partial<InstalledPackage> = {},
): InstalledPackage {
  const { namespace = '' } = rest;
  return {
    kind: namespace === '' ? 'ClusterPackage' : 'Package',
    name,
    namespace,
    packageName: name,
    version,
    repositoryName: 'main',
    manual: true,
    manifest: { name, defaultNamespace: `${name}-system`, ...manifest },
    ...rest,
  };
}

function validate(
  id: PackageId,
  version: string,
  manifest: Partial<PackageManifest>,
  installed: readonly InstalledPackage[] = [],
  content: Content = {},
): Resolution {
  const result = solve({
    installed,
    target: {
      ...id,
      kind: id.namespace === '' ? 'ClusterPackage' : 'Package',
      version,
      repositoryName: 'main',
      manifest: { name: id.name, ...manifest },
    },
    catalogue: catalogueOf(content),
  });
  assert.ok('resolution' in result);
  return result.resolution;
}

const P = { name: 'P', namespace: '' };
const dependsOn = (
  ...dependencies: readonly (readonly [string, (string | undefined)?])[]
): Partial<PackageManifest> => ({
  dependencies: dependencies.map(([name, version]) => ({
    name,
    ...(version === undefined ? {} : { version }),
  })),
});
const found = ({ requirements }: Resolution): readonly string[] =>
  requirements.map(
    ({ name, namespace, version }) => `${namespace === '' ? '' : `${namespace}/`}${name} ${version}`,
  );

test('1: what needs nothing is fine', () => assert.equal(validate(P, '1.0.0', {}).status, 'OK'));

test('2: what is not installed is a requirement', () => {
  const result = validate(P, '1.0.0', dependsOn(['D']), [], { D: { '2.0.4': {} } });
  assert.equal(result.status, 'RESOLVABLE');
  assert.deepEqual(found(result), ['D 2.0.4']);
  assert.equal(result.requirements[0]?.transitive, false);
});

for (const actual of ['1.4.1', '2.0.0-beta.1'])
  test(`3: D ${actual} is installed and does not fit`, () => {
    const result = validate(P, '1.0.0', dependsOn(['D', '^1.4.3']), [installedOf('D', actual)]);
    assert.equal(result.status, 'CONFLICT');
    assert.deepEqual(result.conflicts, [{ from: 'P', packageName: 'D', actual, required: '^1.4.3' }]);
    assert.match(result.reasons[0] ?? '', /P needs D "\^1\.4\.3", but .*update D/);
  });

test('4: what fits is left as it is', () => {
  const installed = [installedOf('D', '1.6.0'), installedOf('X', '1.0.0', dependsOn(['D', '>=1.5.0, <3']))];
  assert.equal(validate(P, '1.0.0', dependsOn(['D', '^1.2.0']), installed).status, 'OK');
});

test('5: requirements are in order of their names', () => {
  const result = validate(P, '1.0.0', dependsOn(['E'], ['D']), [], {
    D: { '1.0.0': {} },
    E: { '1.0.0': {} },
  });
  assert.deepEqual(found(result), ['D 1.0.0', 'E 1.0.0']);
});

test('6: an update must suit those who need it', () => {
  const installed = [
    installedOf('D', '1.3.0'),
    installedOf('N', '1.0.0', dependsOn(['D', '1.x']), { namespace: 'default' }),
  ];
  const D = { name: 'D', namespace: '' };
  assert.equal(validate(D, '2.0.0', {}, installed).status, 'CONFLICT');
  assert.equal(validate(D, '1.4.0', {}, installed).status, 'OK');
});

test('7: components are Packages beside their parent', () => {
  const components = { components: [{ name: 'C', version: '1.0.0', installedName: 'foo' }] };
  const result = validate({ name: 'N', namespace: 'default' }, '1.0.0', components, [], {
    C: { '1.0.0': {} },
  });
  assert.deepEqual(found(result), ['default/N-foo 1.0.0']);
  assert.equal(result.requirements[0]?.component, true);
});

test('8: a component that does not fit is not updated by itself', () => {
  const components = { components: [{ name: 'C', version: '>=3.2.0', installedName: 'foo' }] };
  const installed = [
    installedOf('N-foo', '3.1.0', {}, { namespace: 'default', packageName: 'C', manual: false }),
  ];
  const result = validate({ name: 'N', namespace: 'default' }, '1.0.0', components, installed, {
    C: { '3.2.0': {} },
  });
  assert.equal(result.status, 'CONFLICT');
});

test('9: components of a ClusterPackage are in its default namespace', () => {
  const manifest = { defaultNamespace: 'p-system', components: [{ name: 'C', installedName: 'foo' }] };
  assert.deepEqual(found(validate(P, '1.0.0', manifest, [], { C: { '1.0.0': {} } })), [
    'p-system/P-foo 1.0.0',
  ]);
});

test('10: what the new version does not need any more goes', () => {
  const installed = [
    installedOf('P', '1.0.0', dependsOn(['C'])),
    installedOf('C', '1.0.0', {}, { manual: false }),
  ];
  const result = validate(P, '2.0.0', {}, installed);
  assert.equal(result.status, 'OK');
  assert.deepEqual(result.pruned, [{ name: 'C', namespace: '' }]);
});

test('11: the highest version that all accept, by revision too', () => {
  const installed = [installedOf('X', '1.0.0', dependsOn(['D', '<2.4.1']))];
  const content = { D: { '2.3.0': {}, '2.4.0+1': {}, '2.4.0+2': {}, '2.5.0': {} } };
  assert.deepEqual(found(validate(P, '1.0.0', dependsOn(['D', '<=2.4.0+1']), installed, content)), [
    'D 2.4.0+2',
  ]);
});

test('transitive requirements are found and marked', () => {
  const content = { D: { '1.0.0': dependsOn(['E']) }, E: { '1.0.0': {} } };
  const { requirements } = validate(P, '1.0.0', dependsOn(['D']), [], content);
  assert.deepEqual(
    requirements.map(({ name, transitive }) => [name, transitive]),
    [
      ['D', false],
      ['E', true],
    ],
  );
});

test('an older version is taken when the newest leads nowhere', () => {
  const content = {
    D: { '2.0.0': dependsOn(['E', '>=5']), '1.0.0': dependsOn(['E', '^1']) },
    E: { '1.5.0': {} },
  };
  const result = validate(P, '1.0.0', dependsOn(['D']), [], content);
  assert.deepEqual(found(result), ['D 1.0.0', 'E 1.5.0']);
  assert.match(result.explanation.join('\n'), /D: 1\.0\.0 .*passed over: 2\.0\.0/);
});

test('two who need one package get a version that both accept', () => {
  const content = {
    D: { '1.0.0': dependsOn(['E']) },
    F: { '1.0.0': dependsOn(['E', '<2']) },
    E: { '1.0.0': {}, '3.0.0': {} },
  };
  assert.deepEqual(found(validate(P, '1.0.0', dependsOn(['D'], ['F']), [], content)), [
    'D 1.0.0',
    'E 1.0.0',
    'F 1.0.0',
  ]);
});

test('what nobody offers is named, with the range and the way out', () => {
  const result = validate(P, '1.0.0', dependsOn(['D', '^2']));
  assert.equal(result.status, 'UNSATISFIABLE');
  assert.match(result.reasons.join('\n'), /P needs D "\^2", and no repository has it; add a repository/);
});

test('a range that no version is in is named', () => {
  const result = validate(P, '1.0.0', dependsOn(['D', '^2']), [], { D: { '1.0.0': {}, '3.0.0': {} } });
  assert.equal(result.status, 'UNSATISFIABLE');
  assert.match(
    result.reasons.join('\n'),
    /no version of D in repository main will do for P \(P wants "\^2"\): 3\.0\.0 is not in "\^2"/,
  );
});

test('circles are named, whether installed or not', () => {
  const content = { D: { '1.0.0': dependsOn(['E']) }, E: { '1.0.0': dependsOn(['P']) } };
  assert.match(
    validate(P, '1.0.0', dependsOn(['D']), [], content).reasons.join('\n'),
    /E -> P -> D -> E is a circle/,
  );
  const installed = [installedOf('D', '1.0.0', dependsOn(['P']))];
  const result = validate(P, '1.0.0', dependsOn(['D']), installed);
  assert.equal(result.status, 'CIRCLE');
  assert.match(validate(P, '1.0.0', dependsOn(['P'])).reasons.join('\n'), /P -> P is a circle/);
});

test('problems that were there before are not held against it', () => {
  const installed = [installedOf('X', '1.0.0', dependsOn(['Y', '^2'])), installedOf('Y', '1.0.0')];
  assert.equal(validate(P, '1.0.0', {}, installed).status, 'OK');
});

test('uninstalling is refused as long as somebody needs it, and takes along what only it needed', () => {
  const installed = [
    installedOf('D', '1.0.0', dependsOn(['E'])),
    installedOf('E', '1.0.0', {}, { manual: false }),
    installedOf('X', '1.0.0', dependsOn(['D'])),
  ];
  assert.match(uninstallPlan(installed, { name: 'D', namespace: '' }).refusals.join(), /X needs D/);
  const free = installed.slice(0, 2);
  assert.deepEqual(uninstallPlan(free, { name: 'D', namespace: '' }), {
    refusals: [],
    pruned: [{ name: 'E', namespace: '' }],
  });
});

const NAMES = ['A', 'B', 'C', 'D', 'E'];
const RANGES = [undefined, '^1', '^2', '<2', '>=1.5.0', '1.0.0'];
const VERSIONS = ['1.0.0', '1.5.0', '1.5.0+1', '2.0.0', '2.1.0-rc.1'];
const edge = fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...RANGES));
const manifest = fc.array(edge, { maxLength: 3 }).map((edges) => dependsOn(...new Map(edges)));
const content = fc.dictionary(
  fc.constantFrom(...NAMES),
  fc.dictionary(fc.constantFrom(...VERSIONS), manifest, { minKeys: 1 }),
);

test('a solution satisfies every range of everything in it, and a refusal names what stands in the way', () => {
  fc.assert(
    fc.property(content, manifest, (offered, wanted) => {
      const result = validate(P, '1.0.0', wanted, [], offered);
      if (result.status === 'OK' || result.status === 'RESOLVABLE') {
        const all = new Map(result.requirements.map((one) => [one.name, one.version]));
        const needed: (readonly [string, Partial<PackageManifest>])[] = [
          ['P', wanted],
          ...result.requirements.map(
            (one) => [one.name, (offered as Content)[one.name]![one.version]!] as const,
          ),
        ];
        for (const [, { dependencies = [] }] of needed)
          for (const { name, version } of dependencies) {
            assert.ok(all.has(name));
            assert.equal(constraintObjection(version, all.get(name)!), undefined);
          }
        // Nothing is installed that nobody needs.
        assert.deepEqual(
          new Set(all.keys()),
          new Set(needed.flatMap(([, { dependencies = [] }]) => dependencies.map(({ name }) => name))),
        );
      } else {
        assert.ok(result.reasons.length > 0);
        assert.ok(NAMES.some((name) => result.reasons.join().includes(name)));
      }
    }),
    { numRuns: 500 },
  );
});

test('pruning leaves whatever is wanted or needed', () => {
  const graph = PackageGraph.of([
    installedOf('A', '1.0.0', dependsOn(['B'])),
    installedOf('B', '1.0.0', {}, { manual: false }),
    installedOf('C', '1.0.0', dependsOn(['D']), { manual: false }),
    installedOf('D', '1.0.0', {}, { manual: false }),
  ]);
  assert.deepEqual(
    graph.prune().map(({ name }) => name),
    ['C', 'D'],
  );
});

test('circles among what would be installed are named too', () => {
  const content = { D: { '1.0.0': dependsOn(['E']) }, E: { '1.0.0': dependsOn(['D']) } };
  const result = validate(P, '1.0.0', dependsOn(['D']), [], content);
  assert.equal(result.status, 'UNSATISFIABLE');
  assert.match(result.reasons.join('\n'), /E -> D -> E is a circle/);
});

for (const [what, repositories, defaultRepository, named, wanted, why] of [
  [
    'the one that is named',
    ['a', 'b', 'main'],
    'a',
    'b',
    'b',
    /a and b and main have it, and of these b since it is named/,
  ],
  ['else that of the package', ['a', 'main'], 'a', undefined, 'main', /of these main since P is from there/],
  ['else the default one', ['a', 'b'], 'b', undefined, 'b', /of these b since it is the default/],
  ['else the first by name', ['b', 'a'], 'c', undefined, 'a', /of these a since it is the first by name/],
  ['the only one needs no reason', ['a'], 'c', undefined, 'a', /D: 1\.0\.0 from a, needed by P$/],
] as const)
  // prettier-ignore
  test(`of several repositories: ${what}`, () => {
    const result = solve({
      installed: [],
      target: {
        ...P,
        kind: 'ClusterPackage',
        version: '1.0.0',
        repositoryName: 'main',
        manifest: {
          name: 'P',
          dependencies: [{ name: 'D', ...(named === undefined ? {} : { repositoryName: named }) }],
        },
      },
      catalogue: {
        ...catalogueOf({ D: { '1.0.0': {} } }),
        defaultRepository,
        offers: () => repositories.map((repositoryName) => ({ repositoryName, versions: ['1.0.0'] })),
      },
    });
    assert.ok('resolution' in result);
    assert.deepEqual(
      result.resolution.requirements.map(({ repositoryName }) => repositoryName),
      [wanted],
    );
    assert.match(result.resolution.explanation.join('\n'), why);
  });
