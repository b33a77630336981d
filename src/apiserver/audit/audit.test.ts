import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { JsonObject } from '../../api/index.ts';
import { OperatingError, silentLogger } from '../../base/index.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import type { RequestInfo } from '../contract.ts';
import { createMetricsRegistry } from '../metrics.ts';
import { parseRequestInfo } from '../request-info.ts';
import { secureServer } from '../testing/secure-server.ts';
import { openAuditLog, type AuditLogOptions } from './log-file.ts';
import { decideAudit, readAuditPolicy, type AuditPolicy, type AuditRule } from './policy.ts';

const infoOf = (method: string, url: string): RequestInfo => {
  const { pathname, searchParams } = new URL(url, 'http://x');
  return parseRequestInfo(method, pathname, searchParams).info;
};
const JANE = { name: 'jane', groups: ['devs'] };

const MATCHES: readonly (readonly [
  what: string,
  rule: Partial<AuditRule>,
  method: string,
  url: string,
  matches: boolean,
])[] = [
  ['an empty rule is about everything', {}, 'GET', '/healthz', true],
  ['a user', { users: ['jane'] }, 'GET', '/api/v1/pods', true],
  ['another user', { users: ['joe'] }, 'GET', '/api/v1/pods', false],
  ['a group', { userGroups: ['ops', 'devs'] }, 'GET', '/api/v1/pods', true],
  ['a verb', { verbs: ['list'] }, 'GET', '/api/v1/pods', true],
  ['another verb', { verbs: ['get'] }, 'GET', '/api/v1/pods', false],
  ['a namespace', { namespaces: ['a'] }, 'GET', '/api/v1/namespaces/a/pods', true],
  ['no namespace', { namespaces: [''] }, 'GET', '/api/v1/nodes', true],
  ['another namespace', { namespaces: ['b'] }, 'GET', '/api/v1/namespaces/a/pods', false],
  ['all of a group', { resources: [{ group: 'apps' }] }, 'GET', '/apis/apps/v1/deployments', true],
  ['another group', { resources: [{ group: 'apps' }] }, 'GET', '/api/v1/pods', false],
  [
    'a resource',
    { resources: [{ group: '', resources: ['pods'] }] },
    'GET',
    '/api/v1/namespaces/a/pods/p',
    true,
  ],
  [
    'a resource without its subresources',
    { resources: [{ group: '', resources: ['pods'] }] },
    'GET',
    '/api/v1/namespaces/a/pods/p/log',
    false,
  ],
  [
    'a subresource of any resource',
    { resources: [{ group: '', resources: ['*/log'] }] },
    'GET',
    '/api/v1/namespaces/a/pods/p/log',
    true,
  ],
  [
    'all subresources of a resource',
    { resources: [{ group: '', resources: ['pods/*'] }] },
    'GET',
    '/api/v1/namespaces/a/pods/p/log',
    true,
  ],
  [
    'another name',
    { resources: [{ group: '', resources: ['pods'], resourceNames: ['q'] }] },
    'GET',
    '/api/v1/namespaces/a/pods/p',
    false,
  ],
  ['a URL', { nonResourceURLs: ['/healthz'] }, 'GET', '/healthz', true],
  ['URLs that begin alike', { nonResourceURLs: ['/healthz*'] }, 'GET', '/healthz/etcd', true],
  ['URLs below one, and not that one', { nonResourceURLs: ['/healthz/*'] }, 'GET', '/healthz', false],
  [
    'a resource of any group',
    { resources: [{ group: '*', resources: ['deployments'] }] },
    'GET',
    '/apis/apps/v1/deployments',
    true,
  ],
  ['a URL, but this is a resource', { nonResourceURLs: ['/api*'] }, 'GET', '/api/v1/pods', false],
];

for (const [what, rule, method, url, expected] of MATCHES) {
  test(`a rule of the audit policy: ${what}`, () => {
    const policy: AuditPolicy = { rules: [{ level: 'Metadata', ...rule }] };
    assert.equal(decideAudit(policy, JANE, infoOf(method, url)).level, expected ? 'Metadata' : 'None');
  });
}

test('a rule about certain users or groups is about nobody whose name is not known', () => {
  const level = (rule: Partial<AuditRule>): string =>
    decideAudit({ rules: [{ level: 'Metadata', ...rule }] }, undefined, infoOf('GET', '/api/v1/pods')).level;
  assert.deepEqual(
    [level({}), level({ users: ['jane'] }), level({ userGroups: ['a'] }), level({ verbs: ['list'] })],
    ['Metadata', 'None', 'None', 'Metadata'],
  );
});

