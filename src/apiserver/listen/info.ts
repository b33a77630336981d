// What a server tells about itself besides its resources: version, health, metrics, and how to check its tokens.
import { methodNotAllowed } from '../refusals.ts';
import type { ApiRequest, ApiResponse } from '../contract.ts';
import type { MetricsRegistry } from '../metrics.ts';
import type { TokenSigner } from '../security/token-signer.ts';
import { createHealthEndpoints, type HealthCheck } from './health.ts';

export interface InfoOptions {
  readonly version: VersionInfo;
  readonly metrics?: MetricsRegistry;
  readonly healthChecks?: readonly HealthCheck[];
  readonly signer?: TokenSigner;
  /** Where clients reach this server, for the address of the key set: `https://host:port`. */
  readonly serverUrl?: string;
}

/** apimachinery's version.Info. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** @param kubernetes the version whose API this is, `1.36.2`
 * @param product what answers for it, `navarch-0.1.0` */
export function versionInfo(kubernetes: string, product: string): VersionInfo {
  const plain = kubernetes.replace(/^v/, '');
  const [major = '', minor = ''] = plain.split('.');
  return {
    major,
    minor,
    // Clients compare this with their own version: the part before the plus sign counts for that.
    gitVersion: `v${plain}+${product}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node${process.versions.node}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}

type Endpoint = () => ApiResponse | Promise<ApiResponse>;

/** Answers the paths it knows, undefined for all others. */
export function createInfoEndpoints(
  options: InfoOptions,
): (request: ApiRequest) => ApiResponse | Promise<ApiResponse> | undefined {
  const health = createHealthEndpoints(options.healthChecks ?? []);
  const endpoints = new Map<string, Endpoint>([['/version', () => json(options.version)]]);
  const { metrics, signer, serverUrl } = options;
  if (metrics !== undefined) {
    endpoints.set('/metrics', async () => {
      await metrics.refresh();
      return text(metrics.text(), 'text/plain; version=0.0.4; charset=utf-8');
    });
  }
  if (signer !== undefined) {
    endpoints.set('/.well-known/openid-configuration', () =>
      json({
        issuer: signer.issuer,
        jwks_uri: `${serverUrl ?? signer.issuer}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      }),
    );
    endpoints.set('/openid/v1/jwks', async () =>
      text(JSON.stringify(await signer.keySet()), 'application/jwk-set+json'),
    );
  }
  return (request) => {
    const path = request.path.endsWith('/') ? request.path.slice(0, -1) : request.path;
    const endpoint = endpoints.get(path);
    const answer = endpoint ?? health(request);
    if (answer === undefined) return undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
    return answer();
  };
}

function json(object: unknown): ApiResponse {
  return { kind: 'object', status: 200, object };
}

function text(body: string, contentType: string): ApiResponse {
  return { kind: 'bytes', status: 200, contentType, bytes: new TextEncoder().encode(body) };
}
