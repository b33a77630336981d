// X.509: a certificate authority of our own, and what it signs. PEM in, PEM out; nothing here touches files or keeps
// state. The library that writes certificates is loaded on first use only: a start that finds valid certificates
// reads them with Node's own parser.
import { X509Certificate, createPrivateKey, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type * as X509 from '@peculiar/x509';
import { assert } from '../../base/index.ts';

/** PEM texts; the key is PKCS #8. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export type CertificateUsage = 'client auth' | 'server auth';

export interface CertificateParams {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usages: readonly CertificateUsage[];
  /** DNS names and IP addresses that the certificate is valid for. */
  readonly hosts?: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly validMs: number;
}

export interface CertificateFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly hosts: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const YEAR_MS = 365 * DAY_MS;

// Machines whose clocks are a little behind must accept what was issued a moment ago.
const BACKDATED_MS = HOUR_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const USAGE_OIDS: Record<CertificateUsage, string> = {
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
};

let library: Promise<typeof X509> | undefined;

function x509(): Promise<typeof X509> {
  // @peculiar/x509 needs the Reflect metadata API to be there before it is evaluated.
  library ??= import('reflect-metadata').then(() => import('@peculiar/x509'));
  return library;
}

export async function createAuthority(params: {
  readonly commonName: string;
  readonly now: number;
  readonly validMs: number;
}): Promise<KeyPair> {
  const lib = await x509();
  const keys = await generateKeys();
  const certificate = await lib.X509CertificateGenerator.createSelfSigned({
    name: subjectName(lib, params),
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity(params),
    extensions: [
      new lib.BasicConstraintsExtension(true, undefined, true),
      new lib.KeyUsagesExtension(
        lib.KeyUsageFlags.keyCertSign | lib.KeyUsageFlags.cRLSign | lib.KeyUsageFlags.digitalSignature,
        true,
      ),
      await lib.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys.privateKey) };
}

/** A new key and its certificate, signed by `authority`. */
export async function issueCertificate(authority: KeyPair, params: CertificateParams): Promise<KeyPair> {
  const keys = await generateKeys();
  const certificate = await sign(authority, keys.publicKey, params);
  return { certificate, key: await privateKeyPem(keys.privateKey) };
}

export interface SigningRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly hosts: readonly string[];
  /** Alternative names that are no hosts, such as e-mail addresses and URIs: how many. */
  readonly otherNames: number;
}

/** What a PKCS #10 request asks for. Throws when it cannot be read or its signature does not match its key. */
export async function readSigningRequest(pem: string): Promise<SigningRequest> {
  const request = await parseSigningRequest(pem);
  const lib = await x509();
  const names = request.subjectName;
  const alternatives = request.extensions.find(
    (extension) => extension instanceof lib.SubjectAlternativeNameExtension,
  );
  const items = alternatives?.names.items ?? [];
  const hosts = items.filter((name) => name.type === 'dns' || name.type === 'ip').map((name) => name.value);
  return {
    commonName: names.getField('CN').at(-1) ?? '',
    organizations: names.getField('O'),
    hosts,
    otherNames: items.length - hosts.length,
  };
}

/** Signs the key of a PKCS #10 request, with the subject and hosts that it names. Returns the certificate. */
export async function signSigningRequest(
  authority: KeyPair,
  pem: string,
  params: Pick<CertificateParams, 'usages' | 'now' | 'validMs'>,
): Promise<string> {
  const request = await parseSigningRequest(pem);
  const asked = await readSigningRequest(pem);
  return sign(authority, request.publicKey, { ...asked, ...params });
}

async function parseSigningRequest(pem: string): Promise<X509.Pkcs10CertificateRequest> {
  const lib = await x509();
  const request = new lib.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error('the signature of the request does not match its key');
  return request;
}

/** Reads the first certificate of a PEM text. Throws when there is none. */
export function describeCertificate(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const subject = certificate.toLegacyObject().subject as Record<string, string | string[] | undefined>;
  return {
    commonName: [subject['CN'] ?? ''].flat().at(-1) ?? '',
    organizations: [subject['O'] ?? []].flat(),
    hosts: (certificate.subjectAltName ?? '')
      .split(', ')
      .flatMap((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1] ?? [])
      .map((host) => (isIP(host) === 6 ? canonicalIpv6(host) : host)),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}

/** Whether `certificate` was signed by `authority` and belongs to its key. */
export function isIssuedBy(pair: KeyPair, authority: KeyPair): boolean {
  const certificate = new X509Certificate(pair.certificate);
  return (
    certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(pair.key))
  );
}

/** IPv6 addresses as certificates are compared: `0:0:0:0:0:0:0:1` and `::1` are the same host. */
export function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

async function sign(
  authority: KeyPair,
  publicKey: X509.PublicKeyType,
  params: CertificateParams,
): Promise<string> {
  const lib = await x509();
  const issuer = new lib.X509Certificate(authority.certificate);
  const hosts = params.hosts ?? [];
  const certificate = await lib.X509CertificateGenerator.create({
    issuer: issuer.subjectName,
    subject: subjectName(lib, params),
    publicKey,
    signingKey: await importSigningKey(authority.key),
    signingAlgorithm: ALGORITHM,
    ...validity(params, issuer.notAfter.getTime()),
    extensions: [
      new lib.BasicConstraintsExtension(false, undefined, true),
      new lib.KeyUsagesExtension(
        lib.KeyUsageFlags.digitalSignature | lib.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new lib.ExtendedKeyUsageExtension(params.usages.map((usage) => USAGE_OIDS[usage])),
      await lib.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(hosts.length === 0
        ? []
        : [
            new lib.SubjectAlternativeNameExtension(
              hosts.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host })),
            ),
          ]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function subjectName(
  lib: typeof X509,
  { commonName, organizations = [] }: Pick<CertificateParams, 'commonName' | 'organizations'>,
): X509.Name {
  // Given as plain text, the library would read quotes and `#` in a name as notation, and certify another name.
  return new lib.Name([
    ...organizations.map((organization) => ({ O: [{ utf8String: organization }] })),
    { CN: [{ utf8String: commonName }] },
  ]);
}

function validity(
  { now, validMs }: { readonly now: number; readonly validMs: number },
  notLaterThan = Number.POSITIVE_INFINITY,
): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(Math.min(now + validMs, notLaterThan)),
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await crypto.subtle.exportKey('pkcs8', key);
  return pem('PRIVATE KEY', new Uint8Array(bytes));
}

async function importSigningKey(key: string): Promise<webcrypto.CryptoKey> {
  const bytes = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  return crypto.subtle.importKey('pkcs8', new Uint8Array(bytes), ALGORITHM, false, ['sign']);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes)
    .toString('base64')
    .match(/.{1,64}/g);
  assert(lines !== null, 'a key has bytes');
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
