// Which requests webhooks and policies are about: rules, selectors, and the equivalent resources under which a kind is
// served in other groups and versions.
import type { KubeObject } from '../../api/index.ts';
import {
  labelSelectorFor,
  notFound,
  type AdmissionAttributes,
  type LabelSelector,
  type Selector,
} from '../../machinery/index.ts';
import type { Authorizer } from '../contract.ts';
import type { ObjectAccess } from '../object-access.ts';
import type { ResourceRegistry } from '../registry.ts';

/** admissionregistration.k8s.io/v1 NamedRuleWithOperations; webhooks have no names in theirs. */
export interface Rule {
  readonly scope?: string;
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** The resource under which a webhook or policy sees the request. */
export interface SeenAs {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
}

export interface Selectors {
  readonly namespace: Selector;
  readonly object: Selector;
}

export interface MatchEnvironment {
  readonly registry: ResourceRegistry;
  readonly objects: ObjectAccess;
  /** Absent: everybody may do everything. */
  readonly authorizer: Authorizer | undefined;
}

export function selectorsOf(of: {
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
}): Selectors {
  return {
    namespace: labelSelectorFor(of.namespaceSelector ?? {}),
    object: labelSelectorFor(of.objectSelector ?? {}),
  };
}

const REGISTRATIONS = new Set([
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
]);

/** Nobody may shut the way to change who has a say. */
export function isExempt({ group, resource }: AdmissionAttributes): boolean {
  return group === 'admissionregistration.k8s.io' && REGISTRATIONS.has(resource);
}

const isNamespace = ({ group, resource }: Pick<AdmissionAttributes, 'group' | 'resource'>): boolean =>
  group === '' && resource === 'namespaces';

/** COMPAT: a namespace counts as being inside itself. */
export function namespaceOf(attributes: AdmissionAttributes): string {
  return isNamespace(attributes) ? attributes.name : attributes.namespace;
}

/** The resource as the request names it. */
export function requestedAs(attributes: AdmissionAttributes): SeenAs {
  const { version, resource, kind, group } = attributes;
  const { resourceGroup = group, resourceVersion = version } = attributes;
  return { group: resourceGroup, version: resourceVersion, resource, kind };
}

const includes = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

function matchesResource(resources: readonly string[], resource: string, subresource: string): boolean {
  return resources.some((pattern) => {
    const slash = pattern.indexOf('/');
    const wanted = slash < 0 ? pattern : pattern.slice(0, slash);
    const part = slash < 0 ? '' : pattern.slice(slash + 1);
    return (wanted === '*' || wanted === resource) && (part === '*' || part === subresource);
  });
}

function matchesRule(rule: Rule, attributes: AdmissionAttributes, seen: SeenAs): boolean {
  const { scope = '*', resources = [], resourceNames = [] } = rule;
  const cluster = namespaceOf(attributes) === '' || isNamespace(attributes);
  if (scope === 'Namespaced' && cluster) return false;
  if (scope === 'Cluster' && !cluster) return false;
  return (
    includes(rule.operations, attributes.operation) &&
    includes(rule.apiGroups, seen.group) &&
    includes(rule.apiVersions, seen.version) &&
    matchesResource(resources, seen.resource, attributes.subresource) &&
    (resourceNames.length === 0 || resourceNames.includes(attributes.name))
  );
}

interface Known {
  readonly generation: number;
  readonly byResource: Map<string, readonly SeenAs[]>;
}

const known = new WeakMap<ResourceRegistry, Known>();

/** The other ways in which the same stored objects are served; found once while the served resources stay the same. */
function equivalents(registry: ResourceRegistry, own: SeenAs): readonly SeenAs[] {
  let current = known.get(registry);
  if (current?.generation !== registry.generation) {
    current = { generation: registry.generation, byResource: new Map() };
    known.set(registry, current);
  }
  const key = `${own.group}/${own.version}/${own.resource}`;
  let found = current.byResource.get(key);
  if (found === undefined) current.byResource.set(key, (found = findEquivalents(registry, own)));
  return found;
}

function findEquivalents(registry: ResourceRegistry, own: SeenAs): readonly SeenAs[] {
  const root = registry.get(own.group, own.resource)?.storageRoot;
  return registry
    .definitions()
    .filter(({ storageRoot }) => storageRoot === root)
    .flatMap(({ group, resource, kind, versions }) =>
      versions
        .filter(({ served }) => served)
        .map(({ name: version }) => ({ group, version, resource, kind })),
    )
    .filter(
      ({ group, version, resource }) =>
        group !== own.group || version !== own.version || resource !== own.resource,
    );
}

/** How the rules see the request; undefined when none of them is about it. Rules count in their order. */
export function matchRules(
  rules: readonly Rule[],
  matchPolicy: string | undefined,
  attributes: AdmissionAttributes,
  own: SeenAs,
  registry: ResourceRegistry,
): SeenAs | undefined {
  if (rules.some((rule) => matchesRule(rule, attributes, own))) return own;
  if (matchPolicy === 'Exact') return undefined;
  const others = equivalents(registry, own);
  for (const rule of rules) {
    const found = others.find((other) => matchesRule(rule, attributes, other));
    // A subresource with a kind of its own keeps it, whatever its parent is called.
    if (found !== undefined) return attributes.subresource === '' ? found : { ...found, kind: own.kind };
  }
  return undefined;
}

/** Whether the selectors pass the request. Throws NotFound when its namespace is not there. */
export async function matchSelectors(
  { namespace, object }: Selectors,
  attributes: AdmissionAttributes,
  { objects }: MatchEnvironment,
): Promise<boolean> {
  if (!object.empty) {
    const { object: next, oldObject: old } = attributes;
    const matches = [next, old].some(
      (one) => one?.metadata !== undefined && object.matches(one.metadata.labels),
    );
    if (!matches) return false;
  }
  const name = namespaceOf(attributes);
  if (namespace.empty || (name === '' && !isNamespace(attributes))) return true;
  const found = await namespaceObject(attributes, objects);
  if (found === undefined) throw notFound({ group: '', resource: 'namespaces' }, name);
  return namespace.matches(found.metadata.labels);
}

/** The namespace whose labels count: that of a request for a namespace is the one about to be written. */
async function namespaceObject(
  attributes: AdmissionAttributes,
  objects: ObjectAccess,
): Promise<KubeObject | undefined> {
  const { operation, object, subresource } = attributes;
  const written = operation === 'CREATE' || operation === 'UPDATE';
  if (isNamespace(attributes) && subresource === '' && written) return object;
  return objects.get('', 'namespaces', '', namespaceOf(attributes));
}
