import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { OperatingError, silentLogger } from '../../../base/index.ts';
import { ManualClock } from '../../../runtime/testing/manual-clock.ts';
import { createAuthority, issueCertificate, DAY_MS } from '../certificates.ts';
import { jwtAuthenticator, type JwtAuthenticator } from './authenticator.ts';
import { ClaimError, compileClaimRules, type ClaimRules } from './claims.ts';
import { readAuthenticationConfiguration } from './configuration.ts';

const RULES: ClaimRules = {
  username: { claim: 'sub', prefix: 'oidc:' },
  groups: { claim: 'groups', prefix: 'oidc:' },
  extra: [],
  claimValidation: [],
  userValidation: [],
};

const READINGS: readonly (readonly [
  what: string,
  rules: Partial<ClaimRules>,
  claims: object,
  user: object | RegExp,
])[] = [
  [
    'a name and groups with their prefixes',
    {},
    { sub: 'jane', groups: ['a', 'b'] },
    { name: 'oidc:jane', groups: ['oidc:a', 'oidc:b'] },
  ],
  ['one group that is no list', {}, { sub: 'jane', groups: 'a' }, { name: 'oidc:jane', groups: ['oidc:a'] }],
  ['no groups', {}, { sub: 'jane' }, { name: 'oidc:jane', groups: [] }],
  ['nobody without the claim', {}, { name: 'jane' }, /the username is no text/],
  [
    'nobody by an address that is not verified',
    { username: { claim: 'email' } },
    { email: 'j@example.com', email_verified: false },
    /not verified/,
  ],
  [
    'a name by its address, when nothing is said of it',
    { username: { claim: 'email' } },
    { email: 'j@example.com' },
    { name: 'j@example.com', groups: [] },
  ],
  [
    'what expressions make of the claims',
    {
      username: { expression: "claims.sub + '@' + claims.realm" },
      groups: { expression: "claims.roles.split(',')" },
      uid: { expression: 'string(claims.id)' },
      extra: [{ key: 'example.com/tier', valueExpression: 'claims.?tier.orValue("none")' }],
    },
    { sub: 'jane', realm: 'shop', roles: 'a,b', id: 7 },
    { name: 'jane@shop', uid: '7', groups: ['a', 'b'], extra: { 'example.com/tier': ['none'] } },
  ],
  [
    'nobody without a required claim',
    { claimValidation: [{ claim: 'hd', requiredValue: 'example.com' }] },
    { sub: 'jane', hd: 'example.org' },
    /required claim hd/,
  ],
  [
    'nobody who fails a rule, in the words of the rule',
    { claimValidation: [{ expression: 'claims.age >= 18', message: 'too young' }] },
    { sub: 'jane', age: 17 },
    /^ClaimError: too young$/,
  ],
  [
    'nobody with a name that is reserved',
    {
      username: { claim: 'sub' },
      userValidation: [{ expression: "!user.username.startsWith('system:')", message: 'reserved' }],
    },
    { sub: 'system:admin' },
    /reserved/,
  ],
];

for (const [what, rules, claims, expected] of READINGS) {
  test(`claims name ${what}`, () => {
    const read = compileClaimRules({ ...RULES, ...rules });
    if (expected instanceof RegExp) assert.throws(() => read(claims as never), expected);
    else assert.deepEqual(read(claims as never), expected);
  });
}

test('an expression that cannot be compiled is refused at the start', () => {
  assert.throws(() => compileClaimRules({ ...RULES, username: { expression: 'claims.(' } }));
  assert.ok(new ClaimError('x') instanceof Error);
});

// ---- an issuer over HTTPS

let privateKey: CryptoKey;
let publicKeys: JWK[] = [];
let url = '';
let ca = '';
let asked = 0;
const closers: (() => Promise<unknown>)[] = [];

