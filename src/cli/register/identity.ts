// An identity on the control plane, got by a certificate signing request that it approves by itself.
import { randomInt } from 'node:crypto';
import type { KubeObject } from '../../api/index.ts';
import { sleep, systemClock } from '../../base/index.ts';
import { resource, type Client } from '../../client/index.ts';
import { CommandError } from '../shell/index.ts';

export const SIGNING_REQUESTS = resource({
  group: 'certificates.k8s.io',
  version: 'v1',
  resource: 'certificatesigningrequests',
  namespaced: false,
});

export interface Identity {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Of the request. */
  readonly requestName: string;
}

const ORGANIZATION = 'system:karmada:agents';
const SIGNER = 'kubernetes.io/kube-apiserver-client';
const USAGES = ['digital signature', 'key encipherment', 'client auth'];
const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 3072,
};
const WAIT_MS = 60_000;

export function randomSuffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)] ?? 'x').join('');
}

/** Asks for a certificate and waits until it is there. Throws CommandError when nobody approves. */
export async function requestIdentity(
  client: Client,
  requestName: string,
  commonName: string,
  expirationSeconds: number,
): Promise<Identity> {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509');
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const pem = (
    await Pkcs10CertificateRequestGenerator.create({
      name: [{ O: [ORGANIZATION] }, { CN: [commonName] }],
      keys,
      signingAlgorithm: ALGORITHM,
    })
  ).toString('pem');
  const request: KubeObject = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: requestName, labels: { 'karmada.io/system': 'true' } },
    spec: {
      request: Buffer.from(`${pem}\n`).toString('base64'),
      signerName: SIGNER,
      expirationSeconds,
      usages: USAGES,
    },
  };
  await client.create(SIGNING_REQUESTS, request);
  const certificate = await untilSigned(client, requestName);
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END PRIVATE KEY-----\n`;
  return { certificate, key, requestName };
}

async function untilSigned(client: Client, name: string): Promise<string> {
  const deadline = systemClock.now() + WAIT_MS;
  for (let delayMs = 50; ; delayMs = Math.min(delayMs * 2, 1000)) {
    const { status } = (await client.get(SIGNING_REQUESTS, { name })) as {
      readonly status?: {
        readonly certificate?: string;
        readonly conditions?: readonly { readonly type: string; readonly message?: string }[];
      };
    };
    if (status?.certificate !== undefined) return Buffer.from(status.certificate, 'base64').toString('utf8');
    const denied = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (denied !== undefined)
      throw new CommandError(
        `certificate signing request ${name} was refused: ${denied.message ?? denied.type}`,
      );
    if (systemClock.now() > deadline)
      throw new CommandError(
        `certificate signing request ${name} was not approved within ${WAIT_MS / 1000} s: see that the controller agentcsrapproving runs on the control plane`,
      );
    await sleep(systemClock, delayMs);
  }
}
