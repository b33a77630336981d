import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { FetchedFile } from './fetch.ts';
import {
  authorizationOf,
  createRepositoryClient,
  type PackageRepositoryClient,
} from './repository-client.ts';

interface World {
  readonly client: PackageRepositoryClient;
  readonly asked: string[];
  nowMs: number;
}

function worldOf(answer: (url: string) => Partial<FetchedFile> & { readonly text?: string }): World {
  const asked: string[] = [];
  const world: World = {
    asked,
    nowMs: 0,
    client: createRepositoryClient(
      { name: 'main', url: 'http://r.test/', authorization: authorizationOf({ token: 't' }) },
      {
        fetchFile: ({ url, headers }) => {
          asked.push(`${url} ${headers['authorization'] ?? 'nobody'}`);
          const { status = 200, contentType, text = '{}' } = answer(url);
          return Promise.resolve({ status, contentType, bytes: new TextEncoder().encode(text) });
        },
        parseYaml: (text) => [JSON.parse(text) as unknown],
        sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
        nowMs: () => world.nowMs,
      },
    ),
  };
  return world;
}

test('an index is fetched once for all who ask at the same time, and again when it is old', async () => {
  const world = worldOf(() => ({ text: '{"packages":[{"name":"a"}]}' }));
  const [one, other] = await Promise.all([world.client.index(), world.client.index()]);
  assert.equal(one, other);
  world.nowMs = 299_000;
  await world.client.index();
  assert.equal(world.asked.length, 1);
  world.nowMs = 300_000;
  await world.client.index();
  world.client.forget();
  await world.client.index();
  assert.deepEqual(
    world.asked,
    Array.from({ length: 3 }, () => 'http://r.test/index.yaml Bearer t'),
  );
});

test('a failure is not remembered', async () => {
  let status = 503;
  const world = worldOf(() => ({ status }));
  await assert.rejects(
    () => world.client.index(),
    /repository "main" cannot be used: http:\/\/r\.test\/index\.yaml: it answers 503/,
  );
  status = 200;
  assert.deepEqual(await world.client.index(), []);
});

for (const [contentType, why] of [
  [undefined, undefined],
  ['', undefined],
  ['application/yaml', undefined],
  ['text/plain; charset=utf-8', undefined],
  ['Application/JSON', undefined],
  ['text/html', /it is text\/html, and neither YAML nor JSON/],
  ['text/plain; format=flowed', /neither YAML nor JSON/],
] as const)
  test(`an answer of the type ${contentType ?? 'that is not told'} is ${why === undefined ? 'taken' : 'refused'}`, async () => {
    const { client } = worldOf(() => ({ contentType }));
    if (why === undefined) await client.index();
    else await assert.rejects(() => client.index(), why);
  });

for (const [status, why] of [
  [401, /check spec\.auth/],
  [404, /there is no such file/],
] as const)
  test(`what ${status} means is said`, () =>
    assert.rejects(() => worldOf(() => ({ status })).client.index(), why));

test('the login goes to the repository, and to no other', async () => {
  const { client, asked } = worldOf(() => ({}));
  const resolved = 'http://r.test/a/v1/package.yaml';
  await client.documents(resolved, 'a.yaml');
  await client.documents(resolved, 'http://other.test/a.yaml');
  await client.documents(resolved, '//third.test/a.yaml');
  await client.documents(resolved, 'http://r.test/a.yaml');
  assert.deepEqual(asked, [
    'http://r.test/a/v1/a.yaml Bearer t',
    'http://other.test/a.yaml nobody',
    'http://third.test/a.yaml nobody',
    // COMPAT: what is named in full gets no login, wherever it is.
    'http://r.test/a.yaml nobody',
  ]);
  await assert.rejects(
    () => client.documents(resolved, 'file:///etc/passwd'),
    /cannot name files of this machine/,
  );
});

test('a manifest comes with its digest and what is declared of it', async () => {
  const files: Readonly<Record<string, string>> = {
    'http://r.test/a/v1/package.yaml': '{"name":"a"}',
    'http://r.test/a/versions.yaml': '{"latestVersion":"v1","versions":[{"version":"v1","sha256":"ABC"}]}',
    'http://r.test/b/v1/package.yaml': '{"name":"other"}',
    'http://r.test/c/v1/package.yaml': '{"name":"c"}',
  };
  const { client } = worldOf((url) => (files[url] === undefined ? { status: 404 } : { text: files[url] }));
  const { manifest, sha256, declaredSha256 } = await client.manifest('a', 'v1');
  assert.deepEqual([manifest.name, declaredSha256], ['a', 'abc']);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  assert.equal((await client.manifest('c', 'v1')).declaredSha256, undefined);
  await assert.rejects(() => client.manifest('b', 'v1'), /it describes package "other" instead of "b"/);
  await assert.rejects(() => client.manifest('..', 'v1'), /cannot be the name or version of a package/);
});
