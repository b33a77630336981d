import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { PackageStatus } from '../../api/index.ts';
import type { FetchFile } from '../fetch.ts';
import type { AnyPackage } from '../package-object.ts';
import { createRepositoryClient, type RepositorySeams } from '../repository-client.ts';
import { ChartRenderer, type HelmProgram } from './renderer.ts';
import { fetchChart } from './source.ts';
import { capabilitiesFrom, readRendered, templateArguments, type ChartToRender } from './template.ts';
import { decideHelmWay, type HelmMode } from './way.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

function owner(annotation: string | undefined, status: PackageStatus = {}): AnyPackage {
  return {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'ClusterPackage',
    metadata: {
      name: 'a',
      ...(annotation === undefined ? {} : { annotations: { 'packages.glasskube.dev/helm': annotation } }),
    },
    spec: { packageInfo: { name: 'a', version: 'v1' } },
    status,
  };
}

const helm = { version: 'v4.1.4' };
const none = { missing: 'there is no helm program in the PATH' };
const release = { group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease', name: 'a-a' };

interface Case {
  readonly name: string;
  readonly mode?: HelmMode;
  readonly helm?: typeof helm | typeof none;
  readonly missingFlux?: string;
  readonly annotation?: string;
  readonly status?: PackageStatus;
  readonly through?: 'Binary' | 'Flux';
  readonly says: RegExp;
}

const cases: readonly Case[] = [
  { name: 'a program is taken where there is one', through: 'Binary', says: /^helm v4\.1\.4 is there$/ },
  { name: 'else Flux', helm: none, through: 'Flux', says: /no helm program, and the cluster serves Flux/ },
  { name: 'neither is refused', helm: none, missingFlux: 'HelmRelease', says: /no helm program in the PATH, and the cluster does not serve HelmRelease; put helm 3 or 4 where the operator runs, or install Flux/ },
  { name: 'what Flux installed stays with it', status: { ownedResources: [release] }, through: 'Flux', says: /was installed that way/ },
  { name: 'what was rendered stays so', status: { helm: { through: 'Binary' } }, through: 'Binary', says: /was installed that way/ },
  { name: 'and is not handed to Flux when the program is gone', helm: none, status: { helm: { through: 'Binary' } }, says: /renders charts with helm, and there is no helm program/ },
  { name: 'a flag decides', mode: 'flux', through: 'Flux', says: /--helm flux says so/ },
  { name: 'a flag without Flux is refused', mode: 'flux', missingFlux: 'HelmRelease', says: /does not serve HelmRelease; install Flux/ },
  { name: 'a flag without a program is refused', mode: 'binary', helm: none, says: /put helm 3 or 4 where the operator runs/ },
  { name: 'an annotation decides', annotation: 'flux', through: 'Flux', says: /annotation .*helm says so/ },
  { name: 'an annotation does not go against a flag', mode: 'binary', annotation: 'flux', says: /asks for flux, and the operator runs with --helm binary/ },
  { name: 'an annotation of another word is refused', annotation: 'tiller', says: /is "tiller"; it may be binary or flux/ },
  { name: 'neither takes over from the other', annotation: 'binary', status: { ownedResources: [release] }, says: /installed through Flux, and annotation .* asks for the helm program; .* uninstall the package first/ },
  { name: 'nor by a flag', mode: 'flux', status: { helm: { through: 'Binary' } }, says: /installed through the helm program, and --helm flux asks for Flux/ },
]; // prettier-ignore

for (const one of cases)
  test(one.name, () => {
    const result = decideHelmWay({
      package: owner(one.annotation, one.status),
      mode: one.mode ?? 'auto',
      helm: one.helm ?? helm,
      missingFlux: one.missingFlux,
    });
    assert.equal('through' in result ? result.through : undefined, one.through);
    assert.match('refused' in result ? result.refused : result.why, one.says);
  });

const chart: ChartToRender = {
  release: 'a-a',
  namespace: 'ns',
  chartName: 'web',
  chartVersion: '1.0.0',
  sha256: undefined,
  values: { x: 1 },
};
const parseYaml = (text: string): readonly unknown[] => {
  const json = text.replace(/^#.*$/gm, '').trim();
  return json === '' ? [] : [JSON.parse(json) as unknown];
};
const configMap = (name: string, annotations?: object): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations } });

