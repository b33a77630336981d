// A kubeconfig whose credentials somebody rotates while we use them: the whole file is read again now and then, because
// certificates mostly stand in it rather than beside it.
import { systemClock } from '../../base/index.ts';
import type { Credentials } from '../https/transport.ts';
import { loadKubeconfig, type ConnectionSettings, type KubeconfigOptions } from './kubeconfig.ts';

const REREAD_MS = 60_000;

/** As loadKubeconfig; what is read later gives new credentials only, the server stays. */
export async function loadRotatingKubeconfig(options: KubeconfigOptions): Promise<ConnectionSettings> {
  const { clock = systemClock } = options;
  let current = await loadKubeconfig(options);
  let readAtMs = clock.now();
  const credentials = async (): Promise<Credentials> => {
    const { bearerToken, clientCert, clientKey } = current;
    if (current.credentials !== undefined) return current.credentials.get();
    return {
      token: bearerToken,
      ...(clientCert === undefined || clientKey === undefined
        ? {}
        : { certificate: { cert: clientCert, key: clientKey } }),
    };
  };
  const { bearerToken: _token, clientCert: _cert, clientKey: _key, ...fixed } = current;
  return {
    ...fixed,
    credentials: {
      async get() {
        if (clock.now() - readAtMs >= REREAD_MS) {
          readAtMs = clock.now();
          // A file that is just being written keeps its last content.
          current = await loadKubeconfig(options).catch(() => current);
        }
        return credentials();
      },
      invalidate() {
        readAtMs = -Infinity;
        current.credentials?.invalidate();
      },
    },
  };
}
