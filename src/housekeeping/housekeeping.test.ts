import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { after, before, test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { resources } from './kinds.ts';
import {
  memoryVault,
  objectCodec,
  openCertificates,
  readSigningRequest,
  signSigningRequest,
  startApiServer,
  versionInfo,
  type ClusterCertificates,
  type RunningServer,
} from '../apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../base/index.ts';
import { createClient, resource, type Client, type Resource } from '../client/index.ts';
import { createMemoryStorage } from '../storage/index.ts';
import { startHousekeeping, type Housekeeping } from './index.ts';

const core = (plural: string, namespaced = true): Resource =>
  resource({ group: '', version: 'v1', resource: plural, namespaced });
const configMaps = core('configmaps');
const secrets = core('secrets');
const namespaces = core('namespaces', false);
const serviceAccounts = core('serviceaccounts');
const clusterRoles = resource({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterroles',
  namespaced: false,
});
const requests = resource({
  group: 'certificates.k8s.io',
  version: 'v1',
  resource: 'certificatesigningrequests',
  namespaced: false,
});

const storage = createMemoryStorage<KubeObject>(objectCodec);
let certificates: ClusterCertificates;
let running: RunningServer;
let housekeeping: Housekeeping;
let client: Client;

function keepHouse(): Housekeeping {
  return startHousekeeping({
    transport: running.server.inProcess({ name: 'system:apiserver', groups: ['system:masters'] }),
    feed: running.feed,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificateAuthority: certificates.authority.certificate,
    tokens: running.security.tokens,
    signer: {
      read: readSigningRequest,
      sign: (pem, options) => signSigningRequest(certificates.authority, pem, options),
    },
    resourceQuotas: true,
    storageTemplates: true,
    apiServer: {
      host: '127.0.0.1',
      port: running.port,
      serviceIp: '10.96.0.1',
      serviceRange: '10.96.0.0/16',
    },
  });
}

before(async () => {
  certificates = await openCertificates({ vault: memoryVault(), now: Date.now(), clusterName: 'test' });
  running = await startApiServer({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('1.36.2', 'test'),
  });
  client = createClient(running.server.inProcess({ name: 'admin', groups: ['system:masters'] }));
  housekeeping = keepHouse();
  await housekeeping.ready;
});

after(async () => {
  await housekeeping.close();
  await running.close();
  await storage.close();
});

/** Asks again until there is an answer; the runner's own limit ends a wait that is in vain. */
async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const gone = (target: Resource, name: string, namespace?: string): Promise<boolean> =>
  until(async () => (await client.find(target, { name, namespace })) === undefined);

function configMap(name: string, namespace: string, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...metadata } };
}

async function makeNamespace(name: string): Promise<string> {
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

function ownedBy(owner: KubeObject, more: object = {}): object {
  const { name, uid } = owner.metadata;
  return { ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name, uid, ...more }] };
}

test('a cluster starts with its namespaces, roles, accounts and the way to its API server', async () => {
  const list = await client.listAll(namespaces);
  const names = list.items.map(({ metadata }) => metadata.name);
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
    assert.ok(names.includes(name));
  const admin = await until(async () => {
    const role = await client.get(clusterRoles, { name: 'admin' });
    const rules = (role['rules'] ?? []) as readonly { readonly resources?: readonly string[] }[];
    // Two steps of aggregation: view into edit, edit into admin.
    return rules.some(({ resources = [] }) => resources.includes('endpoints')) && rules;
  });
  assert.ok(admin.length > 5);
  await until(() => client.find(serviceAccounts, { namespace: 'default', name: 'default' }));
  const trust = await until(() =>
    client.find(configMaps, { namespace: 'default', name: 'kube-root-ca.crt' }),
  );
  assert.deepEqual(trust['data'], { 'ca.crt': certificates.authority.certificate });
  const service = await client.get(core('services'), { namespace: 'default', name: 'kubernetes' });
  assert.equal((service['spec'] as { clusterIP: string }).clusterIP, '10.96.0.1');
  const cidr = await client.get(resources.serviceCidrs, { name: 'kubernetes' });
  const { conditions } = cidr['status'] as { conditions: readonly { type: string; status: string }[] };
  assert.deepEqual(cidr['spec'], { cidrs: ['10.96.0.0/16'] });
  assert.deepEqual(
    conditions.map(({ type, status }) => [type, status]),
    [['Ready', 'True']],
  );
});