test('helm is told what the cluster can do, and values by standard input', () => {
  const capabilities = capabilitiesFrom('v1.33.1', [
    { group: 'apps', version: 'v1', kind: 'Deployment' },
    { group: '', version: 'v1', kind: 'Pod' },
  ]);
  assert.deepEqual(templateArguments(chart, capabilities, 'chart.tgz'), [
    'template', 'a-a', 'chart.tgz', '--namespace', 'ns', '--values', '-', '--include-crds', '--skip-tests',
    '--kube-version', 'v1.33.1', '--api-versions', 'apps/v1,apps/v1/Deployment,v1,v1/Pod',
  ]); // prettier-ignore
});

test('the kinds of a large cluster are told in parts', () => {
  const apiVersions = Array.from({ length: 450 }, (_, at) => `g${at}/v1`);
  const args = templateArguments(chart, { kubeVersion: 'v1.33.1', apiVersions }, 'chart.tgz');
  const parts = args.filter((_, at) => args[at - 1] === '--api-versions');
  assert.equal(parts.length, 3);
  assert.deepEqual(
    parts.flatMap((part) => part.split(',')),
    apiVersions,
  );
});

test('what helm prints becomes objects; definitions of crds/ are kept, tests left out', () => {
  const output = [
    '',
    `# Source: web/crds/a.yaml\n${configMap('crd1')}`,
    // The second document of a file names no source.
    configMap('crd2'),
    `# Source: web/charts/sub/crds/b.yaml\n${configMap('crd3')}`,
    `# Source: web/templates/crds/a.yaml\n${configMap('plain', { text: 'a --- b' })}`,
    `# Source: web/templates/list.yaml\n{"apiVersion":"v1","kind":"List","items":[${configMap('listed')}]}`,
    `# Source: web/templates/test.yaml\n${configMap('test', { 'helm.sh/hook': 'test, test-success' })}`,
    '# Source: web/templates/empty.yaml\n',
  ].join('\n---\n');
  const { objects } = readRendered(output, chart, parseYaml);
  assert.deepEqual(
    objects.map(({ metadata }) => [metadata.name, metadata.annotations?.['helm.sh/resource-policy']]),
    [['crd1', 'keep'], ['crd2', 'keep'], ['crd3', 'keep'], ['plain', undefined], ['listed', undefined]], // prettier-ignore
  );
});

for (const [what, document, why] of [
  [
    'a hook',
    configMap('job', { 'helm.sh/hook': 'pre-install,pre-upgrade' }),
    /chart "web" has hooks, .*pre-install, pre-upgrade ConfigMap "job"\. Turn them off .*through Flux/,
  ],
  ['what is no object', '{"a":1}', /web\/templates\/x\.yaml renders to something that is no object/],
  [
    'what has no name',
    '{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"x-"}}',
    /renders to a Pod without a name/,
  ],
] as const)
  // prettier-ignore
  test(`${what} is refused`, () =>
    assert.throws(() => readRendered(`---\n# Source: web/templates/x.yaml\n${document}\n`, chart, parseYaml), why));

const index = (entry: object): string =>
  JSON.stringify({ entries: { web: [{ version: '1.0.0', urls: ['web-1.0.0.tgz'], ...entry }] } });

function world(files: Readonly<Record<string, string>>, print: (input: string) => string = () => '') {
  const asked: string[] = [];
  const runs: { readonly chart: string; readonly input: string }[] = [];
  const fetchFile: FetchFile = ({ url, headers }) => {
    asked.push(`${url} ${headers['authorization'] ?? 'nobody'}`);
    const text = files[url];
    return Promise.resolve({
      status: text === undefined ? 404 : 200,
      contentType: undefined,
      bytes: new TextEncoder().encode(text ?? ''),
    });
  };
  const seams: RepositorySeams = {
    fetchFile,
    parseYaml: (text) => [JSON.parse(text) as unknown],
    sha256,
    nowMs: () => 0,
  };
  const repository = createRepositoryClient(
    { name: 'main', url: 'https://r.test/pk', authorization: 'Bearer t' },
    seams,
  );
  const program: HelmProgram = {
    version: 'v4.1.4',
    run(request) {
      runs.push({ chart: Buffer.from(request.chart).toString(), input: request.input });
      return Promise.resolve(print(request.input));
    },
  };
  const place = (repositoryUrl: string) => ({
    repositoryUrl,
    resolvedUrl: 'https://r.test/pk/a/v1/package.yaml',
    repository,
  });
  return { asked, runs, seams, place, renderer: new ChartRenderer(program, seams) };
}

