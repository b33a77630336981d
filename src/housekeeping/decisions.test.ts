import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactVerify } from 'jose';
import type { Condition, KubeObject } from '../api/index.ts';
import type { Plan, Write } from '../runtime/index.ts';
import { completeRole } from './bootstrap.ts';
import { decideSignatures } from './bootstrap-signer.ts';
import { decideBootstrapToken } from './bootstrap-tokens.ts';
import {
  decideSigning,
  kubeletApproval,
  type RequestedSubject,
  type SigningDecision,
} from './certificate-signing.ts';
import { decideAggregation } from './cluster-role-aggregation.ts';
import { EVENT_TTL_MS, decideEvent } from './event-expiry.ts';
import type { CertificateSigningRequest, ClusterRole, Namespace, Secret } from './kinds.ts';
import { decideNamespace, type Remainder } from './namespace-lifecycle.ts';
import { decideRootCa } from './root-ca.ts';
import { decideDefaultAccount } from './service-accounts.ts';
import { decideTokenSecret } from './token-secrets.ts';

const now = Date.UTC(2026, 10, 21);
const time = '2026-11-21T00:00:00Z';

function only(plan: Plan): Write {
  assert.equal(plan.writes?.length, 1);
  return plan.writes[0]!;
}

function written<T extends KubeObject>(plan: Plan): T {
  const write = only(plan);
  assert.ok(write.verb === 'create' || write.verb === 'update');
  return write.object as T;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

// ---- namespaces

const ending: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', deletionTimestamp: time },
  spec: { finalizers: ['kubernetes', 'example.com/x'] },
  status: { phase: 'Terminating' },
};
const left: Remainder = {
  resource: 'configmaps',
  group: '',
  count: 2,
  finalizers: { 'example.com/h': 1 },
  gracePeriodSeconds: 0,
};

function conditionsOf(plan: Plan): Record<string, string> {
  const { conditions = [] } = written<Namespace>(plan).status ?? {};
  return Object.fromEntries(conditions.map(({ type, status, message }) => [type, `${status} ${message}`]));
}

test('an empty namespace loses our finalizer and keeps those of others', () => {
  const empty = { remainders: [], failures: [], discoveryFailure: undefined };
  const plan = decideNamespace({ namespace: ending, ...empty }, now);
  assert.deepEqual(written<Namespace>(plan).spec?.finalizers, ['example.com/x']);
  const write = only(plan);
  assert.equal(write.verb === 'update' ? write.subresource : '', 'finalize');
});

test('what is left in a namespace is told in its conditions, and looked at again', () => {
  const input = {
    namespace: ending,
    remainders: [left, { ...left, resource: 'widgets', group: 'x.io', count: 1 }],
    failures: [],
    discoveryFailure: undefined,
  };
  const plan = decideNamespace(input, now);
  assert.ok(plan.requeue !== undefined);
  assert.deepEqual(conditionsOf(plan), {
    NamespaceDeletionDiscoveryFailure: 'False All resources successfully discovered',
    NamespaceDeletionGroupVersionParsingFailure: 'False All legacy kube types successfully parsed',
    NamespaceDeletionContentFailure: 'False All content successfully deleted, may be waiting on finalization',
    NamespaceContentRemaining:
      'True Some resources are remaining: configmaps. has 2 resource instances, widgets.x.io has 1 resource instances',
    NamespaceFinalizersRemaining:
      'True Some content in the namespace has finalizers remaining: example.com/h in 2 resource instances',
  });
  const again = decideNamespace({ ...input, namespace: written<Namespace>(plan) }, now + 60_000);
  assert.deepEqual(again.writes, [], 'the same news are written once');
});

test('a failure keeps the namespace, even when nothing else is known to be left', () => {
  const failed = decideNamespace(
    { namespace: ending, remainders: [], failures: ['no'], discoveryFailure: undefined },
    now,
  );
  assert.match(conditionsOf(failed)['NamespaceDeletionContentFailure'] ?? '', /^True .*1 remaining: no$/);
  const blind = decideNamespace(
    { namespace: ending, remainders: [], failures: [], discoveryFailure: 'x.io/v1: down' },
    now,
  );
  assert.match(conditionsOf(blind)['NamespaceDeletionDiscoveryFailure'] ?? '', /^True /);
  const { conditions = [] } = written<Namespace>(blind).status ?? {};
  assert.ok(conditions.every(({ lastTransitionTime }: Condition) => lastTransitionTime === time));
});

// ---- pod identities

test('a namespace gets its default account and its certificate authority, unless it is ending', () => {
  const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  assert.equal(written(decideDefaultAccount({ namespace, account: undefined })).metadata.namespace, 'shop');
  assert.deepEqual(decideDefaultAccount({ namespace: ending, account: undefined }), {});
  const certificateAuthority = 'PEM';
  const plan = decideRootCa({ namespace, configMap: undefined, certificateAuthority });
  const configMap = written<KubeObject>(plan);
  assert.deepEqual(configMap['data'], { 'ca.crt': 'PEM' });
  assert.deepEqual(decideRootCa({ namespace, configMap, certificateAuthority }), {});
  const changed = decideRootCa({ namespace, configMap, certificateAuthority: 'NEW' });
  assert.deepEqual(written(changed)['data'], { 'ca.crt': 'NEW' });
  assert.deepEqual(decideRootCa({ namespace: ending, configMap: undefined, certificateAuthority }), {});
});

