import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import { bootstrapRbac, type KubeObject } from '../../api/index.ts';
import { silentLogger, systemRandom, type Clock } from '../../base/index.ts';
import { StatusError, type UserInfo } from '../../machinery/index.ts';
import { createMemoryStorage, type Storage } from '../../storage/index.ts';
import type { RequestInfo } from '../contract.ts';
import { objectCodec } from '../object-codec.ts';
import { parseRequestInfo } from '../request-info.ts';
import { forbiddenRequest } from './rbac.ts';
import { DEFAULT_ISSUER, openSecurity, type Security } from './security.ts';

const serviceAccountKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string;

const start = Date.UTC(2026, 10, 21);

class World implements Clock {
  readonly storage: Storage<KubeObject> = createMemoryStorage(objectCodec);
  time = start;
  now(): number {
    return this.time;
  }
  after(): () => void {
    return () => undefined;
  }
  async put(group: string, resource: string, object: KubeObject): Promise<KubeObject> {
    const { namespace, name } = object.metadata;
    const scope = namespace === undefined ? '' : `${namespace}/`;
    const key = `/registry/${group === '' ? 'core' : group}/${resource}/${scope}${name}`;
    const old = await this.storage.get(key);
    const result =
      old === undefined
        ? await this.storage.create(key, object)
        : await this.storage.update(key, object, old.revision);
    assert.ok(result.ok);
    return result.entry.value;
  }
  async drop(group: string, resource: string, namespace: string, name: string): Promise<void> {
    const key = `/registry/${group === '' ? 'core' : group}/${resource}/${namespace}/${name}`;
    const entry = await this.storage.get(key);
    assert.ok(entry !== undefined);
    await this.storage.delete(key, entry.revision);
  }
  rbac(kind: string, namespace: string | undefined, name: string, rest: object): Promise<KubeObject> {
    const object = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      ...rest,
    };
    return this.put('rbac.authorization.k8s.io', `${kind.toLowerCase()}s`, object);
  }
  core(kind: string, namespace: string, name: string, uid: string, rest: object = {}): Promise<KubeObject> {
    const object = { apiVersion: 'v1', kind, metadata: { name, namespace, uid }, ...rest };
    return this.put('', `${kind.toLowerCase()}s`, object);
  }
}

const open: Security[] = [];
after(() => open.forEach((one) => one.close()));

async function setUp(): Promise<{ world: World; security: Security }> {
  const world = new World();
  const security = await openSecurity({
    storage: world.storage,
    clock: world,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey,
    staticTokens: [{ token: 'static', user: { name: 'robot', groups: ['robots'] } }],
  });
  open.push(security);
  return { world, security };
}

const dev: UserInfo = { name: 'dev', groups: ['devs', 'system:authenticated'] };

function info(method: string, target: string): RequestInfo {
  const [path = '', query = ''] = target.split('?');
  return parseRequestInfo(method, path, new URLSearchParams(query)).info;
}

const toDev = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'dev' }];
const roleRef = (kind: string, name: string): object => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind,
  name,
});

interface RuleCase {
  readonly name: string;
  readonly rule: object;
  readonly yes: readonly string[];
  readonly no: readonly string[];
}

