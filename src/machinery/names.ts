// Kubernetes' rules for names, in its words. Each check returns what is wrong, in order; nothing wrong is an
// empty list. Lengths count bytes, as in Go.
import { byteLength } from './go-text.ts';

type Complaints = readonly string[];
const NONE: Complaints = Object.freeze([]);

const LABEL_1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_1123 = `${LABEL_1123}(\\.${LABEL_1123})*`;
const LABEL_1123_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_1123_UNDERSCORE = `${LABEL_1123_UNDERSCORE}(\\.${LABEL_1123_UNDERSCORE})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;
const ALPHANUMERIC_ENDS = 'and must start and end with an alphanumeric character';
const QUALIFIED_TEXT = `must consist of alphanumeric characters, '-', '_' or '.', ${ALPHANUMERIC_ENDS}`;

const label1123 = whole(LABEL_1123);
const subdomain1123 = whole(SUBDOMAIN_1123);
const subdomain1123Underscore = whole(SUBDOMAIN_1123_UNDERSCORE);
const label1035 = whole(LABEL_1035);
const qualified = whole(QUALIFIED);
const labelValue = whole(LABEL_VALUE);
const wildcard = whole(`\\*\\.${SUBDOMAIN_1123}`);
const configKey = whole('[-._a-zA-Z0-9]+');
const cIdentifier = whole('[A-Za-z_][A-Za-z0-9_]*');
const envName = whole('[-._a-zA-Z][-._a-zA-Z0-9]*');
const headerName = whole('[-A-Za-z0-9]+');
const percent = whole('[0-9]+%');

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

// COMPAT: the rules for label keys and values say bytes, the older ones characters; all count bytes.
type Unit = 'characters' | 'bytes';

export function tooLongComplaint(max: number, unit: Unit = 'characters'): string {
  return `must be no more than ${max} ${unit}`;
}

/** `says (e.g. 'a',  or 'b', regex used for validation is '…')`, odd spacing included. */
export function patternComplaint(says: string, pattern: string, ...examples: readonly string[]): string {
  const shown =
    examples.length === 0 ? '(' : `(e.g. ${examples.map((example) => `'${example}', `).join(' or ')}`;
  return `${says} ${shown}regex used for validation is '${pattern}')`;
}

function check(
  value: string,
  max: number,
  pattern: RegExp,
  complaint: () => string,
  unit: Unit = 'characters',
): Complaints {
  const tooLong = value.length * 3 > max && byteLength(value) > max;
  const matches = pattern.test(value);
  if (!tooLong && matches) return NONE;
  return [...(tooLong ? [tooLongComplaint(max, unit)] : []), ...(matches ? [] : [complaint()])];
}

export function isDns1123Label(value: string): Complaints {
  return check(value, 63, label1123, () =>
    subdomain1123.test(value)
      ? 'must not contain dots'
      : patternComplaint(
          `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${ALPHANUMERIC_ENDS}`,
          LABEL_1123,
          'my-name',
          '123-abc',
        ),
  );
}

export function isDns1123Subdomain(value: string): Complaints {
  return checkSubdomain(value, 'characters');
}

function checkSubdomain(value: string, unit: Unit): Complaints {
  const complaint = (): string =>
    patternComplaint(
      `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${ALPHANUMERIC_ENDS}`,
      SUBDOMAIN_1123,
      'example.com',
    );
  return check(value, 253, subdomain1123, complaint, unit);
}

/** Names that only resolvers are asked for. */
export function isDns1123SubdomainWithUnderscore(value: string): Complaints {
  const complaint = (): string =>
    patternComplaint(
      `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', ${ALPHANUMERIC_ENDS}`,
      SUBDOMAIN_1123_UNDERSCORE,
      'example.com',
    );
  return check(value, 253, subdomain1123Underscore, complaint);
}

export function isDns1035Label(value: string): Complaints {
  return check(value, 63, label1035, () =>
    patternComplaint(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      LABEL_1035,
      'my-name',
      'abc-123',
    ),
  );
}

export function isWildcardDns1123Subdomain(value: string): Complaints {
  return check(value, 253, wildcard, () =>
    patternComplaint(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      `\\*\\.${SUBDOMAIN_1123}`,
      '*.example.com',
    ),
  );
}

// LIMIT: keys that are known to be right; then they are forgotten and gathered anew.
const RIGHT_MAX = 2_000;
// Longer ones are rarely seen twice.
const RIGHT_LENGTH_MAX = 80;
const right = new Set<string>();

/** A label key: an optional DNS subdomain and a slash, then a name. */
export function isQualifiedName(value: string): Complaints {
  // The same few keys stand on all objects.
  if (right.has(value)) return NONE;
  const complaints = complaintsAboutKey(value);
  if (complaints.length === 0 && value.length <= RIGHT_LENGTH_MAX) {
    if (right.size >= RIGHT_MAX) right.clear();
    right.add(value);
  }
  return complaints;
}

