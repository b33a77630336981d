// Certificate signing requests: those of kubelets, and of whom the options name, are approved when their sender may ask;
// approved ones are signed, old ones are forgotten. Reads: requests; asks for access by SubjectAccessReview. Writes: conditions (subresource
// approval), certificates (subresource status); deletes requests.
// INVARIANT: nothing is signed without the condition Approved, nor what its signer does not allow.
import { formatTime } from '../base/index.ts';
import { isConflict, isNotFound, type Client } from '../client/index.ts';
import { act, done, informerSource, runController, type Plan, type Write } from '../runtime/index.ts';
import { resources, type CertificateSigningRequest, type SigningRequestCondition } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

/** What a PKCS #10 request asks to be certified. */
export interface RequestedSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly hosts: readonly string[];
  /** Alternative names that are no hosts, such as e-mail addresses and URIs: how many. */
  readonly otherNames: number;
}

/** Whose requests are approved without anybody looking. */
export interface AutoApproval {
  /** Whether the request has the form that these requests have. */
  matches(request: CertificateSigningRequest, subject: RequestedSubject): boolean;
  /**
   * Subresources of certificatesigningrequests; who may create one of them is approved. The first counts only when the
   * sender asks for a certificate of its own name.
   */
  readonly permissions: { readonly own: string; readonly any: string };
  /** Of the condition Approved. */
  readonly message: string;
}

/** Reads and signs; the cluster's certificate authority is behind it. */
export interface CertificateSigner {
  /** Throws when the PEM is no request, or is not signed by its own key. */
  read(pem: string): Promise<RequestedSubject>;
  sign(
    pem: string,
    options: {
      readonly usages: readonly ('client auth' | 'server auth')[];
      readonly now: number;
      readonly validMs: number;
    },
  ): Promise<string>;
}

const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';
const API_CLIENT = 'kubernetes.io/kube-apiserver-client';
const LEGACY = 'kubernetes.io/legacy-unknown';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DEFAULT_VALID_MS = 365 * 24 * HOUR_MS;
const MIN_VALID_MS = 600 * SECOND_MS;

// COMPAT: how long upstream's cleaner keeps requests, by what became of them.
const KEEP_DECIDED_MS = HOUR_MS;
const KEEP_PENDING_MS = 24 * HOUR_MS;

export interface SigningInput {
  readonly request: CertificateSigningRequest;
  readonly nowMs: number;
  /** What the request asks for, or why it cannot be read. */
  readonly subject: RequestedSubject | { readonly unreadable: string };
  /** By which rule the sender may have the request approved without anybody looking. */
  readonly approval: AutoApproval | undefined;
}

/** What to do with a request; signing itself is up to the caller. */
export type SigningDecision =
  | { readonly do: 'nothing' }
  | { readonly do: 'wait'; readonly afterMs: number }
  | { readonly do: 'forget' }
  | { readonly do: 'approve'; readonly message: string }
  | { readonly do: 'fail'; readonly message: string }
  | {
      readonly do: 'sign';
      readonly usages: readonly ('client auth' | 'server auth')[];
      readonly validMs: number;
    };

export function decideSigning(input: SigningInput): SigningDecision {
  const { request, nowMs, subject, approval } = input;
  const has = (type: string): boolean =>
    (request.status?.conditions ?? []).some((one) => one.type === type && one.status !== 'False');
  const decided = has('Approved') || has('Denied') || has('Failed');
  const open =
    has('Approved') && !has('Denied') && !has('Failed') && (request.status?.certificate ?? '') === '';
  const isOurs = [KUBELET_CLIENT, KUBELET_SERVING, API_CLIENT, LEGACY].includes(request.spec.signerName);
  if (open && isOurs) {
    const refusal = 'unreadable' in subject ? subject.unreadable : refusalOf(request, subject);
    if (refusal !== undefined) return { do: 'fail', message: refusal };
    return { do: 'sign', usages: authUsages(request), validMs: validMs(request) };
  }
  if (!decided && approval !== undefined) return { do: 'approve', message: approval.message };
  const leftMs =
    Date.parse(request.metadata.creationTimestamp ?? '') +
    (decided && !open ? KEEP_DECIDED_MS : KEEP_PENDING_MS) -
    nowMs;
  if (Number.isNaN(leftMs)) return { do: 'nothing' };
  return leftMs <= 0 ? { do: 'forget' } : { do: 'wait', afterMs: leftMs };
}

/** A kubelet's request for its client certificate. */
export const kubeletApproval: AutoApproval = {
  matches: (request, subject) =>
    request.spec.signerName === KUBELET_CLIENT && refusalOf(request, subject) === undefined,
  permissions: { own: 'selfnodeclient', any: 'nodeclient' },
  message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
};

/** COMPAT: what upstream's signers accept, signer by signer. */
function refusalOf(
  { spec }: CertificateSigningRequest,
  { commonName, organizations, hosts, otherNames }: RequestedSubject,
): string | undefined {
  const usages = new Set(spec.usages ?? []);
  const only = (...allowed: string[]): boolean => [...usages].every((usage) => allowed.includes(usage));
  const isNode =
    organizations.length === 1 &&
    organizations[0] === 'system:nodes' &&
    commonName.startsWith('system:node:');
  switch (spec.signerName) {
    case KUBELET_CLIENT:
      if (!isNode) return 'organization must be system:nodes, and the common name begin with system:node:';
      if (hosts.length + otherNames > 0) return 'a client certificate of a kubelet names no hosts';
      if (!usages.has('client auth') || !only('client auth', 'digital signature', 'key encipherment')) {
        return 'usages must be client auth, digital signature and at most key encipherment';
      }
      return undefined;
    case KUBELET_SERVING:
      if (!isNode) return 'organization must be system:nodes, and the common name begin with system:node:';
      if (hosts.length === 0) return 'a serving certificate names at least one host';
      if (!usages.has('server auth') || !only('server auth', 'digital signature', 'key encipherment')) {
        return 'usages must be server auth, digital signature and at most key encipherment';
      }
      return undefined;
    case API_CLIENT:
      if (!usages.has('client auth') || !only('client auth', 'digital signature', 'key encipherment')) {
        return 'usages must be client auth, digital signature and at most key encipherment';
      }
      return undefined;
    default:
      return undefined;
  }
}

