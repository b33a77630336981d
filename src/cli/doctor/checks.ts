// What `doctor` looks at. Each check answers findings and throws nothing: a check that cannot be made is a finding too.
import { X509Certificate } from 'node:crypto';
import { access, readdir, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import type { Cluster, KubeObject } from '../../api/index.ts';
import { errorMessage, systemClock } from '../../base/index.ts';
import { ConnectionError, kinds, resource } from '../../client/index.ts';
import { formatShortDuration, StatusError } from '../../machinery/index.ts';
import type { Session } from '../objects/index.ts';

export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do; absent when nothing is wrong. */
  readonly advice?: string;
}

type Check = (session: Session) => Promise<readonly Finding[]>;

const DAY_MS = 24 * 3600 * 1000;
const CERTIFICATE_WARN_MS = 30 * DAY_MS;
const CLOCK_WARN_MS = 2000;
const CLOCK_FAIL_MS = 30_000;
const SLOW_MS = 500;
const DISK_WARN = 0.1;
const DISK_FAIL_BYTES = 256 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 3000;
/** Minor versions that a member may be away from the control plane. */
const SKEW_MAX = 6;

function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail };
}

function bad(status: 'warn' | 'fail', check: string, detail: string, advice: string): Finding {
  return { check, status, detail, advice };
}

/** Runs a check; its failure is a finding of its own. */
function guarded(check: string, look: (session: Session) => Promise<readonly Finding[]>): Check {
  return async (session) => {
    try {
      return await look(session);
    } catch (error) {
      return [
        bad(
          'fail',
          check,
          errorMessage(error),
          'see that you may read what this check needs, and look at the log of the control plane',
        ),
      ];
    }
  };
}

function connectionAdvice(error: unknown): string {
  if (error instanceof StatusError && error.code === 401)
    return 'the control plane runs but does not know your credentials: renew those in the kubeconfig, or name another kubeconfig with --kubeconfig';
  if (error instanceof ConnectionError && error.kind !== 'refused') return error.nextStep;
  return 'start the control plane, or name another kubeconfig with --kubeconfig';
}

export async function checkConnection(session: Session): Promise<Finding> {
  const { server } = session.settings;
  const started = performance.now();
  try {
    const version = (await session.client.request({ method: 'GET', path: '/version' })) as {
      readonly gitVersion?: string;
    };
    const tookMs = performance.now() - started;
    const detail = `${server} answers in ${tookMs.toFixed(0)} ms, ${version.gitVersion ?? 'unknown version'}`;
    return tookMs > SLOW_MS
      ? bad(
          'warn',
          'connection',
          detail,
          'look at the network between here and there, and at the load of the control plane',
        )
      : ok('connection', detail);
  } catch (error) {
    const message = errorMessage(error);
    return bad(
      'fail',
      'connection',
      message.includes(server) ? message : `${server}: ${message}`,
      connectionAdvice(error),
    );
  }
}

const checkHealth = guarded('health', async ({ client }) => {
  const { status, body } = await client.transport.send({
    method: 'GET',
    path: '/readyz',
    query: { verbose: '' },
  });
  const failing = (typeof body === 'string' ? body : '').split('\n').filter((line) => line.startsWith('[-]'));
  if (status === 200) return [ok('health', 'ready')];
  return [
    bad(
      'fail',
      'health',
      failing.join('; ') || `not ready (${status})`,
      'look at the log of the control plane for what is named',
    ),
  ];
});

/** A write that is asked for and not carried out goes the whole way but for the disk; a Lease goes onto it. */
const checkStore = guarded('store', async ({ client }) => {
  const name = `navarch-doctor-${Date.now().toString(36)}`;
  const key = { namespace: 'kube-system', name };
  const started = performance.now();
  await client.create(kinds.leases, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: key,
    spec: {},
  });
  const tookMs = performance.now() - started;
  await client.delete(kinds.leases, key);
  const detail = `a write is durable after ${tookMs.toFixed(0)} ms`;
  if (tookMs <= SLOW_MS) return [ok('store', detail)];
  return [
    bad('warn', 'store', detail, 'put the data directory on a faster disk, and look what else writes to it'),
  ];
});

const checkClock = guarded('clock', async ({ client }) => {
  const before = systemClock.now();
  const { headers } = await client.transport.send({ method: 'GET', path: '/version' });
  const date = headers?.['date'];
  const there = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(there))
    return [bad('warn', 'clock', 'the server does not tell its time', 'compare the clocks of both machines')];
  // The header has whole seconds.
  const awayMs = Math.max(0, Math.abs(there - (before + systemClock.now()) / 2) - 1000);
  const detail =
    awayMs === 0 ? 'in step with this machine' : `${(awayMs / 1000).toFixed(1)} s away from this machine`;
  if (awayMs < CLOCK_WARN_MS) return [ok('clock', detail)];
  const status = awayMs < CLOCK_FAIL_MS ? 'warn' : 'fail';
  return [
    bad(
      status,
      'clock',
      detail,
      'let both machines follow a time server; certificates, leases and tolerations depend on it',
    ),
  ];
});

