// How a cluster that knows nothing but a token learns whom it talks to: the control plane publishes its address and authority
// for anybody, signed by each bootstrap token, and the authority is recognised by the hash of its public key.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { sleep, systemClock, errorMessage } from '../../base/index.ts';
import { createClient, createHttpsTransport, parseYaml, resource } from '../../client/index.ts';
import { CommandError } from '../shell/index.ts';
import { certificatesOf, publicKeyPin } from '../token.ts';

export interface Discovered {
  readonly server: string;
  /** PEM; absent only when nobody verifies anything. */
  readonly ca: string | undefined;
}

export interface DiscoveryRequest {
  /** `host:port`. */
  readonly endpoint: string;
  readonly token: string;
  /** `sha256:...`, of public keys. */
  readonly pins: readonly string[];
  readonly skipVerification: boolean;
  readonly timeoutMs: number;
}

const CONFIG_MAPS = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const RETRY_MS = 5000;
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;

/** Retries until the time is over; throws CommandError with the last reason. */
export async function discover(request: DiscoveryRequest): Promise<Discovered> {
  const match = TOKEN.exec(request.token);
  if (match === null)
    throw new CommandError(
      `the bootstrap token "${request.token}" was not of the form "[a-z0-9]{6}.[a-z0-9]{16}"`,
    );
  if (request.pins.length === 0 && !request.skipVerification)
    throw new CommandError(
      'need to verify CACertHashes, please set --discovery-token-ca-cert-hash or --discovery-token-unsafe-skip-ca-verification',
    );
  const [, id = '', secret = ''] = match;
  const deadline = systemClock.now() + request.timeoutMs;
  for (;;) {
    try {
      return await discoverOnce(request, id, secret);
    } catch (error) {
      if (systemClock.now() + RETRY_MS > deadline)
        throw new CommandError(`couldn't validate the identity of the API server: ${errorMessage(error)}`);
      process.stderr.write(`${errorMessage(error)}; trying again\n`);
      await sleep(systemClock, RETRY_MS);
    }
  }
}

async function discoverOnce(request: DiscoveryRequest, id: string, secret: string): Promise<Discovered> {
  const first = await clusterInfo(request.endpoint, undefined);
  const kubeconfig = verifySignature(first, id, secret);
  const found = readClusterInfo(kubeconfig, request.endpoint);
  if (request.pins.length === 0) return found;
  const ca = found.ca ?? '';
  const pins = certificatesOf(ca).map(publicKeyPin);
  if (!pins.some((pin) => request.pins.includes(pin)))
    throw new CommandError(
      `cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "${pins.join(',')}" are pinned`,
    );
  // Whoever answered the first time could not be recognised; now it can.
  const second = await clusterInfo(request.endpoint, ca);
  if (second['kubeconfig'] !== first['kubeconfig'])
    throw new CommandError(
      'the second kubeconfig from the cluster-info ConfigMap (using validated TLS) was different from the first',
    );
  return found;
}

async function clusterInfo(
  endpoint: string,
  ca: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const transport = createHttpsTransport({
    server: `https://${endpoint}`,
    userAgent: 'navarch',
    clock: systemClock,
    ...(ca === undefined ? { insecureSkipTlsVerify: true } : { ca }),
  });
  try {
    const map = await createClient(transport).get(CONFIG_MAPS, {
      namespace: 'kube-public',
      name: 'cluster-info',
    });
    return (map['data'] ?? {}) as Readonly<Record<string, string>>;
  } finally {
    await transport.close();
  }
}

/** A detached JWS: header and signature, over the kubeconfig that stands beside it. */
function verifySignature(data: Readonly<Record<string, string>>, id: string, secret: string): string {
  const signature = data[`jws-kubeconfig-${id}`];
  const kubeconfig = data['kubeconfig'];
  if (kubeconfig === undefined)
    throw new CommandError('there is no kubeconfig in the cluster-info ConfigMap');
  if (signature === undefined)
    throw new CommandError(
      `there is no JWS signed token in the cluster-info ConfigMap. This token id "${id}" is invalid for this cluster, can't connect`,
    );
  const [header = '', , given = ''] = signature.split('.');
  const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { readonly alg?: string };
  const payload = Buffer.from(kubeconfig).toString('base64url');
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const actual = Buffer.from(given, 'base64url');
  if (alg !== 'HS256' || actual.length !== expected.length || !timingSafeEqual(actual, expected))
    throw new CommandError(
      "failed to verify JWS signature of received cluster-info object, can't trust this API Server",
    );
  return kubeconfig;
}

function readClusterInfo(kubeconfig: string, endpoint: string): Discovered {
  const { clusters } = parseYaml(kubeconfig) as {
    readonly clusters?: readonly {
      readonly cluster?: { readonly server?: string; readonly 'certificate-authority-data'?: string };
    }[];
  };
  const cluster = clusters?.[0]?.cluster;
  const data = cluster?.['certificate-authority-data'];
  return {
    // As it was reached: the address that it calls itself by may be another one from here.
    server: `https://${endpoint}`,
    ca: data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8'),
  };
}
