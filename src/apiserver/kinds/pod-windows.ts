// As whom containers run on Windows, and which of them run on the machine itself. The words and the order are
// kube-apiserver's.
import type { PodSpec, WindowsSecurityContextOptions } from '../../api/index.ts';
import { byteLength, fieldError, isDns1123Subdomain, type FieldError } from '../../machinery/index.ts';
import { named } from './checks.ts';

// LIMIT: as upstream.
const CREDENTIAL_KIB = 64;
const DOMAIN_MAX = 256;
const USER_MAX = 104;

const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const DNS = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

function domainComplaints(domain: string): string[] {
  return [
    ...(byteLength(domain) >= DOMAIN_MAX
      ? [`runAsUserName's Domain length must be under ${DOMAIN_MAX} characters`]
      : []),
    ...(NET_BIOS.test(domain) || DNS.test(domain)
      ? []
      : ["runAsUserName's Domain doesn't match the NetBios nor the DNS format"]),
  ];
}

function userComplaints(user: string): string[] {
  const complaints: string[] = [];
  if (user === '') complaints.push("runAsUserName's User cannot be empty");
  if (byteLength(user) > USER_MAX) {
    complaints.push(`runAsUserName's User length must not be longer than ${USER_MAX} characters`);
  }
  if (/^[. ]+$/.test(user)) complaints.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    complaints.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return complaints;
}

function accountComplaints(account: string): string[] {
  if (account === '') return ['runAsUserName cannot be an empty string'];
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(account)) return ['runAsUserName cannot contain control characters'];
  const parts = account.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const domain = parts.length === 2 ? domainComplaints(parts[0] ?? '') : [];
  return [...domain, ...userComplaints(parts.at(-1) ?? '')];
}

function credentialComplaints(credential: string): string[] {
  if (credential === '') return ['gmsaCredentialSpec cannot be an empty string'];
  return byteLength(credential) > CREDENTIAL_KIB * 1024
    ? [`gmsaCredentialSpec size must be under ${CREDENTIAL_KIB} KiB`]
    : [];
}

export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  at: string,
): FieldError[] {
  const {
    gmsaCredentialSpecName: name,
    gmsaCredentialSpec: credential,
    runAsUserName: account,
  } = options ?? {};
  return [
    ...(name === undefined ? [] : named(isDns1123Subdomain(name), name, `${at}.gmsaCredentialSpecName`)),
    ...(credential === undefined
      ? []
      : named(credentialComplaints(credential), credential, `${at}.gmsaCredentialSpec`)),
    ...(account === undefined ? [] : named(accountComplaints(account), account, `${at}.runAsUserName`)),
  ];
}

/** Containers that run on the machine itself: all of a pod or none, and in its network. */
export function validateHostProcesses(spec: PodSpec, path: string): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const errors: FieldError[] = [];
  const all = (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((kind) =>
    (spec[kind] ?? []).map(({ securityContext }, i) => {
      const own = securityContext?.windowsOptions?.hostProcess;
      if (ofPod !== undefined && own !== undefined && own !== ofPod) {
        const why = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
        const at = `${path}.${kind}[${i}].securityContext.windowsOptions.hostProcess`;
        errors.push(fieldError.invalid(at, own, why));
      }
      return own ?? ofPod ?? false;
    }),
  );
  if (!all.includes(true)) return errors;
  if (all.includes(false)) {
    const why =
      'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(fieldError.invalid(path, '', why));
  }
  if (spec.hostNetwork !== true) {
    const why = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(fieldError.invalid(`${path}.hostNetwork`, false, why));
  }
  return errors;
}
