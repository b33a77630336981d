import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeList } from '../../api/index.ts';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

async function withThings(...names: readonly string[]): Promise<Served> {
  const served = await serve();
  for (const name of names) {
    await served.must('POST', CONFIG_MAPS, { metadata: { name, labels: { odd: String(name.length % 2) } } });
  }
  return served;
}

const names = (list: KubeList): readonly string[] => list.items.map(({ metadata }) => metadata.name ?? '');

test('pages show one revision, whatever happens between them', async () => {
  const served = await withThings('a', 'b', 'c', 'd', 'e');
  const first = await served.list(CONFIG_MAPS, { limit: '2' });
  await served.must('DELETE', `${CONFIG_MAPS}/d`);
  await served.must('POST', CONFIG_MAPS, { metadata: { name: 'c2' } });
  const second = await served.list(CONFIG_MAPS, { limit: '2', continue: first.metadata.continue! });
  const third = await served.list(CONFIG_MAPS, { limit: '2', continue: second.metadata.continue! });
  assert.deepEqual([first, second, third].map(names), [['a', 'b'], ['c', 'd'], ['e']]);
  assert.equal(third.metadata.continue ?? '', '');
  assert.equal(third.metadata.resourceVersion, first.metadata.resourceVersion);
});

test('a page whose revision is compacted is refused with a token that goes on in the latest state', async () => {
  const served = await withThings('a', 'b', 'c');
  const first = await served.list(CONFIG_MAPS, { limit: '1' });
  await served.must('POST', CONFIG_MAPS, { metadata: { name: 'd' } });
  await served.storage.compact(await served.storage.currentRevision());
  const query = { limit: '1', continue: first.metadata.continue! };
  const refused = await served.send('GET', CONFIG_MAPS, undefined, { query });
  assert.equal(refused.status, 410);
  const { reason, metadata } = refused.body as Status;
  assert.equal(reason, 'Expired');
  const fresh = (metadata as { readonly continue: string }).continue;
  assert.deepEqual(names(await served.list(CONFIG_MAPS, { continue: fresh })), ['b', 'c', 'd']);
});

test('a page of what a selector chooses is full, and says nothing of how much remains', async () => {
  const served = await withThings('a', 'bb', 'c', 'dd', 'e');
  const page = await served.list(CONFIG_MAPS, { limit: '2', labelSelector: 'odd=1' });
  assert.deepEqual(names(page), ['a', 'c']);
  assert.equal(page.metadata.remainingItemCount, undefined);
  const rest = await served.list(CONFIG_MAPS, { labelSelector: 'odd=1', continue: page.metadata.continue! });
  assert.deepEqual(names(rest), ['e']);
});

const MATCHES: readonly [why: string, query: Record<string, string>, expected: readonly string[] | number][] =
  [
    ['an exact revision shows the past', { resourceVersion: 'FIRST', resourceVersionMatch: 'Exact' }, ['a']],
    [
      'not older than a revision shows the present',
      { resourceVersion: 'FIRST', resourceVersionMatch: 'NotOlderThan' },
      ['a', 'b'],
    ],
    ['revision 0 shows the present', { resourceVersion: '0' }, ['a', 'b']],
    ['a match without a revision is refused', { resourceVersionMatch: 'Exact' }, 422],
    ['exactly revision 0 is refused', { resourceVersion: '0', resourceVersionMatch: 'Exact' }, 422],
    ['a revision that is no number is refused', { resourceVersion: 'now' }, 400],
    ['a limit with an old revision shows the past', { resourceVersion: 'FIRST', limit: '5' }, ['a']],
    ['a revision that has not come is waited for in vain', { resourceVersion: '999999' }, 504],
    ['a token that nobody gave is refused', { continue: 'bm8' }, 400],
    ['an unknown field of a selector is refused', { fieldSelector: 'spec.colour=red' }, 400],
    ['fields of metadata select', { fieldSelector: 'metadata.name=b' }, ['b']],
    ['fields select by what they are not', { fieldSelector: 'metadata.name!=b' }, ['a']],
  ];

