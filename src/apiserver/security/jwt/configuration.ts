// An AuthenticationConfiguration file (apiserver.config.k8s.io), as kube-apiserver's --authentication-config takes it.
import { OperatingError, errorMessage } from '../../../base/index.ts';
import { parseYaml } from '../../listen/yaml.ts';
import type { JwtIssuer } from './authenticator.ts';
import { compileClaimRules, type ClaimOrExpression, type ClaimRules } from './claims.ts';

export interface AuthenticationConfiguration {
  readonly issuers: readonly JwtIssuer[];
  /** Undefined: the file says nothing about requests without credentials. */
  readonly anonymous:
    | { readonly enabled: boolean; readonly paths: readonly string[] | undefined }
    | undefined;
}

interface Mapping {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

interface Jwt {
  readonly issuer?: {
    readonly url?: string;
    readonly discoveryURL?: string;
    readonly certificateAuthority?: string;
    readonly audiences?: readonly string[];
    readonly audienceMatchPolicy?: string;
  };
  readonly claimValidationRules?: readonly {
    readonly claim?: string;
    readonly requiredValue?: string;
    readonly expression?: string;
    readonly message?: string;
  }[];
  readonly claimMappings?: {
    readonly username?: Mapping;
    readonly groups?: Mapping;
    readonly uid?: Mapping;
    readonly extra?: readonly { readonly key?: string; readonly valueExpression?: string }[];
  };
  readonly userValidationRules?: readonly { readonly expression?: string; readonly message?: string }[];
}

interface File {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly jwt?: readonly Jwt[];
  readonly anonymous?: {
    readonly enabled?: boolean;
    readonly conditions?: readonly { readonly path?: string }[];
  };
}

const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`);
// LIMIT: as upstream.
const MAX_ISSUERS = 64;
// COMPAT: every signature with a public key that JSON web tokens know.
export const SIGNING_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
];

/** Throws OperatingError BAD_AUTHENTICATION_CONFIG that names the field. */
export function readAuthenticationConfiguration(text: string): AuthenticationConfiguration {
  let file: File;
  try {
    file = parseYaml(text) ?? {};
  } catch (error) {
    throw refuse('', errorMessage(error));
  }
  if (file.kind !== 'AuthenticationConfiguration' || !VERSIONS.includes(file.apiVersion ?? '')) {
    throw refuse('kind', `it is no AuthenticationConfiguration of ${VERSIONS[0]}`);
  }
  const { jwt = [], anonymous } = file;
  if (jwt.length > MAX_ISSUERS) throw refuse('jwt', `at most ${MAX_ISSUERS} issuers can be given`);
  const issuers = jwt.map((one, index) => issuerOf(one, `jwt[${index}]`));
  const twice = issuers.find(({ url }, index) => issuers.findIndex((one) => one.url === url) < index);
  if (twice !== undefined) throw refuse('jwt', `the issuer ${twice.url} is given twice`);
  return {
    issuers,
    anonymous:
      anonymous === undefined
        ? undefined
        : {
            enabled: anonymous.enabled === true,
            paths: anonymous.conditions?.map(({ path }, index) =>
              required(path, `anonymous.conditions[${index}].path`),
            ),
          },
  };
}

function refuse(field: string, why: string): OperatingError {
  const at = field === '' ? '' : ` at ${field}`;
  return new OperatingError(
    'BAD_AUTHENTICATION_CONFIG',
    `the authentication configuration cannot be used${at}: ${why}`,
    'mend the file that --authentication-config names',
  );
}

function required(value: string | undefined, field: string): string {
  if (typeof value !== 'string' || value === '') throw refuse(field, 'it must be given');
  return value;
}

function issuerOf(jwt: Jwt, at: string): JwtIssuer {
  const { issuer = {} } = jwt;
  const url = required(issuer.url, `${at}.issuer.url`);
  for (const [field, value] of [
    ['url', url],
    ['discoveryURL', issuer.discoveryURL],
  ] as const) {
    if (value !== undefined && !isHttps(value))
      throw refuse(`${at}.issuer.${field}`, 'it must be an https URL');
  }
  const { audiences = [] } = issuer;
  if (audiences.length === 0) throw refuse(`${at}.issuer.audiences`, 'at least one must be given');
  if (audiences.length > 1 && issuer.audienceMatchPolicy !== 'MatchAny') {
    throw refuse(`${at}.issuer.audienceMatchPolicy`, 'it must be MatchAny when there are several audiences');
  }
  const rules = rulesOf(jwt, at);
  try {
    compileClaimRules(rules);
  } catch (error) {
    throw refuse(at, errorMessage(error));
  }
  return {
    url,
    ...(issuer.discoveryURL === undefined ? {} : { discoveryUrl: issuer.discoveryURL }),
    ...(issuer.certificateAuthority === undefined
      ? {}
      : { certificateAuthority: issuer.certificateAuthority }),
    audiences,
    algorithms: SIGNING_ALGORITHMS,
    rules,
  };
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:';
}

function rulesOf(
  { claimMappings = {}, claimValidationRules = [], userValidationRules = [] }: Jwt,
  at: string,
): ClaimRules {
  const { username, groups, uid, extra = [] } = claimMappings;
  const mappings = `${at}.claimMappings`;
  const name = mappingOf(username, `${mappings}.username`);
  if (name === undefined) throw refuse(`${mappings}.username`, 'claim or expression must be given');
  const group = mappingOf(groups, `${mappings}.groups`);
  const id = mappingOf(uid, `${mappings}.uid`);
  return {
    username: name,
    ...(group === undefined ? {} : { groups: group }),
    ...(id === undefined ? {} : { uid: id }),
    extra: extra.map(({ key, valueExpression }, index) => ({
      key: required(key, `${mappings}.extra[${index}].key`),
      valueExpression: required(valueExpression, `${mappings}.extra[${index}].valueExpression`),
    })),
    claimValidation: claimValidationRules.map(({ claim, requiredValue, expression, message }, index) => {
      const field = `${at}.claimValidationRules[${index}]`;
      if (claim !== undefined && expression !== undefined)
        throw refuse(field, 'claim and expression exclude each other');
      if (claim !== undefined) return { claim, requiredValue: requiredValue ?? '' };
      return {
        expression: required(expression, `${field}.expression`),
        ...(message === undefined ? {} : { message }),
      };
    }),
    userValidation: userValidationRules.map(({ expression, message }, index) => ({
      expression: required(expression, `${at}.userValidationRules[${index}].expression`),
      ...(message === undefined ? {} : { message }),
    })),
  };
}

function mappingOf(mapping: Mapping | undefined, field: string): ClaimOrExpression | undefined {
  if (mapping === undefined) return undefined;
  const { claim, prefix, expression } = mapping;
  if (claim !== undefined && expression !== undefined) {
    throw refuse(field, 'claim and expression exclude each other');
  }
  if (expression !== undefined) return { expression };
  return claim === undefined ? undefined : { claim, ...(prefix === undefined ? {} : { prefix }) };
}