const RULES: readonly RuleCase[] = [
  {
    name: 'verbs, groups and resources must all match',
    rule: { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    yes: ['GET /api/v1/namespaces/a/pods', 'GET /api/v1/namespaces/a/pods/x'],
    no: [
      'POST /api/v1/namespaces/a/pods',
      'GET /api/v1/namespaces/a/pods?watch=1',
      'GET /api/v1/namespaces/a/pods/x/log',
      'GET /apis/x.io/v1/namespaces/a/pods',
      'GET /api/v1/namespaces/b/pods',
      'GET /api/v1/pods',
    ],
  },
  {
    name: 'stars match everything, subresources too',
    rule: { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    yes: ['DELETE /apis/x.io/v1/namespaces/a/things', 'GET /api/v1/namespaces/a/pods/x/log'],
    no: ['GET /metrics', 'GET /api/v1/nodes'],
  },
  {
    name: 'a subresource is named with its resource, or for all resources',
    rule: { apiGroups: [''], resources: ['pods/log', '*/scale'], verbs: ['get'] },
    yes: ['GET /api/v1/namespaces/a/pods/x/log', 'GET /api/v1/namespaces/a/replicationcontrollers/x/scale'],
    no: ['GET /api/v1/namespaces/a/pods/x', 'GET /api/v1/namespaces/a/pods/x/exec'],
  },
  {
    name: 'resource names limit to these objects, and to lists of one of them',
    rule: { apiGroups: [''], resources: ['secrets'], resourceNames: ['x'], verbs: ['get', 'list'] },
    yes: [
      'GET /api/v1/namespaces/a/secrets/x',
      'GET /api/v1/namespaces/a/secrets?fieldSelector=metadata.name%3Dx',
    ],
    no: ['GET /api/v1/namespaces/a/secrets/y', 'GET /api/v1/namespaces/a/secrets'],
  },
];

for (const { name, rule, yes, no } of RULES) {
  test(`rules: ${name}`, async () => {
    const { world, security } = await setUp();
    await world.rbac('RoleBinding', 'a', 'r', { roleRef: roleRef('Role', 'r'), subjects: toDev });
    await world.rbac('Role', 'a', 'r', { rules: [rule] });
    const allowed = (line: string): boolean => {
      const [method = '', target = ''] = line.split(' ');
      return security.authorizer.authorize(dev, info(method, target)).allowed;
    };
    assert.deepEqual(
      yes.filter((line) => !allowed(line)),
      [],
    );
    assert.deepEqual(no.filter(allowed), []);
  });
}

test('paths that are no resources are allowed by cluster roles, with a star at the end', async () => {
  const { world, security } = await setUp();
  await world.rbac('ClusterRole', undefined, 'r', {
    rules: [{ nonResourceURLs: ['/healthz', '/apis/*'], verbs: ['get'] }],
  });
  await world.rbac('ClusterRoleBinding', undefined, 'r', {
    roleRef: roleRef('ClusterRole', 'r'),
    subjects: [{ kind: 'Group', name: 'devs' }],
  });
  const allowed = (method: string, path: string): boolean =>
    security.authorizer.authorize(dev, info(method, path)).allowed;
  assert.ok(allowed('GET', '/healthz'));
  assert.ok(allowed('GET', '/apis/x'));
  assert.ok(!allowed('POST', '/healthz'));
  assert.ok(!allowed('GET', '/healthz/ping'));
  assert.ok(!allowed('GET', '/apis'));
});

test('a verdict names the binding, and the missing role; a binding that is gone grants nothing', async () => {
  const { world, security } = await setUp();
  const asked = info('GET', '/api/v1/namespaces/a/pods');
  await world.rbac('RoleBinding', 'a', 'b', {
    roleRef: roleRef('ClusterRole', 'viewer'),
    subjects: [{ kind: 'ServiceAccount', name: 'sa' }],
  });
  const account = { name: 'system:serviceaccount:a:sa', groups: [] };
  assert.deepEqual(security.authorizer.authorize(account, asked), {
    allowed: false,
    reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "viewer" not found',
  });
  await world.rbac('ClusterRole', undefined, 'viewer', {
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
  });
  assert.deepEqual(security.authorizer.authorize(account, asked), {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "b/a" of ClusterRole "viewer" to ServiceAccount "sa/a"',
  });
  await world.rbac('RoleBinding', 'a', 'b', { roleRef: roleRef('ClusterRole', 'viewer'), subjects: [] });
  assert.equal(security.authorizer.authorize(account, asked).allowed, false);
});

test('the masters may do everything, the bootstrap policy lets everybody look at health', async () => {
  const { world, security } = await setUp();
  const master = { name: 'admin', groups: ['system:masters'] };
  assert.ok(security.authorizer.authorize(master, info('DELETE', '/api/v1/nodes/x')).allowed);
  for (const object of bootstrapRbac()) {
    const { name = '', namespace } = object.metadata;
    await world.rbac(object.kind, namespace, name, object);
  }
  const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  assert.ok(security.authorizer.authorize(anonymous, info('GET', '/healthz')).allowed);
  assert.ok(!security.authorizer.authorize(anonymous, info('GET', '/metrics')).allowed);
  assert.ok(security.authorizer.authorize(dev, info('GET', '/api')).allowed);
});

const MESSAGES: readonly (readonly [string, string])[] = [
  [
    'GET /api/v1/namespaces/ns/configmaps',
    'configmaps is forbidden: User "dev" cannot list resource "configmaps" in API group "" in the namespace "ns"',
  ],
  [
    'DELETE /apis/apps/v1/namespaces/ns/deployments/d',
    'deployments.apps "d" is forbidden: User "dev" cannot delete resource "deployments" in API group "apps" in the namespace "ns"',
  ],
  [
    'GET /api/v1/namespaces/ns/pods/a/log',
    'pods "a" is forbidden: User "dev" cannot get resource "pods/log" in API group "" in the namespace "ns"',
  ],
  [
    'GET /api/v1/nodes',
    'nodes is forbidden: User "dev" cannot list resource "nodes" in API group "" at the cluster scope',
  ],
  ['GET /metrics', 'forbidden: User "dev" cannot get path "/metrics"'],
];

test('refusals read as those of kube-apiserver', () => {
  for (const [line, message] of MESSAGES) {
    const [method = '', target = ''] = line.split(' ');
    assert.equal(forbiddenRequest(dev, info(method, target), '').message, message);
  }
  assert.deepEqual(forbiddenRequest(dev, info('GET', '/metrics'), 'why').status.details, {});
});

// ---- escalation

const rulePods = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };

function writeRole(security: Security, kind: string, object: object, user = dev, oldObject?: object): void {
  const resource = `${kind.toLowerCase()}s`;
  const full = (rest: object): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name: 'up', namespace: 'a' },
    ...rest,
  });
  const attributes = {
    operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    kind,
    resource,
    subresource: '',
    namespace: 'a',
    name: 'up',
    user,
    dryRun: false,
    object: full(object),
    oldObject: oldObject === undefined ? undefined : full(oldObject),
    options: {},
  } as const;
  for (const plugin of security.admission) {
    if (plugin.handles(attributes)) void plugin.validate?.(attributes, () => undefined);
  }
}