test('a chart beside the package is read with its login, one elsewhere without', async () => {
  const { asked, seams, place } = world({
    'https://r.test/charts/index.yaml': index({ digest: sha256('chart') }),
    'https://r.test/charts/web-1.0.0.tgz': 'chart',
    'https://c.test/index.yaml': index({ urls: ['https://cdn.test/web.tgz'], version: 'v1.0.0' }),
    'https://cdn.test/web.tgz': 'chart',
  });
  const found = await fetchChart(place('../../../charts'), chart, seams);
  assert.equal(found.sha256, sha256('chart'));
  await fetchChart(place('https://c.test/'), chart, seams);
  assert.deepEqual(asked, [
    'https://r.test/charts/index.yaml Bearer t',
    'https://r.test/charts/web-1.0.0.tgz Bearer t',
    'https://c.test/index.yaml nobody',
    'https://cdn.test/web.tgz nobody',
  ]);
});

for (const [what, files, wanted, why] of [
  [
    'no such chart',
    { 'https://c.test/index.yaml': '{"entries":{}}' },
    {},
    /chart "web" 1\.0\.0 cannot be had from https:\/\/c\.test: its index\.yaml has no such chart/,
  ],
  [
    'no such version',
    { 'https://c.test/index.yaml': index({ version: '2.0.0' }) },
    {},
    /no such version; it has 2\.0\.0/,
  ],
  [
    'another digest',
    { 'https://c.test/index.yaml': index({ digest: 'aa' }), 'https://c.test/web-1.0.0.tgz': 'x' },
    {},
    /but index\.yaml says aa; nothing of it is used/,
  ],
  ['no index', {}, {}, /there is no such file/],
  ['a range', {}, { chartVersion: '1.x' }, /has to be a whole one, like 1\.2\.3/],
  ['a name that leads elsewhere', {}, { chartName: '../x' }, /no name of a chart/],
  [
    'a file of this machine',
    { 'https://c.test/index.yaml': index({ urls: ['file:///etc/passwd'] }) },
    {},
    /cannot name files of this machine/,
  ],
] as const)
  // prettier-ignore
  test(`${what} is told with chart and address`, async () => {
    const { seams, place } = world(files);
    await assert.rejects(() => fetchChart(place('https://c.test'), { ...chart, ...wanted }, seams), why);
  });

const beside = {
  'https://c.test/index.yaml': index({}),
  'https://c.test/web-1.0.0.tgz': 'chart',
};
const capabilities = { kubeVersion: 'v1.33.1', apiVersions: [] };

test('a chart is fetched once and rendered twice, and then known until its values change', async () => {
  const { asked, runs, renderer, place } = world(beside, (input) => configMap(`x${input.length}`));
  const checked: unknown[] = [];
  const render = (
    values: ChartToRender['values'],
    digests: { url: string; sha256: string; origin: 'Recorded' }[] = [],
  ) =>
    renderer.render([{ ...chart, values }], place('https://c.test'), capabilities, {
      digests,
      check: (...args) => checked.push(args),
    });
  const first = await render({ x: 1 });
  assert.deepEqual(first.digests, [{ name: 'chart:web-1.0.0', sha256: sha256('chart'), declared: false }]);
  assert.deepEqual(checked, [['chart:web-1.0.0', sha256('chart'), undefined]]);
  const pinned = [{ url: 'chart:web-1.0.0', sha256: sha256('chart'), origin: 'Recorded' as const }];
  assert.deepEqual((await render({ x: 1 }, pinned)).charts, first.charts);
  assert.equal(runs.length, 2);
  assert.equal(asked.length, 2);
  await render({ x: 12 }, pinned);
  assert.equal(runs.length, 4);
  assert.equal(asked.length, 2);
});

test('a chart that makes values up is refused with what they are in', async () => {
  let made = 0;
  const { renderer, place } = world(
    beside,
    () => `${configMap('a')}\n---\n${configMap('b', { made: String(made++) })}`,
  );
  await assert.rejects(
    () =>
      renderer.render([chart], place('https://c.test'), capabilities, {
        digests: [],
        check: () => undefined,
      }),
    /renders differently each time, in ConfigMap "b": it makes values up/,
  );
});
