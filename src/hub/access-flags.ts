// The flags of `navarch up` about access to its API server, under the names that kube-apiserver has for them: reading
// files, checking, and what they come to.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  SIGNING_ALGORITHMS,
  readAuditPolicy,
  readAuthenticationConfiguration,
  readTokenFile,
  type AccessOptions,
  type AuthenticationConfiguration,
} from '../apiserver/index.ts';
import { OperatingError, errorMessage } from '../base/index.ts';

interface AccessFlag {
  readonly name: string;
  readonly value: string;
  readonly help: string;
  readonly default?: string;
  /** May be given several times. */
  readonly repeated?: boolean;
}

const FLAGS: readonly AccessFlag[] = [
  { name: 'token-auth-file', value: '<file>', help: 'file of bearer tokens: lines of token,user,uid,"group1,group2"' },
  { name: 'client-ca-file', value: '<file>', help: 'further authorities whose client certificates are taken' },
  { name: 'anonymous-auth', value: '[bool]', help: 'let requests without credentials in, as system:anonymous', default: 'true' },
  { name: 'enable-bootstrap-token-auth', value: '[bool]', help: 'take secrets of type bootstrap.kubernetes.io/token as tokens', default: 'true' },
  { name: 'authentication-config', value: '<file>', help: 'AuthenticationConfiguration with issuers of JSON web tokens; excludes the oidc flags' },
  { name: 'oidc-issuer-url', value: '<url>', help: 'OpenID Connect issuer whose tokens are taken' },
  { name: 'oidc-client-id', value: '<id>', help: 'whom tokens of that issuer must be meant for' },
  { name: 'oidc-ca-file', value: '<file>', help: 'authority of the issuer\'s certificate; without it those of the system' },
  { name: 'oidc-username-claim', value: '<claim>', help: 'claim with the name of the user', default: 'sub' },
  { name: 'oidc-username-prefix', value: '<prefix>', help: 'what goes before the name; "-" for nothing. Without it the issuer and "#", but for the claim email' },
  { name: 'oidc-groups-claim', value: '<claim>', help: 'claim with the groups of the user' },
  { name: 'oidc-groups-prefix', value: '<prefix>', help: 'what goes before each group' },
  { name: 'oidc-required-claim', value: '<key=value>', help: 'claim that tokens must have; may be repeated', repeated: true },
  { name: 'oidc-signing-algs', value: '<list>', help: 'algorithms that tokens may be signed with', default: 'RS256' },
  { name: 'requestheader-client-ca-file', value: '<file>', help: 'authority of proxies in front of this server, which name users in headers' },
  { name: 'requestheader-allowed-names', value: '<list>', help: 'common names of those proxies; without it any' },
  { name: 'requestheader-username-headers', value: '<list>', help: 'headers with the name of the user', default: 'X-Remote-User' },
  { name: 'requestheader-uid-headers', value: '<list>', help: 'headers with the uid of the user', default: 'X-Remote-Uid' },
  { name: 'requestheader-group-headers', value: '<list>', help: 'headers with groups of the user', default: 'X-Remote-Group' },
  { name: 'requestheader-extra-headers-prefix', value: '<list>', help: 'beginnings of headers with more about the user', default: 'X-Remote-Extra-' },
  { name: 'audit-policy-file', value: '<file>', help: 'audit.k8s.io/v1 Policy that says which requests are logged how; needed for an audit log' },
  { name: 'audit-log-path', value: '<file>', help: 'file of the audit log; "-" for standard output' },
  { name: 'audit-log-maxsize', value: '<MB>', help: 'size at which the file is put aside', default: '100' },
  { name: 'audit-log-maxage', value: '<days>', help: 'how long files that were put aside are kept; 0 for ever', default: '0' },
  { name: 'audit-log-maxbackup', value: '<n>', help: 'how many of them are kept; 0 for all', default: '0' },
  { name: 'audit-log-batch-buffer-size', value: '<n>', help: 'events that may wait to be written before they are dropped', default: '10000' },
  { name: 'max-requests-inflight', value: '<n>', help: 'reading requests that may be under way; the rest waits its turn. The control plane itself is not counted', default: '400' },
  { name: 'max-mutating-requests-inflight', value: '<n>', help: 'changing requests that may be under way; both numbers are shared out by FlowSchemas', default: '200' },
  { name: 'enable-priority-and-fairness', value: '[bool]', help: 'share the API server out by FlowSchemas and PriorityLevelConfigurations', default: 'true' },
]; // prettier-ignore