function refusal(run: () => void, code = 403): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError);
    assert.equal(error.code, code);
    return error.message;
  }
  return '';
}

test('nobody grants more than they hold', async () => {
  const { world, security } = await setUp();
  await world.rbac('Role', 'a', 'r', { rules: [rulePods] });
  await world.rbac('RoleBinding', 'a', 'r', { roleRef: roleRef('Role', 'r'), subjects: toDev });
  writeRole(security, 'Role', { rules: [{ ...rulePods, verbs: ['get'] }] });
  assert.equal(
    refusal(() =>
      writeRole(security, 'Role', {
        rules: [
          { apiGroups: ['', 'apps'], resources: ['secrets', 'pods'], verbs: ['get', 'watch'] },
          { nonResourceURLs: ['/metrics'], verbs: ['get'] },
          { apiGroups: [''], resources: ['nodes'], resourceNames: ['n1'], verbs: ['get'] },
        ],
      }),
    ),
    'roles.rbac.authorization.k8s.io "up" is forbidden: user "dev" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      [
        '{APIGroups:[""], Resources:["nodes"], ResourceNames:["n1"], Verbs:["get"]}',
        '{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}',
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "watch"]}',
        '{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "watch"]}',
        '{APIGroups:["apps"], Resources:["secrets"], Verbs:["get" "watch"]}',
        '{NonResourceURLs:["/metrics"], Verbs:["get"]}',
      ].join('\n'),
  );
  const bind = (name: string): void =>
    writeRole(security, 'RoleBinding', { roleRef: roleRef('Role', name), subjects: [] });
  bind('r');
  await world.rbac('Role', 'a', 'big', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] });
  assert.match(
    refusal(() => bind('big')),
    /rolebindings.* "up" is forbidden: user "dev" .*\n\{APIGroups:\["\*"\]/,
  );
  assert.equal(
    refusal(() => bind('none'), 404),
    'role.rbac.authorization.k8s.io "none" not found',
  );
  writeRole(security, 'Role', { rules: [rulePods] }, { name: 'root', groups: ['system:masters'] });
});

