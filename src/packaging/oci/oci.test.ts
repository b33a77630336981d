import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { FetchRequest } from '../fetch.ts';
import { createRepositoryClient, repositoryAddressProblem } from '../repository-client.ts';
import { parseChallenge, readToken, tokenUrl } from './challenge.ts';
import { readDocument, taggedIn } from './descriptor.ts';
import { packArtifact } from './pack.ts';
import { parseOciReference } from './reference.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const DIGEST = `sha256:${'a'.repeat(64)}`;

for (const [address, wanted] of [
  [
    'oci://r.test/a/b:v1',
    { kind: 'Registry', base: 'https://r.test', repository: 'a/b', tag: 'v1', digest: undefined },
  ],
  [
    'oci://r.test:5000/a',
    { kind: 'Registry', base: 'https://r.test:5000', repository: 'a', tag: undefined, digest: undefined },
  ],
  [
    'oci://localhost:5000/a:1',
    { kind: 'Registry', base: 'http://localhost:5000', repository: 'a', tag: '1', digest: undefined },
  ],
  [
    'oci://127.0.0.1:5000/a',
    { kind: 'Registry', base: 'http://127.0.0.1:5000', repository: 'a', tag: undefined, digest: undefined },
  ],
  [
    `oci://r.test/a:v1@${DIGEST}`,
    { kind: 'Registry', base: 'https://r.test', repository: 'a', tag: 'v1', digest: DIGEST },
  ],
  [
    'oci-layout:///srv/pk:v1',
    { kind: 'Layout', base: 'file:///srv/pk', repository: '', tag: 'v1', digest: undefined },
  ],
  [
    'oci-layout:///srv/pk/',
    { kind: 'Layout', base: 'file:///srv/pk', repository: '', tag: undefined, digest: undefined },
  ],
] as const)
  // prettier-ignore
  test(`${address} is read`, () => assert.deepEqual(parseOciReference(address), wanted));

for (const address of [
  'oci://r.test',
  'oci://r.test/Upper',
  'oci://user:word@r.test/a',
  'oci://r.test/a?x=1',
  'oci://r.test/a:not a tag',
  'oci://r.test/a@sha256:12',
  'oci-layout://host/srv',
  'oci-layout:///',
])
  test(`${address} is refused`, () => assert.notEqual(repositoryAddressProblem(address), undefined));

test('challenges of registries are read', () => {
  assert.deepEqual(
    parseChallenge('Bearer realm="https://a.test/token",service="r.test",scope="repository:a/b:pull,push"'),
    { scheme: 'Bearer', realm: 'https://a.test/token', service: 'r.test', scope: 'repository:a/b:pull,push' },
  );
  assert.deepEqual(parseChallenge('basic realm="x"'), { scheme: 'Basic' });
  for (const none of [undefined, '', 'Bearer', 'Negotiate x'])
    assert.equal(parseChallenge(none), undefined, none);
});

test('a login is sent where nobody can listen, or to the registry itself', () => {
  const challenge = (realm: string) => ({ scheme: 'Bearer', realm, service: 's', scope: undefined }) as const;
  assert.equal(
    tokenUrl(challenge('https://a.test/t'), 'https://r.test', 'a/b'),
    'https://a.test/t?service=s&scope=repository%3Aa%2Fb%3Apull',
  );
  assert.match(tokenUrl(challenge('http://r.test/t'), 'http://r.test', 'a'), /^http:\/\/r\.test\/t/);
  for (const realm of ['http://a.test/t', 'file:///etc/passwd', 'nowhere'])
    assert.throws(() => tokenUrl(challenge(realm), 'https://r.test', 'a'), /sends logins to/, realm);
});

test('tokens are read under both names, for as long as they say', () => {
  assert.deepEqual(readToken({ token: 'x', expires_in: 300 }), {
    authorization: 'Bearer x',
    lifetimeMs: 300_000,
  });
  assert.deepEqual(readToken({ access_token: 'y' }), { authorization: 'Bearer y', lifetimeMs: 60_000 });
  for (const wrong of [undefined, {}, { token: '' }, { token: 1 }])
    assert.throws(() => readToken(wrong), /without a token/);
});

test('manifests that are none are refused by what is wrong', () => {
  const layer = { mediaType: 'x', digest: DIGEST, size: 1 };
  for (const [json, why] of [
    [[], /no JSON object/],
    [{ schemaVersion: 1, layers: [] }, /schemaVersion 2/],
    [{ schemaVersion: 2 }, /no layers/],
    [
      { schemaVersion: 2, layers: [{ ...layer, digest: 'sha512:x' }] },
      /entry 1 of the layers of it has a digest that is not SHA-256/,
    ],
    [{ schemaVersion: 2, layers: [{ ...layer, size: -1 }] }, /says no size/],
  ] as const)
    // prettier-ignore
    assert.throws(() => readDocument(json, 'it'), why);
});

