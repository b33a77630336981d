import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  goQuote,
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPortName,
  isQualifiedName,
  isRelaxedEnvVarName,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
} from './index.ts';

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const cases: [name: string, actual: readonly string[], expected: readonly string[]][] = [
  ['a plain label', isDns1123Label('a-1'), []],
  ['an empty label', isDns1123Label(''), [LABEL]],
  ['a label with an underscore', isDns1123Label('a_b'), [LABEL]],
  ['a label with a dot', isDns1123Label('a.b'), ['must not contain dots']],
  ['a label of 63 characters', isDns1123Label('a'.repeat(63)), []],
  ['a label of 64 characters', isDns1123Label('a'.repeat(64)), ['must be no more than 63 characters']],
  [
    'a label of 22 characters that are three bytes each',
    isDns1123Label('€'.repeat(22)),
    ['must be no more than 63 characters', LABEL],
  ],
  ['a label with a line feed at its end', isDns1123Label('a\n'), [LABEL]],
  ['a subdomain', isDns1123Subdomain('a.b-c.d'), []],
  ['a subdomain in upper case', isDns1123Subdomain('Bad_Name'), [SUBDOMAIN]],
  [
    'a subdomain of 254 characters',
    isDns1123Subdomain('a'.repeat(254)),
    ['must be no more than 253 characters'],
  ],
  [
    'a 1035 label that starts with a digit',
    isDns1035Label('1a'),
    [
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  ['a label key without prefix', isQualifiedName('My_name.1'), []],
  ['a label key with prefix', isQualifiedName('example.com/name'), []],
  ['a label key with a blank', isQualifiedName('bad key'), [`name part ${QUALIFIED}`]],
  ['a label key with an empty prefix', isQualifiedName('/a'), ['prefix part must be non-empty']],
  [
    'a label key with an empty name',
    isQualifiedName('a.b/'),
    ['name part must be non-empty', `name part ${QUALIFIED}`],
  ],
  ['a label key with a bad prefix', isQualifiedName('A/b'), [`prefix part ${SUBDOMAIN}`]],
  [
    'a label key with two slashes',
    isQualifiedName('a/b/c'),
    [
      `a valid label key ${QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
  ],
  [
    'a label key that is too long',
    isQualifiedName('a'.repeat(64)),
    ['name part must be no more than 63 bytes'],
  ],
  ['an empty label value', isLabelValue(''), []],
  ['a label value that is too long', isLabelValue('v'.repeat(64)), ['must be no more than 63 bytes']],
  [
    'a label value with blanks',
    isLabelValue('no spaces allowed'),
    [
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  ],
  ['a config key', isConfigMapKey('.dot-file_1'), []],
  ['a config key that climbs', isConfigMapKey('..'), ["must not be '..'"]],
  ['a config key that starts with two dots', isConfigMapKey('..a'), ["must not start with '..'"]],
  [
    'a config key with a blank',
    isConfigMapKey('a b'),
    [
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  ],
  ['a port name', isPortName('http'), []],
  ['a port name of digits', isPortName('80'), ['must contain at least one letter (a-z)']],
  [
    'a port name with every fault',
    isPortName('-A--0123456789-b-'),
    [
      'must be no more than 15 characters',
      'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'must not contain consecutive hyphens',
      'must not begin or end with a hyphen',
    ],
  ],
  [
    'an environment variable with an equals sign',
    isRelaxedEnvVarName('a=b'),
    ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
  ],
  ['a generateName may end in a dash', nameIsDnsLabel('gen-', true), []],
  ['a name may not end in a dash', nameIsDnsSubdomain('gen-', false), [SUBDOMAIN]],
  [
    'a path segment with a slash and a percent sign',
    nameIsPathSegment('a/%', false),
    ["may not contain '/'", "may not contain '%'"],
  ],
  ['a path segment of two dots', nameIsPathSegment('..', false), ["may not be '..'"]],
  ['a role name with a colon', nameIsPathSegment('system:admin', false), []],
];
for (const [name, actual, expected] of cases)
  test(`names: ${name}`, () => assert.deepEqual(actual, expected));

test('text is quoted as Go quotes it', () => {
  assert.equal(goQuote('a"b\\c'), '"a\\"b\\\\c"');
  assert.equal(goQuote('tab\tbell\u0007nul\u0000del\u007f'), '"tab\\tbell\\anul\\x00del\\x7f"');
  assert.equal(goQuote('wéb 漢'), '"wéb 漢"');
  assert.equal(goQuote('zero\u200bwidth\u{e0001}'), '"zero\\u200bwidth\\U000e0001"');
});