function authUsages({ spec }: CertificateSigningRequest): ('client auth' | 'server auth')[] {
  const usages = spec.usages ?? [];
  return (['client auth', 'server auth'] as const).filter((usage) => usages.includes(usage));
}

function validMs({ spec }: CertificateSigningRequest): number {
  const asked = spec.expirationSeconds === undefined ? DEFAULT_VALID_MS : spec.expirationSeconds * SECOND_MS;
  return Math.min(Math.max(asked, MIN_VALID_MS), DEFAULT_VALID_MS);
}

// ---- writes

function withCondition(
  request: CertificateSigningRequest,
  condition: Omit<SigningRequestCondition, 'status'>,
  nowMs: number,
): CertificateSigningRequest {
  const time = formatTime(nowMs);
  const conditions = [
    ...(request.status?.conditions ?? []),
    { ...condition, status: 'True', lastUpdateTime: time, lastTransitionTime: time },
  ];
  return { ...request, status: { ...request.status, conditions } };
}

function update(object: CertificateSigningRequest, subresource: string): Write {
  return { verb: 'update', resource: resources.certificateSigningRequests, object, subresource };
}

// ---- wiring

export async function runCertificateSigning(
  settings: HousekeepingSettings & {
    readonly signer: CertificateSigner;
    readonly approvals?: readonly AutoApproval[];
  },
): Promise<void> {
  const { client, informers, clock, signer } = settings;
  const approvals = [kubeletApproval, ...(settings.approvals ?? [])];
  const requests = informers.informer(resources.certificateSigningRequests);
  await runController({
    ...settings,
    name: 'csrsigning',
    concurrency: 2,
    sources: [informerSource(requests)],
    async reconcile(key, { signal }) {
      const request = requests.store.get(key);
      if (request === undefined) return done;
      const pem = Buffer.from(request.spec.request, 'base64').toString();
      const subject = await signer.read(pem).catch((error: unknown) => ({ unreadable: String(error) }));
      const approval =
        'unreadable' in subject ? undefined : approvals.find((one) => one.matches(request, subject));
      const allowed =
        approval !== undefined &&
        !('unreadable' in subject) &&
        (await mayAsk(client, request, subject.commonName, approval));
      const nowMs = clock.now();
      const decision = decideSigning({
        request,
        nowMs,
        subject,
        approval: allowed ? approval : undefined,
      });
      const plan = await planOf(decision, request, nowMs, (usages, validFor) =>
        signer.sign(pem, { usages, now: nowMs, validMs: validFor }),
      );
      try {
        return await act(plan, { client, signal });
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return done;
        throw error;
      }
    },
  });
}

async function planOf(
  decision: SigningDecision,
  request: CertificateSigningRequest,
  nowMs: number,
  sign: (usages: readonly ('client auth' | 'server auth')[], validMs: number) => Promise<string>,
): Promise<Plan> {
  switch (decision.do) {
    case 'nothing':
      return {};
    case 'wait':
      return { requeue: { afterMs: decision.afterMs, reason: 'not old yet' } };
    case 'forget': {
      const { name = '', uid = '' } = request.metadata;
      const resource = resources.certificateSigningRequests;
      return { writes: [{ verb: 'delete', resource, key: { name }, preconditions: { uid } }] };
    }
    case 'approve': {
      const condition = { type: 'Approved', reason: 'AutoApproved', message: decision.message };
      return { writes: [update(withCondition(request, condition, nowMs), 'approval')] };
    }
    case 'fail': {
      const condition = { type: 'Failed', reason: 'SignerValidationFailure', message: decision.message };
      return { writes: [update(withCondition(request, condition, nowMs), 'status')] };
    }
    case 'sign': {
      const certificate = Buffer.from(await sign(decision.usages, decision.validMs)).toString('base64');
      return { writes: [update({ ...request, status: { ...request.status, certificate } }, 'status')] };
    }
  }
}

/** COMPAT: one may renew its own certificate by one permission, and a newcomer get its first by another. */
async function mayAsk(
  client: Client,
  { spec }: CertificateSigningRequest,
  commonName: string,
  { permissions }: AutoApproval,
): Promise<boolean> {
  const { own, any } = permissions;
  const subresources = spec.username === commonName ? [own, any] : [any];
  for (const subresource of subresources) {
    const review = await client.create(resources.subjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: spec.username ?? '',
        ...(spec.uid === undefined ? {} : { uid: spec.uid }),
        groups: spec.groups ?? [],
        ...(spec.extra === undefined ? {} : { extra: spec.extra }),
        resourceAttributes: {
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          verb: 'create',
          subresource,
        },
      },
    });
    if ((review['status'] as { readonly allowed?: boolean } | undefined)?.allowed === true) return true;
  }
  return false;
}
