// kube-system/extension-apiserver-authentication: from it other API servers learn whose certificates to trust, and
// which headers name the user of a request that we hand on to them. COMPAT: names and keys are kube-apiserver's.
import { errorMessage, sleep, type Clock, type Logger } from '../../base/index.ts';
import { FRONT_PROXY_CLIENT, type ClusterCertificates } from '../security/certificate-store.ts';
import type { InProcessTransport } from '../transport.ts';

const PATH = '/api/v1/namespaces/kube-system/configmaps';
const NAME = 'extension-apiserver-authentication';
const RETRY_MS = 1000;

function authenticationConfig(
  { authority, frontProxy }: ClusterCertificates,
  clientAuthorities: string,
): Readonly<Record<string, string>> {
  return {
    'client-ca-file': [authority.certificate, clientAuthorities].filter((pem) => pem !== '').join('\n'),
    'requestheader-allowed-names': JSON.stringify([FRONT_PROXY_CLIENT]),
    'requestheader-client-ca-file': frontProxy.authority.certificate,
    'requestheader-extra-headers-prefix': JSON.stringify(['X-Remote-Extra-']),
    'requestheader-group-headers': JSON.stringify(['X-Remote-Group']),
    'requestheader-uid-headers': JSON.stringify(['X-Remote-Uid']),
    'requestheader-username-headers': JSON.stringify(['X-Remote-User']),
  };
}

/** Writes it, and the namespace if need be; tries until it is there or the signal aborts. */
export async function publishAuthenticationConfig(options: {
  readonly transport: InProcessTransport;
  readonly certificates: ClusterCertificates;
  /** PEM of further authorities that may sign client certificates. */
  readonly clientAuthorities: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { transport, clock, logger, signal } = options;
  const data = authenticationConfig(options.certificates, options.clientAuthorities);
  while (!signal.aborted) {
    try {
      await publish(transport, data, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn(`${NAME} could not be written, trying again`, { error: errorMessage(error) });
      await sleep(clock, RETRY_MS, signal).catch(() => undefined);
    }
  }
}

async function publish(
  transport: InProcessTransport,
  data: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const found = await transport.send({ method: 'GET', path: `${PATH}/${NAME}`, signal });
  if (found.status === 200) {
    const have = (found.body as { readonly data?: Readonly<Record<string, string>> }).data ?? {};
    if (Object.entries(data).every(([key, text]) => have[key] === text)) return;
    const contentType = 'application/merge-patch+json';
    const patched = await transport.send({
      method: 'PATCH',
      path: `${PATH}/${NAME}`,
      body: { data },
      contentType,
      signal,
    });
    mustSucceed(patched);
    return;
  }
  const namespace = { metadata: { name: 'kube-system' } };
  mustSucceed(await transport.send({ method: 'POST', path: '/api/v1/namespaces', body: namespace, signal }));
  mustSucceed(
    await transport.send({ method: 'POST', path: PATH, body: { metadata: { name: NAME }, data }, signal }),
  );
}

function mustSucceed({ status, body }: { readonly status: number; readonly body: unknown }): void {
  // Another server over the same storage was faster.
  if (status < 300 || status === 409) return;
  throw new Error((body as { readonly message?: string }).message ?? `status ${status}`);
}