test('what is right already is not written again', async () => {
  for (const namespace of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    await until(() => client.find(configMaps, { namespace, name: 'kube-root-ca.crt' }));
    await until(() => client.find(serviceAccounts, { namespace, name: 'default' }));
  }
  const before = await storage.currentRevision();
  const second = keepHouse();
  await second.ready;
  await second.close();
  assert.equal(await storage.currentRevision(), before);
});

test('a namespace is emptied before it goes, custom resources too', async () => {
  const group = 'test.example.com';
  await client.create(
    resource({
      group: 'apiextensions.k8s.io',
      version: 'v1',
      resource: 'customresourcedefinitions',
      namespaced: false,
    }),
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
      },
    },
  );
  const widgets = resource({ group, version: 'v1', resource: 'widgets', namespaced: true });
  const namespace = await makeNamespace('empties');
  const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'w', namespace } };
  await until(() => client.create(widgets, widget).catch(() => undefined));
  await client.create(configMaps, configMap('free', namespace));
  await client.create(configMaps, configMap('held', namespace, { finalizers: ['example.com/hold'] }));
  await client.delete(namespaces, { name: namespace });

  const conditions = await until(async () => {
    const { status } = await client.get(namespaces, { name: namespace });
    const { conditions = [] } = status as { conditions?: readonly { type: string; message: string }[] };
    return conditions.some(({ message }) => message.includes('example.com/hold')) && conditions;
  });
  assert.ok(conditions.some(({ message }) => message.endsWith('configmaps. has 1 resource instances')));
  assert.equal(await client.find(widgets, { name: 'w', namespace }), undefined);
  await client.patch(
    configMaps,
    { name: 'held', namespace },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  );
  await gone(namespaces, namespace);
  assert.equal((await client.list(configMaps, { namespace })).items.length, 0);
});

test('dependents go with their owner, those with another owner lose a reference', async () => {
  const namespace = await makeNamespace('collects');
  const [a, b] = await Promise.all(
    ['a', 'b'].map((name) => client.create(configMaps, configMap(name, namespace))),
  );
  await client.create(configMaps, configMap('of-a', namespace, ownedBy(a!)));
  const grandchild = await client.get(configMaps, { name: 'of-a', namespace });
  await client.create(configMaps, configMap('of-of-a', namespace, ownedBy(grandchild)));
  const [reference] = (ownedBy(b!) as { ownerReferences: object[] }).ownerReferences;
  const both = {
    ownerReferences: [...(ownedBy(a!) as { ownerReferences: object[] }).ownerReferences, reference],
  };
  await client.create(configMaps, configMap('of-both', namespace, both));
  await client.delete(configMaps, { name: 'a', namespace }, { propagationPolicy: 'Background' });
  await gone(configMaps, 'of-a', namespace);
  await gone(configMaps, 'of-of-a', namespace);
  const left = await until(async () => {
    const one = await client.get(configMaps, { name: 'of-both', namespace });
    return one.metadata.ownerReferences?.length === 1 && one;
  });
  assert.equal(left.metadata.ownerReferences?.[0]?.name, 'b');
});

test('an object whose owner never was is collected', async () => {
  const namespace = await makeNamespace('ghosts');
  const ghost = configMap('ghost', namespace, { uid: '12121212-0000-0000-0000-000000000000' });
  await client.create(configMaps, configMap('x', namespace, ownedBy(ghost)));
  await gone(configMaps, 'x', namespace);
});

test('in the foreground an owner waits for the dependents that block it', async () => {
  const namespace = await makeNamespace('foreground');
  const owner = await client.create(configMaps, configMap('owner', namespace));
  const hold = { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ['example.com/hold'] };
  await client.create(configMaps, configMap('held', namespace, hold));
  await client.delete(configMaps, { name: 'owner', namespace }, { propagationPolicy: 'Foreground' });
  await until(async () => {
    const { metadata } = await client.get(configMaps, { name: 'held', namespace });
    return metadata.deletionTimestamp !== undefined;
  });
  const waiting = await client.get(configMaps, { name: 'owner', namespace });
  assert.deepEqual(waiting.metadata.finalizers, ['foregroundDeletion']);
  const free = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
  await client.patch(configMaps, { name: 'held', namespace }, free);
  await gone(configMaps, 'owner', namespace);
});

