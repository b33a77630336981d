import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secureServer, type Answer } from '../testing/secure-server.ts';
import { DAY_MS, createAuthority, issueCertificate, type KeyPair } from './certificates.ts';
import { frontProxy } from './front-proxy.ts';

const WHO = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const REVIEW = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };

const userOf = ({ body }: Answer): unknown =>
  (body['status'] as unknown as { userInfo: object } | undefined)?.userInfo;

test('a proxy speaks for users, and nobody else does by headers alone', async () => {
  const now = Date.now();
  const authority = await createAuthority({ commonName: 'proxies', now, validMs: DAY_MS });
  const certificateOf = (commonName: string): Promise<KeyPair> =>
    issueCertificate(authority, { commonName, usages: ['client auth'], now, validMs: DAY_MS });
  const proxy = await certificateOf('front');
  await using server = await secureServer({
    access: {
      authentication: {
        frontProxy: {
          certificateAuthority: authority.certificate,
          allowedNames: ['front'],
          usernameHeaders: ['X-Remote-User'],
          uidHeaders: ['X-Remote-Uid'],
          groupHeaders: ['X-Remote-Group'],
          extraHeaderPrefixes: ['X-Remote-Extra-'],
        },
      },
    },
  });
  const headers = {
    'X-Remote-User': 'jane',
    'X-Remote-Uid': '7',
    'X-Remote-Group': 'devs, system:masters',
    'X-Remote-Extra-example.com%2ftier': 'gold',
  };
  const ask = (as: KeyPair | 'nobody', with_: Record<string, string> = headers): Promise<Answer> =>
    server.call(WHO, { method: 'POST', body: REVIEW, headers: with_, as });
  assert.deepEqual(userOf(await ask(proxy)), {
    username: 'jane',
    uid: '7',
    groups: ['devs', 'system:masters', 'system:authenticated'],
    extra: { 'example.com/tier': ['gold'] },
  });
  assert.equal((userOf(await ask(server.certificates.admin)) as { username: string }).username, 'test-admin');
  assert.equal((await ask('nobody')).status, 403, 'anonymous, whatever the headers say');
  assert.equal((await ask(proxy, {})).status, 403, 'a proxy is no user itself');
  assert.equal((await ask(await certificateOf('other'))).status, 403, 'another name of the same authority');
});

test('the signature of a certificate is checked once, however many requests come with it', async () => {
  const { certificate } = await createAuthority({ commonName: 'proxies', now: Date.now(), validMs: DAY_MS });
  const proxy = frontProxy({
    certificateAuthority: certificate,
    allowedNames: [],
    usernameHeaders: ['x-remote-user'],
    uidHeaders: [],
    groupHeaders: [],
    extraHeaderPrefixes: [],
  });
  for (const signed of [true, false]) {
    let checks = 0;
    const signedBy = (): boolean => {
      checks++;
      return signed;
    };
    const shown = { commonName: 'front', organizations: [], signedBy };
    for (const name of ['jane', 'john']) {
      assert.equal(proxy.userOf(shown, { 'x-remote-user': name })?.name, signed ? name : undefined);
    }
    assert.equal(proxy.signed(shown), signed);
    assert.equal(checks, 1);
  }
});

test('requests without credentials may be let in for some paths only', async () => {
  await using server = await secureServer({ access: { authentication: { anonymous: ['/livez'] } } });
  assert.equal(
    (await server.call('/livez', { as: 'nobody' })).status,
    403,
    'let in, though nothing is granted',
  );
  const refused = await server.call('/version', { as: 'nobody' });
  assert.equal(refused.status, 401);
  assert.equal(refused.body.message, 'Unauthorized');
});

test('tokens of a file are taken, and bootstrap tokens only where they are wanted', async () => {
  const robot = { token: 'robot-token', user: { name: 'robot', groups: ['system:masters'] } };
  await using server = await secureServer({
    access: { authentication: { staticTokens: [robot], bootstrapTokens: false } },
  });
  const bearer = (token: string): Promise<Answer> =>
    server.call('/api/v1/namespaces', { headers: { authorization: `Bearer ${token}` }, as: 'nobody' });
  assert.equal((await bearer('robot-token')).status, 200);
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'kube-system' } } });
  const made = await server.call('/api/v1/namespaces/kube-system/secrets', {
    method: 'POST',
    body: {
      metadata: { name: 'bootstrap-token-abcdef' },
      type: 'bootstrap.kubernetes.io/token',
      data: {
        'token-id': encode('abcdef'),
        'token-secret': encode('0123456789abcdef'),
        'usage-bootstrap-authentication': encode('true'),
      },
    },
  });
  assert.equal(made.status, 201);
  assert.equal((await bearer('abcdef.0123456789abcdef')).status, 401);
});