test('the verbs escalate and bind lift the check, for the roles they name', async () => {
  const { world, security } = await setUp();
  await world.rbac('Role', 'a', 'big', { rules: [rulePods] });
  await world.rbac('Role', 'a', 'r', {
    rules: [
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['roles'],
        resourceNames: ['up', 'big'],
        verbs: ['escalate', 'bind'],
      },
    ],
  });
  await world.rbac('RoleBinding', 'a', 'r', { roleRef: roleRef('Role', 'r'), subjects: toDev });
  writeRole(security, 'Role', { rules: [rulePods] });
  writeRole(security, 'RoleBinding', { roleRef: roleRef('Role', 'big'), subjects: [] });
  assert.notEqual(
    refusal(
      () => writeRole(security, 'RoleBinding', { roleRef: roleRef('Role', 'other'), subjects: [] }),
      404,
    ),
    '',
  );
});

test('finalizers of a role may be changed without holding its rights, aggregation needs all of them', async () => {
  const { security } = await setUp();
  const role = { rules: [rulePods] };
  writeRole(
    security,
    'Role',
    { ...role, metadata: { name: 'up', namespace: 'a', finalizers: ['x/y'] } },
    dev,
    role,
  );
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] };
  assert.match(
    refusal(() => writeRole(security, 'ClusterRole', { rules: [], aggregationRule })),
    /must have cluster-admin privileges to use the aggregationRule$/,
  );
});

// ---- authentication

async function who(security: Security, token: string): Promise<UserInfo | undefined> {
  return security.authenticator.authenticate({
    headers: { authorization: `Bearer ${token}` },
    certificate: undefined,
  });
}

async function refused(security: Security, token: string): Promise<void> {
  await assert.rejects(who(security, token), (error) => error instanceof StatusError && error.code === 401);
}

test('certificates, static tokens and nobody are told apart; unknown tokens are refused', async () => {
  const { security } = await setUp();
  const ask = (
    headers: Record<string, string>,
    certificate?: { commonName: string; organizations: string[] },
  ) => security.authenticator.authenticate({ headers, certificate });
  assert.deepEqual(await ask({}, { commonName: 'jane', organizations: ['x'] }), {
    name: 'jane',
    groups: ['x', 'system:authenticated'],
  });
  assert.deepEqual(await ask({ authorization: 'bearer static' }), {
    name: 'robot',
    groups: ['robots', 'system:authenticated'],
  });
  const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  assert.deepEqual(await ask({}), anonymous);
  assert.deepEqual(await ask({ authorization: 'Basic abc' }), anonymous);
  await refused(security, 'garbage');
});

function issueFor(
  { tokenRequest }: Security,
  account: KubeObject,
  request: KubeObject,
  nowMs: number,
): Promise<KubeObject> {
  return tokenRequest.issue(account, tokenRequest.complete(account, request), nowMs);
}

test('a token of a service account is good while the account is, until it expires, for its audience', async () => {
  const { world, security } = await setUp();
  const account = await world.core('ServiceAccount', 'a', 'sa', 'u1');
  const request = (spec: object): KubeObject => ({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec,
  });
  const issue = async (spec: object): Promise<string> => {
    const answer = await issueFor(security, account, request(spec), world.now());
    return (answer['status'] as { token: string }).token;
  };
  const token = await issue({ expirationSeconds: 600 });
  const user = await who(security, token);
  assert.equal(user?.name, 'system:serviceaccount:a:sa');
  assert.equal(user.uid, 'u1');
  assert.deepEqual(user.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:a',
    'system:authenticated',
  ]);
  assert.match(user.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^JTI=/);

  await refused(security, await issue({ audiences: ['vault'] }));
  await refused(security, `${token.slice(0, -4)}AAAA`);
  world.time += 600_000;
  await refused(security, token);

  const second = await issue({});
  await world.drop('', 'serviceaccounts', 'a', 'sa');
  await refused(security, second);
  await world.core('ServiceAccount', 'a', 'sa', 'u2');
  await refused(security, second);
});