test('the first rule that matches decides, and what is omitted adds up', () => {
  const policy = readAuditPolicy(`
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, nonResourceURLs: ['/healthz*']}
- {level: Request, verbs: [create], omitStages: [ResponseStarted], omitManagedFields: false}
- {level: Metadata}
`);
  assert.equal(decideAudit(policy, JANE, infoOf('GET', '/healthz')).level, 'None');
  assert.deepEqual(decideAudit(policy, JANE, infoOf('POST', '/api/v1/namespaces/a/pods')), {
    level: 'Request',
    omitStages: ['RequestReceived', 'ResponseStarted'],
    omitManagedFields: false,
  });
  assert.deepEqual(decideAudit(policy, JANE, infoOf('GET', '/api/v1/pods')), {
    level: 'Metadata',
    omitStages: ['RequestReceived'],
    omitManagedFields: true,
  });
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['{}', /no Policy/],
  ['{apiVersion: audit.k8s.io/v1, kind: Policy}', /rules/],
  ['{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: All}]}', /rules\[0\]\.level/],
  ['{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, omitStages: [End]}]}', /"End"/],
  ['{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, nonResourceURLs: [x]}]}', /begin/],
  [
    '{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, namespaces: [a], nonResourceURLs: [/x]}]}',
    /both/,
  ],
];

for (const [text, message] of WRONG) {
  test(`the audit policy ${text} is refused`, () => {
    assert.throws(
      () => readAuditPolicy(text),
      (error) => error instanceof OperatingError && message.test(error.message),
    );
  });
}

// ---- the file

let directory = '';
before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'audit-'));
});
after(() => rm(directory, { recursive: true }));

const optionsOf = (name: string, more: Partial<AuditLogOptions> = {}): AuditLogOptions => ({
  file: path.join(directory, name),
  maxBytes: 0,
  maxAgeMs: 0,
  maxBackups: 0,
  bufferEvents: 1000,
  ...more,
});