test('orphans stay, without the reference', async () => {
  const namespace = await makeNamespace('orphans');
  const owner = await client.create(configMaps, configMap('owner', namespace));
  await client.create(configMaps, configMap('child', namespace, ownedBy(owner)));
  await client.delete(configMaps, { name: 'owner', namespace }, { propagationPolicy: 'Orphan' });
  await gone(configMaps, 'owner', namespace);
  const child = await client.get(configMaps, { name: 'child', namespace });
  assert.equal(child.metadata.ownerReferences, undefined);
});

test('a quota tells what its namespace uses', async () => {
  const namespace = await makeNamespace('limited');
  const quotas = core('resourcequotas');
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace } };
  await client.create(quotas, {
    ...quota,
    spec: { hard: { secrets: '5', 'count/leases.coordination.k8s.io': '1' } },
  });
  await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace } });
  const used = await until(async () => {
    const { status } = await client.get(quotas, { name: 'q', namespace });
    const { used } = status as { used?: Readonly<Record<string, string>> };
    return used?.['secrets'] === '1' && used;
  });
  assert.deepEqual(used, { secrets: '1', 'count/leases.coordination.k8s.io': '0' });
});

/** What the server says of who comes with these credentials. */
function whoAmI(credentials: { token?: string; cert?: string; key?: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const { token, ...pair } = credentials;
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: running.port,
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        ca: certificates.authority.certificate,
        agent: false,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...pair,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const { status } = JSON.parse(text) as { status?: { userInfo?: { username?: string } } };
          resolve(status?.userInfo?.username ?? String(response.statusCode));
        });
      },
    );
    request.on('error', reject);
    request.end(
      JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} }),
    );
  });
}

test('a token secret gets a token that the server takes, and goes with its account', async () => {
  const namespace = await makeNamespace('tokens');
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot', namespace } };
  await client.create(serviceAccounts, account);
  await client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'robot-token',
      namespace,
      annotations: { 'kubernetes.io/service-account.name': 'robot' },
    },
    type: 'kubernetes.io/service-account-token',
  });
  const token = await until(async () => {
    const secret = await client.get(secrets, { name: 'robot-token', namespace });
    const { token: encoded } = (secret['data'] ?? {}) as { token?: string };
    return encoded !== undefined && Buffer.from(encoded, 'base64').toString();
  });
  assert.equal(await whoAmI({ token }), 'system:serviceaccount:tokens:robot');
  await client.delete(serviceAccounts, { name: 'robot', namespace });
  await gone(secrets, 'robot-token', namespace);
  assert.equal(await whoAmI({ token }), '401');
});

test('an approved signing request becomes a certificate that the server takes', async () => {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const pem = await Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['devs'] }, { CN: ['jane'] }],
    keys,
    signingAlgorithm: algorithm,
  });
  await client.create(requests, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'jane' },
    spec: {
      request: Buffer.from(pem.toString('pem')).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  });
  const pending = await client.get(requests, { name: 'jane' });
  await client.update(
    requests,
    {
      ...pending,
      status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test', message: '' }] },
    },
    { subresource: 'approval' },
  );
  const certificate = await until(async () => {
    const { status } = await client.get(requests, { name: 'jane' });
    return (status as { certificate?: string } | undefined)?.certificate;
  });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const user = await whoAmI({
    cert: Buffer.from(certificate, 'base64').toString(),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  });
  assert.equal(user, 'jane');
});

test('a claim goes when it is deleted, and one that a pod uses when the pod is gone', async () => {
  const claims = resource({ group: '', version: 'v1', resource: 'persistentvolumeclaims', namespaced: true });
  const pods = resource({ group: '', version: 'v1', resource: 'pods', namespaced: true });
  const claim = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await client.create(claims, claim('free'));
  await client.create(claims, claim('used'));
  await client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'user', namespace: 'default' },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'used' } }],
    },
  });
  await client.delete(claims, { namespace: 'default', name: 'used' });
  await client.delete(claims, { namespace: 'default', name: 'free' });
  await gone(claims, 'free', 'default');
  assert.notEqual(await client.find(claims, { namespace: 'default', name: 'used' }), undefined);
  await client.delete(pods, { namespace: 'default', name: 'user' }, { gracePeriodSeconds: 0 });
  await gone(claims, 'used', 'default');
});
