// A connection by a kubeconfig that stands in a Secret instead of a file.
import { systemClock } from '../../base/index.ts';
import { createClient, createHttpsTransport, type Client } from '../../client/index.ts';
import { CommandError } from '../shell/index.ts';

interface InlineKubeconfig {
  readonly clusters?: readonly {
    readonly cluster?: { readonly server?: string; readonly 'certificate-authority-data'?: string };
  }[];
  readonly users?: readonly {
    readonly user?: { readonly 'client-certificate-data'?: string; readonly 'client-key-data'?: string };
  }[];
}

/** Takes the one cluster and user that an agent's kubeconfig has. */
export function connectAs(content: unknown): Client {
  const { clusters, users } = content as InlineKubeconfig;
  const cluster = clusters?.[0]?.cluster;
  const user = users?.[0]?.user;
  const decode = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
  const ca = decode(cluster?.['certificate-authority-data']);
  const clientCert = decode(user?.['client-certificate-data']);
  const clientKey = decode(user?.['client-key-data']);
  if (cluster?.server === undefined || clientCert === undefined || clientKey === undefined)
    throw new CommandError(
      "the agent's kubeconfig holds no address or no certificate: name the control plane with --karmada-config",
    );
  const transport = createHttpsTransport({
    server: cluster.server,
    ...(ca === undefined ? { insecureSkipTlsVerify: true } : { ca }),
    clientCert,
    clientKey,
    clock: systemClock,
    userAgent: 'navarch',
  });
  return createClient(transport, { fieldManager: 'navarch' });
}
