// The certificate by which an agent is known to the control plane is renewed before it runs out. It is kept in a Secret of
// the member, which is mounted into the agent; the agent reads it again by itself.
// INVARIANT: the old certificate stays until the new one is stored, so an agent that dies in between has a good one.
import { X509Certificate } from 'node:crypto';
import type { Secret } from '../api/index.ts';
import { errorMessage, sleep, type Clock, type Logger } from '../base/index.ts';
import { AGENT_SECRET, randomSuffix, requestIdentity } from '../cli/index.ts';
import { formatYaml, kinds, parseYaml, type Client, type Resource } from '../client/index.ts';

const secrets = kinds.secrets as Resource<Secret>;

/** On the Secret: for how many seconds a certificate is asked for. */
const LIFE_ANNOTATION = 'navarch.io/certificate-life-seconds';

export interface CertificateRenewal {
  readonly cluster: string;
  /** Of the Secret in the member. */
  readonly namespace: string;
  /** It is renewed when no more than this share of its life is left. */
  readonly threshold: number;
  readonly hubClient: Client;
  readonly memberClient: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Kubeconfig {
  readonly users?: readonly {
    readonly name?: string;
    readonly user?: Readonly<Record<string, string>>;
  }[];
}

export type RenewalOutcome = 'renewed' | 'not due' | 'no secret';

/** Looks every `everyMs` until the signal aborts. What fails is tried again then. */
export async function keepCertificate(
  renewal: CertificateRenewal,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = renewal;
  while (!signal.aborted) {
    try {
      await renewCertificate(renewal);
    } catch (error) {
      logger.warn('The certificate could not be renewed', { error: errorMessage(error) });
    }
    await sleep(clock, everyMs, signal).catch(() => undefined);
  }
}

/** One look. Throws when the control plane does not sign, or the Secret cannot be written. */
export async function renewCertificate(renewal: CertificateRenewal): Promise<RenewalOutcome> {
  const { cluster, namespace, threshold, hubClient, memberClient, clock, logger } = renewal;
  const secret = await memberClient.find(secrets, { namespace, name: AGENT_SECRET });
  // A kubeconfig that stands in a file belongs to who wrote it.
  if (secret === undefined) return 'no secret';
  const content = parseYaml(decoded(secret.data?.[AGENT_SECRET])) as Kubeconfig | undefined;
  const [first, ...others] = content?.users ?? [];
  const certificate = new X509Certificate(decoded(first?.user?.['client-certificate-data']));
  const from = certificate.validFromDate.getTime();
  const to = certificate.validToDate.getTime();
  if (!isDue({ from, to }, clock.now(), threshold)) return 'not due';
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? `system:karmada:agent:${cluster}`;
  // A signer may let it begin earlier than it was asked for; without a note each would live longer than the one before.
  const noted = Number(secret.metadata.annotations?.[LIFE_ANNOTATION]);
  const lifeSeconds = noted > 0 ? noted : Math.round((to - from) / 1000);
  const identity = await requestIdentity(hubClient, `${cluster}-${randomSuffix()}`, commonName, lifeSeconds);
  const user = {
    ...first?.user,
    'client-certificate-data': encoded(identity.certificate),
    'client-key-data': encoded(identity.key),
  };
  const next = formatYaml({ ...content, users: [{ ...first, user }, ...others] });
  const { metadata, data } = secret;
  const annotations = { ...metadata.annotations, [LIFE_ANNOTATION]: String(lifeSeconds) };
  await memberClient.update(secrets, {
    ...secret,
    metadata: { ...metadata, annotations },
    data: { ...data, [AGENT_SECRET]: encoded(next) },
  });
  logger.info('The certificate has been renewed', { request: identity.requestName });
  return 'renewed';
}

/** Times in milliseconds since the Unix epoch. */
export function isDue(
  { from, to }: { readonly from: number; readonly to: number },
  nowMs: number,
  threshold: number,
): boolean {
  return (to - nowMs) / (to - from) <= threshold;
}

function decoded(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8');
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}
