// What goes wrong on the way to a webhook, in the words of Go's HTTP client: operators search for these.
import { errorMessage } from '../../base/index.ts';

interface SystemError {
  readonly code?: string;
  readonly cause?: unknown;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly errors?: readonly unknown[];
}

const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

const UNVERIFIED = 'tls: failed to verify certificate: x509: ';
const CERTIFICATE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `${UNVERIFIED}certificate signed by unknown authority`,
  SELF_SIGNED_CERT_IN_CHAIN: `${UNVERIFIED}certificate signed by unknown authority`,
  UNABLE_TO_GET_ISSUER_CERT: `${UNVERIFIED}certificate signed by unknown authority`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `${UNVERIFIED}certificate signed by unknown authority`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${UNVERIFIED}certificate signed by unknown authority`,
  CERT_SIGNATURE_FAILURE: `${UNVERIFIED}certificate signed by unknown authority`,
  CERT_HAS_EXPIRED: `${UNVERIFIED}certificate has expired or is not yet valid`,
  CERT_NOT_YET_VALID: `${UNVERIFIED}certificate has expired or is not yet valid`,
};

const CLOSED = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** `host` and `port` are where the connection was to go. */
export function goFailure(error: unknown, host: string, port: number): string {
  const failure = innermost(error);
  const { code = '', address = host, hostname = host } = failure;
  if (Object.hasOwn(SYSTEM, code))
    return `dial tcp ${authority(address, failure.port ?? port)}: ${SYSTEM[code]}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`;
  if (Object.hasOwn(CERTIFICATE, code)) return CERTIFICATE[code]!;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${UNVERIFIED}certificate is not valid for ${host}`;
  if (CLOSED.has(code)) return 'EOF';
  if (code.startsWith('ERR_SSL')) return `tls: ${errorMessage(error)}`;
  return errorMessage(error);
}

function innermost(error: unknown): SystemError {
  let found = (typeof error === 'object' && error !== null ? error : {}) as SystemError;
  // LIMIT: causes of causes; errors of network calls are two deep.
  for (let depth = 0; depth < 4; depth++) {
    const next = found.errors?.[0] ?? (found.code === undefined ? found.cause : undefined);
    if (typeof next !== 'object' || next === null) break;
    found = next;
  }
  return found;
}

export function authority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