const checkCertificates = guarded('certificates', async ({ settings }) => {
  const findings: Finding[] = [];
  const url = new URL(settings.server);
  if (url.protocol === 'https:') {
    const served = await servedCertificate(url, settings.ca);
    if (served !== undefined) findings.push(expiry('the certificate of the server', served));
  }
  for (const pem of pemCertificates(settings.ca ?? ''))
    findings.push(expiry('the certificate authority', new X509Certificate(pem)));
  const own = settings.clientCert ?? (await settings.credentials?.get())?.certificate?.cert;
  if (own !== undefined) findings.push(expiry('your certificate', new X509Certificate(own)));
  return findings;
});

function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function servedCertificate(url: URL, ca: string | undefined): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const socket = tls.connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 443),
      ...(ca === undefined ? {} : { ca }),
      // Only looked at: whether it is trusted has been seen by the connection.
      rejectUnauthorized: false,
      timeout: CONNECT_TIMEOUT_MS,
    });
    const end = (certificate: X509Certificate | undefined): void => {
      socket.destroy();
      resolve(certificate);
    };
    socket.once('secureConnect', () => end(socket.getPeerX509Certificate()));
    socket.once('error', () => end(undefined));
    socket.once('timeout', () => end(undefined));
  });
}

function expiry(what: string, certificate: X509Certificate): Finding {
  const leftMs = Date.parse(certificate.validTo) - systemClock.now();
  if (leftMs <= 0)
    return bad(
      'fail',
      'certificates',
      `${what} has expired on ${certificate.validTo}`,
      'start the control plane again, which renews its certificates, and take the new kubeconfig',
    );
  const detail = `${what} is valid for ${formatShortDuration(leftMs)}`;
  if (leftMs > CERTIFICATE_WARN_MS) return ok('certificates', detail);
  return bad(
    'warn',
    'certificates',
    detail,
    'renew it before it expires; the control plane renews its own while it runs',
  );
}

function minorOf(version: string | undefined): number | undefined {
  const found = /^v?1\.(\d+)/.exec(version ?? '');
  return found === null ? undefined : Number(found[1]);
}

const checkMembers = guarded('members', async ({ client }) => {
  const [{ items }, version] = await Promise.all([
    client.listAll<Cluster>(kinds.clusters),
    client.request({ method: 'GET', path: '/version' }) as Promise<{ readonly gitVersion?: string }>,
  ]);
  if (items.length === 0)
    return [
      bad(
        'warn',
        'members',
        'no cluster is registered',
        'join one: navarch join NAME --cluster-kubeconfig FILE',
      ),
    ];
  const hubMinor = minorOf(version.gitVersion);
  const findings = items.flatMap((cluster) => memberFindings(cluster, hubMinor));
  const fine = items.length - new Set(findings.map(({ check }) => check)).size;
  return [...(fine > 0 ? [ok('members', `${fine} of ${items.length} are ready`)] : []), ...findings];
});

function memberFindings(
  { metadata, spec, status }: Cluster,
  hubMinor: number | undefined,
): readonly Finding[] {
  const name = metadata.name ?? '';
  const check = `member ${name}`;
  const findings: Finding[] = [];
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (metadata.deletionTimestamp !== undefined)
    findings.push(
      bad(
        'warn',
        check,
        `is leaving since ${metadata.deletionTimestamp}`,
        `look at what is left in namespace karmada-es-${name}; "navarch unjoin ${name} --force" drops it`,
      ),
    );
  if (ready?.status !== 'True') {
    const why =
      ready === undefined ? 'has not reported yet' : `is not ready: ${ready.reason}, ${ready.message}`;
    const step =
      spec.syncMode === 'Pull'
        ? 'see that its agent runs and reaches the control plane'
        : `see that ${spec.apiEndpoint ?? 'its API server'} can be reached from the control plane, and that the token in its secret is still good`;
    findings.push(bad('fail', check, why, step));
  }
  const minor = minorOf(status?.kubernetesVersion);
  if (minor !== undefined && hubMinor !== undefined && Math.abs(minor - hubMinor) > SKEW_MAX)
    findings.push(
      bad(
        'warn',
        check,
        `runs ${status?.kubernetesVersion ?? ''}, far from the 1.${hubMinor} of the control plane`,
        'upgrade it; kinds of newer versions do not reach it',
      ),
    );
  if (spec.insecureSkipTLSVerification === true)
    findings.push(
      bad('warn', check, 'its certificate is not verified', 'join it again with its certificate authority'),
    );
  const taints = (spec.taints ?? []).filter(({ key }) => key === 'cluster.karmada.io/unschedulable');
  if (taints.length > 0)
    findings.push(
      bad('warn', check, 'is cordoned', `"navarch uncordon ${name}" when it is to be used again`),
    );
  return findings;
}