for (const [why, asked, expected] of MATCHES) {
  test(`a list: ${why}`, async () => {
    const served = await withThings('a');
    const first = (await served.list(CONFIG_MAPS)).metadata.resourceVersion!;
    await served.must('POST', CONFIG_MAPS, { metadata: { name: 'b' } });
    const query = Object.fromEntries(
      Object.entries(asked).map(([name, value]) => [name, value === 'FIRST' ? first : value]),
    );
    const { status, body } = await served.send('GET', CONFIG_MAPS, undefined, { query });
    if (typeof expected === 'number') assert.equal(status, expected);
    else assert.deepEqual(names(body as KubeList), expected);
  });
}

test('a token to continue with that is none is refused with what is wrong with it', async () => {
  const served = await serve();
  const token = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const v = 'meta.k8s.io/v1';
  const cases: readonly (readonly [given: string, why: string])[] = [
    ['x', ': illegal base64 data at input byte 0'],
    ['ab=d', ': illegal base64 data at input byte 2'],
    [token({ v: 'v9', rv: 1, start: 'a' }), ': server does not recognize this encoded version v9'],
    [token({ v, rv: 0, start: 'a' }), ': incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
    [token({ v, rv: 1, start: '' }), ': encoded start key empty (version meta.k8s.io/v1)'],
    [token({ v, rv: 1, start: '../a' }), ': ../a'],
  ];
  for (const [given, why] of cases) {
    const { body } = await served.send('GET', '/api/v1/namespaces/default/configmaps', undefined, {
      query: { continue: given },
    });
    const { message, code } = body as Status;
    assert.deepEqual([code, message], [400, `invalid continue token: continue key is not valid${why}`]);
  }
});

const REFUSED: readonly (readonly [
  path: string,
  query: Readonly<Record<string, string>>,
  code: number,
  message: string,
])[] = [
  [
    CONFIG_MAPS,
    { resourceVersion: 'x' },
    400,
    'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
  ],
  [
    `${CONFIG_MAPS}/none`,
    { resourceVersion: '18446744073709551616' },
    500,
    'resourceVersion: Invalid value: "18446744073709551616": strconv.ParseUint: parsing "18446744073709551616": value out of range',
  ],
  [
    CONFIG_MAPS,
    { watch: 'true', resourceVersion: 'x' },
    500,
    'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
  ],
  [
    CONFIG_MAPS,
    { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' },
    422,
    'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list]',
  ],
  [
    CONFIG_MAPS,
    { watch: 'true', resourceVersionMatch: 'Exact', continue: 'x' },
    422,
    'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan", resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided]',
  ],
  [
    '/api/v1/watch/namespaces/default/configmaps/a',
    { fieldSelector: 'metadata.name=b' },
    400,
    "fieldSelector metadata.name doesn't match requested name",
  ],
  [`${CONFIG_MAPS}/a`, { export: '' }, 404, 'configmaps "a" not found'],
  [
    `${CONFIG_MAPS}/a`,
    { export: 'true' },
    400,
    'the export parameter, deprecated since v1.14, is no longer supported',
  ],
];

for (const [path, query, code, message] of REFUSED) {
  test(`GET ${path}?${new URLSearchParams(query).toString()} is refused`, async () => {
    const served = await serve();
    const answer = await served.send('GET', path, undefined, { query });
    assert.deepEqual([answer.status, (answer.body as Status).message], [code, message]);
  });
}

test('a page that goes on has a limit, also where any state will do', async () => {
  const served = await withThings('a', 'b', 'c', 'd');
  const first = await served.list(CONFIG_MAPS, { limit: '1' });
  const query = { limit: '2', continue: first.metadata.continue!, resourceVersion: '0' };
  assert.deepEqual(names(await served.list(CONFIG_MAPS, query)), ['b', 'c']);
});