test('a token bound to a pod ends with it and says which pod it is', async () => {
  const { world, security } = await setUp();
  const account = await world.core('ServiceAccount', 'a', 'sa', 'u1');
  await world.core('Pod', 'a', 'p', 'p1', { spec: { serviceAccountName: 'sa', nodeName: 'n' } });
  const ask = (ref: object): Promise<KubeObject> =>
    issueFor(
      security,
      account,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', ...ref } },
      },
      world.now(),
    );
  const { token } = (await ask({ uid: 'p1' }))['status'] as { token: string };
  const { extra } = (await who(security, token))!;
  assert.deepEqual(extra?.['authentication.kubernetes.io/pod-name'], ['p']);
  assert.deepEqual(extra['authentication.kubernetes.io/node-name'], ['n']);
  await assert.rejects(ask({ uid: 'other' }), (error) => error instanceof StatusError && error.code === 409);
  await assert.rejects(ask({ name: 'q' }), (error) => error instanceof StatusError && error.code === 404);
  await assert.rejects(ask({ kind: 'Node' }), { message: 'nodes "p" not found' });
  await assert.rejects(ask({ kind: 'Job' }), (error) => error instanceof StatusError && error.code === 400);
  await world.drop('', 'pods', 'a', 'p');
  await refused(security, token);
});

test('the token of a secret is good while secret and account are', async () => {
  const { world, security } = await setUp();
  await world.core('ServiceAccount', 'a', 'sa', 'u1');
  const token = await security.tokens.issueForSecret({
    namespace: 'a',
    serviceAccount: { name: 'sa', uid: 'u1' },
    secretName: 's',
  });
  await refused(security, token);
  await world.core('Secret', 'a', 's', 's1', { data: { token: Buffer.from(token).toString('base64') } });
  assert.equal((await who(security, token))?.name, 'system:serviceaccount:a:sa');
  await world.drop('', 'secrets', 'a', 's');
  await refused(security, token);
});

test('a bootstrap token needs its secret, its usage and its time', async () => {
  const { world, security } = await setUp();
  const put = (data: Record<string, string>): Promise<KubeObject> =>
    world.core('Secret', 'kube-system', 'bootstrap-token-abcdef', 'x', {
      type: 'bootstrap.kubernetes.io/token',
      data: Object.fromEntries(
        Object.entries({
          'token-id': 'abcdef',
          'token-secret': '0123456789abcdef',
          'usage-bootstrap-authentication': 'true',
          ...data,
        }).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      ),
    });
  const token = 'abcdef.0123456789abcdef';
  await refused(security, token);
  await put({ 'auth-extra-groups': 'system:bootstrappers:agents', expiration: '2026-11-22T00:00:00Z' });
  assert.deepEqual(await who(security, token), {
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:agents', 'system:authenticated'],
  });
  await refused(security, 'abcdef.0123456789abcdee');
  await put({ 'usage-bootstrap-authentication': 'false' });
  await refused(security, token);
  await put({ 'auth-extra-groups': 'system:masters' });
  await refused(security, token);
  await put({ expiration: '2026-11-20T00:00:00Z' });
  await refused(security, token);
});

// ---- impersonation

test('acting as somebody else needs a permission for each part of the identity', async () => {
  const { world, security } = await setUp();
  const act = (headers: Record<string, string>, user = dev): UserInfo =>
    security.actingUser({ user, headers });
  assert.equal(act({}), dev);
  assert.match(
    refusal(() => act({ 'impersonate-user': 'jane' })),
    /^users "jane" is forbidden: User "dev" cannot impersonate resource "users" in API group "" at the cluster scope$/,
  );
  await world.rbac('ClusterRole', undefined, 'i', {
    rules: [
      { apiGroups: [''], resources: ['users'], resourceNames: ['jane'], verbs: ['impersonate'] },
      { apiGroups: ['authentication.k8s.io'], resources: ['userextras/scopes'], verbs: ['impersonate'] },
    ],
  });
  await world.rbac('ClusterRoleBinding', undefined, 'i', {
    roleRef: roleRef('ClusterRole', 'i'),
    subjects: toDev,
  });
  assert.deepEqual(act({ 'impersonate-user': 'jane', 'impersonate-extra-scopes': 'x\ny' }), {
    name: 'jane',
    groups: ['system:authenticated'],
    extra: { scopes: ['x', 'y'] },
  });
  assert.notEqual(
    refusal(() => act({ 'impersonate-user': 'jane', 'impersonate-group': 'admins' })),
    '',
  );
  assert.notEqual(
    refusal(() => act({ 'impersonate-user': 'jane', 'impersonate-uid': '1' })),
    '',
  );
  assert.throws(
    () => act({ 'impersonate-group': 'admins' }),
    (error) => error instanceof StatusError && error.code === 400,
  );
});

