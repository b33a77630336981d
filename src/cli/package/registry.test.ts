// A repository of packages in a registry, over HTTP as registries speak it: tokens, redirects to other hosts, and answers
// that are not what they are said to be.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { createFileFetcher, parseYamlDocuments } from '../../client/index.ts';
import {
  authorizationOf,
  createRepositoryClient,
  packArtifact,
  type PackageRepositoryClient,
} from '../../packaging/index.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text) });
const packed = packArtifact(
  [
    file('index.yaml', 'packages: [{name: a, latestVersion: v1.0.0+1}]'),
    file('a/versions.yaml', 'latestVersion: v1.0.0+1\nversions: [{version: v1.0.0+1}]'),
    file('a/v1.0.0+1/package.yaml', 'name: a\nmanifests: [{url: a.yaml}]'),
    file('a/v1.0.0+1/a.yaml', 'kind: ConfigMap'),
  ],
  'latest',
  sha256,
);
const blobs = new Map(
  packed.map(({ path, bytes }) => [`sha256:${path.split('/').at(-1)}`, Buffer.from(bytes)]),
);
const [manifestDigest] = [...blobs].find(([, bytes]) => bytes.includes('"layers"'))!;

/** Who was asked for what with which login. */
const asked: string[] = [];
let wanted: 'nothing' | 'token' | 'basic' = 'nothing';
const password = 'word';
let broken: 'manifest' | 'blob' | 'moved' | undefined;
let tokens = 0;

/** The registry, and another host that keeps its blobs. */
const servers: Server[] = [createServer(registry), createServer(storage)];
let bases: readonly string[];
const fetcher = createFileFetcher({ clock: systemClock, mayReadFiles: true });

function registry(request: IncomingMessage, response: ServerResponse): void {
  const { url = '', headers } = request;
  asked.push(
    `registry ${url.replace(/\?.*/, '').replace(/sha256:.*/, 'DIGEST')} ${headers.authorization ?? 'nobody'}`,
  );
  const login = `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  if (url.startsWith('/token')) {
    if (headers.authorization !== login) return void response.writeHead(401).end();
    return void response.end(JSON.stringify({ token: `t${++tokens}`, expires_in: 300 }));
  }
  const challenge =
    wanted === 'token' && headers.authorization !== `Bearer t${tokens}`
      ? `Bearer realm="${bases[0]}/token",service="here",scope="repository:team/packages:pull"`
      : wanted === 'basic' && headers.authorization !== login
        ? 'Basic realm="here"'
        : undefined;
  if (challenge !== undefined) return void response.writeHead(401, { 'www-authenticate': challenge }).end();
  const [, kind, reference = ''] = /^\/v2\/team\/packages\/(manifests|blobs)\/(.*)$/.exec(url) ?? [];
  if (kind === 'manifests' && (reference === 'latest' || reference === manifestDigest)) {
    const bytes = blobs.get(manifestDigest)!;
    return void response
      .writeHead(200, { 'docker-content-digest': manifestDigest })
      .end(broken === 'manifest' ? Buffer.concat([bytes, Buffer.from(' ')]) : bytes);
  }
  if (kind === 'blobs' && blobs.has(reference))
    return void response.writeHead(307, { location: `${bases[1]}/${reference}` }).end();
  response.writeHead(404).end();
}

function storage({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  asked.push(`storage ${headers.authorization ?? 'nobody'}`);
  if (broken === 'moved') return void response.writeHead(302, { location: url }).end();
  const bytes = blobs.get(url.slice(1));
  response.end(broken === 'blob' ? Buffer.from(bytes!).reverse() : bytes);
}

before(async () => {
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bases = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

after(async () => {
  await fetcher.close();
  for (const server of servers) server.close();
});

function open(
  login: Parameters<typeof authorizationOf>[0],
  reference = ':latest',
): { readonly client: PackageRepositoryClient; nowMs: number } {
  asked.length = 0;
  const world: { readonly client: PackageRepositoryClient; nowMs: number } = {
    nowMs: 0,
    client: createRepositoryClient(
      {
        name: 'main',
        url: `oci://${new URL(bases[0]!).host}/team/packages${reference}`,
        authorization: authorizationOf(login),
      },
      {
        fetchFile: fetcher.fetchFile,
        parseYaml: parseYamlDocuments,
        sha256,
        nowMs: () => world.nowMs,
      },
    ),
  };
  return world;
}

test('packages come out of a registry', async () => {
  wanted = 'nothing';
  for (const reference of [':latest', '', `@${manifestDigest}`]) {
    const { client } = open(undefined, reference);
    assert.deepEqual(await client.index(), [{ name: 'a', latestVersion: 'v1.0.0+1' }]);
    const { url, manifest } = await client.manifest('a', 'v1.0.0+1');
    const found = await client.documents(url, manifest.manifests![0]!.url);
    assert.deepEqual(found.documents, [{ kind: 'ConfigMap' }]);
    assert.equal(asked.filter((one) => one.includes('/manifests/')).length, 1, 'the tag is asked once');
  }
});

test('a login goes to the token server, and tokens to the registry alone', async () => {
  wanted = 'token';
  const world = open({ username: 'me', password });
  await world.client.index();
  const login = `Basic ${Buffer.from('me:word').toString('base64')}`;
  assert.deepEqual(asked, [
    'registry /v2/team/packages/manifests/latest nobody',
    `registry /token ${login}`,
    `registry /v2/team/packages/manifests/latest Bearer t${tokens}`,
    `registry /v2/team/packages/blobs/DIGEST Bearer t${tokens}`,
    'storage nobody',
  ]);
  const before = tokens;
  world.nowMs = 299_000;
  await world.client.versions('a');
  assert.equal(tokens, before + 1, 'a token that is about to end is had anew');
});

test('a registry that takes a password gets it when it asks', async () => {
  wanted = 'basic';
  await open({ username: 'me', password }).client.index();
  assert.match(asked[0]!, /nobody$/);
  assert.match(asked[1]!, /Basic /);
  assert.equal(asked.at(-1), 'storage nobody');
});

test('no login, or a wrong one, is told with what to look at', async () => {
  for (const kind of ['token', 'basic'] as const) {
    wanted = kind;
    for (const login of [undefined, { username: 'me', password: 'wrong' }])
      await assert.rejects(
        () => open(login).client.index(),
        /it answers 401; check spec\.auth of the PackageRepository/,
      );
  }
});

for (const [what, why] of [
  ['manifest', /the manifest is not what it is said to be/],
  ['blob', /a layer is not what it is said to be/],
  ['moved', /leads on more than 5 times/],
] as const)
  test(`what is broken is refused: ${what}`, async () => {
    wanted = 'nothing';
    broken = what;
    try {
      await assert.rejects(() => open(undefined).client.index(), why);
    } finally {
      broken = undefined;
    }
  });

test('what is not there is told', async () => {
  wanted = 'nothing';
  await assert.rejects(
    () => open(undefined, ':other').client.index(),
    /has no manifests\/other of team\/packages/,
  );
  await assert.rejects(() => open(undefined).client.versions('b'), /there is no such file/);
});
