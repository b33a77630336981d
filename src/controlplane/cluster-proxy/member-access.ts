// How the proxy reaches a member, and as whom: with the member's impersonator token, in the name of who asked. The
// member itself then decides what that user may do. COMPAT: messages are upstream's.
import type { Cluster, Secret } from '../../api/index.ts';
import type { Forwarding, SubresourceCall, Upstream } from '../../apiserver/index.ts';
import { openTunnel } from '../../client/index.ts';
import { StatusError, notFound, type UserInfo } from '../../machinery/index.ts';

type Objects = SubresourceCall['objects'];

/** Groups that everybody is in; the member adds its own. */
const IMPLIED_GROUPS = new Set(['system:authenticated', 'system:unauthenticated']);

export interface MemberAccess {
  readonly upstream: Upstream;
  /** Put in place of what the client sent. */
  readonly headers: Forwarding['headers'];
}

/** Throws a StatusError when the Cluster or its Secrets do not say how. */
export async function memberAccess(
  objects: Objects,
  cluster: Cluster,
  user: UserInfo,
): Promise<MemberAccess> {
  const { name = '' } = cluster.metadata;
  const caBundle = await authorityOf(objects, cluster);
  const url = endpointOf(cluster);
  const {
    impersonatorSecretRef,
    insecureSkipTLSVerification = false,
    proxyURL = '',
    proxyHeader = {},
  } = cluster.spec;
  if (impersonatorSecretRef === undefined || impersonatorSecretRef === null) {
    throw unusable(`the impersonatorSecretRef of cluster ${name} is nil`);
  }
  const secret = await secretAt(objects, impersonatorSecretRef);
  const token = decode(secret.data?.['token']);
  if (token === '') {
    const why = `the impersonate token of cluster ${name} is empty`;
    throw unusable(`failed to get impersonateToken for cluster ${name}: ${why}`);
  }
  const connect = proxyURL === '' ? undefined : tunnelTo(name, url, proxyURL, proxyHeader);
  return {
    upstream: {
      key: JSON.stringify([
        cluster.metadata.uid,
        url.href,
        caBundle,
        insecureSkipTLSVerification,
        proxyURL,
        proxyHeader,
      ]),
      url,
      ...(caBundle === undefined ? {} : { ca: caBundle }),
      insecureSkipTlsVerify: insecureSkipTLSVerification,
      minVersion: 'TLSv1.3',
      ...(connect === undefined ? {} : { connect }),
    },
    headers: {
      authorization: `bearer ${token}`,
      'impersonate-user': user.name,
      'impersonate-group': user.groups.filter((group) => !IMPLIED_GROUPS.has(group)),
    },
  };
}

/** PEM; undefined: the system's authorities, as for a member in pull mode without a Secret. */
async function authorityOf(objects: Objects, { metadata, spec }: Cluster): Promise<string | undefined> {
  const { name = '' } = metadata;
  if (spec.secretRef === undefined || spec.secretRef === null) return undefined;
  const secret = await secretAt(objects, spec.secretRef);
  const caBundle = decode(secret.data?.['caBundle']);
  if (caBundle !== '' || spec.insecureSkipTLSVerification === true)
    return caBundle === '' ? undefined : caBundle;
  const why = `the CA bundle of cluster ${name} is empty`;
  throw unusable(`failed to get CA bundle for cluster ${name}: ${why}`);
}

function endpointOf({ metadata, spec }: Cluster): URL {
  const { apiEndpoint = '' } = spec;
  if (apiEndpoint === '') throw unusable(`API endpoint of cluster ${metadata.name} should not be empty`);
  const url = URL.canParse(apiEndpoint) ? new URL(apiEndpoint) : undefined;
  if (url?.protocol !== 'https:') {
    throw unusable(`failed to parse api endpoint ${apiEndpoint}: it is no https URL`);
  }
  return url;
}

function tunnelTo(
  cluster: string,
  url: URL,
  proxy: string,
  headers: Readonly<Record<string, string>>,
): NonNullable<Upstream['connect']> {
  if (!URL.canParse(proxy)) {
    throw unusable(`failed to parse url of proxy url ${proxy}: cluster ${cluster} names no URL`);
  }
  return () => openTunnel(new URL(proxy), url, headers);
}

async function secretAt(
  objects: Objects,
  { namespace = '', name = '' }: { readonly namespace?: string; readonly name?: string },
): Promise<Secret> {
  const found = await objects.get('', 'secrets', namespace, name);
  if (found === undefined) throw notFound({ group: '', resource: 'secrets' }, name);
  return found as Secret;
}

function unusable(message: string): StatusError {
  return new StatusError(500, 'InternalError', message, {});
}

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString();
}