test('groups of who is impersonated', async () => {
  const { security } = await setUp();
  const admin = { name: 'admin', groups: ['system:masters'] };
  const groups = (headers: Record<string, string>): readonly string[] =>
    security.actingUser({ user: admin, headers }).groups;
  assert.deepEqual(groups({ 'impersonate-user': 'a', 'impersonate-group': 'x, y\nz' }), [
    'x, y',
    'z',
    'system:authenticated',
  ]);
  assert.deepEqual(groups({ 'impersonate-user': 'a', 'impersonate-group': 'system:authenticated' }), [
    'system:authenticated',
  ]);
  assert.deepEqual(groups({ 'impersonate-user': 'system:serviceaccount:n:s' }), [
    'system:serviceaccounts',
    'system:serviceaccounts:n',
    'system:authenticated',
  ]);
  assert.deepEqual(groups({ 'impersonate-user': 'system:anonymous' }), ['system:unauthenticated']);
});

// ---- reviews

function review(
  security: Security,
  key: string,
  spec: object,
  context = { user: dev, nowMs: 0, namespace: '' },
) {
  return security.reviews.get(key)!(
    { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {}, spec },
    context,
  );
}

test('access reviews answer for the caller, for others and for what is no resource', async () => {
  const { world, security } = await setUp();
  await world.rbac('Role', 'a', 'r', { rules: [rulePods] });
  await world.rbac('RoleBinding', 'a', 'r', { roleRef: roleRef('Role', 'r'), subjects: toDev });
  const self = 'authorization.k8s.io/selfsubjectaccessreviews';
  const pods = { verb: 'get', resource: 'pods', namespace: 'a' };
  assert.deepEqual((await review(security, self, { resourceAttributes: pods }))['status'], {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "r/a" of Role "r" to User "dev"',
  });
  const denied = await review(security, self, { nonResourceAttributes: { path: '/x', verb: 'get' } });
  assert.deepEqual(denied['status'], { allowed: false });
  const other = await review(security, 'authorization.k8s.io/subjectaccessreviews', {
    user: 'jane',
    resourceAttributes: pods,
  });
  assert.deepEqual(other['status'], { allowed: false });
  const invalid = (key: string, spec: object) =>
    assert.rejects(
      review(security, key, spec),
      (error) => error instanceof StatusError && error.code === 422,
    );
  await invalid(self, {});
  await invalid('authorization.k8s.io/subjectaccessreviews', { resourceAttributes: pods });
  await invalid('authorization.k8s.io/localsubjectaccessreviews', { user: 'x', resourceAttributes: pods });
});

test('rules reviews list what the caller may do, token reviews tell whose a token is', async () => {
  const { world, security } = await setUp();
  await world.rbac('Role', 'a', 'r', { rules: [rulePods, { nonResourceURLs: ['/x'], verbs: ['get'] }] });
  await world.rbac('RoleBinding', 'a', 'r', { roleRef: roleRef('Role', 'r'), subjects: toDev });
  await world.rbac('RoleBinding', 'a', 's', { roleRef: roleRef('Role', 'gone'), subjects: toDev });
  const rules = await review(security, 'authorization.k8s.io/selfsubjectrulesreviews', { namespace: 'a' });
  assert.deepEqual(rules['status'], {
    resourceRules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
    incomplete: false,
    evaluationError: 'role.rbac.authorization.k8s.io "gone" not found',
  });
  const good = await review(security, 'authentication.k8s.io/tokenreviews', { token: 'static' });
  assert.deepEqual(good['status'], {
    authenticated: true,
    user: { username: 'robot', groups: ['robots', 'system:authenticated'] },
    audiences: [DEFAULT_ISSUER],
  });
  const bad = await review(security, 'authentication.k8s.io/tokenreviews', { token: 'x' });
  assert.equal((bad['status'] as { authenticated?: boolean }).authenticated, undefined);
  const self = await review(security, 'authentication.k8s.io/selfsubjectreviews', {});
  assert.deepEqual(self['status'], { userInfo: { username: 'dev', groups: dev.groups } });
});

test('the key set checks the tokens', async () => {
  const { security } = await setUp();
  const { keys } = (await security.tokens.signer.keySet()) as { keys: Record<string, string>[] };
  assert.equal(keys.length, 1);
  assert.equal(keys[0]?.['alg'], 'ES256');
  assert.equal(keys[0]['d'], undefined, 'the private part stays here');
});
