import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeList, KubeObject } from '../api/index.ts';
import type { Status } from '../machinery/index.ts';
import type { ApiResponse } from './contract.ts';
import { serve, type Served } from './testing/served.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

interface Table {
  readonly kind: string;
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object?: KubeObject }[];
}

async function withThings(): Promise<Served> {
  const served = await serve();
  for (const name of ['a', 'b']) {
    await served.must('POST', CONFIG_MAPS, { metadata: { name, labels: { app: name } }, data: { k: 'v' } });
  }
  return served;
}

const table = async (served: Served, path: string, query: Record<string, string> = {}): Promise<Table> =>
  (await served.must('GET', path, undefined, { query, headers: { accept: TABLE } })) as unknown as Table;

test('a list as a table has the columns of its kind, and of each object its metadata', async () => {
  const served = await withThings();
  await served.clock.advance(5 * 60_000);
  const { columnDefinitions, rows } = await table(served, CONFIG_MAPS);
  assert.deepEqual(
    columnDefinitions.map(({ name, priority }) => [name, priority]),
    [
      ['Name', 0],
      ['Data', 0],
      ['Age', 0],
    ],
  );
  assert.deepEqual(
    rows.map(({ cells }) => cells),
    [
      ['a', 1, '5m'],
      ['b', 1, '5m'],
    ],
  );
  assert.equal(rows[0]?.object?.kind, 'PartialObjectMetadata');
  assert.equal('data' in rows[0].object, false);
});

const INCLUDED: readonly [includeObject: string, kind: string | undefined][] = [
  ['None', undefined],
  ['Metadata', 'PartialObjectMetadata'],
  ['Object', 'ConfigMap'],
];
for (const [includeObject, kind] of INCLUDED) {
  test(`rows of a table that includes ${includeObject} hold ${kind ?? 'no object'}`, async () => {
    const { rows } = await table(await withThings(), `${CONFIG_MAPS}/a`, { includeObject });
    assert.equal(rows[0]?.object?.kind, kind);
  });
}

test('metadata alone can be had of an object and of a list', async () => {
  const served = await withThings();
  const one = await served.must('GET', `${CONFIG_MAPS}/a`, undefined, { headers: { accept: METADATA } });
  assert.equal(one.kind, 'PartialObjectMetadata');
  assert.deepEqual(one.metadata.labels, { app: 'a' });
  assert.equal('data' in one, false);
  const headers = { accept: METADATA_LIST };
  const list = (await served.must('GET', CONFIG_MAPS, undefined, { headers })) as unknown as KubeList;
  assert.deepEqual(
    list.items.map(({ kind, metadata }) => [kind, metadata.name]),
    [
      ['PartialObjectMetadata', 'a'],
      ['PartialObjectMetadata', 'b'],
    ],
  );
});

async function bytesOf(served: Served, path: string): Promise<unknown> {
  const request = { method: 'GET', path, query: new URLSearchParams(), headers: {}, body: undefined };
  const user = { name: 'admin', groups: ['system:masters'] };
  const response: ApiResponse = await served.server.handle({
    ...request,
    user,
    signal: new AbortController().signal,
  });
  assert.equal(response.kind, 'object');
  const bytes = response.encode?.() ?? Buffer.from(JSON.stringify(response.object));
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}

test("a list's bytes say what the list says, its items without kind and version", async () => {
  const served = await withThings();
  const list = await served.list(CONFIG_MAPS);
  const items = list.items.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest);
  assert.deepEqual(await bytesOf(served, CONFIG_MAPS), { ...list, items });
});

const ACCEPTS: readonly [accept: string, status: number][] = [
  ['application/json', 200],
  ['*/*', 200],
  ['text/html, application/json;q=0.5', 200],
  ['application/yaml', 200],
  [`${TABLE},application/json`, 200],
  ['application/json;as=Table;v=v9;g=meta.k8s.io,application/json', 200],
  ['application/json;as=Table;v=v9;g=meta.k8s.io', 406],
  ['text/html', 406],
];
for (const [accept, status] of ACCEPTS) {
  test(`who accepts ${accept} is answered with ${status}`, async () => {
    const served = await withThings();
    const answer = await served.send('GET', `${CONFIG_MAPS}/a`, undefined, { headers: { accept } });
    assert.equal(answer.status, status);
  });
}