const WEBHOOK_KINDS = [
  resource({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'validatingwebhookconfigurations',
    namespaced: false,
  }),
  resource({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'mutatingwebhookconfigurations',
    namespaced: false,
  }),
  resource({
    group: 'config.karmada.io',
    version: 'v1alpha1',
    resource: 'resourceinterpreterwebhookconfigurations',
    namespaced: false,
  }),
];

interface Webhook {
  readonly name: string;
  readonly clientConfig?: { readonly url?: string };
  readonly failurePolicy?: string;
}

const checkWebhooks = guarded('webhooks', async ({ client }) => {
  const configurations = (
    await Promise.all(WEBHOOK_KINDS.map((kind) => client.listAll<KubeObject>(kind)))
  ).flatMap(({ items }) => items);
  const webhooks = configurations.flatMap((one) => (one['webhooks'] as readonly Webhook[] | undefined) ?? []);
  if (webhooks.length === 0) return [ok('webhooks', 'none are registered')];
  const findings = await Promise.all(webhooks.map(webhookFinding));
  return findings;
});

async function webhookFinding({ name, clientConfig, failurePolicy }: Webhook): Promise<Finding> {
  const check = `webhook ${name}`;
  const url = clientConfig?.url;
  if (url === undefined) return ok(check, 'is a Service, which only the control plane can reach');
  const { hostname, port } = new URL(url);
  const reached = await connects(hostname, Number(port || 443));
  if (reached === undefined) return ok(check, `${url} can be reached from here`);
  // With Ignore, requests pass without it.
  const status = failurePolicy === 'Ignore' ? 'warn' : 'fail';
  return bad(
    status,
    check,
    `${url} cannot be reached from here: ${reached}`,
    'start what serves it, or remove its configuration: until then matching requests fail',
  );
}

/** What hinders a connection; undefined: nothing. */
function connects(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false, timeout: CONNECT_TIMEOUT_MS });
    const end = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once('secureConnect', () => end(undefined));
    socket.once('error', (error) => end(error.message));
    socket.once('timeout', () => end('no answer'));
  });
}

const checkApiServices = guarded('API services', async ({ client }) => {
  const kind = resource({
    group: 'apiregistration.k8s.io',
    version: 'v1',
    resource: 'apiservices',
    namespaced: false,
  });
  const { items } = await client.listAll<KubeObject>(kind);
  const down = items.filter((one) => {
    const conditions = (
      one['status'] as
        | { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
        | undefined
    )?.conditions;
    return conditions?.some(({ type, status }) => type === 'Available' && status === 'False') === true;
  });
  if (down.length === 0) return [ok('API services', `${items.length} are available`)];
  return down.map(({ metadata }) =>
    bad(
      'fail',
      'API services',
      `${metadata.name ?? ''} is not available`,
      'start what serves it, or remove the APIService: deleting namespaces waits for it',
    ),
  );
});

export const CHECKS: readonly Check[] = [
  checkHealth,
  checkStore,
  checkClock,
  checkCertificates,
  checkMembers,
  checkWebhooks,
  checkApiServices,
];

/** What can be seen in a data directory without opening the store, which its control plane holds. */
export async function checkDirectory(directory: string): Promise<readonly Finding[]> {
  const file = path.join(directory, 'store', 'store.db');
  try {
    await access(file);
  } catch {
    return [
      bad(
        'fail',
        'data directory',
        `there is no control plane in ${directory}`,
        'name the directory that "navarch up" was given as --data-dir',
      ),
    ];
  }
  const findings: Finding[] = [];
  const disk = await statfs(directory);
  const free = disk.bavail * disk.bsize;
  const share = disk.bavail / disk.blocks;
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free (${(share * 100).toFixed(0)} %)`;
  if (free < DISK_FAIL_BYTES)
    findings.push(bad('fail', 'disk', detail, 'make room: writes fail when the disk is full'));
  else if (share < DISK_WARN) findings.push(bad('warn', 'disk', detail, 'make room before the disk is full'));
  else findings.push(ok('disk', detail));
  const pki = path.join(directory, 'pki');
  for (const name of (await readdir(pki)).filter((one) => one.endsWith('.crt')).sort())
    for (const pem of pemCertificates(await readFile(path.join(pki, name), 'utf8')))
      findings.push(expiry(`the certificate pki/${name}`, new X509Certificate(pem)));
  return findings;
}