before(async () => {
  const now = Date.now();
  const authority = await createAuthority({ commonName: 'issuer', now, validMs: DAY_MS });
  const usages = ['server auth'] as const;
  const pair = await issueCertificate(authority, {
    commonName: 'server',
    hosts: ['127.0.0.1'],
    usages,
    now,
    validMs: DAY_MS,
  });
  ca = authority.certificate;
  const keys = await generateKeyPair('RS256');
  ({ privateKey } = keys);
  publicKeys = [{ ...(await exportJWK(keys.publicKey)), kid: 'one' }];
  const server = createServer({ key: pair.key, cert: pair.certificate }, (request, response) => {
    asked++;
    const document = { issuer: url, jwks_uri: `${url}/keys` };
    response.end(JSON.stringify(request.url === '/keys' ? { keys: publicKeys } : document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
after(async () => {
  for (const close of closers.reverse()) await close();
});

const clock = new ManualClock();

function authenticator(certificateAuthority = ca): JwtAuthenticator {
  const issuer = { url, certificateAuthority, audiences: ['navarch'], algorithms: ['RS256'], rules: RULES };
  const made = jwtAuthenticator([issuer], { clock, logger: silentLogger });
  closers.push(() => made.close());
  return made;
}

function token(claims: object = {}, kid = 'one', key = privateKey): Promise<string> {
  const now = Math.floor(clock.now() / 1000);
  return new SignJWT({ iss: url, aud: 'navarch', sub: 'jane', exp: now + 60, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid })
    .sign(key);
}

const nameOf = async (of: JwtAuthenticator, text: string): Promise<string | undefined> =>
  (await of.authenticateToken(text, ['api']))?.user.name;

test('a token is good when its issuer signed it, for us, and its time has not passed', async () => {
  const ours = authenticator();
  assert.equal(await nameOf(ours, await token()), 'oidc:jane');
  const past = Math.floor(clock.now() / 1000) - 60;
  assert.equal(await nameOf(ours, await token({ exp: past })), undefined);
  assert.equal(await nameOf(ours, await token({ aud: 'other' })), undefined);
  assert.equal(await nameOf(ours, await token({ iss: 'https://example.com' })), undefined);
  const stranger = await generateKeyPair('RS256');
  assert.equal(await nameOf(ours, await token({}, 'one', stranger.privateKey)), undefined);
  for (const text of ['', 'a.b.c', 'x'.repeat(100_000)]) assert.equal(await nameOf(ours, text), undefined);
});

test('a new key is fetched when a token names it, and strange keys do not make us ask again and again', async () => {
  const ours = authenticator();
  assert.equal(await nameOf(ours, await token()), 'oidc:jane');
  const next = await generateKeyPair('RS256');
  publicKeys = [...publicKeys, { ...(await exportJWK(next.publicKey)), kid: 'two' }];
  await clock.advance(10_000);
  assert.equal(await nameOf(ours, await token({}, 'two', next.privateKey)), 'oidc:jane');
  const before = asked;
  for (let i = 0; i < 20; i++)
    assert.equal(await nameOf(ours, await token({ jti: i }, `no-${i}`)), undefined);
  assert.equal(asked, before);
});

test('an issuer whose certificate is not trusted has no good tokens', async () => {
  const other = await createAuthority({ commonName: 'other', now: Date.now(), validMs: DAY_MS });
  assert.equal(await nameOf(authenticator(other.certificate), await token()), undefined);
});

// ---- the configuration file

const FILE = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: https://example.com, audiences: [a, b], audienceMatchPolicy: MatchAny}
  claimMappings:
    username: {claim: sub, prefix: ""}
    groups: {expression: claims.roles}
  claimValidationRules:
  - {claim: hd, requiredValue: example.com}
anonymous:
  enabled: true
  conditions: [{path: /healthz}]
`;

test('a configuration file is read', () => {
  const { issuers, anonymous } = readAuthenticationConfiguration(FILE);
  assert.equal(issuers[0]?.url, 'https://example.com');
  assert.deepEqual(issuers[0].rules.groups, { expression: 'claims.roles' });
  assert.deepEqual(anonymous, { enabled: true, paths: ['/healthz'] });
});

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['another kind', FILE.replace('AuthenticationConfiguration', 'Pod'), /no AuthenticationConfiguration/],
  ['a plain URL', FILE.replace('https:', 'http:'), /jwt\[0\]\.issuer\.url: it must be an https URL/],
  ['no audience', FILE.replace('[a, b]', '[]'), /audiences/],
  ['several audiences without a policy', FILE.replace('MatchAny', ''), /audienceMatchPolicy/],
  ['no user name', FILE.replace('username: {claim: sub, prefix: ""}', ''), /claimMappings\.username/],
  ['an expression that is none', FILE.replace('claims.roles', '"claims.("'), /jwt\[0\]: /],
  ['text that is no YAML', '{', /authentication configuration/],
];

for (const [what, text, message] of WRONG) {
  test(`a configuration file with ${what} is refused`, () => {
    assert.throws(
      () => readAuthenticationConfiguration(text),
      (error) => error instanceof OperatingError && message.test(error.message),
    );
  });
}
