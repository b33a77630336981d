// The certificates of one cluster: its authority, the server's, an administrator's, and the key that signs service
// account tokens. Made on first use, kept in a directory, renewed before they run out. What must stay true: files are
// readable by their owner alone and replaced whole, so that a crash leaves the old one or the new one.
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import { OperatingError, errorMessage, type Random } from '../../base/index.ts';
import {
  DAY_MS,
  YEAR_MS,
  canonicalIpv6,
  createAuthority,
  describeCertificate,
  isIssuedBy,
  issueCertificate,
  type CertificateParams,
  type KeyPair,
} from './certificates.ts';

export interface ClusterCertificates {
  readonly authority: KeyPair;
  readonly server: KeyPair;
  /** A member of system:masters. */
  readonly admin: KeyPair;
  /** PEM, PKCS #8, P-256. */
  readonly serviceAccountKey: string;
  readonly frontProxy: FrontProxyCertificates;
}

/** With these other API servers know that a request was authenticated here. */
export interface FrontProxyCertificates {
  readonly authority: KeyPair;
  readonly client: KeyPair;
}

export interface CertificateOptions {
  /** Where they are kept. */
  readonly vault: Vault;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** For the authority's name. */
  readonly clusterName: string;
  /** Names and addresses of the server besides the usual ones. */
  readonly hosts?: readonly string[];
  /** How long new certificates are valid; default a year. The authority is for ten. */
  readonly validMs?: number;
}

/** Texts by file name. */
export interface Vault {
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}

const AUTHORITY_VALID_MS = 10 * YEAR_MS;
const CERTIFICATE_VALID_MS = YEAR_MS;
/** Renewed when less than this is left: a hub that restarts once a month never meets an expired certificate. */
const RENEW_BEFORE_MS = 60 * DAY_MS;

// Where pods and tools of a cluster find its API server.
const USUAL_HOSTS = [
  'localhost',
  '127.0.0.1',
  '::1',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  // The first address of the default service range: the `kubernetes` Service.
  '10.96.0.1',
];

/** Reads the certificates, and makes or renews what is missing, close to its end, or for other hosts. */
export async function openCertificates(options: CertificateOptions): Promise<ClusterCertificates> {
  const { vault, now } = options;
  const authority = await keep(
    vault,
    'ca',
    (pair) => isFresh(pair, now),
    () => createAuthority({ commonName: `${options.clusterName}-ca`, now, validMs: AUTHORITY_VALID_MS }),
  );
  const issue = (params: Pick<CertificateParams, 'commonName' | 'organizations' | 'usages' | 'hosts'>) =>
    issueCertificate(authority, { ...params, now, validMs: options.validMs ?? CERTIFICATE_VALID_MS });
  const usable = (pair: KeyPair): boolean => isFresh(pair, now) && isIssuedBy(pair, authority);

  const hosts = [...new Set([...USUAL_HOSTS, ...(options.hosts ?? [])].map(canonicalHost))];
  const server = await keep(
    vault,
    'apiserver',
    (pair) => usable(pair) && covers(describeCertificate(pair.certificate).hosts, hosts),
    () => issue({ commonName: 'kube-apiserver', usages: ['server auth'], hosts }),
  );
  const admin = await keep(vault, 'admin', usable, () =>
    issue({
      commonName: `${options.clusterName}-admin`,
      organizations: ['system:masters'],
      usages: ['client auth'],
    }),
  );
  let serviceAccountKey = await vault.read('service-account.key');
  if (serviceAccountKey === undefined) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    serviceAccountKey = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    await vault.write('service-account.key', serviceAccountKey);
  }
  const frontProxy = await frontProxyCertificates(options);
  return { authority, server, admin, serviceAccountKey, frontProxy };
}

/** COMPAT: an authority of its own, and the name, as kubeadm makes them: no other certificate may speak for users. */
export const FRONT_PROXY_CLIENT = 'front-proxy-client';

async function frontProxyCertificates({ vault, now }: CertificateOptions): Promise<FrontProxyCertificates> {
  const authority = await keep(
    vault,
    'front-proxy-ca',
    (pair) => isFresh(pair, now),
    () => createAuthority({ commonName: 'front-proxy-ca', now, validMs: AUTHORITY_VALID_MS }),
  );
  const subject = { commonName: FRONT_PROXY_CLIENT };
  return {
    authority,
    client: await clientCertificate(authority, { vault, now }, FRONT_PROXY_CLIENT, subject),
  };
}

/** A certificate for `commonName`, kept under `name` and renewed like the others. */
export function clientCertificate(
  authority: KeyPair,
  { vault, now }: Pick<CertificateOptions, 'vault' | 'now'>,
  name: string,
  subject: { readonly commonName: string; readonly organizations?: readonly string[] },
): Promise<KeyPair> {
  return keep(
    vault,
    name,
    (pair) => isFresh(pair, now) && isIssuedBy(pair, authority),
    () =>
      issueCertificate(authority, {
        ...subject,
        usages: ['client auth'],
        now,
        validMs: CERTIFICATE_VALID_MS,
      }),
  );
}

async function keep(
  vault: Vault,
  name: string,
  isUsable: (pair: KeyPair) => boolean,
  make: () => Promise<KeyPair>,
): Promise<KeyPair> {
  const [certificate, key] = await Promise.all([vault.read(`${name}.crt`), vault.read(`${name}.key`)]);
  if (certificate !== undefined && key !== undefined) {
    const pair = { certificate, key };
    if (readable(name, () => isUsable(pair))) return pair;
  }
  const pair = await make();
  // In this order a crash in between leaves a certificate that is stale or does not fit the key: made anew next time.
  await vault.write(`${name}.key`, pair.key);
  await vault.write(`${name}.crt`, pair.certificate);
  return pair;
}

function readable<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new OperatingError(
      'CERTIFICATE_UNREADABLE',
      `${name}.crt or ${name}.key cannot be read: ${errorMessage(error)}`,
      `restore both files, or delete both to have new ones made`,
      { cause: error },
    );
  }
}

function isFresh(pair: KeyPair, now: number): boolean {
  return describeCertificate(pair.certificate).notAfter - now > RENEW_BEFORE_MS;
}

function covers(have: readonly string[], want: readonly string[]): boolean {
  const set = new Set(have.map(canonicalHost));
  return want.every((host) => set.has(host));
}

function canonicalHost(host: string): string {
  return isIP(host) === 6 ? canonicalIpv6(host) : host.toLowerCase();
}

/** Keeps nothing beyond the process. */
export function memoryVault(): Vault {
  const texts = new Map<string, string>();
  return {
    read: async (name) => texts.get(name),
    write: async (name, text) => void texts.set(name, text),
  };
}

export function fileVault(directory: string, random: Random): Vault {
  return {
    async read(name) {
      try {
        return await readFile(path.join(directory, name), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw accessError(path.join(directory, name), error);
      }
    },
    async write(name, text) {
      const file = path.join(directory, name);
      const temporary = `${file}.${random.uuid()}`;
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await writeFile(temporary, text, { mode: 0o600, flush: true });
        await rename(temporary, file);
      } catch (error) {
        throw accessError(file, error);
      }
    },
  };
}

function accessError(file: string, error: unknown): OperatingError {
  return new OperatingError(
    'CERTIFICATES_INACCESSIBLE',
    `${file} cannot be read or written: ${errorMessage(error)}`,
    'make its directory accessible to this user, or choose another data directory',
    { cause: error },
  );
}