test('the tag of a layout is found, and others are named', () => {
  const one = (name: string | undefined) => ({
    mediaType: '',
    digest: DIGEST,
    size: 1,
    artifactType: undefined,
    annotations:
      name === undefined ? ({} as Record<string, string>) : { 'org.opencontainers.image.ref.name': name },
  });
  const [a, b] = [one('v1'), one('r.test/x:latest')];
  assert.equal(taggedIn([a, b], 'v1', 'it'), a);
  assert.equal(taggedIn([a, b], undefined, 'it'), b);
  const only = one(undefined);
  assert.equal(taggedIn([only], undefined, 'it'), only);
  assert.throws(
    () => taggedIn([a, b], 'v2', 'it'),
    /holds nothing called "v2"; it holds v1, r\.test\/x:latest/,
  );
});

/** A repository of one package in a layout, as files of a disk. */
function layout(): Map<string, Uint8Array> {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const packed = packArtifact(
    [
      { path: 'index.yaml', bytes: text('{"packages":[{"name":"a","latestVersion":"v1.0.0+1"}]}') },
      {
        path: 'a/versions.yaml',
        bytes: text('{"latestVersion":"v1.0.0+1","versions":[{"version":"v1.0.0+1"}]}'),
      },
      { path: 'a/v1.0.0+1/package.yaml', bytes: text('{"name":"a","manifests":[{"url":"a.yaml"}]}') },
      { path: 'a/v1.0.0+1/a.yaml', bytes: text('{"kind":"ConfigMap"}') },
    ],
    'latest',
    sha256,
  );
  return new Map(packed.map(({ path, bytes }) => [`file:///srv/pk/${path}`, bytes]));
}

function clientOf(files: Map<string, Uint8Array>, asked: FetchRequest[] = []) {
  let nowMs = 0;
  const client = createRepositoryClient(
    { name: 'main', url: 'oci-layout:///srv/pk:latest' },
    {
      fetchFile: (request) => {
        asked.push(request);
        const bytes = files.get(request.url);
        return Promise.resolve({
          status: bytes === undefined ? 404 : 200,
          contentType: undefined,
          bytes: bytes ?? new Uint8Array(),
        });
      },
      parseYaml: (yaml) => [JSON.parse(yaml) as unknown],
      sha256,
      nowMs: () => nowMs,
    },
  );
  return { client, pass: (ms: number) => (nowMs += ms) };
}

test('a layout is a repository like any other', async () => {
  const asked: FetchRequest[] = [];
  const { client } = clientOf(layout(), asked);
  assert.deepEqual(await client.index(), [{ name: 'a', latestVersion: 'v1.0.0+1' }]);
  const { url, manifest } = await client.manifest('a', 'v1.0.0+1');
  assert.equal(url, 'oci-layout:///srv/pk:latest/a/v1.0.0+1/package.yaml');
  const { documents } = await client.documents(url, manifest.manifests![0]!.url);
  assert.deepEqual(documents, [{ kind: 'ConfigMap' }]);
  await assert.rejects(() => client.versions('b'), /there is no such file/);
  for (const outside of ['../../../../x', 'file:///etc/passwd', '/etc/passwd'])
    await assert.rejects(() => client.documents(url, outside), /cannot be used/, outside);
  assert.equal(asked.filter(({ within }) => within !== 'file:///srv/pk').length, 0);
});

test('a blob that is not its digest is refused', async () => {
  const files = layout();
  for (const [url, bytes] of layout())
    if (Buffer.from(bytes).toString().startsWith('{"packages"'))
      files.set(url, new TextEncoder().encode('{"packages":[{"name":"b","latestVersion":"v9.0.0+1"}]}'));
  await assert.rejects(
    () => clientOf(files).client.index(),
    /is not what it is said to be: its digest is sha256:/,
  );
});

test('a layout that is none, and a folder that was packed, are told', async () => {
  await assert.rejects(() => clientOf(new Map()).client.index(), /\/srv\/pk is no OCI image layout/);
  const packed = packArtifact([{ path: 'packages', bytes: new Uint8Array(3) }], 'latest', sha256);
  const disk = packed.map(({ path, bytes }) => [`file:///srv/pk/${path}`, bytes] as const);
  const files = new Map(disk);
  for (const [url, bytes] of disk) {
    const text = Buffer.from(bytes).toString();
    if (!text.includes('"layers"')) continue;
    const annotated = Buffer.from(
      text.replace('"org.opencontainers.image.title"', '"io.deis.oras.content.unpack":"true",$&'),
    );
    const index = files.get('file:///srv/pk/index.json')!;
    files.set(`file:///srv/pk/blobs/sha256/${sha256(annotated)}`, annotated);
    files.set(
      'file:///srv/pk/index.json',
      Buffer.from(Buffer.from(index).toString().replaceAll(url.split('/').at(-1)!, sha256(annotated))),
    );
  }
  await assert.rejects(() => clientOf(files).client.index(), /was pushed as one packed layer/);
});

test('a tag that moves is seen after a while, and at once by who forgets', async () => {
  const files = layout();
  const { client, pass } = clientOf(files);
  await client.index();
  const next = packArtifact(
    [{ path: 'index.yaml', bytes: new TextEncoder().encode('{"packages":[]}') }],
    'latest',
    sha256,
  );
  for (const { path, bytes } of next) files.set(`file:///srv/pk/${path}`, bytes);
  assert.equal((await client.versions('a')).latestVersion, 'v1.0.0+1');
  pass(10_000);
  assert.equal((await client.index()).length, 1);
  client.forget();
  assert.equal((await client.index()).length, 0);
});