const TYPES = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
const STREAMS = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
const ROUTER = '406: Not Acceptable\n\nAvailable representations: ';
const HANDLER = 'only the following media types are accepted: ';

const NOT_ACCEPTED: readonly (readonly [path: string, accept: string, message: string])[] = [
  [CONFIG_MAPS, 'text/html', `${ROUTER}${TYPES}, ${STREAMS}`],
  [`${CONFIG_MAPS}/a`, 'application/cbor', `${ROUTER}${TYPES}`],
  [`${CONFIG_MAPS}/a`, 'application/json;as=Foo;v=v1;g=meta.k8s.io', `${HANDLER}${TYPES}`],
  [`${CONFIG_MAPS}/a`, 'application/json;stream=foo', `${HANDLER}${TYPES}`],
  [`${CONFIG_MAPS}/a`, 'application/json;v=v1', `${HANDLER}${TYPES}`],
  [`${CONFIG_MAPS}?watch=true`, 'application/yaml', `${HANDLER}${STREAMS}`],
  [
    CONFIG_MAPS,
    METADATA,
    'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
  ],
  [
    `${CONFIG_MAPS}/a`,
    METADATA_LIST,
    'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
  ],
];

for (const [path, accept, message] of NOT_ACCEPTED) {
  test(`${path} cannot be had as ${accept}`, async () => {
    const served = await withThings();
    const [plain = '', search = ''] = path.split('?');
    const query = Object.fromEntries(new URLSearchParams(search));
    const answer = await served.send('GET', plain, undefined, { headers: { accept }, query });
    assert.deepEqual([answer.status, (answer.body as Status).message], [406, message]);
  });
}

test('a table that is to include something else is refused', async () => {
  const served = await withThings();
  const answer = await served.send('GET', CONFIG_MAPS, undefined, {
    headers: { accept: TABLE },
    query: { includeObject: 'Foo' },
  });
  assert.deepEqual(
    [answer.status, (answer.body as Status).message],
    [
      400,
      "Unable to convert to Table as requested: includeObject: Invalid value: \"Foo\": must be 'Metadata', 'Object', 'None', or empty",
    ],
  );
});

const END = { 'k8s.io/initial-events-end': 'true' };
const BOOKMARKS: readonly (readonly [string, readonly unknown[]])[] = [
  [CONFIG_MAPS, ['', 0, '<unknown>']],
  ['/apis/apps/v1/controllerrevisions', ['', '<none>', 0, '<unknown>']],
  ['/apis/discovery.k8s.io/v1/endpointslices', ['', '', '<unset>', '<unset>', '<unknown>']],
  ['/apis/scheduling.k8s.io/v1/priorityclasses', ['', 0, false, '<unknown>', '']],
  ['/apis/rbac.authorization.k8s.io/v1/rolebindings', ['', '/', '<unknown>', '', '', '']],
  ['/apis/certificates.k8s.io/v1/certificatesigningrequests', ['', '<unknown>', '', '', '<none>', 'Pending']],
];
for (const [path, cells] of BOOKMARKS) {
  test(`a bookmark of ${path} is a row of a table that says next to nothing`, async () => {
    const served = await serve();
    const query = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', includeObject: 'None' };
    const watching = served.watch(path, { ...query, allowWatchBookmarks: 'true' }, TABLE);
    await watching.stop();
    const bookmark = watching.events.find(({ type }) => type === 'BOOKMARK')?.object as unknown as Table;
    assert.equal(bookmark.kind, 'Table');
    assert.deepEqual(bookmark.rows[0]?.cells, cells);
    assert.deepEqual(bookmark.rows[0].object?.metadata.annotations, END);
  });
}