const linesOf = async (name: string): Promise<readonly JsonObject[]> =>
  (await readFile(path.join(directory, name), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonObject);

test('a full file is put aside, and of those only some are kept', async () => {
  const clock = new ManualClock();
  const options = optionsOf('small.log', { maxBytes: 50, maxBackups: 2 });
  const log = await openAuditLog(options, { clock, logger: silentLogger });
  for (let n = 0; n < 8; n++) {
    log.put({ n, text: 'x'.repeat(20) });
    await log.idle();
    await clock.advance(1000);
  }
  await log.close();
  const names = (await readdir(directory)).filter((name) => name.startsWith('small'));
  assert.equal(names.length, 3);
  assert.deepEqual(
    (await linesOf('small.log')).map(({ n }) => n),
    [7],
  );
  const again = await openAuditLog(options, { clock, logger: silentLogger });
  again.put({ n: 8 });
  await again.close();
  assert.deepEqual(
    (await linesOf('small.log')).map(({ n }) => n),
    [7, 8],
    'what was there is kept',
  );
});

test('events that do not fit the buffer are dropped and counted', async () => {
  const metrics = createMetricsRegistry();
  const log = await openAuditLog(optionsOf('full.log', { bufferEvents: 3 }), {
    clock: new ManualClock(),
    logger: silentLogger,
    metrics,
  });
  for (let n = 0; n < 10; n++) log.put({ n });
  await log.close();
  assert.deepEqual(
    (await linesOf('full.log')).map(({ n }) => n),
    [0, 1, 2],
  );
  assert.match(metrics.text(), /^apiserver_audit_error_total\{plugin="log"\} 7$/m);
  assert.match(metrics.text(), /^apiserver_audit_event_total 10$/m);
});

test('an event that comes at the very moment when all was written is written too', async (t) => {
  // From the end of the last write on, one step of the program later in each round.
  for (let steps = 0; steps < 20; steps++) {
    const lines: string[] = [];
    const log = await openAuditLog(optionsOf('-', { file: '-' }), {
      clock: new ManualClock(),
      logger: silentLogger,
    });
    let left = steps;
    const later = (): void => {
      if (left-- > 0) queueMicrotask(later);
      else log.put({ n: 2 });
    };
    // What reports on the tests writes there, too.
    const write = process.stdout.write.bind(process.stdout) as (...given: readonly unknown[]) => boolean;
    const output = t.mock.method(process.stdout, 'write', (...given: readonly unknown[]) => {
      const [text, written] = given;
      if (typeof text !== 'string' || !text.startsWith('{"n":')) return write(...given);
      lines.push(text);
      (written as () => void)();
      if (lines.length === 1) queueMicrotask(later);
      return true;
    });
    log.put({ n: 1 });
    await log.idle();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    output.mock.restore();
    await log.close();
    assert.deepEqual(lines, ['{"n":1}\n', '{"n":2}\n'], `after ${steps} steps`);
  }
});

test('a log that cannot be opened is refused at the start', async () => {
  await assert.rejects(
    openAuditLog(optionsOf('none/x.log'), { clock: new ManualClock(), logger: silentLogger }),
    (error) => error instanceof OperatingError && error.code === 'AUDIT_LOG_UNWRITABLE',
  );
});

// ---- requests

async function eventsOf(
  name: string,
  policy: AuditPolicy,
  requests: (server: Awaited<ReturnType<typeof secureServer>>) => Promise<unknown>,
): Promise<readonly JsonObject[]> {
  const server = await secureServer({ access: { audit: { policy, log: optionsOf(name) } } });
  try {
    await requests(server);
  } finally {
    await server[Symbol.asyncDispose]();
  }
  const events = await linesOf(name);
  // What the server registers for itself meanwhile is told too.
  return events.filter(({ user }) => (user as JsonObject)['username'] !== 'system:apiserver');
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const namespace = { method: 'POST', body: { metadata: { name: 'default' } } };

test('a request is told with who, what, when and why', async () => {
  const policy: AuditPolicy = {
    omitStages: ['RequestReceived'],
    rules: [
      {
        level: 'RequestResponse',
        resources: [{ group: '', resources: ['configmaps'] }],
        omitManagedFields: true,
      },
    ],
  };
  let fingerprint = '';
  const events = await eventsOf('told.log', policy, async (server) => {
    const { fingerprint256 } = new X509Certificate(server.certificates.admin.certificate);
    fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
    await server.call('/api/v1/namespaces', namespace);
    await server.call(`${MAPS}?fieldManager=me`, {
      method: 'POST',
      body: { metadata: { name: 'a' } },
      headers: { 'audit-id': 'one', 'user-agent': 'tester/1', 'impersonate-user': 'jane' },
    });
    await server.call(MAPS, {
      method: 'POST',
      body: { metadata: { name: 'a' }, data: { k: 'v' } },
      headers: { 'audit-id': 'two' },
    });
  });
  assert.equal(events.length, 2);
  const [forbidden, made] = events as [JsonObject, JsonObject];
  const { requestReceivedTimestamp: received, stageTimestamp: told, responseObject, ...rest } = forbidden;
  assert.match(received as string, /^\d{4}-.*\.\d{6}Z$/);
  assert.ok((told as string) >= (received as string));
  assert.equal((responseObject as JsonObject)['kind'], 'Status');
  assert.deepEqual(rest, {
    level: 'RequestResponse',
    stage: 'ResponseComplete',
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    auditID: 'one',
    requestURI: `${MAPS}?fieldManager=me`,
    verb: 'create',
    user: {
      username: 'test-admin',
      groups: ['system:masters', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
    },
    impersonatedUser: { username: 'jane', groups: ['system:authenticated'] },
    sourceIPs: ['127.0.0.1'],
    userAgent: 'tester/1',
    objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
    responseStatus: {
      metadata: {},
      status: 'Failure',
      message:
        'configmaps is forbidden: User "jane" cannot create resource "configmaps" in API group "" in the namespace "default"',
      reason: 'Forbidden',
      details: { kind: 'configmaps' },
      code: 403,
    },
    requestObject: { metadata: { name: 'a' } },
    annotations: { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '' },
  });
  assert.equal(made['responseStatus'] && (made['responseStatus'] as JsonObject)['code'], 201);
  const shown = made['responseObject'] as { readonly data: object; readonly metadata: object };
  assert.deepEqual(shown.data, { k: 'v' });
  assert.equal('managedFields' in shown.metadata, false);
});

test('watches are told at their start and their end, strangers when they are refused', async () => {
  const policy: AuditPolicy = { rules: [{ level: 'Metadata', omitStages: ['RequestReceived'] }] };
  const events = await eventsOf('stages.log', policy, async (server) => {
    await server.call(`${MAPS}?watch=true&timeoutSeconds=1`);
    await server.call(MAPS, { headers: { authorization: 'Bearer nonsense' }, as: 'nobody' });
    await server.call('/api/v1/namespaces', { method: 'POST', body: 'x'.repeat(4 * 1024 * 1024) });
  });
  assert.deepEqual(
    events.map(
      ({ verb, stage, responseStatus }) =>
        `${verb as string} ${stage as string} ${(responseStatus as { code: number }).code}`,
    ),
    [
      'watch ResponseStarted 200',
      'watch ResponseComplete 200',
      'list ResponseStarted 401',
      'create ResponseComplete 413',
    ],
  );
});

test('admission leaves its notes', async () => {
  const policy: AuditPolicy = {
    rules: [{ level: 'Metadata', omitStages: ['RequestReceived'], resources: [{ group: 'apps' }] }],
  };
  const events = await eventsOf('notes.log', policy, async (server) => {
    const labels = { 'pod-security.kubernetes.io/audit': 'baseline' };
    await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'shop', labels } } });
    const template = {
      metadata: { labels: { app: 'a' } },
      spec: { hostNetwork: true, containers: [{ name: 'c', image: 'i' }] },
    };
    const spec = { selector: { matchLabels: { app: 'a' } }, template };
    await server.call('/apis/apps/v1/namespaces/shop/deployments', {
      method: 'POST',
      body: { metadata: { name: 'a' }, spec },
    });
  });
  assert.equal(
    (events[0]!['annotations'] as JsonObject)['pod-security.kubernetes.io/audit-violations'],
    'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
  );
});
