// Turns what sockets, TLS and HTTP throw into ConnectionError, by their codes and never by their texts.
import { errorMessage } from '../../base/index.ts';
import { ConnectionError, type ConnectionFailure } from '../errors.ts';

const kindsByCode = new Map<string, ConnectionFailure>([
  ['ECONNREFUSED', 'refused'],
  ['ENOENT', 'refused'],
  ['ENOTFOUND', 'unreachable'],
  ['EAI_AGAIN', 'unreachable'],
  ['EAI_NODATA', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['EHOSTDOWN', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
  ['ESOCKETTIMEDOUT', 'timeout'],
  ['EPROTO', 'tls'],
  ['HPE_INVALID_CONSTANT', 'protocol'],
  ['HPE_INVALID_HEADER_TOKEN', 'protocol'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['HOSTNAME_MISMATCH', 'tls'],
  ['INVALID_CA', 'tls'],
  ['INVALID_PURPOSE', 'tls'],
  ['PATH_LENGTH_EXCEEDED', 'tls'],
]);

function kindOf(code: string): ConnectionFailure {
  const known = kindsByCode.get(code);
  if (known !== undefined) return known;
  if (/^(CERT_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|CRL_)/.test(code)) return 'tls';
  if (code === 'ERR_HTTP2_ERROR') return 'protocol';
  return 'reset';
}

/** The code that Node puts on its errors; empty without one. */
export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** @param server as it is called in the message, e.g. `https://10.0.0.1:6443` */
export function toConnectionError(error: unknown, server: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const code = codeOf(error);
  const kind = kindOf(code);
  const what: Record<ConnectionFailure, string> = {
    refused: 'refused the connection',
    unreachable: 'cannot be reached',
    timeout: 'does not answer',
    tls: 'cannot be trusted, or does not trust us',
    reset: 'broke the connection',
    protocol: 'does not speak HTTP as expected',
    proxy: 'cannot be reached through the proxy',
    closed: 'is no longer connected',
  };
  // OpenSSL puts its whole stack into the message; the reason alone is for people.
  const reason = (error as { readonly reason?: unknown } | null | undefined)?.reason;
  const why = kind === 'tls' && typeof reason === 'string' ? reason : errorMessage(error);
  return new ConnectionError(kind, `${server} ${what[kind]}: ${why}`, { cause: error });
}
