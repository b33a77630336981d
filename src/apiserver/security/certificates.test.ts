import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  DAY_MS,
  createAuthority,
  describeCertificate,
  isIssuedBy,
  issueCertificate,
  readSigningRequest,
  signSigningRequest,
} from './certificates.ts';

const now = Date.UTC(2026, 10, 21, 12, 0, 0);

test('a client certificate names its user and groups and is signed by the authority', async () => {
  const authority = await createAuthority({ commonName: 'test-ca', now, validMs: 10 * DAY_MS });
  const other = await createAuthority({ commonName: 'test-ca', now, validMs: 10 * DAY_MS });
  const pair = await issueCertificate(authority, {
    commonName: 'jane, "the" admin',
    organizations: ['system:masters', 'a+b=c'],
    usages: ['client auth'],
    now,
    validMs: DAY_MS,
  });
  const facts = describeCertificate(pair.certificate);
  assert.equal(facts.commonName, 'jane, "the" admin');
  assert.deepEqual(facts.organizations, ['system:masters', 'a+b=c']);
  assert.equal(facts.notAfter, now + DAY_MS);
  assert.ok(facts.notBefore < now);
  assert.ok(isIssuedBy(pair, authority));
  assert.ok(!isIssuedBy(pair, other), 'another authority of the same name did not sign it');
  assert.ok(!isIssuedBy({ ...pair, key: authority.key }, authority), 'the key is not the one certified');
});

test('a certificate never outlives its authority', async () => {
  const authority = await createAuthority({ commonName: 'test-ca', now, validMs: DAY_MS });
  const pair = await issueCertificate(authority, {
    commonName: 'x',
    usages: ['client auth'],
    now,
    validMs: 5 * DAY_MS,
  });
  assert.equal(describeCertificate(pair.certificate).notAfter, now + DAY_MS);
});

test('a server certificate is valid for its names and addresses', async () => {
  const authority = await createAuthority({ commonName: 'test-ca', now, validMs: DAY_MS });
  const hosts = ['localhost', 'kubernetes.default.svc', '127.0.0.1', '::1'];
  const pair = await issueCertificate(authority, {
    commonName: 'navarch',
    usages: ['server auth'],
    hosts,
    now,
    validMs: DAY_MS,
  });
  assert.deepEqual(describeCertificate(pair.certificate).hosts, hosts);
  const certificate = new X509Certificate(pair.certificate);
  assert.ok(certificate.checkHost('localhost'));
  assert.ok(certificate.checkIP('::1'));
  assert.equal(certificate.checkHost('elsewhere'), undefined);
});

test('a signing request is answered with the subject that it names', async () => {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } =
    await import('@peculiar/x509');
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: ['system:node:n1'] }],
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'n1' }])],
  });
  const pem = request.toString('pem');
  assert.deepEqual(await readSigningRequest(pem), {
    commonName: 'system:node:n1',
    organizations: ['system:nodes'],
    hosts: ['n1'],
    otherNames: 0,
  });
  const authority = await createAuthority({ commonName: 'test-ca', now, validMs: DAY_MS });
  const signed = await signSigningRequest(authority, pem, { usages: ['client auth'], now, validMs: 1000 });
  const facts = describeCertificate(signed);
  assert.equal(facts.commonName, 'system:node:n1');
  assert.deepEqual(facts.organizations, ['system:nodes']);
  assert.equal(facts.notAfter, now + 1000);
});

test('a signing request with a broken signature is refused', async () => {
  await assert.rejects(
    readSigningRequest('-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----'),
  );
});