function complaintsAboutKey(value: string): Complaints {
  const slash = value.indexOf('/');
  const name = value.slice(slash + 1);
  const describe = (): string => patternComplaint(QUALIFIED_TEXT, QUALIFIED, 'MyName', 'my.name', '123-abc');
  if (name.includes('/')) {
    return [
      `a valid label key ${describe()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const complaints: string[] = [];
  if (slash === 0) complaints.push('prefix part must be non-empty');
  else if (slash > 0) {
    for (const message of checkSubdomain(value.slice(0, slash), 'bytes'))
      complaints.push(`prefix part ${message}`);
  }
  if (name === '') complaints.push('name part must be non-empty');
  else if (byteLength(name) > 63) complaints.push(`name part ${tooLongComplaint(63, 'bytes')}`);
  if (!qualified.test(name)) complaints.push(`name part ${describe()}`);
  return complaints.length === 0 ? NONE : complaints;
}

export function isLabelValue(value: string): Complaints {
  const complaint = (): string =>
    patternComplaint(
      `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${ALPHANUMERIC_ENDS}`,
      LABEL_VALUE,
      'MyValue',
      'my_value',
      '12345',
    );
  return check(value, 63, labelValue, complaint, 'bytes');
}

function pathComplaints(value: string): Complaints {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : NONE;
}

/** A key of a ConfigMap or Secret. */
export function isConfigMapKey(value: string): Complaints {
  const complaints = check(value, 253, configKey, () =>
    patternComplaint(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      '[-._a-zA-Z0-9]+',
      'key.name',
      'KEY_NAME',
      'key-name',
    ),
  );
  return [...complaints, ...pathComplaints(value)];
}

/** The relaxed rule that is the default since 1.34: printable ASCII without `=`. */
export function isRelaxedEnvVarName(value: string): Complaints {
  if (value === '') return ['environment variable name must be non-empty'];
  return /^[ -<>-~]*$/.test(value)
    ? NONE
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function isEnvVarName(value: string): Complaints {
  const complaints = envName.test(value)
    ? NONE
    : [
        patternComplaint(
          "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
          '[-._a-zA-Z][-._a-zA-Z0-9]*',
          'my.env-name',
          'MY_ENV.NAME',
          'MyEnvName1',
        ),
      ];
  return [...complaints, ...pathComplaints(value)];
}

export function isCIdentifier(value: string): Complaints {
  return cIdentifier.test(value)
    ? NONE
    : [
        patternComplaint(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          '[A-Za-z_][A-Za-z0-9_]*',
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];
}

export function isHttpHeaderName(value: string): Complaints {
  return headerName.test(value)
    ? NONE
    : [
        patternComplaint(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          '[-A-Za-z0-9]+',
          'X-Header-Name',
        ),
      ];
}

export function isPercent(value: string): Complaints {
  return percent.test(value)
    ? NONE
    : [
        patternComplaint(
          "a valid percent string must be a numeric string followed by an ending '%'",
          '[0-9]+%',
          '1%',
          '93%',
        ),
      ];
}

export function isInRange(value: number, min: number, max: number): Complaints {
  return value >= min && value <= max ? NONE : [`must be between ${min} and ${max}, inclusive`];
}

export function isPortNumber(value: number): Complaints {
  return isInRange(value, 1, 65535);
}

export function isPortName(value: string): Complaints {
  const complaints: string[] = [];
  if (value.length > 15) complaints.push(tooLongComplaint(15));
  if (!/^[-a-z0-9]+$/.test(value)) {
    complaints.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) complaints.push('must contain at least one letter (a-z)');
  if (value.includes('--')) complaints.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) {
    complaints.push('must not begin or end with a hyphen');
  }
  return complaints.length === 0 ? NONE : complaints;
}

/** How a kind's names are checked. `prefix`: the value is a generateName, so a trailing dash is fine. */
export type NameRule = (name: string, prefix: boolean) => Complaints;

/** COMPAT: upstream drops two characters and adds one before it looks at a generateName. */
function maskTrailingDash(name: string, prefix: boolean): string {
  return prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

export const nameIsDnsSubdomain: NameRule = (name, prefix) =>
  isDns1123Subdomain(maskTrailingDash(name, prefix));
export const nameIsDnsLabel: NameRule = (name, prefix) => isDns1123Label(maskTrailingDash(name, prefix));
export const nameIsDns1035Label: NameRule = (name, prefix) => isDns1035Label(maskTrailingDash(name, prefix));

/** For kinds whose names are only segments of a URL path (RBAC and others). */
export const nameIsPathSegment: NameRule = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%']
    .filter((character) => name.includes(character))
    .map((found) => `may not contain '${found}'`);
};