test('a token secret is filled once and goes with its account', () => {
  const account: KubeObject = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'sa', namespace: 'shop', uid: 'u1' },
  };
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 's',
      namespace: 'shop',
      uid: 's1',
      annotations: { 'kubernetes.io/service-account.name': 'sa' },
    },
    data: { extra: 'x' },
  };
  const given = { token: 'JWT', certificateAuthority: 'PEM' };
  const filled = written<Secret>(decideTokenSecret({ secret, account, ...given }));
  assert.deepEqual(filled.data, {
    extra: 'x',
    'ca.crt': base64('PEM'),
    namespace: base64('shop'),
    token: base64('JWT'),
  });
  assert.equal(filled.metadata.annotations?.['kubernetes.io/service-account.uid'], 'u1');
  assert.deepEqual(decideTokenSecret({ secret: filled, account, ...given, token: '' }), {});
  assert.equal(only(decideTokenSecret({ secret: filled, account: undefined, ...given })).verb, 'delete');
  const another = { ...account, metadata: { ...account.metadata, uid: 'u2' } };
  assert.equal(only(decideTokenSecret({ secret: filled, account: another, ...given })).verb, 'delete');
});

// ---- times

test('events go an hour after they were last seen', () => {
  const event: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'shop', creationTimestamp: '2026-11-20T00:00:00Z' },
    lastTimestamp: time,
    eventTime: null,
  };
  assert.ok((decideEvent(event, now + EVENT_TTL_MS - 1).requeue?.afterMs ?? 0) > 0);
  assert.equal(only(decideEvent(event, now + EVENT_TTL_MS)).verb, 'delete');
});

test('bootstrap tokens go with their time, and those without one stay', () => {
  const token = (expiration?: string): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    data: expiration === undefined ? {} : { expiration: base64(expiration) },
  });
  assert.deepEqual(decideBootstrapToken(token(), now), {});
  assert.equal(decideBootstrapToken(token('2026-11-21T00:01:00Z'), now).requeue?.afterMs, 60_000);
  assert.equal(only(decideBootstrapToken(token(time), now)).verb, 'delete');
  assert.equal(only(decideBootstrapToken(token('soon'), now)).verb, 'delete');
});

test('cluster-info is signed by every token that may sign, and by no other', async () => {
  const token = (id: string, more: Readonly<Record<string, string>> = {}): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    data: Object.fromEntries(
      Object.entries({
        'token-id': id,
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-signing': 'true',
        ...more,
      }).map(([key, value]) => [key, base64(value)]),
    ),
  });
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cluster-info', namespace: 'kube-public' },
    data: { kubeconfig: 'content', 'jws-kubeconfig-gone00': 'x' },
  };
  const secrets = [
    token('abcdef'),
    token('nosign', { 'usage-bootstrap-signing': 'false' }),
    token('expird', { expiration: time }),
  ];
  const signed = written<KubeObject & { readonly data: Readonly<Record<string, string>> }>(
    decideSignatures(configMap, secrets, now),
  );
  assert.deepEqual(Object.keys(signed.data), ['kubeconfig', 'jws-kubeconfig-abcdef']);
  const [header = '', , mac = ''] = (signed.data['jws-kubeconfig-abcdef'] ?? '').split('.');
  const whole = `${header}.${Buffer.from('content').toString('base64url')}.${mac}`;
  const { protectedHeader } = await compactVerify(whole, new TextEncoder().encode('0123456789abcdef'));
  assert.deepEqual(protectedHeader, { alg: 'HS256', kid: 'abcdef' });
  assert.deepEqual(decideSignatures(signed, secrets, now), {});
});

// ---- roles

function role(name: string, rules: ClusterRole['rules'], more: Partial<ClusterRole> = {}): ClusterRole {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels: { for: 'edit' }, uid: name, resourceVersion: '1' },
    rules: rules ?? [],
    ...more,
  };
}

test('an aggregating role has the rules of those it selects, each once, whatever their order', () => {
  const get = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
  const list = { apiGroups: [''], resources: ['pods'], verbs: ['list'] };
  const target = role('edit', [], {
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { for: 'edit' } }] },
  });
  const other = role('c', [list], { metadata: { name: 'c', labels: { for: 'view' } } });
  const roles = [role('b', [list, get]), target, role('a', [get]), other];
  const write = only(decideAggregation({ role: target, roles }));
  assert.ok(write.verb === 'patch');
  assert.deepEqual(write.patch.body, { rules: [get, list] });
  assert.deepEqual(decideAggregation({ role: { ...target, rules: [get, list] }, roles }), {});
  assert.deepEqual(decideAggregation({ role: role('a', [get]), roles }), {});
});

