// Kubeconfig files for what this program serves.
import { dump } from 'js-yaml';
import type { KeyPair } from './certificates.ts';

export interface KubeconfigContext {
  readonly contextName: string;
  /** `https://127.0.0.1:5443`. */
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly certificateAuthority: string;
  readonly credentials: KeyPair | { readonly token: string };
  /** The default is `default`, as for kubectl. */
  readonly namespace?: string;
}

/** The first context is the current one. Every context has a cluster and a user of its own, under the same name. */
export function kubeconfigFor(contexts: readonly KubeconfigContext[]): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    'current-context': contexts[0]?.contextName ?? '',
    clusters: contexts.map(({ contextName, server, certificateAuthority }) => ({
      name: contextName,
      cluster: { server, 'certificate-authority-data': base64(certificateAuthority) },
    })),
    users: contexts.map(({ contextName, credentials }) => ({
      name: contextName,
      user:
        'token' in credentials
          ? { token: credentials.token }
          : {
              'client-certificate-data': base64(credentials.certificate),
              'client-key-data': base64(credentials.key),
            },
    })),
    contexts: contexts.map(({ contextName, namespace }) => ({
      name: contextName,
      context: {
        cluster: contextName,
        user: contextName,
        ...(namespace === undefined ? {} : { namespace }),
      },
    })),
  };
}

export function kubeconfigYaml(contexts: readonly KubeconfigContext[]): string {
  return dump(kubeconfigFor(contexts), { lineWidth: -1 });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
