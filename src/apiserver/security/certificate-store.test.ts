import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { OperatingError, systemRandom } from '../../base/index.ts';
import { DAY_MS, YEAR_MS, describeCertificate, isIssuedBy } from './certificates.ts';
import { clientCertificate, fileVault, memoryVault, openCertificates } from './certificate-store.ts';

const now = Date.UTC(2026, 10, 21);

test('certificates are made once and stay the same until they come close to their end', async () => {
  const vault = memoryVault();
  const options = { vault, now, clusterName: 'hub' };
  const first = await openCertificates(options);
  assert.deepEqual(await openCertificates(options), first);
  assert.deepEqual(await openCertificates({ ...options, now: now + 300 * DAY_MS }), first);

  const renewed = await openCertificates({ ...options, now: now + 310 * DAY_MS });
  assert.deepEqual(renewed.authority, first.authority);
  assert.equal(renewed.serviceAccountKey, first.serviceAccountKey);
  assert.notEqual(renewed.server.certificate, first.server.certificate);
  assert.equal(describeCertificate(renewed.admin.certificate).notAfter, now + 310 * DAY_MS + YEAR_MS);
  assert.ok(isIssuedBy(renewed.server, first.authority));
});

test('a new authority signs everything anew', async () => {
  const vault = memoryVault();
  const first = await openCertificates({ vault, now, clusterName: 'hub' });
  const later = await openCertificates({ vault, now: now + 10 * YEAR_MS, clusterName: 'hub' });
  assert.notEqual(later.authority.certificate, first.authority.certificate);
  assert.ok(isIssuedBy(later.admin, later.authority));
});

test('another host name means another server certificate, and nothing else', async () => {
  const vault = memoryVault();
  const first = await openCertificates({ vault, now, clusterName: 'hub' });
  const second = await openCertificates({
    vault,
    now,
    clusterName: 'hub',
    hosts: ['hub.example.com', 'FD00::1'],
  });
  assert.notEqual(second.server.certificate, first.server.certificate);
  assert.equal(second.admin.certificate, first.admin.certificate);
  const { hosts } = describeCertificate(second.server.certificate);
  assert.ok(hosts.includes('hub.example.com') && hosts.includes('fd00::1') && hosts.includes('localhost'));
  const third = await openCertificates({ vault, now, clusterName: 'hub' });
  assert.deepEqual(third.server, second.server, 'fewer hosts need no new certificate');
});

test('the administrator is in system:masters, other clients are who they say', async () => {
  const vault = memoryVault();
  const { admin, authority } = await openCertificates({ vault, now, clusterName: 'hub' });
  assert.deepEqual(describeCertificate(admin.certificate).organizations, ['system:masters']);
  const subject = { commonName: 'karmada-agent', organizations: ['agents'] };
  const agent = await clientCertificate(authority, { vault, now }, 'agent', subject);
  assert.equal(describeCertificate(agent.certificate).commonName, 'karmada-agent');
  assert.deepEqual(await clientCertificate(authority, { vault, now }, 'agent', subject), agent);
});

test('files are for their owner alone, and a broken one is an operating error', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'navarch-certificates-'));
  try {
    const vault = fileVault(path.join(directory, 'pki'), systemRandom);
    const first = await openCertificates({ vault, now, clusterName: 'hub' });
    assert.deepEqual(await openCertificates({ vault, now, clusterName: 'hub' }), first);
    const files = await readdir(path.join(directory, 'pki'));
    assert.deepEqual(files.sort(), [
      'admin.crt',
      'admin.key',
      'apiserver.crt',
      'apiserver.key',
      'ca.crt',
      'ca.key',
      'front-proxy-ca.crt',
      'front-proxy-ca.key',
      'front-proxy-client.crt',
      'front-proxy-client.key',
      'service-account.key',
    ]);
    for (const file of files) {
      assert.equal((await stat(path.join(directory, 'pki', file))).mode & 0o777, 0o600);
    }
    await writeFile(path.join(directory, 'pki', 'ca.crt'), 'torn');
    await assert.rejects(
      openCertificates({ vault, now, clusterName: 'hub' }),
      (error) => error instanceof OperatingError && error.code === 'CERTIFICATE_UNREADABLE',
    );
    await writeFile(path.join(directory, 'file'), '');
    await assert.rejects(
      openCertificates({
        vault: fileVault(path.join(directory, 'file'), systemRandom),
        now,
        clusterName: 'hub',
      }),
      (error) => error instanceof OperatingError && error.code === 'CERTIFICATES_INACCESSIBLE',
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
