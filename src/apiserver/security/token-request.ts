// The `token` subresource of service accounts: authentication.k8s.io/v1 TokenRequest.
import { parseApiVersion, type KubeObject } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import {
  badRequest,
  conflict,
  fieldError,
  goQuote,
  invalid,
  notFound,
  type FieldError,
} from '../../machinery/index.ts';
import type { ObjectReader } from './object-reader.ts';
import type { BoundTokenRequest, ServiceAccountTokens } from './service-account-tokens.ts';

export interface TokenRequestHandler {
  /** The request with what was left open, as admission sees it. */
  complete(serviceAccount: KubeObject, request: KubeObject): KubeObject;
  /** @param request a complete one that admission has let pass; returns the answer (201) */
  issue(serviceAccount: KubeObject, request: KubeObject, nowMs: number): Promise<KubeObject>;
}

interface BoundObjectReference {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

interface TokenRequestSpec {
  readonly audiences?: readonly string[];
  readonly expirationSeconds?: number;
  readonly boundObjectRef?: BoundObjectReference;
}

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

export function createTokenRequestHandler(options: {
  readonly tokens: ServiceAccountTokens;
  readonly reader: ObjectReader;
}): TokenRequestHandler {
  const { tokens, reader } = options;
  return {
    complete(serviceAccount, request) {
      const { name = '', namespace = '' } = serviceAccount.metadata;
      const asked = request.metadata?.name ?? '';
      if (asked !== '' && asked !== name) {
        const why = 'must match the service account name if specified';
        throw invalid(KIND, name, [fieldError.invalid('metadata.name', asked, why)]);
      }
      const given = (request['spec'] ?? {}) as TokenRequestSpec;
      const { expirationSeconds = DEFAULT_SECONDS } = given;
      const audiences = (given.audiences ?? []).length === 0 ? [tokens.signer.issuer] : given.audiences!;
      return {
        ...request,
        metadata: { ...request.metadata, name, namespace },
        spec: { ...given, audiences, expirationSeconds },
      };
    },
    async issue(serviceAccount, request, nowMs) {
      const { name = '', namespace = '', uid = '' } = serviceAccount.metadata;
      const spec = (request['spec'] ?? {}) as TokenRequestSpec;
      const { expirationSeconds = DEFAULT_SECONDS, audiences = [] } = spec;
      const errors = expirationErrors(expirationSeconds);
      if (errors.length > 0) throw invalid(KIND, '', errors);
      const binding =
        spec.boundObjectRef === undefined
          ? {}
          : await bindingOf(reader, { namespace, name }, spec.boundObjectRef);
      const issued = await tokens.issue({
        namespace,
        serviceAccount: { name, uid },
        audiences,
        expirationSeconds,
        ...binding,
      });
      return {
        ...request,
        metadata: { ...request.metadata, creationTimestamp: formatTime(nowMs) },
        status: { token: issued.token, expirationTimestamp: formatTime(issued.expiresAt) },
      };
    },
  };
}

function expirationErrors(seconds: number): FieldError[] {
  const path = 'spec.expirationSeconds';
  if (seconds < MIN_SECONDS) {
    return [fieldError.invalid(path, seconds, 'may not specify a duration less than 10 minutes')];
  }
  return seconds > MAX_SECONDS
    ? [fieldError.invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds')]
    : [];
}

/** What the token is to be bound to. The object must be there, and be the very one that the caller means. */
async function bindingOf(
  reader: ObjectReader,
  account: { readonly namespace: string; readonly name: string },
  reference: BoundObjectReference,
): Promise<Pick<BoundTokenRequest, 'boundTo' | 'node'>> {
  const { kind = '', apiVersion = '', name = '' } = reference;
  const to = Object.hasOwn(BINDABLE, kind) && !apiVersion.includes('/') ? BINDABLE[kind] : undefined;
  if (to === undefined) {
    const { group, version } = parseApiVersion(apiVersion);
    throw badRequest(
      `cannot bind token for serviceaccount ${goQuote(account.name)} to object type ${group}/${version}, Kind=${kind}`,
    );
  }
  const resource = `${to}s`;
  const object = await reader.get(resource, to === 'node' ? '' : account.namespace, name);
  if (object === undefined) throw notFound({ group: '', resource }, name);
  const uid = object.metadata.uid ?? '';
  const spec = (object['spec'] ?? {}) as { readonly serviceAccountName?: string; readonly nodeName?: string };
  if (to === 'pod' && spec.serviceAccountName !== account.name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${goQuote(account.name)} to pod running with different serviceaccount name.`,
    );
  }
  if ((reference.uid ?? '') !== '' && reference.uid !== uid) {
    // COMPAT: the kind stands where others have the resource.
    throw conflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  const boundTo = { kind: to, object: { name, uid } };
  const { nodeName = '' } = spec;
  return to === 'pod' && nodeName !== '' ? { boundTo, node: { name: nodeName } } : { boundTo };
}

const BINDABLE: Readonly<Record<string, 'pod' | 'secret' | 'node'>> = {
  Pod: 'pod',
  Secret: 'secret',
  Node: 'node',
};
