// Renewal against a real API server that signs; it is hub and member in one.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { KubeObject, Secret } from '../api/index.ts';
import {
  memoryVault,
  objectCodec,
  openCertificates,
  readSigningRequest,
  signSigningRequest,
  startApiServer,
  versionInfo,
} from '../apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../base/index.ts';
import { requestIdentity } from '../cli/index.ts';
import { createClient, formatYaml, kinds, parseYaml, type Resource } from '../client/index.ts';
import { agentApproval } from '../controlplane/index.ts';
import { startHousekeeping } from '../housekeeping/index.ts';
import { createMemoryStorage } from '../storage/index.ts';
import { isDue, renewCertificate } from './agent-certificate.ts';

const secrets = kinds.secrets as Resource<Secret>;
const at = { namespace: 'karmada-system', name: 'karmada-kubeconfig' };
const encode = (text: string): string => Buffer.from(text).toString('base64');

test('a certificate is due when no more than a share of its life is left', () => {
  assert.equal(isDue({ from: 0, to: 100 }, 79, 0.2), false);
  assert.equal(isDue({ from: 0, to: 100 }, 80, 0.2), true);
  assert.equal(isDue({ from: 0, to: 100 }, 200, 0.2), true);
});

test('a certificate near its end is replaced by one of the same name and life, and one that is young is left', async () => {
  const clock = systemClock;
  const certificates = await openCertificates({
    vault: memoryVault(),
    now: clock.now(),
    clusterName: 'test',
  });
  const storage = createMemoryStorage<KubeObject>(objectCodec);
  const running = await startApiServer({
    storage,
    clock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('1.36.2', 'test'),
  });
  const housekeeping = startHousekeeping({
    transport: running.server.inProcess({ name: 'system:apiserver', groups: ['system:masters'] }),
    feed: running.feed,
    clock,
    random: systemRandom,
    logger: silentLogger,
    certificateAuthority: certificates.authority.certificate,
    tokens: running.security.tokens,
    signer: {
      read: readSigningRequest,
      sign: (pem, options) => signSigningRequest(certificates.authority, pem, options),
    },
    certificateApprovals: [agentApproval],
  });
  try {
    await housekeeping.ready;
    const client = createClient(running.server.inProcess({ name: 'admin', groups: ['system:masters'] }));
    const lifeSeconds = 3_600;
    const first = await requestIdentity(client, 'edge-first', 'system:karmada:agent:edge', lifeSeconds);
    const user = {
      'client-certificate-data': encode(first.certificate),
      'client-key-data': encode(first.key),
    };
    const kubeconfig = formatYaml({ 'current-context': 'hub', users: [{ name: 'edge', user }] });
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: at.namespace } };
    await client.create(kinds.namespaces, namespace);
    const renewal = { cluster: 'edge', namespace: at.namespace, hubClient: client, memberClient: client, clock, logger: silentLogger }; // prettier-ignore
    assert.equal(await renewCertificate({ ...renewal, threshold: 1 }), 'no secret');
    const data = { 'karmada-kubeconfig': encode(kubeconfig) };
    await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: at, data });
    assert.equal(await renewCertificate({ ...renewal, threshold: 0.2 }), 'not due');
    assert.equal(await renewCertificate({ ...renewal, threshold: 1 }), 'renewed');
    const second = await storedCertificate();
    assert.equal(await renewCertificate({ ...renewal, threshold: 1 }), 'renewed');
    const third = await storedCertificate();
    const subjects = [first.certificate, second, third].map((pem) => new X509Certificate(pem).subject);
    assert.equal(new Set(subjects).size, 1);
    assert.equal(new Set([first.certificate, second, third]).size, 3);
    const minutes = (pem: string): number => {
      const { validFromDate, validToDate } = new X509Certificate(pem);
      return Math.round((validToDate.getTime() - validFromDate.getTime()) / 60_000);
    };
    assert.equal(minutes(third), minutes(second));

    async function storedCertificate(): Promise<string> {
      const stored = await client.get(secrets, at);
      const text = Buffer.from(stored.data?.['karmada-kubeconfig'] ?? '', 'base64').toString('utf8');
      const { users } = parseYaml(text) as {
        readonly users: readonly { readonly name: string; readonly user: typeof user }[];
      };
      assert.equal(users[0]?.name, 'edge');
      return Buffer.from(users[0].user['client-certificate-data'], 'base64').toString('utf8');
    }
  } finally {
    await housekeeping.close();
    await running.close();
    await storage.close();
  }
});
