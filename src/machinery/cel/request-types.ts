// The types of what expressions about requests can name besides the objects, which may be anything: the request itself,
// its namespace, and the variables of a policy.
import { AUTHORIZER_VARIABLES } from './authorizer.ts';
import { BOOL, DYN, INT, STRING, TIMESTAMP, listOf, mapOf, objectOf, type CelType } from './types.ts';

const TEXTS = listOf(STRING);

const named = (name: string, fields: Readonly<Record<string, CelType>>): CelType =>
  objectOf(`kubernetes.${name}`, new Map(Object.entries(fields)));

const KIND = named('GroupVersionKind', { group: STRING, version: STRING, kind: STRING });
const RESOURCE = named('GroupVersionResource', { group: STRING, version: STRING, resource: STRING });
const USER = named('UserInfo', { username: STRING, uid: STRING, groups: TEXTS, extra: mapOf(STRING, TEXTS) });

const REQUEST = named('AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER,
  dryRun: BOOL,
  options: DYN,
});

const CONDITION = named('NamespaceCondition', {
  status: STRING,
  type: STRING,
  lastTransitionTime: TIMESTAMP,
  message: STRING,
  reason: STRING,
});

/** COMPAT: as upstream spells the fields, the uid among them. */
const NAMESPACE = named('Namespace', {
  metadata: named('NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: TEXTS,
  }),
  spec: named('NamespaceSpec', { finalizers: TEXTS }),
  status: named('NamespaceStatus', { conditions: listOf(CONDITION), phase: STRING }),
});

const KNOWN: ReadonlyMap<string, CelType> = new Map([
  ...AUTHORIZER_VARIABLES,
  ['request', REQUEST],
  ['namespaceObject', NAMESPACE],
]);

/** The types of variables of these names. */
export const typesOf = (names: readonly string[]): ReadonlyMap<string, CelType> =>
  new Map(names.map((name) => [name, KNOWN.get(name) ?? DYN]));

/** What a policy's variables are together. */
export const variablesType = (types: ReadonlyMap<string, CelType>): CelType =>
  objectOf('kubernetes.variables', new Map([...types].map(([name, type]) => [name, seenAs(type)])));

/** COMPAT: a variable that holds an object or something opaque is taken for anything. */
function seenAs(type: CelType): CelType {
  const [first, second] = type.parameters;
  if (type.kind === 'list') return listOf(seenAs(first!));
  if (type.kind === 'map') return mapOf(seenAs(first!), seenAs(second!));
  return type.kind === 'object' || type.kind === 'opaque' || type.kind === 'type' ? DYN : type;
}
