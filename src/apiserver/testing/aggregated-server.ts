// A real API server as others would write one to be aggregated: a kind of its own, and nobody let in but a front proxy.
import { s, type KubeObject } from '../../api/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { StatusError } from '../../machinery/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import { aggregatedKind } from '../aggregated-kind.ts';
import type { ApiRequest } from '../contract.ts';
import { Discovery } from '../discovery/serve.ts';
import { createApiServer, objectCodec } from '../index.ts';
import { startListener } from '../listen/listener.ts';
import { OpenApiDocuments } from '../openapi/index.ts';
import type { ClusterCertificates } from '../security/certificate-store.ts';
import { DAY_MS, createAuthority, issueCertificate } from '../security/certificates.ts';

export interface AggregatedServer {
  readonly port: number;
  /** PEM, of its own authority. */
  readonly authority: string;
  /** Who its requests came from, probes left out: `GET /path as ann of a,b`. */
  readonly seen: readonly string[];
  close(): Promise<void>;
}

const GROUP = 'wardle.example.com';

function flunders(): ReturnType<typeof aggregatedKind> {
  const schema = s.object('A fish.', {
    required: { metadata: { type: 'object' } },
    optional: {
      apiVersion: s.string(''),
      kind: s.string(''),
      spec: { type: 'object' },
      status: { type: 'object' },
    },
  });
  const kind = { group: GROUP, kind: 'Flunder', plural: 'flunders', namespaced: true, shortNames: ['fl'] };
  const printer = {
    columns: [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 } as const],
    cells: ({ metadata }: KubeObject) => [metadata.name ?? ''],
  };
  const definition = 'com.example.wardle.v1alpha1.Flunder';
  return aggregatedKind(
    { ...kind, versions: [{ name: 'v1alpha1', schema }] },
    { strategy: {}, printer, definition },
  );
}

/** Believes in X-Remote headers of whom `frontProxy` signed for. Echoes on `/apis/wardle.example.com/v1alpha1/echo`. */
export async function startAggregatedServer(
  frontProxy: ClusterCertificates['frontProxy'],
  serverName: string,
): Promise<AggregatedServer> {
  const now = Date.now();
  const authority = await createAuthority({ commonName: 'wardle', now, validMs: DAY_MS });
  const usages = ['server auth'] as const;
  const params = { commonName: serverName, hosts: [serverName], usages, now, validMs: DAY_MS };
  const pair = await issueCertificate(authority, params);
  const storage = createMemoryStorage<KubeObject>(objectCodec);
  const server = createApiServer({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    disabledAdmission: ['NamespaceLifecycle'],
    pathHandlers: [
      (request) =>
        request.path.startsWith('/openapi/') ? documents.respond(request) : discovery.respond(request),
    ],
  });
  for (const { group, resource } of server.registry.definitions()) server.registry.remove(group, resource);
  server.registry.put(flunders());
  const discovery = new Discovery(server.registry);
  const documents = new OpenApiDocuments(server.registry, 'v0.1.0', systemClock);
  const seen: string[] = [];
  const listener = await startListener({
    host: '127.0.0.1',
    port: 0,
    tls: { ...pair, clientCa: frontProxy.authority.certificate },
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    authenticator: {
      async authenticate({ headers, certificate }) {
        if (certificate?.commonName !== 'front-proxy-client')
          throw new StatusError(401, 'Unauthorized', 'who are you?');
        const groups = (headers['x-remote-group'] ?? '').split(', ').filter((one) => one !== '');
        return { name: headers['x-remote-user'] ?? '', groups };
      },
    },
    handle: async (request: ApiRequest) => {
      const { method, path, user } = request;
      if (user.name !== 'system:kube-aggregator') {
        seen.push(`${method} ${path} as ${user.name} of ${user.groups.join()}`);
      }
      if (path !== `/apis/${GROUP}/v1alpha1/echo`) return server.handle(request);
      return {
        kind: 'upgrade',
        async run({ socket }) {
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n',
          );
          for await (const chunk of socket) socket.write(`<${String(chunk)}>`);
        },
      };
    },
  });
  return {
    port: listener.port,
    authority: authority.certificate,
    seen,
    async close() {
      await server.close();
      await listener.close();
    },
  };
}