test('a default role gains missing rules, keeps added ones, and is left alone where its owner says so', () => {
  const get = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
  const own = { apiGroups: ['x.io'], resources: ['*'], verbs: ['get'] };
  const annotated = (value: string): Partial<ClusterRole> => ({
    metadata: { name: 'view', annotations: { 'rbac.authorization.kubernetes.io/autoupdate': value } },
  });
  const wanted = role('view', [get]);
  assert.deepEqual(completeRole(role('view', [own], annotated('true')), wanted)?.rules, [own, get]);
  assert.equal(completeRole(role('view', [get, own], annotated('true')), wanted), undefined);
  assert.equal(completeRole(role('view', [], annotated('false')), wanted), undefined);
});

// ---- certificates

const node: RequestedSubject = {
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  hosts: [],
  otherNames: 0,
};
const CLIENT = ['digital signature', 'client auth'];

interface SigningCase {
  readonly name: string;
  readonly signer: string;
  readonly usages?: readonly string[];
  readonly subject?: RequestedSubject | { readonly unreadable: string };
  readonly conditions?: readonly string[];
  readonly certificate?: string;
  readonly mayAutoApprove?: boolean;
  readonly ageMs?: number;
  readonly expected: SigningDecision['do'];
}

const API_CLIENT = 'kubernetes.io/kube-apiserver-client';
const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';

const SIGNING: readonly SigningCase[] = [
  { name: 'a request that nobody approved waits', signer: API_CLIENT, expected: 'wait' },
  { name: 'an approved one is signed', signer: API_CLIENT, conditions: ['Approved'], expected: 'sign' },
  { name: 'a denied one is not', signer: API_CLIENT, conditions: ['Denied'], expected: 'wait' },
  {
    name: 'one that is approved and denied is not',
    signer: API_CLIENT,
    conditions: ['Approved', 'Denied'],
    expected: 'wait',
  },
  {
    name: 'a signed one is kept for an hour',
    signer: API_CLIENT,
    conditions: ['Approved'],
    certificate: 'x',
    ageMs: 3_599_000,
    expected: 'wait',
  },
  {
    name: 'and no longer',
    signer: API_CLIENT,
    conditions: ['Approved'],
    certificate: 'x',
    ageMs: 3_600_000,
    expected: 'forget',
  },
  { name: 'a pending one is kept for a day', signer: API_CLIENT, ageMs: 86_400_000, expected: 'forget' },
  {
    name: 'signers of others are left alone',
    signer: 'example.com/x',
    conditions: ['Approved'],
    expected: 'wait',
  },
  {
    name: 'a client certificate cannot be for servers too',
    signer: API_CLIENT,
    usages: [...CLIENT, 'server auth'],
    conditions: ['Approved'],
    expected: 'fail',
  },
  {
    name: 'a request that cannot be read fails',
    signer: API_CLIENT,
    subject: { unreadable: 'no PEM' },
    conditions: ['Approved'],
    expected: 'fail',
  },
  {
    name: 'a kubelet of a sender who may ask is approved',
    signer: KUBELET_CLIENT,
    mayAutoApprove: true,
    expected: 'approve',
  },
  { name: 'of any other sender it waits', signer: KUBELET_CLIENT, expected: 'wait' },
  {
    name: 'a kubelet certificate is for nodes only',
    signer: KUBELET_CLIENT,
    subject: { ...node, organizations: ['system:masters'] },
    conditions: ['Approved'],
    expected: 'fail',
  },
  {
    name: 'a serving certificate of a kubelet needs a host',
    signer: KUBELET_SERVING,
    usages: ['server auth'],
    conditions: ['Approved'],
    expected: 'fail',
  },
  {
    name: 'and with one it is signed',
    signer: KUBELET_SERVING,
    usages: ['digital signature', 'server auth'],
    subject: { ...node, hosts: ['n1'] },
    conditions: ['Approved'],
    expected: 'sign',
  },
];

function signing(one: SigningCase): SigningDecision {
  const request: CertificateSigningRequest = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'r', creationTimestamp: time },
    spec: { request: '', signerName: one.signer, usages: one.usages ?? CLIENT, expirationSeconds: 60 },
    status: {
      conditions: (one.conditions ?? []).map((type) => ({ type, status: 'True' })),
      ...(one.certificate === undefined ? {} : { certificate: one.certificate }),
    },
  };
  return decideSigning({
    request,
    nowMs: now + (one.ageMs ?? 0),
    subject: one.subject ?? node,
    approval: one.mayAutoApprove === true ? kubeletApproval : undefined,
  });
}

for (const one of SIGNING) {
  test(`certificates: ${one.name}`, () => assert.equal(signing(one).do, one.expected));
}

test('certificates: none is valid for less than ten minutes', () => {
  const decision = signing({ name: '', signer: API_CLIENT, conditions: ['Approved'], expected: 'sign' });
  assert.deepEqual(decision, { do: 'sign', usages: ['client auth'], validMs: 600_000 });
});