export function addAccessFlags(command: Command): void {
  for (const { name, value, help, default: standard, repeated } of FLAGS) {
    const text = standard === undefined ? help : `${help} (default "${standard}")`;
    if (repeated === true) {
      const collect = (one: string, before: readonly string[] = []): readonly string[] => [...before, one];
      command.option(`--${name} ${value}`, text, collect);
    } else command.option(`--${name} ${value}`, text);
  }
}

/** What was given on the command line, by the names of flags. */
class Given {
  readonly #flags: Record<string, unknown>;

  constructor(flags: Record<string, unknown>) {
    this.#flags = flags;
  }

  /** Undefined: it was not given and has no default. */
  text(name: string): string | undefined {
    const value = this.#flags[camelCase(name)];
    // A boolean flag without a value means true.
    if (typeof value === 'string' || typeof value === 'boolean') return String(value);
    return FLAGS.find((flag) => flag.name === name)?.default;
  }

  list(name: string): readonly string[] {
    return (this.text(name) ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  }

  integer(name: string): number {
    const text = this.text(name) ?? '';
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw badFlag(name, `must be a whole number from 0, not "${text}"`, 'give another value');
  }

  all(name: string): readonly string[] {
    return (this.#flags[camelCase(name)] as readonly string[] | undefined) ?? [];
  }

  boolean(name: string): boolean {
    const text = this.text(name) ?? '';
    if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
    throw badFlag(name, `is neither true nor false: "${text}"`, `write --${name} or --${name}=false`);
  }

  async file(name: string): Promise<string | undefined> {
    const path = this.text(name);
    if (path === undefined) return undefined;
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw badFlag(name, `names a file that cannot be read: ${errorMessage(error)}`, 'give another file');
    }
  }

  async certificates(name: string): Promise<string | undefined> {
    const text = await this.file(name);
    if (text === undefined || text.includes('-----BEGIN CERTIFICATE-----')) return text;
    throw badFlag(name, 'names a file without a certificate', 'give a file with certificates in PEM');
  }
}

function badFlag(name: string, why: string, nextStep: string): OperatingError {
  return new OperatingError('BAD_FLAG', `--${name} ${why}`, nextStep);
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

type Authentication = NonNullable<AccessOptions['authentication']>;

/** Throws OperatingError that names the flag. */
export async function readAccessFlags(flags: Record<string, unknown>): Promise<AccessOptions> {
  const given = new Given(flags);
  const clientAuthorities = await given.certificates('client-ca-file');
  const audit = await auditOf(given);
  return {
    authentication: await authenticationOf(given),
    ...(clientAuthorities === undefined ? {} : { clientAuthorities }),
    ...(audit === undefined ? {} : { audit }),
    ...limitsOf(given),
  };
}

async function authenticationOf(given: Given): Promise<Authentication> {
  const tokens = await given.file('token-auth-file');
  const text = await given.file('authentication-config');
  const configuration = text === undefined ? undefined : readAuthenticationConfiguration(text);
  const issuer = await oidcIssuer(given);
  if (configuration !== undefined && issuer !== undefined) {
    throw badFlag('authentication-config', 'excludes --oidc-issuer-url', 'put the issuer into the file');
  }
  const frontProxy = await frontProxyOf(given);
  return {
    ...(tokens === undefined ? {} : { staticTokens: readTokenFile(tokens) }),
    anonymous: anonymousOf(given, configuration),
    bootstrapTokens: given.boolean('enable-bootstrap-token-auth'),
    jwtIssuers: configuration?.issuers ?? (issuer === undefined ? [] : [issuer]),
    ...(frontProxy === undefined ? {} : { frontProxy }),
  };
}

function limitsOf(given: Given): Pick<AccessOptions, 'limits'> {
  const maxInFlight =
    given.integer('max-requests-inflight') + given.integer('max-mutating-requests-inflight');
  if (!given.boolean('enable-priority-and-fairness')) return {};
  if (maxInFlight > 0) return { limits: { maxInFlight } };
  throw badFlag('max-requests-inflight', 'and --max-mutating-requests-inflight are both 0', 'let some in');
}

const MEGABYTE = 1024 * 1024;
const DAY_MS = 86_400_000;

async function auditOf(given: Given): Promise<AccessOptions['audit']> {
  const policy = await given.file('audit-policy-file');
  const file = given.text('audit-log-path');
  if (policy === undefined && file === undefined) return undefined;
  if (policy === undefined || file === undefined) {
    throw badFlag('audit-log-path', 'and --audit-policy-file go together', 'give both');
  }
  return {
    policy: readAuditPolicy(policy),
    log: {
      file,
      maxBytes: given.integer('audit-log-maxsize') * MEGABYTE,
      maxAgeMs: given.integer('audit-log-maxage') * DAY_MS,
      maxBackups: given.integer('audit-log-maxbackup'),
      bufferEvents: given.integer('audit-log-batch-buffer-size'),
    },
  };
}

function anonymousOf(
  given: Given,
  configuration: AuthenticationConfiguration | undefined,
): NonNullable<Authentication['anonymous']> {
  const anonymous = configuration?.anonymous;
  if (anonymous === undefined) return given.boolean('anonymous-auth');
  return anonymous.enabled && anonymous.paths !== undefined ? anonymous.paths : anonymous.enabled;
}

type Issuer = NonNullable<Authentication['jwtIssuers']>[number];

async function oidcIssuer(given: Given): Promise<Issuer | undefined> {
  const url = given.text('oidc-issuer-url');
  const clientId = given.text('oidc-client-id');
  if (url === undefined && clientId === undefined) return undefined;
  if (url === undefined || clientId === undefined) {
    throw badFlag('oidc-issuer-url', 'and --oidc-client-id go together', 'give both');
  }
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw badFlag('oidc-issuer-url', `is no https URL: "${url}"`, 'give the URL that tokens have in "iss"');
  }
  const algorithms = given.list('oidc-signing-algs');
  const unknown = algorithms.find((one) => !SIGNING_ALGORITHMS.includes(one));
  if (unknown !== undefined) {
    const choices = SIGNING_ALGORITHMS.join(', ');
    throw badFlag('oidc-signing-algs', `names an unknown algorithm: "${unknown}"`, `choose among ${choices}`);
  }
  const claim = given.text('oidc-username-claim') ?? 'sub';
  const groups = given.text('oidc-groups-claim');
  const certificateAuthority = await given.certificates('oidc-ca-file');
  return {
    url,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    audiences: [clientId],
    algorithms,
    rules: {
      username: { claim, prefix: usernamePrefix(given.text('oidc-username-prefix'), claim, url) },
      ...(groups === undefined
        ? {}
        : { groups: { claim: groups, prefix: given.text('oidc-groups-prefix') ?? '' } }),
      extra: [],
      claimValidation: given.all('oidc-required-claim').map((one) => {
        const equals = one.indexOf('=');
        if (equals <= 0)
          throw badFlag('oidc-required-claim', `is no key=value: "${one}"`, 'write hd=example.com');
        return { claim: one.slice(0, equals), requiredValue: one.slice(equals + 1) };
      }),
      userValidation: [],
    },
  };
}

/** COMPAT: names of several issuers stay apart unless somebody says they need not. */
function usernamePrefix(given: string | undefined, claim: string, url: string): string {
  if (given === '-') return '';
  return given ?? (claim === 'email' ? '' : `${url}#`);
}

async function frontProxyOf(given: Given): Promise<Authentication['frontProxy']> {
  const certificateAuthority = await given.certificates('requestheader-client-ca-file');
  if (certificateAuthority === undefined) return undefined;
  return {
    certificateAuthority,
    allowedNames: given.list('requestheader-allowed-names'),
    usernameHeaders: given.list('requestheader-username-headers'),
    uidHeaders: given.list('requestheader-uid-headers'),
    groupHeaders: given.list('requestheader-group-headers'),
    extraHeaderPrefixes: given.list('requestheader-extra-headers-prefix'),
  };
}
